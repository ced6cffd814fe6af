# SPDX-License-Identifier: Apache-2.0
"""A bounded cursor, for the shapes that a declaration cannot say because they depend on what was read before.

No parser indexes octets: whatever is asked of a ``Reader`` is there, inside its bounds, or ``DecodeError`` is raised.
"""

from struct import Struct

from ringfence.errors import IpsecError

_U16, _U32, _U64 = Struct(">H"), Struct(">I"), Struct(">Q")


class DecodeError(IpsecError):
    """Octets are not what their format says."""

    def __init__(self, offset: int, what: str) -> None:
        super().__init__(f"{what} at octet {offset}")
        self.offset = offset
        """From the beginning of what was given to decode."""
        self.what = what
        """What is wrong there."""


class Reader:
    """Reads ``data`` from ``offset`` up to ``end``, never beyond; numbers are big-endian."""

    __slots__ = ("_data", "end", "offset")

    def __init__(self, data: bytes, offset: int = 0, end: int | None = None) -> None:
        self._data = data
        self.offset = offset
        """Where the next octet is taken."""
        self.end = len(data) if end is None else end

    @property
    def left(self) -> int:
        """Octets not yet read."""
        return self.end - self.offset

    def _advance(self, octets: int) -> int:
        at = self.offset
        if not 0 <= octets <= self.end - at:
            raise DecodeError(at, f"{octets} octets wanted, {self.end - at} left")
        self.offset = at + octets
        return at

    def u8(self) -> int:
        """An octet."""
        return self._data[self._advance(1)]

    def u16(self) -> int:
        """Two octets."""
        return int(_U16.unpack_from(self._data, self._advance(2))[0])

    def u32(self) -> int:
        """Four octets."""
        return int(_U32.unpack_from(self._data, self._advance(4))[0])

    def u64(self) -> int:
        """Eight octets."""
        return int(_U64.unpack_from(self._data, self._advance(8))[0])

    def take(self, octets: int) -> bytes:
        """Exactly so many octets."""
        at = self._advance(octets)
        return self._data[at : at + octets]

    def rest(self) -> bytes:
        """All octets not yet read."""
        return self.take(self.left)

    def part(self, octets: int) -> "Reader":
        """A reader of the next ``octets``, which this one passes over; its offsets stay those of the whole."""
        at = self._advance(octets)
        return Reader(self._data, at, at + octets)

    def done(self) -> None:
        """Raise DecodeError unless everything was read."""
        if self.left:
            raise DecodeError(self.offset, f"{self.left} octets left over")
