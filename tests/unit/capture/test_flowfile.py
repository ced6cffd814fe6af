# SPDX-License-Identifier: Apache-2.0
import random
from io import BytesIO
from pathlib import Path

import pytest
from scapy.layers.inet import IP, UDP
from scapy.utils import wrpcap

from ringfence.capture.flowfile import read_flows
from ringfence.capture.pcap import BadCapture
from ringfence.errors import IpsecError

TABLE = """\
# from the firewall
protocol, source, source_port, destination, destination_port, bytes, answered
tcp, 10.0.0.5, 40000, 10.0.0.9, 1433, 77, yes

6, 10.0.0.5, , 10.0.0.9, 23, , no
UDP,fd00::5,,fd00::35,53,,
gre,10.0.0.5,,10.0.0.9,,,
"""


def seen(octets: bytes | str) -> list[str]:
    found = read_flows(BytesIO(octets.encode() if isinstance(octets, str) else octets), name="f")
    return [f"{one.asks}|{one.asks.destination_port}{'' if one.answered else ' ?'}" for one in found]


def test_a_table() -> None:
    assert seen(TABLE) == [
        "tcp 10.0.0.5:40000 -> 10.0.0.9:1433|1433",
        "tcp 10.0.0.5 -> 10.0.0.9|23 ?",
        "udp fd00::5 -> fd00::35|53",
        "gre 10.0.0.5 -> 10.0.0.9|None",
    ]
    icmp = "protocol,source,destination,icmp_type,icmp_code\nicmp,10.0.0.5,10.0.0.9,3,4\nicmp,10.0.0.5,10.0.0.9,,\n"
    assert seen(icmp) == ["icmp 10.0.0.5 -> 10.0.0.9|772", "icmp 10.0.0.5 -> 10.0.0.9|None"]
    assert seen("protocol,source,destination\n" + "gre,10.0.0.5,10.0.0.9\n" * 3) == ["gre 10.0.0.5 -> 10.0.0.9|None"]


def test_names_of_columns_may_be_written_as_people_do() -> None:
    head = "Protocol,Source,Source Port,Destination,destination-port"
    assert seen(f"{head}\ntcp,10.0.0.5,40000,10.0.0.9,80\n") == ["tcp 10.0.0.5:40000 -> 10.0.0.9:80|80"]
    with pytest.raises(BadCapture, match="destination_port is missing"):
        seen(f"{head.replace('destination-port', 'port')}\ntcp,10.0.0.5,40000,10.0.0.9,80\n")


def test_captures_and_listings_are_known_by_what_is_in_them(tmp_path: Path) -> None:
    wrpcap(str(tmp_path / "c"), [IP(src="10.0.0.5", dst="10.0.0.9") / UDP(sport=1, dport=2)])
    assert seen((tmp_path / "c").read_bytes()) == ["udp 10.0.0.5:1 -> 10.0.0.9:2|2 ?"]
    line = "udp 17 2 src=10.0.0.5 dst=10.0.0.9 sport=1 dport=2 src=10.0.0.9 dst=10.0.0.5 sport=2 dport=1"
    assert seen(line) == ["udp 10.0.0.5:1 -> 10.0.0.9:2|2"]
    assert seen("") == seen("\n# nothing\n") == []
    with pytest.raises(BadCapture) as caught:
        seen(b"\x0a\x0d\x0d\x0a" + bytes(60))
    assert "editcap" in caught.value.cure


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("tcp,10.0.0.5,1,10.0.0.x,2,", "10.0.0.x"),
        ("tcp,10.0.0.5,1,fd00::1,2,", "two families"),
        ("tcp,10.0.0.5,65536,10.0.0.9,2,", "not a port"),
        ("tpc,10.0.0.5,1,10.0.0.9,2,", "not a protocol"),
        ("tcp,10.0.0.5,1,10.0.0.9,2,perhaps", "yes or no"),
        ("tcp,10.0.0.5", "destination is missing"),
    ],
)
def test_a_wrong_row(row: str, why: str) -> None:
    with pytest.raises(BadCapture, match=why) as caught:
        seen(f"protocol,source,source_port,destination,destination_port,answered\n\n{row}\n")
    assert caught.value.place == "f:3"


@pytest.mark.parametrize("octets", [b"hello", b"\xff\xfe", b"source,destination\n1,2\n"])
def test_anything_else(octets: bytes) -> None:
    with pytest.raises(BadCapture) as caught:
        seen(octets)
    assert "conntrack -L" in caught.value.cure


def test_rubbish_raises_nothing_else() -> None:
    source = random.Random(9)
    for _ in range(300):
        octets = bytearray(TABLE.encode())
        for _ in range(source.randrange(1, 5)):
            octets[source.randrange(len(octets))] = source.randrange(256)
        try:
            seen(bytes(octets))
        except IpsecError:
            continue
