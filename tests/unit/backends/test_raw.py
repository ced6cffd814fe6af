# SPDX-License-Identifier: Apache-2.0
"""What is sent where, what is lost, what is taken; stand-ins for the sockets."""

import contextlib
import errno
import socket
from collections import Counter

import pytest

from ringfence.backends.raw import RawSockets, quotes_us
from ringfence.datapath.pmtu import too_big
from ringfence.net.ip import build_v4, build_v6, view

TO4 = b"\x45" + bytes(15) + bytes((127, 0, 0, 1)) + b"esp"
TO6 = b"\x60" + bytes(23) + bytes(15) + b"\1" + b"esp"


class Stub:
    """A socket with packets to give; refuses what it is told to."""

    def __init__(self, family: int, packets: list[bytes | OSError] | None = None, refuse: int = 0) -> None:
        self.family, self.packets, self.refuse = family, packets or [], refuse
        self.proto = 50
        self.sent: list[tuple[bytes, tuple[str, int]]] = []

    def recv(self, _: int) -> bytes:
        if not self.packets:
            raise BlockingIOError
        one = self.packets.pop(0)
        if isinstance(one, OSError):
            raise one
        return one

    def sendto(self, packet: bytes, to: tuple[str, int]) -> None:
        if self.refuse:
            raise OSError(self.refuse, "refused")
        self.sent.append((packet, to))


def sockets(**senders: Stub) -> RawSockets:
    made = object.__new__(RawSockets)
    made._mark, made.errors, made.local, made._names = 0, Counter(), frozenset(), {}
    made._open, made._receiving = contextlib.ExitStack(), []
    made._senders = {int(name[1]): stub for name, stub in senders.items()}  # type: ignore[misc]
    return made


def test_each_family_leaves_by_its_socket() -> None:
    four, six = Stub(socket.AF_INET), Stub(socket.AF_INET6)
    raw = sockets(v4=four, v6=six)
    assert raw.send([TO4, TO6, TO4]) == []
    assert four.sent == [(TO4, ("127.0.0.1", 0))] * 2
    assert six.sent == [(TO6, ("::1", 0))]


def test_a_host_without_ipv6_loses_it() -> None:
    raw = sockets(v4=Stub(socket.AF_INET))
    assert raw.send([TO6]) == []
    assert raw.errors == {"EAFNOSUPPORT": 1}


def test_too_big_comes_back_with_the_path_s_mtu(monkeypatch) -> None:
    raw = sockets(v4=Stub(socket.AF_INET, refuse=errno.EMSGSIZE))
    monkeypatch.setattr(RawSockets, "path_mtu", lambda self, address: 1400 + address[3])
    assert raw.send([TO4]) == [(TO4, 1401)]


def test_other_refusals_are_counted() -> None:
    raw = sockets(v4=Stub(socket.AF_INET, refuse=errno.EHOSTUNREACH))
    assert raw.send([TO4, TO4]) == []
    assert raw.errors == {"EHOSTUNREACH": 2}


def test_bursts_and_errors_between() -> None:
    raw = sockets()
    one = Stub(socket.AF_INET, [b"a", OSError(errno.ECONNREFUSED, ""), b"b", b"c"])
    assert raw.receive(one, 3) == [b"a", b"b"]  # type: ignore[arg-type]
    assert raw.receive(one) == [b"c"]  # type: ignore[arg-type]


def test_a_packet_socket_s_catch_is_only_ours_when_the_address_is() -> None:
    raw = sockets()
    raw.local = frozenset({bytes(15) + b"\1"})
    other = TO6[:24] + bytes(16) + b"esp"
    assert raw.receive(Stub(socket.AF_PACKET, [TO6, other])) == [TO6]  # type: ignore[arg-type]
    assert raw.receive(Stub(socket.AF_INET, [TO6, other])) == [TO6, other]  # type: ignore[arg-type]


@pytest.mark.root
def test_no_way_no_mtu() -> None:
    assert sockets().path_mtu(bytes(15) + b"\1") in (0, 65536)


def notice(protocol: int, body: bytes, *, version: int = 4) -> bytes:
    """What a router says about a packet of this protocol."""
    if version == 4:
        packet = build_v4(bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2)), protocol, len(body)) + body
    else:
        packet = build_v6(b"\xfd" + bytes(15), b"\xfd" + bytes(14) + b"\1", protocol, len(body)) + body
    parts = view(packet)
    assert parts is not None
    said = too_big(packet, parts, 1300)
    assert said is not None
    return said


def test_icmp_about_our_packets_is_ours_and_no_other() -> None:
    for version in (4, 6):
        assert quotes_us(notice(50, bytes(100), version=version))
        assert quotes_us(notice(51, bytes(100), version=version))
        assert quotes_us(notice(17, (4500).to_bytes(2) + bytes(100), version=version))
        assert not quotes_us(notice(17, (53).to_bytes(2) + bytes(100), version=version))
        assert not quotes_us(notice(6, bytes(100), version=version))
        for length in range(len(whole := notice(50, bytes(8), version=version))):
            quotes_us(whole[:length])
    other = bytearray(notice(50, bytes(100)))
    other[21] = 1
    assert not quotes_us(bytes(other)), "host unreachable"


def test_icmp_is_sorted_out() -> None:
    raw = sockets()
    ours, other = notice(50, bytes(50)), notice(6, bytes(50))
    stub = Stub(socket.AF_INET, [ours, other])
    stub.proto = 1
    assert raw.receive(stub) == [ours]  # type: ignore[arg-type]
    ours, other = notice(50, bytes(50), version=6), notice(6, bytes(50), version=6)
    assert raw.receive(Stub(socket.AF_PACKET, [ours, other, TO6])) == [ours, TO6]  # type: ignore[arg-type]
