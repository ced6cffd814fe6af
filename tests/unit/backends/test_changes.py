# SPDX-License-Identifier: Apache-2.0
"""Of the kernel's news those count that tell of the host's own things, or of a loss of ours."""

import asyncio
from struct import pack

import pytest

from ringfence.backends.changes import Changes, concerns


def message(kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    return pack("=IHHII", 16 + len(body), kind, 0, 0, 0) + body


def link(index: int, kind: int = 16, flags: int = 1) -> bytes:
    return message(kind, pack("=BxHiII", 0, 1, index, flags, 0))


def address(index: int, kind: int = 20) -> bytes:
    return message(kind, pack("=BBBBi", 2, 24, 0, 0, index))


def route(table: int, kind: int = 24) -> bytes:
    return message(kind, pack("=BBBBBBBBI", 2, 24, 0, 0, table, 0, 0, 1, 0))


@pytest.mark.parametrize(
    "news",
    [
        link(3),
        link(3, 17),
        address(3),
        address(3, 21),
        route(254),
        route(254, 25),
        link(7, flags=0),
        route(252, 25),
        message(33, bytes(12)),
        message(0xA02, bytes(20)),
    ],
)
def test_of_interest(news: bytes) -> None:
    assert concerns(news, 7)
    assert concerns(link(7) + route(252) + news, 7)


@pytest.mark.parametrize(
    "news",
    [
        b"",
        link(7),
        address(7, 21),
        route(252),
        route(255),
        route(255, 25),
        message(0xA00, bytes(20)),
        message(3, b""),
        message(16, b""),
    ],
)
def test_of_none(news: bytes) -> None:
    assert not concerns(news, 7)


@pytest.mark.root
def test_a_flurry_is_told_once() -> None:
    async def listen() -> None:
        told: list[int] = []
        changes = Changes(lambda: told.append(1), ours=7)

        class Channel:
            news = [link(3), address(3), link(7)]

            def recv(self, _: int) -> bytes:
                return self.news.pop(0)

        channel = Channel()
        for _ in range(3):
            changes._read(channel)  # type: ignore[arg-type]
        assert changes._timer is not None
        assert told == []
        changes._tell()
        assert told == [1]
        changes.close()

    asyncio.run(listen())
