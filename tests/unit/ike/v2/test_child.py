# SPDX-License-Identifier: Apache-2.0
"""Child SAs: both parts against each other, and against peers that answer something else."""

from dataclasses import replace

import pytest
from unit.ike.v2.test_keys import CBC, ENDS, SECRET

from ringfence.crypto.suites import DhGroup
from ringfence.databases.identity import Identity
from ringfence.databases.sa import Mode
from ringfence.ike.children import Children
from ringfence.ike.dispatch import header_of
from ringfence.ike.errors import Reason, Refused
from ringfence.ike.exchange import Env, Finished, Message, Say, Stepper
from ringfence.ike.v2 import child
from ringfence.ike.v2.channel import Frame, in_clear, open_clear
from ringfence.ike.v2.keys import derive
from ringfence.ike.v2.notifies import Answered, Notify
from ringfence.ike.v2.numbers import Kind
from ringfence.ike.v2.payloads import KePayload, NoncePayload, NotifyPayload, SaPayload
from ringfence.testing.hosts import HostPolicy
from ringfence.testing.network import path_between
from ringfence.testing.random import SeededRandom

POLICY = HostPolicy("192.0.2.1", "192.0.2.2")
KEYS = derive(CBC, SECRET, ENDS)
FRAME = Frame((b"initiato", b"responde"), Kind.CREATE_CHILD_SA, 2, initiator=True, response=False)


class Side:
    """One end."""

    def __init__(self, policy, name):
        self.policy = policy
        self.env = Env(SeededRandom(name))
        self.spd, _ = policy.compiled()
        path = path_between(policy.local, policy.remote)
        self.ground = child.Ground(1, KEYS, path, Identity.parse(policy.remote), Children())

    def initiate(self, **changes):
        wanted = child.Wanted(self.spd.entries[0], self.policy.selector, b"n" * 32)
        return Stepper(child.initiate(self.ground, replace(wanted, **changes), self.env))

    def respond(self, message):
        offered = child.Offered(self.spd.entries, lambda _chain: None)
        return Stepper(child.respond(message, self.ground, offered, self.env))


def message(payloads):
    datagram = in_clear(FRAME, payloads)
    header = header_of(datagram)
    return Message(header, open_clear(header, datagram), datagram)


def said(stepper, answer=None):
    """What an exchange says next; effects are passed over."""
    command = stepper.step(answer)
    while not isinstance(command, Say):
        if isinstance(command, Finished):
            return command.result
        command = stepper.step()
    return command.payloads


def negotiate(policy=POLICY, other=None, **changes):
    ours, theirs = Side(policy, "a"), Side(other or policy.mirrored(), "b")
    first = ours.initiate(**changes)
    second = theirs.respond(message(said(first)))
    answer = message(said(second))
    return said(first, answer), said(second)


@pytest.mark.parametrize("pfs", [None, DhGroup.CURVE25519])
@pytest.mark.parametrize("mode", Mode)
def test_both_have_the_same(mode, pfs):
    nets = {"local_net": "10.1.0.0/16", "remote_net": "10.2.0.0/16"} if mode is Mode.TUNNEL else {}
    ours, theirs = negotiate(POLICY.with_(mode=mode, pfs=pfs, **nets))
    for one, other in ((ours.child.outbound, theirs.child.inbound), (theirs.child.outbound, ours.child.inbound)):
        assert (one[0].spi, one[0].cipher_key, one[0].mode) == (other[0].spi, other[0].cipher_key, mode)
    assert ours.child.outbound[0].cipher_key != ours.child.inbound[0].cipher_key
    assert ours.lowest == theirs.lowest
    assert ours.child.selector == theirs.child.selector.reversed()


def test_transport_mode_is_only_for_who_asks():
    with pytest.raises(Refused) as raised:
        negotiate(POLICY.with_(mode=Mode.TUNNEL), POLICY.mirrored())
    assert raised.value.reason is Reason.WRONG_SELECTORS
    with pytest.raises(Refused, match="does not want transport mode"):
        negotiate(POLICY, POLICY.mirrored().with_(mode=Mode.TUNNEL))


def test_a_value_of_another_group_is_answered_with_ours():
    side, stepper = Side(POLICY.mirrored().with_(pfs=DhGroup.ECP_256), "b"), Side(POLICY, "a")
    offer = Side(POLICY.with_(pfs=DhGroup.ECP_256), "c").initiate()
    payloads = [each for each in said(offer) if not isinstance(each, KePayload)]
    with pytest.raises(Answered) as raised:
        said(side.respond(message([*payloads, KePayload(31, bytes(32))])))
    assert (raised.value.notify, raised.value.data) == (Notify.INVALID_KE_PAYLOAD, b"\0\x13")
    del stepper


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (Notify.TS_UNACCEPTABLE, Reason.WRONG_SELECTORS),
        (Notify.NO_PROPOSAL_CHOSEN, Reason.NO_PROPOSAL),
        (Notify.TEMPORARY_FAILURE, Reason.COLLISION),
        (Notify.CHILD_SA_NOT_FOUND, Reason.PEER_DELETED),
        (Notify.NO_ADDITIONAL_SAS, Reason.PEER_REFUSED),
    ],
)
def test_refusals(kind, reason):
    first = Side(POLICY, "a").initiate()
    said(first)
    with pytest.raises(Refused) as raised:
        said(first, message([NotifyPayload(kind)]))
    assert raised.value.reason is reason


def test_a_rekeying_names_what_it_replaces():
    from ringfence.databases.proposal import Protocol

    payloads = said(Side(POLICY, "a").initiate(old=(Protocol.ESP, 0x1234), replaces=9))
    assert payloads[0] == NotifyPayload(Notify.REKEY_SA, b"", 3, b"\0\0\x12\x34")
    assert any(isinstance(each, NoncePayload) for each in payloads)
    assert not any(isinstance(each, KePayload) for each in payloads)


def test_an_answer_with_a_wrong_value_is_refused():
    policy = POLICY.with_(pfs=DhGroup.CURVE25519)
    ours, theirs = Side(policy, "a"), Side(policy.mirrored(), "b")
    first = ours.initiate()
    answer = said(theirs.respond(message(said(first))))
    wrong = [KePayload(31, bytes(32)) if isinstance(each, KePayload) else each for each in answer]
    assert any(isinstance(each, SaPayload) for each in wrong)
    with pytest.raises(Refused) as raised:
        said(first, message(wrong))
    assert raised.value.reason is Reason.BAD_KEY_EXCHANGE


def test_what_somebody_else_has_a_tunnel_for():
    class Held(Children):
        def rival(self, _entry, _selector, _peer):
            return Identity.parse("a.example")

    ours, theirs = Side(POLICY, "a"), Side(POLICY.mirrored(), "b")
    theirs.ground = replace(theirs.ground, children=Held())
    with pytest.raises(Refused, match=r"what a\.example has a tunnel for"):
        said(theirs.respond(message(said(ours.initiate()))))
