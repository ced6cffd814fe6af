# SPDX-License-Identifier: Apache-2.0
# packet: out tcp 10.0.0.1 -> 10.0.0.2:3389 protected by "Ports"
# packet: in tcp 172.16.0.2:5000 -> 10.0.0.1:445 protected by "Ports"
# packet: out tcp 10.0.0.1 -> 10.0.0.2:80 permitted
# packet: out tcp 192.168.1.7 -> 10.4.0.9:80 protected by "Site to site"
# host: 203.0.113.202
<#############################################################################
In the form of third-party course scripts for Windows administrators: start from nothing, libraries of proposals and
sets, splatting, a tunnel, ports that are dangerous, and a clean-up that is never called.
#############################################################################>

function Purge-AllIPsecSettings
{
    # Default sets first (an error is expected if there is none)
    Remove-NetIPsecMainModeCryptoSet -Name '{E5A5D32A-4BCE-4e4d-B07F-4AB1BA7E5FE1}' -ErrorAction SilentlyContinue
    Remove-NetIPsecPhase1AuthSet -Name '{E5A5D32A-4BCE-4e4d-B07F-4AB1BA7E5FE3}' -ErrorAction SilentlyContinue
    Get-NetIPsecMainModeRule | Remove-NetIPsecMainModeRule
    Get-NetIPsecRule | Remove-NetIPsecRule
    Get-NetIPsecPhase1AuthSet | Remove-NetIPsecPhase1AuthSet
}

Purge-AllIPsecSettings

$CA1  = "DC=example, DC=lab, CN=Lab-CA"
$PSK1 = 'Ander3Cekritt#PsSchlu$$l'

$MachineCert = New-NetIPsecAuthProposal -Machine -Cert -Authority $CA1 -AuthorityType Root
$MachinePsk  = New-NetIPsecAuthProposal -Machine -PreSharedKey $PSK1
$P1Cert = New-NetIPsecPhase1AuthSet –DisplayName "P1 certificates" -Proposal $MachineCert
$P1Psk  = New-NetIPsecPhase1AuthSet –DisplayName "P1 key"          -Proposal $MachinePsk

# -KeyExchang is enough for a unique name
$Mm1 = New-NetIPsecMainModeCryptoProposal -Encryption AES256 -Hash SHA384 -KeyExchang DH24
$Mm2 = New-NetIPsecMainModeCryptoProposal -Encryption AES128 -Hash SHA256 -KeyExchang DH19
$MmSet = New-NetIPsecMainModeCryptoSet -DisplayName 'MM force DH' -ForceDiffieHellman $True -Proposal @($Mm1,$Mm2)

$Qm1 = New-NetIPsecQuickModeCryptoProposal -Encryption AESGCM256 -ESPHash AESGMAC256 -Encapsulation ESP
$Qm2 = New-NetIPsecQuickModeCryptoProposal -Encryption AES128    -ESPHash SHA256     -Encapsulation ESP
$QmNone = New-NetIPsecQuickModeCryptoProposal -Encapsulation ESP -Encryption None
$QmSet  = New-NetIPsecQuickModeCryptoSet -DisplayName 'QM' -PerfectForwardSecrecyGroup DH19 -Proposal @($Qm1,$Qm2)
$QmClear = New-NetIPsecQuickModeCryptoSet -DisplayName 'QM no integrity' -Proposal $QmNone

New-NetIPsecMainModeRule -DisplayName 'MM rule' -RemoteAddress '10.0.0.0/8' -MainModeCryptoSet $MmSet.Name -Phase1AuthSet $P1Psk.Name | Out-Null

$Ports = @{
    DisplayName = 'Dangerous TCP ports'
    InboundSecurity = 'Require'
    OutboundSecurity = 'Request'
    Protocol = 'TCP'
    LocalAddress = 'Any'
    LocalPort = 'Any'
    RemoteAddress = '10.0.0.0/8'
    RemotePort = @('3389','139','445','21')
    Profile = 'Any'
    InterfaceType = 'Any'
    Enabled = 'True'
    Phase1AuthSet = $P1Psk.Name
    QuickModeCryptoSet = ($QmSet.Name)
}
New-NetIPsecRule @Ports

$Tunnel = @{
    DisplayName = 'Site to site'
    Mode = 'Tunnel'
    LocalAddress =         '192.168.1.0/24'     #our network
    LocalTunnelEndpoint =  '203.0.113.202'
    RemoteAddress =        '10.4.0.0/16'
    RemoteTunnelEndpoint = '198.51.100.130'
    InboundSecurity = 'Require'
    OutboundSecurity = 'Require'
    EncryptedTunnelBypass = $True               #Don't encrypt twice
    QuickModeCryptoSet = ($QmSet.Name)
    Phase1AuthSet = ($P1Cert.Name)
    KeyModule = 'IKEv1'
}
$Made = New-NetIPsecRule @Tunnel

New-NetIPsecRule -DisplayName 'In the clear' -InboundSecurity Require -OutboundSecurity Require -QuickModeCryptoSet $QmClear.Name -RemoteAddress 10.7.0.0/16

# And what is done with rules afterwards
Get-NetIPsecRule | Select DisplayName,Enabled
Set-NetIPsecRule -DisplayName 'Dangerous TCP ports' -NewDisplayName 'Ports' -Description "Not for $($Made.DisplayName)"
Get-NetIPsecRule -DisplayName 'Site*' | Set-NetIPsecRule -RequireAuthorization $true
$rule = Get-NetIPsecRule -DisplayName Ports
$rule.Enabled = 'False'
$rule | Set-NetIPsecRule
Enable-NetIPsecRule -DisplayName Ports
