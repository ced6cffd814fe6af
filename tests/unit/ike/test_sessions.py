# SPDX-License-Identifier: Apache-2.0
"""IKE SAs by cookies and by peer; which counts, and how one ends."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from ringfence.audit import MainModeEnded
from ringfence.databases.identity import Identity
from ringfence.ike.effects import Report
from ringfence.ike.errors import Ignored
from ringfence.ike.header import NO_COOKIE, Exchange, Flags, Header
from ringfence.ike.lifetime import IkeEvent, IkeState
from ringfence.ike.sessions import Due, Sessions
from ringfence.ike.settings import IkeSettings
from ringfence.ike.timers import Timers
from ringfence.ike.v1.main_mode import Agreed
from ringfence.ike.world import World
from ringfence.testing.hosts import FAST_MAIN, HostPolicy
from ringfence.testing.mainmode import main_keys
from ringfence.testing.network import path_between
from ringfence.testing.random import SeededRandom

POLICY = HostPolicy("192.0.2.1", "192.0.2.2")
(ENTRY,) = POLICY.compiled()[1]
PATH = path_between(POLICY.local, POLICY.remote)
OTHER = path_between(POLICY.local, "192.0.2.3")


class Book:
    """Sessions, and what came out of them."""

    def __init__(self):
        self.world = World(SeededRandom(0), IkeSettings())
        self.world.spd, self.world.pad = POLICY.compiled()
        self.timers = Timers()
        self.outputs = []
        self.sessions = Sessions(self.world, self.timers, lambda _session, outputs: self.outputs.extend(outputs))

    def new(self, cookie=None, path=PATH):
        return self.sessions.new(path, cookie, (ENTRY,))

    def make(self, session, *, confirmed=True):
        """As if its main mode were over."""
        remote = Identity.of_address(session.path.remote.address)
        session.agreed = Agreed(main_keys(), FAST_MAIN, ENTRY, remote, remote, frozenset(), False)
        session.made_at = self.world.env.now
        session.confirmed = confirmed
        session.happen(IkeEvent.AUTHENTICATED)
        self.sessions.established(session)
        return session

    def at(self, now):
        self.world.env.now = now
        return self


def header(initiator, responder, exchange=Exchange.MAIN):
    return Header(initiator, responder, 1, 0x10, exchange, Flags(0), 0)


def test_found_by_cookies():
    book = Book()
    ours, theirs = book.new(), book.new(b"initiate")
    assert ours.cookies[1] == NO_COOKIE
    assert theirs.cookies[0] == b"initiate"
    find = book.sessions.find
    assert find(header(ours.cookies[0], b"whatever"), PATH) is ours
    assert find(header(ours.cookies[0], NO_COOKIE), PATH) is ours
    assert find(header(*theirs.cookies), PATH) is theirs
    assert find(header(b"initiate", NO_COOKIE), PATH) is theirs
    assert find(header(b"initiate", NO_COOKIE), OTHER) is None
    assert find(header(b"initiate", b"whatever"), PATH) is None
    assert book.sessions.by_cookies(b"".join(theirs.cookies)) is theirs
    assert book.sessions.get(ours.id) is ours
    assert book.sessions.get(None) is None


def test_half_open_is_counted_until_the_end_either_way():
    book = Book()
    first, second = book.new(b"initiat1"), book.new(b"initiat2")
    book.new()
    assert len(book.world.half_open) == 2
    book.make(first)
    assert len(book.world.half_open) == 1
    book.sessions.forget(second)
    book.sessions.forget(second)
    assert len(book.world.half_open) == 0
    for number in range(35):
        book.new(b"%8d" % number)
    with pytest.raises(Ignored):
        book.new(b"too many")
    assert len(book.sessions) == 37


def test_the_best_for_a_quick_mode():
    book = Book()
    old, late = book.make(book.new()), book.new()
    assert book.sessions.best(PATH, ENTRY) is old
    assert book.sessions.negotiating(PATH, ENTRY) is late
    assert book.sessions.best(OTHER, ENTRY) is None
    book.at(5).make(late, confirmed=False)
    assert book.sessions.negotiating(PATH, ENTRY) is None
    (stranger,) = POLICY.with_(key=b"other").compiled()[1]
    assert book.sessions.best(PATH, stranger) is None


def test_what_began_later_counts_and_takes_the_contracts():
    book = Book()
    old = book.make(book.new())
    new = book.at(5).make(book.at(5).new())
    assert old.state is IkeState.SPENT
    assert new.state is IkeState.ESTABLISHED
    assert book.timers.when((Due.RETIRE_IKE, old.id)) == 15
    assert book.timers.when((Due.RENEW_IKE, old.id)) is None
    assert book.timers.when((Due.RENEW_IKE, new.id)) is not None
    assert book.sessions.expires_at(new) == 5 + 28800


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_that_overlap_the_greater_cookie_counts_whoever_is_made_first(order):
    book = Book()
    both = [book.new(b"initiat1"), book.new(b"initiat2")]
    for at in order:
        book.at(at + 1).make(both[at])
    assert [session.state for session in both] == [IkeState.SPENT, IkeState.ESTABLISHED]


def test_what_the_peer_may_not_have_is_not_compared():
    book = Book()
    low, high = book.new(b"initiat1"), book.new(b"initiat2")
    book.make(low)
    book.make(high, confirmed=False)
    assert low.state is high.state is IkeState.ESTABLISHED
    assert book.sessions.best(PATH, ENTRY) is low
    high.confirmed = True
    book.sessions.rank(high)
    assert low.state is IkeState.SPENT


def test_the_end():
    book = Book()
    session = book.make(book.new())
    book.sessions.end(session, IkeEvent.EXPIRED, "its time has come", tell=True)
    assert session.state is IkeState.GONE
    assert len(book.sessions) == 0
    assert book.timers.next() is None
    events = [output.event for output in book.outputs if isinstance(output, Report)]
    assert any(isinstance(event, MainModeEnded) and event.why == "its time has come" for event in events)
    count = len(book.outputs)
    book.sessions.end(session, IkeEvent.EXPIRED, "again", tell=True)
    assert len(book.outputs) == count


def test_first_contact():
    book = Book()
    assert book.sessions.is_first_contact(PATH)
    session = book.new()
    assert book.sessions.is_first_contact(PATH)
    book.make(session)
    assert not book.sessions.is_first_contact(PATH)
    assert book.sessions.is_first_contact(OTHER)


@pytest.mark.parametrize("name", [None, Identity.of_address(bytes(4))])
def test_a_contract_with_another_address_of_ours_counts_only_under_one_name(name):
    book = Book()
    book.world.pad = replace(POLICY, local_identity=name).compiled()[1]
    book.world.children.with_peer = lambda remote: (SimpleNamespace(path=PATH),) * (remote == PATH.remote.address)
    assert not book.sessions.is_first_contact(PATH)
    assert book.sessions.is_first_contact(path_between("192.0.2.9", POLICY.remote)) is (name is None)


def test_one_that_is_busy_is_not_retired_yet():
    book = Book()
    session = book.make(book.new())
    session._talk.quick[1] = object()
    book.sessions.retire(session)
    assert session.state is IkeState.ESTABLISHED
    assert book.timers.when((Due.RETIRE_IKE, session.id)) == 10
    session._talk.quick.clear()
    book.sessions.retire(session)
    assert session.state is IkeState.GONE
