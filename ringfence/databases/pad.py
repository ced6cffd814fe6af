# SPDX-License-Identifier: Apache-2.0
"""The peer authorization database (RFC 4301 §4.4.3): who may be the other end, and how each side proves itself."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

from ringfence.databases.admission import Admission
from ringfence.databases.certification import CertificateAuth
from ringfence.databases.eap import EapAuth, EapUser, Users
from ringfence.databases.identity import Identity
from ringfence.databases.pool import Asks, Pool
from ringfence.databases.proposal import IkeProposal
from ringfence.databases.rawkeys import PublicKeyAuth
from ringfence.databases.spd import Origin
from ringfence.databases.tcp import Tcp
from ringfence.net.address import AddressRange
from ringfence.net.ranges import RangeIndex
from ringfence.secret import Secret


class ThroughNat(Enum):
    """With whom we begin where there is NAT (Windows: IPsec through NAT)."""

    NEVER = "never"
    """Nobody who is behind NAT."""
    SERVER = "server"
    """Those behind NAT, unless we are behind one ourselves."""
    BOTH = "both"


class Childless(Enum):
    """Whether an IKE SA of IKEv2 begins without a contract, which is made under it then (RFC 6023)."""

    NEVER = "never"
    """Not by us; a peer may begin so."""
    PREFER = "prefer"
    """Where the peer can."""
    REQUIRE = "require"


@dataclass(frozen=True, slots=True)
class DeadPeer:
    """When a peer is asked whether it is still there, and given up (RFC 3706)."""

    after_s: int = 30
    """Of packets to it and none from it."""
    tries: int = 5
    """Questions without an answer."""


USUAL = DeadPeer()
"""Where nobody says otherwise."""


@dataclass(frozen=True, slots=True)
class PresharedKey:
    """Both sides know a key."""

    key: Secret
    source: str = ""
    """Where it came from, such as a file's name, for people."""

    def __str__(self) -> str:
        return f"preshared key {self.source}".rstrip()


@dataclass(frozen=True, slots=True)
class Xauth:
    """A user proves himself to a gateway behind IKEv1's main or aggressive mode (draft-beaulieu-ike-xauth)."""

    user: EapUser | None = None
    """Whom we prove to be, where we begin."""
    users: Users | None = None
    """Whom we let in, where the peer begins."""


@dataclass(frozen=True, slots=True)
class NullAuth:
    """Nobody proves anything (RFC 7619)."""

    def __str__(self) -> str:
        return "anonymous"


Auth = PresharedKey | CertificateAuth | PublicKeyAuth | EapAuth | NullAuth


@dataclass(frozen=True, slots=True)
class Ppk:
    """A postquantum preshared key: both sides mix it into what they negotiate by IKEv2 (RFC 8784)."""

    id: str
    """By which the initiator names it."""
    key: Secret
    required: bool = True
    """Whether nobody is let in without it."""

    def is_same(self, other: "Ppk | None") -> bool:
        """Whether it is the same key by the same name."""
        return other is not None and (self.id, self.key) == (other.id, other.key)


@dataclass(frozen=True, slots=True)
class Ends:
    """Between which addresses it is negotiated in one way."""

    remote: AddressRange
    """Addresses that such a peer may negotiate from."""
    local: AddressRange | None = None
    """Those of ours that it may negotiate with; None for any."""

    def hold(self, remote: bytes, local: bytes | None) -> bool:
        """Whether both are in it; ``local`` is None where any of ours will do."""
        return remote in self.remote and (local is None or self.local is None or local in self.local)

    def cover(self, other: "Ends") -> bool:
        """Whether all that ``other`` holds is in it."""
        if not self.remote.covers(other.remote):
            return False
        return self.local is None or (other.local is not None and self.local.covers(other.local))


@dataclass(frozen=True, slots=True)
class PadEntry:
    """Peers that authenticate in one way."""

    name: str
    ends: tuple[Ends, ...]
    """Where they are, and we with them."""
    auth: tuple[Auth, ...]
    """In order of preference."""
    proposals: tuple[IkeProposal, ...]
    """For main mode, in order of preference."""
    origin: Origin
    local_identity: Identity | None = None
    """What we say we are; None for the address we negotiate from."""
    remote_identity: Identity | None = None
    """What the peer must prove to be; None for the address it negotiates from, or whom the admissions name."""
    admissions: tuple[Admission, ...] = ()
    """Who of those that prove who they are is let in: whom each of these admits."""
    nat_traversal: bool = True
    through_nat: ThroughNat = ThroughNat.BOTH
    master_key_pfs: bool = False
    """One quick mode per main mode (Windows: master key perfect forward secrecy)."""
    quick_mode_limit: int = 0
    """Quick modes per main mode; 0 for no limit."""
    initiate: bool = True
    """Whether we may begin; otherwise only answer."""
    aggressive: bool = False
    """Whether IKEv1's aggressive mode is spoken: by us where we begin, and by who begins with us."""
    xauth: Xauth | None = None
    """Who begins by IKEv1 proves a user as well."""
    fragmentation: bool = True
    """Whether messages may go in pieces, where the peer can."""
    dead_peer: DeadPeer | None = USUAL
    """None: such a peer is never asked."""
    keying: tuple[int, ...] = (1,)
    """Versions of IKE that may be spoken; we begin with the first."""
    local_auth: tuple[Auth, ...] = ()
    """How this computer proves itself in IKEv2, where that is not as the peer does; in order of preference."""
    second: tuple[Auth, ...] = ()
    """How the user of who begins proves himself after the computers (IKEv2), in order of preference."""
    second_optional: bool = False
    """Whether it will do without."""
    users: tuple[Admission, ...] = ()
    """Which users are let in then: whom each of these admits."""
    sha1: bool = False
    """Whether peers of IKEv2 that know nothing better may sign by RSA with SHA-1, and we for them."""

    mobike: bool = False
    """Whether IKE SAs of IKEv2 and the tunnels under them may go over to other addresses (RFC 4555)."""
    ppk: Ppk | None = None
    childless: Childless = Childless.NEVER
    reauthenticate_s: int | None = None
    """How old a proof may be (IKEv2); None for as old as the IKE SA and its successors get."""
    tcp: Tcp | None = None
    """How messages and ESP go by TCP where the versions of IKE have IKEv2 among them; None: never."""
    pool: Pool | None = None
    """What such a peer gets an address of."""
    asks: Asks | None = None
    """What we want such a peer to give us."""
    others: tuple[AddressRange, ...] = ()
    """Other gateways that it may send us to (RFC 5685)."""
    resumption: bool = False
    """Whether IKE SAs may be resumed by tickets (RFC 5723): those that such peers give us, and that we give them."""
    send_to: bytes | None = None
    """The gateway that we send such peers to."""

    @property
    def unanswered_s(self) -> int | None:
        """After how long a silence the peer is asked whether it is there; None for never."""
        return None if self.dead_peer is None else self.dead_peer.after_s

    def serves(self, remote: bytes, local: bytes | None) -> bool:
        """Whether it is about a peer at ``remote`` that negotiates with our address ``local``; None for any of ours."""
        return any(one.hold(remote, local) for one in self.ends)

    def serves_from(self, local: bytes) -> bool:
        """Whether it is about anybody who negotiates with our address ``local``."""
        ends = (one for one in self.ends if len(one.remote.first) == len(local))
        return any(one.local is None or local in one.local for one in ends)

    def admits(self, *names: Identity) -> bool:
        """Whether who has proved to be all of ``names`` is let in."""
        return all(one.admits(*names) for one in self.admissions)

    def admits_users(self, *names: Identity) -> bool:
        """Whether the users among all that was proved are let in."""
        return all(one.admits(*names) for one in self.users)

    @property
    def names_nobody(self) -> bool:
        """Whether neither an identity nor an admission says who the peer is, but its address alone."""
        return self.remote_identity is None and not any(one.allow for one in self.admissions)


class _Indexes:
    """What a database looks up its entries by."""

    def __init__(self, entries: tuple[PadEntry, ...]) -> None:
        self._entries = entries

    @cached_property
    def names(self) -> dict[str, PadEntry]:
        return {entry.name: entry for entry in reversed(self._entries)}

    @cached_property
    def remotes(self) -> RangeIndex[tuple[int, Ends]]:
        index = RangeIndex[tuple[int, Ends]]()
        for number, entry in enumerate(self._entries):
            for one in entry.ends:
                index.add(one.remote, (number, one))
        return index


@dataclass(frozen=True, slots=True)
class Pad:
    """Entries in the order in which they are asked."""

    entries: tuple[PadEntry, ...] = ()
    own: tuple[bytes, ...] = ()
    """Where this host may negotiate from, what it would rather use first."""
    _indexes: _Indexes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_indexes", _Indexes(self.entries))

    def __iter__(self) -> Iterator[PadEntry]:
        return iter(self.entries)

    def named(self, name: str) -> PadEntry | None:
        """The entry of that name."""
        return self._indexes.names.get(name)

    def for_address(self, remote: bytes, local: bytes | None) -> Iterator[PadEntry]:
        """The entries for a peer at ``remote`` that negotiates with our address ``local``, in order.

        ``local`` is None for those that there are with any of our addresses.
        """
        found = self._indexes.remotes.holding(remote)
        numbers = {number for _, (number, ends) in found if ends.hold(remote, local)}
        return (self.entries[number] for number in sorted(numbers))
