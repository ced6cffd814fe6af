# SPDX-License-Identifier: Apache-2.0
"""Further key exchanges after CREATE_CHILD_SA: both roles, and answers that lead nowhere."""

import pytest

from ringfence.crypto.suites import DhGroup
from ringfence.ike.errors import Reason, Refused
from ringfence.ike.exchange import Env, Finished, Hear, Message, Say, Stepper
from ringfence.ike.payload import Chain, Decoded
from ringfence.ike.v2 import keyexchange
from ringfence.ike.v2.notifies import Answered, Notify
from ringfence.ike.v2.numbers import Kind
from ringfence.ike.v2.payloads import KePayload, NotifyPayload, VendorPayload
from ringfence.testing.random import SeededRandom

GROUPS = DhGroup.ML_KEM_768, DhGroup.ECP_256


def chain(*payloads):
    return Chain(tuple(Decoded(payload, b"") for payload in payloads))


def link(chain):
    return keyexchange.link_of(chain)


def test_both_come_to_the_same_secrets():
    theirs = Stepper(keyexchange.answer_further(GROUPS, (VendorPayload(b"SA"),), Env(SeededRandom("r"))))
    answer = chain(*theirs.step().payloads)
    assert answer.maybe(VendorPayload) is not None
    ours = Stepper(keyexchange.ask_further(GROUPS, answer, Env(SeededRandom("i"))))
    command, links = ours.step(), []
    while isinstance(command, Say):
        assert command.kind == Kind.IKE_FOLLOWUP_KE
        heard = theirs.step()
        asked = chain(*command.payloads)
        assert heard == Hear(Kind.IKE_FOLLOWUP_KE, link(asked))
        links.append(link(asked))
        told = theirs.step(Message(None, asked))
        payloads = told.payloads if isinstance(told, Say) else told.result[0]
        command = ours.step(Message(None, chain(*payloads)))
    assert isinstance(told, Finished)
    assert command.result == told.result[1]
    assert len(set(links)) == len(set(command.result)) == 2
    assert link(chain(*told.result[0])) is None


def test_without_further_exchanges_what_is_said_stays():
    ours = Stepper(keyexchange.ask_further((), chain(), Env(SeededRandom("i")))).step()
    said = (VendorPayload(b"SA"),)
    theirs = Stepper(keyexchange.answer_further((), said, Env(SeededRandom("r")))).step()
    assert (ours.result, theirs.result) == ((), (said, ()))


def test_a_peer_that_names_no_link_does_not_go_on():
    with pytest.raises(Refused, match="does not go on with mlkem768"):
        Stepper(keyexchange.ask_further(GROUPS, chain(), Env(SeededRandom("i")))).step()


@pytest.mark.parametrize(
    ("payloads", "reason"),
    [
        ([NotifyPayload(Notify.STATE_NOT_FOUND)], Reason.COLLISION),
        ([NotifyPayload(Notify.TEMPORARY_FAILURE)], Reason.COLLISION),
        ([NotifyPayload(Notify.INVALID_SYNTAX)], Reason.PEER_REFUSED),
        ([KePayload(19, bytes(64))], Reason.BAD_KEY_EXCHANGE),
        ([KePayload(36, bytes(10))], Reason.BAD_KEY_EXCHANGE),
    ],
)
def test_an_answer_that_leads_nowhere(payloads, reason):
    answer = chain(NotifyPayload(Notify.ADDITIONAL_KEY_EXCHANGE, b"link"))
    role = Stepper(keyexchange.ask_further(GROUPS, answer, Env(SeededRandom("i"))))
    role.step()
    with pytest.raises(Refused) as raised:
        role.step(Message(None, chain(*payloads)))
    assert raised.value.reason is reason


def test_what_nobody_knows_is_told():
    error = keyexchange.unknown_link()
    assert isinstance(error, Answered)
    assert error.notify is Notify.STATE_NOT_FOUND == 47


def test_a_value_of_another_group_is_asked_for_by_number():
    with pytest.raises(Answered) as raised:
        keyexchange.check_group(chain(KePayload(14, b"")), DhGroup.CURVE25519)
    assert (raised.value.notify, raised.value.data) == (Notify.INVALID_KE_PAYLOAD, b"\0\x1f")
    keyexchange.check_group(chain(), None)
    assert keyexchange.secret_of(None, chain()) is None
    assert keyexchange.ke_of(keyexchange.half_of(None, Env(SeededRandom("i")))) == ()
