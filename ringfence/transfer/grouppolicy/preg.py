# SPDX-License-Identifier: Apache-2.0
"""``registry.pol``: what a Group Policy object wants to have in the registry, instruction by instruction.

    file = "PReg" version(4) *instruction
    instruction = "[" key NUL ";" value NUL ";" type(4) ";" size(4) ";" data "]"

Numbers are little-endian, text and marks UTF-16LE ([MS-GPREG] §2.2.1). The order of instructions counts, so a file is a
tuple of them; data stay octets, whatever their type, so that what nobody knows here goes out as it came in. An
instruction may end behind its key, or have nothing between its marks: it makes the key and nothing else.

A file comes from the network. Nothing here is read outside its bounds, and whatever is wrong is a ``DecodeError`` with
its offset. Data longer than the 65,535 octets of the specification are read, for they do no harm, and not written.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from itertools import takewhile

from ringfence.wire import DecodeError

HEADER = b"PReg\x01\x00\x00\x00"
MOST_DATA = 65535
OPEN, MARK, CLOSE, NUL = 0x5B, 0x3B, 0x5D, 0
NAMES = {OPEN: '"["', MARK: '";"', CLOSE: '"]"'}


class Kind(IntEnum):
    """Types of data that have a name; others are numbers."""

    NONE = 0
    SZ = 1
    EXPAND_SZ = 2
    BINARY = 3
    DWORD = 4
    DWORD_BIG_ENDIAN = 5
    LINK = 6
    MULTI_SZ = 7
    QWORD = 11


NUMBERS = {Kind.DWORD: "<I", Kind.DWORD_BIG_ENDIAN: ">I", Kind.QWORD: "<Q"}


@dataclass(frozen=True, slots=True)
class Instruction:
    """One value to set, or a directive in the place of a value."""

    key: str
    """Without the root: ``Software\\Policies\\…``."""
    value: str = ""
    """Empty for the default value of the key; with type NONE and no data, for the key alone."""
    kind: int = Kind.NONE
    data: bytes = b""

    @property
    def text(self) -> str | None:
        """The text of REG_SZ and REG_EXPAND_SZ, up to its end; None for other types, and for what is no text."""
        if self.kind not in (Kind.SZ, Kind.EXPAND_SZ):
            return None
        return _text(self.data)

    @property
    def texts(self) -> tuple[str, ...] | None:
        """The texts of REG_MULTI_SZ; None for other types."""
        if self.kind != Kind.MULTI_SZ:
            return None
        try:
            parts = self.data.decode("utf-16-le").split("\0")
        except UnicodeDecodeError:
            return None
        return tuple(takewhile(bool, parts))

    @property
    def number(self) -> int | None:
        """The number of REG_DWORD, its big-endian twin and REG_QWORD; None for other types and lengths."""
        form = next((form for kind, form in NUMBERS.items() if kind == self.kind), None)
        if form is None or len(self.data) != struct.calcsize(form):
            return None
        return int(struct.unpack(form, self.data)[0])


def _text(data: bytes) -> str | None:
    try:
        return data.decode("utf-16-le").partition("\0")[0]
    except UnicodeDecodeError:
        return None


def sz(key: str, value: str, text: str) -> Instruction:
    """A text."""
    return Instruction(key, value, Kind.SZ, f"{text}\0".encode("utf-16-le"))


def dword(key: str, value: str, number: int) -> Instruction:
    """A number of 32 bits."""
    return Instruction(key, value, Kind.DWORD, struct.pack("<I", number))


def multi_sz(key: str, value: str, texts: Iterable[str]) -> Instruction:
    """Several texts."""
    return Instruction(key, value, Kind.MULTI_SZ, "".join(f"{one}\0" for one in (*texts, "")).encode("utf-16-le"))


def is_registry_pol(octets: bytes) -> bool:
    """Whether these are the octets of such a file, of whatever version."""
    return octets.startswith(b"PReg")


def decode(octets: bytes) -> tuple[Instruction, ...]:
    """The instructions of a file in their order; raises DecodeError."""
    if not is_registry_pol(octets):
        raise DecodeError(0, 'no registry.pol: it does not begin with "PReg"')
    if octets[:8] != HEADER:
        raise DecodeError(4, "a version of registry.pol other than 1")
    cursor, found = _Cursor(octets, len(HEADER)), list[Instruction]()
    while cursor.offset < len(octets):
        found.append(cursor.instruction())
    return tuple(found)


def encode(instructions: Iterable[Instruction]) -> bytes:
    """The octets of a file; raises ValueError for what no file can hold."""
    return HEADER + b"".join(map(_encode, instructions))


def _encode(one: Instruction) -> bytes:
    if len(one.data) > MOST_DATA:
        raise ValueError(f"{one.key}\\{one.value} has {len(one.data)} octets, and registry.pol holds {MOST_DATA}")
    if not one.key or "\0" in one.key + one.value:
        raise ValueError("a key or a value without a name")
    names = f"[{one.key}\0;{one.value}\0;".encode("utf-16-le")
    mark = struct.pack("<H", MARK)
    numbers = struct.pack("<I", one.kind) + mark + struct.pack("<I", len(one.data)) + mark
    return names + numbers + one.data + struct.pack("<H", CLOSE)


@dataclass(slots=True)
class _Cursor:
    octets: bytes
    offset: int

    def instruction(self) -> Instruction:
        self._expect(OPEN, "an instruction has to begin")
        at = self.offset
        key = self._name()
        if not key:
            raise DecodeError(at, "a key without a name")
        self._expect(MARK, "a key ends")
        if self._peek() == CLOSE:
            self.offset += 2
            return Instruction(key)
        value = self._name()
        self._expect(MARK, "the name of a value ends")
        kind = self._number("a type")
        self._expect(MARK, "a type ends")
        size = self._number("a size")
        self._expect(MARK, "a size ends")
        data = self._take(size, "data")
        self._expect(CLOSE, "an instruction ends")
        return Instruction(key, value, kind, data)

    def _take(self, octets: int, what: str) -> bytes:
        at, left = self.offset, len(self.octets) - self.offset
        if octets > left:
            raise DecodeError(at, f"{what} of {octets} octets where the file has {left} left")
        self.offset += octets
        return self.octets[at : at + octets]

    def _peek(self) -> int | None:
        unit = self.octets[self.offset : self.offset + 2]
        return int.from_bytes(unit, "little") if len(unit) == 2 else None

    def _expect(self, mark: int, where: str) -> None:
        if self._peek() != mark:
            raise DecodeError(self.offset, f"no {NAMES[mark]} where {where}")
        self.offset += 2

    def _name(self) -> str:
        """Up to a NUL; or nothing, in front of a mark."""
        start = self.offset
        if self._peek() == MARK:
            return ""
        while (unit := self._peek()) != NUL:
            if unit is None:
                raise DecodeError(start, "a name without an end")
            self.offset += 2
        self.offset += 2
        try:
            return self.octets[start : self.offset - 2].decode("utf-16-le")
        except UnicodeDecodeError as error:
            raise DecodeError(start + error.start, "a name that is no UTF-16") from error

    def _number(self, what: str) -> int:
        """Four octets; or nothing, in front of a mark: 0."""
        following = self.octets[self.offset : self.offset + 4]
        if self._peek() == MARK and following[2:] != b"\0\0":
            return 0
        return int.from_bytes(self._take(4, what), "little")
