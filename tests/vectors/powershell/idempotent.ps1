# SPDX-License-Identifier: Apache-2.0
# packet: in tcp 10.1.0.5:4000 -> 10.0.0.1:5900 protected by "Hardening: server 10.1.0.5"
# packet: out tcp 10.0.0.1 -> 10.1.0.6:5800 permitted
# packet: out tcp 10.1.0.6:4000 -> 10.0.0.1:5800 protected by "Hardening: server 10.1.0.6"
# packet: out tcp 10.0.0.1 -> 10.8.0.1:80 protected by "Ask 10.8.0.0/16"
# packet: out tcp 10.0.0.1 -> 10.9.0.1:80 permitted
# In the form of scripts for servers that may be run again: look first, then make or change; loops over lists.
[CmdletBinding()]
param (
    [Parameter(Mandatory = $true)]
    [string]$CertAuthority,
    [string]$Prefix = 'Hardening',
    [int[]]$Ports = (5800, 5900)
)
Import-Module NetSecurity
$CertAuthority = 'CN=Lab Root'
$set = Get-NetIPsecPhase1AuthSet -DisplayName 'Computers' -ErrorAction SilentlyContinue
if ($null -eq $set) {
    $proposals = @(New-NetIPsecAuthProposal -Machine -Kerberos)
    $proposals += New-NetIPsecAuthProposal -Machine -Cert -Authority $CertAuthority
    $set = New-NetIPsecPhase1AuthSet -DisplayName 'Computers' -Proposal $proposals
    Write-Host "made $($set.DisplayName)"
}

foreach ($server in '10.1.0.5', '10.1.0.6') {
    $name = "{0}: server {1}" -f $Prefix, $server
    $params = @{ DisplayName = $name; InboundSecurity = 'Require'; OutboundSecurity = 'Request'
                 Phase1AuthSet = $set.Name; RemoteAddress = $server; Protocol = 'TCP' }
    if ($Ports.Count -gt 0) { $params["LocalPort"] = $Ports }
    if (-not (Get-NetIPsecRule -DisplayName $name -ErrorAction SilentlyContinue)) {
        New-NetIPsecRule @params | Out-Null
    } else {
        Set-NetIPsecRule @params
    }
}

$dcs = Get-ADDomainController -Filter * | Select-Object -ExpandProperty IPv4Address
if ($dcs) {
    New-NetIPsecRule -DisplayName 'Domain controllers' -InboundSecurity None -OutboundSecurity None -RemoteAddress $dcs
}
New-NetIPsecRule -DisplayName "From the list" -InboundSecurity Require -OutboundSecurity Request -RemoteAddress $dcs

'10.8.0.0/16', '10.9.0.0/16' | ForEach-Object {
    New-NetIPsecRule -DisplayName "Ask $_" -InboundSecurity Request -OutboundSecurity Request -RemoteAddress $_ -Phase1AuthSet $set.Name
}
Get-NetIPsecRule | Where-Object { $_.DisplayName -like 'Ask *9*' -and $_.Enabled -eq 'True' } | Disable-NetIPsecRule
