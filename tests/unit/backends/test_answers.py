# SPDX-License-Identifier: Apache-2.0
"""What the table says about clear answers, as text; that nftables takes it, and what comes of it, is for the tests
with namespaces."""

import pytest

from ringfence.backends.answers import accepts, forgetting, needed, notes, set_names, sets
from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action, Origin, Processing, SpdEntry
from ringfence.net.address import AddressRange
from ringfence.net.flow import ICMP, TCP


def entry(protocol: int | None = None, *, version: int = 4, clear_in: bool = False, clear_out: bool = True) -> SpdEntry:
    everything = AddressRange.everything(4 if version == 4 else 16)
    processing = Processing((), clear_in=clear_in, clear_out=clear_out)
    selector = Selector(everything, everything, protocol)
    return SpdEntry("one", selector, Action.PROTECT, Origin("one"), processing=processing)


def test_only_where_clear_is_for_one_direction() -> None:
    assert needed(entry())
    assert not needed(entry(clear_in=True))
    assert not needed(entry(clear_out=False))
    assert not needed(SpdEntry("two", entry().selector, Action.BYPASS, Origin("two")))


@pytest.mark.parametrize(
    ("protocol", "written"),
    [
        (None, ["clear-flows", "clear-protocols", "clear-peers"]),
        (TCP, ["clear-flows", "clear-peers"]),
        (ICMP, ["clear-protocols", "clear-peers"]),
    ],
)
def test_what_leaves_is_noted(protocol: int | None, written: list[str]) -> None:
    for version in (4, 6):
        found = list(notes(entry(protocol, version=version), "rf0"))
        assert [one.partition("@")[2].partition("-" + str(version))[0] for one in found] == written
        assert all(one.startswith('oifname != "rf0" ') for one in found), "what is sealed is no clear packet"
    assert "{ ip6 daddr . ip6 saddr . meta l4proto . th dport . th sport }" in next(notes(entry(version=6), "rf0"))


def test_what_answers_it_comes_in() -> None:
    flow, icmp, other = accepts(entry())
    assert "ip saddr . ip daddr . meta l4proto . th sport . th dport @clear-flows-4 accept" in flow
    assert "echo-reply" in icmp
    assert "echo-request" not in icmp
    assert other == "meta l4proto != { 6, 17, 132, 33, 136, 1 } " + (
        "ip saddr . ip daddr . meta l4proto @clear-protocols-4 accept"
    )
    assert "icmpv6 type" in list(accepts(entry(version=6)))[1]


def test_sets_are_declared() -> None:
    assert [one.split()[1] for one in sets()] == list(set_names())
    assert "type ipv6_addr . ipv6_addr . inet_proto;" in next(one for one in sets() if "protocols-6" in one)


def test_notes_of_protected_peers_are_forgotten() -> None:
    found = [
        ("clear-peers-4", ("10.0.0.2", "10.0.0.1")),
        ("clear-flows-4", ("10.0.0.2", "10.0.0.1", "tcp", 80, 1000)),
        ("clear-peers-4", ("10.0.0.3", "10.0.0.1")),
        ("clear-peers-6", ("fd00::2", "fd00::1")),
    ]
    assert forgetting(found, Selector.between("10.0.0.1", "10.0.0.2")) == (
        "delete element inet ringfence clear-peers-4 { 10.0.0.2 . 10.0.0.1 }\n"
        "delete element inet ringfence clear-flows-4 { 10.0.0.2 . 10.0.0.1 . tcp . 80 . 1000 }\n"
    )
    assert forgetting(found, Selector.between("10.0.0.1", "10.0.0.9")) == ""
