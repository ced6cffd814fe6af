# SPDX-License-Identifier: Apache-2.0
"""A contract out of what was agreed on: its SAs and limits, the same whatever version of IKE agreed on them.

Which octets of key material are whose is each version's own matter.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol as Interface

from ringfence.crypto.suites import is_legacy
from ringfence.databases.identity import Identity
from ringfence.databases.pool import Assigned, Assignment
from ringfence.databases.proposal import Limits, Transform
from ringfence.databases.sa import ChildSa, Mode, Sa, Share
from ringfence.databases.selector import Selector
from ringfence.databases.spd import Processing, SpdEntry
from ringfence.ike.children import Children
from ringfence.ike.errors import Reason, Refused
from ringfence.ike.exchange import Env
from ringfence.ike.lifetime import soft_limits
from ringfence.ike.through_nat import Nat
from ringfence.net.address import AddressRange, Path
from ringfence.secret import Secret


class Ground(Interface):
    """What a negotiation stands on."""

    @property
    def ike_id(self) -> int:
        """Of the IKE SA."""

    @property
    def path(self) -> Path:
        """Between both hosts."""

    @property
    def peer(self) -> Identity:
        """Who the other one has proved to be."""

    @property
    def names(self) -> tuple[Identity, ...]:
        """All that it has proved to be, where that is more."""

    @property
    def children(self) -> Children:
        """Gives ids and SPIs."""

    @property
    def nat(self) -> Nat | None:
        """What is in between."""

    @property
    def unanswered_s(self) -> int | None:
        """After how long a silence the peer is asked whether it is there."""


def processing_of(entry: SpdEntry) -> Processing:
    """How an entry protects; raises Refused for one that does not."""
    if entry.processing is None:
        raise Refused(Reason.NO_POLICY, f'"{entry.name}" protects nothing')
    return entry.processing


def check_demand(entry: SpdEntry, ground: Ground) -> None:
    """Filters permit the traffic of ``entry`` to this peer, by all that it has proved to be; raises Refused."""
    if entry.demand is not None and not entry.demand.admits(*(ground.names or (ground.peer,))):
        names = " and ".join(f'"{one.filter}"' for one in entry.demand.grants)
        raise Refused(Reason.NOT_AUTHORIZED, f"the peer proved to be {ground.peer}, to whom {names} permits nothing")


def check_rival(ground: Ground, entry: SpdEntry, selector: Selector) -> None:
    """Nobody else has a tunnel for some of this by an entry that does not say whose it is; raises Refused."""
    rival = ground.children.rival(entry, selector, ground.peer)
    if rival is not None:
        raise Refused(Reason.WRONG_SELECTORS, f"{selector} is, at least in part, what {rival} has a tunnel for")


def at_addresses(entry: SpdEntry, shares: Sequence[Share], given: Assignment | None) -> tuple[Share, ...]:
    """As much of several as is about such an address, the first of them at least; raises Refused."""
    first = shares[0]._replace(selector=at_address(entry, shares[0].selector, given))
    if processing_of(entry).assigned is not Assigned.OURS:
        return first, *shares[1:]
    more = [one for one in shares[1:] if given is not None and given.of_family(len(one.selector.source.first))]
    return first, *(one._replace(selector=at_address(entry, one.selector, given)) for one in more)


def at_address(entry: SpdEntry, selector: Selector, given: Assignment | None) -> Selector:
    """As much of a selector as is about the address that a peer has given us for it; raises Refused for none."""
    if processing_of(entry).assigned is not Assigned.OURS:
        return selector
    address = None if given is None else given.of_family(len(selector.source.first))
    source = None if address is None else selector.source.intersect(AddressRange.host(address))
    if source is None:
        raise Refused(Reason.NO_ADDRESS, f"we have no address for {selector} of this peer")
    return replace(selector, source=source)


def material_octets(transform: Transform) -> tuple[int, int]:
    """Octets of key material of an SA: the cipher's with salt, the integrity algorithm's with salt."""
    cipher, authenticator = transform.cipher, transform.authenticator
    return (
        cipher.key_material_octets if cipher else 0,
        authenticator.key_material_octets if authenticator else 0,
    )


def make_sa(
    ground: Ground, entry: SpdEntry, transform: Transform, spi: int, material: bytes, ends: tuple[bytes, bytes], *,
    innermost: bool = True,
) -> Sa:  # fmt: skip
    """One SA from one end to the other; of several that are stacked only the ``innermost`` one tunnels."""
    processing, (cipher_octets, _) = processing_of(entry), material_octets(transform)
    return Sa(
        protocol=transform.protocol,
        spi=spi,
        mode=processing.mode if innermost else Mode.TRANSPORT,
        source=ends[0],
        destination=ends[1],
        cipher=transform.cipher,
        cipher_key=Secret(material[:cipher_octets]),
        authenticator=transform.authenticator,
        authenticator_key=Secret(material[cipher_octets:]),
        esn=transform.esn,
        replay_window=processing.replay_window,
        encapsulation=ground.path if ground.nat is not None else None,
        keepalive=ground.nat is not None and ground.nat.local and not ground.path.tcp,
        tunnel=processing.tunnel,
        tfc_octets=processing.tfc_octets,
        legacy=_is_weak(transform),
    )


def make_child(
    ground: Ground, entry: SpdEntry, selector: Selector, limits: Limits, outbound: tuple[Sa, ...],
    inbound: tuple[Sa, ...], env: Env, *, initiator: bool, replaces: int | None, more: tuple[Share, ...] = (),
) -> ChildSa:  # fmt: skip
    """Both directions; its soft limits are drawn."""
    return ChildSa(
        id=ground.children.new_id(),
        ike_id=ground.ike_id,
        entry=entry.name,
        selector=selector,
        outbound=outbound,
        inbound=inbound,
        hard=limits,
        soft=soft_limits(limits, env.random, initiator=initiator),
        idle_s=processing_of(entry).idle_s,
        unanswered_s=ground.unanswered_s,
        replaces=replaces,
        peer=ground.peer,
        names=ground.names,
        more=more,
    )


def _is_weak(transform: Transform) -> bool:
    """Our own policy named it, and a policy that names something weak says ``legacy = true``."""
    return any(is_legacy(part.algorithm) for part in (transform.cipher, transform.authenticator) if part is not None)
