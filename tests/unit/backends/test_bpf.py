# SPDX-License-Identifier: Apache-2.0
"""The filter as the kernel runs it, before a pair of sockets: what passes, passes whole."""

import socket
from collections.abc import Iterator
from struct import pack

import pytest

from ringfence.backends import bpf
from ringfence.backends.raw import attach

SOURCE, DESTINATION = bytes(15) + b"\1", bytes(15) + b"\2"


def packet(first: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return pack("!IHBB", 6 << 28, len(body), first, 64) + SOURCE + DESTINATION + body


def options(following: int, units: int = 0) -> bytes:
    return bytes((following, units)) + bytes(6 + 8 * units)


def fragment(following: int, offset: int = 0) -> bytes:
    return pack("!BBHI", following, 0, offset | 1, 7)


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with left, right:
        attach(right, bpf.ipv6_headers())
        right.setblocking(False)
        yield left, right


def passes(ends: tuple[socket.socket, socket.socket], octets: bytes) -> bool:
    left, right = ends
    try:
        left.send(octets)
    except OSError:  # how a filter's refusal looks to the sender of a pair
        return False
    try:
        return right.recv(65536) == octets
    except BlockingIOError:
        return False


@pytest.mark.parametrize(
    "octets",
    [
        packet(50, bytes(20)),
        packet(51, bytes(20)),
        packet(58, b"\2", bytes(20)),
        packet(0, options(50, 2), bytes(20)),
        packet(0, options(43), options(60, 3), options(51), bytes(20)),
        packet(60, options(58), b"\2", bytes(7)),
        packet(44, fragment(50), bytes(8)),
        packet(44, fragment(50, 80), bytes(8)),
        packet(44, fragment(51, 8), bytes(8)),
        packet(44, fragment(60), options(50), bytes(20)),
        packet(44, fragment(60, 800), bytes(20)),
        packet(0, options(44), fragment(50, 1600), bytes(20)),
        packet(0, *[options(0)] * 4, options(50), bytes(9000)),
    ],
)
def test_passes(ends: tuple[socket.socket, socket.socket], octets: bytes) -> None:
    assert passes(ends, octets)


@pytest.mark.parametrize(
    "octets",
    [
        packet(6, b"\1", bytes(20)),
        packet(17, bytes((50, 50, 51, 2)) * 5),
        packet(58, b"\x80", bytes(20)),
        packet(0, options(6), bytes(20)),
        packet(60, options(58), b"\x80", bytes(7)),
        packet(44, fragment(17), bytes(8)),
        packet(44, fragment(17, 80), bytes(8)),
        packet(59),
        packet(0),
        packet(60, b"\x32"),
        b"",
        b"\x60",
        packet(0, *[options(0)] * 6, options(50), bytes(8)),
    ],
)
def test_refuses(ends: tuple[socket.socket, socket.socket], octets: bytes) -> None:
    assert not passes(ends, octets)


def test_the_whole_program_asks_first_for_whom_a_packet_is() -> None:
    whole = bpf.ipv6_protected()
    assert whole[16:].count(bpf.ipv6_headers()[:16])
    assert len(whole) == len(bpf.ipv6_headers()) + 16
    assert int.from_bytes(whole[4:8], "little") == bpf.PACKET_TYPE


def test_jumps_are_checked() -> None:
    far = [bpf._Line(bpf.IF_EQUAL, 0, yes="end"), *[bpf._Line(bpf.TO_X)] * 300, bpf._Line(bpf.RETURN, label="end")]
    with pytest.raises(ValueError):
        bpf.assemble(far)
    back = [bpf._Line(bpf.TO_X, label="start"), bpf._Line(bpf.IF_EQUAL, 0, yes="start")]
    with pytest.raises(ValueError):
        bpf.assemble(back)
