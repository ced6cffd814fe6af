# SPDX-License-Identifier: Apache-2.0
"""IKE_AUTH as far as it says who both sides are (RFC 7296 §1.2, §2.15, §2.16); what else it says, stands beside that.

The initiator says its name and proves it, or keeps the proof and is asked for it by EAP, after the responder's own.
How each side proves itself is said in ``proof``, the conversation of EAP in ``eap``.
"""

from dataclasses import dataclass, replace

from ringfence.crypto.integrity import same
from ringfence.databases.eap import EapAuth
from ringfence.databases.identity import Identity, IdentityKind
from ringfence.databases.pad import NullAuth, PadEntry, Ppk
from ringfence.ike.claims import Claim, check_identity, is_wanted
from ringfence.ike.errors import Aborted, Reason
from ringfence.ike.exchange import Exchange, Message, request
from ringfence.ike.identities import local_identity
from ringfence.ike.payload import Chain, Payload
from ringfence.ike.v2 import eap, further, ppk
from ringfence.ike.v2.begun import Begun
from ringfence.ike.v2.certificates import requests
from ringfence.ike.v2.keys import IkeKeys
from ringfence.ike.v2.notifies import Notify
from ringfence.ike.v2.numbers import AuthMethod
from ringfence.ike.v2.payloads import (
    AuthPayload,
    EapPayload,
    IdInitiatorPayload,
    IdResponderPayload,
    NotifyPayload,
)
from ringfence.ike.v2.peers import Proved, identity_of, initiator_id, responder_id
from ringfence.ike.v2.proof import (
    Disbelieved,
    Own,
    Said,
    answering_ways,
    called,
    judge_initiator,
    judge_responder,
    own_for,
    own_name,
    own_way,
    prove,
    refused_proof,
    staple,
    taken_from,
)
from ringfence.net.address import Path

# The initiator -----------------------------------------------------------------------------------------------------


def introduce(entry: PadEntry, begun: Begun, *beside: Payload) -> Exchange[tuple[Chain, Proved, IkeKeys]]:
    """Prove ourselves and have the responder proved; ``beside`` is what our first message says, too.

    What comes back is the message that answers that, who both sides are, and the keys that count from then on. Raises
    Aborted and Disbelieved.
    """
    first, keys = begun.theirs.chain, begun.keys
    ours = own_way(entry, first)
    named = () if entry.remote_identity is None else (responder_id(entry.remote_identity),)
    key = None if begun.early else ppk.agreed(entry, first, served=not isinstance(ours, EapAuth | NullAuth))
    if isinstance(ours, EapAuth):
        further.check_alone(entry)
        return *(yield from _introduce_user(entry, ours, begun, *named, *beside)), keys
    second = further.own_way(entry, first)
    more = () if second is None else further.FOLLOWS
    own = own_for((ours,), first)
    mine = initiator_id(local := own_name(entry, own, begun.path))
    shown = yield from _show(entry, own, mine, begun, key)
    ways, stapled = taken_from(entry, ours), (yield from staple(own, first, entry))
    reply = yield from request(mine, *named, *shown, *stapled, *requests(ways), *more, *beside)
    chain = reply.chain
    payload = chain.maybe(IdResponderPayload)
    if chain.maybe(AuthPayload) is None or payload is None:
        raise refused_proof(chain, own)
    counted = _taken(chain, key, keys)
    begun, key = replace(begun, keys=counted), None if counted is keys else key
    said = begun.said(chain, payload)
    claim, auth = yield from judge_responder(said, begun.keys, entry, ways)
    if second is not None:
        chain = yield from further.introduce(second, entry, own, begun, said)
    return chain, Proved(entry, keys.proposal, local, claim, auth, said.inner, key or begun.mixed, second), counted


def _show(
    entry: PadEntry, own: Own, mine: IdInitiatorPayload, begun: Begun, key: Ppk | None
) -> Exchange[tuple[Payload, ...]]:
    """Our proof, and a second one where we use a postquantum preshared key without insisting on it."""
    if key is None:
        signed = begun.signed_by_us(mine)
        return (yield from prove(own, begun.keys, signed, begun.hashes, sha1=entry.sha1, initiator=True))
    mixed, without = replace(begun, keys=begun.keys.mixed(key.key)), None
    shown = yield from prove(own, mixed.keys, mixed.signed_by_us(mine), begun.hashes, sha1=entry.sha1)
    if not key.required:
        second = yield from prove(own, begun.keys, begun.signed_by_us(mine), begun.hashes, sha1=entry.sha1)
        without = next(each for each in second if isinstance(each, AuthPayload))
    return *shown, *ppk.named(key, without)


def _taken(chain: Chain, key: Ppk | None, keys: IkeKeys) -> IkeKeys:
    try:
        return ppk.taken(chain, key, keys)
    except Aborted as error:
        raise Disbelieved(error.reason, error.message) from error


def _introduce_user(entry: PadEntry, way: EapAuth, begun: Begun, *beside: Payload) -> Exchange[tuple[Chain, Proved]]:
    """Let EAP say who we are."""
    keys, name = begun.keys, "" if way.user is None else way.user.name
    local = eap.user_identity(name) if entry.local_identity is None and name else local_identity(entry, begun.path)
    mine, gateway = initiator_id(local), () if way.gateway is None else (way.gateway,)
    alone = () if gateway else (NotifyPayload(Notify.EAP_ONLY_AUTHENTICATION),)
    reply = yield from request(mine, *requests(gateway), *alone, *beside)
    chain = reply.chain
    payload, asked = chain.maybe(IdResponderPayload), chain.maybe(EapPayload)
    if payload is None or asked is None:
        raise refused_proof(chain, None)
    said, claim = begun.said(chain, payload), None
    if gateway:
        if chain.maybe(AuthPayload) is None:
            raise Disbelieved(Reason.WRONG_METHOD, "the gateway asks for a proof by EAP and gives none of its own")
        claim, _ = yield from judge_responder(said, keys, entry, gateway)
    ended = yield from eap.prove_by(way, asked.message, begun.ike_id)
    if claim is None and (ended.key is None or not _alone(way)):
        raise Disbelieved(Reason.WRONG_METHOD, "nothing in this method of EAP proves who the gateway is")
    shared = ended.key or keys.pi
    proof = AuthPayload(AuthMethod.SHARED_KEY, keys.proof(shared, begun.signed_by_us(mine)))
    last = yield from request(proof)
    eap.check_last(last.chain, keys, ended, said)
    if claim is None:
        claim = Claim(said.identity, (said.identity,))
        _believe(entry, claim, said)
    return last.chain, Proved(entry, keys.proposal, local, claim, way, said.inner, begun.mixed)


def _believe(entry: PadEntry, claim: Claim, said: Said) -> None:
    try:
        check_identity(entry, claim, said.path, inner=said.inner)
    except Aborted as error:
        raise Disbelieved(error.reason, error.message, comparison=error.comparison) from error


# The responder -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Met:
    """Who a responder has met."""

    proved: Proved
    words: tuple[Payload, ...]
    """What proves us, in the answer to the last message."""
    last: Message
    keys: IkeKeys
    """Those that count from then on."""


def meet(message: Message, begun: Begun, entries: tuple[PadEntry, ...]) -> Exchange[Met]:
    """Have the initiator proved, of whom ``message`` is the first of IKE_AUTH; raises Aborted."""
    understood = ppk.Understood(message.chain, begun.keys, entries, ())
    if not begun.early:
        understood = ppk.understood(message.chain, begun.theirs.chain, begun.keys, entries)
    chain, keys, entries = understood.chain, understood.keys, understood.entries
    payload, begun = chain.maybe(IdInitiatorPayload), replace(begun, keys=keys)
    if payload is None:
        raise Aborted(Reason.PAYLOAD_MISSING, "the peer does not say who it is")
    said = begun.said(chain, payload)
    asked = chain.maybe(IdResponderPayload)
    wanted = None if asked is None else identity_of(asked)
    if chain.maybe(AuthPayload) is None:
        return (yield from _meet_user(message, said, wanted, begun, entries))
    entries = further.ordered(entries, chain)
    entry, claim, auth = yield from judge_initiator(said, keys, entries)
    own = own_for(answering_ways(entry, auth), chain, wanted)
    mine = responder_id(local := own_name(entry, own, begun.path, wanted))
    shown = yield from prove(own, keys, begun.signed_by_us(mine), begun.hashes, sha1=entry.sha1)
    words = mine, *shown, *(yield from staple(own, chain, entry)), *understood.words
    used = entry.ppk if understood.words else begun.mixed
    second = yield from further.meet(message, begun, entry, claim, words, begun.signed_by_us(mine))
    proved = Proved(entry, keys.proposal, local, second.claim, auth, said.inner, used, second.way)
    return Met(let_in(proved, entries, begun.path), second.words, second.last, keys)


def let_in(proved: Proved, entries: tuple[PadEntry, ...], path: Path) -> Proved:
    """By which entry the user is let in, where several are alike but for that; raises Aborted for none."""
    names, entry = proved.claim.names, proved.entry
    if entry.admits_users(*names):
        return proved
    found = next((each for each in entries if each != entry and proved.satisfies(each, path)), None)
    if found is None:
        users = ", ".join(str(one) for one in names if one.kind is IdentityKind.USER) or "proves no user"
        what = f'the peer, {proved.remote}, {users}, is none whom rule "{entry.origin.rule}" lets in'
        raise Aborted(Reason.NOT_AUTHORIZED, what)
    return replace(proved, entry=found)


def _meet_user(
    message: Message, said: Said, wanted: Identity | None, begun: Begun, entries: tuple[PadEntry, ...]
) -> Exchange[Met]:
    """Let EAP say who the initiator is."""
    keys, chain = begun.keys, message.chain
    known = [each for each in called(said, keys, entries) if _asks(each) is not None]
    if not known:
        raise Aborted(Reason.WRONG_METHOD, "the peer wants to authenticate by EAP, which the policy does not name")
    entry, way = known[0], _asks(known[0])
    further.check_alone(entry)
    shown: tuple[Payload, ...] = ()
    local = local_identity(entry, begun.path)
    if way is None or (way.gateway is None and not _takes_alone(chain)):
        raise Aborted(Reason.WRONG_METHOD, "the peer wants a proof of ours before EAP, and the policy has none")
    if way.gateway is not None:
        own = own_for((way.gateway,), chain, wanted)
        local = own_name(entry, own, begun.path, wanted)
        signed = begun.signed_by_us(responder_id(local))
        shown = yield from prove(own, keys, signed, begun.hashes, sha1=entry.sha1)
        shown = *shown, *(yield from staple(own, chain, entry))
    mine = responder_id(local)
    ended, last = yield from eap.question(way, begun.ike_id, begun.path, mine, *shown)
    if way.gateway is None and (ended.key is None or not _alone(way)):
        raise Aborted(Reason.WRONG_METHOD, "nothing in this method of EAP proves who we are")
    proof = last.chain.one(AuthPayload)
    if proof.method != AuthMethod.SHARED_KEY or not same(proof.data, keys.proof(ended.key or keys.pi, said.signed)):
        what = "the peer does not know the key of the conversation by EAP: somebody may stand in between"
        raise Aborted(Reason.EAP_FAILED, what)
    user = Identity(IdentityKind.USER, ended.name.encode())
    claim = Claim(user, (user,))
    alike = [each for each in known if _asks(each) == way]
    fitting = next((each for each in alike if is_wanted(each, claim, begun.path, inner=said.inner)), None)
    if fitting is None:
        check_identity(entry, claim, begun.path, inner=said.inner)
    words = (AuthPayload(AuthMethod.SHARED_KEY, keys.proof(ended.key or keys.pr, begun.signed_by_us(mine))),)
    proved = Proved(fitting or entry, keys.proposal, local, claim, way, said.inner, begun.mixed)
    further.check_alone(proved.entry)
    return Met(let_in(proved, entries, begun.path), words, last, keys)


def _alone(way: EapAuth) -> bool:
    """Whether each of its methods proves both sides."""
    return all(one.proves_both for one in way.methods)


def _asks(entry: PadEntry) -> EapAuth | None:
    """By which conversation peers of an entry are let in."""
    return next((one for one in entry.auth if isinstance(one, EapAuth) and one.directory is not None), None)


def _takes_alone(chain: Chain) -> bool:
    """Whether the initiator takes EAP as our proof, too (RFC 5998)."""
    return any(each.kind == Notify.EAP_ONLY_AUTHENTICATION for each in chain.all(NotifyPayload))
