# SPDX-License-Identifier: Apache-2.0
"""A host made of our IKE engine alone, in the namespace beside a peer's guest: messages go by UDP, SAs are only kept.

What the engine wants installed is compared with what the peer's kernel has, key by key. That needs no packet path, and
says more than a ping when something does not fit.
"""

import select
import socket
import time
from dataclasses import dataclass, field
from typing import Self

from lab.guest import OURS, THEIRS, Guest, in_namespace
from ringfence.databases.sa import ChildSa, Sa
from ringfence.ike.effects import SendMessage
from ringfence.ike.engine import IkeEngine, IkeSettings
from ringfence.net.address import Endpoint, Path, format_address, parse_address
from ringfence.testing.hosts import ENTRY, HostPolicy
from ringfence.testing.network import MemoryHost
from ringfence.testing.random import SeededRandom

PORT = 500


@dataclass
class IkeHost:
    """The host."""

    policy: HostPolicy
    memory: MemoryHost
    link: socket.socket
    began: float = field(default_factory=time.monotonic)

    @classmethod
    def beside(cls, guest: Guest, policy: HostPolicy, settings: IkeSettings | None = None) -> "IkeHost":
        """In the guest's namespace, on its policy's local address."""
        with in_namespace(guest.netns):
            link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            link.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            link.bind((policy.local, PORT))
        engine = IkeEngine(random=SeededRandom(time.time_ns()), settings=settings or IkeSettings())
        host = cls(policy, MemoryHost(parse_address(policy.local), engine), link)
        host.perform(engine.apply(*policy.compiled(), host.now))
        return host

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_wrong: object) -> None:
        self.perform(self.memory.engine.shut_down(self.now))
        self.link.close()

    @property
    def now(self) -> float:
        """Monotonic seconds."""
        return time.monotonic() - self.began

    def perform(self, effects: list) -> None:
        """Do what the engine wants."""
        for effect in effects:
            message = self.memory.perform(effect, self.now)
            if isinstance(message, SendMessage):
                remote = message.path.remote
                self.link.sendto(message.datagram, (format_address(remote.address), remote.port))

    def wish(self) -> None:
        """A packet wants protection."""
        self.perform(self.memory.engine.acquire(ENTRY, self.policy.flow(), self.now))

    def run(self, seconds: float, until=None) -> bool:
        """Let time pass; True as soon as ``until`` is true."""
        limit = self.now + seconds
        while (left := limit - self.now) > 0:
            if until is not None and until():
                return True
            timer = self.memory.engine.next_timer()
            wait = min(left, 0.2, max(0.0, timer - self.now) if timer is not None else left)
            if select.select([self.link], [], [], wait)[0]:
                datagram, (address, port) = self.link.recvfrom(65535)
                path = Path(Endpoint(self.memory.address, PORT), Endpoint(parse_address(address), port))
                self.perform(self.memory.engine.receive(datagram, path, self.now))
            self.perform(self.memory.engine.tick(self.now))
        return until is not None and bool(until())

    @property
    def child(self) -> ChildSa | None:
        """What it sends by."""
        return self.memory.using()

    def story(self) -> str:
        """All events, one a line."""
        return "\n".join(f"{type(event).__name__}: {event}" for event in self.memory.events)


def policy_for(**changes: object) -> HostPolicy:
    """With the addresses and the key of the lab."""
    return HostPolicy(OURS[0], THEIRS[0], key=b"lab-secret-of-no-value").with_(**changes)


def kernel_has(guest: Guest, sa: Sa) -> bool:
    """Whether the guest's kernel has an SA with this SPI and these keys."""
    blocks = [block for block in guest.run("ip", "xfrm", "state").split("\nsrc ") if f"0x{sa.spi:08x}" in block]
    keys = [key.reveal().hex() for key in (sa.cipher_key, sa.authenticator_key) if len(key)]
    return len(blocks) == 1 and all(key in blocks[0].replace("0x", "") for key in keys)
