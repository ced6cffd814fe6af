@echo off
rem SPDX-License-Identifier: Apache-2.0
rem Objects that are changed, renamed and deleted again: what counts is what stands after the last line.
rem packet: out tcp 10.0.0.1 -> 10.1.2.3:22 protected by "Between sites"
rem packet: in tcp 192.0.2.3:1050 -> 10.0.0.1:23 blocked by "No telnet"
rem packet: out tcp 10.0.0.1 -> 10.9.9.9:22 permitted
netsh ipsec static add policy name=old
netsh ipsec static add filter filterlist=sites srcaddr=me dstaddr=10.1.0.0 dstmask=16
netsh ipsec static add filter filterlist=sites srcaddr=me dstaddr=10.9.0.0 dstmask=16
netsh ipsec static add filteraction name=secure qmsecmethods="ESP[3DES,SHA1]" action=negotiate
netsh ipsec static add filteraction name=gone action=block
netsh ipsec static add rule name=r policy=old filterlist=sites filteraction=secure psk="first key, nobody uses it"
netsh ipsec static add rule name=telnet policy=old filterlist=sites filteraction=gone
netsh ipsec static set rule name=r policy=old newname="Between sites" psk="second key, this one counts" conntype=lan
netsh ipsec static set filterlist name=sites newname="The sites" description="All of them"
netsh ipsec static set filteraction name=secure newname="Secure" qmsecmethods="ESP[3DES,MD5]:50000k/900s AH[SHA1]:50000k/900s" qmpfs=yes inpass=yes
netsh ipsec static delete filter filterlist="The sites" srcaddr=me dstaddr=10.9.0.0 dstmask=255.255.0.0
netsh ipsec static delete rule name=telnet policy=old
netsh ipsec static delete filteraction name=gone
netsh ipsec static set policy name=old newname="Sites" description="New name" mmpfs=yes mmlifetime=60 pollinginterval=60
netsh ipsec static add filter filterlist=telnet srcaddr=any dstaddr=me protocol=6 dstport=23
netsh ipsec static add rule name="No telnet" policy=Sites filterlist=telnet filteraction=Block
netsh ipsec static set policy name=Sites assign=yes
rem Refused by netsh, or not to be carried over:
netsh ipsec static add policy name=sites
netsh ipsec static set rule name=none policy=Sites activate=no
netsh ipsec static delete rule name=none policy=Sites
netsh ipsec static add filter filterlist=x srcaddr=dns dstaddr=any
netsh ipsec static add filter filterlist=x srcaddr=10.0.0.300 dstaddr=me
netsh ipsec static add filter filterlist=x srcaddr=me dstaddr=any dstport=80
netsh ipsec static add rule name=y policy=Sites filterlist=z filteraction=Block psk="shown nowhere"
netsh ipsec static importpolicy file=c:\old.ipsec
netsh ipsec static frobnicate
netsh interface ip show config
