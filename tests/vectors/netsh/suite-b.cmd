@echo off
rem SPDX-License-Identifier: Apache-2.0
rem In the form of Microsoft KB 949856, on Suite B in IPsec, and of the help of "netsh advfirewall consec add rule".
rem packet: out tcp 10.0.0.5 -> 10.0.0.9:80 protected by "server and client"
rem packet: out tcp 10.0.0.5 -> 10.2.0.9:80 protected by "range"
rem packet: out tcp 10.0.0.5 -> 192.0.2.1:80 protected by "GMAC"
netsh advfirewall consec add rule name=GMAC endpoint1=any endpoint2=any action=requestinrequestout auth1=computercert,computercertecdsap256 auth1ca="C=US, O=X, CN=\'North, South\'" auth1healthcert=no auth1ecdsap256ca="CN=ECC" auth1ecdsap256healthcert=yes qmsecmethods=ah:aesgmac256+esp:aesgmac256-none
netsh advfirewall consec add rule name="SHA 256" endpoint1=10.5.0.1-10.5.0.9 endpoint2=localsubnet action=requestinrequestout auth1=computercert auth1ca="CN=X" qmsecmethods=ah:sha256+esp:sha256-aes192
netsh advfirewall consec add rule name="server and client" endpoint1=10.0.0.5 endpoint2=10.0.0.9 action=requireinrequireout auth1=computercertecdsap384 auth1ecdsap384ca="CN=A catype:intermediate certhash:00112233445566778899aabbccddeeff00112233 followrenewal:yes certeku:1.3.6.1.5.5.7.3.1 certname:db.example certnametype:DNS certcriteriatype:Validation | CN=B" auth2=usercert,anonymous auth2ca="CN=Users" qmsecmethods=esp:aesgcm256-aesgcm256
netsh advfirewall consec add rule name=range endpoint1=any endpoint2=10.2.0.0-10.2.255.255 action=requireinrequireout auth1=computerpsk auth1psk="shown to nobody" qmsecmethods=authnoencap:sha256,esp:sha256-none interfacetype=lan,wireless profile=private,public type=dynamic
netsh advfirewall consec add rule name="no encapsulation only" endpoint1=any endpoint2=10.3.0.1 action=requireinrequireout auth1=computerpsk auth1psk=y qmsecmethods=authnoencap:sha256
netsh advfirewall consec add rule name="two factors" endpoint1=any endpoint2=10.3.0.2 action=requireinrequireout auth1=computerpsk,computerntlm auth1psk=y
netsh advfirewall consec add rule name="x" endpoint1=any endpoint2=10.3.0.3 action=requirein
netsh advfirewall consec add rule name="all" endpoint1=any endpoint2=any action=requireinrequireout
