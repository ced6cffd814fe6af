# SPDX-License-Identifier: Apache-2.0
"""When a connection is opened anew (the dialogue of both sides: ``protocol/test_ikev2_tcp``)."""

from types import SimpleNamespace

from ringfence.ike.errors import Reason
from ringfence.ike.happening import Moved
from ringfence.ike.settings import IkeSettings
from ringfence.ike.v2.numbers import Kind
from ringfence.ike.v2.redial import Redial
from ringfence.ike.world import World
from ringfence.net.address import parse_address
from ringfence.testing.random import SeededRandom


class Parts:
    """What it works with."""

    def __init__(self, *, dials=True, kind=None):
        self.world = World(SeededRandom(1), IkeSettings())
        path = self.world.connections.dialled(parse_address("192.0.2.1"), parse_address("192.0.2.2"), 4500)
        self.said, self.doubts = [], []
        self.voice = SimpleNamespace(path=path, dials=dials, emit=self.said.append)
        current = None if kind is None else SimpleNamespace(kind=kind)
        talk = SimpleNamespace(
            current=current, resend=lambda: self.said.append("again"), doubt=lambda _, error: self.doubts.append(error)
        )
        requests = SimpleNamespace(announce=lambda: self.said.append("new"))
        self.redial = Redial(self.voice, talk, requests, self.world)


def test_at_once_and_then_less_and_less_often():
    parts = Parts()
    waits = []
    for _ in range(6):
        parts.redial.lost()
        due = parts.redial.sooner(None)
        waits.append(due - parts.world.env.now)
        parts.world.env.now = due
        parts.redial.tick()
    assert waits == [0, 1, 2, 4, 8, 8]
    parts.redial.heard()
    parts.redial.lost()
    assert parts.redial.sooner(None) == parts.world.env.now


def test_by_another_port_what_was_asked_and_something_new():
    parts = Parts()
    before = parts.voice.path
    parts.redial.tick()
    assert parts.said == []
    parts.redial.lost()
    parts.redial.tick()
    assert parts.said == [Moved(), "again", "new"]
    assert parts.voice.path != before
    assert parts.voice.path.remote == before.remote


def test_who_did_not_open_it_waits():
    parts = Parts(dials=False)
    parts.redial.lost()
    assert parts.redial.sooner(None) is None
    assert parts.redial.sooner(3.0) == 3.0


def test_a_first_message_that_nobody_took():
    parts = Parts(kind=Kind.IKE_SA_INIT)
    parts.redial.lost()
    assert [error.reason for error in parts.doubts] == [Reason.PEER_SILENT]
    assert parts.redial.sooner(None) is None
