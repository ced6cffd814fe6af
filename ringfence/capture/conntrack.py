# SPDX-License-Identifier: Apache-2.0
"""What the kernel's connection tracking lists: ``conntrack -L``, with or without ``-o extended``, and
/proc/net/nf_conntrack.

    tcp      6 431999 ESTABLISHED src=10.0.0.5 dst=10.0.0.9 sport=40000 dport=22 src=10.0.0.9 dst=10.0.0.5 … [ASSURED]

A line has the flow that began twice, as its packets came and as its answers come; between the two is what NAT changed.
The first is what a policy sees. A flow without answers is marked.
"""

import re
from collections.abc import Iterable, Iterator

from ringfence.capture.pcap import BadCapture
from ringfence.net.address import parse_address
from ringfence.net.conversation import Conversation
from ringfence.net.flow import ICMP, ICMPV6, FlowKey

UNANSWERED = "[UNREPLIED]"
PAIR = re.compile(r"\b(src|dst|sport|dport|type|code)=(\S+)")
FAMILIES = ("ipv4", "ipv6")
NUMBER_AT = 1
"""Where the protocol's number stands, behind its name."""


def is_listing(line: str) -> bool:
    """Whether ``line`` looks like one of a listing."""
    return " src=" in line and " dst=" in line


def read_conntrack(lines: Iterable[str], *, name: str) -> Iterator[Conversation]:
    """The conversations of a listing, in its order; raises BadCapture with the line."""
    for number, line in enumerate(lines, 1):
        if not is_listing(line):
            if line.strip() and not line.startswith(("#", "conntrack v")):
                raise BadCapture("this is no line of a conntrack listing", place=f"{name}:{number}")
            continue
        try:
            yield _conversation(line)
        except (ValueError, KeyError, IndexError) as error:
            raise BadCapture(
                "this line of the conntrack listing is not understood", place=f"{name}:{number}"
            ) from error


def _conversation(line: str) -> Conversation:
    words = [word for word in line.partition(" src=")[0].split() if not word.startswith("[")]
    protocol = int(words[NUMBER_AT + (2 if words[0] in FAMILIES else 0)])
    asked: dict[str, str] = {}
    for key, value in PAIR.findall(line):
        asked.setdefault(key, value)
    source, destination = parse_address(asked["src"]), parse_address(asked["dst"])
    if len(source) != len(destination) or not 0 <= protocol <= 255:
        raise ValueError(line)
    if protocol in (ICMP, ICMPV6):
        kind = int(asked["type"]) << 8 | int(asked["code"])
        return Conversation(FlowKey(source, destination, protocol, kind, kind), UNANSWERED not in line)
    ports = [int(asked[key]) if key in asked else None for key in ("sport", "dport")]
    if any(port is not None and not 0 <= port <= 65535 for port in ports):
        raise ValueError(line)
    return Conversation(FlowKey(source, destination, protocol, ports[0], ports[1]), UNANSWERED not in line)
