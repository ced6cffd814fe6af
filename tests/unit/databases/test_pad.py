# SPDX-License-Identifier: Apache-2.0
"""Which peers are served, by address and in order."""

from dataclasses import replace

from ringfence.databases.pad import Ends, Pad, PadEntry, PresharedKey
from ringfence.databases.spd import Origin
from ringfence.net.address import AddressRange, parse_address
from ringfence.secret import Secret


def entry(name: str, *ranges: str) -> PadEntry:
    key = PresharedKey(Secret(b"key"), "lab.psk")
    return PadEntry(name, tuple(Ends(AddressRange.parse(one)) for one in ranges), (key,), (), Origin(name))


def between(name: str, local: str, remote: str) -> PadEntry:
    return replace(entry(name), ends=(Ends(AddressRange.parse(remote), AddressRange.parse(local)),))


def names(pad: Pad, remote: str, local: str = "") -> list[str]:
    return [one.name for one in pad.for_address(parse_address(remote), parse_address(local) if local else None)]


def test_by_address_in_order() -> None:
    pad = Pad((entry("one", "10.0.0.2", "fd00::/8"), entry("net", "10.0.0.0/8")))
    assert names(pad, "10.0.0.2") == ["one", "net"]
    assert names(pad, "10.9.0.2", "203.0.113.1") == ["net"]
    assert names(pad, "fd00::9") == ["one"]
    assert names(pad, "192.0.2.1") == []
    assert pad.named("net") is pad.entries[1]
    assert pad.named("nobody") is None
    assert len(list(pad)) == 2
    assert repr(b"key") not in repr(pad)


def test_an_entry_comes_once_however_many_ranges_fit() -> None:
    pad = Pad((entry("b", "10.0.0.0/8", "10.0.0.0-10.0.0.9", "10.0.0.2"), entry("a", "10.0.0.2", "10.0.0.2")))
    assert names(pad, "10.0.0.2", "192.0.2.1") == ["b", "a"]
    assert pad == Pad(pad.entries)
    assert repr(pad) == f"Pad(entries={pad.entries!r}, own=())"


def test_an_entry_is_for_its_own_addresses_only() -> None:
    pad = Pad((between("first", "192.0.2.1", "10.0.0.0/8"), between("second", "192.0.2.2", "10.0.0.0/8")))
    assert names(pad, "10.0.0.9", "192.0.2.1") == ["first"]
    assert names(pad, "10.0.0.9", "192.0.2.2") == ["second"]
    assert names(pad, "10.0.0.9", "192.0.2.3") == []
    assert names(pad, "11.0.0.9", "192.0.2.1") == []
    assert names(pad, "10.0.0.9") == ["first", "second"], "with any of ours"


def test_ends_that_lie_in_others() -> None:
    net, host, ours = map(AddressRange.parse, ("10.0.0.0/8", "10.0.0.1", "192.0.2.1"))
    for one, other, inside in (
        (Ends(net, ours), Ends(host, ours), True),
        (Ends(host, ours), Ends(net, ours), False),
        (Ends(net), Ends(host, ours), True),
        (Ends(net, ours), Ends(host), False),
        (Ends(net, ours), Ends(host, net), False),
    ):
        assert one.cover(other) is inside
