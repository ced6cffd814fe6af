# SPDX-License-Identifier: Apache-2.0
"""The program and the netlink answers, played by stand-ins."""

import asyncio
import json
import socket
import stat
from pathlib import Path
from struct import pack
from typing import Self

import pytest

from ringfence.backends import nft
from ringfence.backends.base import BackendError
from ringfence.backends.filter import Count


def attribute(kind: int, content: bytes) -> bytes:
    return pack("=HH", 4 + len(content), kind) + content + bytes(-len(content) % 4)


def message(kind: int, content: bytes) -> bytes:
    return pack("=IHHII", 16 + len(content), kind, 0, 1, 0) + content


def counter(name: str, packets: int, octets: int, kind: int = 1) -> bytes:
    data = attribute(1, pack("!Q", octets)) + attribute(2, pack("!Q", packets))
    body = attribute(1, b"ringfence\0") + attribute(2, name.encode() + b"\0") + attribute(3, pack("!I", kind))
    return message(0xA12, pack("=BBH", 1, 0, 0) + body + attribute(4 | 0x8000, data))


class Channel:
    """A netlink socket that has these answers."""

    answers: list[bytes]

    def __init__(self, *_: object) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def settimeout(self, _: float) -> None:
        pass

    def send(self, request: bytes) -> None:
        assert b"ringfence\0" in request
        assert len(request) % 4 == 0

    def recv(self, _: int) -> bytes:
        return self.answers.pop(0)


def test_counters(monkeypatch: pytest.MonkeyPatch) -> None:
    Channel.answers = [
        counter("blocked", 3, 99) + counter("quota", 1, 1, kind=2),
        counter("no-sa", 1, 2),
        message(3, bytes(4)),
    ]
    monkeypatch.setattr(socket, "socket", Channel)
    assert nft.counts() == {"blocked": Count(3, 99), "no-sa": Count(1, 2)}
    Channel.answers = [message(2, bytes(20))]
    assert nft.counts() == {}


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program nft that keeps its input and does what ``program.py`` says."""
    script = tmp_path / "nft"
    script.write_text(f'#!/bin/sh\ncat >"{tmp_path}/input"\necho "$@" >"{tmp_path}/words"\n. "{tmp_path}/then"\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


def test_run(program: Path) -> None:
    (program / "then").write_text("")
    asyncio.run(nft.run("flush nothing\n"))
    assert (program / "input").read_text() == "flush nothing\n"
    assert (program / "words").read_text() == "-f -\n"


def test_refusal_says_why(program: Path) -> None:
    (program / "then").write_text('echo "Error: no such thing" >&2; exit 1')
    with pytest.raises(BackendError, match="no such thing"):
        asyncio.run(nft.run("nonsense"))


def test_a_transaction_that_is_too_large_for_a_user_namespace(program: Path) -> None:
    (program / "then").write_text('echo "netlink: Error: Could not process rule: Message too long" >&2; exit 1')
    with pytest.raises(BackendError, match="Message too long") as caught:
        asyncio.run(nft.run("much"))
    assert "net.core.wmem_max" in caught.value.cure


def test_settings(program: Path) -> None:
    rules = '{"nftables": [{"metainfo": {}}, {"rule": {"comment": "eth0=1"}}, {"rule": {"handle": 2}}]}'
    (program / "then").write_text(f"echo '{rules}'")
    assert asyncio.run(nft.settings()) == ("eth0=1",)
    (program / "then").write_text("exit 1")
    assert asyncio.run(nft.settings()) == ()


def test_without_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    with pytest.raises(BackendError, match="apt install nftables"):
        asyncio.run(nft.run(""))


def test_notes(monkeypatch: pytest.MonkeyPatch) -> None:
    some = {"set": {"elem": [{"elem": {"val": {"concat": ["10.0.0.2", "10.0.0.1"]}, "expires": 9}}]}}
    sets = {"clear-peers-4": some, "clear-flows-4": {"set": {"name": "empty"}}}

    async def program(*words: str, text: str = "") -> tuple[int, str, str]:
        found = sets.get(words[-1])
        return (1, "", "no such set") if found is None else (0, json.dumps({"nftables": [{"metainfo": {}}, found]}), "")

    monkeypatch.setattr(nft, "_nft", program)
    assert asyncio.run(nft.notes()) == (("clear-peers-4", ("10.0.0.2", "10.0.0.1")),)
