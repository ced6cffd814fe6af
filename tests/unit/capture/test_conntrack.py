# SPDX-License-Identifier: Apache-2.0
"""Listings in the forms of ``conntrack`` and of the kernel's own file."""

import pytest

from ringfence.capture.conntrack import read_conntrack
from ringfence.capture.pcap import BadCapture

LISTING = """\
conntrack v1.4.7 (conntrack-tools): 4 flow entries have been shown.
tcp      6 431999 ESTABLISHED src=10.0.0.5 dst=10.0.0.9 sport=40000 dport=22 src=10.0.0.9 dst=10.0.0.5 sport=22 \
dport=40000 [ASSURED] mark=0 use=1
udp      17 29 src=10.0.0.5 dst=10.0.0.53 sport=5353 dport=53 [UNREPLIED] \
src=10.0.0.53 dst=10.0.0.5 sport=53 dport=5353 use=1
icmp     1 29 src=10.0.0.5 dst=10.0.0.9 type=8 code=0 id=1234 \
src=10.0.0.9 dst=10.0.0.5 type=0 code=0 id=1234 mark=0 use=1
tcp      6 100 ESTABLISHED src=192.0.2.7 dst=192.0.2.1 sport=40001 dport=80 \
src=10.0.0.5 dst=192.0.2.7 sport=8080 dport=40001 use=1
unknown  50 599 src=10.0.0.5 dst=10.0.0.9 src=10.0.0.9 dst=10.0.0.5 mark=0 use=1

    [NEW] tcp      6 120 SYN_SENT src=10.0.0.5 dst=10.0.0.9 sport=4 dport=5 [UNREPLIED] \
src=10.0.0.9 dst=10.0.0.5 sport=5 dport=4
"""
KERNEL = """\
ipv4     2 tcp      6 431999 ESTABLISHED src=10.0.0.5 dst=10.0.0.9 sport=40000 dport=22 src=10.0.0.9 dst=10.0.0.5 \
sport=22 dport=40000 [ASSURED] mark=0 zone=0 use=2
ipv6     10 udp      17 23 src=fd00:0000:0000:0000:0000:0000:0000:0005 dst=fd00:0000:0000:0000:0000:0000:0000:0035 \
sport=5353 dport=53 src=fd00:0000:0000:0000:0000:0000:0000:0035 dst=fd00:0000:0000:0000:0000:0000:0000:0005 sport=53 \
dport=5353 mark=0 zone=0 use=2
"""


def seen(text: str) -> list[str]:
    found = read_conntrack(text.splitlines(), name="ct.txt")
    return [f"{one.asks}{'' if one.answered else ' ?'}" for one in found]


def test_the_programs_listing() -> None:
    assert seen(LISTING) == [
        "tcp 10.0.0.5:40000 -> 10.0.0.9:22",
        "udp 10.0.0.5:5353 -> 10.0.0.53:53 ?",
        "icmp 10.0.0.5 -> 10.0.0.9",
        "tcp 192.0.2.7:40001 -> 192.0.2.1:80",
        "esp 10.0.0.5 -> 10.0.0.9",
        "tcp 10.0.0.5:4 -> 10.0.0.9:5 ?",
    ]
    (echo,) = read_conntrack(LISTING.splitlines()[3:4], name="")
    assert echo.asks.source_port == 8 << 8


def test_the_kernels_file() -> None:
    assert seen(KERNEL) == ["tcp 10.0.0.5:40000 -> 10.0.0.9:22", "udp [fd00::5]:5353 -> [fd00::35]:53"]


@pytest.mark.parametrize(
    "line",
    [
        "tcp 6 src=10.0.0.5 dst=10.0.0.900 sport=1 dport=2",
        "tcp 6 src=10.0.0.5 dst=fd00::1 sport=1 dport=2",
        "tcp 6 src=10.0.0.5 dst=10.0.0.9 sport=1 dport=70000",
        "tcp src=10.0.0.5 dst=10.0.0.9",
        "tcp many src=10.0.0.5 dst=10.0.0.9",
        "icmp 1 2 src=10.0.0.5 dst=10.0.0.9 id=3",
        "hello",
    ],
)
def test_what_is_no_listing_is_refused_with_its_line(line: str) -> None:
    with pytest.raises(BadCapture) as caught:
        seen(f"{KERNEL}{line}\n")
    assert caught.value.place == "ct.txt:3"
