# SPDX-License-Identifier: Apache-2.0
"""Main mode with a pre-shared key (RFC 2409 §5.4): two hosts agree on keys and prove who they are.

    initiator                                    responder
    SA, vendor ids                        ->
                                          <-     SA with one transform, vendor ids
    KE, Ni [, NAT-D, NAT-D]               ->
                                          <-     KE, Nr [, NAT-D, NAT-D]
    { IDii, HASH_I [, INITIAL-CONTACT] }  ->
                                          <-     { IDir, HASH_R [, INITIAL-CONTACT] }

The key must be known before the identity is: it is chosen by address. What is in braces is encrypted. Until HASH_I or
HASH_R is checked nothing is believed; who has shown the right hash knows the key, and may still be the wrong one.

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
from ringfence.databases.pad import PadEntry, PresharedKey, ThroughNat
from ringfence.databases.proposal import IkeProposal
from ringfence.ike.differences import compare_identity
from ringfence.ike.effects import LogIkeKey
from ringfence.ike.errors import Aborted, IkeError, Reason
from ringfence.ike.exchange import Env, Exchange, Message, answer, conclude, perform, protect, request, traverse
from ringfence.ike.payload import Chain, Payload
from ringfence.ike.v1 import keys as k
from ringfence.ike.v1 import natt
from ringfence.ike.v1.identities import identity_of, main_id, same_identity
from ringfence.ike.v1.informational import name_of
from ringfence.ike.v1.negotiate import accepted_main, choose_main, offer_main
from ringfence.ike.v1.notifies import Notify
from ringfence.ike.v1.payloads import (
    IPSEC_DOI,
    HashPayload,
    IdPayload,
    KePayload,
    NoncePayload,
    NotifyPayload,
    ProtocolId,
    SaPayload,
    VendorPayload,
)
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
    offer = offer_main(entry.proposals)
    serves = entry.nat_traversal and natt.serves(setting.path)
    vendors = *announced(joins=entry.fragmentation), *natt.offered(serves=serves)
    chosen = yield from request(offer, *vendors, check=_takes_one_of(offer, entry))
    proposal = accepted_main(offer, chosen.chain.one(SaPayload), entry.proposals)

    half = dh.generate(proposal.group, env.random, legacy=is_legacy(proposal.group))
    nonce = NoncePayload(env.random(NONCE_OCTETS))
    cookies = setting.initiator_cookie + chosen.header.responder_cookie
    look = _Look(natt.common(chosen.chain, serves=serves), proposal, cookies, setting.path)
    theirs = (yield from request(KePayload(half.public), nonce, *look.payloads())).chain
    look.at(theirs)
    shared = k.Shared(
        initiator_cookie=setting.initiator_cookie,
        responder_cookie=chosen.header.responder_cookie,
        initiator_public=half.public,
        responder_public=theirs.one(KePayload).public,
        initiator_nonce=nonce.data,
        responder_nonce=theirs.one(NoncePayload).data,
        secret=_secret(half, theirs.one(KePayload)),
    )
    keys = k.derive(proposal, _key(entry), shared)
    yield from protect(keys)
    yield from perform(LogIkeKey(setting.initiator_cookie, keys.e))

    _check_nat(entry, look.nat)
    if look.nat is not None:
        yield from traverse(natt.floated(setting.path), peer_moves=look.nat.remote)

    local = local_identity(entry, setting.path)
    mine, sa_body = main_id(local), offer.encode()
    proof = HashPayload(keys.proof(sa_body, mine.encode(), initiator=True))
    last = yield from request(mine, proof, *_contact(setting, keys), check=_proves(keys, sa_body, initiator=False))
    remote = identity_of(last.chain.one(IdPayload))
    inner = look.is_inner(remote)
    _check_identity(entry, remote, setting.path, inner=inner)
    known = recognised(chosen.chain) | recognised(theirs) | recognised(last.chain)
    return Agreed(keys, proposal, entry, local, remote, known, says_first_contact(last), look.nat, inner)


def respond(first: Message, setting: Setting, env: Env) -> Exchange[Agreed]:
    """Answer a main mode; ``first`` is message 1."""
    choice = choose_main(first.chain.one(SaPayload), setting.entries)
    proposal, entry = choice.proposal, choice.entry
    common = natt.common(first.chain, serves=entry.nat_traversal and natt.serves(setting.path))
    vendors = *announced(joins=entry.fragmentation), *((VendorPayload(common),) if common else ())
    theirs = (yield from answer(choice.answer, *vendors)).chain
    cookies = setting.initiator_cookie + setting.responder_cookie
    look = _Look(common, proposal, cookies, setting.path)
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
        secret=_secret(half, theirs.one(KePayload)),
    )
    keys = k.derive(proposal, _key(entry), shared)
    yield from protect(keys)
    yield from perform(LogIkeKey(setting.initiator_cookie, keys.e))

    if look.nat is not None:
        yield from traverse(setting.path, peer_moves=look.nat.remote)
    sa_body, check = first.chain.body(SaPayload), _proves(keys, first.chain.body(SaPayload), initiator=True)
    last = yield from answer(KePayload(half.public), nonce, *look.payloads(), check=check)
    remote = identity_of(last.chain.one(IdPayload))
    inner = look.is_inner(remote)
    entry = _entry_for(remote, entry, choice.proposal, setting, inner=inner)
    local = local_identity(entry, setting.path)
    mine = main_id(local)
    proof = HashPayload(keys.proof(sa_body, mine.encode(), initiator=False))
    yield from conclude(mine, proof, *_contact(setting, keys))
    known = recognised(first.chain) | recognised(theirs) | recognised(last.chain)
    return Agreed(keys, proposal, entry, local, remote, known, says_first_contact(last), look.nat, inner)


class _Look:
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

    def payloads(self) -> tuple[Payload, ...]:
        """What we say."""
        return () if self._detector is None else self._detector.payloads(self._path)

    def at(self, theirs: Chain) -> None:
        """Look at the peer's message."""
        if self._detector is not None:
            self._theirs, self.nat = theirs, self._detector.found(theirs, self._path)

    def is_inner(self, identity: Identity) -> bool:
        """Whether it is the address that a peer behind NAT has itself."""
        behind = self._detector is not None and self.nat is not None and self.nat.remote
        address = identity.kind is IdentityKind.IPV4_ADDRESS
        return behind and address and self._detector is not None and self._detector.is_own(self._theirs, identity.data)


def satisfies(made: Agreed, entry: PadEntry, path: Path) -> bool:
    """Whether what was proved is what another ``entry`` wants proved as well."""
    return entry == made.entry or (
        any(path.remote.address in each for each in entry.remote)
        and entry.auth[:1] == made.entry.auth[:1]
        and same_identity(local_identity(entry, path), made.local)
        and _is_wanted(entry, made.remote, path, inner=made.inner)
        and any(_same_algorithms(each, made.proposal) for each in entry.proposals)
    )


def _same_algorithms(one: IkeProposal, other: IkeProposal) -> bool:
    return (one.cipher, one.hash, one.group) == (other.cipher, other.hash, other.group)


def says_first_contact(message: Message) -> bool:
    """Whether the peer says that it knows of no other SA with us (RFC 2407 §4.6.3.3)."""
    return any(notify.kind == Notify.INITIAL_CONTACT for notify in message.chain.all(NotifyPayload))


def _takes_one_of(offer: SaPayload, entry: PadEntry) -> Callable[[Message], None]:
    return lambda message: _ignore(accepted_main(offer, message.chain.one(SaPayload), entry.proposals))


def _ignore(_value: object) -> None:
    """A check is for what it raises."""


def _proves(keys: k.MainKeys, sa_body: bytes, *, initiator: bool) -> Callable[[Message], None]:
    """The check of message 5 or 6: its sender knows the key."""

    def check(message: Message) -> None:
        expected = keys.proof(sa_body, message.chain.body(IdPayload), initiator=initiator)
        if not k.same(message.chain.one(HashPayload).data, expected):
            raise wrong_key("the proof in it is wrong")

    return check


def wrong_key(what: str) -> IkeError:
    """What a message that another key made ends in."""
    return Aborted(Reason.WRONG_KEY, f"the peer has another pre-shared key: {what}")


def refused_in_clear(kind: int, number: int) -> IkeError:
    """What a notify in clear hints at, after message ``number``."""
    name = name_of(kind)
    if number >= 5 and kind in KEY_TROUBLE:
        return wrong_key(f"it answers message 5 with {name}")
    return Aborted(Reason.PEER_REFUSED, f"the peer refuses: {name}")


def _secret(half: dh.KeyPair, theirs: KePayload) -> Secret:
    try:
        return half.shared(theirs.public)
    except BadPublicValue as error:
        raise Aborted(Reason.BAD_KEY_EXCHANGE, f"the peer's Diffie-Hellman value is wrong: {error.message}") from error


def _key(entry: PadEntry) -> Secret:
    """Main mode has one key per address: the entry's first."""
    if not entry.auth:
        raise Aborted(Reason.NO_POLICY, f'"{entry.name}" has no way to authenticate')
    first = entry.auth[0]
    if not isinstance(first, PresharedKey):
        raise Aborted(Reason.NO_POLICY, f'"{entry.name}" has no preshared key')
    return first.key


def local_identity(entry: PadEntry, path: Path) -> Identity:
    """What we say we are."""
    return entry.local_identity or Identity.of_address(path.local.address)


def wanted_identity(entry: PadEntry, path: Path) -> Identity:
    """What the peer must prove to be."""
    return entry.remote_identity or Identity.of_address(path.remote.address)


def _is_wanted(entry: PadEntry, remote: Identity, path: Path, *, inner: bool) -> bool:
    """Whether the entry takes ``remote``; the ``inner`` address of a peer behind NAT stands for the one we see."""
    return entry.admits(remote) and _is_named(entry, remote, path, inner=inner)


def _is_named(entry: PadEntry, remote: Identity, path: Path, *, inner: bool) -> bool:
    """Whether it is who the entry is for; who is let in by name need not be called by the address that we see."""
    if entry.remote_identity is None and (inner or not entry.names_nobody):
        return True
    return same_identity(remote, wanted_identity(entry, path))


def _check_identity(entry: PadEntry, remote: Identity, path: Path, *, inner: bool) -> None:
    if not _is_named(entry, remote, path, inner=inner):
        wanted = wanted_identity(entry, path)
        raise Aborted(
            Reason.WRONG_IDENTITY,
            f"the peer has the right key but is {remote}, not {wanted}",
            comparison=compare_identity(remote, wanted),
        )
    if not entry.admits(remote):
        rule = entry.origin.rule
        raise Aborted(Reason.NOT_AUTHORIZED, f'the peer proved to be {remote}, whom rule "{rule}" does not let in')


def _check_nat(entry: PadEntry, nat: natt.Nat | None) -> None:
    """Begin with nobody behind NAT where the policy says so."""
    if nat is None or not nat.remote or entry.through_nat is ThroughNat.BOTH:
        return
    if entry.through_nat is ThroughNat.NEVER:
        raise Aborted(Reason.NAT, "the peer is behind NAT, and the policy begins with nobody there")
    if nat.local:
        raise Aborted(Reason.NAT, "both sides are behind NAT, and the policy does not begin there")


def _entry_for(remote: Identity, chosen: PadEntry, proposal: IkeProposal, setting: Setting, *, inner: bool) -> PadEntry:
    """The entry for the peer that has shown itself: the one chosen by address, or another with the same key."""
    for entry in (chosen, *setting.entries):
        same_terms = entry.auth[:1] == chosen.auth[:1] and any(
            _same_algorithms(each, proposal) for each in entry.proposals
        )
        if same_terms and _is_wanted(entry, remote, setting.path, inner=inner):
            return entry
    _check_identity(chosen, remote, setting.path, inner=inner)
    return chosen


def _contact(setting: Setting, keys: k.MainKeys) -> tuple[NotifyPayload, ...]:
    if not setting.first_contact():
        return ()
    spi = keys.shared.initiator_cookie + keys.shared.responder_cookie
    return (NotifyPayload(IPSEC_DOI, ProtocolId.ISAKMP, spi, Notify.INITIAL_CONTACT),)
