# SPDX-License-Identifier: Apache-2.0
# packet: out tcp 10.0.0.1 -> 10.0.0.2:80 protected by "Isolation"
# In the form of the fourth example of New-NetIPsecRule (Microsoft Learn): several suites, one with lifetimes of its own,
# one without integrity; and its slip, two words behind -InboundSecurity.
# AH and ESP together
$aHandESPQM = New-NetIPsecQuickModeCryptoProposal -Encapsulation AH,ESP -AHHash SHA256 -ESPHash SHA256 -Encryption AES128
# AH alone
$aHQM = New-NetipsecQuickModeCryptoProposal -Encapsulation AH -AHHash SHA1 -ESPHash None -Encryption None
# ESP without encryption
$eSPQM = New-NetIPsecQuickModeCryptoProposal -Encapsulation ESP -ESPHash SHA1 -Encryption None
# Encryption without integrity
$eSPnoAHQM = New-NetIPsecQuickModeCryptoProposal -Encapsulation ESP -ESPHash None -Encryption AES256 -MaxKiloBytes 50000 -MaxMinutes 30
$gcm = New-NetIPsecQuickModeCryptoProposal -Encapsulation ESP -Encryption AESGCM256 -ESPHash AESGMAC256 -MaxMinutes 30
$qMCryptoSet = New-NetIPsecQuickModeCryptoSet -DisplayName "Custom quick mode" -Proposal $gcm,$aHandESPQM,$aHQM,$eSPQM,$eSPnoAHQM -PerfectForwardSecrecyGroup DH20
New-NetIPsecRule -DisplayName "With a slip" -InboundSecurity Require Request -OutboundSecurity Request -QuickModeCryptoSet $qMCryptoSet.Name
New-NetIPsecRule -DisplayName "Isolation" -InboundSecurity Require -OutboundSecurity Request -QuickModeCryptoSet $qMCryptoSet.Name
