# SPDX-License-Identifier: Apache-2.0
"""One IKE SA alone: two sessions that hand each other their messages, octet for octet."""

from dataclasses import dataclass, field

import pytest

from ringfence.audit import MessageIgnored
from ringfence.databases.proposal import Protocol
from ringfence.ike.effects import InstallInbound, Report, SendMessage
from ringfence.ike.errors import Reason
from ringfence.ike.happening import (
    Agreed,
    Confirmed,
    Connected,
    Established,
    MainFailed,
    PeerDeleted,
    PeerDeletedIke,
    Prepared,
    QuickFailed,
    Suspicion,
)
from ringfence.ike.header import HEADER_OCTETS, Exchange, Header
from ringfence.ike.lifetime import IkeEvent, IkeState
from ringfence.ike.settings import IkeSettings
from ringfence.ike.v1.channel import seal
from ringfence.ike.v1.notifies import Notify
from ringfence.ike.v1.payloads import NotifyPayload
from ringfence.ike.v1.session import Session
from ringfence.ike.wishes import Wish
from ringfence.ike.world import World
from ringfence.testing.hosts import HostPolicy
from ringfence.testing.network import path_between
from ringfence.testing.random import SeededRandom

POLICY = HostPolicy("192.0.2.1", "192.0.2.2")
QUIET = (Report, SendMessage)


@dataclass
class End:
    """One side: a session and what came out of it."""

    session: Session
    world: World
    outputs: list = field(default_factory=list)

    @classmethod
    def of(cls, policy, cookies, *, initiator):
        world = World(SeededRandom(policy.local), IkeSettings())
        world.spd, world.pad = policy.compiled()
        path = path_between(policy.local, policy.remote)
        return cls(Session(1, path, cookies, tuple(world.pad), world, initiator=initiator), world)

    def take(self, outputs):
        """Keep them; the messages among them."""
        self.outputs += outputs
        return [output.datagram for output in outputs if isinstance(output, SendMessage)]

    def receive(self, datagram):
        return self.take(self.session.receive(header_of(datagram), datagram, self.session.path))

    def happened(self):
        return [type(output) for output in self.outputs if not isinstance(output, QUIET)]

    def ignored(self):
        return [o.event.reason for o in self.outputs if isinstance(o, Report) and isinstance(o.event, MessageIgnored)]


def header_of(datagram):
    return Header.decode(datagram[:HEADER_OCTETS])


def ends(policy=POLICY, other=None):
    a = End.of(policy, (b"initiate", bytes(8)), initiator=True)
    b = End.of(other or policy.mirrored(), (b"initiate", b"response"), initiator=False)
    return a, b


def exchange(a, b, datagrams):
    """Hand messages to and fro until nobody says anything more."""
    while datagrams:
        datagrams = [answer for datagram in datagrams for answer in b.receive(datagram)]
        a, b = b, a


def begin(a, b, *, first_contact=False):
    (first,) = a.take(a.session.begin(first_contact=lambda: first_contact))
    answers = b.take(b.session.answer(header_of(first), first, first_contact=lambda: first_contact))
    return first, answers


def established():
    a, b = ends()
    _, answers = begin(a, b)
    exchange(b, a, answers)
    assert a.session.state is b.session.state is IkeState.ESTABLISHED
    a.outputs.clear()
    b.outputs.clear()
    return a, b


def quick(a, nonce=b"n" * 32):
    wish = Wish(next(iter(a.world.spd)), POLICY.selector, a.session.path, nonce=nonce)
    return wish, a.take(a.session.begin_quick(wish))


def test_main_mode():
    a, b = ends()
    _, answers = begin(a, b, first_contact=True)
    assert a.session.busy
    exchange(b, a, answers)
    assert Established in a.happened()
    assert Established in b.happened()
    assert [o.first_contact for o in a.outputs if isinstance(o, Established)] == [True]
    assert a.session.cookies == b.session.cookies == (b"initiate", b"response")
    assert not a.session.busy
    assert a.session.next_timer is None
    assert a.session.confirmed
    assert not b.session.confirmed
    assert a.session.peer_is_ours
    assert a.session.serves(a.session.entry)
    assert not a.session.serves(None)


def test_a_lone_first_message_is_repeated_and_then_given_up():
    a, b = ends()
    first, _ = begin(a, b)
    times = []
    while (timer := a.session.next_timer) is not None:
        times.append(timer)
        a.world.env.now = timer
        sent = a.take(a.session.tick())
        assert sent in ([first], [])
    assert times == [1, 3, 7, 15, 31]
    (failed,) = [output for output in a.outputs if isinstance(output, MainFailed)]
    assert failed.reason is Reason.PEER_SILENT


def test_a_half_open_answer_ends_by_itself():
    a, b = ends()
    begin(a, b)
    assert b.session.next_timer == 30.0
    b.world.env.now = 30.0
    b.take(b.session.tick())
    assert MainFailed in b.happened()


def test_duplicates_are_answered_from_memory():
    a, b = ends()
    first, answers = begin(a, b)
    assert b.receive(first) == answers
    (third,) = a.receive(answers[0])
    fourth = b.receive(third)
    assert b.receive(third) == fourth
    assert a.receive(answers[0]) == [third]


def test_forged_messages_change_nothing():
    a, b = ends()
    _, answers = begin(a, b)
    for forged in (
        answers[0].replace(b"\x80\x0e\x01\x00", b"\x80\x0e\x00\x80"),
        seal((b"initiate", b"response"), Exchange.MAIN, 0, (), None, b"")[0],
        seal((b"initiate", b"response"), Exchange.MAIN, 5, (), None, b"")[0],
        seal((b"initiate", b"response"), Exchange.AGGRESSIVE, 0, (), None, b"")[0],
        seal((b"initiate", b"response"), Exchange.QUICK, 7, (), None, b"")[0],
    ):
        assert [d for d in a.receive(forged) if header_of(d).exchange is Exchange.MAIN] == []
    assert len(a.ignored()) == 5
    exchange(b, a, answers)
    assert a.session.state is b.session.state is IkeState.ESTABLISHED


def test_doubt_ends_a_main_mode_soon_unless_something_better_comes():
    a, b = ends()
    _, answers = begin(a, b)
    notify = NotifyPayload(1, 1, b"", Notify.NO_PROPOSAL_CHOSEN)
    hint, _ = seal((b"initiate", bytes(8)), Exchange.INFORMATIONAL, 9, (notify,), None, b"")
    assert a.receive(hint) == []
    assert a.session.next_timer == 2.0
    a.receive(answers[0])
    assert a.session.next_timer == 1.0
    a.receive(hint)
    a.world.env.now = 2.0
    a.take(a.session.tick())
    (failed,) = [output for output in a.outputs if isinstance(output, MainFailed)]
    assert (failed.reason, failed.detail) == (Reason.PEER_REFUSED, "the peer refuses: NO-PROPOSAL-CHOSEN")


def test_quick_mode():
    a, b = established()
    wish, sent = quick(a)
    exchange(a, b, sent)
    assert a.happened() == [Prepared, InstallInbound, Agreed]
    assert b.happened() == [Confirmed, Prepared, InstallInbound, Agreed]
    (agreed,) = [output for output in a.outputs if isinstance(output, Agreed)]
    assert agreed.wish is wish
    assert a.session.quick_modes == 1
    assert b.session.quick_modes == 0
    assert not a.session.busy


def test_a_quick_mode_played_again_is_ignored():
    a, b = established()
    _, sent = quick(a)
    b.receive(sent[0])
    again = header_of(sent[0])
    assert b.session.busy
    assert len(b.receive(sent[0])) == 1
    b.take(b.session.end_exchanges(Reason.EXPIRED, "over"))
    other = bytearray(sent[0])
    other[-1] ^= 1
    assert b.receive(bytes(other)) == []
    assert b.ignored() == ["used-message-id"]
    assert again.message_id


def test_a_quick_mode_message_with_a_bent_bit_is_no_message():
    a, b = established()
    _, sent = quick(a)
    for at in range(HEADER_OCTETS, len(sent[0]), 7):
        bent = bytearray(sent[0])
        bent[at] ^= 0x10
        assert b.receive(bytes(bent)) == []
    assert not b.session.busy
    exchange(a, b, sent)
    assert Agreed in a.happened()


def test_a_lost_third_message_is_asked_for():
    a, b = established()
    _, sent = quick(a)
    (second,) = b.receive(sent[0])
    (third,) = a.receive(second)
    b.world.env.now = b.session.next_timer
    assert b.take(b.session.tick()) == [second]
    assert a.receive(second) == [third]
    b.receive(third)
    assert Agreed in b.happened()
    assert b.session.next_timer is None


def test_the_commit_bit_and_a_fourth_message():
    """Windows answers so: the bit in message 2, and a notify in the end that may have no HASH."""
    a, b = established()
    _, sent = quick(a)
    (second,) = b.receive(sent[0])
    committed = bytearray(second)
    committed[19] |= 2
    (third,) = a.receive(bytes(committed))
    b.receive(third)
    assert Agreed in a.happened()
    assert Agreed in b.happened()
    header = header_of(third)
    connected = NotifyPayload(1, 3, bytes(4), Notify.CONNECTED)
    fourth, _ = seal(a.session.cookies, Exchange.QUICK, header.message_id, (connected,), a.session.agreed.keys,
                     third[-16:])  # fmt: skip
    assert Connected not in a.happened()
    assert a.receive(fourth) == []
    assert Connected in a.happened()
    assert not a.session.busy
    assert QuickFailed not in a.happened()


def test_a_refused_quick_mode_is_told_to_its_wish():
    a, b = established()
    b.world.spd = type(b.world.spd)(())
    wish, sent = quick(a)
    exchange(a, b, sent)
    (theirs,) = [output for output in b.outputs if isinstance(output, QuickFailed)]
    assert (theirs.reason, theirs.wish) == (Reason.WRONG_SELECTORS, None)
    (ours,) = [output for output in a.outputs if isinstance(output, QuickFailed)]
    assert ours.wish is wish
    assert ours.detail == "the peer refuses: INVALID-ID-INFORMATION"


def test_abandoned():
    a, b = established()
    wish, sent = quick(a)
    a.session.abandon_quick(wish)
    assert not a.session.busy
    exchange(a, b, sent)
    assert a.ignored()
    assert Agreed not in a.happened()


def test_deletes():
    a, b = established()
    exchange(a, b, a.take(a.session.delete([(Protocol.ESP, 0x1001)], itself=True)))
    assert b.happened() == [Confirmed, PeerDeleted, PeerDeletedIke]
    assert PeerDeleted(Protocol.ESP, (0x1001,)) in b.outputs
    assert PeerDeletedIke(b"initiateresponse") in b.outputs


def test_before_main_mode_is_over_nothing_can_be_deleted():
    a, _ = ends()
    a.take(a.session.begin(first_contact=lambda: False))
    assert a.session.delete((), itself=True) == []


@pytest.mark.parametrize("kind", [Notify.INVALID_COOKIE, Notify.INVALID_SPI])
def test_suspicion(kind):
    a, _ = established()
    hint, _ = seal(a.session.cookies, Exchange.INFORMATIONAL, 9, (NotifyPayload(1, 1, b"", kind),), None, b"")
    a.receive(hint)
    assert a.happened() == [Suspicion]


def test_information_played_again_is_ignored():
    a, b = established()
    (delete,) = a.take(a.session.delete([(Protocol.ESP, 1)]))
    b.receive(delete)
    b.receive(delete)
    assert b.happened() == [Confirmed, PeerDeleted]
    assert b.ignored() == ["used-message-id"]


def test_used_up():
    a, _ = established()
    assert a.session.usable
    a.session.happen(IkeEvent.USED_UP)
    assert not a.session.usable
    with pytest.raises(ValueError, match="AUTHENTICATED cannot happen"):
        a.session.happen(IkeEvent.AUTHENTICATED)
