# SPDX-License-Identifier: Apache-2.0
"""The messages of IKEv2 (RFC 7296 §1, appendix C): which payloads each has.

Order means nothing. A request may come in two forms, and so may its answer; another form of answer says only why there
is none. Without a child SA (RFC 6023) IKE_AUTH has forms of its own. ``rule_of`` tells by its payloads which form a
message means to be.
"""

from ringfence.ike.payload import Chain, Payload
from ringfence.ike.rules import MANY, MessageRule, Role
from ringfence.ike.v2.numbers import Kind
from ringfence.ike.v2.payloads import (
    AuthPayload,
    CertPayload,
    CertRequestPayload,
    ConfigPayload,
    DeletePayload,
    EapPayload,
    IdInitiatorPayload,
    IdResponderPayload,
    KePayload,
    NoncePayload,
    NotifyPayload,
    SaPayload,
    TsInitiatorPayload,
    TsResponderPayload,
    VendorPayload,
)
from ringfence.ike.v2.solution import SolutionPayload

Counts = dict[type[Payload], int]

EXTRAS: Counts = {NotifyPayload: MANY, VendorPayload: MANY}
CERTS: Counts = {CertPayload: MANY, CertRequestPayload: MANY}
_INIT: Counts = {SaPayload: 1, KePayload: 1, NoncePayload: 1}
_TRAFFIC: Counts = {SaPayload: 1, TsInitiatorPayload: 1, TsResponderPayload: 1}


def _request(name: str, need: Counts, may: Counts | None = None, *, encrypted: bool = True) -> MessageRule:
    return MessageRule(f"{name} request", None, encrypted, need=need, may=EXTRAS | (may or {}))


def _response(name: str, need: Counts, may: Counts | None = None, *, encrypted: bool = True) -> MessageRule:
    return MessageRule(f"{name} response", None, encrypted, need=need, may=EXTRAS | (may or {}))


def _refusal(name: str, *, encrypted: bool = True) -> MessageRule:
    return MessageRule(f"{name} refusal", Role.RESPONDER, encrypted, may=EXTRAS, some=(NotifyPayload,))


INIT_REQUEST = _request("IKE_SA_INIT", _INIT, {CertRequestPayload: MANY, SolutionPayload: 1}, encrypted=False)
INIT_RESPONSE = _response("IKE_SA_INIT", _INIT, {CertRequestPayload: MANY}, encrypted=False)
INIT_REFUSAL = _refusal("IKE_SA_INIT", encrypted=False)

RESUME_REQUEST = _request("IKE_SESSION_RESUME", {NoncePayload: 1}, {SolutionPayload: 1}, encrypted=False)
RESUME_RESPONSE = _response("IKE_SESSION_RESUME", {NoncePayload: 1}, encrypted=False)
RESUME_REFUSAL = _refusal("IKE_SESSION_RESUME", encrypted=False)

_AUTH_MAY: Counts = {**CERTS, IdResponderPayload: 1, AuthPayload: 1, ConfigPayload: 1}
AUTH_REQUEST = _request("IKE_AUTH", {IdInitiatorPayload: 1, **_TRAFFIC}, _AUTH_MAY)
AUTH_REQUEST_CHILDLESS = _request("IKE_AUTH childless", {IdInitiatorPayload: 1}, _AUTH_MAY)
_PROVED: Counts = {IdResponderPayload: 1, AuthPayload: 1}
AUTH_RESPONSE = _response("IKE_AUTH", {**_PROVED, **_TRAFFIC}, {**CERTS, ConfigPayload: 1})
AUTH_RESPONSE_CHILDLESS = _response("IKE_AUTH childless", _PROVED, {**CERTS, ConfigPayload: 1})
AUTH_REFUSAL = _refusal("IKE_AUTH")
EAP_QUESTION = _response("IKE_AUTH with EAP", {IdResponderPayload: 1, EapPayload: 1}, {**CERTS, AuthPayload: 1})
EAP_REQUEST = _request("EAP", {EapPayload: 1})
EAP_RESPONSE = _response("EAP", {EapPayload: 1})
EAP_LAST_REQUEST = _request("IKE_AUTH after EAP", {AuthPayload: 1})
EAP_LAST_RESPONSE = _response("IKE_AUTH after EAP", {AuthPayload: 1, **_TRAFFIC}, {ConfigPayload: 1})
SECOND_LAST_RESPONSE = _response("IKE_AUTH after a second proof", _TRAFFIC, {ConfigPayload: 1})
SECOND_LAST_CHILDLESS = _response("IKE_AUTH childless after a second proof", {}, {ConfigPayload: 1})
EAP_LAST_CHILDLESS = _response("IKE_AUTH childless after EAP", {AuthPayload: 1}, {ConfigPayload: 1})

CHILD_REQUEST = _request("CREATE_CHILD_SA", {NoncePayload: 1, **_TRAFFIC}, {KePayload: 1, ConfigPayload: 1})
CHILD_RESPONSE = _response("CREATE_CHILD_SA", {NoncePayload: 1, **_TRAFFIC}, {KePayload: 1, ConfigPayload: 1})
REKEY_REQUEST = _request("CREATE_CHILD_SA for the IKE SA", _INIT)
REKEY_RESPONSE = _response("CREATE_CHILD_SA for the IKE SA", _INIT)
CHILD_REFUSAL = _refusal("CREATE_CHILD_SA")

INTERMEDIATE_REQUEST = _request("IKE_INTERMEDIATE", {}, {KePayload: 1})
INTERMEDIATE_RESPONSE = _response("IKE_INTERMEDIATE", {}, {KePayload: 1})
FOLLOWUP_REQUEST = _request("IKE_FOLLOWUP_KE", {KePayload: 1})
FOLLOWUP_RESPONSE = _response("IKE_FOLLOWUP_KE", {KePayload: 1})
FOLLOWUP_REFUSAL = _refusal("IKE_FOLLOWUP_KE")

INFORMATIONAL = MessageRule(
    "INFORMATIONAL", None, encrypted=True, may={**EXTRAS, DeletePayload: MANY, ConfigPayload: 1}
)
"""Either way; an empty one asks whether the peer is alive, or says so."""

RULES = (
    INIT_REQUEST, INIT_RESPONSE, INIT_REFUSAL, RESUME_REQUEST, RESUME_RESPONSE, RESUME_REFUSAL,
    AUTH_REQUEST, AUTH_REQUEST_CHILDLESS, AUTH_RESPONSE,
    AUTH_RESPONSE_CHILDLESS, AUTH_REFUSAL, EAP_QUESTION, EAP_REQUEST, EAP_RESPONSE, EAP_LAST_REQUEST,
    EAP_LAST_RESPONSE, EAP_LAST_CHILDLESS, SECOND_LAST_RESPONSE, SECOND_LAST_CHILDLESS,
    CHILD_REQUEST, CHILD_RESPONSE, REKEY_REQUEST, REKEY_RESPONSE, CHILD_REFUSAL,
    INTERMEDIATE_REQUEST, INTERMEDIATE_RESPONSE, FOLLOWUP_REQUEST, FOLLOWUP_RESPONSE, FOLLOWUP_REFUSAL, INFORMATIONAL,
)  # fmt: skip


def rule_of(kind: Kind, chain: Chain, *, response: bool) -> MessageRule:
    """The rule of the form that a message means to be."""
    if kind is Kind.INFORMATIONAL:
        return INFORMATIONAL
    if kind is Kind.IKE_INTERMEDIATE:
        return INTERMEDIATE_RESPONSE if response else INTERMEDIATE_REQUEST
    if kind is Kind.IKE_SESSION_RESUME:
        return _resume(chain, response=response)
    if kind is Kind.IKE_FOLLOWUP_KE:
        return _followup(chain, response=response)
    has_sa, has_traffic = chain.maybe(SaPayload) is not None, chain.maybe(TsInitiatorPayload) is not None
    match kind, response:
        case Kind.IKE_SA_INIT, False:
            return INIT_REQUEST
        case Kind.IKE_SA_INIT, True:
            return INIT_RESPONSE if has_sa else INIT_REFUSAL
        case Kind.IKE_AUTH, False:
            return _auth_request(chain, has_child=has_sa or has_traffic)
        case Kind.IKE_AUTH, True:
            return _auth_response(chain, has_child=has_sa or has_traffic)
        case _, False:
            return CHILD_REQUEST if has_traffic else REKEY_REQUEST
        case _:
            return CHILD_RESPONSE if has_traffic else REKEY_RESPONSE if has_sa else CHILD_REFUSAL


def _resume(chain: Chain, *, response: bool) -> MessageRule:
    if not response:
        return RESUME_REQUEST
    return RESUME_REFUSAL if chain.maybe(NoncePayload) is None else RESUME_RESPONSE


def _followup(chain: Chain, *, response: bool) -> MessageRule:
    if not response:
        return FOLLOWUP_REQUEST
    return FOLLOWUP_REFUSAL if chain.maybe(KePayload) is None else FOLLOWUP_RESPONSE


def _auth_request(chain: Chain, *, has_child: bool) -> MessageRule:
    if has_child:
        return AUTH_REQUEST
    if chain.maybe(IdInitiatorPayload) is not None:
        return AUTH_REQUEST_CHILDLESS
    return EAP_REQUEST if chain.maybe(EapPayload) is not None else EAP_LAST_REQUEST


def _auth_response(chain: Chain, *, has_child: bool) -> MessageRule:
    named, proves = chain.maybe(IdResponderPayload) is not None, chain.maybe(AuthPayload) is not None
    if chain.maybe(EapPayload) is not None:
        return EAP_QUESTION if named else EAP_RESPONSE
    if has_child:
        return AUTH_RESPONSE if named else EAP_LAST_RESPONSE if proves else SECOND_LAST_RESPONSE
    if not proves:
        return AUTH_REFUSAL if chain.maybe(NotifyPayload) is not None else SECOND_LAST_CHILDLESS
    return AUTH_RESPONSE_CHILDLESS if named else EAP_LAST_CHILDLESS
