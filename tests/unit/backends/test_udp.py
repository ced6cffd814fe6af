# SPDX-License-Identifier: Apache-2.0
"""IKE's sockets on the loopback interface: markers, keepalives, runs of ESP, and which address was spoken to."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest

from ringfence.backends.base import BackendError
from ringfence.backends.udp import IkeSockets
from ringfence.net.address import Endpoint, Path, parse_address


def free_ports() -> tuple[int, int]:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as two,
    ):
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        return one.getsockname()[1], two.getsockname()[1]


class Ends:
    """The sockets under test and a peer that is a plain socket."""

    def __init__(self) -> None:
        self.ike_port, self.nat_port = free_ports()
        self.ike: list[tuple[bytes, Path]] = []
        self.esp: list[tuple[list[bytes], Path]] = []
        self.closed: list[Endpoint] = []
        self.sockets = IkeSockets(
            lambda datagram, path: self.ike.append((datagram, path)),
            lambda datagrams, path: self.esp.append((datagrams, path)),
            mark=0, ports=(self.ike_port, self.nat_port), on_closed=lambda peer: self.closed.append(peer),
        )  # fmt: skip


def play(story: Callable[[Ends, socket.socket], Awaitable[None]]) -> None:
    async def run() -> None:
        ends = Ends()
        ends.sockets.open()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind(("127.0.0.3", 0))
            peer.settimeout(2)
            await story(ends, peer)
        ends.sockets.close()

    asyncio.run(run())


def path(local: str, port: int, peer: socket.socket) -> Path:
    name, number = peer.getsockname()[:2]
    return Path(Endpoint(parse_address(local), port), Endpoint(parse_address(name), number))


def test_ike_on_its_port_and_the_answer_from_the_address_spoken_to() -> None:
    async def story(ends: Ends, peer: socket.socket) -> None:
        peer.sendto(b"hello", ("127.0.0.2", ends.ike_port))
        await asyncio.sleep(0.05)
        assert ends.ike == [(b"hello", path("127.0.0.2", ends.ike_port, peer))]
        ends.sockets.send(b"answer", ends.ike[0][1])
        assert peer.recvfrom(100) == (b"answer", ("127.0.0.2", ends.ike_port))

    play(story)


def test_the_nat_port_tells_ike_from_esp() -> None:
    async def story(ends: Ends, peer: socket.socket) -> None:
        to = ("127.0.0.1", ends.nat_port)
        for datagram in (b"\0\0\1\1first", b"\0\0\1\1second", b"\xff", bytes(4) + b"ike", b"\0\0\1\1third"):
            peer.sendto(datagram, to)
        await asyncio.sleep(0.05)
        where = path("127.0.0.1", ends.nat_port, peer)
        assert ends.ike == [(b"ike", where)]
        assert ends.esp == [([b"\0\0\1\1first", b"\0\0\1\1second"], where), ([b"\0\0\1\1third"], where)]
        ends.sockets.send(b"ike", where)
        ends.sockets.send_esp([b"\0\0\1\1esp", b"\xff"], where)
        assert [peer.recv(100) for _ in range(3)] == [bytes(4) + b"ike", b"\0\0\1\1esp", b"\xff"]

    play(story)


def test_runs_of_esp_are_of_one_path() -> None:
    async def story(ends: Ends, peer: socket.socket) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.4", 0))
            for one in (peer, other, other):
                one.sendto(b"\0\0\1\1", ("127.0.0.1", ends.nat_port))
            await asyncio.sleep(0.05)
            assert [(len(run), where.remote.address[3]) for run, where in ends.esp] == [(1, 3), (2, 4)]

    play(story)


def test_ipv6() -> None:
    async def story(ends: Ends, peer: socket.socket) -> None:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as six:
            six.bind(("::1", 0))
            six.settimeout(2)
            six.sendto(b"hello", ("::1", ends.ike_port))
            await asyncio.sleep(0.05)
            assert ends.ike == [(b"hello", path("::1", ends.ike_port, six))]
            ends.sockets.send(b"answer", ends.ike[0][1])
            assert six.recv(100) == b"answer"

    play(story)


def test_what_cannot_leave_is_lost() -> None:
    async def story(ends: Ends, peer: socket.socket) -> None:
        where = path("127.0.0.1", ends.ike_port, peer)
        ends.sockets.send(bytes(70_000), where)
        ends.sockets.send(b"x", Path(Endpoint(where.local.address, 1), where.remote))
        assert ends.sockets.lost == 2

    play(story)


def test_a_port_in_use_is_said() -> None:
    async def story(ends: Ends, peer: socket.socket) -> None:
        second = IkeSockets(print, print, mark=0, ports=(ends.ike_port, ends.nat_port))
        with pytest.raises(BackendError, match="Another IKE service"):
            second.open()

    play(story)


def test_a_closed_port_is_told_and_costs_no_message() -> None:
    async def story(ends: Ends, peer: socket.socket) -> None:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as six:
            six.bind(("::1", 0))
            gone = [path("127.0.0.1", ends.ike_port, peer), path("::1", ends.ike_port, six)]
        peer.close()
        for where in gone:
            ends.sockets.send(b"anybody there?", where)
        await asyncio.sleep(0.05)
        assert ends.closed == [where.remote for where in gone]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.3", 0))
            other.settimeout(2)
            ends.sockets.send(b"anybody there?", gone[0])
            ends.sockets.send(b"and you?", path("127.0.0.1", ends.ike_port, other))
            assert other.recv(100) == b"and you?", "the error of the first does not cost the second"
        assert ends.sockets.lost == 0
        assert len(ends.closed) == 3

    play(story)
