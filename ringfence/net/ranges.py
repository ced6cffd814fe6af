# SPDX-License-Identifier: Apache-2.0
"""Which of many address ranges hold an address, found without asking them all.

A range is laid out as one or two blocks, each of a power of two of addresses and beginning at a multiple of its size,
which cover it and are at most twice as large. For each size of block in use there is a hash table.
"""

from collections.abc import Iterator
from typing import Generic, TypeVar

from ringfence.net.address import AddressRange

T = TypeVar("T")


def blocks(first: int, last: int) -> list[tuple[int, int]]:
    """One or two blocks that cover a range: the logarithm of a block's size, and its place among such blocks."""
    shift = (first ^ last).bit_length()
    if last - first + 1 == 1 << shift:
        return [(shift, first >> shift)]
    half = shift - 1
    middle = last >> half << half  # both sides of it are in the smallest block that covers the range
    low, high = (first ^ (middle - 1)).bit_length(), (last ^ middle).bit_length()
    return [(low, first >> low), (high, last >> high)]


def networks(addresses: AddressRange) -> Iterator[AddressRange]:
    """The fewest networks that make up a range, in order."""
    first, last, octets = int.from_bytes(addresses.first), int.from_bytes(addresses.last), len(addresses.first)
    size = last - first + 1
    if not (size & (size - 1) or first & (size - 1)):
        yield addresses
        return
    while first <= last:
        room = 1 << (last - first + 1).bit_length() - 1
        size = min(room, first & -first) if first else room
        yield AddressRange(first.to_bytes(octets), (first + size - 1).to_bytes(octets))
        first += size


class RangeIndex(Generic[T]):
    """Ranges of both families, and something about each."""

    def __init__(self) -> None:
        self._tables: dict[tuple[int, int], dict[int, list[tuple[AddressRange, T]]]] = {}
        """By octets of an address and size of block, then by place."""

    def add(self, addresses: AddressRange, value: T) -> None:
        """Enter a range; the same may be entered again."""
        octets = len(addresses.first)
        for shift, place in blocks(int.from_bytes(addresses.first), int.from_bytes(addresses.last)):
            self._tables.setdefault((octets, shift), {}).setdefault(place, []).append((addresses, value))

    def holding(self, address: bytes) -> Iterator[tuple[AddressRange, T]]:
        """The ranges that hold ``address``, in no order."""
        number, octets = int.from_bytes(address), len(address)
        for (family, shift), table in self._tables.items():
            if family == octets:
                yield from (entry for entry in table.get(number >> shift, ()) if address in entry[0])

    def covering(self, addresses: AddressRange) -> Iterator[tuple[AddressRange, T]]:
        """The ranges that hold all of ``addresses``, in no order."""
        return (entry for entry in self.holding(addresses.first) if entry[0].covers(addresses))
