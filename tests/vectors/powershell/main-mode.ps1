# SPDX-License-Identifier: Apache-2.0
# packet: out tcp 10.0.0.1 -> 10.2.0.9:80 protected by "Servers"
# packet: out tcp 10.0.0.1 -> 10.2.0.10:80 permitted
# packet: in tcp 10.0.0.1:5000 -> 10.1.7.7:80 protected by "Servers"
# In the form of the examples of New-NetIPsecMainModeRule and New-NetIPsecMainModeCryptoSet (Microsoft Learn).
$mmSet = New-NetIPsecMainModeCryptoSet -DisplayName "Main mode suites" -MaxMinutes 120 -MaxSessions 20 -Proposal (New-NetIPsecMainModeCryptoProposal -Encryption DES3 -Hash MD5 -KeyExchange DH1),(New-NetIPsecMainModeCryptoProposal -Encryption AES192 -Hash MD5 -KeyExchange DH14),(New-NetIPsecMainModeCryptoProposal -Encryption AES256 -Hash SHA384 -KeyExchange DH24)
New-NetIPsecMainModeRule -DisplayName "Main mode" -MainModeCryptoSet $mmSet.Name

$default = New-NetIPsecMainModeCryptoProposal -KeyExchange DH20
New-NetIPsecMainModeCryptoSet -DisplayName "Default main mode" -Proposal $default -ForceDiffieHellman $true -Default

$cert1 = New-NetIPsecAuthProposal -Machine -Cert -Authority "C=US,O=LAB,CN='Lab Root Authority'" -AuthorityType Root
$cert2 = New-NetIPsecAuthProposal -Machine -Cert -Authority "C=US,O=LAB,CN='Lab Issuing 2'" -AuthorityType Intermediate -Signing ECDSA256 -EKUs 1.3.6.1.5.5.7.3.1 -SubjectName files1.lab.example -SubjectNameType DomainName -ValidationCriteria
$certSet = New-NetIPsecPhase1AuthSet -DisplayName "Computer certificates" -Proposal $cert1,$cert2
New-NetIPsecMainModeRule -DisplayName "Certificates for the servers" -RemoteAddress 10.1.0.0/16, 10.2.0.1-10.2.0.9 -Phase1AuthSet $certSet.Name
New-NetIPsecRule -DisplayName "Servers" -RemoteAddress 10.1.0.0/16,10.2.0.1-10.2.0.9 -InboundSecurity Request -OutboundSecurity Request -Phase1AuthSet $certSet.Name
