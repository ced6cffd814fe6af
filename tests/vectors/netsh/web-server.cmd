@ECHO OFF
REM SPDX-License-Identifier: Apache-2.0
REM In the form of guides that turn a server's IPsec policy into a packet filter: a few ports for all, a network for
REM everything, nothing else. Names cut short, values alone in their order, an equals sign with blanks around it.
rem packet: in tcp 192.0.2.9:1050 -> 10.0.0.1:443 permitted by "Web"
rem packet: in tcp 192.0.2.9:1050 -> 10.0.0.1:3389 blocked by "Nothing else"
rem packet: in tcp 10.7.0.9:1050 -> 10.0.0.1:3389 permitted by "Admins"
rem packet: out udp 10.0.0.1:1050 -> 192.0.2.9:53 blocked by "Nothing else"
netsh.exe ipsec static add policy Web_Server assign=no

:: filter lists
netsh ipsec static add filterlist name=HTTP
netsh ipsec static add filter filterlist=HTTP srca=any dsta=me desc="HTTP" proto=TCP dstp=80
netsh ipsec static add filter filterlist=HTTP srcaddr=any dstaddr = me protocol = TCP dstport = 443 mirrored = yes
netsh ipsec static add filter filterlist=Admins srcaddr=10.7.0.0 srcmask=255.255.0.0 dstaddr=me
netsh ipsec static add filter All any me

:: actions and rules
netsh ipsec static add filteraction name=Permit action=permit && echo done
netsh ipsec static add filteraction name=Block action=block >nul
netsh ipsec static ^
  add rule name=Web policy=Web_Server filterlist=HTTP filteraction=Permit conn=all
netsh ipsec static add rule "Admins" Web_Server Admins Permit
netsh ipsec static add rule name="Nothing else" policy=Web_Server filterlist=All filteraction=Block activate=yes
netsh ipsec static set policy name=Web_Server assign=y
gpupdate /force
pause
