# SPDX-License-Identifier: Apache-2.0
"""AUTH payloads (RFC 7296 §2.15): how each side proves who it is, and by which entry of the policy that is true.

Each side chooses its own way, and nothing is negotiated. Unless the policy names another way for this computer, both
prove themselves alike: by the same key, or by certificates. A signature is checked first, by the certificate that is
shown first; so only who holds its key can be refused for it. Then its name, then what the policy says of that name,
and only then whether an authority vouches for it, which is a question to the host.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ringfence.crypto.integrity import same
from ringfence.databases.certification import CertificateAuth, OwnCertificate
from ringfence.databases.eap import EapAuth
from ringfence.databases.identity import Identity, IdentityKind
from ringfence.databases.pad import Auth, NullAuth, PadEntry, PresharedKey
from ringfence.databases.rawkeys import OwnKey, PublicKeyAuth
from ringfence.ike.claims import (
    Claim,
    check_identity,
    claim_of,
    is_wanted,
    judge,
    own_identity,
    same_algorithms,
    signature,
    status,
)
from ringfence.ike.errors import Aborted, IkeError, Reason
from ringfence.ike.exchange import Exchange
from ringfence.ike.identities import local_identity, same_identity
from ringfence.ike.payload import Chain, Payload
from ringfence.ike.v2 import announcing, certificates, null, rawkeys, signatures
from ringfence.ike.v2.keys import IkeKeys
from ringfence.ike.v2.notifies import Notify, name_of
from ringfence.ike.v2.numbers import AuthMethod
from ringfence.ike.v2.payloads import AuthPayload, IdResponderPayload
from ringfence.ike.v2.peers import identity_of, shared_key
from ringfence.ike.v2.refusals import refusal
from ringfence.net.address import Path

Own = PresharedKey | OwnCertificate | OwnKey | NullAuth
"""What this computer proves itself with."""


@dataclass(frozen=True, slots=True)
class Said:
    """A peer's message with its proof, and what counts with it."""

    chain: Chain
    identity: Identity
    """Who it says it is."""
    signed: bytes
    """What it proves with."""
    hashes: frozenset[int]
    """By which it can verify signatures."""
    path: Path
    inner: bool
    """Whether its identity is its address behind NAT."""

    @property
    def method(self) -> AuthMethod | int:
        """How it proves itself."""
        return self.chain.one(AuthPayload).method


# Ours --------------------------------------------------------------------------------------------------------------


def by_certificate(ways: Sequence[Auth]) -> tuple[CertificateAuth, ...]:
    """Those by certificates."""
    return tuple(one for one in ways if isinstance(one, CertificateAuth))


def by_signature(ways: Sequence[Auth]) -> tuple[CertificateAuth | PublicKeyAuth, ...]:
    """Those by certificates, and by keys without any."""
    return tuple(one for one in ways if isinstance(one, CertificateAuth | PublicKeyAuth))


def _of_gateways(entry: PadEntry) -> tuple[CertificateAuth, ...]:
    """Those by which who asks for EAP proves itself."""
    return tuple(one.gateway for one in entry.auth if isinstance(one, EapAuth) and one.gateway is not None)


def first_words(entries: Sequence[PadEntry]) -> tuple[Payload, ...]:
    """What IKE_SA_INIT announces, where either side may sign."""
    found = any(by_signature((*each.auth, *each.local_auth)) or _of_gateways(each) for each in entries)
    return (signatures.announcement(),) if found else ()


def own_way(entry: PadEntry, asked: Chain) -> Auth:
    """How we prove ourselves to a responder, which has asked for certificates or has not; raises Aborted for no way.

    The first in the policy's order; but a certificate that the peer does not ask for stands behind a key, and behind
    one that it asks for.
    """
    ways = [one for one in _ours(entry) if has_own(one)]
    if not ways:
        raise _none(_ours(entry))
    wanted, asks = certificates.asked_for(asked), certificates.asks(asked)
    announced = announcing.heard(asked)
    ways = [one for one in ways if announcing.suits(one, announced)] or ways

    def suits(way: Auth) -> bool:
        if isinstance(way, PublicKeyAuth):
            return rawkeys.asks(asked) or not asks
        if not isinstance(way, CertificateAuth):
            return True
        return asks and (not wanted or any(certificates.fits(one, way, wanted) for one in way.own))

    return next((one for one in ways if suits(one)), ways[0])


def has_own(way: Auth) -> bool:
    """Whether we have what it takes to go it."""
    match way:
        case CertificateAuth():
            return bool(way.own)
        case PublicKeyAuth():
            return way.own is not None
        case EapAuth():
            return way.user is not None
        case _:
            return True


def _ours(entry: PadEntry) -> tuple[Auth, ...]:
    return entry.local_auth or entry.auth


def _none(ways: Sequence[Auth]) -> IkeError:
    names = " or ".join(map(str, ways)) or "any authority"
    return Aborted(Reason.NO_CERTIFICATE, f"this computer has none for {names}")


def own_for(ways: Sequence[Auth], asked: Chain, name: Identity | None = None) -> Own:
    """What we prove ourselves with to a peer that asks so; raises Aborted for nothing."""
    if ways and isinstance(ways[0], PresharedKey | NullAuth):
        return ways[0]
    if ways and isinstance(ways[0], PublicKeyAuth) and ways[0].own is not None:
        return ways[0].own
    own = certificates.choose(by_certificate(ways), certificates.asked_for(asked), name)
    if own is None:
        raise _none(ways)
    return own


def own_name(entry: PadEntry, own: Own, path: Path, wanted: Identity | None = None) -> Identity:
    """Our name: as the policy says, else as the peer wants to speak to us, else as our certificate does."""
    if isinstance(own, NullAuth):
        return null.NAMELESS
    if entry.local_identity is not None or isinstance(own, PresharedKey | OwnKey):
        return local_identity(entry, path)
    return wanted if wanted is not None and certificates.is_called(own, wanted) else own_identity(own.leaf)


def prove(
    own: Own, keys: IkeKeys, signed: bytes, hashes: frozenset[int], *, sha1: bool, initiator: bool = False
) -> Exchange[tuple[Payload, ...]]:
    """The payloads that prove us to a peer that verifies by ``hashes``; raises Aborted where nothing can."""
    if isinstance(own, NullAuth):
        return (null.proof(keys, signed, initiator=initiator),)
    if isinstance(own, PresharedKey):
        return (AuthPayload(AuthMethod.SHARED_KEY, keys.proof(own.key, signed)),)
    method, scheme = signatures.way_to_sign(own.kind, hashes, sha1=sha1)
    made = yield from signature(own, scheme, signed)
    shown = certificates.payloads(own) if isinstance(own, OwnCertificate) else ()
    return *shown, signatures.encoded(method, scheme, made)


def staple(own: Own, asked: Chain, entry: PadEntry) -> Exchange[tuple[Payload, ...]]:
    """What our authority says of our certificate, where the peer wants to be shown that (RFC 4806) and we have it.

    Of a key without a certificate it is the key itself, where the peer asks for that.
    """
    if isinstance(own, OwnKey):
        return rawkeys.payloads(own, asked)
    if not isinstance(own, OwnCertificate) or not certificates.asks_status(asked):
        return ()
    pair = certificates.with_issuer(own, (*by_certificate((*entry.auth, *entry.local_auth)), *_of_gateways(entry)))
    octets = (yield from status(pair)) if pair else b""
    return certificates.status_payloads(octets)


# The responder's, as the initiator sees it -------------------------------------------------------------------------


def taken_from(entry: PadEntry, ours: Auth) -> tuple[Auth, ...]:
    """The ways by which the responder may prove itself, where we go ``ours``."""
    if entry.local_auth:
        return entry.auth
    return by_certificate(entry.auth) if isinstance(ours, CertificateAuth) else (ours,)


def judge_responder(said: Said, keys: IkeKeys, entry: PadEntry, ways: Sequence[Auth]) -> Exchange[tuple[Claim, Auth]]:
    """Who the responder has proved to be, and by which of ``ways``; raises Disbelieved."""
    try:
        return (yield from _judged(said, keys, entry, ways))
    except Aborted as error:
        raise Disbelieved(error.reason, error.message, comparison=error.comparison) from error


def _judged(said: Said, keys: IkeKeys, entry: PadEntry, ways: Sequence[Auth]) -> Exchange[tuple[Claim, Auth]]:
    if said.method == AuthMethod.NULL and null.takes_anybody(entry) and any(isinstance(one, NullAuth) for one in ways):
        payload = said.chain.one(AuthPayload)
        return null.claim(said.path, payload, keys, said.signed, initiator=False), NullAuth()
    _need_name(said)
    if said.method in signatures.SIGNED and rawkeys.is_meant(said.chain, ways):
        return _known(said, entry, ways)
    if said.method != AuthMethod.SHARED_KEY and by_certificate(ways):
        claim = signed_claim(said, sha1=entry.sha1)
        check_identity(entry, claim, said.path, inner=said.inner)
        return claim, (yield from judge(claim, by_certificate(ways)))
    key = next((one for one in ways if isinstance(one, PresharedKey)), None)
    if key is None or said.method != AuthMethod.SHARED_KEY:
        raise wrong_method(said.method, ways)
    if not proves(said, keys, key):
        raise Aborted(Reason.WRONG_KEY, "the peer has another pre-shared key: the proof in its answer is wrong")
    claim = Claim(said.identity, (said.identity,))
    check_identity(entry, claim, said.path, inner=said.inner)
    return claim, key


def _known(said: Said, entry: PadEntry, ways: Sequence[Auth]) -> tuple[Claim, Auth]:
    found = rawkeys.proven(said.chain, said.identity, said.signed, said.hashes, ways, sha1=entry.sha1)
    check_identity(entry, found.claim, said.path, inner=said.inner)
    return found.claim, found.ways[0]


def _need_name(said: Said) -> None:
    """Raise Aborted where who says no name wants to prove something."""
    if said.identity.kind is IdentityKind.NULL and said.method != AuthMethod.NULL:
        raise Aborted(Reason.WRONG_IDENTITY, "the peer proves something, but says no name")


class Disbelieved(Aborted):
    """The responder has not proved who it is to us, and believes that there is an IKE SA."""


def proves(said: Said, keys: IkeKeys, key: PresharedKey) -> bool:
    """Whether the peer knows the key."""
    return same(said.chain.one(AuthPayload).data, keys.proof(key.key, said.signed))


def signed_claim(said: Said, *, sha1: bool) -> Claim:
    """What the signature in a message is about; raises Aborted."""
    if said.method not in signatures.SIGNED:
        raise wrong_method(said.method, ())
    shown = certificates.shown(said.chain)
    signatures.check(said.chain.one(AuthPayload), shown[0], said.signed, said.hashes, sha1=sha1)
    return replace(claim_of(said.identity, shown), stapled=certificates.brought(said.chain))


def wrong_method(method: AuthMethod | int, ways: Sequence[Auth]) -> IkeError:
    """What a peer ends in that proves itself otherwise than the policy wants."""
    wanted = " or ".join(map(str, ways)) or "another"
    return Aborted(Reason.WRONG_METHOD, f"the peer proves itself by {_words(method)}, the policy wants {wanted}")


def _words(method: AuthMethod | int) -> str:
    if method == AuthMethod.SHARED_KEY:
        return "a preshared key"
    if method == AuthMethod.NULL:
        return "nothing at all"
    return "a certificate" if method in signatures.SIGNED else f"method {method:d}, which is not served"


def refused_proof(chain: Chain, own: Own | None) -> IkeError:
    """What a peer means that answers IKE_AUTH without a proof of its own; ``own`` is None with EAP."""
    refused = refusal(chain)
    if refused is not None and refused.kind == Notify.AUTHENTICATION_FAILED:
        if own is None:
            what = "the peer does not let us in, or knows us by another name: it answers AUTHENTICATION_FAILED"
            return Aborted(Reason.PEER_REFUSED, what)
        if isinstance(own, NullAuth):
            what = "the peer takes nobody who proves nothing: it answers AUTHENTICATION_FAILED"
            return Aborted(Reason.PEER_REFUSED, what)
        if isinstance(own, PresharedKey):
            what = "the peer has another pre-shared key, or knows us by another name: it answers AUTHENTICATION_FAILED"
            return Aborted(Reason.WRONG_KEY, what)
        if isinstance(own, OwnKey):
            what = "the peer does not know our public key, or knows it by another name"
            return Aborted(Reason.PEER_REFUSED, f"{what}: it answers AUTHENTICATION_FAILED")
        what = f'the peer does not take our certificate "{own.name}", or our name: it answers AUTHENTICATION_FAILED'
        return Aborted(Reason.PEER_REFUSED, what)
    name = "nothing" if refused is None else name_of(refused.kind)
    return Aborted(Reason.PEER_REFUSED, f"the peer refuses to authenticate: {name}")


# The initiator's, as the responder sees it -------------------------------------------------------------------------


def judge_initiator(said: Said, keys: IkeKeys, entries: Sequence[PadEntry]) -> Exchange[tuple[PadEntry, Claim, Auth]]:
    """The entry that the peer has authenticated by, who it is, and by which way; raises Aborted.

    Those come first that are for this identity and have the name that the peer wants to speak to. A proof that fits
    only an entry for somebody else tells that.
    """
    proposing = _proposing(keys, entries)
    if not any(each.auth for each in proposing):
        raise Aborted(Reason.NO_POLICY, "no rule for this peer has a way to authenticate")
    _need_name(said)
    if said.method == AuthMethod.NULL:
        return _by_nothing(said, keys, proposing)
    if said.method == AuthMethod.SHARED_KEY:
        return _by_key(said, keys, proposing)
    return (yield from _by_signature(said, proposing))


def _proposing(keys: IkeKeys, entries: Sequence[PadEntry]) -> list[PadEntry]:
    return [each for each in entries if any(same_algorithms(one, keys.proposal) for one in each.proposals)]


def called(said: Said, keys: IkeKeys, entries: Sequence[PadEntry]) -> list[PadEntry]:
    """The entries for who has proved nothing yet: those that have the name that it wants to speak to, if any."""
    wanted = said.chain.maybe(IdResponderPayload)
    name, proposing = None if wanted is None else identity_of(wanted), _proposing(keys, entries)
    return [each for each in proposing if _is_called(each, name, said.path)] or proposing


def _by_nothing(said: Said, keys: IkeKeys, entries: Sequence[PadEntry]) -> tuple[PadEntry, Claim, Auth]:
    """A stranger, where an entry is for anybody."""
    having = [each for each in entries if null.takes_anybody(each)]
    if not having:
        raise wrong_method(said.method, [way for each in entries for way in each.auth])
    claim = null.claim(said.path, said.chain.one(AuthPayload), keys, said.signed, initiator=True)
    wanted = said.chain.maybe(IdResponderPayload)
    name = None if wanted is None or null.is_nameless(wanted) else identity_of(wanted)
    return next((each for each in having if _is_called(each, name, said.path)), having[0]), claim, NullAuth()


def _by_key(said: Said, keys: IkeKeys, entries: Sequence[PadEntry]) -> tuple[PadEntry, Claim, Auth]:
    claim = Claim(said.identity, (said.identity,))
    having = [each for each in entries if shared_key(each) is not None]
    if not having:
        raise wrong_method(said.method, [way for each in entries for way in each.auth])
    for entry in _in_order(said, having, claim):
        key = shared_key(entry)
        if key is not None and proves(said, keys, key):
            check_identity(entry, claim, said.path, inner=said.inner)
            return entry, claim, key
    raise Aborted(Reason.WRONG_KEY, "the peer has another pre-shared key: the proof in its request is wrong")


def _by_signature(said: Said, entries: Sequence[PadEntry]) -> Exchange[tuple[PadEntry, Claim, Auth]]:
    knowing = [each for each in entries if rawkeys.is_meant(said.chain, each.auth)]
    if knowing and said.method in signatures.SIGNED:
        return _by_known(said, knowing)
    having = [each for each in entries if by_certificate(each.auth)]
    if not having:
        raise wrong_method(said.method, [way for each in entries for way in each.auth])
    claim = signed_claim(said, sha1=any(each.sha1 for each in having))
    if said.method == AuthMethod.RSA:
        having = [each for each in having if each.sha1]
    ordered = _in_order(said, having, claim)
    fitting = [each for each in ordered if is_wanted(each, claim, said.path, inner=said.inner)]
    if not fitting:
        check_identity(ordered[0], claim, said.path, inner=said.inner)
    way = yield from judge(claim, dict.fromkeys(way for each in fitting for way in by_certificate(each.auth)))
    return next(each for each in fitting if way in each.auth), claim, way


def _by_known(said: Said, entries: Sequence[PadEntry]) -> tuple[PadEntry, Claim, Auth]:
    """By a key without a certificate, that one of ``entries`` knows."""
    if said.method == AuthMethod.RSA:
        entries = [each for each in entries if each.sha1] or entries
    ways = [way for each in entries for way in each.auth]
    found = rawkeys.proven(
        said.chain, said.identity, said.signed, said.hashes, ways, sha1=any(each.sha1 for each in entries)
    )
    having = [each for each in entries if any(way in each.auth for way in found.ways)]
    ordered = _in_order(said, having, found.claim)
    check_identity(ordered[0], found.claim, said.path, inner=said.inner)
    return ordered[0], found.claim, next(way for way in found.ways if way in ordered[0].auth)


def _in_order(said: Said, entries: Sequence[PadEntry], claim: Claim) -> list[PadEntry]:
    """Those that have the name that the peer wants to speak to, if any; those for its own name first."""
    wanted = said.chain.maybe(IdResponderPayload)
    name = None if wanted is None else identity_of(wanted)
    named = [each for each in entries if _is_called(each, name, said.path)] or list(entries)
    return sorted(named, key=lambda each: not is_wanted(each, claim, said.path, inner=said.inner))


def _is_called(entry: PadEntry, wanted: Identity | None, path: Path) -> bool:
    if wanted is None or same_identity(local_identity(entry, path), wanted):
        return True
    ours = [own for way in (*by_certificate(_ours(entry)), *_of_gateways(entry)) for own in way.own]
    return entry.local_identity is None and any(certificates.is_called(own, wanted) for own in ours)


def answering_ways(entry: PadEntry, theirs: Auth) -> tuple[Auth, ...]:
    """How a responder may prove itself to who has gone ``theirs``: alike, unless the policy names another way."""
    if entry.local_auth:
        return entry.local_auth
    if not isinstance(theirs, CertificateAuth):
        return (theirs,)
    return tuple(dict.fromkeys((theirs, *by_certificate(entry.auth))))
