@echo off
:: SPDX-License-Identifier: Apache-2.0
:: In the form of scripts that block a list of addresses: variables, loops over lists, conditions.
rem packet: out tcp 10.0.0.1 -> 192.0.2.5:80 blocked by "Blocked"
rem packet: out tcp 10.0.0.1 -> 198.51.100.40:80 blocked by "Blocked"
rem packet: out tcp 10.0.0.1 -> 203.0.113.1:80 permitted
setlocal
set "BLOCKED=192.0.2.1 192.0.2.5"
set POLICY=Blocked addresses
netsh ipsec static add policy name="%POLICY%" assign=yes
netsh ipsec static add filteraction name=Stop action=block
for %%I in (%BLOCKED%) do (
    netsh ipsec static add filter filterlist=List srcaddr=me dstaddr=%%I description="Block %%I"
)
for %%R in (198.51.100.0-198.51.100.99, 198.51.100.200) do netsh ipsec static add filter filterlist=List srcaddr=me dstaddr=%%R
netsh ipsec static add rule name=Blocked policy="%POLICY%" filterlist=List filteraction=Stop
if "%1"=="all" (
    netsh ipsec static add filter filterlist=List srcaddr=me dstaddr=any
) else (
    netsh ipsec static show all
)
for /f %%i in (more.txt) do netsh ipsec static add filter filterlist=List srcaddr=me dstaddr=%%i
netsh ipsec static add filter filterlist=List srcaddr=me dstaddr=%EXTRA%
