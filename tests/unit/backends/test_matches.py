# SPDX-License-Identifier: Apache-2.0
"""What rules say of packets, as text; that nftables takes it is for the tests with namespaces."""

import pytest

from ringfence.backends.matches import comment, match
from ringfence.databases.selector import Selector
from ringfence.net.address import AddressRange, PortRange

ALL4, ALL6 = AddressRange.everything(4), AddressRange.everything(16)


@pytest.mark.parametrize(
    ("selector", "text"),
    [
        (Selector(ALL4, ALL4), "meta nfproto ipv4"),
        (Selector(ALL6, AddressRange.parse("fd00::1")), "meta nfproto ipv6 ip6 daddr fd00::1"),
        (Selector(ALL4, ALL4, 47), "meta nfproto ipv4 meta l4proto 47"),
        (
            Selector(ALL4, ALL4, 6, PortRange(1024, 65535), PortRange.one(80)),
            "meta nfproto ipv4 meta l4proto 6 th sport 1024-65535 th dport 80",
        ),
        (
            Selector(ALL4, ALL4, None, destination_ports=PortRange.one(53)),
            "meta nfproto ipv4 meta l4proto { 6, 17, 132, 33, 136 } th dport 53",
        ),
        (
            Selector(ALL4, ALL4, 1, PortRange.one(2048), PortRange(0, 4096)),
            "meta nfproto ipv4 meta l4proto 1 @th,0,16 2048",
        ),
        (Selector(ALL4, ALL4, 1), "meta nfproto ipv4 meta l4proto 1"),
        (Selector(ALL6, ALL6, 58, PortRange.one(1), PortRange.one(2)), None),
        (Selector(ALL4, ALL4, 47, PortRange.one(1)), None),
    ],
)
def test_match(selector: Selector, text: str | None) -> None:
    assert match(selector) == text


def test_a_comment_is_what_nftables_may_hold() -> None:
    assert comment('a "b"\n') == "a _b__"
    assert len(comment("x" * 200)) == 120
