@echo off
rem SPDX-License-Identifier: Apache-2.0
rem In the form of Microsoft KB 813878, "How to block specific network protocols and ports by using IPSec".
rem packet: in udp 192.0.2.9:5000 -> 10.0.0.1:1434 blocked by "Block inbound UDP 1434"
rem packet: out tcp 10.0.0.1:1050 -> 192.0.2.9:80 permitted
rem packet: out tcp 10.0.0.1:1050 -> 192.0.2.9:1433 blocked by "Block outbound TCP 1433"
rem packet: in tcp 192.0.2.9:1050 -> 10.0.0.1:1433 permitted
netsh ipsec static add policy name="Block SQL worms" description="Ports of SQL Server" activatedefaultrule=no assign=no
netsh ipsec static add filterlist name="Inbound UDP 1434"
netsh ipsec static add filter filterlist="Inbound UDP 1434" srcaddr=any dstaddr=me protocol=udp srcport=0 dstport=1434 mirrored=no
netsh ipsec static add filterlist name="Outbound TCP 1433"
netsh ipsec static add filter filterlist="Outbound TCP 1433" srcaddr=me dstaddr=any protocol=tcp dstport=1433 mirrored=no
netsh ipsec static add filteraction name=Block action=block
netsh ipsec static add rule name="Block inbound UDP 1434" policy="Block SQL worms" filterlist="Inbound UDP 1434" filteraction=Block
netsh ipsec static add rule name="Block outbound TCP 1433" policy="Block SQL worms" filterlist="Outbound TCP 1433" filteraction=block
netsh ipsec static set policy name="block sql worms" assign=y
netsh ipsec static show all
