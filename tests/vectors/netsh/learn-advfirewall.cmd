@echo off
rem SPDX-License-Identifier: Apache-2.0
rem In the form of the examples of Microsoft's page "netsh advfirewall", one after the other.
rem packet: out tcp 10.0.0.1 -> 192.168.1.100:80 blocked by "BlockOutIP"
rem packet: in icmp echo-request 192.0.2.1 -> 10.0.0.1 blocked by "No ping"
rem packet: in tcp 192.0.2.1:1050 -> 10.0.0.1:80 protected by "Require Encryption"
netsh advfirewall consec add rule name="RequireAuth" endpoint1=any endpoint2=any action=requireinrequestout
netsh advfirewall consec add rule name="KerberosAuthRule" endpoint1=any endpoint2=any action=requireinrequireout auth1=computerkerb
netsh advfirewall consec delete rule name="RequireAuth"
netsh advfirewall export "C:\folder\firewall_config.wfw"
netsh advfirewall firewall add rule name="Allow80" protocol=TCP dir=in localport=80 action=allow
netsh advfirewall firewall add rule name="BlockOutIP" protocol=TCP dir=out remoteip=192.168.1.100 action=block
netsh advfirewall firewall add rule name="No ping" protocol=icmpv4:8,any dir=in action=block
netsh advfirewall firewall add rule name="messenger" dir=in program="c:\program files\messenger\msmsgs.exe" security=authenticate action=allow
netsh advfirewall firewall add rule name="Require Encryption" protocol=TCP dir=in localport=80 security=authdynenc action=allow
netsh advfirewall firewall add rule name="gone" dir=out remoteport=25 protocol=tcp action=block
netsh advfirewall firewall delete rule name="gone" protocol=tcp
netsh advfirewall import "C:\folder\firewall_config.wfw"
netsh advfirewall mainmode add rule name="MyMainmodeRule" auth1=computerkerb endpoint1=any endpoint2=10.8.0.0/16 mmsecmethods=ecdhp256:aes128-sha256 mmkeylifetime=120min
netsh advfirewall mainmode add rule name="Gone" auth1=computerkerb
netsh advfirewall mainmode delete rule name="Gone"
netsh advfirewall mainmode set rule name="MyMainmodeRule" new description="Changed"
netsh advfirewall monitor show mmsa
netsh advfirewall monitor delete mmsa all
netsh advfirewall set currentprofile state off
netsh advfirewall set allprofiles firewallpolicy blockinbound,allowoutbound
netsh advfirewall show global
