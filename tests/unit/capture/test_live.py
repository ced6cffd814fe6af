# SPDX-License-Identifier: Apache-2.0
"""What leaves by an interface is captured; what comes in, what leaves by others, and what is no IP, is not."""

import io
from typing import Self

import pytest

from ringfence.capture import live
from ringfence.capture.pcap import read_pcap


class PacketSocket:
    """Stands for a packet socket that tells what the kernel would, and is then interrupted."""

    TOLD = [
        (b"out 4", "eth0", 0x0800, 4), (b"in", "eth0", 0x0800, 0), (b"arp", "eth0", 0x0806, 4),
        (b"elsewhere", "lo", 0x0800, 4), (b"out 6", "eth1", 0x86DD, 4),
    ]  # fmt: skip

    def __init__(self, *asked: int) -> None:
        self.asked = asked
        self._told = iter(self.TOLD)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def recvfrom(self, _octets: int) -> tuple[bytes, tuple[str, int, int]]:
        try:
            octets, *where = next(self._told)
        except StopIteration as end:
            raise KeyboardInterrupt from end
        return octets, tuple(where)


def test_a_capture_is_written_as_it_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live.socket, "socket", PacketSocket)
    out = io.BytesIO()
    with pytest.raises(KeyboardInterrupt):
        live.watch(["eth0", "eth1"], out)
    assert [frame.octets for frame in read_pcap(io.BytesIO(out.getvalue()))] == [b"out 4", b"out 6"]


def test_it_begins_before_the_first_packet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PacketSocket, "TOLD", [])
    monkeypatch.setattr(live.socket, "socket", PacketSocket)
    out = io.BytesIO()
    with pytest.raises(KeyboardInterrupt):
        live.watch([], out)
    assert list(read_pcap(io.BytesIO(out.getvalue()))) == []
