# SPDX-License-Identifier: Apache-2.0
"""Both begin: main modes that cross, a quick mode that overtakes the end of a main mode, quick modes that cross.

None of them may end what the other has made, and a peer that is no Ringfence has its contract as well.
"""

from dataclasses import replace

import pytest

from protocol.pairs import Pair, assert_one_pair, pair
from ringfence.audit import MainModeFailed, QuickModeEstablished, QuickModeFailed
from ringfence.databases.spd import Spd
from ringfence.ike.header import HEADER_OCTETS, Exchange, Header
from ringfence.ike.settings import IkeSettings
from ringfence.ike.v1.notifies import Notify
from ringfence.ike.v1.payloads import IPSEC_DOI, NotifyPayload, ProtocolId
from ringfence.testing.network import MemoryHost

MOMENT_S = IkeSettings().moment_s


def header_of(datagram: bytes) -> Header:
    return Header.decode(datagram[:HEADER_OCTETS])


def quick_modes(host: MemoryHost) -> set[int]:
    """The message ids of the quick modes in which a host has said something."""
    headers = [header_of(datagram) for datagram in host.sent]
    return {header.message_id for header in headers if header.exchange is Exchange.QUICK}


def initiators(host: MemoryHost) -> list[bool]:
    """Of a host's quick modes, whether it has begun them."""
    return [event.initiator for event in host.of(QuickModeEstablished)]


def unheard(both: Pair, host: MemoryHost, exchange: Exchange) -> None:
    """What ``host`` says in that exchange gets lost from now on."""
    both.network.passes = lambda datagram, path: (
        path.local.address != host.address or header_of(datagram).exchange is not exchange
    )


def heard(both: Pair) -> None:
    both.network.passes = lambda _datagram, _path: True


def as_strangers(both: Pair) -> None:
    """Neither knows that the other is a Ringfence."""
    for host in (both.a, both.b):
        for session in host.engine._sessions:
            assert session.agreed is not None
            session.agreed = replace(session.agreed, vendors=frozenset())


def refuse(both: Pair, host: MemoryHost, kind: Notify) -> None:
    """``host`` says under its only IKE SA that something failed, without an SPI."""
    (session,) = host.engine._sessions
    session._voice.inform(NotifyPayload(IPSEC_DOI, ProtocolId.ISAKMP, b"", kind))
    host.engine._take(session, session._voice.drain())
    both.network.do(host, host.engine.tick(both.network.now))


# Main modes -------------------------------------------------------------------------------------------------------


def test_a_late_first_message_does_not_end_the_main_mode_that_the_peer_made():
    both = pair()
    lost = []
    both.network.passes = lambda datagram, path: path.local.address != both.a.address or bool(lost)
    both.wish(both.a)
    both.run(0.4)
    lost.append(True)
    both.wish(both.b)
    both.run(0.4)
    assert len(both.b.engine.child_sas()) == 1, "by the main mode of b"
    both.run(5)
    assert_one_pair(both)
    known = [{sa.initiator_cookie for sa in host.engine.ike_sas()} for host in (both.a, both.b)]
    assert known[0] == known[1], "neither believes in an IKE SA that the other has given up"


@pytest.mark.parametrize(("said", "after_s"), [(0, 0.005), (1, 0.015), (3, 0.035)])
def test_a_main_mode_in_which_we_have_not_proved_ourselves_is_given_up_for_the_peers(said, after_s):
    """``b`` has heard that much of it, and its next answer is lost."""
    both = pair()
    if not said:
        unheard(both, both.a, Exchange.MAIN)
    both.wish(both.a)
    both.run(after_s)
    (ours,) = both.a.engine.ike_sas()
    assert len(both.a.sent) == max(1, (said + 1) // 2)
    both.network._wire.clear()
    both.network.passes = lambda datagram, path: (
        path.local.address != both.b.address or header_of(datagram).initiator_cookie != ours.initiator_cookie
    )
    both.wish(both.b)
    both.run(0.4)
    (sa,) = both.a.engine.ike_sas()
    assert not sa.initiator
    heard(both)
    both.run(60)
    assert_one_pair(both)
    for host in (both.a, both.b):
        assert len(host.engine.ike_sas()) == 1
        assert not host.of(MainModeFailed), "what was let drop is no failure"
        assert not host.failures


def test_a_main_mode_in_which_we_have_proved_ourselves_goes_on():
    both = pair()
    both.wish(both.a)
    both.run(0.045)  # message 5 is on its way
    both.wish(both.b)
    both.run(0.5)
    assert_one_pair(both)
    assert any(sa.initiator for sa in both.a.engine.ike_sas())


# The first quick mode ---------------------------------------------------------------------------------------------


def test_who_answered_a_main_mode_leaves_the_first_quick_mode_to_who_began():
    both = pair()
    unheard(both, both.a, Exchange.MAIN)
    both.wish(both.a)
    both.run(0.4)
    heard(both)
    both.wish(both.b)
    both.run(5)
    assert_one_pair(both)
    assert initiators(both.a) == [False]
    assert initiators(both.b) == [True]
    assert len(quick_modes(both.a)) == 1


def test_but_not_for_long():
    both = pair()
    unheard(both, both.a, Exchange.MAIN)
    both.wish(both.a)
    both.run(0.1)
    unheard(both, both.b, Exchange.QUICK)  # as if it wanted none
    both.wish(both.b)
    both.run(0.06 + MOMENT_S - 0.02)
    assert not quick_modes(both.a)
    both.run(0.05)
    assert len(quick_modes(both.a)) == 1
    heard(both)
    both.run(5)
    assert_one_pair(both)


def test_a_later_packet_waits_no_longer_than_the_first():
    both = pair()
    unheard(both, both.b, Exchange.QUICK)
    both.wish(both.b)
    both.run(0.3)
    both.wish(both.a)
    assert not quick_modes(both.a)
    both.run(MOMENT_S)
    assert len(quick_modes(both.a)) == 1


def test_once_the_peer_has_begun_its_quick_mode_for_something_else_ours_begins():
    both = pair()
    both.wish(both.b)
    both.run(0.055)
    (session,) = both.a.engine._sessions
    assert session.made_at is not None
    assert not session.peer_began_quick
    other = both.policy_a.flow()._replace(protocol=6, source_port=1, destination_port=2)
    (tcp,), pad = both.policy_a.with_(protocol=6).compiled()
    spd = Spd((replace(tcp, name="tcp"), *both.a.engine._world.spd))
    both.network.do(both.a, both.a.engine.apply(spd, pad, both.network.now))
    both.network.acquire(both.a, "tcp", other)
    assert not quick_modes(both.a)
    both.run(0.02)
    assert len(quick_modes(both.a)) == 2, "its answer, and its own"


# A quick mode that was not read -----------------------------------------------------------------------------------


def unread(both: Pair) -> int:
    """``a`` begins a quick mode that ``b`` cannot read; its message id, with which nothing arrives any more."""
    both.wish(both.b)
    both.run(2)
    unheard(both, both.a, Exchange.QUICK)
    both.network.do(both.a, both.a.engine.rekey_child(1, both.network.now, ""))
    (spoilt,) = {header_of(both.a.sent[-1]).message_id}
    both.network.passes = lambda datagram, _path: header_of(datagram).message_id != spoilt
    refuse(both, both.b, Notify.PAYLOAD_MALFORMED)
    return spoilt


def test_what_the_peer_could_not_read_is_begun_anew_after_a_moment():
    both = pair()
    spoilt = unread(both)
    before = quick_modes(both.a)
    assert spoilt in before
    both.run(MOMENT_S)
    assert quick_modes(both.a) == before
    both.run(0.1)
    assert len(quick_modes(both.a)) == len(before) + 1
    both.run(3)
    a, _ = assert_one_pair(both)
    assert a.replaces == 1
    assert [event.reason for event in both.a.of(QuickModeFailed)] == ["unread-by-peer"]


def test_but_once():
    both = pair()
    unread(both)
    unheard(both, both.a, Exchange.QUICK)
    both.run(MOMENT_S + 0.05)
    refuse(both, both.b, Notify.INVALID_HASH_INFORMATION)
    before = quick_modes(both.a)
    both.run(2)
    assert quick_modes(both.a) == before
    assert [event.reason for event in both.a.of(QuickModeFailed)] == ["unread-by-peer"] * 2


def test_nothing_waits_under_an_ike_sa_that_is_gone():
    both = pair()
    unread(both)
    both.run(0.1)
    (session,) = both.b.engine._sessions
    both.network.do(both.b, both.b.engine.delete_ike(session.id, both.network.now, "by hand"))
    both.run(3)
    assert_one_pair(both)
    assert not list(both.a.engine._world.wishes)


# Quick modes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_who_is_no_ringfence_is_answered_at_once_although_ours_is_under_way(seed):
    both = pair(seed=seed)
    both.wish(both.a)
    both.run(2)
    as_strangers(both)
    both.network.do(both.a, both.a.engine.rekey_child(1, both.network.now, ""))
    both.network.do(both.b, both.b.engine.rekey_child(1, both.network.now, ""))
    both.run(0.045)
    for host in (both.a, both.b):
        assert sorted(initiators(host)[1:]) == [False, True], "both go on, and both come to their end"
    for sender, receiver in ((both.a, both.b), (both.b, both.a)):
        assert sender.using().outbound[0].spi in {child.inbound[0].spi for child in receiver.inbound.values()}
