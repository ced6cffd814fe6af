# SPDX-License-Identifier: Apache-2.0
"""A gateway and those who come in to it, each by a document, on a wire in memory."""

from ringfence.ike.engine import IkeEngine
from ringfence.net.address import parse_address
from ringfence.net.flow import ICMP, FlowKey
from ringfence.policy.compile import compile_policy
from ringfence.policy.document import parse
from ringfence.policy.host import HostFacts
from ringfence.secret import Secret
from ringfence.testing.network import MemoryHost, MemoryNetwork
from ringfence.testing.random import SeededRandom

GATEWAY = "192.0.2.1"
POOL = """
[pool.people]
addresses = ["10.9.0.0/24", "fd00:9::/112"]
dns = ["10.1.0.53", "fd00:1::53"]
domains = ["corp.example"]
"""
FRONT = """
[[rule]]
name = "people"
keying = "ikev2"
local = { networks = ["10.1.0.0/16", "fd00:1::/32"], gateway = "192.0.2.1" }
remote = { gateway = "any", pool = "people" }
auth = { psk-file = "people.psk" }
allow = { computers = ["*.corp.example"] }
identity = { local = "gw.corp.example" }
"""
WARRIOR = """
[[rule]]
name = "office"
keying = "ikev2"
local = { address = "assigned" }
remote = { networks = ["10.1.0.0/16"], gateway = "192.0.2.1" }
auth = { psk-file = "people.psk" }
identity = { local = "alice.corp.example", remote = "gw.corp.example" }
"""


def compiled(text: str, address: str):
    """SPD and PAD of a document on a host."""
    keys = {"people.psk": Secret(b"between people"), "other.psk": Secret(b"somebody else's")}
    made = compile_policy(parse(text, name="policy.toml"), HostFacts((parse_address(address),)), keys)
    return made.spd, made.pad


class Front:
    """A gateway, and whoever comes."""

    def __init__(self, text: str = POOL + FRONT) -> None:
        self.network = MemoryNetwork()
        self.gateway = self.start(text, GATEWAY, "gateway")

    def start(self, text: str, address: str, seed: str = "warrior") -> MemoryHost:
        """A host that follows a document."""
        engine = IkeEngine(random=SeededRandom(f"{address} {seed}"))
        host = self.network.add(address, engine)
        self.follow(host, text, address)
        return host

    def follow(self, host: MemoryHost, text: str, address: str) -> None:
        """It follows another document from now on."""
        self.network.do(host, host.engine.apply(*compiled(text, address), self.network.now))

    def warrior(self, at: str = "203.0.113.5", name: str = "alice", **changes: str) -> MemoryHost:
        """Somebody who wants in; in his document some words are others."""
        text = WARRIOR.replace("alice", name)
        for old, new in changes.items():
            assert WORDS[old] in text
            text = text.replace(WORDS[old], new)
        return self.start(text, at, f"{name} {self.network.now}")

    def run(self, seconds: float = 1.0) -> None:
        self.network.run(seconds)


WORDS = {"address": '"assigned"', "networks": '["10.1.0.0/16"]', "key": "people.psk"}


def flow(source: str, destination: str) -> FlowKey:
    """A ping."""
    return FlowKey(parse_address(source), parse_address(destination), ICMP, None, None)


def addresses(host: MemoryHost) -> list[tuple[bytes, ...]]:
    """What a host has been given, as of now."""
    return [one.given.addresses for one in host.assigned.values()]


def selectors(host: MemoryHost) -> list[str]:
    """Of the contracts that it sends by."""
    return sorted(str(share.selector) for one in host.outbound.values() for share in one.shares)
