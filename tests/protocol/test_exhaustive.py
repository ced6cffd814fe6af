# SPDX-License-Identifier: Apache-2.0
"""States × messages, in either version of IKE: no way to an SA without the key, and no message that counts twice.

Behind every state of a whole life each message is tried that either host or the attacker has said until then, in this
life or in one before, at whoever it could reach; and from the beginning every order of messages up to a depth. The soak
goes deeper, and through renewals.
"""

from dataclasses import replace

import pytest

from protocol.exploring import RENEW, RENEW_IKE, TICK, Start, Wire, explore, life, played, with_a_past
from protocol.pairs import POLICY
from ringfence.audit import QuickModeEstablished

VERSIONS = [1, 2]
A_MOMENT = (TICK, "")
"""Until who answered sends by the new SAs."""
RENEWALS = (A_MOMENT, (RENEW, "b"), A_MOMENT, (RENEW, "a"), A_MOMENT, (RENEW_IKE, "a"), A_MOMENT)


def start(version: int, *wishes: str) -> Start:
    return Start(POLICY.with_(keying=(version,)), wishes or ("a",))


def prefixes(steps):
    return [steps[:end] for end in range(len(steps) + 1)]


@pytest.mark.parametrize("version", VERSIONS)
def test_an_undisturbed_life_comes_to_a_contract(version):
    """So what is explored is a life, and its states are not all the same."""
    one = start(version)
    steps = life(one, *RENEWALS)
    wire = played(one, steps)
    wire.check()
    assert wire.over()
    assert len(wire.hosts["a"].of(QuickModeEstablished)) == 3
    shapes = {played(one, each).shape() for each in prefixes(steps)}
    assert len(shapes) > 10


@pytest.mark.parametrize("version", VERSIONS)
def test_every_message_in_every_state_of_a_life(version):
    one = with_a_past(start(version))
    found = explore(one, prefixes(life(one, A_MOMENT)), depth=1, most=2000)
    assert found.whole
    assert found.states > 60
    assert found.over > 5


@pytest.mark.parametrize("version", VERSIONS)
def test_every_order_of_the_first_messages(version):
    found = explore(start(version), depth=3, most=2000)
    assert found.whole
    assert found.deepest == 3


@pytest.mark.parametrize("version", VERSIONS)
def test_an_attacker_who_knows_the_key_would_be_found(version):
    """The exploration itself can fail."""
    one = replace(start(version), guess=POLICY.key)
    with pytest.raises(AssertionError, match="attacker"):
        explore(one, [towards_the_attacker(one)], depth=1, most=200)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_message_that_counts_twice_would_be_found(version, monkeypatch):
    one = start(version)
    steps = life(one)
    monkeypatch.setattr("protocol.exploring.changes", lambda _effect: True)
    with pytest.raises(AssertionError, match="counts twice"):
        played(one, (*steps, steps[0]))


def towards_the_attacker(one: Start):
    """The first messages of a go to the attacker in the place of b, and his answers to a."""
    steps = []
    for _ in range(3 if one.policy.keying == (2,) else 8):
        wire = played(one, tuple(steps))
        steps += [
            (number, "y" if sent.sender == "a" else "a")
            for number, sent in enumerate(wire.sent)
            if sent.sender in ("a", "y") and not sent.got
        ][:1]
    return tuple(steps)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("wishes", [("a",), ("a", "b")])
@pytest.mark.parametrize("version", VERSIONS)
def test_two_messages_in_every_state_of_a_life_with_renewals(version, wishes):
    one = start(version, *wishes)
    explore(one, prefixes(life(one, *RENEWALS)), depth=2, most=8000)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("version", VERSIONS)
def test_every_order_and_the_past(version):
    found = explore(with_a_past(start(version), *RENEWALS), depth=5, most=8000)
    assert found.deepest >= 2


def test_the_wire_knows_who_could_get_what():
    wire = Wire(start(2))
    assert {receiver for _, receiver in wire.steps()} == {"a", "b", "y", ""}
