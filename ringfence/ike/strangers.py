# SPDX-License-Identifier: Apache-2.0
"""Messages of no IKE SA that we have, in whichever version of IKE: who may begin one, and what strangers are told."""

from ringfence.databases.pad import PadEntry
from ringfence.databases.proposal import Protocol
from ringfence.ike.effects import Effect
from ringfence.ike.errors import Ignored, Reason
from ringfence.ike.header import Header
from ringfence.ike.v1 import stranger as v1
from ringfence.ike.v2 import stranger as v2
from ringfence.ike.world import World
from ringfence.net.address import Path, format_address

Spi = tuple[Protocol, int]


def entries_for(header: Header, path: Path, world: World) -> tuple[PadEntry, ...]:
    """How who begins may authenticate; raises Ignored where the policy says nothing of it."""
    known = tuple(world.pad.for_address(path.remote.address, path.local.address))
    address = format_address(path.remote.address)
    if not known:
        ours = format_address(path.local.address)
        raise Ignored(Reason.NO_PEER, f"the policy says nothing of how {address} authenticates to {ours}")
    entries = tuple(entry for entry in known if _takes(entry, header.major))
    if path.tcp:
        entries = tuple(entry for entry in entries if entry.tcp is not None and header.major != 1)
        if not entries:
            raise Ignored(Reason.NO_PEER, f"no rule for {address} says that it may come by TCP")
    if not entries:
        raise Ignored(Reason.VERSION, f"no rule for {address} may be negotiated by IKEv{header.major}")
    return entries


def _takes(entry: PadEntry, version: int) -> bool:
    """Whether a peer may begin so; where it has to prove a user by XAUTH, only the version that has that will do."""
    return version in entry.keying and (version == 1 or entry.xauth is None)


def denied_spis(header: Header, datagram: bytes) -> tuple[Spi, ...]:
    """The SPIs that a message in clear may say are unknown; raises IkeError for what is no such message."""
    if header.major == 2:
        return v2.denied_spi(header, datagram)
    denied = v1.denied_spi(header, datagram) if header.major == 1 else None
    return () if denied is None else (denied,)


def told_stranger(header: Header, datagram: bytes, path: Path, world: World) -> list[Effect]:
    """What is said to a peer of the policy that believes in an IKE SA with us."""
    if not any(world.pad.for_address(path.remote.address, path.local.address)):
        return []
    if header.major > 2:
        return v2.unknown_version(header, path, world)
    if header.major == 2:
        return v2.unknown_ike_spi(header, datagram, path, world)
    return v1.unknown_cookie(header, path, world) if header.encrypted else []


def unknown_spi(protocol: Protocol, spi: int, path: Path, world: World) -> list[Effect]:
    """Say that we do not know the SA of a packet, in the version that the policy speaks first with the peer."""
    entry = next(world.pad.for_address(path.remote.address, path.local.address), None)
    if entry is None:
        return []
    if entry.keying[:1] == (2,):
        return v2.unknown_spi(spi, path, world)
    return v1.unknown_spi(protocol, spi, path, world)
