# SPDX-License-Identifier: Apache-2.0
"""A packet filter for the kernel: of all IPv6 packets only those that the packet path must see. Pure.

Linux gives a raw IPv6 socket no header, and AH covers it. So whole packets come from a packet socket, through this
program: packets to this host (by link layer), whose extension headers lead to ESP, AH or the ICMPv6 error
"packet too big". A fragment passes for the sake of what its fragment header announces; a chain of more than
``MOST_HEADERS`` extension headers does not.

It is classic BPF (the kernel's ``filter.txt``): an accumulator A, an index X, jumps forward only.
"""

from collections.abc import Iterable
from struct import Struct
from typing import NamedTuple

MOST_HEADERS = 6
IPV6_OCTETS = 40
HOP_BY_HOP, ROUTING, FRAGMENT, DESTINATION, ESP, AH, ICMPV6 = 0, 43, 44, 60, 50, 51, 58
TOO_BIG = 2
PACKET_TYPE = 0xFFFFF000 + 4
TO_THIS_HOST = 0
WHOLE = 0x40000

LOAD_BYTE, LOAD_BYTE_AT_X, LOAD_WORD, LOAD_X, TO_X = 0x30, 0x50, 0x20, 0x01, 0x07
LOAD_HALF_AT_X, LOAD_NUMBER = 0x48, 0x00
ADD, SHIFT_LEFT, ADD_X, AND = 0x04, 0x64, 0x0C, 0x54
IF_EQUAL, RETURN, STORE, LOAD_STORED = 0x15, 0x06, 0x02, 0x60

_INSTRUCTION = Struct("=HBBI")

NOTHING = _INSTRUCTION.pack(RETURN, 0, 0, 0)
"""The program that lets nothing through: for sockets that are only there so that the kernel knows the protocol."""


class _Line(NamedTuple):
    """An instruction whose jumps name labels; empty for the next line."""

    code: int
    value: int = 0
    yes: str = ""
    no: str = ""
    label: str = ""


def ipv6_protected() -> bytes:
    """The program, as SO_ATTACH_FILTER wants its instructions; packets begin with the IPv6 header."""
    lines = [
        _Line(LOAD_WORD, PACKET_TYPE),
        _Line(IF_EQUAL, TO_THIS_HOST, no="refuse"),
        *_program(),
    ]
    return assemble(lines)


def ipv6_headers() -> bytes:
    """The same without the question to whom the packet is, which only a packet socket can answer."""
    return assemble(_program())


def _program() -> list[_Line]:
    lines = [_Line(LOAD_X, IPV6_OCTETS), _Line(LOAD_BYTE, 6)]
    for depth in range(MOST_HEADERS):
        lines += _header(depth, f"header{depth + 1}" if depth + 1 < MOST_HEADERS else "last")
    lines += [
        _Line(IF_EQUAL, ESP, yes="accept", label="last"),
        _Line(IF_EQUAL, AH, yes="accept", no="refuse"),
        _Line(LOAD_BYTE_AT_X, 0, label="icmp"),
        _Line(IF_EQUAL, TOO_BIG, yes="accept", no="refuse"),
        _Line(RETURN, WHOLE, label="accept"),
        _Line(RETURN, 0, label="refuse"),
    ]
    return lines


def _header(depth: int, following: str) -> list[_Line]:
    """A holds the protocol of the header at X: accept, refuse, or step to the one behind it."""
    here = f"header{depth}"
    return [
        _Line(IF_EQUAL, ESP, yes="accept", label=here),
        _Line(IF_EQUAL, AH, yes="accept"),
        _Line(IF_EQUAL, ICMPV6, yes="icmp"),
        _Line(IF_EQUAL, FRAGMENT, yes=f"{here}fragment"),
        _Line(IF_EQUAL, HOP_BY_HOP, yes=f"{here}options"),
        _Line(IF_EQUAL, DESTINATION, yes=f"{here}options"),
        _Line(IF_EQUAL, ROUTING, yes=f"{here}options", no="refuse"),
        # a later fragment shows no more headers: pass it for ESP and AH, and options that may stand before them
        _Line(LOAD_HALF_AT_X, 2, label=f"{here}fragment"),
        _Line(AND, 0xFFF8),
        _Line(IF_EQUAL, 0, yes=f"{here}first"),
        _Line(LOAD_BYTE_AT_X, 0),
        _Line(IF_EQUAL, ESP, yes="accept"),
        _Line(IF_EQUAL, AH, yes="accept"),
        _Line(IF_EQUAL, DESTINATION, yes="accept", no="refuse"),
        _Line(LOAD_BYTE_AT_X, 0, label=f"{here}first"),
        _Line(STORE, 0),
        _Line(LOAD_NUMBER, 0),
        _Line(IF_EQUAL, 0, yes=f"{here}step", no="refuse"),
        _Line(LOAD_BYTE_AT_X, 0, label=f"{here}options"),
        _Line(STORE, 0),
        _Line(LOAD_BYTE_AT_X, 1),
        _Line(SHIFT_LEFT, 3),
        _Line(ADD, 8, label=f"{here}step"),
        _Line(ADD_X),
        _Line(TO_X),
        _Line(LOAD_STORED, 0),
        _Line(IF_EQUAL, 0, yes=following, no=following),
    ]


def assemble(lines: Iterable[_Line]) -> bytes:
    """Turn labels into distances; raises ValueError when a jump is too far or backward."""
    lines = list(lines)
    at = {line.label: position for position, line in enumerate(lines) if line.label}

    def distance(target: str, position: int) -> int:
        steps = at[target] - position - 1 if target else 0
        if not 0 <= steps <= 255:
            raise ValueError(f"no jump of {steps} instructions")
        return steps

    return b"".join(
        _INSTRUCTION.pack(line.code, distance(line.yes, position), distance(line.no, position), line.value)
        for position, line in enumerate(lines)
    )
