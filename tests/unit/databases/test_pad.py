# SPDX-License-Identifier: Apache-2.0
"""Which peers are served, by address and in order."""

from ringfence.databases.pad import Pad, PadEntry, PresharedKey
from ringfence.databases.spd import Origin
from ringfence.net.address import AddressRange, parse_address
from ringfence.secret import Secret


def entry(name: str, *ranges: str) -> PadEntry:
    key = PresharedKey(Secret(b"key"), "lab.psk")
    return PadEntry(name, tuple(map(AddressRange.parse, ranges)), (key,), (), Origin(name))


def test_by_address_in_order() -> None:
    pad = Pad((entry("one", "10.0.0.2", "fd00::/8"), entry("net", "10.0.0.0/8")))
    assert [e.name for e in pad.for_address(parse_address("10.0.0.2"))] == ["one", "net"]
    assert [e.name for e in pad.for_address(parse_address("10.9.0.2"))] == ["net"]
    assert [e.name for e in pad.for_address(parse_address("fd00::9"))] == ["one"]
    assert not list(pad.for_address(parse_address("192.0.2.1")))
    assert pad.named("net") is pad.entries[1]
    assert pad.named("nobody") is None
    assert len(list(pad)) == 2
    assert repr(b"key") not in repr(pad)


def test_an_entry_comes_once_however_many_ranges_fit() -> None:
    pad = Pad((entry("b", "10.0.0.0/8", "10.0.0.0-10.0.0.9", "10.0.0.2"), entry("a", "10.0.0.2", "10.0.0.2")))
    assert [e.name for e in pad.for_address(parse_address("10.0.0.2"))] == ["b", "a"]
    assert pad == Pad(pad.entries)
    assert repr(pad) == f"Pad(entries={pad.entries!r})"
