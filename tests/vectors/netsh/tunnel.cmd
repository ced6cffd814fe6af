@echo off
rem SPDX-License-Identifier: Apache-2.0
rem In the form of Microsoft KB 816514, "How to configure IPSec tunneling in Windows Server 2003".
rem host: 192.0.2.1
rem packet: out tcp 172.16.0.1 -> 172.20.0.9:80 protected by "Branch to main"
rem packet: in icmp 172.20.0.9 -> 172.16.0.1 protected by "Branch to main"
rem packet: out tcp 172.16.0.1 -> 192.0.2.9:80 permitted
netsh ipsec static add policy name=Tunnel mmlifetime=480 mmsecmethods="3DES-SHA1-3 3DES-SHA1-2" assign=yes
netsh ipsec static add filter filterlist="main to branch" srcaddr=172.16.0.0 srcmask=16 dstaddr=172.20.0.0 dstmask=16 mirrored=no
netsh ipsec static add filter filterlist="branch to main" srcaddr=172.20.0.0 srcmask=255.255.0.0 dstaddr=172.16.0.0 dstmask=255.255.0.0 mirrored=no
netsh ipsec static add filteraction name=Tunnel qmpfs=no inpass=no soft=no action=negotiate qmsecmethods="ESP[3DES,SHA1]:100000k/3600s ESP[3DES,MD5]:100000k/3600s"
netsh ipsec static add rule name="Main to branch" policy=Tunnel filterlist="main to branch" filteraction=Tunnel tunnel=198.51.100.7 psk="not for real use: a shared word"
netsh ipsec static add rule name="Branch to main" policy=Tunnel filterlist="branch to main" filteraction=Tunnel tunnel=192.0.2.1 psk="not for real use: a shared word"
rem A tunnel of which only one direction was written:
netsh ipsec static add filter filterlist="half" srcaddr=172.16.0.0 srcmask=16 dstaddr=172.30.0.0 dstmask=16 mirrored=no
netsh ipsec static add rule name="Half" policy=Tunnel filterlist=half filteraction=Tunnel tunnel=198.51.100.9 psk=x
