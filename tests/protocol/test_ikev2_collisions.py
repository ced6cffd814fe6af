# SPDX-License-Identifier: Apache-2.0
"""Exchanges of both sides that cross (RFC 7296 §2.8, §2.25): every pair of them, with any message lost.

Whatever each side begins in the same moment, and whichever one or two messages do not arrive, in the end there is one
contract that both sides mean, nothing besides, and at no time was there nothing to send by, or something sent by what
the other did not receive by.
"""

from itertools import combinations, product

import pytest
from unit.ike.v2.test_requests import Asked

from protocol.pairs import assert_nothing_left, assert_tidy, receives, talk
from protocol.test_ikev2_life import V2, established, renew, renew_ike
from protocol.test_ikev2_reauthentication import reauthenticate
from ringfence.audit import MainModeEnded
from ringfence.ike.dispatch import header_of
from ringfence.ike.v2 import child, rekey
from ringfence.ike.v2.channel import is_response
from ringfence.ike.v2.numbers import Kind
from ringfence.testing.network import PERFECT, Link


def drop_child(both, host):
    """An administrator ends the contract."""
    both.network.do(host, host.engine.delete_child(host.using().id, both.network.now, "no more"))


def drop_ike(both, host):
    """An administrator ends the IKE SA."""
    info = max(host.engine.ike_sas(), key=lambda one: one.id)
    both.network.do(host, host.engine.delete_ike(info.id, both.network.now, "no more"))


RENEWALS = {"child": renew, "ike": renew_ike, "anew": reauthenticate}
ENDS = {"delete child": drop_child, "delete ike": drop_ike}
KINDS = RENEWALS | ENDS
PAIRS = list(product(RENEWALS, RENEWALS))
ENDING = [*product(RENEWALS, ENDS), *product(ENDS, RENEWALS), *product(ENDS, ENDS)]
FIRST = 10
"""Messages of a collision that may be lost; what comes later only cleans up."""


def crossed(one, other, *, seed=0, lost=(), delay_s=0.01):
    """Two hosts that begin both at once, some time after they met; the messages of these numbers are lost."""
    both = established(seed=seed)
    both.run(60)
    both.network.link = Link(delay_s=(delay_s, delay_s))
    count = iter(range(1 << 20))
    both.network.passes = lambda _datagram, _path: next(count) not in lost
    for host, kind in ((both.a, one), (both.b, other)):
        KINDS[kind](both, host)
    return both


def never_without(both, seconds, step=0.25):
    """Let time pass, and see at each step that what one sends by, the other receives by."""
    for _ in range(int(seconds / step)):
        both.run(step)
        for sender, receiver in ((both.a, both.b), (both.b, both.a)):
            child = sender.using()
            assert child is not None, f"nothing to send by at {both.network.now:.2f} s"
            assert receives(receiver, child) is not None, f"a packet is lost at {both.network.now:.2f} s"


def assert_settled(both):
    """One contract, of the one IKE SA of both sides that has any."""
    both.run(120)
    assert_tidy(both)
    (a,), (b,) = ([each for each in host.engine.ike_sas() if each.children] for host in (both.a, both.b))
    assert (a.initiator_cookie, a.responder_cookie) == (b.initiator_cookie, b.responder_cookie)


def renewed(one, other, **weather):
    """Both sides renew, and no moment is without an SA."""
    both = crossed(one, other, **weather)
    never_without(both, 20)
    assert_settled(both)


def ended(one, other, **weather):
    """One side ends what the other renews: nothing is left, or, as packets want it, one contract."""
    both = crossed(one, other, **weather)
    both.run(70)
    both.network.link, both.network.passes = PERFECT, lambda _datagram, _path: True
    for _ in range(10):
        talk(both)
        both.run(4)
    assert_settled(both)


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_any_message_lost(one, other):
    for lost in [(), *((number,) for number in range(FIRST))]:
        renewed(one, other, lost=lost)


@pytest.mark.parametrize(("one", "other"), ENDING)
def test_any_message_lost_while_something_ends(one, other):
    for lost in [(), *((number,) for number in range(0, FIRST, 2))]:
        ended(one, other, lost=lost)


@pytest.mark.soak
@pytest.mark.parametrize(("one", "other"), [*PAIRS, *ENDING])
def test_any_two_messages_lost(one, other):
    for lost in combinations(range(FIRST), 2):
        (renewed if (one, other) in PAIRS else ended)(one, other, lost=lost)


@pytest.mark.parametrize("seed", range(50))
def test_fifty_times_at_two_percent(seed):
    one, other = PAIRS[seed % len(PAIRS)]
    both = crossed(one, other, seed=seed, delay_s=0.05)
    both.network.link = Link(delay_s=(0.01, 0.2), loss=0.02)
    never_without(both, 20)
    assert_settled(both)


def rekeys(asked):
    """The other side's answer to a rekeying of the one contract."""
    requests, old = asked.ours._requests, asked.both.a.using().inbound[0]
    entry = asked.ours._world.spd.entries[0]
    wanted = child.Wanted(entry, V2.selector, b"n" * 32, old=(old.protocol, old.spi))
    (result,) = asked(Kind.CREATE_CHILD_SA, child.initiate(requests._ground(), wanted, asked.ours._world.env))
    return getattr(result, "message", result)


def test_what_is_being_deleted_is_not_rekeyed_now():
    asked = Asked()
    asked.both.network.passes = lambda _datagram, path: path.local.address == asked.both.a.address
    drop_child(asked.both, asked.both.b)
    asked.both.network.passes = lambda _datagram, _path: True
    assert "TEMPORARY_FAILURE" in rekeys(asked)
    asked.both.run(3)
    assert asked.both.a.using() is None


def test_what_was_deleted_long_ago_is_not_there():
    asked = Asked()
    old = asked.both.a.using()
    drop_child(asked.both, asked.both.b)
    asked.both.run(1)
    asked.both.a.outbound[old.id] = old
    assert "CHILD_SA_NOT_FOUND" in rekeys(asked)


def test_the_ike_sa_is_not_rekeyed_while_a_contract_of_it_is_deleted():
    asked = Asked()
    asked.both.network.passes = lambda _datagram, path: path.local.address == asked.both.a.address
    drop_child(asked.both, asked.both.b)
    asked.both.network.passes = lambda _datagram, _path: True
    made = asked.ours._requests._made()
    (error,) = asked(Kind.CREATE_CHILD_SA, rekey.initiate(made.keys, made.entry, asked.ours._world.env))
    assert "TEMPORARY_FAILURE" in error.message


def test_who_ends_what_the_other_ends_says_so_once():
    both = established()
    both.network.passes = lambda datagram, _path: not is_response(header_of(datagram))
    drop_ike(both, both.a)
    drop_ike(both, both.b)
    both.run(0.5)
    assert_nothing_left(both.a)
    assert_nothing_left(both.b)
    for host in (both.a, both.b):
        assert [each.why for each in host.of(MainModeEnded)] == ["no more"]
