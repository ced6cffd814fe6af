# SPDX-License-Identifier: Apache-2.0
"""The host performs effects in order, keeps events in their place, and outlives faults."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ringfence.audit import Event, FellBackToClear, MainModeEnded, MainModeFailed, PacketDropped, ServiceFault
from ringfence.backends.base import (
    Acquire,
    Answered,
    Dropped,
    FellBack,
    HardExpired,
    HostChanged,
    PathMtu,
    PeerMoved,
    SoftExpired,
    TryAgain,
    Unanswered,
)
from ringfence.crypto.suites import Encryption
from ringfence.databases.pad import Pad
from ringfence.databases.proposal import Protocol
from ringfence.databases.sa import ChildSa, Mode
from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action, Origin, Processing, Spd, SpdEntry
from ringfence.datapath.verdict import Drop
from ringfence.ike.effects import (
    AcquireFailed,
    Effect,
    InstallInbound,
    InstallOutbound,
    LogIkeKey,
    RemoveChild,
    Report,
    SendMessage,
)
from ringfence.net.address import Endpoint, Path
from ringfence.net.flow import ESP, ICMP, TCP, FlowKey
from ringfence.secret import Secret
from ringfence.service.events import EventLog
from ringfence.service.fallback import Waits
from ringfence.service.host import REPORTED, Host, peer_of
from ringfence.testing.associations import esp_suite
from ringfence.testing.contracts import make_child

A, B = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])
PATH = Path(Endpoint(A, 500), Endpoint(B, 500))
FLOW = FlowKey(A, B, TCP, 1000, 80)
SPD = Spd((SpdEntry("web/1", Selector.between("10.0.0.1", "10.0.0.2"), Action.DISCARD, Origin("web")),))
SHORT = Waits(0.02, 0.02, 0.001)


class Story:
    """A host between a scripted IKE engine and a backend that only writes down what it is told."""

    def __init__(self, waits: Waits = SHORT) -> None:
        self.done: list[str] = []
        self.replies: list[list[Effect]] = []
        self.timer: float | None = None
        self.seconds = 10.0
        self.during_apply: Callable[[], None] = lambda: None
        self.faults: list[dict[str, object]] = []
        self.events = EventLog(lambda: datetime(2026, 1, 1, tzinfo=UTC), lambda: self.seconds)
        self.host = Host(
            self, self.Path(self), send=self._send, now=lambda: self.seconds, events=self.events, key_log=self,
            moved=lambda: self.done.append("moved"), waits=waits,
        )  # fmt: skip

    def run(self, act: Callable[[Host], object]) -> list[str]:
        async def main() -> None:
            asyncio.get_running_loop().set_exception_handler(lambda _, context: self.faults.append(context))
            result = act(self.host)
            if asyncio.iscoroutine(result):
                await result
            await asyncio.sleep(0.05)
            if self.host._timer is not None:
                self.host._timer.cancel()

        asyncio.run(main())
        return self.done

    def _send(self, datagram: bytes, path: Path) -> None:
        self.done.append(f"send {datagram.decode()} {path.remote}")

    def _reply(self, call: str) -> list[Effect]:
        self.done.append(call)
        return self.replies.pop(0) if self.replies else []

    def apply(self, spd: Spd, pad: Pad, now: float) -> list[Effect]:
        return self._reply("ike.apply")

    def receive(self, datagram: bytes, path: Path, now: float) -> list[Effect]:
        return self._reply(f"ike.receive {datagram.decode()}")

    def acquire(self, entry: str, flow: FlowKey, now: float) -> list[Effect]:
        return self._reply(f"ike.acquire {entry} {now}")

    def rekey_child(self, child_id: int, now: float, why: str) -> list[Effect]:
        return self._reply(f"ike.rekey {child_id} {why}")

    def child_expired(self, child_id: int, now: float, why: str) -> list[Effect]:
        return self._reply(f"ike.expired {child_id} {why}")

    def child_unanswered(self, child_id: int, now: float) -> list[Effect]:
        return self._reply(f"ike.unanswered {child_id}")

    def child_answered(self, child_id: int, now: float) -> list[Effect]:
        return self._reply(f"ike.answered {child_id}")

    def child_moved(self, child_id: int, path: Path, now: float) -> list[Effect]:
        return self._reply(f"ike.moved {child_id} {path.remote}")

    def delete_child(self, child_id: int, now: float, why: str) -> list[Effect]:
        return self._reply(f"ike.delete_child {child_id} {why}")

    def drain(self, to: bytes | None, now: float) -> list[Effect]:
        return self._reply(f"ike.drain {to!r}")

    def delete_ike(self, ike_id: int, now: float, why: str) -> list[Effect]:
        return self._reply(f"ike.delete_ike {ike_id} {why}")

    def unknown_spi(self, protocol: Protocol, spi: int, path: Path, now: float) -> list[Effect]:
        return self._reply(f"ike.unknown_spi {protocol.name} {spi:#x} {path.local} {path.remote}")

    def shut_down(self, now: float) -> list[Effect]:
        return self._reply("ike.shut_down")

    def tick(self, now: float) -> list[Effect]:
        self.timer = None
        return self._reply("ike.tick")

    def next_timer(self) -> float | None:
        return self.timer

    def ike(self, initiator_cookie: bytes, key: Secret) -> None:
        self.done.append(f"key of {initiator_cookie.hex()}")

    def child(self, child: ChildSa) -> None:
        self.done.append(f"keys of child {child.id}")

    class Path:
        def __init__(self, story: "Story") -> None:
            self.story = story

        async def apply(self, spd: Spd) -> None:
            self.story.done.append("path.apply begins")
            self.story.during_apply()
            await asyncio.sleep(0)
            self.story.done.append("path.apply ends")

        def install_inbound(self, child: ChildSa) -> None:
            self.story.done.append(f"path.in {child.id}")

        def install_outbound(self, child: ChildSa) -> None:
            self.story.done.append(f"path.out {child.id}")

        def remove(self, child_id: int) -> None:
            self.story.done.append(f"path.remove {child_id}")

        def acquire_failed(self, entry: str, flow: FlowKey) -> None:
            self.story.done.append(f"path.failed {entry}")
            self.story.host.on_event(Acquire("again", flow))


@pytest.fixture
def story() -> Story:
    return Story()


def test_effects_are_performed_in_their_order(story: Story) -> None:
    child = make_child(esp_suite(Encryption.AES_GCM_16))
    story.replies = [
        [LogIkeKey(b"12345678", Secret(b"k")), InstallInbound(child), SendMessage(b"two", PATH), InstallOutbound(child),
         RemoveChild(9, "old"), Report(MainModeEnded(ike_id=1, peer="x", why="y"))]
    ]  # fmt: skip
    assert story.run(lambda host: host.receive(b"one", PATH)) == [
        "ike.receive one", "key of 3132333435363738", f"keys of child {child.id}", f"path.in {child.id}",
        "send two 10.0.0.2:500", f"path.out {child.id}", "path.remove 9",
    ]  # fmt: skip
    assert [type(one.event) for one in story.events.since(0)] == [MainModeEnded]


def test_events_of_the_packet_path_reach_ike(story: Story) -> None:
    def act(host: Host) -> None:
        for event in (
            Acquire("web/1", FLOW), TryAgain("web/1", FLOW), SoftExpired(3, "octets"), HardExpired(4, "packets"),
            Unanswered(3), Answered(3), PeerMoved(3, PATH), PathMtu(3, 1400), HostChanged(),
        ):  # fmt: skip
            host.on_event(event)

    assert story.run(act) == [
        "ike.acquire web/1 10.0", "ike.acquire web/1 10.0", "ike.rekey 3 octets", "ike.expired 4 packets",
        "ike.unanswered 3", "ike.answered 3", f"ike.moved 3 {PATH.remote}", "moved",
    ]  # fmt: skip


def test_what_happens_during_effects_waits_for_them(story: Story) -> None:
    story.replies = [[AcquireFailed("web/1", FLOW, "peer-silent", "no answer"), SendMessage(b"last", PATH)]]
    assert story.run(lambda host: host.receive(b"one", PATH)) == [
        "ike.receive one", "path.failed web/1", "send last 10.0.0.2:500", "ike.acquire again 10.0",
    ]  # fmt: skip


def test_an_acquire_during_a_reload_waits_until_ike_knows_the_policy(story: Story) -> None:
    story.during_apply = lambda: story.host.on_event(Acquire("web/1", FLOW))
    assert story.run(lambda host: host.apply(SPD, Pad())) == [
        "path.apply begins", "path.apply ends", "ike.apply", "ike.acquire web/1 10.0",
    ]  # fmt: skip


def test_a_policy_that_the_packet_path_refuses_never_reaches_ike(story: Story) -> None:
    def refuse() -> None:
        story.host.on_event(Acquire("old", FLOW))
        raise RuntimeError("nft says no")

    async def act(host: Host) -> None:
        with pytest.raises(RuntimeError, match="nft"):
            await host.apply(SPD, Pad())

    story.during_apply = refuse
    assert story.run(act) == ["path.apply begins", "ike.acquire old 10.0"]


def test_what_it_tells(story: Story) -> None:
    async def act(host: Host) -> None:
        await host.apply(SPD, Pad())
        host.on_event(Dropped(Drop.REPLAYED, FLOW, 0x1234, 5))
        host.on_event(Dropped(Drop.CLEAR_BUT_PROTECTION_REQUIRED, None, 0, 1))
        host.on_event(FellBack("web/1", FLOW))
        host.on_event(FellBack("gone", FLOW))

    story.run(act)
    assert [one.event for one in story.events.since(0)] == [
        PacketDropped(reason="replayed", flow="tcp 10.0.0.1:1000 -> 10.0.0.2:80", spi="0x00001234", count=5),
        PacketDropped(reason="clear-but-security-required", flow="a packet", spi=""),
        FellBackToClear(peer="10.0.0.2", rule="web"),
        FellBackToClear(peer="10.0.0.2", rule="gone"),
    ]


def test_the_peer_of_a_tunnel_is_its_gateway() -> None:
    gateway = bytes([192, 0, 2, 7])
    tunnel = replace(REQUEST.entries[0], processing=Processing(methods=(), mode=Mode.TUNNEL, tunnel_remote=gateway))
    assert peer_of(tunnel, FLOW) == gateway
    assert peer_of(REQUEST.entries[0], FLOW) == peer_of(SPD.entries[0], FLOW) == peer_of(None, FLOW) == B


def test_a_peer_that_sends_by_an_sa_of_old_is_named_to_ike(story: Story) -> None:
    def act(host: Host) -> None:
        host.on_event(Dropped(Drop.UNKNOWN_SPI, FlowKey(B, A, ESP, None, None), 0x1234, 3))
        host.on_event(Dropped(Drop.UNKNOWN_SPI, FlowKey(B, A, ICMP, None, None), 0x1234, 1))
        host.on_event(Dropped(Drop.UNKNOWN_SPI, None, 0, 1))
        host.on_event(Dropped(Drop.REPLAYED, FlowKey(B, A, ESP, None, None), 0x1234, 1))

    assert story.run(act) == ["ike.unknown_spi ESP 0x1234 10.0.0.1:500 10.0.0.2:500"]


def test_a_fault_is_told_and_survived(story: Story) -> None:
    def broken(datagram: bytes, path: Path, now: float) -> list[Effect]:
        raise KeyError("oh")

    def act(host: Host) -> None:
        real, story.receive = story.receive, broken  # type: ignore[method-assign]
        host.receive(b"one", PATH)
        story.receive = real  # type: ignore[method-assign]
        host.receive(b"two", PATH)

    assert story.run(act) == ["ike.receive two"]
    assert [one.event for one in story.events.since(0)] == [
        ServiceFault(during="an IKE message", detail="KeyError: 'oh'")
    ]
    assert [fault["message"] for fault in story.faults] == [REPORTED]


def test_timers_fire_when_they_are_due(story: Story) -> None:
    story.timer = 10.01
    assert story.run(lambda host: host.receive(b"one", PATH)) == ["ike.receive one", "ike.tick"]


def test_orders(story: Story) -> None:
    def act(host: Host) -> None:
        host.delete_child(3, "by hand")
        host.delete_ike(1, "by hand")

    assert story.run(act) == ["ike.delete_child 3 by hand", "ike.delete_ike 1 by hand"]


def test_after_the_end_nothing_happens(story: Story) -> None:
    story.replies = [[SendMessage(b"bye", PATH), RemoveChild(1, "end")]]
    story.timer = 10.0

    def act(host: Host) -> None:
        host.stop()
        host.receive(b"one", PATH)
        host.on_event(Acquire("web/1", FLOW))

    assert story.run(act) == ["ike.shut_down", "send bye 10.0.0.2:500", "path.remove 1"]


def rule(name: str, *, clear: bool) -> SpdEntry:
    processing = Processing(methods=(), clear_out=clear)
    return SpdEntry(name, Selector.between("10.0.0.1", "10.0.0.2"), Action.PROTECT, Origin(name), processing=processing)


REQUEST = Spd((rule("request", clear=True), rule("require", clear=False)))


def acquires(*entries: str) -> Callable[[Host], Awaitable[None]]:
    async def act(host: Host) -> None:
        await host.apply(REQUEST, Pad())
        for entry in entries:
            host.on_event(Acquire(entry, FLOW))

    return act


def test_where_security_is_requested_packets_wait_for_it_only_so_long(story: Story) -> None:
    assert story.run(acquires("request", "require"))[3:] == [
        "ike.acquire request 10.0", "ike.acquire require 10.0", "path.failed request", "ike.acquire again 10.0",
    ]  # fmt: skip


def test_what_a_new_policy_only_requests_waits_no_longer_because_it_waited_before(story: Story) -> None:
    story.during_apply = lambda: story.host.on_event(Acquire("request", FLOW))
    assert "path.failed request" in story.run(lambda host: host.apply(REQUEST, Pad()))


def test_security_in_time_ends_the_wait(story: Story) -> None:
    suite = esp_suite(Encryption.AES_GCM_16)
    story.replies = [[], [InstallOutbound(make_child(suite, local="10.0.0.1", remote="10.0.0.2"))]]
    assert "path.failed request" not in story.run(acquires("request"))


def test_what_fell_back_does_not_fail_a_second_time(story: Story) -> None:
    async def act(host: Host) -> None:
        await host.apply(REQUEST, Pad())
        host.on_event(Acquire("request", FLOW))
        await asyncio.sleep(0.04)
        story.replies = [[AcquireFailed("request", FLOW, "peer-silent", "no answer")]]
        host.receive(b"at last", PATH)

    assert story.run(act).count("path.failed request") == 1


def test_a_failure_before_the_time_falls_back_once(story: Story) -> None:
    story.replies = [[], [AcquireFailed("request", FLOW, "peer-silent", "no answer")]]
    assert story.run(acquires("request")).count("path.failed request") == 1


def waiting(hear: Callable[[Host], object], *, waits: Waits, failed: Event | None = None) -> bool:
    """Whether a packet still waits after 0.05 seconds, when the host heard this."""
    story = Story(waits)
    story.replies = [[], [], [] if failed is None else [Report(failed)]]

    async def act(host: Host) -> None:
        await host.apply(REQUEST, Pad())
        host.on_event(Acquire("request", FLOW))
        hear(host)

    return "path.failed request" not in story.run(act)


def test_signs_of_the_peer_change_how_long_a_packet_waits() -> None:
    short, long = Waits(silent_s=0.02, answered_s=5, closed_s=0.01), Waits(silent_s=5, answered_s=5, closed_s=0.01)
    failed = MainModeFailed(peer="10.0.0.2:500", reason="wrong-preshared-key", detail="another key", initiator=False)
    silent = MainModeFailed(peer="10.0.0.2:500", reason="peer-silent", detail="no answer", initiator=True)
    answer: Callable[[Host], object] = lambda host: host.receive(b"one", PATH)  # noqa: E731

    def twice(host: Host) -> None:
        answer(host)
        host.on_event(Acquire("request", FLOW))
        answer(host)

    assert not waiting(lambda _: None, waits=short)
    assert waiting(answer, waits=short)
    assert not waiting(twice, waits=short, failed=failed)
    assert waiting(twice, waits=short, failed=silent)
    assert waiting(lambda _: None, waits=long)
    assert not waiting(lambda host: host.closed(PATH.remote), waits=long)


def test_why_it_fell_back_is_told(story: Story) -> None:
    async def act(host: Host) -> None:
        await acquires("request")(host)
        await asyncio.sleep(0.04)
        host.on_event(FellBack("request", FLOW))

    story.run(act)
    told = FellBackToClear(peer="10.0.0.2", rule="request", why="it does not answer IKE")
    assert [one.event for one in story.events.since(0)] == [told]


def test_a_refusal_is_no_sign_of_hope() -> None:
    short = Waits(silent_s=0.02, answered_s=5, closed_s=0.01)
    assert not waiting(lambda host: host.receive(bytes(18) + bytes((5,)) + bytes(9), PATH), waits=short)
