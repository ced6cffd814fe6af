# SPDX-License-Identifier: Apache-2.0
"""Child SAs (RFC 7296 §1.2, §1.3, §2.8, §2.9): the first in IKE_AUTH, further ones and successors in CREATE_CHILD_SA.

    initiator                                       responder
    { SA, Ni, TSi, TSr [, KEi] [, N(REKEY_SA)] } ->
                                                 <- { SA, Nr, TSi, TSr [, KEr] }

The first one takes the nonces of IKE_SA_INIT and has no Diffie-Hellman exchange of its own. ``asks`` and ``takes`` are
the initiator's part, ``grants`` the responder's; IKE_AUTH is around them, or ``initiate`` and ``respond``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from ringfence.crypto.suites import DhGroup
from ringfence.databases.identity import Identity
from ringfence.databases.pool import Assigned, Assignment
from ringfence.databases.proposal import Protocol, SecurityMethod
from ringfence.databases.sa import ChildSa, Mode, Share
from ringfence.databases.selector import Selector
from ringfence.databases.spd import SpdEntry
from ringfence.ike.agreement import (
    at_addresses,
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
from ringfence.ike.errors import Reason, Refused
from ringfence.ike.exchange import Env, Exchange, Message, conclude, perform, request
from ringfence.ike.payload import Chain, Payload
from ringfence.ike.siblings import are_siblings, beside, together
from ringfence.ike.through_nat import passing
from ringfence.ike.v2 import natt
from ringfence.ike.v2.keyexchange import answer_further, ask_further, check_group, half_of, ke_of, secret_of
from ringfence.ike.v2.keys import IkeKeys
from ringfence.ike.v2.notifies import Answered, Notify
from ringfence.ike.v2.payloads import (
    NoncePayload,
    NotifyPayload,
    SaPayload,
    TsInitiatorPayload,
    TsResponderPayload,
)
from ringfence.ike.v2.proposals import (
    PROTOCOL_ID,
    SPI_OCTETS,
    accepted_child,
    choose_child,
    methods_for,
    offer_child,
    protocols,
)
from ringfence.ike.v2.refusals import refusal, refused_by_peer
from ringfence.ike.v2.resources import check_more
from ringfence.ike.v2.selectors import answered, narrowed, pairs, said, size_of, with_packet
from ringfence.net.address import AddressRange, Path
from ringfence.net.flow import FlowKey
from ringfence.secret import Secret

NONCE_OCTETS = 32
MOST_GROUPS = 3
"""A peer may ask for another group so often."""

Spis = Mapping[Protocol, int]
Groups = tuple[DhGroup, ...]
"""Of key exchanges, the first as ever and the further ones."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What a negotiation of a child SA stands on."""

    ike_id: int
    keys: IkeKeys
    path: Path
    peer: Identity
    children: Children
    """Gives ids and SPIs."""
    nat: natt.Nat | None = None
    unanswered_s: int | None = None
    """After how long a silence of the peer it is asked whether it is there."""
    names: tuple[Identity, ...] = ()
    """All that the peer has proved to be, where that is more."""
    home: Path | None = None
    """Between which ends the policy knows both, where they have moved since."""

    @property
    def known(self) -> Path:
        """Between which ends the policy knows both."""
        return self.home or self.path


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an initiator wants."""

    entry: SpdEntry
    selector: Selector
    nonce: bytes
    """Ours, where the child SA has one of its own."""
    flow: FlowKey | None = None
    """Of the packet that waits."""
    replaces: int | None = None
    old: tuple[Protocol, int] | None = None
    """Protocol and SPI, ours, of what is rekeyed."""
    given: Assignment | None = None
    """The address that the peer has given us for it."""
    more: tuple[Share, ...] = ()
    """What may go by the same child SA."""


@dataclass(frozen=True, slots=True)
class Negotiated:
    """A child SA of both sides."""

    child: ChildSa
    lowest: bytes
    """The lesser nonce of its exchange: of two that cross, the one with the lowest is given up (§2.8.1)."""


@dataclass(frozen=True, slots=True)
class Offered:
    """What a responder needs to know beside the message."""

    entries: Sequence[SpdEntry]
    """What the policy protects with this peer, in order."""
    replaces: Callable[[Chain], int | None]
    """The contract that a request rekeys, if any; raises Refused."""
    leased: tuple[bytes, ...] = ()
    """The addresses that the peer has of us."""


# The initiator's part ----------------------------------------------------------------------------------------------


class Asked:
    """A request for a child SA, and what becomes of the answer."""

    def __init__(self, wanted: Wanted, nat: natt.Nat | None, children: Children, env: Env) -> None:
        """Raises Refused for what IKEv2 cannot say."""
        self._wanted, self._nat = wanted, nat
        self._processing = passing(processing_of(wanted.entry), nat)
        self._methods = methods_for(self._processing)
        waits = self._processing.assigned is not Assigned.OURS or wanted.given is not None
        self._selectors = with_packet(wanted.selector, wanted.flow if waits else None)
        self._more = wanted.more if self._processing.mode is Mode.TUNNEL else ()
        self.spis: Spis = {protocol: children.new_spi(env.random) for protocol in protocols(self._methods)}
        """Ours."""

    def payloads(self, groups: Groups) -> tuple[Payload, ...]:
        """SA, TSi, TSr and what goes with them."""
        offer = offer_child(self._methods, self.spis, groups)
        selectors = (*self._selectors, *(one.selector for one in self._more))
        return offer, *said(selectors), *_mode(self._processing.mode)

    def takes(self, reply: Chain, groups: Groups, path: Path) -> tuple[SecurityMethod, tuple[Share, ...], int]:
        """What the peer has granted, that with the packet first, and its SPI; raises Refused.

        In transport mode it may name both ends as it sees them (§2.23.1).
        """
        offer = offer_child(self._methods, self.spis, groups)
        method, spi = accepted_child(offer, reply.one(SaPayload), self._methods)
        if _wants_transport(reply) != (self._processing.mode is Mode.TRANSPORT):
            raise Refused(Reason.CHANGED_PROPOSAL, f"the peer does not want {self._processing.mode.value} mode")
        said = pairs(reply.one(TsInitiatorPayload), reply.one(TsResponderPayload))
        granted = natt.as_seen(said, self._processing.mode, self._nat, path)
        first = Share(self._wanted.entry.name, answered(granted, self._selectors))
        ours = Share(self._wanted.entry.name, self._wanted.selector)
        return method, (first, *beside(first, granted, (ours, *self._more))), spi


def _mode(mode: Mode) -> tuple[NotifyPayload, ...]:
    return (NotifyPayload(Notify.USE_TRANSPORT_MODE),) if mode is Mode.TRANSPORT else ()


def _wants_transport(chain: Chain) -> bool:
    return any(each.kind == Notify.USE_TRANSPORT_MODE for each in chain.all(NotifyPayload))


def initiate(ground: Ground, wanted: Wanted, env: Env) -> Exchange[Negotiated]:
    """Negotiate a child SA; raises Refused."""
    check_demand(wanted.entry, ground)
    first, *more = at_addresses(
        wanted.entry, (Share(wanted.entry.name, wanted.selector), *wanted.more), wanted.given
    )  # fmt: skip
    wanted = replace(wanted, selector=first.selector, more=tuple(more))
    asked = Asked(wanted, ground.nat, ground.children, env)
    groups = processing_of(wanted.entry).exchanges
    nonce = NoncePayload(wanted.nonce)
    rekey = () if wanted.old is None else (_rekeys(*wanted.old),)
    half = half_of(groups[0] if groups else None, env)
    reply = (yield from request(*rekey, *asked.payloads(groups), nonce, *ke_of(half))).chain
    if (refused := refusal(reply)) is not None and reply.maybe(SaPayload) is None:
        raise refused_by_peer(refused)
    secret = secret_of(half, reply)
    method, shares, spi = asked.takes(reply, groups, ground.path)
    nonces = nonce.data, reply.one(NoncePayload).data
    terms = Terms(wanted.entry, shares, method, asked.spis, spi, wanted.replaces)
    further = yield from ask_further(groups[1:], reply, env)
    made = contract(ground, terms, nonces, secret, env, initiator=True, further=further)
    yield from perform(InstallInbound(made.child))
    return made


def _rekeys(protocol: Protocol, spi: int) -> NotifyPayload:
    return NotifyPayload(Notify.REKEY_SA, b"", PROTOCOL_ID[protocol], spi.to_bytes(SPI_OCTETS))


# The responder's part ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Granted:
    """What a responder grants."""

    terms: "Terms"
    groups: Groups
    """Of its own key exchanges."""
    answer: tuple[Payload, ...]
    """SA, TSi, TSr and what goes with them."""


def grants(chain: Chain, ground: Ground, offered: Offered, env: Env, *, first: bool) -> Granted:
    """What of a peer's request our policy grants; raises Refused."""
    asked = [each.reversed() for each in pairs(chain.one(TsInitiatorPayload), chain.one(TsResponderPayload))]
    spis = {protocol: ground.children.new_spi(env.random) for protocol in Protocol}
    wants_transport, refused, withheld = _wants_transport(chain), None, False
    for entry in offered.entries:
        mode = processing_of(entry).mode
        seen = natt.as_seen(asked, mode, ground.nat, ground.path)
        servable = _servable(entry, ground.known, offered.leased)
        withheld = withheld or servable is None
        selector = None if servable is None else narrowed(seen, servable)
        if selector is None or not _fits_mode(entry, ground, wants_transport=wants_transport):
            continue
        processing = passing(processing_of(entry), ground.nat)
        try:
            _check_permitted(entry, ground)
            choice = choose_child(chain.one(SaPayload), processing, spis, first=first)
        except Refused as error:
            refused = refused or error
            continue
        check_rival(ground, entry, selector)
        check_more(chain, ground, selector)
        candidates = _candidates(entry, asked, ground, offered) if mode is Mode.TUNNEL else ()
        shares = together(Share(entry.name, selector), candidates)
        left = any(not any(one.selector.covers(each.selector) for one in shares) for each in candidates)
        back = [_as_said(selector, seen, asked).reversed(), *(one.selector.reversed() for one in shares[1:])]
        possible = (NotifyPayload(Notify.ADDITIONAL_TS_POSSIBLE),) if left else ()
        answer = choice.answer, *said(back), *_mode(mode), *possible
        replaces = offered.replaces(chain)
        return Granted(Terms(entry, shares, choice.method, spis, choice.spi, replaces), choice.groups, answer)
    if withheld and refused is None:
        what = "the peer asks for no address, and the rule protects only what comes from one of its pool"
        raise Answered(Reason.NO_ADDRESS, what, Notify.FAILED_CP_REQUIRED)
    where = " in transport mode" if wants_transport else ""
    compared = compare_traffic(asked[0], offered.entries)
    what = f"no rule protects {asked[0]} with this peer{where}"
    raise refused or Refused(Reason.WRONG_SELECTORS, what, comparison=compared)


def _check_permitted(entry: SpdEntry, ground: Ground) -> None:
    """What filters permit nobody like this peer is not granted to it, which says nothing of the IKE SA.

    An entry about more may still be granted: filters are asked of each packet. Raises Refused.
    """
    try:
        check_demand(entry, ground)
    except Refused as error:
        raise Answered(error.reason, error.detail, Notify.TS_UNACCEPTABLE) from error


def _candidates(
    entry: SpdEntry, asked: Sequence[Selector], ground: Ground, offered: Offered
) -> tuple[Share, ...]:  # fmt: skip
    """All that a peer asks for and that may go by a contract for ``entry``."""
    found: dict[Share, None] = {}
    for one in offered.entries:
        if one is entry or are_siblings(entry, one):
            servable = _servable(one, ground.known, offered.leased)
            common = (each.intersect(servable) for each in asked) if servable is not None else ()
            for each in common:
                if each is not None and not ground.children.rival(one, each, ground.peer):
                    found[Share(one.name, each)] = None
    return tuple(sorted(found, key=lambda share: -size_of(share.selector)))


def _servable(entry: SpdEntry, path: Path, leased: tuple[bytes, ...]) -> Selector | None:
    """What of an entry's traffic can go between these two ends; None where the peer has no address for it."""
    hosts, processing = hosts_of(path), processing_of(entry)
    if processing.assigned is Assigned.THEIRS:
        theirs = next((one for one in leased if one in entry.selector.destination), None)
        return None if theirs is None else replace(entry.selector, destination=AddressRange.host(theirs))
    if processing.mode is Mode.TUNNEL:
        return entry.selector
    return entry.selector.intersect(hosts) or hosts


def _fits_mode(entry: SpdEntry, ground: Ground, *, wants_transport: bool) -> bool:
    """Transport mode is between the hosts themselves, and where the peer wants it; a tunnel has the ends it names."""
    processing, path = processing_of(entry), ground.known
    if processing.mode is Mode.TRANSPORT:
        stays = path.remote.address == ground.path.remote.address
        return stays and wants_transport and entry.selector.intersect(hosts_of(path)) is not None
    here, there = path.local.address, path.remote.address
    is_other = any(there in one for one in processing.others)
    return (processing.tunnel_local or here) == here and (is_other or (processing.tunnel_remote or there) == there)


def _as_said(selector: Selector, seen: Sequence[Selector], asked: Sequence[Selector]) -> Selector:
    """A granted selector with the addresses that the peer named (§2.23.1)."""
    for one, other in zip(seen, asked, strict=True):
        if one != other and one.source.covers(selector.source) and one.destination.covers(selector.destination):
            return replace(selector, source=other.source, destination=other.destination)
    return selector


def respond(first: Message, ground: Ground, offered: Offered, env: Env) -> Exchange[Negotiated]:
    """Answer a request for a child SA; raises Refused."""
    granted = grants(first.chain, ground, offered, env, first=False)
    group = granted.groups[0] if granted.groups else None
    check_group(first.chain, group)
    half = half_of(group, env)
    secret = secret_of(half, first.chain)
    nonce = NoncePayload(env.random(NONCE_OCTETS))
    nonces = first.chain.one(NoncePayload).data, nonce.data
    said = *granted.answer, nonce, *ke_of(half)
    said, further = yield from answer_further(granted.groups[1:], said, env)
    made = contract(ground, granted.terms, nonces, secret, env, initiator=False, further=further)
    yield from perform(InstallInbound(made.child))
    yield from conclude(*said)
    return made


# The contract ------------------------------------------------------------------------------------------------------


def hosts_of(path: Path) -> Selector:
    """All traffic between the ends themselves."""
    return Selector(AddressRange.host(path.local.address), AddressRange.host(path.remote.address))


@dataclass(frozen=True, slots=True)
class Terms:
    """What was agreed on."""

    entry: SpdEntry
    shares: tuple[Share, ...]
    """The traffic, that of the entry first."""
    method: SecurityMethod
    our_spis: Spis
    their_spi: int
    replaces: int | None


def contract(
    ground: Ground,
    terms: Terms,
    nonces: tuple[bytes, bytes],
    secret: Secret | None,
    env: Env,
    *,
    initiator: bool,
    further: Sequence[Secret] = (),
) -> Negotiated:
    """The child SA; key material is first the initiator's, then the responder's direction (§2.17)."""
    (transform,) = terms.method.transforms
    octets = sum(material_octets(transform))
    material = ground.keys.child_material(secret, b"".join(nonces), 2 * octets, further)
    halves = material[:octets], material[octets:]
    ours, theirs = halves if initiator else halves[::-1]
    local, remote = ground.path.local.address, ground.path.remote.address
    outbound = make_sa(ground, terms.entry, transform, terms.their_spi, ours, (local, remote))
    inbound = make_sa(ground, terms.entry, transform, terms.our_spis[transform.protocol], theirs, (remote, local))
    child = make_child(
        ground, terms.entry, terms.shares[0].selector, terms.method.limits, (outbound,), (inbound,), env,
        initiator=initiator, replaces=terms.replaces, more=terms.shares[1:],
    )  # fmt: skip
    return Negotiated(child, min(nonces))
