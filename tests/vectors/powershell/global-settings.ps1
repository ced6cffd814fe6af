# SPDX-License-Identifier: Apache-2.0
# packet: out tcp 10.0.0.1 -> 10.0.0.2:80 protected by "Isolation"
# In the form of the examples of Set-NetFirewallSetting and Set-NetFirewallProfile (Microsoft Learn).
Get-NetFirewallSetting | Set-NetFirewallSetting -Exemptions RouterDiscovery, NeighborDiscovery
$computers = New-Object -TypeName System.Security.Principal.NTAccount ("lab.example\Gateways")
$sid = $computers.Translate([System.Security.Principal.SecurityIdentifier]).Value
Set-NetFirewallSetting -RemoteMachineTunnelAuthorizationList "D:(A;;CC;;;$sid)"
Set-NetFirewallSetting -MaxSAIdleTimeSeconds 600 -CertValidationLevel AttemptCrlCheck -KeyEncoding UTF16 -AllowIPsecThroughNAT Server -EnablePacketQueuing Inbound,Forward
Set-NetFirewallSetting -RemoteMachineTransportAuthorizationList "D:(A;;CC;;;S-1-5-21-1-2-3-1114)(D;;CC;;;S-1-5-21-1-2-3-1115)"
Set-NetFirewallProfile -Profile Domain,Private,Public -AllowLocalIPsecRules False
Set-NetFirewallProfile -DefaultInboundAction Block -LogFileName %SystemRoot%\System32\LogFiles\Firewall\pfirewall.log
$p1 = New-NetIPsecPhase1AuthSet -DisplayName "Whole computer" -Default -Proposal (New-NetIPsecAuthProposal -Machine -Kerberos)
New-NetIPsecQuickModeCryptoSet -DisplayName "Whole computer" -Default -Proposal (New-NetIPsecQuickModeCryptoProposal -Encapsulation ESP -ESPHash SHA256 -Encryption AES256)
New-NetIPsecRule -DisplayName "Isolation" -InboundSecurity Require -OutboundSecurity Request
