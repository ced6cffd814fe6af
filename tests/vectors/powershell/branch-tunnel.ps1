# SPDX-License-Identifier: Apache-2.0
# packet: out tcp 192.168.3.4 -> 192.157.0.9:80 protected by "Tunnel from HQ to Dallas"
# packet: out tcp 192.168.3.4 -> 203.0.113.9:80 permitted
# host: 192.0.2.1
# In the form of the third example of New-NetIPsecRule and of "Configure IPsec tunnel mode" (Microsoft Learn).
PS C:\> $qmProposal = New-NetIPsecQuickModeCryptoProposal -Encapsulation ESP -ESPHash SHA1 -Encryption DES3

PS C:\> $qmSet = New-NetIPsecQuickModeCryptoSet -DisplayName "esp:sha1-des3" -Proposal $qmProposal

PS C:\> $key = New-NetIPsecAuthProposal -Machine -PreSharedKey 'Dallas & HQ $5'

PS C:\> $keySet = New-NetIPsecPhase1AuthSet -DisplayName "Dallas" -Proposal $key

PS C:\> New-NetIPSecRule -DisplayName "Tunnel from HQ to Dallas" -Mode Tunnel -LocalAddress 192.168.0.0/16 -RemoteAddress 192.157.0.0/16 -LocalTunnelEndpoint 192.0.2.1 -RemoteTunnelEndpoint 198.51.100.2 -InboundSecurity Require -OutboundSecurity Require -QuickModeCryptoSet $qmSet.Name -Phase1AuthSet $keySet.Name -KeyModule IKEv1

PS C:\> New-NetIPsecRule -DisplayName "Multi DTE" -Name "Multi DTE" -Mode Tunnel -InboundSecurity Require -OutboundSecurity Require -RemoteTunnelEndpoint 2001:db8::2, 2001:db8::3 -RemoteAddress 2001:db8:9d3b::/48 -LocalTunnelEndpoint Any
