# SPDX-License-Identifier: Apache-2.0
# packet: in tcp 10.0.0.9:5000 -> 10.0.0.1:23 protected by "Inbound Secure Bypass"
# packet: out tcp 10.0.0.1 -> 10.0.0.9:25 blocked by "Block mail"
# packet: out tcp 10.0.0.1 -> 10.0.0.9:80 protected by "Isolation"
# packet: in tcp 192.0.2.7:5000 -> 10.0.0.1:80 protected by "Inbound Secure Bypass"
# packet: out tcp 10.0.0.1 -> 192.0.2.7:80 protected by "Isolation"
# In the form of "Deploy basic firewall rules" and "Deploy secure firewall rules with IPsec" (Microsoft Learn).
New-NetFirewallRule -DisplayName "Allow Inbound Telnet" -Direction Inbound -Program %SystemRoot%\System32\tlntsvr.exe -RemoteAddress LocalSubnet -Action Allow
New-NetFirewallRule -DisplayName "Block Outbound Telnet" -Direction Outbound -Program %SystemRoot%\System32\telnet.exe –Protocol TCP –LocalPort 23 -Action Block –PolicyStore lab.example\gpo_name
New-NetFirewallRule -DisplayName "Block telnet" -Direction Inbound -Protocol TCP -LocalPort 23 -Action Block
New-NetFirewallRule -DisplayName "Block mail" -Direction Outbound -Protocol TCP -RemotePort 25 -Action Block -Group "Mail"
New-NetFirewallRule -DisplayName "Block strangers" -RemoteAddress 192.0.2.0/24 -Action Block

$user = New-Object System.Security.Principal.NTAccount ("lab.example\Operators")
$sid = $user.Translate([System.Security.Principal.SecurityIdentifier]).Value
$secureUserGroup = "D:(A;;CC;;;$sid)"
New-NetFirewallRule -DisplayName "Allow Encrypted Telnet to Members" -Protocol TCP -Direction Inbound -Action Allow -LocalPort 23 -Authentication Required -Encryption Required –RemoteUser $secureUserGroup
New-NetFirewallRule –DisplayName "Inbound Secure Bypass" –Direction Inbound –Authentication Required –OverrideBlockRules $true -RemoteMachine "D:(A;;CC;;;S-1-5-21-1-2-3-1114)"

Set-NetFirewallRule –DisplayName "Allow Web 80" -RemoteAddress 192.168.0.2
Get-NetFirewallPortFilter | ?{$_.LocalPort -eq 80} | Get-NetFirewallRule | ?{ $_.Direction –eq "Inbound" -and $_.Action –eq "Allow"} | Set-NetFirewallRule -RemoteAddress 192.168.0.2
Enable-NetFirewallRule -DisplayGroup "Windows Defender Firewall Remote Management" -Verbose
New-NetFirewallRule -DisplayName "Block for a while" -Direction Outbound -Protocol UDP -RemotePort 5353 -Action Block
Remove-NetFirewallRule –DisplayName "Block for*" –WhatIf
Remove-NetFirewallRule –DisplayName "Block for*"
$x = Get-NetFirewallRule –Action Block
$x[0]
New-NetIPsecRule -DisplayName "Isolation" -InboundSecurity Require -OutboundSecurity Request
