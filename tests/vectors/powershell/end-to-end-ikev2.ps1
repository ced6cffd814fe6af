# SPDX-License-Identifier: Apache-2.0
# packet: out tcp 10.0.0.1 -> 10.0.0.2:445 protected by "IKEv2 within the lab"
# packet: in udp 10.0.0.2:53 -> 10.0.0.1:4000 protected by "IKEv2 within the lab"
# In the form of "Securing end-to-end IPsec connections by using IKEv2" (Microsoft Learn), computers in a domain.
$path = (Get-ADDomain).DistinguishedName
New-ADGroup -Name "IPsec members" -SamAccountName "IPsec members" `
-GroupCategory Security -GroupScope Global -Path $path
$computer = Get-ADComputer -LDAPFilter "(name=files1)"
Add-ADGroupMember -Identity "IPsec members" -Members $computer

$gpo = New-GPO RequireInRequestOut
$gpo | New-GPLink -Target "dc=lab,dc=example" -LinkEnabled Yes
$gpo | Set-GPPermissions -TargetName "IPsec members" -TargetType Group -PermissionLevel GpoApply -Replace

# Which certificates serve
$gponame = "lab.example\RequireInRequestOut"
$certprop = New-NetIPsecAuthProposal -machine -cert -Authority "DC=example, DC=lab, CN=lab-CA1"
$myauth = New-NetIPsecPhase1AuthSet -DisplayName "IKEv2 certificates" -proposal $certprop –PolicyStore GPO:$gponame

New-NetIPsecRule  -DisplayName "IKEv2 within the lab" -RemoteAddress any -Phase1AuthSet $myauth.InstanceID `
-InboundSecurity Require -OutboundSecurity Request -KeyModule IKEv2 -PolicyStore GPO:$gponame
