# SPDX-License-Identifier: Apache-2.0
"""Main mode (RFC 2409 §5.1, §5.4): two hosts agree on keys and prove who they are.

    initiator                                    responder
    SA, vendor ids                        ->
                                          <-     SA with one transform, vendor ids
    KE, Ni [, CR] [, NAT-D, NAT-D]        ->
                                          <-     KE, Nr [, CR] [, NAT-D, NAT-D]
    { IDii, proof [, INITIAL-CONTACT] }   ->
                                          <-     { IDir, proof [, INITIAL-CONTACT] [, RESPONDER-LIFETIME] }

What is in braces is encrypted. The proof is a hash made with a pre-shared key, or certificates and a signature
(``proofs``); the transform that both took in messages 1 and 2 says which. A key must be known before the identity is:
it is chosen by address. Until the proof is checked nothing is believed; who has shown it may still be the wrong one.

Where both sides can (RFC 3947), they look for NAT in messages 3 and 4; behind one, message 5 goes by port 4500. A peer
behind NAT calls itself by an address that we do not see. Where no identity is asked of it, it may be the one that its
own NAT-D payload is about.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from ringfence.crypto import dh
from ringfence.crypto.errors import BadPublicValue
from ringfence.crypto.prf import Prf
from ringfence.crypto.suites import is_legacy
from ringfence.databases.identity import Identity, IdentityKind
from ringfence.databases.pad import Auth, PadEntry
from ringfence.databases.proposal import IkeProposal
from ringfence.ike.claims import Claim, check_identity, is_ours, is_wanted, same_algorithms
from ringfence.ike.effects import LogIkeKey
from ringfence.ike.errors import Aborted, IkeError, Reason
from ringfence.ike.exchange import Env, Exchange, Message, answer, conclude, perform, protect, request, traverse
from ringfence.ike.lifetime import stricter
from ringfence.ike.payload import Chain, Payload
from ringfence.ike.through_nat import check_nat
from ringfence.ike.v1 import keys as k
from ringfence.ike.v1 import natt
from ringfence.ike.v1.authentication import methods_for, usable
from ringfence.ike.v1.informational import name_of
from ringfence.ike.v1.lifetimes import said, shorter
from ringfence.ike.v1.negotiate import MainChoice, accepted_main, accepted_method, choose_main, main_meaning, offer_main
from ringfence.ike.v1.notifies import Notify
from ringfence.ike.v1.payloads import (
    IPSEC_DOI,
    KePayload,
    NoncePayload,
    NotifyPayload,
    ProtocolId,
    SaPayload,
    VendorPayload,
)
from ringfence.ike.v1.proofs import Proof, Said, proof_for
from ringfence.ike.v1.proofs import wrong_key as wrong_key
from ringfence.ike.v1.vendors import Vendor, announced, recognised
from ringfence.net.address import Path
from ringfence.secret import Secret

NONCE_OCTETS = 32

KEY_TROUBLE = (
    Notify.AUTHENTICATION_FAILED,
    Notify.PAYLOAD_MALFORMED,
    Notify.INVALID_HASH_INFORMATION,
    Notify.INVALID_PAYLOAD_TYPE,
)
"""What a peer with another pre-shared key says to message 5."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a main mode begins with."""

    path: Path
    entries: tuple[PadEntry, ...]
    """How a peer at that address may authenticate: one where we begin, all that fit where the peer does."""
    initiator_cookie: bytes
    responder_cookie: bytes
    """Ours where the peer begins; otherwise not known yet."""
    first_contact: Callable[[], bool]
    """Whether we have nothing else with this peer, and say so; asked then, for the peer may have begun meanwhile."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """What a main mode comes to."""

    keys: k.MainKeys
    proposal: IkeProposal
    """With the stricter lifetimes of both sides."""
    entry: PadEntry
    local: Identity
    remote: Identity
    vendors: frozenset[Vendor]
    first_contact: bool
    """Whether the peer says that it has nothing else with us."""
    nat: natt.Nat | None = None
    """What is between us; None for none."""
    inner: bool = False
    """Whether the peer's identity is its address behind NAT."""
    auth: Auth | None = None
    """The way by which both have proved themselves; None for the entry's first."""
    names: tuple[Identity, ...] = ()
    """All that the peer has proved to be, where a certificate says so."""
    certificate: str = ""
    """The subject of the peer's certificate."""

    @property
    def proof_ends(self) -> float | None:
        """Every main mode has a proof of its own."""
        return None

    @property
    def proof(self) -> str:
        """By what the peer has proved who it is, for people."""
        auth = self.auth or next(iter(self.entry.auth), None)
        return f"{auth}: {self.certificate}" if self.certificate else str(auth or "")

    def by(self, path: Path) -> "Agreed":
        """The same, now that ``path`` shows what the initiator has found: port 4500 for NAT, port 500 for none.

        What is said of NAT in messages 3 and 4 is not authenticated. A responder that was misled there believes what
        the initiator does; else no quick mode could succeed as long as this main mode lives.
        """
        return self if path.local.port == natt.NAT_PORT else replace(self, nat=None, inner=False)


PROOF = 5
"""The message in which the initiator says who it is; before it the responder has nothing."""


def initiate(setting: Setting, env: Env) -> Exchange[Agreed]:
    """Begin a main mode."""
    (entry,) = setting.entries
    offered = usable(entry)
    if entry.auth and not offered:
        raise Aborted(Reason.NO_CERTIFICATE, f"this computer has none for {' or '.join(map(str, entry.auth))}")
    offer = offer_main(entry.proposals, methods_for(entry))
    serves = entry.nat_traversal and natt.serves(setting.path)
    vendors = *own_vendors(entry, first=setting.first_contact()), *natt.offered(serves=serves)
    chosen = yield from request(offer, *vendors, check=takes_one_of(offer, entry))
    proposal = accepted_main(offer, chosen.chain.one(SaPayload), entry.proposals)
    proof = proof_for(accepted_method(chosen.chain.one(SaPayload)), offered)

    half = dh.generate(proposal.group, env.random, legacy=is_legacy(proposal.group))
    nonce = NoncePayload(env.random(NONCE_OCTETS))
    cookies = setting.initiator_cookie + chosen.header.responder_cookie
    look = Look(natt.common(chosen.chain, serves=serves), proposal, cookies, setting.path)
    theirs = (yield from request(KePayload(half.public), nonce, *proof.requests(), *look.payloads())).chain
    look.at(theirs)
    shared = k.Shared(
        initiator_cookie=setting.initiator_cookie,
        responder_cookie=chosen.header.responder_cookie,
        initiator_public=half.public,
        responder_public=theirs.one(KePayload).public,
        initiator_nonce=nonce.data,
        responder_nonce=theirs.one(NoncePayload).data,
        secret=secret_of(half, theirs.one(KePayload)),
    )
    keys = proof.derive(proposal, shared)
    yield from protect(keys)
    yield from perform(LogIkeKey(setting.initiator_cookie, keys.e))

    check_nat(entry, look.nat)
    if look.nat is not None:
        yield from traverse(natt.floated(setting.path), peer_moves=look.nat.remote)

    sa_body = offer.encode()
    shown = yield from proof.show(entry, setting.path, keys, Said(sa_body, True, theirs))
    check = proof.check(keys, sa_body, initiator=False)
    last = yield from request(*shown.payloads, *contact(setting, keys), check=check)
    claim = proof.claim(last.chain)
    inner = look.is_inner(claim.identity)
    check_identity(entry, claim, setting.path, inner=inner)
    auth = yield from proof.judge(claim, offered)
    known = recognised(chosen.chain) | recognised(theirs) | recognised(last.chain)
    proposal = replace(proposal, limits=stricter(proposal.limits, said(last.chain, main=True)))
    return Agreed(
        keys, proposal, entry, shown.identity, claim.identity, known, says_first_contact(last), look.nat, inner,
        auth, claim.names, claim.certificate,
    )  # fmt: skip


def respond(first: Message, setting: Setting, env: Env) -> Exchange[Agreed]:
    """Answer a main mode; ``first`` is message 1."""
    choice = choose_main(first.chain.one(SaPayload), setting.entries)
    proposal, entry = choice.proposal, choice.entry
    proof = proof_for(choice.method, usable(entry), setting.entries)
    common = natt.common(first.chain, serves=entry.nat_traversal and natt.serves(setting.path))
    vendors = *own_vendors(entry), *((VendorPayload(common),) if common else ())
    theirs = (yield from answer(choice.answer, *vendors)).chain
    cookies = setting.initiator_cookie + setting.responder_cookie
    look = Look(common, proposal, cookies, setting.path)
    look.at(theirs)

    half = dh.generate(proposal.group, env.random, legacy=is_legacy(proposal.group))
    nonce = NoncePayload(env.random(NONCE_OCTETS))
    shared = k.Shared(
        initiator_cookie=setting.initiator_cookie,
        responder_cookie=setting.responder_cookie,
        initiator_public=theirs.one(KePayload).public,
        responder_public=half.public,
        initiator_nonce=theirs.one(NoncePayload).data,
        responder_nonce=nonce.data,
        secret=secret_of(half, theirs.one(KePayload)),
    )
    keys = proof.derive(proposal, shared)
    yield from protect(keys)
    yield from perform(LogIkeKey(setting.initiator_cookie, keys.e))

    if look.nat is not None:
        yield from traverse(setting.path, peer_moves=look.nat.remote)
    sa_body = first.chain.body(SaPayload)
    check = proof.check(keys, sa_body, initiator=True)
    last = yield from answer(KePayload(half.public), nonce, *proof.requests(), *look.payloads(), check=check)
    claim = proof.claim(last.chain)
    inner = look.is_inner(claim.identity)
    fitting = entries_that_fit(claim, choice, proof, setting, inner=inner)
    auth = yield from proof.judge(claim, tuple(dict.fromkeys(way for one in fitting for way in proof.ways(one))))
    entry = next(one for one in fitting if auth in proof.ways(one))
    shown = yield from proof.show(entry, setting.path, keys, Said(sa_body, False, theirs))
    yield from conclude(*shown.payloads, *contact(setting, keys), *shorter_life(choice, cookies))
    known = recognised(first.chain) | recognised(theirs) | recognised(last.chain)
    return Agreed(
        keys, proposal, entry, shown.identity, claim.identity, known, says_first_contact(last), look.nat, inner,
        auth, claim.names, claim.certificate,
    )  # fmt: skip


class Look:
    """For NAT, in messages 3 and 4."""

    def __init__(self, common: bytes | None, proposal: IkeProposal, cookies: bytes, path: Path) -> None:
        """``common`` is the vendor id that both sides have said."""
        self._path = path
        self._theirs = Chain(())
        self._detector: natt.Detector | None = None
        if common is not None:
            hash_ = Prf(proposal.hash, legacy=is_legacy(proposal.hash)).hash
            self._detector = natt.Detector(hash_, cookies, natt.NAT_T_IDS[common])
        self.nat: natt.Nat | None = None
        """What was found."""

    def payloads(self, path: Path | None = None) -> tuple[Payload, ...]:
        """What we say, in a message that goes by ``path``."""
        return () if self._detector is None else self._detector.payloads(path or self._path)

    def at(self, theirs: Chain, path: Path | None = None) -> None:
        """Look at the peer's message, which came by ``path``."""
        if self._detector is not None:
            self._theirs, self.nat = theirs, self._detector.found(theirs, path or self._path)

    def is_inner(self, identity: Identity) -> bool:
        """Whether it is the address that a peer behind NAT has itself."""
        behind = self._detector is not None and self.nat is not None and self.nat.remote
        address = identity.kind is IdentityKind.IPV4_ADDRESS
        return behind and address and self._detector is not None and self._detector.is_own(self._theirs, identity.data)


def own_vendors(entry: PadEntry, *, first: bool = False) -> tuple[VendorPayload, ...]:
    """What we say of ourselves to a peer of ``entry``; ``first``: and that we have nothing with it yet."""
    return announced(joins=entry.fragmentation, users=entry.xauth is not None, first=first)


def satisfies(made: Agreed, entry: PadEntry, path: Path) -> bool:
    """Whether what was proved is what another ``entry`` wants proved as well."""
    auth = made.auth or made.entry.auth[0]
    return entry == made.entry or (
        1 in entry.keying
        and entry.serves(path.remote.address, path.local.address)
        and auth in entry.auth
        and entry.xauth in (None, made.entry.xauth)
        and is_ours(entry, auth, made.local, path)
        and is_wanted(entry, Claim(made.remote, made.names or (made.remote,)), path, inner=made.inner)
        and any(same_algorithms(each, made.proposal) for each in entry.proposals)
    )


def says_first_contact(message: Message) -> bool:
    """Whether the peer says that it knows of no other SA with us (RFC 2407 §4.6.3.3)."""
    return any(notify.kind == Notify.INITIAL_CONTACT for notify in message.chain.all(NotifyPayload))


def takes_one_of(offer: SaPayload, entry: PadEntry) -> Callable[[Message], None]:
    """The check of an answer to our proposals."""
    return lambda message: _ignore(accepted_main(offer, message.chain.one(SaPayload), entry.proposals))


def _ignore(_value: object) -> None:
    """A check is for what it raises."""


def refused_in_clear(kind: int, number: int, proof: int = PROOF, *, signed: bool = False) -> IkeError:
    """What a notify in clear hints at, after message ``number``; ``proof`` is the one that proves who we are."""
    name = name_of(kind)
    if number >= proof and kind in KEY_TROUBLE and not signed:
        return wrong_key(f"it answers message {proof} with {name}")
    return Aborted(Reason.PEER_REFUSED, f"the peer refuses: {name}")


def secret_of(half: dh.KeyPair, theirs: KePayload) -> Secret:
    """What both know; raises Aborted for a value that is none."""
    try:
        return half.shared(theirs.public)
    except BadPublicValue as error:
        raise Aborted(Reason.BAD_KEY_EXCHANGE, f"the peer's Diffie-Hellman value is wrong: {error.message}") from error


def entries_that_fit(
    claim: Claim, choice: MainChoice, proof: Proof, setting: Setting, *, inner: bool
) -> list[PadEntry]:  # fmt: skip
    """The entries for the peer that has shown itself: the one chosen by address, and others that prove the same way."""
    found = [
        entry
        for entry in dict.fromkeys((choice.entry, *setting.entries))
        if proof.ways(entry)
        and entry.xauth == choice.entry.xauth
        and any(same_algorithms(each, choice.proposal) for each in entry.proposals)
        and is_wanted(entry, claim, setting.path, inner=inner)
    ]
    if not found:
        check_identity(choice.entry, claim, setting.path, inner=inner)
    return found or [choice.entry]


def shorter_life(choice: MainChoice, cookies: bytes) -> tuple[NotifyPayload, ...]:
    """What tells that we keep it for less than was offered."""
    offered = main_meaning(choice.answer.proposals[0].transforms[0]).limits
    return shorter(choice.proposal.limits, offered, ProtocolId.ISAKMP, cookies)


def contact(setting: Setting, keys: k.MainKeys) -> tuple[NotifyPayload, ...]:
    """What tells that we have nothing else with the peer, if so."""
    if not setting.first_contact():
        return ()
    spi = keys.shared.initiator_cookie + keys.shared.responder_cookie
    return (NotifyPayload(IPSEC_DOI, ProtocolId.ISAKMP, spi, Notify.INITIAL_CONTACT),)
