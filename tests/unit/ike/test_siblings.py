# SPDX-License-Identifier: Apache-2.0
"""Which entries may share a contract, and which selectors can be said together."""

from dataclasses import replace

from ringfence.databases.demand import Demand
from ringfence.databases.sa import Mode, Share
from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action, Origin, Processing, SpdEntry
from ringfence.ike.siblings import MOST, are_siblings, beside, siblings, together
from ringfence.testing.hosts import ESP_GCM, method

TUNNEL = Processing((method(ESP_GCM),), Mode.TUNNEL, bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2]))


def entry(source: str, destination: str, rule: str = "branch", processing: Processing = TUNNEL) -> SpdEntry:
    selector = Selector.between(source, destination)
    return SpdEntry(f"{rule}/{selector}", selector, Action.PROTECT, Origin(rule), processing=processing, peer="peer")


def share(source: str, destination: str) -> Share:
    return Share(f"{source}>{destination}", Selector.between(source, destination))


A1, A2, B1, B2 = "10.1.0.0/24", "10.1.1.0/24", "10.2.0.0/24", "10.2.1.0/24"


def test_those_of_one_rule_that_want_the_same_are_siblings() -> None:
    one, other = entry(A1, B1), entry(A1, B2)
    assert are_siblings(one, other)
    assert not are_siblings(one, one)
    assert not are_siblings(one, entry(A1, B2, "another"))
    assert not are_siblings(one, replace(other, peer="somebody"))
    assert not are_siblings(one, replace(other, demand=Demand(())))
    assert not are_siblings(one, replace(other, processing=replace(TUNNEL, replay_window=32)))
    transport = replace(TUNNEL, mode=Mode.TRANSPORT)
    assert not are_siblings(entry(A1, B1, processing=transport), entry(A1, B2, processing=transport))
    assert siblings((one, other, entry(A1, B2, "another")), one) == (Share(other.name, other.selector),)
    many = [entry(A1, f"10.3.{number}.0/24") for number in range(40)]
    assert len(siblings(many, many[0])) == MOST


def test_every_pair_has_to_be_known() -> None:
    first, known = share(A1, B1), [share(A1, B2), share(A2, B1), share(A2, B2)]
    assert set(together(first, known)) == {first, *known}
    assert together(first, known[:2]) == (first, known[0]), "A2 with B2 is nobody's"
    assert together(first, [share(A2, B2)]) == (first,)
    assert together(first, []) == (first,)


def test_families_do_not_mix() -> None:
    six = share("fd01::/64", "fd02::/64")
    assert together(share(A1, B1), [six]) == (share(A1, B1), six)


def test_a_part_of_what_is_said_already_is_not_said_again() -> None:
    whole = share("10.1.0.0/16", B1)
    assert together(whole, [share(A1, B1)]) == (whole,)


def test_there_are_not_too_many() -> None:
    found = together(share(A1, "10.3.0.0/24"), [share(A1, f"10.3.{number}.0/24") for number in range(1, 100)])
    assert len(found) == MOST


def test_what_a_peer_grants_besides_is_what_was_asked_for() -> None:
    first, asked = share(A1, B1), [share(A1, B1), share(A1, B2)]
    granted = [first.selector, Selector.between("10.1.0.0/25", B2), Selector.between(A2, B2)]
    assert beside(first, granted, asked) == (Share(asked[1].entry, granted[1]),)
