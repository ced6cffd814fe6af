# SPDX-License-Identifier: Apache-2.0
"""TCP connections on the loopback interface: both ends, what ends one, and what strangers get."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest

from ringfence.backends.base import BackendError
from ringfence.backends.framing import framed
from ringfence.backends.streams import StreamLimits, TcpStreams
from ringfence.net.address import Endpoint, Path, parse_address

ESP = bytes.fromhex("00001001 00000001") + b"sealed"
IKE = b"\x01" * 24 + (40).to_bytes(4) + bytes(12)
SHORT = StreamLimits(prove_s=0.2, dial_s=0.2, linger_s=0.1, unproved_octets=5000, unproved_per_source=2, connections=3)


def free_port() -> int:
    with socket.socket(socket.AF_INET6) as one:
        one.bind(("::", 0))  # of both families
        return one.getsockname()[1]


class End:
    """One host."""

    def __init__(self, limits: StreamLimits = SHORT) -> None:
        self.ike: list[tuple[bytes, Path]] = []
        self.esp: list[bytes] = []
        self.gone: list[Path] = []
        self.streams = TcpStreams(
            lambda datagram, path: self.ike.append((datagram, path)),
            lambda packets, _: self.esp.extend(packets),
            self.gone.append, 0, limits=limits,
        )  # fmt: skip
        self.port = free_port()
        self.streams.listen([self.port])

    def path_to(self, other: "End") -> Path:
        ends = ("127.0.0.2", free_port()), ("127.0.0.3", other.port)
        return Path(*(Endpoint(parse_address(address), port) for address, port in ends), tcp=True)


def play(story: Callable[[End, End], Awaitable[None]], limits: StreamLimits = SHORT) -> None:
    async def run() -> None:
        one, other = End(limits), End(limits)
        try:
            await asyncio.wait_for(story(one, other), 30)
        finally:
            one.streams.close()
            other.streams.close()
            await asyncio.sleep(0)

    asyncio.run(run())


async def until(holds: Callable[[], bool]) -> None:
    for _ in iter(holds, True):
        await asyncio.sleep(0.005)


async def stranger(end: End, *said: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Somebody who connects and says this."""
    reader, writer = await asyncio.open_connection("127.0.0.1", end.port)
    for octets in said:
        writer.write(octets)
    await writer.drain()
    return reader, writer


async def is_ended(reader: asyncio.StreamReader) -> bool:
    try:
        return await asyncio.wait_for(reader.read(1), 10) == b""
    except ConnectionError:
        return True


def test_a_message_opens_a_connection_that_the_answer_comes_by() -> None:
    async def story(one: End, other: End) -> None:
        path = one.path_to(other)
        one.streams.send(IKE, path)
        await until(lambda: bool(other.ike))
        assert other.ike == [(IKE, path.reversed())]
        other.streams.send(IKE, path.reversed())
        await until(lambda: bool(one.ike))
        assert one.ike == [(IKE, path)]

    play(story)


def test_esp_beside_ike() -> None:
    async def story(one: End, other: End) -> None:
        path = one.path_to(other)
        one.streams.send_esp([ESP], path)
        assert one.streams.lost == 1  # only IKE opens a connection
        one.streams.send(IKE, path)
        one.streams.send_esp([ESP, ESP + b"more"], path)
        await until(lambda: len(other.esp) == 2)
        assert other.esp == [ESP, ESP + b"more"]

    play(story)


def test_much_at_once_arrives_whole_and_in_order() -> None:
    packets = [ESP + number.to_bytes(4) + bytes(1300) for number in range(2000)]

    async def story(one: End, other: End) -> None:
        path = one.path_to(other)
        one.streams.send(IKE, path)
        await until(lambda: bool(other.ike))
        other.streams.keep(path.reversed())
        sent = 0
        while sent < len(packets):
            before = one.streams.lost
            one.streams.send_esp(packets[sent : sent + 50], path)
            sent += 50 * (one.streams.lost == before)
            await asyncio.sleep(0)
        await until(lambda: len(other.esp) == len(packets))
        assert other.esp == packets

    play(story)


def test_a_full_connection_loses_esp_before_ike() -> None:
    async def story(one: End, other: End) -> None:
        with socket.socket() as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.bind(("127.0.0.3", 0))
            deaf.listen()
            port = deaf.getsockname()[1]
            path = Path(one.path_to(other).local, Endpoint(parse_address("127.0.0.3"), port), tcp=True)
            one.streams.send(IKE, path)
            taken, _ = await asyncio.get_running_loop().run_in_executor(None, deaf.accept)
            with taken:
                while not one.streams.lost:
                    one.streams.send_esp([ESP + bytes(60000)] * 4, path)
                    await asyncio.sleep(0)
                one.streams.send(IKE, path)
                assert one.streams.lost == 1

    play(story, StreamLimits())


def test_nobody_is_there() -> None:
    async def story(one: End, other: End) -> None:
        other.streams.listen([])
        path = one.path_to(other)
        one.streams.send(IKE, path)
        await until(lambda: bool(one.gone))
        assert one.gone == [path]

    play(story)


def test_a_port_that_is_in_use() -> None:
    async def story(one: End, other: End) -> None:
        with socket.socket() as busy:
            busy.bind(("127.0.0.2", 0))
            taken = Endpoint(parse_address("127.0.0.2"), busy.getsockname()[1])
            one.streams.send(IKE, Path(taken, one.path_to(other).remote, tcp=True))
            await until(lambda: bool(one.gone))

    play(story)


def test_who_answers_opens_none() -> None:
    async def story(one: End, other: End) -> None:
        back = Path(Endpoint(parse_address("127.0.0.1"), one.port), one.path_to(other).remote, tcp=True)
        one.streams.send(IKE, back)
        assert one.streams.lost == 1

    play(story)


def test_both_ends_hear_of_its_end() -> None:
    async def story(one: End, other: End) -> None:
        path = one.path_to(other)
        one.streams.send(IKE, path)
        await until(lambda: bool(other.ike))
        other.streams.release(path.reversed())
        await until(lambda: bool(one.gone))
        assert one.gone == [path]
        assert other.gone == []  # whoever ends it knows

    play(story)


def test_what_was_said_before_the_end_arrives() -> None:
    async def story(one: End, other: End) -> None:
        path = one.path_to(other)
        one.streams.send(IKE, path)
        await until(lambda: bool(other.ike))
        one.streams.release(path)
        one.streams.send(IKE, path)
        await until(lambda: bool(other.gone))
        assert len(other.ike) == 2

    play(story)


@pytest.mark.parametrize(
    "said",
    [
        [b"GET / HTTP/1.1\r\n"],
        [b"\x16\x03\x01\x02\x00"],
        [b"IKETCP\x00\x01"],
        [b"IKETCP", framed([bytes(4) + IKE + b"x"])],
    ],
    ids=["http", "tls", "length", "header"],
)
def test_garbage_ends_it(said: list[bytes]) -> None:
    async def story(one: End, _: End) -> None:
        reader, writer = await stranger(one, *said)
        assert await is_ended(reader)
        assert one.streams.refused == 1
        assert one.ike == []
        writer.close()

    play(story, StreamLimits())


def test_garbage_ends_even_one_that_is_kept() -> None:
    async def story(one: End, _: End) -> None:
        reader, writer = await stranger(one, b"IKETCP", framed([bytes(4) + IKE]))
        await until(lambda: bool(one.ike))
        path = one.ike[0][1]
        one.streams.keep(path)
        writer.write(b"\x00\x00")
        assert await is_ended(reader)
        await until(lambda: bool(one.gone))
        assert one.gone == [path]
        writer.close()

    play(story)


@pytest.mark.parametrize("said", [b"", b"IKE", b"IKETCP", b"IKETCP\x05", b"IKETCP\x05\x00" + bytes(20)])
def test_who_is_slow_is_not_waited_for(said: bytes) -> None:
    async def story(one: End, _: End) -> None:
        reader, writer = await stranger(one, said)
        assert await is_ended(reader)
        writer.close()

    play(story)


def test_who_says_much_and_proves_nothing() -> None:
    async def story(one: End, _: End) -> None:
        reader, writer = await stranger(one, b"IKETCP", framed([ESP + bytes(900)] * 10))
        assert await is_ended(reader)
        writer.close()

    play(story, StreamLimits(unproved_octets=5000))


def test_one_source_has_few_unless_it_proves_something() -> None:
    async def story(one: End, _: End) -> None:
        first = [await stranger(one, b"IKETCP", framed([bytes(4) + IKE])) for _ in range(2)]
        await until(lambda: len(one.ike) == 2)
        third, writer = await stranger(one)
        assert await is_ended(third)
        one.streams.keep(one.ike[0][1])
        fourth = await stranger(one, b"IKETCP", framed([bytes(4) + IKE]))
        await until(lambda: len(one.ike) == 3)
        for _, each in [*first, fourth]:
            each.close()
        writer.close()

    play(story, StreamLimits(unproved_per_source=2))


def test_the_oldest_that_proved_nothing_goes_for_the_next() -> None:
    async def story(one: End, _: End) -> None:
        kept = await stranger(one, b"IKETCP", framed([bytes(4) + IKE]))
        await until(lambda: bool(one.ike))
        one.streams.keep(one.ike[0][1])
        oldest = await stranger(one, b"IKETCP")
        newer = [await stranger(one, b"IKETCP") for _ in range(2)]
        assert await is_ended(oldest[0])
        kept[1].write(framed([ESP]))
        await until(lambda: bool(one.esp))
        for _, each in [kept, oldest, *newer]:
            each.close()

    play(story, StreamLimits(connections=3))


def test_other_ports_are_closed() -> None:
    async def story(one: End, _: End) -> None:
        reader, writer = await stranger(one, b"IKETCP", framed([bytes(4) + IKE]))
        await until(lambda: bool(one.ike))
        old, new = one.port, free_port()
        one.streams.listen([new])
        assert one.streams.ports == {new}
        with pytest.raises(ConnectionError):
            await asyncio.open_connection("127.0.0.1", old)
        writer.write(framed([ESP]))  # what is there stays
        await until(lambda: bool(one.esp))
        writer.close()
        del reader

    play(story)


def test_a_port_that_another_service_has() -> None:
    async def story(one: End, other: End) -> None:
        with pytest.raises(BackendError, match=f"TCP port {other.port}"):
            one.streams.listen([one.port, other.port])
        assert one.streams.ports == {one.port}
        _, writer = await stranger(one, b"IKETCP")
        writer.close()

    play(story)
