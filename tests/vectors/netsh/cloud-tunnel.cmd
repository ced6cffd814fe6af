@echo off
rem SPDX-License-Identifier: Apache-2.0
rem In the form of cloud providers' guides for a Windows Server as a customer gateway: two tunnels, one for each gateway.
rem host: 172.31.0.10
rem packet: out tcp 172.31.5.1 -> 10.0.5.5:443 protected by "vgw-1 Tunnel 1"
rem packet: out tcp 172.31.5.1 -> 192.0.2.5:443 permitted
netsh advfirewall consec add rule Name="vgw-1 Tunnel 1" ^
Enable=Yes Profile=any Type=Static Mode=Tunnel ^
LocalTunnelEndpoint=172.31.0.10 RemoteTunnelEndpoint=203.0.113.236 Endpoint1=172.31.0.0/16 ^
Endpoint2=10.0.0.0/16 Protocol=Any Action=RequireInRequireOut ^
Auth1=ComputerPSK Auth1PSK=notForRealUseJustAnExample1 ^
QMSecMethods=ESP:SHA1-AES128+60min+100000kb ^
ExemptIPsecProtectedConnections=No ApplyAuthz=No QMPFS=dhgroup2
netsh advfirewall consec add rule Name="vgw-1 Tunnel 2" Enable=No Mode=Tunnel LocalTunnelEndpoint=172.31.0.10 RemoteTunnelEndpoint=203.0.113.237 Endpoint1=172.31.0.0/16 Endpoint2=10.0.0.0/16 Action=RequireInClearOut Auth1=ComputerPSK Auth1PSK=notForRealUseJustAnExample2 QMSecMethods=ESP:SHA1-AES128+60min+100000kb,ESP:SHA1-3DES
