# SPDX-License-Identifier: Apache-2.0
"""What is told of an IKE SA and its child SAs."""

from dataclasses import replace

from protocol.pairs import pair

from ringfence.audit import MainModeEstablished
from ringfence.ike.errors import Aborted, Reason
from ringfence.ike.exchange import Stepper
from ringfence.ike.v2.informational import tell
from ringfence.ike.v2.numbers import Kind
from ringfence.ike.v2.reports import child_failed, established, failed
from ringfence.ike.v2.running import Running
from ringfence.ike.window import Patience
from ringfence.testing.hosts import HostPolicy
from ringfence.testing.network import path_between

WHY = Aborted(Reason.WRONG_SELECTORS, "why")


def test_what_was_made():
    both = pair(HostPolicy("192.0.2.1", "192.0.2.2", keying=(2,)))
    both.wish(both.a)
    both.run(1)
    (session,) = both.a.engine._sessions
    event = established(7, session.path, session.made, "lab", initiator=True)
    assert (event.ike_id, event.peer, event.rule, event.keying) == (7, "192.0.2.2", "lab", "ikev2")
    assert (event.local_identity, event.remote_identity) == ("192.0.2.1", "192.0.2.2")
    (told,) = both.a.of(MainModeEstablished)
    assert told.proposal == event.proposal


def test_what_failed():
    running = Running(Kind.IKE_SA_INIT, Stepper(tell()), Patience())
    path = replace(path_between("192.0.2.1", "192.0.2.2"), tcp=True)
    main, child = failed(path, running, WHY, "lab"), child_failed(path, running, WHY)
    for event in (main, child):
        said = event.peer, event.reason, event.detail, event.keying
        assert said == ("192.0.2.2", "wrong-selectors", "why", "ikev2-tcp")
    assert (main.rule, child.rule) == ("lab", "")
