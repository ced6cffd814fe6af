@echo off
rem SPDX-License-Identifier: Apache-2.0
rem In the form of the examples of Microsoft's page "netsh ipsec" (static commands), one after the other, spellings included.
rem packet: in tcp 192.168.1.10:80 -> 192.168.1.20:80 permitted by "NewRule"
netsh ipsec static add filterlist name=WebTraffic description="Filters for web traffic"
netsh ipsec static add filter filterlist=WebTraffic srcaddr=192.168.1.10 dstaddr=192.168.1.20 protocol=TCP srcport=80 dstport=80 description="Web" mirrored=yes
netsh ipsec static add filteraction name=AllowTraffic description="Permit without negotiation" qmpfs=no inpass=yes soft=no action=permit
netsh ipsec static add policy name=SecurePolicy description="Sensitive traffic" mmpfs=yes qmpermm=50 mmlifetime=28800 activatedefaultrule=no pollinginterval=600 assign=yes mmsecmethods="3DES-SHA1 DHGroup2;AES128-SHA256 DHGroup14"
netsh ipsec static add rule name=OldRule policy=SecurePolicy filterlist=WebTraffic filteraction=AllowTraffic tunnel=no conntype=lan activate=yes description="Web server" kerberos=yes
netsh ipsec static delete filter filterlist=MyFilterList srcaddr=192.168.1.10 dstaddr=192.168.1.20 protocol=TCP mirrored=yes srcport=80 dstport=80
netsh ipsec static exportpolicy file=C:\Policies\MyPolicy.txt
netsh ipsec static set batch mode=enable
netsh ipsec static set defaultrule policy=SecurePolicy qmpfs=yes activate=yes qmsecmethods="3DES-SHA1;AES128-SHA256" kerberos=yes psk=yourPreSharedKey
netsh ipsec static add filteraction name=OldAction
netsh ipsec static set filteraction name=OldAction newname=NewAction description="Updated" qmpfs=yes inpass=no soft=no action=negotiate qmsecmethods="AES256-SHA1;AES128-SHA256"
netsh ipsec static set rule name=OldRule policy=SecurePolicy newname=NewRule description="Better" filterlist=WebTraffic filteraction=AllowTraffic tunnel=ip conntype=lan activate=yes kerberos=yes psk=mySecureKey
netsh ipsec static set rule name=OldRule policy=SecurePolicy newname=NewRule description="Better" conntype=lan
netsh ipsec static set store location=domain domain=MyDomain.com
netsh ipsec static show rule name=MyRule id=123 all policy=MyPolicy type=tunnel level=verbose format=table wide=yes
