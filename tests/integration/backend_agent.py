# SPDX-License-Identifier: Apache-2.0
"""A host's backend under remote control: one JSON command a line in, one JSON answer a line out.

Run inside a namespace by ``test_backend_*``. SAs are keyed by hand: what alice sends by an SA of one seed, bob opens
with the same.
"""

import asyncio
import json
import os
import sys
import time
import traceback
from dataclasses import asdict, replace
from typing import Any

from ringfence.backends.base import Acquire, BackendEvent
from ringfence.backends.udp import IkeSockets
from ringfence.backends.userspace import UserspaceBackend
from ringfence.crypto.suites import Encryption, Integrity
from ringfence.databases.proposal import SecurityMethod
from ringfence.databases.sa import ChildSa, Mode
from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action, Direction, Origin, Processing, Spd, SpdEntry
from ringfence.net.address import ANY_PORT, AddressRange, Endpoint, Path, PortRange, parse_address
from ringfence.testing.associations import AH_SUITES, esp_suite, make_sa

SUITES = {
    "esp": esp_suite(Encryption.AES_GCM_16),
    "esp-cbc": esp_suite(Encryption.AES_CBC, Integrity.HMAC_SHA256_128),
    "ah": next(one for one in AH_SUITES if one.authenticator.algorithm is Integrity.HMAC_SHA256_128),
}


def ports(value: Any) -> PortRange:
    return ANY_PORT if value is None else PortRange(*value) if isinstance(value, list) else PortRange.one(value)


def entry(spec: dict[str, Any]) -> SpdEntry:
    action = Action(spec.get("action", "protect"))
    selector = Selector(
        AddressRange.parse(spec["source"]), AddressRange.parse(spec["destination"]), spec.get("protocol"),
        ports(spec.get("source_ports")), ports(spec.get("destination_ports")),
    )  # fmt: skip
    processing = None
    if action is Action.PROTECT:
        tunnel = spec.get("tunnel", [None, None])
        processing = Processing(
            (SecurityMethod(tuple(SUITES[one] for one in spec.get("suites", ["esp"]))),),
            Mode(spec.get("mode", "transport")),
            *(None if one is None else parse_address(one) for one in tunnel),
            clear_in=spec.get("clear_in", False), clear_out=spec.get("clear_out", False),
        )  # fmt: skip
    directions = Direction[spec.get("directions", "BOTH")]
    return SpdEntry(spec["name"], selector, action, Origin(spec["name"]), directions, processing)


def child(spec: dict[str, Any], spd: Spd) -> ChildSa:
    found = spd.named(spec["entry"])
    assert found is not None
    mode = Mode(spec.get("mode", "transport"))
    local, remote = spec["local"], spec["remote"]
    stack = spec.get("suites", ["esp"])
    path = None
    if spec.get("udp"):
        path = Path(Endpoint(parse_address(local), 4500), Endpoint(parse_address(remote), 4500))

    def sas(source: str, destination: str, base: int) -> Any:
        return tuple(
            replace(
                make_sa(
                    SUITES[one], spi=base + number, mode=mode if number == 0 else Mode.TRANSPORT, source=source,
                    destination=destination, seed=f"{source} {destination} {base}",
                ),
                encapsulation=path if number == 0 else None,
            )
            for number, one in enumerate(stack)
        )  # fmt: skip

    selector = found.selector
    if "selector" in spec:
        selector = Selector.between(*spec["selector"])
    number = spec.get("number", 1)
    return ChildSa(
        number, 0, found.name, selector,
        outbound=sas(local, remote, 0x1000 * number), inbound=sas(remote, local, 0x1000 * number),
        replaces=spec.get("replaces"),
    )  # fmt: skip


class Agent:
    def __init__(self) -> None:
        self.seen: list[str] = []
        self.acquired: list[Acquire] = []
        self.fail_acquire = False
        self.spd = Spd()
        self.udp = IkeSockets(lambda datagram, path: self.seen.append(f"ike {datagram.hex()} {path}"), self.esp)
        self.backend = UserspaceBackend(random=os.urandom, clock=time.monotonic, events=self.event, udp=self.udp)

    def esp(self, datagrams: list[bytes], path: Path) -> None:
        self.backend.inbound_udp(datagrams, path)

    def event(self, event: BackendEvent) -> None:
        self.seen.append(repr(event))
        if isinstance(event, Acquire):
            self.acquired.append(event)
            if self.fail_acquire:
                self.backend.acquire_failed(event.entry, event.flow)

    async def start(self) -> None:
        self.udp.open()
        await self.backend.start()

    async def apply(self, entries: list[dict[str, Any]]) -> None:
        self.spd = Spd(tuple(map(entry, entries)))
        await self.backend.apply(self.spd)

    async def install(self, made: dict[str, Any], *, inbound: bool = True, outbound: bool = True) -> None:
        contract = child(made, self.spd)
        if inbound:
            self.backend.install_inbound(contract)
        if outbound:
            self.backend.install_outbound(contract)

    async def remove(self, number: int) -> None:
        self.backend.remove(number)

    async def fail(self, *, acquire: bool) -> None:
        self.fail_acquire = acquire

    async def statistics(self) -> Any:
        return asdict(self.backend.statistics())

    async def happened(self) -> list[str]:
        seen, self.seen = self.seen, []
        return seen

    async def ike(self, local: str, remote: str, port: int, datagram: str) -> None:
        ends = (Endpoint(parse_address(address), port) for address in (local, remote))
        self.udp.send(bytes.fromhex(datagram), Path(*ends))

    async def stop(self) -> None:
        await self.backend.stop()
        self.udp.close()

    async def obey(self, do: str, **words: Any) -> Any:
        return await getattr(self, do)(**words)

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := await reader.readline():
            try:
                answer = {"answer": await self.obey(**json.loads(line))}
            except Exception as error:
                traceback.print_exc()
                answer = {"error": f"{type(error).__name__}: {error}"}
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()
        transport.close()


if __name__ == "__main__":
    asyncio.run(Agent().run())
