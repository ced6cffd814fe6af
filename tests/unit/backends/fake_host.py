# SPDX-License-Identifier: Apache-2.0
"""A host that is none, for unit tests of what changes hosts: it keeps what it is told, in order."""

from collections import Counter
from collections.abc import Iterable
from typing import Self

import pytest

from ringfence.backends import nft, sysctl
from ringfence.backends.answers import Note
from ringfence.backends.base import BackendError
from ringfence.backends.filter import Count
from ringfence.backends.raw import TooBig
from ringfence.backends.routes import Host, OwnRoute
from ringfence.net.address import format_address, parse_address


class FakeHost:
    """Stands for netlink, nftables, device and wire."""

    count = Count

    def __init__(self) -> None:
        self.log: list[str] = []
        self.texts: list[str] = []
        self.routes: list[OwnRoute] = []
        self.on_device: frozenset[bytes] = frozenset()
        self.refuse = ""
        self.counts: dict[str, Count] = {}
        self.noted: tuple[Note, ...] = ()
        self.seen = Host(local=frozenset((parse_address("192.0.2.1"),)))
        self.wire: list[bytes] = []
        self.given: list[bytes] = []
        self.mtu = 0
        self.errors: Counter[str] = Counter()
        self.lost = 0
        self.local: frozenset[bytes] = frozenset()

    def stands_in(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(nft, "run", self.run)
        monkeypatch.setattr(nft, "settings", self.settings)
        monkeypatch.setattr(nft, "counts", lambda: self.counts)
        monkeypatch.setattr(nft, "notes", self.notes)
        monkeypatch.setattr(sysctl, "loosen", lambda device: ("eth0=1",))
        monkeypatch.setattr(sysctl, "no_own_address", lambda device: None)
        monkeypatch.setattr(sysctl, "restore", lambda noted: self.log.append("restore " + " ".join(noted)))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def settings(self) -> tuple[str, ...]:
        return ("eth9=1",)

    async def notes(self) -> tuple[Note, ...]:
        return self.noted

    async def index(self, device: str) -> int:
        return 7

    async def set_up(self, index: int, mtu: int) -> None:
        self.log.append("up")

    async def add_rules(self) -> None:
        self.log.append("rules")

    async def remove_rules(self) -> None:
        self.log.append("no rules")

    async def clear_tables(self) -> None:
        self.log.append("no routes")

    async def host(self, except_for: int = 0) -> Host:
        return self.seen

    async def addresses(self, device: int) -> frozenset[bytes]:
        return self.on_device

    async def add_addresses(self, addresses: Iterable[bytes], device: int) -> None:
        self.log += [f"add {format_address(one)}" for one in addresses]
        self.on_device |= frozenset(addresses)

    async def remove_addresses(self, addresses: Iterable[bytes], device: int) -> None:
        self.log += [f"delete {format_address(one)}" for one in addresses]
        self.on_device -= frozenset(addresses)

    async def own_routes(self, device: int) -> list[OwnRoute]:
        return self.routes

    async def put(self, routes: Iterable[OwnRoute], device: int) -> None:
        self.log += [f"put {one.destination}" for one in routes]
        self.routes = [*self.routes, *routes]

    async def remove(self, routes: Iterable[OwnRoute]) -> None:
        self.log += [f"remove {one.destination}" for one in routes]
        self.routes = [one for one in self.routes if one not in routes]

    async def change(self, what: object, device: int) -> None:
        await self.put(what.put, device)
        await self.remove(what.remove)

    async def run(self, text: str) -> None:
        self.log.append("nft element" if text.startswith("delete element") else "nft table")
        self.texts.append(text)
        if self.refuse and self.refuse in text:
            raise BackendError("refused")

    def send(self, packets: list[bytes]) -> list[TooBig]:
        if self.mtu:
            return [TooBig(one, self.mtu) for one in packets]
        self.wire += packets
        return []

    def write(self, packets: list[bytes]) -> None:
        self.given += packets
