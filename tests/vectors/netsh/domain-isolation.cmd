@echo off
rem SPDX-License-Identifier: Apache-2.0
rem In the form of Microsoft's "Windows Firewall with Advanced Security: domain isolation" and server isolation pages.
rem packet: out tcp 10.1.0.5 -> 10.1.0.9:445 protected by "Domain isolation"
rem packet: in tcp 10.1.0.9:1050 -> 10.1.0.5:3389 protected by "Domain isolation"
rem packet: out udp 10.1.0.5:1050 -> 10.1.0.2:53 permitted by "Exempt DCs"
rem packet: out tcp 10.1.0.5 -> 10.9.0.7:1433 protected by "Database isolation"
netsh advfirewall set store gpo=corp.example\isolation
netsh advfirewall consec add rule name="Domain isolation" endpoint1=any endpoint2=any action=requireinrequestout profile=domain auth1=computerkerb auth2=userkerb description="Members only"
netsh advfirewall consec add rule name="Exempt DCs" endpoint1=any endpoint2=10.1.0.2,10.1.0.3 action=noauthentication
netsh advfirewall consec add rule name="Database isolation" endpoint1=any endpoint2=10.9.0.0/16 protocol=tcp port2=1433 action=requireinrequireout auth1=computercert,computerkerb auth1ca="C=US, O=Example, CN=\'Corp Root\' certmapping:yes excludecaname:no catype:root" qmsecmethods=esp:sha256-aes128+60min+100000kb qmpfs=ecdhp256
netsh advfirewall consec set rule name="Domain isolation" new profile=any action=requireinrequireout
netsh advfirewall set global ipsec saidletimemin 10
netsh advfirewall set global ipsec defaultexemptions icmp,neighbordiscovery,dhcp
netsh advfirewall set global ipsec strongcrlcheck 1
netsh advfirewall set global mainmode mmsecmethods dhgroup14:aes256-sha256,ecdhp384:aes256-sha384
netsh advfirewall set global mainmode mmkeylifetime 60min,10sess
netsh advfirewall consec show rule name=all verbose
