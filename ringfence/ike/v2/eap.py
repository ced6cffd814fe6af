# SPDX-License-Identifier: Apache-2.0
"""EAP in IKE_AUTH (RFC 7296 §2.16): a conversation of packets, which somebody else holds, ends in a key or in nothing.

    initiator                                            responder
    { IDi [, IDr] [, CERTREQ], SA, TSi, TSr }         ->
                                                      <- { IDr [, CERT, …] [, AUTH], EAP }
    { EAP }                                           ->
                                                      <- { EAP }            as often as the method needs
    { EAP }                                           ->
                                                      <- { EAP (success) }
    { AUTH }                                          ->
                                                      <- { AUTH, SA, TSi, TSr }

Both AUTH of the end are by the key of the conversation, or by one of the IKE SA where the method makes none. So nobody
who carries the packets on to another gateway is let in there.
"""

import re

from ringfence.crypto.integrity import same
from ringfence.databases.eap import EapAuth
from ringfence.databases.identity import Identity, IdentityKind
from ringfence.ike.effects import Converse, Conversed, Unfit
from ringfence.ike.errors import Aborted, Reason
from ringfence.ike.exchange import Exchange, Message, answer, consult, request, suppose
from ringfence.ike.payload import Chain, Payload
from ringfence.ike.v2.keys import IkeKeys
from ringfence.ike.v2.notifies import NotLetIn, name_of
from ringfence.ike.v2.numbers import AuthMethod
from ringfence.ike.v2.payloads import AuthPayload, EapPayload
from ringfence.ike.v2.proof import Disbelieved, Said, refused_proof
from ringfence.ike.v2.refusals import refusal
from ringfence.net.address import Path, format_address

FAILURE = b"\4"
"""How a packet begins that ends the conversation; whoever sends it waits for nothing more."""
HOST_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*", re.ASCII)
MOST_ROUNDS = 200
"""Packets of one side; whoever holds the conversation gives up sooner."""


def user_identity(name: str) -> Identity:
    """What we call ourselves as a user; who we are is said by EAP."""
    if "@" in name.strip("@"):
        return Identity(IdentityKind.USER_FQDN, name.encode())
    kind = IdentityKind.FQDN if HOST_NAME.fullmatch(name) else IdentityKind.KEY_ID
    return Identity(kind, name.encode())


# The user's side ---------------------------------------------------------------------------------------------------


def prove_by(way: EapAuth, first: bytes, conversation: int) -> Exchange[Conversed]:
    """Prove ourselves, from the responder's first packet on; raises Aborted where we are not let in."""
    packet = first
    for number in range(MOST_ROUNDS):
        found = yield from consult(Converse(way, packet, conversation, server=False, begins=number == 0))
        if not isinstance(found, Conversed):
            error = _failed(found)
            raise error if packet.startswith(FAILURE) else Disbelieved(error.reason, error.message)
        if found.ended:
            return found
        reply = yield from request(EapPayload(found.packet), check=_is_next)
        packet = reply.chain.one(EapPayload).message
    raise Aborted(Reason.EAP_FAILED, "the conversation of EAP comes to no end")


def _is_next(message: Message) -> None:
    """The check of an answer in the middle."""
    if message.chain.maybe(EapPayload) is None:
        refused = refusal(message.chain)
        what = "nothing" if refused is None else name_of(refused.kind)
        raise Aborted(Reason.EAP_FAILED, f"the peer ends the conversation of EAP: {what}")


def _failed(found: object) -> Aborted:
    if isinstance(found, Unfit):
        return Aborted(found.reason, found.detail)
    return Aborted(Reason.EAP_FAILED, "the keeper of keys did not answer what it was asked")


def check_last(chain: Chain, keys: IkeKeys, ended: Conversed, said: Said) -> None:
    """Raise Aborted unless the responder, who has ``said`` its name, has held this conversation itself."""
    proof = chain.maybe(AuthPayload)
    if proof is None:
        raise refused_proof(chain, None)
    wanted = keys.proof(ended.key or keys.pr, said.signed)
    if proof.method != AuthMethod.SHARED_KEY or not same(proof.data, wanted):
        what = "the gateway does not know the key of the conversation by EAP: somebody may stand in between"
        raise Disbelieved(Reason.EAP_FAILED, what)


# The gateway's side ------------------------------------------------------------------------------------------------


def question(way: EapAuth, conversation: int, path: Path, *beside: Payload) -> Exchange[tuple[Conversed, Message]]:
    """Have the initiator prove itself; our first answer has ``beside``, too. Raises Aborted and NotLetIn.

    The message that comes back is the one with the proof that ties the IKE SA to the conversation.
    """
    station = format_address(path.remote.address)
    packet, words = b"", beside
    for number in range(MOST_ROUNDS):
        found = yield from consult(
            Converse(way, packet, conversation, server=True, begins=number == 0, station=station)
        )
        if not isinstance(found, Conversed):
            raise _failed(found)
        if found.refused and found.ended:
            raise NotLetIn(found.refused, found.packet)
        if found.refused:
            yield from suppose(Aborted(Reason.EAP_FAILED, found.refused))
        message = yield from answer(*words, EapPayload(found.packet))
        if found.ended:
            return found, _with(message, AuthPayload)
        packet, words = _with(message, EapPayload).chain.one(EapPayload).message, ()
    raise Aborted(Reason.EAP_FAILED, "the conversation of EAP comes to no end")


def _with(message: Message, kind: type[Payload]) -> Message:
    if message.chain.maybe(kind) is None or not _is_alone(message.chain, kind):
        raise Aborted(Reason.PAYLOAD_MISSING, "the peer says something else in the middle of EAP")
    return message


def _is_alone(chain: Chain, kind: type[Payload]) -> bool:
    other = EapPayload if kind is AuthPayload else AuthPayload
    return chain.maybe(other) is None
