# SPDX-License-Identifier: Apache-2.0
"""What ``explain`` says of a packet is what the packet path does with it, whatever the policy and the packet."""

import random

import pytest

from ringfence.crypto.suites import Encryption
from ringfence.databases.spd import Action, Direction
from ringfence.datapath.engine import DataPath
from ringfence.datapath.verdict import Deliver, Drop, Dropped, Hold, Send, Verdict
from ringfence.net.address import format_address, parse_address
from ringfence.net.flow import ESP, ICMP, ICMPV6, TCP, UDP, FlowKey
from ringfence.net.ip import build
from ringfence.policy.compile import Compiled
from ringfence.policy.explain import Explanation, explain
from ringfence.testing.associations import esp_suite
from ringfence.testing.contracts import make_child
from ringfence.testing.policies import compile_text, rule_text

OWN = ("10.0.0.1", "10.0.1.1", "fd00::1")
PEERS = ("10.0.0.2", "10.0.0.77", "10.0.3.4", "192.0.2.9", "224.0.0.5", "255.255.255.255", "10.0.1.200")
PEERS_V6 = ("fd00::2", "fd00:1::9", "2001:db8::1", "ff02::1", "fd00::ffff")
RANGES = (
    "any",
    "10.0.0.0/24",
    "10.0.0.0/16",
    "10.0.0.2",
    "10.0.0.70-10.0.3.4",
    "192.0.2.0/24",
    "224.0.0.0/4",
    "10.0.0.0/9",
)
RANGES_V6 = ("any", "fd00::/64", "fd00::/16", "fd00::2", "fd00::2-fd00:1::f", "2001:db8::/32", "ff00::/8")
TRAFFIC = ("any", "any", "tcp to 80", "tcp from 80", "tcp 79-81", "udp 53", "udp to 500", "udp from 68 to 67", "esp",
           "protocol 47", "tcp", "udp to 1-1023")  # fmt: skip
TRAFFIC_V4, TRAFFIC_V6 = ("icmp", "icmp echo-request"), ("icmpv6", "icmpv6 echo-reply", "icmpv6 neighbour-solicitation")
PORTS = (53, 67, 68, 79, 80, 81, 500, 1023, 1024, 4500, 40000)

SENT = {Action.BYPASS: "permitted", Action.DISCARD: "blocked", Action.PROTECT: "protected"}


def some_policy(chance: random.Random) -> str:
    """A document, crowded: most packets fall under several of its statements."""
    text = ""
    for number in range(chance.randrange(1, 25)):
        v6 = chance.random() < 0.3
        ranges, kinds = (RANGES_V6, TRAFFIC_V6) if v6 else (RANGES, TRAFFIC_V4)
        far = chance.choice(ranges)
        traffic = chance.choice(TRAFFIC + kinds)
        kind = chance.randrange(4)
        if kind == 0:
            verb = chance.choice(["permit", "block", "block"])
            direction = chance.choice(["in", "out", "both"])
            mirrored = chance.choice(["true", "false"])
            text += (
                f'[[filter]]\nname = "{number}"\n{verb} = "{traffic}"\nwith = "{far}"\ndirection = "{direction}"\n'
                f"mirrored = {mirrored}\n"
            )
            continue
        needs = [chance.choice(["none", "request", "require", "require"]) for _ in range(2)]
        settings = {"with_": f'"{far}"', "traffic": f'"{traffic}"'}
        settings["secure"] = f'{{ in = "{needs[0]}", out = "{needs[1]}" }}'
        if needs == ["none", "none"]:
            text += rule_text(str(number), **settings).replace('auth = { psk-file = "test.psk" }\n', "")
            continue
        if kind == 1:
            del settings["with_"]
            gateway, local = ("fd00::2", "fd00::1") if v6 else ("10.0.0.2", "10.0.0.1")
            settings["local"] = f'{{ networks = ["{chance.choice(ranges)}"], gateway = "{local}" }}'
            settings["remote"] = f'{{ networks = ["{far}"], gateway = "{gateway}" }}'
        elif kind == 2:
            del settings["with_"]
            settings["between"] = f'["{chance.choice(ranges)}", "{far}"]'
        text += rule_text(str(number), **settings)
    return text


def some_flow(chance: random.Random) -> FlowKey:
    """A flow out of here, or forwarded."""
    v6 = chance.random() < 0.3
    peers = PEERS_V6 if v6 else PEERS
    own = OWN[2:] if v6 else OWN[:2]
    here = chance.choice(own) if chance.random() < 0.9 else chance.choice(peers)
    protocol = chance.choice([TCP, TCP, UDP, UDP, ICMPV6 if v6 else ICMP, 47, 132])
    ports: tuple[int | None, int | None] = chance.choice(PORTS), chance.choice(PORTS)
    if protocol in (ICMP, ICMPV6):
        kind = chance.choice([128, 129, 135] if v6 else [0, 8, 13]) * 256
        ports = kind, kind
    elif protocol == 47:
        ports = None, None
    return FlowKey(parse_address(here), parse_address(chance.choice(peers)), protocol, *ports)


def packet_of(flow: FlowKey) -> bytes:
    if flow.protocol in (ICMP, ICMPV6):
        return build(flow.source, flow.destination, flow.protocol, (flow.source_port or 0).to_bytes(2) + bytes(6))
    ports = b"".join((port or 0).to_bytes(2) for port in flow[3:])
    return build(flow.source, flow.destination, flow.protocol, ports + bytes(20))


def path_of(compiled: Compiled, chance: random.Random) -> DataPath:
    """A packet path with this policy, and a contract for some of what it protects."""
    path = DataPath(random=chance.randbytes)
    path.apply(compiled.spd, 0.0)
    protects = [entry for entry in compiled.spd if entry.processing is not None and Direction.OUT in entry.directions]
    for number, entry in enumerate(chance.sample(protects, len(protects) // 3), 1):
        processing, cube = entry.processing, entry.selector
        ends = cube.source.first, cube.destination.first
        if processing is None:
            continue
        if processing.tunnel_local is not None and processing.tunnel_remote is not None:
            ends = processing.tunnel_local, processing.tunnel_remote
        local, remote = map(format_address, ends)
        child = make_child(
            esp_suite(Encryption.AES_GCM_16), mode=processing.mode, local=local, remote=remote, selector=cube,
            number=number, entry=entry.name,
        )  # fmt: skip
        path.install_inbound(child, 0.0)
        path.install_outbound(child, 0.0)
    return path


def leaves_as(told: Explanation, packet: bytes, verdict: Verdict) -> bool:
    """Whether what became of a packet that leaves is what was told."""
    match told.action:
        case Action.BYPASS:
            return verdict == Send((packet,))
        case Action.DISCARD:
            return isinstance(verdict, Dropped) and verdict.reason is Drop.BLOCKED
        case _:
            name = "" if told.entry is None else told.entry.name
            held = isinstance(verdict, Hold) and verdict.entry == name
            # Sealed, but a rule about ESP wants that sealed again.
            nested = isinstance(verdict, Hold) and verdict.flow.protocol == ESP != told.flow.protocol
            full = isinstance(verdict, Dropped) and verdict.reason is Drop.HOLD_FULL
            return held or nested or full or (isinstance(verdict, Send) and verdict.child != 0)


def arrives_as(told: Explanation, packet: bytes, verdict: Verdict) -> bool:
    """Whether what became of a packet that comes in clear is what was told."""
    processing = None if told.entry is None else told.entry.processing
    if told.action is Action.DISCARD:
        return isinstance(verdict, Dropped) and verdict.reason is Drop.BLOCKED
    if processing is not None and "a clear packet is dropped" in told.lines()[0]:
        return isinstance(verdict, Dropped) and verdict.reason is Drop.CLEAR_BUT_PROTECTION_REQUIRED
    return verdict == Deliver((packet,))


def compare(policies: int, packets: int, seed: int) -> dict[str, int]:
    """Nothing, or an assertion that says which packet is told one thing and suffers another."""
    seen = dict.fromkeys([*SENT.values(), "sealed"], 0)
    for number in range(policies):
        chance = random.Random(f"{seed} {number}")
        text = some_policy(chance)
        compiled = compile_text(text, *OWN)
        path = path_of(compiled, chance)
        for _ in range(packets):
            flow = some_flow(chance)
            packet = packet_of(flow)
            told = explain(compiled, flow, Direction.OUT)
            (verdict,) = path.outbound([packet], 0.0)
            assert leaves_as(told, packet, verdict), (seed, number, told.lines(), verdict)
            seen[SENT[told.action]] += 1
            seen["sealed"] += isinstance(verdict, Send) and verdict.child != 0
            flow = flow.reversed()
            packet = packet_of(flow)
            told = explain(compiled, flow, Direction.IN)
            (verdict,) = path.inbound([packet], 0.0)
            assert arrives_as(told, packet, verdict), (seed, number, told.lines(), verdict)
            seen[SENT[told.action]] += 1
    return seen


def test_what_is_told_is_what_happens() -> None:
    seen = compare(40, 50, 1)
    assert min(seen.values()) > 50, seen


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_what_is_told_is_what_happens_to_four_million_packets() -> None:
    seen = compare(200, 10_000, 2)  # each way
    assert min(seen.values()) > 10_000, seen
