# SPDX-License-Identifier: Apache-2.0
"""Which form a message means to be, and what it may hold."""

import pytest

from ringfence.ike.errors import Reason, Refused
from ringfence.ike.payload import Chain, Decoded
from ringfence.ike.v2 import rules
from ringfence.ike.v2.notifies import Notify
from ringfence.ike.v2.numbers import IN_CLEAR, Kind
from ringfence.ike.v2.payloads import (
    AuthPayload,
    EapPayload,
    IdInitiatorPayload,
    IdResponderPayload,
    KePayload,
    NoncePayload,
    NotifyPayload,
    SaPayload,
    TsInitiatorPayload,
    TsResponderPayload,
)

SA, KE, NONCE = SaPayload(()), KePayload(19, b""), NoncePayload(bytes(16))
TRAFFIC = SA, TsInitiatorPayload(()), TsResponderPayload(())
ERROR = NotifyPayload(Notify.NO_PROPOSAL_CHOSEN)
IDI, IDR, AUTH = IdInitiatorPayload(2, b"a"), IdResponderPayload(2, b"b"), AuthPayload(2, b"")
EAP = EapPayload(b"\3\0\0\4")


def chain(*payloads):
    return Chain(tuple(Decoded(payload, b"") for payload in payloads))


FORMS = [
    (Kind.IKE_SA_INIT, False, (SA, KE, NONCE), rules.INIT_REQUEST),
    (Kind.IKE_SA_INIT, True, (SA, KE, NONCE), rules.INIT_RESPONSE),
    (Kind.IKE_SA_INIT, True, (ERROR,), rules.INIT_REFUSAL),
    (Kind.IKE_SESSION_RESUME, False, [NONCE], rules.RESUME_REQUEST),
    (Kind.IKE_SESSION_RESUME, True, [NONCE], rules.RESUME_RESPONSE),
    (Kind.IKE_SESSION_RESUME, True, (ERROR,), rules.RESUME_REFUSAL),
    (Kind.IKE_AUTH, False, (IDI, AUTH, *TRAFFIC), rules.AUTH_REQUEST),
    (Kind.IKE_AUTH, False, (IDI, AUTH), rules.AUTH_REQUEST_CHILDLESS),
    (Kind.IKE_AUTH, True, (IDR, AUTH, *TRAFFIC), rules.AUTH_RESPONSE),
    (Kind.IKE_AUTH, True, (IDR, AUTH, ERROR), rules.AUTH_RESPONSE_CHILDLESS),
    (Kind.IKE_AUTH, True, (ERROR,), rules.AUTH_REFUSAL),
    (Kind.IKE_AUTH, True, TRAFFIC, rules.SECOND_LAST_RESPONSE),
    (Kind.IKE_AUTH, True, (), rules.SECOND_LAST_CHILDLESS),
    (Kind.IKE_AUTH, True, (IDR, EAP), rules.EAP_QUESTION),
    (Kind.IKE_AUTH, False, (EAP,), rules.EAP_REQUEST),
    (Kind.IKE_AUTH, True, (EAP,), rules.EAP_RESPONSE),
    (Kind.IKE_AUTH, False, (AUTH,), rules.EAP_LAST_REQUEST),
    (Kind.IKE_AUTH, True, (AUTH, *TRAFFIC), rules.EAP_LAST_RESPONSE),
    (Kind.IKE_AUTH, True, (AUTH, ERROR), rules.EAP_LAST_CHILDLESS),
    (Kind.CREATE_CHILD_SA, False, (NONCE, *TRAFFIC), rules.CHILD_REQUEST),
    (Kind.CREATE_CHILD_SA, False, (SA, KE, NONCE), rules.REKEY_REQUEST),
    (Kind.CREATE_CHILD_SA, True, (NONCE, *TRAFFIC), rules.CHILD_RESPONSE),
    (Kind.CREATE_CHILD_SA, True, (SA, KE, NONCE), rules.REKEY_RESPONSE),
    (Kind.CREATE_CHILD_SA, True, (ERROR,), rules.CHILD_REFUSAL),
    (Kind.IKE_INTERMEDIATE, False, (KE,), rules.INTERMEDIATE_REQUEST),
    (Kind.IKE_INTERMEDIATE, True, (KE,), rules.INTERMEDIATE_RESPONSE),
    (Kind.IKE_FOLLOWUP_KE, False, (KE,), rules.FOLLOWUP_REQUEST),
    (Kind.IKE_FOLLOWUP_KE, True, (KE,), rules.FOLLOWUP_RESPONSE),
    (Kind.IKE_FOLLOWUP_KE, True, (ERROR,), rules.FOLLOWUP_REFUSAL),
    (Kind.INFORMATIONAL, False, (), rules.INFORMATIONAL),
    (Kind.INFORMATIONAL, True, (), rules.INFORMATIONAL),
]


@pytest.mark.parametrize(("kind", "response", "payloads", "rule"), FORMS)
def test_forms(kind, response, payloads, rule):
    message = chain(*payloads)
    assert rules.rule_of(kind, message, response=response) is rule
    rule.check(message, encrypted=kind not in IN_CLEAR)
    for missing in range(len(payloads)):
        rest = chain(*payloads[:missing], *payloads[missing + 1 :])
        other = rules.rule_of(kind, rest, response=response)
        if other is rule and type(payloads[missing]) in rule.need:
            with pytest.raises(Refused) as raised:
                rule.check(rest, encrypted=kind not in IN_CLEAR)
            assert raised.value.reason is Reason.PAYLOAD_MISSING


def test_every_rule_is_listed_and_named_once():
    assert len({rule.name for rule in rules.RULES}) == len(rules.RULES) == 30
    assert [rule for rule in rules.RULES if not any(rule is each for *_, each in FORMS)] == []
