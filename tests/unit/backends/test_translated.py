# SPDX-License-Identifier: Apache-2.0
"""What the chains say; that they hold is for the tests with namespaces."""

from dataclasses import replace

from unit.backends.test_filter import ALL4, HOSTS, chain, entry

from ringfence.backends.filter import ruleset
from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action, Spd, SpdEntry

MUST = entry("must", Action.PROTECT)
OUT = "meta nfproto ipv4 ip saddr 10.0.0.1 ip daddr 10.0.0.2-10.0.0.9"
IN = "meta nfproto ipv4 ip saddr 10.0.0.2-10.0.0.9 ip daddr 10.0.0.1"


def text(*entries: SpdEntry, guards: tuple[SpdEntry, ...] = (), translated: bool = True) -> str:
    return ruleset(Spd(entries, guards, translated=translated))


def test_what_is_required_is_asked_on_either_side_of_the_translation() -> None:
    out, into = (chain(text(MUST), name) for name in ("translated-out", "translated-in"))
    assert out[0] == "type filter hook postrouting priority srcnat + 10; policy accept;"
    assert into[0] == "type filter hook prerouting priority dstnat - 10; policy accept;"
    assert out[-1] == f'{OUT} goto needed-translated comment "must"'
    assert into[-1] == f'{IN} goto needed-in comment "must"'
    assert chain(text(MUST), "needed-translated")[-1] == "counter name masqueraded drop"


def test_sealed_packets_and_those_of_no_address_of_ours_pass_first() -> None:
    out, into = (chain(text(MUST), name) for name in ("translated-out", "translated-in"))
    assert out[1:4] == ['oifname { "lo", "rf0" } accept', "meta mark 0x5246 accept", "fib saddr type != local accept"]
    assert into[1:3] == ['iifname { "lo", "rf0" } accept', "fib daddr type != local accept"]


def test_what_is_permitted_or_blocked_before_is_no_matter_here() -> None:
    block, permit = entry("block", Action.DISCARD), entry("permit", Action.BYPASS)
    for name in ("translated-out", "translated-in"):
        before = chain(text(block, permit, MUST), name)[-3:-1]
        assert [one.rpartition(" comment ")[0].split()[-1] for one in before] == ["accept", "accept"]
    for one in (block, permit, entry("may", Action.PROTECT, clear_in=True, clear_out=True)):
        assert "translated-out" not in text(one)
    assert "translated-out" not in text(MUST, translated=False)


def test_answers_to_what_left_in_clear_come_in() -> None:
    mixed = text(entry("mixed", Action.PROTECT, clear_out=True))
    out, into = chain(mixed, "translated-out"), chain(mixed, "translated-in")
    assert sum("update @clear-" in one for one in out) == 3
    assert out[-1] == f'{OUT} accept comment "mixed"'
    assert sum("@clear-" in one and "accept" in one for one in into) == 3
    assert into[-1].endswith('goto needed-in comment "mixed"')


def test_an_address_of_tomorrow_is_guarded() -> None:
    guard = entry("tomorrow", Action.DISCARD, selector=Selector(ALL4, HOSTS.destination))
    known = replace(guard, name="known", action=Action.BYPASS)
    lines = chain(text(guards=(known, guard)), "translated-out")
    assert lines[-2:] == [
        'meta nfproto ipv4 ip daddr 10.0.0.2-10.0.0.9 accept comment "known"',
        'meta nfproto ipv4 ip daddr 10.0.0.2-10.0.0.9 goto needed-translated comment "tomorrow"',
    ]
