# SPDX-License-Identifier: Apache-2.0
"""In which order the kernel is brought from one policy to the next, and that every trace is removed; stand-ins."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from unit.backends.fake_host import FakeHost

from ringfence.backends.base import BackendError
from ringfence.backends.kernel import KernelSide
from ringfence.backends.routes import Link
from ringfence.databases.pool import Assigned
from ringfence.databases.proposal import SecurityMethod
from ringfence.databases.sa import Mode
from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action, Origin, Processing, Spd, SpdEntry
from ringfence.net.address import parse_address

Story = Callable[[KernelSide, FakeHost], Awaitable[None]]


def policy(remote: str, **more: bool) -> Spd:
    processing = Processing((SecurityMethod(()),), **more)
    selector = Selector.between("192.0.2.1", remote)
    return Spd((SpdEntry("lab", selector, Action.PROTECT, Origin("lab"), processing=processing),))


def play(monkeypatch: pytest.MonkeyPatch, story: Story) -> None:
    async def run() -> None:
        fake = FakeHost()
        fake.stands_in(monkeypatch)
        kernel = KernelSide(device="rf0", mark=1, table=2)
        kernel._netlink = fake  # type: ignore[assignment]
        async with kernel:
            await story(kernel, fake)

    asyncio.run(run())


def test_packet_path_then_new_routes_then_rules_then_old_routes(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(kernel: KernelSide, fake: FakeHost) -> None:
        for remote in ("192.0.2.2", "192.0.2.3"):
            await kernel.follow(policy(remote), lambda: fake.log.append("switch"))
        assert fake.log == [
            "switch", "put 192.0.2.2/32", "nft table", "switch", "put 192.0.2.3/32", "nft table",
            "remove 192.0.2.2/32",
        ]  # fmt: skip
        assert "eth0=1" in fake.texts[-1], "what was before is noted in the table"

    play(monkeypatch, story)


def test_a_predecessor_s_note_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(kernel: KernelSide, fake: FakeHost) -> None:
        assert kernel._noted == ("eth9=1",)
        await kernel.follow(policy("192.0.2.2"), lambda: None)
        assert kernel._noted == ("eth9=1", "eth0=1")

    play(monkeypatch, story)


def test_mending(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(kernel: KernelSide, fake: FakeHost) -> None:
        spd = policy("192.0.2.2")
        await kernel.mend(Spd())
        assert "nft table" not in fake.log, "a predecessor's table is left until there is a policy"
        await kernel.follow(spd, lambda: None)
        fake.log.clear()
        fake.counts = {"blocked": fake.count(1)}
        await kernel.mend(spd)
        assert fake.log == ["up", "rules"]
        fake.routes.clear()
        fake.counts = {}
        await kernel.mend(spd)
        assert fake.log[2:] == ["up", "rules", "put 192.0.2.2/32", "nft table"]
        fake.counts = {"blocked": fake.count(1)}
        fake.seen = replace(fake.seen, links=(Link(2, "eth0", 1500, (), (parse_address("192.0.2.255"),)),))
        await kernel.mend(spd)
        assert "192.0.2.255" in fake.texts[-1]

    play(monkeypatch, story)


def test_no_route_names_an_address_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(kernel: KernelSide, fake: FakeHost) -> None:
        processing = Processing((SecurityMethod(()),), mode=Mode.TUNNEL, assigned=Assigned.OURS)
        selector = Selector.between("0.0.0.0/0", "10.9.0.0/16")
        spd = Spd((SpdEntry("lab", selector, Action.PROTECT, Origin("lab"), processing=processing, peer="office"),))
        await kernel.follow(spd, lambda: None)
        fake.log.clear()
        for address in ("10.8.0.7", "10.8.0.9"):
            kernel.assigned = {"office": (parse_address(address),)}
            await kernel.follow_addresses(spd)
            assert fake.routes[-1].source == address
        kernel.assigned = {}
        await kernel.follow_addresses(spd)
        route = "10.9.0.0/16"
        assert fake.log == [
            "add 10.8.0.7", f"put {route}", "add 10.8.0.9", f"put {route}", "delete 10.8.0.7", f"put {route}",
            "delete 10.8.0.9",
        ]  # fmt: skip

    play(monkeypatch, story)


def test_clear_answers_of_protected_peers_are_let_in_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(kernel: KernelSide, fake: FakeHost) -> None:
        fake.noted = (("clear-peers-4", ("192.0.2.2", "192.0.2.1")),)
        await kernel.refuse_clear(Selector.between("192.0.2.1", "192.0.2.9"))
        assert fake.texts == []
        await kernel.refuse_clear(Selector.between("192.0.2.1", "192.0.2.2"))
        assert fake.texts == ["delete element inet ringfence clear-peers-4 { 192.0.2.2 . 192.0.2.1 }\n"]

    play(monkeypatch, story)


def test_what_is_noted_stays_when_rules_change(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(kernel: KernelSide, fake: FakeHost) -> None:
        fake.counts = {"blocked": fake.count(1)}
        for way in ("delete", "flush", "flush"):
            await kernel.follow(policy("192.0.2.2"), lambda: None)
            assert f"{way} table" in fake.texts[-1]
        fake.counts = {}
        await kernel.follow(policy("192.0.2.2"), lambda: None)
        assert "delete table" in fake.texts[-1], "somebody took it away"

    play(monkeypatch, story)


def test_every_trace_goes_even_if_one_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(kernel: KernelSide, fake: FakeHost) -> None:
        await kernel.follow(policy("192.0.2.2"), lambda: None)
        fake.log.clear()
        fake.refuse = "delete table"
        with pytest.raises(BackendError):
            await kernel.remove_all()
        assert fake.log == ["no rules", "no routes", "nft table", "restore eth9=1 eth0=1"]

    play(monkeypatch, story)
