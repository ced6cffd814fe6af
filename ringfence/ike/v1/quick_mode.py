# SPDX-License-Identifier: Apache-2.0
"""Quick mode (RFC 2409 §5.5): under the keys of a main mode, two hosts agree on SAs for some traffic.

    initiator                                        responder
    { HASH(1), SA, Ni [, KE], IDci, IDcr
      [, NAT-OA, NAT-OA] }                    ->
                                              <-     { HASH(2), SA, Nr [, KE], IDci, IDcr [, NAT-OA, NAT-OA]
                                                       [, RESPONDER-LIFETIME] }
    { HASH(3) }                               ->

All is encrypted. HASH(1) proves the sender but not that the message is new; HASH(2) and HASH(3) hold the other's nonce
and prove both. The responder can receive before its answer leaves, so that the initiator may send at once; it sends
itself only after HASH(3). Without IDs the two hosts themselves are meant.

Through NAT, all goes in UDP. In transport mode the IDs then name each host as it sees itself, and are read as the
addresses that we see; the NAT-OA payloads tell a peer the others, of which we need nothing (see datapath/udp.py).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from ringfence.crypto import dh
from ringfence.crypto.errors import BadPublicValue
from ringfence.crypto.integrity import same
from ringfence.crypto.suites import DhGroup, is_legacy
from ringfence.databases.identity import Identity
from ringfence.databases.pool import Assigned, Assignment
from ringfence.databases.proposal import Protocol, SecurityMethod
from ringfence.databases.sa import ChildSa, Mode, Sa
from ringfence.databases.selector import Selector
from ringfence.databases.spd import SpdEntry
from ringfence.ike.agreement import (
    at_address,
    check_demand,
    check_rival,
    make_child,
    make_sa,
    material_octets,
    processing_of,
)
from ringfence.ike.children import Children
from ringfence.ike.differences import compare_traffic
from ringfence.ike.effects import InstallInbound
from ringfence.ike.errors import Ignored, Reason, Refused
from ringfence.ike.exchange import Env, Exchange, Message, conclude, perform, request
from ringfence.ike.lifetime import stricter
from ringfence.ike.payload import Payload, encode_chain
from ringfence.ike.through_nat import passing
from ringfence.ike.v1 import natt
from ringfence.ike.v1.identities import quick_ids, selector_of
from ringfence.ike.v1.keys import MainKeys
from ringfence.ike.v1.lifetimes import said, shorter
from ringfence.ike.v1.methods import Choice, accepted_quick, choose_quick, offer_quick, protocols
from ringfence.ike.v1.payloads import (
    HashPayload,
    IdPayload,
    KePayload,
    NoncePayload,
    NotifyPayload,
    SaPayload,
)
from ringfence.ike.v1.transforms import PROTOCOL_ID, SPI_OCTETS, quick_meaning
from ringfence.net.address import AddressRange, Path
from ringfence.secret import Secret

NONCE_OCTETS = 32
CLUSTER_IDLE_S = 60
"""So soon a contract with a cluster ends without traffic: another of its computers may take the next one over."""

Spis = Mapping[Protocol, int]


@dataclass(frozen=True, slots=True)
class Ground:
    """What a quick mode stands on."""

    ike_id: int
    keys: MainKeys
    path: Path
    peer: Identity
    message_id: int
    children: Children
    """Gives ids and SPIs, and knows what this contract would replace."""
    nat: natt.Nat | None = None
    """What is between the hosts."""
    unanswered_s: int | None = None
    """After sending for so long into silence, the peer is to be asked whether it is there."""
    given: Assignment | None = None
    """What the peer has given us."""
    leased: tuple[bytes, ...] = ()
    """What we have given the peer."""
    names: tuple[Identity, ...] = ()
    """All that the peer has proved to be, where that is more."""
    cluster: bool = False
    """Whether the peer is several computers with one address."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an initiator wants."""

    entry: SpdEntry
    selector: Selector
    nonce: bytes
    replaces: int | None = None


@dataclass(frozen=True, slots=True)
class Contest:
    """What a responder may have under way for the same traffic."""

    entries: Sequence[SpdEntry]
    """What the policy protects with this peer, in order."""
    our_nonce: Callable[[Selector], bytes | None]
    """Of a quick mode that we began for the same, and that still runs."""
    replaces: Callable[[Selector], int | None]
    """The contract in use for the same."""


def initiate(ground: Ground, wanted: Wanted, env: Env) -> Exchange[ChildSa]:
    """Begin a quick mode; raises Refused for what IKEv1 cannot say."""
    check_demand(wanted.entry, ground)
    wanted = replace(wanted, selector=at_address(wanted.entry, wanted.selector, ground.given))
    processing = passing(processing_of(wanted.entry), ground.nat)
    spis = {protocol: ground.children.new_spi(env.random) for protocol in protocols(processing)}
    offer, ids = offer_quick(processing, spis, ground.nat), quick_ids(wanted.selector)
    half = _half(processing.pfs, env)
    nonce = NoncePayload(wanted.nonce)
    ends = ground.path.local.address, ground.path.remote.address
    rest = (offer, nonce, *_ke(half), *ids, *natt.originals(processing.mode, ground.nat, *ends))
    reply = yield from request(*_hashed(ground, b"", rest), check=authentic(ground, nonce.data))

    choice = accepted_quick(offer, reply.chain.one(SaPayload), processing)
    _check_ids(ids, reply.chain.all(IdPayload), wanted.selector, processing.mode, ground)
    secret = _secret(half, reply)
    nonces = nonce.data + reply.chain.one(NoncePayload).data
    limits = stricter(choice.method.limits, said(reply.chain))
    terms = _Terms(wanted.entry, wanted.selector, replace(choice.method, limits=limits), spis, choice.spis)
    child = _contract(ground, terms, nonces, secret, env, initiator=True, replaces=wanted.replaces)
    yield from perform(InstallInbound(child))
    yield from conclude(HashPayload(ground.keys.quick_hash_3(ground.message_id, nonces)))
    return child


def respond(first: Message, ground: Ground, contest: Contest, env: Env) -> Exchange[ChildSa]:
    """Answer a quick mode; ``first`` is message 1. It is authentic."""
    ids = first.chain.all(IdPayload)
    selector = selector_of(ids[1], ids[0]) if ids else _hosts(ground.path)
    initiator_nonce = first.chain.one(NoncePayload).data
    spis = {protocol: ground.children.new_spi(env.random) for protocol in _offered(first.chain.one(SaPayload))}
    entry, choice, selector = _choose(first.chain.one(SaPayload), selector, contest.entries, spis, ground)
    check_rival(ground, entry, selector)
    _check_crossing(contest.our_nonce(selector), initiator_nonce)

    half = _half(choice.group, env)
    secret = _secret(half, first)
    nonce = NoncePayload(env.random(NONCE_OCTETS))
    nonces = initiator_nonce + nonce.data
    terms = _Terms(entry, selector, choice.method, spis, choice.spis)
    child = _contract(ground, terms, nonces, secret, env, initiator=False, replaces=contest.replaces(selector))
    yield from perform(InstallInbound(child))
    ends = ground.path.remote.address, ground.path.local.address
    originals = natt.originals(processing_of(entry).mode, ground.nat, *ends)
    rest = (choice.answer, nonce, *_ke(half), *ids, *originals, *_shorter_life(choice))

    def confirms(message: Message) -> None:
        expected = ground.keys.quick_hash_3(ground.message_id, nonces)
        if not same(message.chain.one(HashPayload).data, expected):
            raise Ignored(Reason.BAD_HASH, "HASH(3) is wrong")

    yield from request(*_hashed(ground, initiator_nonce, rest), check=confirms)
    return child


# Hashes ------------------------------------------------------------------------------------------------------------


def _hashed(ground: Ground, nonce: bytes, rest: Sequence[Payload]) -> tuple[Payload, ...]:
    """``rest`` behind HASH(1), or with the initiator's ``nonce`` behind HASH(2)."""
    _, octets = encode_chain(rest)
    return HashPayload(ground.keys.phase2_hash(ground.message_id, nonce, octets)), *rest


def authentic(ground: Ground, nonce: bytes = b"") -> Callable[[Message], None]:
    """The check of HASH(1), or with the initiator's ``nonce`` of HASH(2)."""

    def check(message: Message) -> None:
        expected = ground.keys.phase2_hash(ground.message_id, nonce, message.chain.behind_first())
        if not same(message.chain.one(HashPayload).data, expected):
            raise Ignored(Reason.BAD_HASH, f"HASH({2 if nonce else 1}) is wrong")

    return check


# The second Diffie-Hellman exchange --------------------------------------------------------------------------------


def _half(group: DhGroup | None, env: Env) -> dh.KeyPair | None:
    return None if group is None else dh.generate(group, env.random, legacy=is_legacy(group))


def _ke(half: dh.KeyPair | None) -> tuple[KePayload, ...]:
    return () if half is None else (KePayload(half.public),)


def _secret(half: dh.KeyPair | None, message: Message) -> Secret | None:
    """The secret of the second exchange; raises Refused unless both sides take part or neither."""
    theirs = message.chain.maybe(KePayload)
    if (half is None) != (theirs is None):
        what = "has no key exchange payload although its proposal has a group" if half else "adds a key exchange"
        raise Refused(Reason.BAD_KEY_EXCHANGE, f"the peer {what}")
    if half is None or theirs is None:
        return None
    try:
        return half.shared(theirs.public)
    except BadPublicValue as error:
        raise Refused(Reason.BAD_KEY_EXCHANGE, f"the peer's Diffie-Hellman value is wrong: {error.message}") from error


# Traffic -----------------------------------------------------------------------------------------------------------


def _hosts(path: Path) -> Selector:
    return Selector(AddressRange.host(path.local.address), AddressRange.host(path.remote.address))


def _check_ids(
    ours: tuple[IdPayload, IdPayload], theirs: tuple[IdPayload, ...], selector: Selector, mode: Mode, ground: Ground
) -> None:
    """The peer's answer is about the traffic that we asked for; raises Refused."""
    answered = selector_of(theirs[0], theirs[1]) if theirs else _hosts(ground.path)
    answered = natt.as_seen(answered, mode, ground.nat, ground.path)
    if answered != selector and theirs != ours:
        raise Refused(Reason.WRONG_SELECTORS, f"the peer answers for {answered} where we asked for {selector}")


def _check_crossing(our_nonce: bytes | None, initiator_nonce: bytes) -> None:
    """Two quick modes for the same cross: the one with the greater nonce goes on, at both sides."""
    if our_nonce is not None and our_nonce > initiator_nonce:
        raise Ignored(Reason.COLLISION, "we began a quick mode for the same traffic at the same time, and ours goes on")


def _offered(offer: SaPayload) -> list[Protocol]:
    offered = {proposal.protocol for proposal in offer.proposals}
    return [protocol for protocol, number in PROTOCOL_ID.items() if number in offered]


def _choose(
    offer: SaPayload, selector: Selector, entries: Sequence[SpdEntry], spis: Spis, ground: Ground
) -> tuple[SpdEntry, Choice, Selector]:
    """The entry that the peer's traffic falls under, the method, and the traffic as we see it; raises Refused."""
    refusal: Refused | None = None
    for entry in entries:
        processing = processing_of(entry)
        seen = natt.as_seen(selector, processing.mode, ground.nat, ground.path)
        if entry.selector.covers(seen) and processing.assigned is Assigned.THEIRS and not _is_lease(seen, ground):
            what = f"{seen.destination} is no address that we have given this peer, and the rule protects no other"
            refusal = refusal or Refused(Reason.NO_ADDRESS, what)
        elif entry.selector.covers(seen):
            check_demand(entry, ground)
            try:
                _check_ends(entry, seen, ground.path)
                processing = passing(processing, ground.nat)
                return entry, choose_quick(offer, processing, spis, ground.nat), seen
            except Refused as error:
                refusal = refusal or error
    raise refusal or Refused(
        Reason.WRONG_SELECTORS,
        f"no rule protects {selector} with this peer",
        comparison=compare_traffic(selector, entries),
    )


def _is_lease(selector: Selector, ground: Ground) -> bool:
    return any(selector.destination == AddressRange.host(one) for one in ground.leased)


def _check_ends(entry: SpdEntry, selector: Selector, path: Path) -> None:
    """Transport mode is between the hosts themselves, a tunnel between the ends that the policy names."""
    processing = processing_of(entry)
    if processing.mode is Mode.TRANSPORT:
        hosts = _hosts(path)
        if (selector.source, selector.destination) != (hosts.source, hosts.destination):
            raise Refused(Reason.WRONG_SELECTORS, f"transport mode serves the two hosts only, not {selector}")
        return
    ends = processing.tunnel_local or path.local.address, processing.tunnel_remote or path.remote.address
    if ends != (path.local.address, path.remote.address):
        raise Refused(Reason.WRONG_SELECTORS, f"the tunnel for {selector} has other ends")


def _shorter_life(choice: Choice) -> tuple[NotifyPayload, ...]:
    proposal = choice.answer.proposals[0]
    offered = quick_meaning(proposal.transforms[0]).limits
    return shorter(choice.method.limits, offered, proposal.protocol, proposal.spi)


# The contract ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Terms:
    """What was agreed on."""

    entry: SpdEntry
    selector: Selector
    method: SecurityMethod
    our_spis: Spis
    their_spis: Spis


def _contract(
    ground: Ground, terms: _Terms, nonces: bytes, secret: Secret | None, env: Env, *,
    initiator: bool, replaces: int | None,
) -> ChildSa:  # fmt: skip
    def direction(spis: Spis, source: bytes, destination: bytes) -> tuple[Sa, ...]:
        return tuple(
            _sa(ground, terms, place, spis[transform.protocol], nonces, secret, (source, destination))
            for place, transform in enumerate(terms.method.transforms)
        )

    local, remote = ground.path.local.address, ground.path.remote.address
    outbound, inbound = direction(terms.their_spis, local, remote), direction(terms.our_spis, remote, local)
    child = make_child(
        ground, terms.entry, terms.selector, terms.method.limits, outbound, inbound, env,
        initiator=initiator, replaces=replaces,
    )  # fmt: skip
    return replace(child, idle_s=min(child.idle_s or CLUSTER_IDLE_S, CLUSTER_IDLE_S)) if ground.cluster else child


def _sa(
    ground: Ground, terms: _Terms, place: int, spi: int, nonces: bytes, secret: Secret | None,
    ends: tuple[bytes, bytes],
) -> Sa:  # fmt: skip
    """One SA: its key material is its own, by its protocol and SPI."""
    transform = terms.method.transforms[place]
    protocol, spi_octets = PROTOCOL_ID[transform.protocol], spi.to_bytes(SPI_OCTETS)
    material = ground.keys.keymat(protocol, spi_octets, nonces, secret, sum(material_octets(transform)))
    return make_sa(ground, terms.entry, transform, spi, material, ends, innermost=place == 0)
