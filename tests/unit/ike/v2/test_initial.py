# SPDX-License-Identifier: Apache-2.0
"""IKE_SA_INIT and IKE_AUTH as generators: one role against answers that a test makes up."""

from dataclasses import replace

import pytest

from ringfence.databases.pad import ThroughNat
from ringfence.ike.children import Children
from ringfence.ike.dispatch import header_of
from ringfence.ike.effects import LogIkeV2Keys
from ringfence.ike.errors import Aborted, Reason
from ringfence.ike.exchange import Do, Env, Finished, Message, Protect, Say, Stepper, Traverse
from ringfence.ike.redirects import Redirects
from ringfence.ike.settings import IkeSettings
from ringfence.ike.v2 import initial
from ringfence.ike.v2.assigning import Assigning
from ringfence.ike.v2.channel import Frame, in_clear, open_clear
from ringfence.ike.v2.child import Offered, Wanted
from ringfence.ike.v2.notifies import Notify
from ringfence.ike.v2.numbers import Kind
from ringfence.ike.v2.payloads import AuthPayload, IdResponderPayload, KePayload, NotifyPayload, SaPayload
from ringfence.ike.v2.redirect import Elsewhere
from ringfence.ike.v2.resumption import Resumption
from ringfence.ike.v2.setting import Setting
from ringfence.ike.v2.tickets import Tickets
from ringfence.ike.world import World
from ringfence.testing.hosts import HostPolicy
from ringfence.testing.network import path_between
from ringfence.testing.random import SeededRandom

POLICY = HostPolicy("192.0.2.1", "192.0.2.2", keying=(2,))
SPIS = b"initiato", b"responde"


class Role:
    """One side, driven by hand; what it did is remembered."""

    def __init__(self, policy, spis, path=None, **entry):
        spd, pad = policy.compiled()
        self.env = Env(SeededRandom(policy.local))
        self.entries = tuple(replace(each, **entry) for each in pad)
        self.wanted = Wanted(spd.entries[0], policy.selector, b"")
        offered = Offered(spd.entries, lambda _chain: None)
        path = path or path_between(policy.local, policy.remote)
        self.setting = Setting(
            1,
            path,
            self.entries,
            spis,
            lambda: True,
            Children(),
            lambda _proved: offered,
            Assigning(1, path, World(SeededRandom("a"), IkeSettings())),
            Elsewhere(Redirects(), path, self.env),
            Resumption(Tickets(), 1, path, self.env),
        )
        self.check = None
        self.done = []
        self.stepper = None

    def say(self, answer=None):
        """Go on to what it says next, or to its result."""
        command = self.stepper.step(answer)
        while True:
            match command:
                case Finished(result):
                    return result
                case Say(payloads, _, check):
                    self.check = check
                    return payloads
                case Do() | Protect() | Traverse():
                    self.done.append(command)
            command = self.stepper.step()


def begin(**entry):
    role = Role(POLICY, (SPIS[0], bytes(8)), **entry)
    role.stepper = Stepper(initial.initiate(role.setting, role.wanted, role.env))
    return role, role.say()


def answer_to(said, **entry):
    role = Role(POLICY.mirrored(), SPIS, **entry)
    role.stepper = Stepper(initial.respond(message(said, response=False), role.setting, role.env))
    return role, role.say()


def message(payloads, *, response=True, kind=Kind.IKE_SA_INIT, spis=SPIS):
    spis = spis if response else (spis[0], bytes(8))
    datagram = in_clear(Frame(spis, kind, 0, initiator=not response, response=response), payloads)
    header = header_of(datagram)
    return Message(header, open_clear(header, datagram), datagram)


def both():
    """Up to IKE_AUTH's request: both roles, and what it says."""
    ours, said = begin()
    theirs, answer = answer_to(said)
    return ours, theirs, ours.say(message(answer))


def test_both_come_to_the_same():
    ours, theirs, said = both()
    answer = theirs.say(message(said, kind=Kind.IKE_AUTH))
    one, other = ours.say(message(answer, kind=Kind.IKE_AUTH)), theirs.say()
    assert one.keys.d == other.keys.d
    assert (str(one.local), str(one.remote)) == (str(other.remote), str(other.local)) == (POLICY.local, POLICY.remote)
    assert one.child.child.outbound[0].cipher_key == other.child.child.inbound[0].cipher_key
    assert other.first_contact
    assert one.proposal == other.proposal == POLICY.main[0]
    (logged,) = [each.effect for each in ours.done if isinstance(each, Do) and isinstance(each.effect, LogIkeV2Keys)]
    assert (logged.ei, logged.ar) == (one.keys.ei, one.keys.ar)


def test_a_cookie_comes_first_and_all_else_stays():
    role, said = begin()
    cookie = NotifyPayload(Notify.COOKIE, b"crumbs")
    again = role.say(message([cookie], spis=(SPIS[0], bytes(8))))
    assert again == (cookie, *said)


def test_another_first_message_is_asked_for_a_few_times_only():
    role, _ = begin()
    for number in range(initial.MOST_BEGINNINGS - 1):
        role.say(message([NotifyPayload(Notify.COOKIE, bytes([number]))]))
    with pytest.raises(Aborted):
        role.say(message([NotifyPayload(Notify.COOKIE, b"once more")]))


@pytest.mark.parametrize(
    ("payloads", "reason"),
    [
        ([NotifyPayload(Notify.NO_PROPOSAL_CHOSEN)], Reason.NO_PROPOSAL),
        ([NotifyPayload(Notify.INVALID_MAJOR_VERSION)], Reason.PEER_REFUSED),
        ([NotifyPayload(Notify.INVALID_KE_PAYLOAD, b"\0\x01")], Reason.NO_PROPOSAL),
        ([NotifyPayload(Notify.MOBIKE_SUPPORTED)], Reason.MALFORMED),
    ],
)
def test_an_answer_that_leads_nowhere_is_only_a_doubt(payloads, reason):
    role, _ = begin()
    with pytest.raises(Aborted) as raised:
        role.check(message(payloads))
    assert raised.value.reason is reason
    role.check(message([NotifyPayload(Notify.COOKIE, b"x")]))


def test_a_wrong_value_ends_it():
    role, said = begin()
    _, answer = answer_to(said)
    wrong = [KePayload(31, bytes(32)) if isinstance(each, KePayload) else each for each in answer]
    with pytest.raises(Exception, match="Diffie-Hellman value is wrong"):
        role.say(message(wrong))


def test_without_the_proof_there_is_nothing():
    ours, theirs, said = both()
    answer = [*theirs.say(message(said, kind=Kind.IKE_AUTH))]
    for forged in (
        [replace(each, data=bytes(32)) if isinstance(each, AuthPayload) else each for each in answer],
        [
            replace(each, data=bytes([192, 0, 2, 9])) if isinstance(each, IdResponderPayload) else each
            for each in answer
        ],
        [NotifyPayload(Notify.AUTHENTICATION_FAILED)],
    ):
        again, _, _ = both()
        with pytest.raises(Aborted) as raised:
            again.say(message(forged, kind=Kind.IKE_AUTH))
        assert raised.value.reason is Reason.WRONG_KEY
    again, _, _ = both()
    with pytest.raises(Aborted) as raised:
        again.say(message([replace(each, method=1) if isinstance(each, AuthPayload) else each for each in answer],
                          kind=Kind.IKE_AUTH))  # fmt: skip
    assert raised.value.reason is Reason.WRONG_METHOD
    assert ours.say(message(answer, kind=Kind.IKE_AUTH)).child is not None


def test_a_responder_believes_nobody_without_a_proof():
    for change, reason in (({"data": bytes(32)}, Reason.WRONG_KEY), ({"method": 1}, Reason.WRONG_METHOD)):
        _, theirs, said = both()
        forged = [replace(each, **change) if isinstance(each, AuthPayload) else each for each in said]
        with pytest.raises(Aborted) as raised:
            theirs.say(message(forged, kind=Kind.IKE_AUTH))
        assert raised.value.reason is reason
    _, theirs, said = both()
    with pytest.raises(Aborted, match="EAP"):
        theirs.say(message([each for each in said if not isinstance(each, AuthPayload)], kind=Kind.IKE_AUTH))


def test_a_child_sa_that_was_changed_is_void_and_told_so():
    ours, theirs, said = both()
    answer = theirs.say(message(said, kind=Kind.IKE_AUTH))
    changed = [
        SaPayload((replace(each.proposals[0], number=9),)) if isinstance(each, SaPayload) else each for each in answer
    ]
    made = ours.say(message(changed, kind=Kind.IKE_AUTH))
    assert made.child is None
    assert made.refused.reason is Reason.CHANGED_PROPOSAL
    assert len(made.void) == 1


def test_nat_moves_the_initiator_and_may_be_forbidden():
    behind = path_between("10.0.0.2", "192.0.2.2")
    for through, allowed in ((ThroughNat.BOTH, True), (ThroughNat.SERVER, True), (ThroughNat.NEVER, True)):
        role = Role(POLICY, (SPIS[0], bytes(8)), behind, through_nat=through)
        role.stepper = Stepper(initial.initiate(role.setting, role.wanted, role.env))
        _, answer = answer_to(role.say())
        role.say(message(answer))
        (moved,) = [each for each in role.done if isinstance(each, Traverse)]
        assert moved.path.local.port == moved.path.remote.port == 4500
        assert not moved.peer_moves
        assert allowed


def test_a_childless_peer_gets_an_ike_sa():
    ours = Role(POLICY, (SPIS[0], bytes(8)))
    ours.stepper = Stepper(initial.initiate(ours.setting, None, ours.env))
    theirs, answer = answer_to(ours.say())
    said = ours.say(message(answer))
    assert not any(isinstance(each, SaPayload) for each in said)
    last = theirs.say(message(said, kind=Kind.IKE_AUTH))
    assert ours.say(message(last, kind=Kind.IKE_AUTH)).child is None
    assert theirs.say().child is None


def test_the_check_passes_what_it_should():
    ours, said = begin()
    _, answer = answer_to(said)
    ours.check(message(answer))
    assert initial.says(message(answer).chain, Notify.NAT_DETECTION_SOURCE_IP)
    assert not initial.says(message(answer).chain, Notify.COOKIE)
