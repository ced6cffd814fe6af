# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import pytest

from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action, Origin, Processing, SpdEntry
from ringfence.net.address import ANY_PORT, AddressRange, PortRange
from ringfence.policy.weight import order, weight
from ringfence.testing.contracts import make_entry


def selector(source: str, destination: str, protocol: int | None = None, *ports: PortRange) -> Selector:
    return Selector(AddressRange.parse(source), AddressRange.parse(destination), protocol, *ports)


ONE, FEW = PortRange.one(80), PortRange(80, 95)


@pytest.mark.parametrize(
    ("found", "value"),
    [
        (selector("0.0.0.0/0", "0.0.0.0/0"), 0),
        (selector("10.0.0.1", "10.0.0.0/8"), 40_000),
        (selector("::1", "::/0"), 128_000),
        (selector("10.0.0.1", "0.0.0.0/0", 6), 32_500),
        (selector("10.0.0.1", "0.0.0.0/0", 6, ANY_PORT, ONE), 32_516),
        (selector("10.0.0.1", "0.0.0.0/0", 6, ONE, FEW), 32_832),
        (selector("10.0.0.1-10.0.0.3", "0.0.0.0/0"), 30_000),
    ],
)
def test_weights(found: Selector, value: int) -> None:
    assert weight(found) == value


def test_addresses_count_most_then_the_protocol() -> None:
    most = weight(selector("10.0.0.1", "0.0.0.0/0", 6, ONE, ONE))
    assert most < weight(selector("10.0.0.1", "0.0.0.0/1"))
    assert weight(selector("0.0.0.0/0", "0.0.0.0/0", 6)) > 2 * 16


def test_a_port_here_counts_more_than_one_there() -> None:
    here, there = (weight(selector("10.0.0.1", "0.0.0.0/0", 6, *ports)) for ports in ((FEW, ANY_PORT), (ANY_PORT, ONE)))
    assert here > there


def test_tunnels_come_first() -> None:
    assert weight(selector("::/0", "::/0"), tunnel=True) > weight(selector("::1", "::2", 6, ONE, ONE))


def test_the_order_of_entries() -> None:
    wide = selector("0.0.0.0/0", "0.0.0.0/0")
    strict, soft = (make_entry(wide, name=name, clear_in=soft) for name, soft in (("z", False), ("a", True)))
    last = replace(strict, name="r", processing=Processing((), respond_only=True), weight=9)
    found = [
        SpdEntry("block", wide, Action.DISCARD, Origin("b")), strict, soft,
        SpdEntry("permit", wide, Action.BYPASS, Origin("p")), last,
    ]  # fmt: skip
    specific = SpdEntry("narrow", wide, Action.BYPASS, Origin("n"), weight=5)
    assert sorted([last, *found[3::-1], specific], key=order) == [specific, *found]
