# SPDX-License-Identifier: Apache-2.0
"""The part of a policy that the kernel carries out for us: routes to our device, static rules, settings.

It knows the host as it was last seen, brings it from one policy to the next in an order that loses no packet and leaks
none, mends what others take away, and removes all of it in the end. Calls must not overlap.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Self

from ringfence.backends import answers, boot, nft, sysctl
from ringfence.backends import filter as static
from ringfence.backends.base import BackendError
from ringfence.backends.filter import Surroundings
from ringfence.backends.netlink import Netlink
from ringfence.backends.routes import DEFAULT_LINK_MTU, Difference, Host, difference, wanted
from ringfence.databases.selector import Selector
from ringfence.databases.spd import Spd


class KernelSide:
    """Our traces in the kernel's networking; use it with ``async with``, which by itself removes nothing."""

    def __init__(self, *, device: str, mark: int, table: int) -> None:
        self.host = Host()
        """As it was last seen, without us."""
        self.index = 0
        """Of our device."""
        self.assigned: Mapping[str, tuple[bytes, ...]] = {}
        """Addresses that peers have given this host, by the peer's name in the policy."""
        self._device, self._mark = device, mark
        self._netlink = Netlink(mark=mark, table=table)
        self._noted: tuple[str, ...] = ()
        self._applied = False

    async def __aenter__(self) -> Self:
        """Open the channel and read what a killed predecessor noted."""
        await self._netlink.__aenter__()
        try:
            self._noted = await nft.settings()
        except BackendError:
            await self._netlink.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._netlink.__aexit__()

    async def set_up_device(self) -> int:
        """Bring our device up; its MTU, which is the largest link's."""
        self.index = await self._netlink.index(self._device)
        host = await self._netlink.host(except_for=self.index)
        mtu = max((link.mtu for link in host.links), default=DEFAULT_LINK_MTU)
        sysctl.no_own_address(self._device)
        await self._netlink.set_up(self.index, mtu)
        return mtu

    async def add_rules(self) -> None:
        """Have all packets but ours ask our tables first."""
        await self._netlink.add_rules()

    async def follow(self, spd: Spd, switch: Callable[[], None]) -> None:
        """Go over to a policy; raises BackendError, perhaps half way.

        ``switch`` makes the packet path follow it; that comes first, for it must know what the routes bring it. Then
        new routes, then all static rules in one transaction, and old routes go last. With the first rules goes what
        held until then (``boot``).
        """
        change = await self._look(spd)
        switch()
        await self._netlink.put(change.put, self.index)
        until_now = "" if self._applied else boot.removal()
        await nft.run(until_now + static.ruleset(spd, self._surroundings()))
        self._applied = True
        await self._netlink.remove(change.remove)

    @property
    def applied(self) -> bool:
        """Whether a policy of ours is in force; until then it is what a predecessor left, or ``boot``."""
        return self._applied

    async def mend(self, spd: Spd) -> None:
        """Follow the host's own links, addresses and routes, and put back what of ours somebody took away."""
        before = self.host
        await self.set_up_device()
        await self._netlink.add_rules()
        await self.follow_addresses(spd)
        if self._applied and (self.host.links != before.links or not nft.counts()):
            await nft.run(static.ruleset(spd, self._surroundings()))

    async def follow_addresses(self, spd: Spd) -> None:
        """Have the addresses that are ``assigned``, and routes by which what is protected comes from them.

        No route ever names an address that is not there.
        """
        wanted = frozenset(one for addresses in self.assigned.values() for one in addresses)
        await self._netlink.add_addresses(wanted - await self._netlink.addresses(self.index), self.index)
        await self._netlink.change(await self._look(spd), self.index)
        gone = await self._netlink.addresses(self.index) - wanted
        if gone:
            await self._netlink.remove_addresses(gone, self.index)
            self.host = await self._seen()

    async def refuse_clear(self, selector: Selector) -> None:
        """Let no more clear answers in from peers that are protected now."""
        text = answers.forgetting(await nft.notes(), selector)
        if text:
            await nft.run(text)

    async def remove_all(self, leaving: str = "") -> None:
        """Remove every trace, each even if another cannot be; raises BackendError then.

        ``leaving``: an input of nft that comes into force at the moment when our rules go.
        """
        async with contextlib.AsyncExitStack() as last_first:
            last_first.callback(sysctl.restore, self._noted)
            last_first.push_async_callback(nft.run, static.removal() + leaving)
            last_first.push_async_callback(self._netlink.clear_tables)
            last_first.push_async_callback(self._netlink.remove_rules)

    async def _look(self, spd: Spd) -> Difference:
        """What the routes lack for a policy on the host as it is now."""
        self.host = await self._seen()
        routes = await asyncio.to_thread(wanted, spd, self.host)
        if routes:
            self._noted = sysctl.merged(self._noted, sysctl.loosen(self._device))
        return difference(await self._netlink.own_routes(self.index), routes)

    async def _seen(self) -> Host:
        return replace(await self._netlink.host(except_for=self.index), assigned=self.assigned)

    def _surroundings(self) -> Surroundings:
        return Surroundings(
            device=self._device,
            mark=self._mark,
            broadcasts=tuple(address for link in self.host.links for address in link.broadcasts),
            counts=nft.counts(),
            settings=self._noted,
            fresh=not self._applied or not nft.counts(),
        )
