# SPDX-License-Identifier: Apache-2.0
"""What ``whatif`` says of conversations with hosts that have no IPsec is what becomes of them in the packet path."""

import random

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from protocol.any_policy import HOST, KEYS, policies, some_packet
from protocol.test_explanations import packet_of
from ringfence.databases.spd import Direction
from ringfence.datapath.engine import DataPath
from ringfence.datapath.verdict import Deliver, Dropped, Hold, Send, Verdict
from ringfence.net.conversation import Conversation
from ringfence.net.flow import ESP, FlowKey
from ringfence.policy.compile import compile_policy
from ringfence.policy.model import Policy
from ringfence.policy.whatif import Fate, outcome

ADDRESSES = HOST.own
SURE = (Fate.PERMIT, Fate.REQUEST)


def some_conversation(chance: random.Random) -> Conversation:
    """Of this computer with one other; not of ESP, which tells of SAs."""
    while True:
        packet = some_packet(chance)
        asks = packet.flow if packet.direction is Direction.OUT else packet.flow.reversed()
        if asks.protocol != ESP and sum(one in ADDRESSES for one in asks[:2]) == 1:
            return Conversation(asks, answered=chance.random() < 0.8)


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


def test_hosts_without_ipsec_fare_as_it_says() -> None:
    seen: set[tuple[Fate, Direction]] = set()

    @settings(deadline=None, max_examples=60, phases=[Phase.generate])
    @given(policies(least=4), st.integers(0, 1 << 32))
    def each(policy: Policy, seed: int) -> None:
        chance, compiled = random.Random(seed), compile_policy(policy, HOST, KEYS)
        for _ in range(60):
            conversation = some_conversation(chance)
            told = outcome(compiled, conversation, ADDRESSES)
            path = DataPath(random=chance.randbytes)  # which remembers nothing of those before
            path.apply(compiled.spd, 0.0)
            got = passes(path, conversation, told.direction)
            if told.stop is None:  # packet filters are the kernel's affair
                assert got == (told.fate in SURE), (conversation, told.fate, told.origin)
            seen.add((told.fate, told.direction))

    each()
    assert len(seen) == 8
