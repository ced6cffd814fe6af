# SPDX-License-Identifier: Apache-2.0
"""The conversation inside IKE_AUTH, step by step; whole ones: tests/protocol/test_ikev2_eap.py."""

import pytest

from ringfence.databases.eap import EapAuth, EapMethod
from ringfence.databases.identity import Identity, IdentityKind
from ringfence.ike.effects import Conversed, Unfit
from ringfence.ike.errors import Aborted, Reason
from ringfence.ike.exchange import Consult, Message, Say, Stepper
from ringfence.ike.header import Header
from ringfence.ike.payload import Chain, Decoded
from ringfence.ike.v2 import eap
from ringfence.ike.v2.notifies import NotLetIn
from ringfence.ike.v2.payloads import AuthPayload, EapPayload
from ringfence.testing.network import path_between

WAY = EapAuth((EapMethod.GTC,))
PATH = path_between("192.0.2.1", "192.0.2.2")
ASKED = b"\1\1\0\5\1"


def message(*payloads):
    return Message(
        Header(bytes(8), bytes(8), 46, 0x20, 35, 0, 1, 28), Chain(tuple(Decoded(one, b"") for one in payloads))
    )


@pytest.mark.parametrize(
    ("name", "kind"),
    [("alice", IdentityKind.FQDN), ("alice@lab", IdentityKind.USER_FQDN), ("CORP\\alice", IdentityKind.KEY_ID),
     ("Älice", IdentityKind.KEY_ID)],
)  # fmt: skip
def test_what_a_user_is_called_before_he_has_proved_it(name, kind):
    assert eap.user_identity(name) == Identity(kind, name.encode())


def test_the_peer_answers_until_the_end():
    stepper = Stepper(eap.prove_by(WAY, ASKED, 7))
    asked = stepper.step()
    assert isinstance(asked, Consult)
    assert (asked.question.packet, asked.question.begins, asked.question.conversation) == (ASKED, True, 7)
    said = stepper.step(Conversed(b"\2\1\0\5\1"))
    assert isinstance(said, Say)
    assert said.payloads == (EapPayload(b"\2\1\0\5\1"),)
    with pytest.raises(Aborted, match="ends the conversation"):
        said.check(message())
    again = stepper.step(message(EapPayload(b"\3\1\0\4")))
    assert isinstance(again, Consult)
    assert not again.question.begins
    ended = Conversed(b"", ended=True)
    assert stepper.step(ended).result == ended


def test_what_the_keeper_cannot_do_ends_it():
    stepper = Stepper(eap.prove_by(WAY, ASKED, 7))
    stepper.step()
    with pytest.raises(Aborted) as raised:
        stepper.step(Unfit(Reason.EAP_FAILED, "no"))
    assert raised.value.reason is Reason.EAP_FAILED


def asking(*steps):
    stepper = Stepper(eap.question(WAY, 7, PATH, AuthPayload(2, b"x")))
    command = stepper.step()
    for step in steps:
        command = stepper.step(step)
    return command


def test_the_first_question_stands_beside_our_proof():
    assert asking(Conversed(ASKED)).payloads == (AuthPayload(2, b"x"), EapPayload(ASKED))
    second = asking(Conversed(ASKED), message(EapPayload(b"\2\1\0\5\1")))
    assert (second.question.packet, second.question.station) == (b"\2\1\0\5\1", "192.0.2.2")
    assert asking(Conversed(ASKED), message(EapPayload(b"\2\1\0\5\1")), Conversed(ASKED)).payloads == (
        EapPayload(ASKED),
    )


def test_a_refusal_has_its_packet():
    with pytest.raises(NotLetIn) as raised:
        asking(
            Conversed(ASKED), message(EapPayload(b"\2\1\0\5\1")), Conversed(b"\4\1\0\4", ended=True, refused="wrong")
        )
    assert raised.value.packet == b"\4\1\0\4"


@pytest.mark.parametrize("payloads", [(), (AuthPayload(2, b""),), (AuthPayload(2, b""), EapPayload(ASKED))])
def test_a_proof_before_the_end_is_none(payloads):
    with pytest.raises(Aborted, match="middle of EAP"):
        asking(Conversed(ASKED), message(*payloads))


def test_nothing_but_a_proof_follows_the_end():
    ended = Conversed(b"\3\1\0\4", ended=True)
    with pytest.raises(Aborted, match="middle of EAP"):
        asking(ended, message(EapPayload(ASKED)))
    last = message(AuthPayload(2, b""))
    assert asking(ended, last).result == (ended, last)
