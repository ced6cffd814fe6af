# SPDX-License-Identifier: Apache-2.0
"""Who has which address of a pool, whatever version of IKE it was asked for with.

A lease is an identity's, held by the IKE SAs that it was given under. When the last of them ends it is kept in mind, so
that who comes back gets the address that he had; only when there is no other is it given to somebody else, that of
whoever has been away longest first. An identity that has several IKE SAs at once (two devices by one key) has several
leases. Who begins anew after a crash, and says so by INITIAL_CONTACT or asks for the very address that he had, takes
over his own.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

from ringfence.databases.identity import Identity
from ringfence.databases.pool import Pool
from ringfence.net.address import AddressRange

MOST_REMEMBERED = 16384
"""Leases of one pool that nobody holds; a pool of IPv6 would hold any number."""


@dataclass(slots=True, eq=False)
class Lease:
    """One address of one pool."""

    address: bytes
    owner: Identity
    holders: set[int] = field(default_factory=set)
    """The IKE SAs under which it is used."""


class _Book:
    """The leases of one pool."""

    def __init__(self) -> None:
        self.leases: dict[bytes, Lease] = {}
        self.idle: OrderedDict[bytes, None] = OrderedDict()
        """Those that nobody holds, the longest unused first."""
        self.fresh: dict[AddressRange, int] = {}
        """The next address of each range that was never given."""

    def of(self, owner: Identity, octets: int) -> Iterator[Lease]:
        """Those of one identity, the newest first."""
        return (one for one in reversed(self.leases.values()) if one.owner == owner and len(one.address) == octets)

    def forget(self, address: bytes) -> None:
        """Give up a lease that nobody holds."""
        del self.leases[address], self.idle[address]


class Leases:
    """All pools of one host."""

    def __init__(self) -> None:
        self._books: dict[str, _Book] = {}
        self._held: dict[int, list[tuple[str, bytes]]] = {}
        """By the IKE SA: pools and addresses."""

    def lease(
        self, pool: Pool, owner: Identity, octets: int, holder: int, *, wanted: bytes | None = None, anew: bool = False
    ) -> bytes | None:
        """An address of 4 or 16 octets for the IKE SA ``holder`` of ``owner``; None where there is none left.

        ``anew``: the owner says that he has nothing else here, so what he had before is his again.
        """
        book = self._books.setdefault(pool.name, _Book())
        address = self._choose(book, pool, owner, octets, wanted, anew=anew)
        if address is None:
            return None
        lease = book.leases.get(address)
        if lease is None or lease.owner != owner:
            lease = book.leases[address] = Lease(address, owner)
        book.idle.pop(address, None)
        lease.holders.add(holder)
        self._held.setdefault(holder, []).append((pool.name, address))
        return address

    def _choose(
        self, book: _Book, pool: Pool, owner: Identity, octets: int, wanted: bytes | None, *, anew: bool
    ) -> bytes | None:
        fixed = pool.fixed_for(owner, octets)
        if fixed is not None:
            return fixed
        mine = [one for one in book.of(owner, octets) if pool.gives(one.address)]
        same = next((one.address for one in mine if one.address == wanted), None)
        free = next((one.address for one in mine if anew or not one.holders), None)
        if same is not None or free is not None:
            return same or free
        if wanted is not None and len(wanted) == octets and pool.gives(wanted) and wanted not in book.leases:
            return wanted
        return self._unused(book, pool, octets) or self._oldest(book, pool, octets)

    @staticmethod
    def _unused(book: _Book, pool: Pool, octets: int) -> bytes | None:
        """An address that nobody has had yet."""
        for written in pool.usable(octets):
            number = book.fresh.get(written, int.from_bytes(written.first))
            while number <= int.from_bytes(written.last):
                address = number.to_bytes(octets)
                passed = next((one for one in pool.excluded if address in one), None)
                number = number + 1 if passed is None else int.from_bytes(passed.last) + 1
                book.fresh[written] = number
                if passed is None and pool.gives(address) and address not in book.leases:
                    return address
        return None

    @staticmethod
    def _oldest(book: _Book, pool: Pool, octets: int) -> bytes | None:
        """That of whoever has been away longest."""
        for address in list(book.idle):
            if not pool.gives(address):
                book.forget(address)
            elif len(address) == octets:
                book.forget(address)
                return address
        return None

    def held(self, holder: int) -> tuple[bytes, ...]:
        """The addresses that are used under an IKE SA."""
        return tuple(dict.fromkeys(address for _, address in self._held.get(holder, ())))

    def release(self, holder: int) -> None:
        """An IKE SA has ended."""
        for name, address in self._held.pop(holder, ()):
            book = self._books[name]
            lease = book.leases.get(address)
            if lease is None:
                continue
            lease.holders.discard(holder)
            if not lease.holders:
                book.idle[address] = None
                if len(book.idle) > MOST_REMEMBERED:
                    book.forget(next(iter(book.idle)))

    def move(self, holder: int, to: int) -> None:
        """Another IKE SA takes the place of this one."""
        for name, address in self._held.pop(holder, ()):
            self._held.setdefault(to, []).append((name, address))
            lease = self._books[name].leases[address]
            lease.holders.discard(holder)
            lease.holders.add(to)
