# SPDX-License-Identifier: Apache-2.0
"""The twin drives the real packet path: what one sends, another receives."""

import asyncio

from ringfence.backends.base import Acquire, BackendEvent, FellBack
from ringfence.backends.memory import MemoryBackend
from ringfence.crypto.suites import Encryption
from ringfence.databases.proposal import SecurityMethod
from ringfence.databases.sa import ChildSa
from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action, Origin, Processing, Spd, SpdEntry
from ringfence.datapath.verdict import Drop
from ringfence.net.address import parse_address
from ringfence.net.ip import build_v4
from ringfence.testing.associations import esp_suite, make_sa

SUITE = esp_suite(Encryption.AES_GCM_16)
A, B = "192.0.2.1", "192.0.2.2"
PACKET = build_v4(parse_address(A), parse_address(B), 17, 16) + bytes((0, 9, 0, 9, 0, 16, 0, 0)) + bytes(8)


def policy(local: str, remote: str, *, clear_out: bool = False) -> Spd:
    processing = Processing((SecurityMethod((SUITE,)),), clear_out=clear_out)
    return Spd(
        (SpdEntry("lab", Selector.between(local, remote), Action.PROTECT, Origin("lab"), processing=processing),)
    )


def contract(local: str, remote: str) -> ChildSa:
    return ChildSa(
        7, 0, "lab", Selector.between(local, remote),
        outbound=(make_sa(SUITE, source=local, destination=remote, seed=local),),
        inbound=(make_sa(SUITE, source=remote, destination=local, seed=remote),),
    )  # fmt: skip


def test_a_packet_waits_goes_and_arrives() -> None:
    heard: list[BackendEvent] = []
    a, b = (MemoryBackend(random=bytes, clock=lambda: 1.0, events=heard.append) for _ in range(2))
    asyncio.run(a.start())
    asyncio.run(a.apply(policy(A, B)))
    asyncio.run(b.apply(policy(B, A)))
    a.outbound([PACKET])
    assert isinstance(heard[0], Acquire)
    assert heard[0].entry == "lab"
    assert not a.wire
    b.install_inbound(contract(B, A))
    a.install_outbound(contract(A, B))
    assert len(a.wire) == 1
    b.inbound(a.wire * 2)
    assert b.delivered == [PACKET]
    assert [one.reason for one in b.dropped] == [Drop.REPLAYED]
    assert b.statistics().dropped == {"replayed": 1}
    assert a.statistics().protected_packets_out == b.statistics().protected_packets_in == 1
    a.remove(7)
    a.tick()
    asyncio.run(a.stop())
    assert a.calls == ["start", "apply", "install_outbound 7", "remove 7", "stop"]


def test_fallback_is_told() -> None:
    heard: list[BackendEvent] = []
    a = MemoryBackend(random=bytes, clock=lambda: 1.0, events=heard.append)
    asyncio.run(a.apply(policy(A, B, clear_out=True)))
    a.outbound([PACKET])
    acquire = heard.pop()
    assert isinstance(acquire, Acquire)
    a.acquire_failed(acquire.entry, acquire.flow)
    assert isinstance(heard.pop(), FellBack)
    assert len(a.wire) == 1
    assert a.statistics().clear_packets_out == 1
    assert [one.packets_out for one in a.statistics().soft] == [1]
