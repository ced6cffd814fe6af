# SPDX-License-Identifier: Apache-2.0
"""What MOBIKE says (RFC 4555 §3, §4): who can it, where else each side is, and that an IKE SA goes by other addresses.

Who began the first of a line of IKE SAs decides by which addresses it goes, and says so in a message that nobody else
can make; the addresses are those in that message's IP header. Without NAT traversal the message says them as well, so
that nobody on the way may change them. A responder has whoever moved send back something that nobody can guess, before
it sends anything but IKE there.

initiator                                             responder
{ UPDATE_SA_ADDRESSES, NAT_DETECTION_… }           ->
                                                   <- { NAT_DETECTION_… }
                                                   <- { COOKIE2 }
{ COOKIE2 }                                        ->
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ringfence.databases.pad import PadEntry
from ringfence.ike.errors import Aborted, Reason
from ringfence.ike.exchange import Exchange, request, traverse
from ringfence.ike.payload import Chain, Payload
from ringfence.ike.v2 import natt
from ringfence.ike.v2.notifies import Answered, Notify
from ringfence.ike.v2.payloads import NotifyPayload
from ringfence.ike.v2.refusals import refusal
from ringfence.net.address import IPV4_OCTETS, IPV6_OCTETS, Path

COOKIE_OCTETS = 32
"""The RFC has 8 to 64 (§4.2.5)."""
LEAST_COOKIE, MOST_COOKIE = 8, 64
MOST_ADDRESSES = 16
"""Of a peer that are remembered, and of ours that are said."""
ADDITIONAL = {
    Notify.ADDITIONAL_IP4_ADDRESS: IPV4_OCTETS,
    Notify.ADDITIONAL_IP6_ADDRESS: IPV6_OCTETS,
}
ABOUT_ADDRESSES = frozenset({*ADDITIONAL, Notify.NO_ADDITIONAL_ADDRESSES, Notify.UPDATE_SA_ADDRESSES})
"""What may change where messages or packets go (§3.9)."""


def says(chain: Chain, kind: Notify) -> bool:
    """Whether a message has that notify."""
    return any(each.kind == kind for each in chain.all(NotifyPayload))


def additional(own: Iterable[bytes], entry: PadEntry, path: Path) -> tuple[NotifyPayload, ...]:
    """Where else we are than at this end of ``path``, and the policy lets such a peer negotiate with us."""
    others = [one for one in own if one != path.local.address and entry.serves_from(one)][:MOST_ADDRESSES]
    kinds = {octets: kind for kind, octets in ADDITIONAL.items()}
    return tuple(NotifyPayload(kinds[len(one)], one) for one in others)


def all_addresses(own: Iterable[bytes], entry: PadEntry, path: Path) -> tuple[NotifyPayload, ...]:
    """Likewise where the peer may know of others."""
    return additional(own, entry, path) or (NotifyPayload(Notify.NO_ADDITIONAL_ADDRESSES),)


def addresses(chain: Chain) -> tuple[bytes, ...] | None:
    """Where else the peer is; None where the message says nothing of that."""
    said = [each for each in chain.all(NotifyPayload) if each.kind in ADDITIONAL]
    if not said and not says(chain, Notify.NO_ADDITIONAL_ADDRESSES):
        return None
    fitting = (each.data for each in said if len(each.data) == ADDITIONAL[Notify(each.kind)])
    return tuple(dict.fromkeys(fitting))[:MOST_ADDRESSES]


def no_nats(path: Path) -> NotifyPayload:
    """The addresses and ports that a message goes by (§4.2.6)."""
    ends = path.local, path.remote
    ports = b"".join(end.port.to_bytes(2) for end in ends)
    return NotifyPayload(Notify.NO_NATS_ALLOWED, b"".join(end.address for end in ends) + ports)


def check_no_nats(chain: Chain, path: Path) -> None:
    """Raise Answered where somebody has changed the addresses of a message whose sender wants none changed."""
    wanted = no_nats(Path(path.remote, path.local)).data
    said = [each.data for each in chain.all(NotifyPayload) if each.kind == Notify.NO_NATS_ALLOWED]
    if any(each != wanted for each in said):
        what = "the peer wants no NAT in between, and its message came by other addresses than it was sent by"
        raise Answered(Reason.NAT, what, Notify.UNEXPECTED_NAT_DETECTED)


# In IKE_AUTH -------------------------------------------------------------------------------------------------------


def offer(entry: PadEntry, own: Iterable[bytes], path: Path) -> tuple[NotifyPayload, ...]:
    """What an initiator says in the message that asks for a child SA."""
    if not entry.mobike:
        return ()
    fixed = () if entry.nat_traversal else (no_nats(path),)
    return NotifyPayload(Notify.MOBIKE_SUPPORTED), *additional(own, entry, path), *fixed


def answer(chain: Chain, entry: PadEntry, own: Iterable[bytes], path: Path) -> tuple[NotifyPayload, ...]:
    """What a responder says to that; nothing, unless both sides can it. Raises Answered."""
    if not entry.mobike or not says(chain, Notify.MOBIKE_SUPPORTED):
        return ()
    check_no_nats(chain, path)
    return NotifyPayload(Notify.MOBIKE_SUPPORTED), *additional(own, entry, path)


def agreed(chain: Chain, entry: PadEntry) -> tuple[bytes, ...] | None:
    """Where else the peer is, as its message in IKE_AUTH says; None unless both sides can it."""
    if not entry.mobike or not says(chain, Notify.MOBIKE_SUPPORTED):
        return None
    return addresses(chain) or ()


# Later -------------------------------------------------------------------------------------------------------------


def path_through(path: Path, theirs: Chain, nat: natt.Nat | None, entry: PadEntry) -> Exchange[Path]:
    """Where an initiator goes on behind IKE_SA_INIT: to port 4500 through NAT, and if it may move later (§3.3)."""
    if nat is None and not (entry.mobike and entry.nat_traversal and natt.is_sought(theirs)):
        return path
    yield from traverse(natt.floated(path), peer_moves=nat is not None and nat.remote)
    return natt.floated(path)


@dataclass(frozen=True, slots=True)
class Updated:
    """What the peer says to another path."""

    path: Path
    nat: natt.Nat | None = None
    seen: bytes = b""
    """Its mark of us, which is another when a NAT forgets us."""
    refused: NotifyPayload | None = None


@dataclass(frozen=True, slots=True)
class Proven:
    """A peer receives where it says that it is."""

    number: int
    """Of the move."""


def update(
    path: Callable[[], Path], own: Callable[[], Iterable[bytes]], spis: bytes, entry: PadEntry
) -> Exchange[Updated]:  # fmt: skip
    """Have an IKE SA, and what is under it, go by the path that there is when this is said (§3.5)."""
    here = path()
    looks = natt.marks(spis, here) if entry.nat_traversal else (no_nats(here),)
    words = NotifyPayload(Notify.UPDATE_SA_ADDRESSES), *all_addresses(own(), entry, here), *looks
    chain = (yield from request(*words)).chain
    if (refused := refusal(chain)) is not None:
        return Updated(here, refused=refused)
    return Updated(here, natt.found(chain, spis, here) if entry.nat_traversal else None, seen_as(chain))


def seen_as(chain: Chain) -> bytes:
    """The peer's mark of our address and port, as it sees them; empty where it says none."""
    marks = (each.data for each in chain.all(NotifyPayload) if each.kind == Notify.NAT_DETECTION_DESTINATION_IP)
    return next(marks, b"")


def prove(cookie: bytes, number: int) -> Exchange[Proven]:
    """Have a peer show that it receives where it says that it is (§3.7); raises Aborted for who cannot."""
    chain = (yield from request(NotifyPayload(Notify.COOKIE2, cookie))).chain
    if [each.data for each in chain.all(NotifyPayload) if each.kind == Notify.COOKIE2] != [cookie]:
        raise Aborted(Reason.MALFORMED, "the peer does not send back what it was sent, to show where it is (COOKIE2)")
    return Proven(number)


def returned(chain: Chain) -> list[Payload]:
    """What a peer wants sent back."""
    said = [each for each in chain.all(NotifyPayload) if each.kind == Notify.COOKIE2]
    return [NotifyPayload(each.kind, each.data) for each in said if LEAST_COOKIE <= len(each.data) <= MOST_COOKIE]
