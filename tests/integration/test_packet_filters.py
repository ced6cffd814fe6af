# SPDX-License-Identifier: Apache-2.0
"""Packet filters on real interfaces: what ``explain`` says of a packet is what nftables does with it.

Some hundred packets of every kind come by, each with its number; a chain behind the packet filters notes which of them
passed. The documents are drawn at random, so are the packets.
"""

import json
import random
import re
from pathlib import Path

import pytest
from integration.backend_lab import ALICE, ALICE6, BOB, BOB6, Pair
from integration.service_lab import RULE, Service, document, ping

from ringfence.backends.filter import ruleset
from ringfence.databases.spd import Direction
from ringfence.net.address import parse_address
from ringfence.net.flow import ICMP, ICMPV6, TCP, UDP, FlowKey
from ringfence.net.ip import build_v4, build_v6
from ringfence.policy.explain import Question, answer
from ringfence.testing.namespaces import Host
from ringfence.testing.policies import compile_text

pytestmark = pytest.mark.root

SYN, ACK, RST = 2, 16, 4
BEHIND = """
table inet behind
delete table inet behind
table inet behind {{
  set four {{ typeof ip id; flags dynamic; size 4096; }}
  set six {{ typeof ip6 flowlabel; flags dynamic; size 4096; }}
  chain watch {{
    type filter hook {hook}; policy accept;
    meta nfproto ipv4 add @four {{ ip id }}
    meta nfproto ipv6 add @six {{ ip6 flowlabel }}
  }}
}}
"""
HOOKS = {Direction.IN: "prerouting priority -420", Direction.OUT: "postrouting priority 400"}
ENDS = ("any", "any", "me", "10.77.1.0/24", "10.77.2.0/24", "10.0.0.0/8", "10.77.2.1", "fd77:1::/64", "fd77::/16")
KINDS = ("", "tcp", "tcp established", "udp", "icmp", "icmp echo-request", "icmp 3/4", "icmpv6 echo-reply", "gre")
PORTS = (25, 80, 1024, 2000)
SENDER = """
import json, socket, sys
packets = json.load(sys.stdin)
senders = {4: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW),
           6: socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)}
for hexed in packets:
    packet = bytes.fromhex(hexed)
    version = packet[0] >> 4
    target = packet[16:20] if version == 4 else packet[24:40]
    name = socket.inet_ntop(socket.AF_INET if version == 4 else socket.AF_INET6, target)
    try:
        senders[version].sendto(packet, (name, 0))
    except PermissionError:
        pass  # dropped on its way out
"""


def some_filter(chance: random.Random) -> str:
    """A filter in words; some are of no use, and are left out by the caller."""
    kind = chance.choice(KINDS)
    ends = [chance.choice(ENDS), chance.choice(ENDS)]
    if kind.startswith(("tcp", "udp")):
        ends = [f"[{end}]:{chance.choice(PORTS)}" if chance.random() < 0.4 else end for end in ends]
        ends = [end if ":" not in end or end.startswith("[") else f"[{end}]" for end in ends]
    return " ".join(filter(None, [ends[0], kind, "->", ends[1]]))


def some_lists(chance: random.Random, way: str) -> str:
    text = ""
    for number in range(chance.randrange(1, 4)):
        filters: list[str] = []
        while len(filters) < chance.randrange(1, 6):
            one = some_filter(chance)
            try:
                compile_text(f'[[packet-filter]]\nname="x"\ndirection="in"\nfilters=["{one}"]')
            except Exception:
                continue
            filters.append(one)
        on = chance.choice(
            ["", 'interfaces = ["dev eth0"]\n', 'interfaces = ["dev et*"]\n', 'interfaces = ["dev eth7"]\n']
        )
        text += (
            f'[[packet-filter]]\nname = "{number}"\ndirection = "{way}"\n{on}'
            f'default = "{chance.choice(["permit", "block"])}"\nfilters = {json.dumps(filters)}\n'
        )
    return text


def some_packet(chance: random.Random, number: int) -> tuple[FlowKey, bool, bytes]:
    """A flow, whether it is established, and the packet, which bears its number."""
    four = chance.random() < 0.6
    source, target = ("10.77.1.{}", BOB) if four else ("fd77:1::{}", BOB6)
    ends = parse_address(source.format(chance.choice([1, 1, 1, 7, 99]))), parse_address(target)
    protocol = chance.choice([TCP, TCP, TCP, UDP, ICMP if four else ICMPV6, 47])
    ports: tuple[int | None, int | None] = chance.choice(PORTS), chance.choice(PORTS)
    flags = chance.choice([SYN, ACK, RST, SYN | ACK, 1]) if protocol == TCP else 0
    there = b"".join((port or 0).to_bytes(2) for port in ports)
    if protocol == TCP:
        payload = there + bytes(8) + bytes([0x50, flags]) + bytes(6)
    elif protocol == UDP:
        payload = there + (8).to_bytes(2) + bytes(2)
    elif protocol == 47:
        ports, payload = (None, None), bytes(8)
    else:
        kind = chance.choice([(8, 0), (3, 4), (3, 1), (0, 0)] if four else [(128, 0), (129, 0), (1, 4)])
        ports, payload = (kind[0] * 256 + kind[1],) * 2, bytes(kind) + bytes(6)
    if four:
        header = build_v4(*ends, protocol, len(payload), identification=number)
    else:
        header = build_v6(*ends, protocol, len(payload), flow_label=number)
    return FlowKey(*ends, protocol, *ports), bool(flags & (ACK | RST)), header + payload


def passed(host: Host) -> set[int]:
    """The numbers of the packets that came by."""
    found: set[int] = set()
    for name in ("four", "six"):
        text = host.run("nft", "list", "set", "inet", "behind", name).stdout
        elements = re.search(r"elements = {(.*?)}", text, re.DOTALL)
        found |= {int(word, 0) for word in (elements[1].replace(",", " ").split() if elements else ())}
    return found


@pytest.mark.parametrize("way", [Direction.IN, Direction.OUT], ids=["in", "out"])
def test_explain_says_what_nftables_does(pair: Pair, way: Direction) -> None:
    chance = random.Random(4301)
    host, own = (pair.bob, (BOB, BOB6)) if way is Direction.IN else (pair.alice, (ALICE, ALICE6))
    both = set()
    for _ in range(15):
        text = some_lists(chance, "in" if way is Direction.IN else "out")
        compiled = compile_text(text, *own)
        host.run("nft", "-f", "-", text=ruleset(compiled.spd) + BEHIND.format(hook=HOOKS[way]))
        packets = {number: some_packet(chance, number) for number in range(1, 60)}
        pair.alice.run("python3", "-c", SENDER, text=json.dumps([packet.hex() for _, _, packet in packets.values()]))
        seen = passed(host)
        for number, (flow, established, _) in packets.items():
            said = answer(compiled, Question(flow, way, established, "eth0")).passes
            both.add(said)
            assert said is (number in seen), f"{flow} established={established}: explain says {said}\n{text}"
    assert both == {True, False}, "some pass, some do not"


HEAD = '[[packet-filter]]\nname = "wan"\ndirection = "in"\ninterfaces = ["dev eth0"]\n'


def test_they_see_esp_and_not_what_is_in_it_and_are_counted(pair: Pair, tmp_path: Path) -> None:
    filters = (
        HEAD + 'default = "block"\nfilters = ["any udp -> me:500", "any esp -> me", "any tcp established -> me"]\n'
    )
    alice = Service(pair.alice, document(tmp_path / "alice", RULE))
    bob = Service(pair.bob, document(tmp_path / "bob", RULE + filters))
    try:
        assert ping(pair.alice, BOB) == 1, "protected, the filters have nothing against ICMP in ESP"
        assert ping(pair.alice, BOB6, wait=0.5) == 0
        answered = bob.ask("status")
        assert answered["dropped"]["packet-filter"] >= 1
        told = bob.say("explain", f"in icmp {ALICE} -> {BOB} on eth0").stdout
        assert told.startswith("protected")
        bob.policy.write_text(RULE + filters.replace('"any esp -> me", ', ""))
        said = bob.say("reload").stdout
        assert 'packet filter "wan"' in said or said == "Nothing changed.\n", "it had noticed before"
        assert ping(pair.alice, BOB, wait=0.5) == 0
        told = bob.say("explain", f"in icmp {ALICE} -> {BOB} on eth0").stdout
        assert told.startswith('blocked    its ESP is dropped on eth0 by packet filter "wan" policy.toml:7')
    finally:
        alice.stop()
        bob.stop()
    assert ping(pair.alice, BOB6) == 1, "no trace is left"


@pytest.mark.parametrize("drop", [False, True], ids=["judged by the first", "dropped"])
def test_fragments(pair: Pair, drop: bool) -> None:
    """Those behind the first pass where the first may; all are dropped where the list says so."""
    text = f'{HEAD}default = "block"\nfilters = ["any icmp echo-request -> me", "any udp -> me:53"]\n'
    text += f"drop-fragments = {str(drop).lower()}\n"
    pair.bob.run("nft", "-f", "-", text=ruleset(compile_text(text, BOB, BOB6).spd))
    assert ping(pair.alice, BOB) == 1
    done = pair.alice.run("ping", "-c1", "-W1", "-s", "4000", BOB, check=False)
    assert done.returncode == (1 if drop else 0)
