# SPDX-License-Identifier: Apache-2.0
"""In which order a policy takes effect, what happens when a step fails, and what is told; stand-ins for the host.

That packets flow is shown by ``tests/integration/test_backend_*``.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from unit.backends.fake_host import FakeHost

from ringfence.backends import base, nft, userspace
from ringfence.backends.base import BackendError, BackendEvent, BackendStatistics
from ringfence.backends.filter import Count
from ringfence.backends.userspace import UserspaceBackend
from ringfence.crypto.suites import Encryption
from ringfence.databases.proposal import SecurityMethod
from ringfence.databases.sa import ChildSa
from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action, Origin, Processing, Spd, SpdEntry
from ringfence.datapath.esp import EspSeal
from ringfence.datapath.verdict import Drop
from ringfence.net.address import parse_address
from ringfence.net.flow import FlowKey
from ringfence.net.ip import build_v4
from ringfence.testing.associations import esp_suite, make_sa

SUITE = esp_suite(Encryption.AES_GCM_16)
A, B = "192.0.2.1", "192.0.2.2"
FLOW = FlowKey(parse_address(A), parse_address(B), 17, 9, 9)
PACKET = build_v4(FLOW.source, FLOW.destination, 17, 16) + bytes((0, 9, 0, 9, 0, 16, 0, 0)) + bytes(8)


Story = Callable[[UserspaceBackend, FakeHost, list[BackendEvent]], Awaitable[None]]


def play(monkeypatch: pytest.MonkeyPatch, story: Story) -> None:
    async def run() -> None:
        fake, heard = FakeHost(), list[BackendEvent]()
        backend = UserspaceBackend(random=bytes, clock=lambda: 5.0, events=heard.append)
        backend._kernel._netlink = fake  # type: ignore[assignment]
        backend._tun = backend._raw = fake  # type: ignore[assignment]
        backend._started = True
        fake.stands_in(monkeypatch)
        await story(backend, fake, heard)
        for handle in (backend._timer, backend._told):
            if handle is not None:
                handle.cancel()

    asyncio.run(run())


def policy(remote: str, **more: Any) -> Spd:
    processing = Processing((SecurityMethod((SUITE,)),), **more)
    selector = Selector.between(A, remote)
    return Spd((SpdEntry("lab", selector, Action.PROTECT, Origin("lab"), processing=processing),))


def contract() -> ChildSa:
    return ChildSa(
        7, 0, "lab", Selector.between(A, B),
        outbound=(make_sa(SUITE, source=A, destination=B),), inbound=(make_sa(SUITE, source=B, destination=A),),
    )  # fmt: skip


def test_a_refused_policy_leaves_the_old_one(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(backend: UserspaceBackend, fake: FakeHost, heard: list[BackendEvent]) -> None:
        await backend.apply(policy(B))
        fake.refuse = "192.0.2.3"
        with pytest.raises(BackendError):
            await backend.apply(policy("192.0.2.3"))
        assert [one.destination for one in fake.routes] == ["192.0.2.2/32"]
        assert backend._spd == policy(B)

    play(monkeypatch, story)


def test_there_are_statistics_before_it_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nft, "counts", dict)
    backend = UserspaceBackend(random=bytes, clock=lambda: 5.0, events=lambda _: None)
    assert backend.statistics() == BackendStatistics()


def test_a_packet_waits_then_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(userspace, "GRACE_SECONDS", 0.01)

    async def story(backend: UserspaceBackend, fake: FakeHost, heard: list[BackendEvent]) -> None:
        await backend.apply(policy(B))
        backend._perform(backend._path.outbound([PACKET], 5.0))
        assert heard == [], "events come from the loop, not from within"
        await asyncio.sleep(0)
        assert heard == [base.Acquire("lab", FLOW)]
        backend.install_inbound(contract())
        backend.install_outbound(contract())
        assert len(fake.wire) == 1
        backend._perform(backend._path.inbound(fake.wire, 5.0))
        backend._tell_drops()
        await asyncio.sleep(0)
        assert isinstance(heard[-1], base.Dropped)
        assert heard[-1].reason is Drop.UNKNOWN_SPI, "our own packet is none for us"
        assert backend.statistics().children[7].packets_out == 1
        backend.remove(7)
        backend._perform(backend._path.outbound([PACKET], 5.0))
        assert len(fake.wire) == 1, "nothing leaves by it any more"
        assert 7 in backend.statistics().children
        await asyncio.sleep(0.03)
        assert backend.statistics().children == {}

    play(monkeypatch, story)


def from_peer() -> bytes:
    """A packet by the contract's inbound SA."""
    seal = EspSeal(make_sa(SUITE, source=B, destination=A), bytes)
    payload = seal.seal(17, bytes((0, 9, 0, 9, 0, 16, 0, 0)) + bytes(8))
    assert isinstance(payload, bytes)
    return build_v4(FLOW.destination, FLOW.source, 50, len(payload)) + payload


@pytest.mark.parametrize("made", [True, False], ids=["made", "not made"])
def test_a_packet_that_outran_the_message_that_makes_its_sa(monkeypatch: pytest.MonkeyPatch, made: bool) -> None:
    monkeypatch.setattr("ringfence.backends.early.PATIENCE_S", 0.0)

    async def story(backend: UserspaceBackend, fake: FakeHost, heard: list[BackendEvent]) -> None:
        await backend.apply(policy(B))
        monkeypatch.setattr(fake, "receive", lambda one: [from_peer()], raising=False)
        backend._from_wire(None)  # type: ignore[arg-type]
        assert backend.statistics().dropped == {}
        if made:
            backend.install_inbound(contract())
            assert len(fake.given) == 1
        await asyncio.sleep(2 * userspace.TIMER_SECONDS)
        assert len(fake.given) == made
        assert backend.statistics().dropped == ({} if made else {"unknown-spi": 1})

    play(monkeypatch, story)


def test_fallback_to_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(userspace, "GRACE_SECONDS", 0.01)

    async def story(backend: UserspaceBackend, fake: FakeHost, heard: list[BackendEvent]) -> None:
        await backend.apply(policy(B, clear_out=True))
        backend._perform(backend._path.outbound([PACKET], 5.0))
        backend.acquire_failed("lab", FLOW)
        assert fake.wire == [PACKET]
        await asyncio.sleep(0)
        assert base.FellBack("lab", FLOW) in heard
        (soft,) = backend.statistics().soft
        assert (soft.entry, soft.flow, soft.packets_out, soft.until) == ("lab", FLOW, 1, 305.0)
        backend._perform(backend._path.outbound([PACKET], 310.0))
        await asyncio.sleep(0)
        assert heard[-1] == base.TryAgain("lab", FLOW)
        fake.noted = (("clear-peers-4", (B, A)),)
        backend.install_outbound(contract())
        assert backend.statistics().soft == ()
        assert fake.log[-1] == "nft table", "what is on its way may still come in"
        await asyncio.sleep(0.03)
        assert fake.log[-1] == "nft element"

    play(monkeypatch, story)


def test_failure_where_nothing_may_be_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(backend: UserspaceBackend, fake: FakeHost, heard: list[BackendEvent]) -> None:
        await backend.apply(policy(B))
        backend._perform(backend._path.outbound([PACKET], 5.0))
        backend.acquire_failed("lab", FLOW)
        assert not fake.wire
        assert backend.statistics().dropped == {"no-sa": 1}

    play(monkeypatch, story)


def test_what_the_kernel_finds_too_big(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(backend: UserspaceBackend, fake: FakeHost, heard: list[BackendEvent]) -> None:
        await backend.apply(policy(B))
        backend.install_outbound(contract())
        fake.mtu = 1300
        backend._perform(backend._path.outbound([PACKET], 5.0))
        await asyncio.sleep(0)
        assert heard == [base.PathMtu(7, 1300)]
        assert not fake.given
        await backend.apply(Spd())
        backend._perform(backend._path.outbound([PACKET], 5.0))
        assert fake.given[0][20:22] == bytes((3, 4)), "its sender is told of a clear one"

    play(monkeypatch, story)


def test_drops_are_merged_and_static_ones_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(backend: UserspaceBackend, fake: FakeHost, heard: list[BackendEvent]) -> None:
        for _ in range(3):
            backend._merge(Drop.REPLAYED, FLOW, 9)
        fake.counts = {"blocked": Count(2, 80)}
        backend._tell_drops()
        backend._tell_drops()
        await asyncio.sleep(0)
        assert heard == [base.Dropped(Drop.REPLAYED, FLOW, 9, 3), base.Dropped(Drop.BLOCKED, None, 0, 2)]
        for spi in range(2 * userspace.MOST_MERGED):
            backend._merge(Drop.UNKNOWN_SPI, None, spi)
        assert len(backend._drops) == userspace.MOST_MERGED

    play(monkeypatch, story)


def test_timers_of_the_packet_path_run(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(backend: UserspaceBackend, fake: FakeHost, heard: list[BackendEvent]) -> None:
        now = 5.0
        backend._clock = lambda: now
        await backend.apply(policy(B))
        backend._perform(backend._path.outbound([PACKET], now))
        backend._tick()
        assert backend._timer is not None
        now = 100.0
        backend._tick()
        assert backend.statistics().dropped == {"hold-expired": 1}

    play(monkeypatch, story)
