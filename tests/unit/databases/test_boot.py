# SPDX-License-Identifier: Apache-2.0
"""What passes before the service is up."""

import pytest

from ringfence.databases.boot import AfterStop, Because, BootMode, BootSpd, Fate, Opening, required, takes_answers
from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action, Direction, Origin, Processing, SpdEntry
from ringfence.net.address import ANY_PORT, AddressRange, PortRange
from ringfence.net.flow import TCP, FlowKey
from ringfence.policy.explain import parse_flow

V4 = AddressRange.everything(4)
LAB = Selector.between("0.0.0.0/0", "10.9.0.0/16")


def entry(action: Action, *, clear_in: bool = False, clear_out: bool = False, selector: Selector = LAB) -> SpdEntry:
    processing = Processing((), clear_in=clear_in, clear_out=clear_out) if action is Action.PROTECT else None
    return SpdEntry("lab", selector, action, Origin("lab"), processing=processing)


def opening(port: int, *, inward: bool) -> Opening:
    return Opening(Selector(V4, V4, TCP, ANY_PORT, PortRange.one(port)), inward)


def fate(boot: BootSpd, words: str) -> tuple[Fate, Because]:
    told = boot.ask(*parse_flow(words))
    return told.fate, told.because


@pytest.mark.parametrize("mode", BootMode)
@pytest.mark.parametrize("words", ["out tcp 10.0.0.1 -> 10.9.0.1:80", "in tcp 10.9.0.1 -> 10.0.0.1:22"])
def test_what_is_required_is_shut_in_every_mode_whatever_is_exempt(mode: BootMode, words: str) -> None:
    openings = (opening(22, inward=True), opening(80, inward=False))
    boot = BootSpd(mode, entries=(entry(Action.PROTECT),), openings=openings)
    assert fate(boot, words) == (Fate.DROPPED, Because.ENTRY)


@pytest.mark.parametrize(
    ("mode", "out", "inward"),
    [
        (BootMode.PERMIT, Fate.PASSES, Fate.PASSES),
        (BootMode.STATEFUL, Fate.PASSES, Fate.ANSWERS),
        (BootMode.BLOCK, Fate.DROPPED, Fate.DROPPED),
    ],
)
def test_the_mode_is_about_the_rest(mode: BootMode, out: Fate, inward: Fate) -> None:
    boot = BootSpd(mode, entries=(entry(Action.PROTECT),))
    assert fate(boot, "out tcp 10.0.0.1 -> 10.8.0.1:80") == (out, Because.MODE)
    assert fate(boot, "in tcp 10.8.0.1 -> 10.0.0.1:80") == (inward, Because.MODE)


def test_exempt_traffic_and_its_answers_pass() -> None:
    boot = BootSpd(BootMode.BLOCK, openings=(opening(22, inward=True), opening(80, inward=False)))
    assert fate(boot, "in tcp 10.8.0.1:9 -> 10.0.0.1:22") == (Fate.PASSES, Because.EXEMPT)
    assert fate(boot, "out tcp 10.0.0.1:22 -> 10.8.0.1:9") == (Fate.ANSWERS, Because.EXEMPT)
    assert fate(boot, "out tcp 10.0.0.1:9 -> 10.8.0.1:22") == (Fate.DROPPED, Because.MODE)
    assert fate(boot, "out tcp 10.0.0.1:9 -> 10.8.0.1:80") == (Fate.PASSES, Because.EXEMPT)
    assert fate(boot, "in tcp 10.8.0.1:80 -> 10.0.0.1:9") == (Fate.ANSWERS, Because.EXEMPT)


def test_what_gives_an_address_always_passes_and_ike_waits() -> None:
    boot = BootSpd(BootMode.BLOCK, entries=(entry(Action.PROTECT, selector=Selector(V4, V4)),))
    for words in ("out udp 10.0.0.1:68 -> 10.8.0.1:67", "in icmpv6 neighbour-advertisement fe80::2 -> fe80::1"):
        assert fate(boot, words) == (Fate.PASSES, Because.ALWAYS)
    for port in (500, 4500):
        assert fate(boot, f"in udp 10.8.0.1:9 -> 10.0.0.1:{port}") == (Fate.DROPPED, Because.WAITS)
        assert fate(boot, f"out udp 10.0.0.1:{port} -> 10.8.0.1:{port}") == (Fate.DROPPED, Because.ENTRY)
    assert boot.ask(FlowKey(bytes(4), bytes(4), 50, None, None), Direction.IN).because is Because.WAITS
    blocked = Selector(V4, V4, 17, PortRange.one(68), PortRange.one(67))
    named = BootSpd(first=(entry(Action.DISCARD, selector=blocked),))
    assert fate(named, "out udp 10.0.0.1:68 -> 10.8.0.1:67") == (Fate.DROPPED, Because.ENTRY)


def test_what_leaves_in_clear_is_answered() -> None:
    asked = entry(Action.PROTECT, clear_out=True)
    assert takes_answers(asked)
    assert required(asked) is Direction.IN
    for mode, answer in ((BootMode.STATEFUL, Fate.ANSWERS), (BootMode.PERMIT, Fate.DROPPED)):
        boot = BootSpd(mode, entries=(asked,))
        assert fate(boot, "out tcp 10.0.0.1 -> 10.9.0.1:80")[0] is Fate.PASSES
        assert fate(boot, "in tcp 10.9.0.1 -> 10.0.0.1:80")[0] is answer


def test_the_first_entry_decides() -> None:
    boot = BootSpd(
        entries=(entry(Action.BYPASS, selector=Selector.between("0.0.0.0/0", "10.9.0.1")), entry(Action.DISCARD))
    )
    assert fate(boot, "out tcp 10.0.0.1 -> 10.9.0.1:80")[0] is Fate.PASSES
    assert fate(boot, "out tcp 10.0.0.1 -> 10.9.0.2:80")[0] is Fate.DROPPED


def test_guarding_is_what_is_shut_alone() -> None:
    boot = BootSpd(BootMode.BLOCK, AfterStop.GUARD, (), (entry(Action.DISCARD),), (), (opening(22, inward=True),))
    assert boot.required == (entry(Action.DISCARD),)
    assert boot.guarding() == BootSpd(BootMode.PERMIT, AfterStop.GUARD, (), (entry(Action.DISCARD),))
