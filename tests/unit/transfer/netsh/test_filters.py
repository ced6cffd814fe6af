# SPDX-License-Identifier: Apache-2.0
"""Filters as netsh writes them."""

import pytest

from ringfence.policy.ipfilter import format_filter
from ringfence.transfer.netsh.arguments import Arguments, Refused
from ringfence.transfer.netsh.filters import read_filter
from ringfence.transfer.netsh.static import TAGS
from ringfence.transfer.netsh.words import cut


def words(line: str) -> str:
    return format_filter(read_filter(Arguments(cut(line), TAGS["add filter"])))


@pytest.mark.parametrize(
    ("line", "filter_words"),
    [
        ("l me any", "me <-> any"),
        ("l ANY Me protocol=TCP dstport=80 mirrored=no", "any tcp -> me:80"),
        ("l me dns protocol=udp dstport=53", "me udp <-> dns-servers:53"),
        ("l me wins", "me <-> wins-servers"),
        ("l dhcp me", "dhcp-servers <-> me"),
        ("l me gateway", "me <-> default-gateway"),
        ("l me 10.0.0.9", "me <-> 10.0.0.9"),
        ("l me 10.0.0.9 dstmask=255.255.255.0", "me <-> 10.0.0.0/24"),
        ("l 10.0.0.0 10.1.0.0 srcmask=16 dstmask=16", "10.0.0.0/16 <-> 10.1.0.0/16"),
        ("l 10.0.0.0/8 me", "10.0.0.0/8 <-> me"),
        ("l 10.0.0.1-10.0.0.9 me", "10.0.0.1-10.0.0.9 <-> me"),
        ("l 2001:db8::1 me", "2001:db8::1 <-> me"),
        ("l 2001:db8:: me srcmask=32", "2001:db8::/32 <-> me"),
        ("l 2001:db8::1 me srcmask=255.255.255.255", "2001:db8::1 <-> me"),
        ("l me ::  dstmask=0", "me <-> any"),
        ("l me files.corp.example", "me <-> files.corp.example"),
        ("l me file-server", "me <-> file-server."),
        ("l 0.0.0.0 0.0.0.0 srcmask=255.255.255.255 dstmask=0.0.0.0", "me <-> any"),
        ("l 0.0.0.0 me srcmask=128.0.0.0", "0.0.0.0/1 <-> me"),
        ("l me any protocol=icmp", "me icmp <-> any"),
        ("l me any protocol=RAW", "me protocol 255 <-> any"),
        ("l me any protocol=47 srcport=0 dstport=0", "me gre <-> any"),
        ("l me any protocol=0", "me <-> any"),
        ("l me any protocol=tcp srcport=1000-2000 dstport=5", "me:1000-2000 tcp <-> any:5"),
    ],
)
def test_filters(line: str, filter_words: str) -> None:
    assert words(line) == filter_words


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("l me", "needs dstaddr"),
        ("l me me", "never filtered"),
        ("l dns any", "only together with ME"),
        ("l 10.0.0.1 2001:db8::1", "IPv4 and the other of IPv6"),
        ("l me 10.0.0.300", "neither an address nor a name"),
        ("l me 10.0.0.0 dstmask=33", "no mask"),
        ("l me 10.0.0.0 dstmask=0.0.0.255", "no mask"),
        ("l me 10.0.0.0 dstmask=x", "no mask"),
        ("l me 10.0.0.9-10.0.0.1", "no range"),
        ("l me any protocol=frob", "no protocol"),
        ("l me any protocol=256", "no protocol"),
        ("l me any dstport=80", "needs protocol"),
        ("l me any protocol=tcp dstport=x", "has to be a port"),
        ("l me any protocol=tcp dstport=70000", "ports lie between"),
        ("l me any mirrored=x", "one of yes, no"),
    ],
)
def test_refused(line: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        words(line)
