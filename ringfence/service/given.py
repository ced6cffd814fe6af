# SPDX-License-Identifier: Apache-2.0
"""What peers give this host: addresses for the packet path, and name servers for whoever looks up names.

A name server is asked only if the policy protects what goes there from the new address with the peer that named it;
else a gateway could have any names looked up anywhere, in clear. The file of resolvers may be written anew by others
(DHCP): whenever the host has changed, ours are put back.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from ringfence.audit import AddressAssigned, AddressWithdrawn, ServiceFault
from ringfence.backends.base import BackendError
from ringfence.backends.resolver import Resolver, Servers
from ringfence.databases.spd import Action, Spd
from ringfence.ike.effects import Assign, Withdraw
from ringfence.net.address import format_address
from ringfence.net.flow import UDP, FlowKey
from ringfence.service.events import EventLog

DNS_PORT, SOME_PORT = 53, 49152


class Addresses(Protocol):
    """The packet path, as far as it has addresses."""

    def assign(self, number: int, peer: str, addresses: tuple[bytes, ...]) -> None:
        """Have these, and send by them what is protected with ``peer``."""

    def withdraw(self, number: int) -> None:
        """Have them no more."""


@dataclass(frozen=True, slots=True)
class _Had:
    """One assignment as it is carried out."""

    rule: str
    addresses: tuple[bytes, ...]
    servers: Servers


class Given:
    """Carries out what is assigned and withdrawn."""

    def __init__(self, backend: Addresses, resolver: Resolver, events: EventLog) -> None:
        self._backend, self._resolver, self._events = backend, resolver, events
        self._had: dict[int, _Had] = {}
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._asked = False
        """Whether the resolver knows of servers of ours."""

    def take(self, effect: Assign | Withdraw, spd: Spd) -> None:
        """Do that."""
        if isinstance(effect, Withdraw):
            self._withdraw(effect.number)
            return
        given = effect.given
        reached = tuple(one for one in given.dns if _protected(spd, effect, one))
        domains = given.domains if self._resolver.splits else ()
        rule = next((entry.origin.rule for entry in spd if entry.peer == effect.peer), effect.peer)
        self._had[effect.number] = _Had(rule, given.addresses, Servers(reached, domains))
        self._backend.assign(effect.number, effect.peer, given.addresses)
        self._events.add(
            AddressAssigned(
                rule=rule, addresses=_words(given.addresses), servers=_words(reached), domains=" ".join(domains),
                left_out=_words(one for one in given.dns if one not in reached),
            )
        )  # fmt: skip
        self.look()

    def _withdraw(self, number: int) -> None:
        had = self._had.pop(number, None)
        if had is not None:
            self._backend.withdraw(number)
            self._events.add(AddressWithdrawn(rule=had.rule, addresses=_words(had.addresses)))
            self.look()

    def look(self) -> None:
        """See that name servers are asked as they should be."""
        if self._asked or any(one.servers.addresses for one in self._had.values()):
            task = asyncio.get_running_loop().create_task(self._follow())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _follow(self) -> None:
        async with self._turn:
            servers = [one.servers for one in reversed(self._had.values()) if one.servers.addresses]
            try:
                await asyncio.to_thread(self._resolver.use, servers)
            except BackendError as error:
                self._events.add(ServiceFault(during="name servers of a tunnel", detail=error.message))
            self._asked = bool(servers)

    async def close(self) -> None:
        """Have names looked up as before, whatever is still assigned."""
        self._had.clear()
        if self._asked or self._tasks:
            await self._follow()


def _protected(spd: Spd, effect: Assign, server: bytes) -> bool:
    """Whether a question to a name server goes to the peer that named it."""
    source = effect.given.of_family(len(server))
    if source is None:
        return False
    entry = spd.outbound(FlowKey(source, server, UDP, SOME_PORT, DNS_PORT))
    return entry is not None and entry.action is Action.PROTECT and entry.peer == effect.peer


def _words(addresses: Iterable[bytes]) -> str:
    return " ".join(map(format_address, addresses))
