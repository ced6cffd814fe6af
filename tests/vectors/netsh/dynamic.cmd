@echo off
rem SPDX-License-Identifier: Apache-2.0
rem In the form of the dynamic examples of Microsoft's page "netsh ipsec", and of demonstrations of dynamic rules.
rem packet: out tcp 192.168.1.10 -> 192.168.1.20:1433 protected by "dynamic me tcp <-> 192.168.1.20:1433"
rem packet: out icmp 192.168.1.10 -> 192.168.1.99 blocked by "dynamic me icmp <-> any"
rem packet: out tcp 192.168.1.10:80 -> 192.168.1.20:80 permitted by "dynamic 192.168.1.10:80 tcp -> 192.168.1.20:80"
netsh ipsec dynamic delete all
netsh ipsec dynamic add mmpolicy name="MyMM-Policy" qmpermm=100 mmlifetime=4800 softsaexpirationtime=1800 mmsecmethods="3DES-SHA1"
netsh ipsec dynamic add qmpolicy name="MyQM-Policy" soft=yes pfsgroup=GRP2 qmsecmethods="ESP:3DES-SHA1 ESP:AES128-SHA256"
netsh ipsec dynamic add rule srcaddr=192.168.1.10 dstaddr=192.168.1.20 mmpolicy="MyMM-Policy" qmpolicy="MyQM-Policy" protocol=TCP srcport=80 dstport=80 mirrored=no conntype=lan actioninbound=permit actionoutbound=permit
netsh ipsec dynamic add rule srcaddr=me dstaddr=any mmpolicy=MyMM-Policy protocol=icmp actioninbound=block actionoutbound=block
netsh ipsec dynamic add rule srcaddr=me dstaddr=192.168.1.20 mmpolicy=MyMM-Policy qmpolicy=MyQM-Policy protocol=tcp dstport=1433 psk="a word that both know"
netsh ipsec dynamic add rule srcaddr=me dstaddr=192.168.1.30 mmpolicy=MyMM-Policy protocol=tcp dstport=25 actionin=permit actionout=block
netsh ipsec dynamic add rule srcaddr=me dstaddr=192.168.1.40 mmpolicy=MyMM-Policy qmpolicy=None
netsh ipsec dynamic add rule me 192.168.1.50 MyMM-Policy
netsh ipsec dynamic delete rule me 192.168.1.50
netsh ipsec dynamic set config property=ipsecexempt value=0
netsh ipsec dynamic set config strongcrlcheck 1
netsh ipsec dynamic set config ikelogging 1
netsh ipsec dynamic set config bootmode stateful
netsh ipsec dynamic show config
