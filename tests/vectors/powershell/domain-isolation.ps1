# SPDX-License-Identifier: Apache-2.0
# packet: out tcp 10.1.0.1 -> 10.2.0.2:80 protected by "Domain isolation"
# packet: out tcp 10.1.0.1 -> 10.9.0.2:80 protected by "Computer and user"
# In the form of "Windows Firewall administration with PowerShell" (Microsoft Learn): domain isolation, and first the
# computer, then perhaps the user. Quotes and hyphens as the page's typesetting makes them.
$kerbprop = New-NetIPsecAuthProposal –Machine –Kerberos
$Phase1AuthSet = New-NetIPsecPhase1AuthSet -DisplayName "Kerberos, first" -Proposal $kerbprop –PolicyStore lab.example\isolation
New-NetIPsecRule –DisplayName “Domain isolation” –Profile Domain –Phase1AuthSet $Phase1AuthSet.Name –InboundSecurity Require –OutboundSecurity Request –PolicyStore lab.example\isolation

$mkerbauthprop = New-NetIPsecAuthProposal -Machine –Kerberos
$mntlmauthprop = New-NetIPsecAuthProposal -Machine -NTLM
$P1Auth = New-NetIPsecPhase1AuthSet -DisplayName “Machine” –Proposal $mkerbauthprop,$mntlmauthprop
$ukerbauthprop = New-NetIPsecAuthProposal -User -Kerberos
$unentlmauthprop = New-NetIPsecAuthProposal -User -NTLM
$anonyauthprop = New-NetIPsecAuthProposal -Anonymous
$P2Auth = New-NetIPsecPhase2AuthSet -DisplayName “User” -Proposal $ukerbauthprop,$unentlmauthprop,$anonyauthprop
New-NetIPSecRule -DisplayName “Computer and user” -InboundSecurity Require -OutboundSecurity Require -RemoteAddress 10.9.0.0/16 -Phase1AuthSet $P1Auth.Name –Phase2AuthSet $P2Auth.Name

New-NetIPsecRule -DisplayName “DHCP” -InboundSecurity None -OutboundSecurity None -RemoteAddress DHCP
Show-NetIPsecRule –PolicyStore ActiveStore
