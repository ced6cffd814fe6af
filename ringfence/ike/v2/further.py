# SPDX-License-Identifier: Apache-2.0
"""A second proof in IKE_AUTH (RFC 4739): first the computers prove themselves, then the user of the one that began.

    initiator                                            responder
    IKE_SA_INIT …                                     ->
                                                      <- { …, N(MULTIPLE_AUTH_SUPPORTED) }
    { IDi, AUTH, SA, TSi, TSr,
      N(MULTIPLE_AUTH_SUPPORTED),
      N(ANOTHER_AUTH_FOLLOWS) }                       ->
                                                      <- { IDr, AUTH }
    { IDi, CERT, AUTH }                               ->                          by a user's certificate
                                                      <- { SA, TSi, TSr }
    { IDi }                                           ->                          or by EAP
                                                      <- { EAP } …
    { AUTH }                                          ->
                                                      <- { AUTH, SA, TSi, TSr }

Nothing is granted before the last message. Whether there is a second proof is no choice of the peer's: the entry of the
policy by which it has proved itself first says so. Both notifies are in messages that AUTH covers, or protected ones.
The second proof adds a user's names to the computer's; who the computer is, the first alone says.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ringfence.crypto.certificate import Certificate
from ringfence.crypto.integrity import same
from ringfence.databases.certification import CertificateAuth, OwnCertificate
from ringfence.databases.eap import EapAuth
from ringfence.databases.identity import Identity, IdentityKind
from ringfence.databases.pad import Auth, PadEntry
from ringfence.ike.claims import Claim, identities, judge, own_identity
from ringfence.ike.errors import Aborted, Reason
from ringfence.ike.exchange import Exchange, Message, answer, request
from ringfence.ike.payload import Chain, Payload
from ringfence.ike.v2 import eap
from ringfence.ike.v2.begun import Begun
from ringfence.ike.v2.notifies import Notify
from ringfence.ike.v2.numbers import AuthMethod
from ringfence.ike.v2.payloads import AuthPayload, EapPayload, IdInitiatorPayload, NotifyPayload
from ringfence.ike.v2.peers import initiator_id
from ringfence.ike.v2.proof import (
    Own,
    Said,
    by_certificate,
    has_own,
    own_for,
    prove,
    refused_proof,
    signed_claim,
)
from ringfence.ike.v2.refusals import refusal

FOLLOWS = NotifyPayload(Notify.MULTIPLE_AUTH_SUPPORTED), NotifyPayload(Notify.ANOTHER_AUTH_FOLLOWS)


def announcement(entries: Sequence[PadEntry]) -> tuple[NotifyPayload, ...]:
    """What a responder says in IKE_SA_INIT, where a policy may want a second proof."""
    return FOLLOWS[:1] if any(asking(each) for each in entries) else ()


def is_served(first: Chain) -> bool:
    """Whether a responder can ask for several proofs."""
    return _says(first, Notify.MULTIPLE_AUTH_SUPPORTED)


def follows(chain: Chain) -> bool:
    """Whether another proof follows this one."""
    return _says(chain, Notify.ANOTHER_AUTH_FOLLOWS)


def _says(chain: Chain, kind: Notify) -> bool:
    return any(each.kind == kind for each in chain.all(NotifyPayload))


def ordered(entries: tuple[PadEntry, ...], chain: Chain) -> tuple[PadEntry, ...]:
    """Those first that want as many proofs as the peer gives."""
    return tuple(sorted(entries, key=lambda each: bool(asking(each)) is not follows(chain)))


def check_alone(entry: PadEntry) -> None:
    """Raise Aborted for an entry that wants a second proof behind EAP, which nobody gives."""
    if entry.second and not entry.second_optional:
        raise Aborted(Reason.WRONG_METHOD, "the policy wants a second authentication, and there is none behind EAP")


def asking(entry: PadEntry) -> tuple[CertificateAuth | EapAuth, ...]:
    """By which ways peers of an entry may prove their users to us."""
    ways = (one for one in entry.second if isinstance(one, CertificateAuth | EapAuth))
    return tuple(one for one in ways if not isinstance(one, EapAuth) or one.directory is not None)


# The user's side ---------------------------------------------------------------------------------------------------


def own_way(entry: PadEntry, first: Chain) -> CertificateAuth | EapAuth | None:
    """How our user proves himself to a responder that began so; None for not at all. Raises Aborted where he has to."""
    if entry.users:
        what = f'rule "{entry.origin.rule}" lets in users, and only who begins proves one: the peer has to begin'
        raise Aborted(Reason.NOT_AUTHORIZED, what)
    ways = [one for one in entry.second if isinstance(one, CertificateAuth | EapAuth) and has_own(one)]
    if ways and is_served(first):
        return ways[0]
    if not entry.second or entry.second_optional:
        return None
    words = " or ".join(map(str, entry.second))
    if not ways:
        raise Aborted(Reason.NO_CERTIFICATE, f"this computer has nothing to prove its user with by {words}")
    what = f"the policy wants a second authentication by {words}, and the peer knows of none"
    raise Aborted(Reason.WRONG_METHOD, what)


def introduce(way: CertificateAuth | EapAuth, entry: PadEntry, first: Own, begun: Begun, said: Said) -> Exchange[Chain]:
    """Prove our user, after both computers have proved themselves; the message that grants what was asked for.

    ``said`` is the responder's own proof. Raises Aborted and Disbelieved.
    """
    if isinstance(way, EapAuth):
        return (yield from _by_eap(way, begun, said))
    others = replace(way, own=tuple(one for one in way.own if one != first))
    own = own_for((others,), begun.theirs.chain)
    if not isinstance(own, OwnCertificate):
        raise Aborted(Reason.NO_CERTIFICATE, f"this computer has none for {way}")
    name = initiator_id(own_identity(own.leaf))
    shown = yield from prove(own, begun.keys, begun.signed_by_us(name), begun.hashes, sha1=entry.sha1)
    last = yield from request(name, *shown)
    refused = refusal(last.chain)
    if refused is not None and refused.kind in REFUSALS:
        raise refused_proof(last.chain, own)
    return last.chain


REFUSALS = (Notify.AUTHENTICATION_FAILED, Notify.INVALID_SYNTAX, Notify.UNSUPPORTED_CRITICAL_PAYLOAD)
"""Those that end an IKE SA; others tell only why there is no child SA."""


def _by_eap(way: EapAuth, begun: Begun, said: Said) -> Exchange[Chain]:
    keys, name = begun.keys, "" if way.user is None else way.user.name
    mine = initiator_id(eap.user_identity(name or "user"))
    reply = yield from request(mine)
    asked = reply.chain.maybe(EapPayload)
    if asked is None:
        raise refused_proof(reply.chain, None)
    ended = yield from eap.prove_by(way, asked.message, begun.ike_id)
    shared = ended.key or keys.pi
    last = yield from request(AuthPayload(AuthMethod.SHARED_KEY, keys.proof(shared, begun.signed_by_us(mine))))
    eap.check_last(last.chain, keys, ended, said)
    return last.chain


# The gateway's side ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Second:
    """What a peer's second proof has come to."""

    claim: Claim
    """The computer, with the names of its user."""
    way: Auth | None
    """None: there was none, and the policy can do without."""
    words: tuple[Payload, ...]
    """What proves us, in the answer to the last message."""
    last: Message


def meet(
    message: Message, begun: Begun, entry: PadEntry, claim: Claim, words: tuple[Payload, ...], mine: bytes
) -> Exchange[Second]:
    """Have the user proved, where the policy wants that, by a peer that has proved ``claim`` in ``message``.

    ``words`` prove us, and are said before; ``mine`` is what our AUTH covers. Raises Aborted.
    """
    ways = asking(entry)
    if not follows(message.chain):
        if entry.second and not entry.second_optional:
            names = " or ".join(map(str, entry.second))
            what = f"the peer proves its computer alone, the policy wants a second authentication by {names}"
            raise Aborted(Reason.WRONG_METHOD, what)
        return Second(claim, None, words, message)
    if not ways:
        what = "the peer wants to prove itself a second time, which the policy does not name"
        raise Aborted(Reason.WRONG_METHOD, what)
    message = yield from answer(*words)
    payload = message.chain.maybe(IdInitiatorPayload)
    if payload is None or follows(message.chain):
        raise Aborted(Reason.PAYLOAD_MISSING, "the peer does not say who its user is, or wants a third proof")
    said = begun.said(message.chain, payload)
    if message.chain.maybe(AuthPayload) is not None:
        return (yield from _by_certificate(said, entry, claim, ways, message))
    way = next((one for one in ways if isinstance(one, EapAuth)), None)
    if way is None:
        raise Aborted(Reason.WRONG_METHOD, f"the peer's user wants to use EAP, the policy wants {ways[0]}")
    ended, last = yield from eap.question(way, begun.ike_id, begun.path)
    keys, proof = begun.keys, last.chain.one(AuthPayload)
    if proof.method != AuthMethod.SHARED_KEY or not same(proof.data, keys.proof(ended.key or keys.pi, said.signed)):
        what = "the peer does not know the key of the conversation by EAP: somebody may stand in between"
        raise Aborted(Reason.EAP_FAILED, what)
    user = Identity(IdentityKind.USER, ended.name.encode())
    own = AuthPayload(AuthMethod.SHARED_KEY, keys.proof(ended.key or keys.pr, mine))
    return Second(replace(claim, names=(*claim.names, user)), way, (own,), last)


def _by_certificate(
    said: Said, entry: PadEntry, claim: Claim, ways: Sequence[Auth], message: Message
) -> Exchange[Second]:  # fmt: skip
    found = by_certificate(ways)
    if not found:
        raise Aborted(Reason.WRONG_METHOD, f"the peer's user has a certificate, the policy wants {ways[0]}")
    second = signed_claim(said, sha1=entry.sha1)
    if claim.chain and second.chain[0] == claim.chain[0]:
        what = "the peer shows its computer's certificate a second time, which is no proof of a user"
        raise Aborted(Reason.WRONG_IDENTITY, what)
    way = yield from judge(second, found)
    users = users_of(Certificate.read(second.chain[0]))
    return Second(replace(claim, names=(*claim.names, *users)), way, (), message)


def users_of(leaf: Certificate) -> tuple[Identity, ...]:
    """As whom a certificate proves a user: by each of its names."""
    names = (*leaf.upns, *leaf.emails, *leaf.attribute("CN"), *map(str, identities(leaf)))
    return tuple(dict.fromkeys(Identity(IdentityKind.USER, one.encode()) for one in names))
