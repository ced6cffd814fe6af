# SPDX-License-Identifier: Apache-2.0
"""What ``whatif`` says of conversations with hosts that have no IPsec is what becomes of them in the packet path."""

import random

import pytest

from protocol.test_explanations import OWN, PEERS, PEERS_V6, PORTS, packet_of, some_policy
from ringfence.databases.spd import Direction
from ringfence.datapath.engine import DataPath
from ringfence.datapath.verdict import Deliver, Dropped, Hold, Send, Verdict
from ringfence.net.address import parse_address
from ringfence.net.conversation import Conversation
from ringfence.net.flow import ICMP, ICMPV6, TCP, UDP, FlowKey
from ringfence.policy.whatif import Fate, outcome
from ringfence.testing.policies import compile_text

ADDRESSES = tuple(map(parse_address, OWN))
SURE = (Fate.PERMIT, Fate.REQUEST)


def some_conversation(chance: random.Random) -> Conversation:
    v6 = chance.random() < 0.3
    here = parse_address(OWN[2] if v6 else chance.choice(OWN[:2]))
    there = parse_address(chance.choice(PEERS_V6[:3] if v6 else PEERS[:4]))
    protocol = chance.choice([TCP, TCP, UDP, ICMPV6 if v6 else ICMP])
    ports = (chance.choice(PORTS), chance.choice(PORTS))
    if protocol in (ICMP, ICMPV6):
        ports = ((128 if v6 else 8) << 8,) * 2
    asks = FlowKey(here, there, protocol, *ports)
    return Conversation(asks if chance.random() < 0.5 else asks.reversed(), answered=chance.random() < 0.8)


def leaves(path: DataPath, flow: FlowKey) -> bool:
    """Whether a packet goes out in clear to somebody with whom there can be no SA."""
    found: list[Verdict] = path.outbound([packet_of(flow)], 0.0)
    if isinstance(found[0], Hold):
        found = path.acquire_failed(found[0].entry, flow, 1.0)
    assert all(isinstance(one, Send | Dropped) for one in found), found
    return bool(found) and isinstance(found[0], Send)


def arrives(path: DataPath, flow: FlowKey) -> bool:
    """Whether a clear packet comes in."""
    (found,) = path.inbound([packet_of(flow)], 2.0)
    assert isinstance(found, Deliver | Dropped), found
    return isinstance(found, Deliver)


def passes(path: DataPath, conversation: Conversation, direction: Direction) -> bool:
    there, back = (leaves, arrives) if direction is Direction.OUT else (arrives, leaves)
    return there(path, conversation.asks) and (conversation.answers is None or back(path, conversation.answers))


@pytest.mark.parametrize("seed", range(40))
def test_hosts_without_ipsec_fare_as_it_says(seed: int) -> None:
    chance = random.Random(seed)
    compiled = compile_text(some_policy(chance), *OWN)
    for _ in range(100):
        conversation = some_conversation(chance)
        told = outcome(compiled, conversation, ADDRESSES)
        path = DataPath(random=chance.randbytes)  # which remembers nothing of those before
        path.apply(compiled.spd, 0.0)
        got = passes(path, conversation, told.direction)
        assert got == (told.fate in SURE), (conversation, told.fate, told.origin)


def test_all_fates_are_among_them() -> None:
    seen: set[tuple[Fate, Direction]] = set()
    for seed in range(40):
        chance = random.Random(seed)
        compiled = compile_text(some_policy(chance), *OWN)
        told = [outcome(compiled, some_conversation(chance), ADDRESSES) for _ in range(100)]
        seen |= {(one.fate, one.direction) for one in told}
    assert len(seen) == 8
