# SPDX-License-Identifier: Apache-2.0
"""Which gateways a host has been sent to, and which it may be sent to."""

from dataclasses import replace

import pytest

from ringfence.databases.pad import Pad
from ringfence.ike.errors import Aborted, Reason
from ringfence.ike.redirects import LOOP_S, MOST_REDIRECTS, Redirects, toward
from ringfence.net.address import AddressRange, Endpoint, Path, parse_address
from ringfence.testing.hosts import PEER, HostPolicy
from ringfence.testing.network import path_between

HERE, ONE, TWO, THREE = (parse_address(f"192.0.2.{number}") for number in range(1, 5))
(PLAIN,) = HostPolicy("192.0.2.1", "192.0.2.2").compiled()[1]
ENTRY = replace(PLAIN, others=(AddressRange.parse("192.0.2.2-192.0.2.3"),))
PATH = path_between("192.0.2.1", "192.0.2.2")


def test_a_negotiation_with_another_gateway_begins_at_the_usual_port() -> None:
    floated = Path(Endpoint(HERE, 4500), Endpoint(ONE, 4500))
    assert toward(floated, TWO) == path_between("192.0.2.1", "192.0.2.3")


def test_who_was_sent_on_goes_on_and_says_by_whom() -> None:
    known = Redirects()
    assert known.onward(PEER, PATH) == PATH
    assert known.sent_by(PEER, PATH) is None
    known.note(PEER, PATH, TWO, 1)
    second = known.onward(PEER, PATH)
    assert second.remote.address == TWO
    assert known.sent_by(PEER, second) == ONE
    known.note(PEER, second, THREE, 2)
    assert known.onward(PEER, PATH).remote.address == THREE
    assert known.sent_by(PEER, known.onward(PEER, PATH)) == TWO
    assert known.onward("another entry", PATH) == PATH
    assert known.onward(PEER, path_between("192.0.2.9", "192.0.2.2")).remote.address == ONE


def test_a_gateway_that_cannot_be_had_leads_back() -> None:
    known = Redirects()
    known.failed(PEER, PATH)
    known.note(PEER, PATH, TWO, 1)
    known.failed(PEER, known.onward(PEER, PATH))
    assert known.onward(PEER, PATH) == PATH


@pytest.mark.parametrize(
    ("entry", "to"),
    [(PLAIN, TWO), (ENTRY, THREE), (ENTRY, ONE), (replace(ENTRY, initiate=False), TWO), (ENTRY, bytes(16))],
)
def test_nobody_is_sent_elsewhere(entry, to) -> None:
    with pytest.raises(Aborted) as raised:
        Redirects().check(entry, PATH, to, 1)
    assert raised.value.reason is Reason.ELSEWHERE


def test_the_gateway_that_the_policy_names_is_always_one() -> None:
    known = Redirects()
    known.check(ENTRY, PATH, TWO, 1)
    known.note(PEER, PATH, TWO, 1)
    alone = replace(ENTRY, others=(AddressRange.parse("192.0.2.3"),))
    known.check(alone, known.onward(PEER, PATH), ONE, 1)


def test_five_times_in_five_minutes_are_the_most() -> None:
    known = Redirects()
    for number in range(MOST_REDIRECTS):
        path = known.onward(PEER, PATH)
        to = ONE if path.remote.address == TWO else TWO
        known.check(ENTRY, path, to, number)
        known.note(PEER, path, to, number)
    path = known.onward(PEER, PATH)
    to = ONE if path.remote.address == TWO else TWO
    with pytest.raises(Aborted, match="within 300 seconds"):
        known.check(ENTRY, path, to, MOST_REDIRECTS)
    known.check(ENTRY, path, to, LOOP_S)


def test_another_policy_may_end_it() -> None:
    for pad, stays in ((Pad((ENTRY,)), True), (Pad((PLAIN,)), False), (Pad(), False)):
        known = Redirects()
        known.note(PEER, PATH, TWO, 1)
        known.follow(pad)
        assert (known.onward(PEER, PATH) != PATH) is stays
