# SPDX-License-Identifier: Apache-2.0
"""What the table says, as text; that nftables takes it is for the tests with namespaces."""

import re
from dataclasses import replace

from ringfence.backends.filter import (
    Count,
    Surroundings,
    removal,
    ruleset,
)
from ringfence.backends.matches import match
from ringfence.databases.demand import Demand, Grant
from ringfence.databases.sa import Mode
from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action, Direction, Home, Origin, Processing, Spd, SpdEntry
from ringfence.net.address import AddressRange, PortRange, parse_address

ALL4, ALL6 = AddressRange.everything(4), AddressRange.everything(16)
HOSTS = Selector.between("10.0.0.1", "10.0.0.2-10.0.0.9")


def entry(name: str, action: Action, *, selector: Selector = HOSTS, **more: bool) -> SpdEntry:
    directions = Direction.IN if more.pop("only_in", False) else Direction.BOTH
    processing = Processing((), Mode.TRANSPORT, **more) if action is Action.PROTECT else None
    return SpdEntry(name, selector, action, Origin(name), directions, processing)


def chain(text: str, name: str) -> list[str]:
    found = re.search(rf"chain {name} {{\n(.*?)\n\t}}", text, re.DOTALL)
    assert found is not None
    return [line.strip() for line in found[1].splitlines()]


def test_one_transaction() -> None:
    text = ruleset(Spd())
    assert text.startswith("table inet ringfence\ndelete table inet ringfence\ntable inet ringfence {")
    assert removal() == "table inet ringfence\ndelete table inet ringfence\n"


def test_entries_keep_their_order_and_are_reversed_inward() -> None:
    spd = Spd((entry("a", Action.BYPASS), entry("b", Action.DISCARD)))
    text = ruleset(spd)
    out, into, through = (chain(text, name) for name in ("output", "input", "forward"))
    outward = "meta nfproto ipv4 ip saddr 10.0.0.1 ip daddr 10.0.0.2-10.0.0.9"
    inward = "meta nfproto ipv4 ip saddr 10.0.0.2-10.0.0.9 ip daddr 10.0.0.1"
    assert out[-2:] == [f'{outward} accept comment "a"', f'{outward} counter name blocked drop comment "b"']
    assert into[-2:] == [f'{inward} accept comment "a"', f'{inward} counter name blocked drop comment "b"']
    assert [line.split(" comment ")[1] for line in through[1:]] == ['"a"', '"a"', '"b"', '"b"']


def test_guards_come_last_and_close_even_our_device() -> None:
    guard = entry("tomorrow", Action.DISCARD, selector=Selector(ALL4, HOSTS.destination))
    text = ruleset(Spd((entry("a", Action.BYPASS),), (guard,)))
    out, into, through = (chain(text, name) for name in ("output", "input", "forward"))
    assert out[-1] == 'meta nfproto ipv4 ip daddr 10.0.0.2-10.0.0.9 goto needed-out comment "tomorrow"'
    assert into[-1] == 'meta nfproto ipv4 ip saddr 10.0.0.2-10.0.0.9 goto needed-in comment "tomorrow"'
    assert "tomorrow" not in str(through), "what is forwarded is not this host's own"
    inward = replace(guard, directions=Direction.IN)
    assert "tomorrow" not in str(chain(ruleset(Spd((), (inward,))), "output"))


def verdicts(one: SpdEntry, name: str) -> list[str]:
    rules = [line for line in chain(ruleset(Spd((one,))), name) if line.endswith(f'comment "{one.name}"')]
    selector = one.selector if name == "output" else one.selector.reversed()
    return [rule.removeprefix(f"{match(selector)} ").partition(" comment ")[0] for rule in rules]


def test_required_both_ways() -> None:
    must = entry("must", Action.PROTECT)
    assert verdicts(must, "output") == ['oifname "rf0" accept', "goto needed-out"]
    assert verdicts(must, "input") == ['iifname "rf0" accept', "goto needed-in"]
    text = ruleset(Spd((must,)))
    assert chain(text, "needed-out")[-1] == "counter name no-sa drop"
    assert chain(text, "needed-in")[-1] == "counter name clear-but-security-required drop"


def test_what_passes_a_block_is_blocked_in_clear() -> None:
    past = replace(entry("past", Action.PROTECT), demand=Demand((Grant("f"),), overrides=Origin("shut")))
    assert verdicts(past, "output") == ['oifname "rf0" accept', "counter name blocked drop"]
    assert verdicts(past, "input") == ['iifname "rf0" accept', "counter name blocked drop"]
    assert verdicts(replace(past, demand=Demand((Grant("f"),))), "input")[-1] == "goto needed-in"


def test_requested_both_ways() -> None:
    may = entry("may", Action.PROTECT, clear_in=True, clear_out=True)
    assert verdicts(may, "output") == verdicts(may, "input") == ["accept"]


def test_required_inward_requested_outward() -> None:
    mixed = entry("mixed", Action.PROTECT, clear_out=True)
    *noted, last = verdicts(mixed, "output")
    assert len(noted) == 3
    assert all("update @clear-" in one for one in noted)
    assert last == "accept"
    through_us, *answers, needed = verdicts(mixed, "input")
    assert (through_us, needed) == ('iifname "rf0" accept', "goto needed-in")
    assert len(answers) == 3
    out = chain(ruleset(Spd((mixed,))), "output")
    assert out.index("meta mark 0x5246 accept") == 5, "what we send ourselves is noted first"


def test_what_was_noted_outlives_a_change_of_rules() -> None:
    assert "\ndelete table inet ringfence\n" in ruleset(Spd())
    again = ruleset(Spd(), Surroundings(fresh=False))
    assert "\nflush table inet ringfence\n" in again
    assert "set clear-flows-4 {" in again


def test_one_way_entries_are_in_one_chain() -> None:
    text = ruleset(Spd((entry("in", Action.DISCARD, only_in=True),)))
    assert text.count('comment "in"') == 2, "input and forward"
    assert not any('comment "in"' in line for line in chain(text, "output"))


def test_an_entry_that_nothing_matches_has_no_rule() -> None:
    assert 'comment "odd"' not in ruleset(
        Spd((entry("odd", Action.DISCARD, selector=Selector(ALL4, ALL4, 47, PortRange.one(1))),))
    )


def test_counters_go_on_and_notes_stay() -> None:
    text = ruleset(Spd(), Surroundings(counts={"blocked": Count(3, 99)}, settings=("eth0=1",)))
    assert "counter blocked { packets 3 bytes 99 }" in text
    assert chain(text, "settings") == ['counter comment "eth0=1"']


def test_many_are_never_required() -> None:
    text = ruleset(Spd(), Surroundings(broadcasts=(parse_address("10.0.0.255"),) * 2))
    assert "ip daddr { 224.0.0.0/4, 255.255.255.255, 10.0.0.255 } accept" in chain(text, "needed-in")


def test_names_cannot_break_out() -> None:
    text = ruleset(Spd((entry('x"; flush ruleset; "\n\\' + "y" * 200, Action.BYPASS),)))
    assert 'comment "x_; flush ruleset; ___' in text
    assert max(len(found) for found in re.findall(r'comment "([^"\n]*)"', text)) <= 120


def test_what_ipsec_needs_is_open_unless_an_entry_names_just_that() -> None:
    anything = entry("anything", Action.DISCARD, selector=Selector(ALL4, ALL4))
    ike = entry("ike", Action.DISCARD, selector=Selector(ALL4, ALL4, 17, destination_ports=PortRange.one(500)))
    lines = chain(ruleset(Spd((anything, ike))), "input")
    at = {name: next(number for number, line in enumerate(lines) if text in line) for name, text in (
        ("ike", 'comment "ike"'), ("own", "udp dport { 500, 4500 } accept"), ("anything", 'comment "anything"'),
    )}  # fmt: skip
    assert at["ike"] < at["own"] < at["anything"]
    lines = chain(ruleset(Spd((anything, ike))), "forward")
    assert [line.rpartition(" ")[2] for line in lines[1:]] == ['"anything"', '"anything"', '"ike"', '"ike"']


def test_addresses_keep_to_their_interfaces() -> None:
    found = ruleset(Spd(homes=(Home((parse_address("10.0.0.1"), parse_address("fd00::1")), ("eth0", "tun0")),)))
    inward, outward = found.partition("chain output")[0], found.partition("chain output")[2]
    here = '{ "lo", "rf0", "eth0", "tun0" }'
    assert f"iifname != {here} ip daddr {{ 10.0.0.1 }} counter name blocked drop" in inward
    assert f"iifname != {here} ip6 daddr {{ fd00::1 }} counter name blocked drop" in inward
    sealed = outward.index("meta l4proto != { esp, ah, udp } counter name blocked drop")
    assert sealed < outward.index("meta mark"), "what we send in clear for others is meant, too"
    assert f"oifname != {here} ip saddr {{ 10.0.0.1 }} udp sport != {{ 500, 4500 }} counter name" in outward


def test_guards_leave_known_addresses_alone() -> None:
    some = Selector.between("10.0.0.1", "0.0.0.0/0")
    every = Selector.between("0.0.0.0/0", "0.0.0.0/0")
    guards = (
        SpdEntry("known", some, Action.BYPASS, Origin("r")), SpdEntry("guard", every, Action.DISCARD, Origin("r")),
    )  # fmt: skip
    lines = [line.strip() for line in ruleset(Spd(guards=guards)).splitlines()]
    assert 'meta nfproto ipv4 ip saddr 10.0.0.1 accept comment "known"' in lines
    assert lines.index('meta nfproto ipv4 ip daddr 10.0.0.1 accept comment "known"') < lines.index(
        'meta nfproto ipv4 goto needed-in comment "guard"'
    )
