# SPDX-License-Identifier: Apache-2.0
"""The contracts of this engine: by id, by SPI, and by what they compete for.

Several contracts for the same traffic exist while one is renewed, and when both sides began at once. Whichever
negotiation began last is the one in use; since a side that has seen the other's offer does not begin one of its own,
both sides agree on which that is.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from ringfence.databases.identity import Identity
from ringfence.databases.proposal import Protocol
from ringfence.databases.sa import SPI_FIRST, ChildSa, Mode
from ringfence.databases.selector import Selector
from ringfence.databases.spd import SpdEntry
from ringfence.ike.lifetime import CHILD_SA_LIFE, ChildEvent, ChildState, after
from ringfence.ike.wishes import Key, Order, key_of
from ringfence.net.address import Path
from ringfence.net.flow import FlowKey

K = TypeVar("K")

RECENT = 4096
"""SPIs that are not drawn again although their negotiation is not over, or never came to anything."""


@dataclass(slots=True, eq=False)
class Record:
    """A contract and what becomes of it."""

    child: ChildSa
    ike_id: int
    """The IKE SA that speaks for it now: the newest with this peer."""
    path: Path
    """Between which ends the policy knows both."""
    initiator: bool
    """Whether we began its negotiation."""
    order: Order
    """When its negotiation began."""
    state: ChildState = ChildState.LARVAL
    made_at: float = 0.0
    lowest: bytes = b""
    """The lesser nonce of its negotiation, where that decides which of several counts (IKEv2)."""
    replaces: int | None = None
    """The contract in whose place it is, be it that the peer says so or that it is made anew for it."""
    moved: Path | None = None
    """Between which ends it goes, where they have moved since (RFC 4555)."""

    @property
    def at(self) -> Path:
        """Between which ends it goes."""
        return self.moved or self.path

    @property
    def key(self) -> Key:
        """What it competes for."""
        return key_of(self.path, self.child.selector)

    def happen(self, event: ChildEvent) -> None:
        """Move on in its life."""
        self.state = after(CHILD_SA_LIFE, self.state, event)

    @property
    def in_use(self) -> bool:
        """Whether both sides have it, and nothing has replaced it."""
        return self.state in (ChildState.AGREED, ChildState.LIVE, ChildState.REKEYING)


class Children:
    """All contracts."""

    def __init__(self) -> None:
        self._records: dict[int, Record] = {}
        self._by_key: dict[Key, list[Record]] = {}
        self._by_ike: dict[int, dict[int, Record]] = {}
        self._by_peer: dict[bytes, dict[int, Record]] = {}
        self._by_identity: dict[tuple[bytes, bytes, Identity | None], dict[int, Record]] = {}
        """By both addresses as well."""
        self._inbound: dict[tuple[Protocol, int], Record] = {}
        self._outbound: dict[tuple[bytes, Protocol, int], Record] = {}
        self._recent: dict[int, None] = {}
        self._gone: dict[tuple[bytes, Protocol, int], tuple[Protocol, int]] = {}
        """By the SPI that a contract was sent by: the one that it was received by; of the last ones that ended."""
        self._last_id = 0

    def new_id(self) -> int:
        """The id of a contract to come."""
        self._last_id += 1
        return self._last_id

    def new_spi(self, random: Callable[[int], bytes]) -> int:
        """An SPI that no contract of ours has, nor one under negotiation."""
        while True:
            spi = int.from_bytes(random(4))
            if spi >= SPI_FIRST and spi not in self._recent and not self._has(spi):
                self._recent[spi] = None
                if len(self._recent) > RECENT:
                    del self._recent[next(iter(self._recent))]
                return spi

    def _has(self, spi: int) -> bool:
        return any((protocol, spi) in self._inbound for protocol in Protocol)

    def add(self, record: Record) -> None:
        """A new contract, of which we could receive."""
        self._records[record.child.id] = record
        self._by_key.setdefault(record.key, []).append(record)
        self._by_ike.setdefault(record.ike_id, {})[record.child.id] = record
        self._by_peer.setdefault(record.path.remote.address, {})[record.child.id] = record
        self._by_identity.setdefault(_named(record), {})[record.child.id] = record
        for sa in record.child.inbound:
            self._inbound[sa.protocol, sa.spi] = record
        for sa in record.child.outbound:
            self._outbound[record.at.remote.address, sa.protocol, sa.spi] = record

    def remove(self, child_id: int) -> Record | None:
        """Forget a contract."""
        record = self._records.get(child_id)
        if record is None:
            return None
        self._take_out(record)
        record.happen(ChildEvent.ENDED)
        return record

    def relocate(self, record: Record, path: Path, moved: Path, child: ChildSa) -> None:
        """A contract goes by other addresses, and so do its SAs in ``child``."""
        self._take_out(record)
        record.path, record.moved, record.child = path, moved, child
        self.add(record)

    def _take_out(self, record: Record) -> None:
        child_id = record.child.id
        del self._records[child_id]
        rivals = self._by_key[record.key]
        rivals.remove(record)
        if not rivals:
            del self._by_key[record.key]
        _leave(self._by_ike, record.ike_id, child_id)
        _leave(self._by_peer, record.path.remote.address, child_id)
        _leave(self._by_identity, _named(record), child_id)
        for sa in record.child.inbound:
            del self._inbound[sa.protocol, sa.spi]
        for sa in record.child.outbound:
            key = record.at.remote.address, sa.protocol, sa.spi
            if self._outbound.get(key) is record:  # the peer chose that SPI, and may have chosen it twice
                del self._outbound[key]
            self._gone[key] = record.child.inbound[-1].protocol, record.child.inbound[-1].spi
            if len(self._gone) > RECENT:
                del self._gone[next(iter(self._gone))]

    def get(self, child_id: int) -> Record | None:
        """The contract of that id."""
        return self._records.get(child_id)

    def sent_by(self, remote: bytes, protocol: Protocol, spi: int) -> Record | None:
        """The contract by which we send to ``remote`` with its SPI."""
        return self._outbound.get((remote, protocol, spi))

    def was_received_by(self, remote: bytes, protocol: Protocol, spi: int) -> tuple[Protocol, int] | None:
        """By what a contract was received that we do not have any more, and that we sent to ``remote`` by that SPI."""
        return self._gone.get((remote, protocol, spi))

    def sent_under(self, ike_id: int, protocol: Protocol, spi: int) -> Record | None:
        """Likewise of those that an IKE SA speaks for, wherever its peer is."""
        return next(
            (
                record
                for record in self.of(ike_id)
                if any((sa.protocol, sa.spi) == (protocol, spi) for sa in record.child.outbound)
            ),
            None,
        )

    def received_by(self, protocol: Protocol, spi: int) -> Record | None:
        """The contract that we receive by that SPI with."""
        return self._inbound.get((protocol, spi))

    def competing(self, key: Key) -> tuple[Record, ...]:
        """All contracts for the same, in the order in which their negotiations began."""
        return tuple(sorted(self._by_key.get(key, ()), key=lambda record: record.order))

    def newest(self, key: Key) -> Record | None:
        """The contract in use for this."""
        return next((record for record in reversed(self.competing(key)) if record.in_use), None)

    def is_awaited(self, entry: str, flow: FlowKey) -> bool:
        """Whether a contract for packets of an entry is agreed on and about to be used."""
        return any(
            one.state is ChildState.AGREED and one.child.serves(entry) and one.child.carries(flow)
            for one in self._records.values()
        )

    def rival(self, entry: SpdEntry, selector: Selector, peer: Identity) -> Identity | None:
        """Who else has a tunnel for some of this, where the entry lets anybody's end be the other end of it.

        Else whoever asks last would get what is for others.
        """
        processing = entry.processing
        if processing is None or processing.mode is not Mode.TUNNEL or processing.tunnel_remote is not None:
            return None
        for record in self._records.values():
            child = record.child
            mine = child.serves(entry.name) and child.peer != peer and record.state is not ChildState.LARVAL
            if mine and any(one.selector.intersect(selector) is not None for one in child.shares):
                return child.peer
        return None

    def of(self, ike_id: int) -> tuple[Record, ...]:
        """Those that an IKE SA speaks for."""
        return tuple(self._by_ike.get(ike_id, {}).values())

    def move(self, ike_id: int, to: int) -> None:
        """Another IKE SA speaks for the contracts of this one."""
        for record in self.of(ike_id):
            _leave(self._by_ike, ike_id, record.child.id)
            record.ike_id = to
            self._by_ike.setdefault(to, {})[record.child.id] = record

    def with_peer(self, remote: bytes) -> tuple[Record, ...]:
        """Those with the peer that the policy knows at this address."""
        return tuple(self._by_peer.get(remote, {}).values())

    def with_identity(self, path: Path, peer: Identity) -> tuple[Record, ...]:
        """Those with this peer of all that are between these addresses."""
        return tuple(self._by_identity.get((path.local.address, path.remote.address, peer), {}).values())

    def __iter__(self) -> Iterator[Record]:
        return iter(tuple(self._records.values()))

    def __len__(self) -> int:
        return len(self._records)


def _named(record: Record) -> tuple[bytes, bytes, Identity | None]:
    return record.at.local.address, record.at.remote.address, record.child.peer


def _leave(index: dict[K, dict[int, Record]], key: K, child_id: int) -> None:
    """Take a contract out of an index."""
    del index[key][child_id]
    if not index[key]:
        del index[key]
