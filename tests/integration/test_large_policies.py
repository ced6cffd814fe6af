# SPDX-License-Identifier: Apache-2.0
"""Thousands of entries in the kernel: what leaves, and what does not, is what the SPD says."""

import json
import random
import socket
import time

import pytest
from integration.backend_lab import ALICE, Pair

from ringfence.backends.filter import ruleset
from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action, Direction, Origin, Processing, Spd, SpdEntry
from ringfence.net.address import ANY_PORT, AddressRange, PortRange, format_address, parse_address
from ringfence.net.flow import TCP, UDP, FlowKey

pytestmark = pytest.mark.root

SO_SNDBUFFORCE = 32
SEND = """
import json, socket, sys
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sender.bind((sys.argv[1], 4711))
left = []
for address, port in json.load(sys.stdin):
    try:
        sender.sendto(b"x", (address, port))
        left.append(True)
    except PermissionError:
        left.append(False)
json.dump(left, sys.stdout)
"""


def policy(count: int) -> Spd:
    """Sorted by size, as compiled policies are, and crowded."""
    chance = random.Random(1)
    everywhere = AddressRange.everything(4)

    def there() -> AddressRange:
        first = 0x0A4D0200 + chance.randrange(1 << 11)
        size = 1 << chance.choice([0, 0, 0, 2, 4, 6])
        if chance.random() < 0.1:
            return AddressRange(first.to_bytes(4), (first + chance.randrange(99)).to_bytes(4))
        first = first // size * size
        return AddressRange(first.to_bytes(4), (first + size - 1).to_bytes(4))

    entries = []
    for number in range(count):
        protocol = chance.choice([None, UDP, UDP, TCP])
        ports = chance.choice([ANY_PORT, PortRange.one(chance.randrange(1, 9)), PortRange(3, 6)])
        here = AddressRange.host(parse_address(ALICE)) if chance.random() < 0.9 else everywhere
        cube = Selector(here, there(), protocol, ANY_PORT, ports if protocol else ANY_PORT)
        action = chance.choice([Action.BYPASS, Action.DISCARD, Action.PROTECT])
        processing = Processing(()) if action is Action.PROTECT else None
        entries.append(SpdEntry(f"r{number}", cube, action, Origin(""), Direction.BOTH, processing))
    entries.sort(key=lambda one: (one.selector.destination.size, one.action.value))
    return Spd(tuple(entries))


@pytest.fixture(autouse=True)
def room() -> None:
    """From a user namespace a transaction has to fit into the socket's buffer, which only real root may enlarge."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW) as one:
        try:
            one.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 1 << 24)
        except PermissionError:
            pytest.skip("from this user namespace nobody may load rules as large as these")


@pytest.mark.parametrize("count", [100, 2000])
def test_the_kernel_decides_like_the_spd(pair: Pair, count: int) -> None:
    spd, chance = policy(count), random.Random(2)
    text = ruleset(spd)
    pair.alice.run("nft", "-f", "-", text=text)
    assert count == 100 or text.count("\n") < count * 4, "rules became sets"
    flows = [((0x0A4D0200 + chance.randrange(1 << 11)).to_bytes(4), chance.randrange(1, 9)) for _ in range(1500)]
    expected = []
    for address, port in flows:
        entry = spd.outbound(FlowKey(parse_address(ALICE), address, UDP, 4711, port))
        expected.append(entry is None or entry.action is Action.BYPASS)
    asked = json.dumps([(format_address(address), port) for address, port in flows])
    told = pair.alice.run(*pair.alice.python("-c", SEND, ALICE), text=asked).stdout
    assert json.loads(told) == expected
    assert 200 < sum(expected) < 1400


def test_ten_thousand_rules_are_loaded_in_time(pair: Pair) -> None:
    text = ruleset(policy(10_000))
    begin = time.monotonic()
    pair.alice.run("nft", "-f", "-", text=text)
    pair.alice.run("nft", "-f", "-", text=text)
    assert time.monotonic() - begin < 60
