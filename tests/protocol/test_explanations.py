# SPDX-License-Identifier: Apache-2.0
"""What ``explain`` says of a packet is what the packet path does with it, whatever the policy and the packet.

Policies are any that may be written (``any_policy``), and some of what they protect has contracts already, with peers
of several names, encrypted or readable. What is told is read from the words that people see, and who suffices for a
filter from the document's.
"""

import random
from collections import Counter
from dataclasses import replace
from fnmatch import fnmatchcase
from itertools import islice

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from protocol.any_policy import HOST, KEYS, policies, some_packet
from ringfence.crypto.suites import Encryption, Integrity
from ringfence.databases.identity import Identity
from ringfence.databases.sa import ChildSa
from ringfence.databases.spd import Direction
from ringfence.datapath.engine import DataPath
from ringfence.datapath.verdict import Deliver, Drop, Dropped, Hold, Send, Verdict
from ringfence.net.address import format_address
from ringfence.net.flow import ESP, ICMP, ICMPV6, TCP, UDP, FlowKey
from ringfence.net.ip import build
from ringfence.policy.compile import Compiled, compile_policy
from ringfence.policy.explain import Explanation, explain
from ringfence.policy.model import Policy
from ringfence.policy.terms import Security
from ringfence.policy.write import canonical
from ringfence.testing.associations import esp_suite
from ringfence.testing.contracts import make_child

SUITES = (esp_suite(Encryption.AES_GCM_16), esp_suite(Encryption.NULL, Integrity.HMAC_SHA256_128))
NAMES = ("a.corp", "admin.corp", "pc.lab")
MOST_CONTRACTS = 40


def packet_of(flow: FlowKey) -> bytes:
    if flow.protocol in (ICMP, ICMPV6):
        return build(flow.source, flow.destination, flow.protocol, (flow.source_port or 0).to_bytes(2) + bytes(6))
    ports = b"".join((port or 0).to_bytes(2) for port in flow[3:]) if flow.protocol in (TCP, UDP) else b""
    return build(flow.source, flow.destination, flow.protocol, ports + bytes(20))


class World:
    """A policy, and a packet path that follows it and has contracts for some of what it protects."""

    def __init__(self, policy: Policy, chance: random.Random) -> None:
        self.policy = policy
        self.compiled: Compiled = compile_policy(policy, HOST, KEYS)
        self.path = DataPath(random=chance.randbytes)
        self.path.apply(self.compiled.spd, 0.0)
        self.children: dict[int, tuple[ChildSa, str]] = {}
        """With who is at the other end."""
        protects = [one for one in self.compiled.spd if one.processing is not None and Direction.OUT in one.directions]
        for number, entry in enumerate(islice(chance.sample(protects, len(protects) // 3), MOST_CONTRACTS), 1):
            processing, cube = entry.processing, entry.selector
            if processing is None:
                continue
            ends = cube.source.first, cube.destination.first
            if processing.tunnel_local is not None and processing.tunnel_remote is not None:
                ends = processing.tunnel_local, processing.tunnel_remote
            local, remote = map(format_address, ends)
            child = make_child(
                chance.choice(SUITES), mode=processing.mode, local=local, remote=remote, selector=cube, number=number,
                entry=entry.name,
            )  # fmt: skip
            name = chance.choice(NAMES)
            child = replace(child, peer=Identity.parse(name))
            self.path.install_inbound(child, 0.0)
            self.path.install_outbound(child, 0.0)
            self.children[child.id] = child, name

    def suffices(self, filters: frozenset[str], child: ChildSa, name: str) -> bool:
        """Whether a packet that leaves by a contract is as one of these filters asks; of none nothing is asked."""
        encrypted = child.outbound[0].cipher == SUITES[0].cipher
        found = [one for one in self.policy.filters if one.name in filters]
        return not found or any(
            (encrypted or one.secure not in (Security.ENCRYPTED, Security.NEGOTIATED))
            and (not one.allow or any(fnmatchcase(name, pattern) for pattern in one.allow.computers))
            for one in found
        )

    def leaves_as(self, told: Explanation, packet: bytes, verdict: Verdict) -> str:
        """What became of a packet that leaves, if it is what was told; else nothing."""
        word, _, rest = told.lines()[0].partition(" ")
        if word == "permitted":
            return word * (verdict == Send((packet,)))
        if word == "blocked":
            return word * (isinstance(verdict, Dropped) and verdict.reason is Drop.BLOCKED)
        entry = told.entry
        assert entry is not None
        demand = entry.demand
        asked = frozenset() if demand is None else frozenset(one.filter for one in demand.grants)
        serving = {entry.name, *(() if demand is None else (demand.basis,))}
        able = [
            number for number, (child, name) in self.children.items()
            if child.entry in serving and told.flow in child.selector and self.suffices(asked, child, name)
        ]  # fmt: skip
        if isinstance(verdict, Send) and verdict.child:
            return "sealed" * (verdict.child in able or self.nested(told, verdict))
        if able:
            # Sealed, but a rule about ESP wants that sealed again.
            nested = isinstance(verdict, Hold) and verdict.flow.protocol == ESP != told.flow.protocol
            return "nested" * nested
        if "in clear until the other side asks" in rest:
            return "in clear" * (verdict == Send((packet,)))
        held = isinstance(verdict, Hold) and verdict.entry == entry.name
        return "held" * (held or (isinstance(verdict, Dropped) and verdict.reason is Drop.HOLD_FULL))

    def nested(self, told: Explanation, verdict: Send) -> bool:
        """Whether it left by a rule about ESP, sealed twice."""
        child, _ = self.children[verdict.child]
        return told.flow.protocol != ESP and child.selector.protocol in (None, ESP)

    @staticmethod
    def arrives_as(told: Explanation, packet: bytes, verdict: Verdict) -> str:
        """What became of a packet that comes in clear, likewise."""
        word, _, rest = told.lines()[0].partition(" ")
        passes = "permitted" * (verdict == Deliver((packet,)))
        if word == "permitted" or "accepted too" in rest or "until the other side asks" in rest:
            return passes
        reason = verdict.reason if isinstance(verdict, Dropped) else None
        if word == "blocked":
            return word * (reason is Drop.BLOCKED)
        # What may pass a block only as a filter has it is blocked in clear.
        past = ", past " in "\n".join(told.lines())
        return "required" * (reason is (Drop.BLOCKED if past else Drop.CLEAR_BUT_PROTECTION_REQUIRED))


def compare(policy: Policy, packets: int, seed: int) -> Counter[str]:
    """What became of the packets, or an assertion that says which one is told one thing and suffers another."""
    chance = random.Random(seed)
    world = World(policy, chance)
    told: dict[tuple[FlowKey, Direction], Explanation] = {}
    """Many flows come again; what is said of one says it each time."""
    seen: Counter[str] = Counter()
    for _ in range(packets):
        packet = some_packet(chance)
        inward = packet.direction is Direction.IN
        flow = packet.flow.reversed() if inward else packet.flow
        if inward and flow.protocol == ESP:
            continue  # of no SA of ours: no policy is asked
        if (flow, packet.direction) not in told:
            told[flow, packet.direction] = explain(world.compiled, flow, packet.direction)
        said, octets = told[flow, packet.direction], packet_of(flow)
        (verdict,) = world.path.inbound([octets], 0.0) if inward else world.path.outbound([octets], 0.0)
        became = (world.arrives_as if inward else world.leaves_as)(said, octets, verdict)
        assert became, f"{said.lines()} {verdict} {flow} {packet.direction.name} {seed} by\n{canonical(policy)}"
        seen[f"{packet.direction.name.lower()} {became}"] += 1
    return seen


KINDS = {
    "out permitted", "out blocked", "out sealed", "out held", "out in clear",
    "in permitted", "in blocked", "in required",
}  # fmt: skip


def test_what_is_told_is_what_happens() -> None:
    seen: Counter[str] = Counter()

    @settings(deadline=None, max_examples=60, phases=[Phase.generate])
    @given(policies(least=4), st.integers(0, 1 << 32))
    def each(policy: Policy, seed: int) -> None:
        seen.update(compare(policy, 60, seed))

    each()
    assert {kind for kind, count in seen.items() if count} >= KINDS, seen


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("half", [1, 2])
def test_what_is_told_is_what_happens_to_four_million_packets(half: int) -> None:
    """Of 200 policies 20,000 packets each; two halves, for two processors."""
    seen: Counter[str] = Counter()

    @settings(deadline=None, max_examples=100, phases=[Phase.generate])
    @given(policies(least=4), st.integers(0, 1 << 32))
    def each(policy: Policy, seed: int) -> None:
        seen.update(compare(policy, 20_000, seed))

    each()
    assert {kind for kind, count in seen.items() if count > 100} >= KINDS, (half, seen)
