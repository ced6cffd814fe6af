# SPDX-License-Identifier: Apache-2.0
"""Addresses and name servers that peers give: carried out in order, and only where they are protected."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from protocol.warriors import WARRIOR, compiled

from ringfence.audit import AddressAssigned, AddressWithdrawn, ServiceFault
from ringfence.backends.base import BackendError
from ringfence.backends.memory import MemoryBackend
from ringfence.backends.resolver import Servers
from ringfence.databases.pool import Assignment
from ringfence.ike.effects import Assign, Withdraw
from ringfence.net.address import parse_address
from ringfence.service.events import EventLog
from ringfence.service.given import Given

ADDRESS, INSIDE, OUTSIDE = map(parse_address, ("10.9.0.7", "10.1.0.53", "192.0.2.53"))


class FakeResolver:
    """Remembers whom it was told to ask."""

    def __init__(self, *, splits: bool = True) -> None:
        self.splits = splits
        self.told: list[list[Servers]] = []
        self.refuses = False

    def use(self, servers: Sequence[Servers]) -> None:
        if self.refuses:
            raise BackendError("it does not want to")
        self.told.append(list(servers))


class Case:
    """One service's part."""

    def __init__(self, *, splits: bool = True) -> None:
        self.spd, self.pad = compiled(WARRIOR, "203.0.113.5")
        self.backend = MemoryBackend(random=bytes, clock=lambda: 0.0, events=lambda _: None)
        self.resolver = FakeResolver(splits=splits)
        self.log = EventLog(lambda: datetime.now(UTC), lambda: 0.0)
        self.given = Given(self.backend, self.resolver, self.log)

    def assign(self, number: int = 1, **given: tuple[bytes, ...] | tuple[str, ...]) -> None:
        (peer,) = self.pad
        made = Assignment((ADDRESS,), **{"dns": (INSIDE, OUTSIDE), **given})  # type: ignore[arg-type]
        self.given.take(Assign(number, peer.name, made), self.spd)

    @property
    def events(self) -> list[object]:
        return [one.event for one in self.log.since(0)]

    async def settled(self) -> None:
        await asyncio.gather(*self.given._tasks)


def test_an_address_comes_with_its_servers_and_goes_with_them() -> None:
    async def play() -> None:
        case = Case()
        case.assign(domains=("corp.example",))
        await case.settled()
        (peer,) = case.pad
        assert case.backend.calls == [f"assign 1 {peer.name} 10.9.0.7"]
        assert case.resolver.told == [[Servers((INSIDE,), ("corp.example",))]]
        case.given.take(Withdraw(1), case.spd)
        case.given.take(Withdraw(1), case.spd)
        await case.settled()
        assert case.backend.calls[1:] == ["withdraw 1"]
        assert case.resolver.told[1:] == [[]]
        assigned, withdrawn = case.events
        assert isinstance(assigned, AddressAssigned)
        assert (assigned.rule, assigned.left_out) == ("office", "192.0.2.53")
        assert isinstance(withdrawn, AddressWithdrawn)
        assert withdrawn.addresses == "10.9.0.7"

    asyncio.run(play())


def test_servers_that_are_not_protected_are_not_asked() -> None:
    async def play() -> None:
        case = Case()
        case.assign(dns=(OUTSIDE, parse_address("fd00::53")))
        await case.settled()
        assert case.resolver.told == []

    asyncio.run(play())


def test_a_resolver_that_knows_no_names_asks_ours_for_all() -> None:
    async def play() -> None:
        case = Case(splits=False)
        case.assign(domains=("corp.example",))
        await case.settled()
        assert case.resolver.told == [[Servers((INSIDE,))]]

    asyncio.run(play())


def test_the_newest_comes_first_and_a_look_tells_again() -> None:
    async def play() -> None:
        case = Case()
        case.assign()
        case.assign(2, dns=(parse_address("10.1.0.54"),))
        await case.settled()
        newest = [Servers((parse_address("10.1.0.54"),)), Servers((INSIDE,))]
        assert case.resolver.told[-1] == newest
        case.given.look()
        await case.settled()
        assert case.resolver.told[-2:] == [newest, newest]
        await case.given.close()
        assert case.resolver.told[-1] == []

    asyncio.run(play())


def test_a_resolver_that_refuses_is_told_of() -> None:
    async def play() -> None:
        case = Case()
        case.resolver.refuses = True
        case.assign()
        await case.settled()
        fault = case.events[-1]
        assert isinstance(fault, ServiceFault)
        assert fault.detail == "it does not want to"

    asyncio.run(play())


def test_nothing_given_is_nothing_to_end() -> None:
    async def play() -> None:
        case = Case()
        case.given.look()
        await case.given.close()
        assert case.resolver.told == []

    asyncio.run(play())
