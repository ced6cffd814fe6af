# SPDX-License-Identifier: Apache-2.0
"""TCP connections of IKE (RFC 9329) in the table of nftables. Pure: parts of its text.

Like IKE in UDP they are subject to no entry. Where we listen, our own socket has the port. What others listen at is
another matter: to let in all that comes from their port would let a peer in to any service of this host in clear. So
each connection that our sockets begin is noted, and only what belongs to a noted one may come in.
"""

from collections.abc import Iterator, Sequence

SETS = {"ip": ("ike-tcp-4", "ipv4_addr"), "ip6": ("ike-tcp-6", "ipv6_addr")}
SECONDS = 3600
"""Behind the last packet; TCP asks every minute whether the other end is there."""
MOST = 65536


def sets(ports: Sequence[int]) -> Iterator[str]:
    """The declarations of the sets that connections are noted in."""
    for name, kind in SETS.values() if ports else ():
        what = f"{kind} . inet_service . {kind} . inet_service"
        yield f"set {name} {{ type {what}; flags dynamic,timeout; timeout {SECONDS}s; size {MOST}; }}"


def out(ports: Sequence[int], mark: int) -> Iterator[str]:
    """Outward: what our sockets send by such a connection leaves, whichever way it takes, and is noted."""
    if ports:
        at = _these(ports)
        for family, (name, _) in SETS.items():
            there = f"{family} daddr . tcp dport . {family} saddr . tcp sport"
            yield f"meta mark {mark:#x} tcp dport {at} update @{name} {{ {there} }}"
        yield f"meta mark {mark:#x} tcp dport {at} accept"
        yield f"meta mark {mark:#x} tcp sport {at} accept"


def matches_in(ports: Sequence[int]) -> Iterator[str]:
    """What comes in by such connections, and ICMP errors about them."""
    if ports:
        at = _these(ports)
        yield f"tcp dport {at}"
        for family, (name, _) in SETS.items():
            yield f"{family} saddr . tcp sport . {family} daddr . tcp dport @{name}"
        # behind 8 octets the packet that an error is about: its protocol, and its ports
        for port in (224, 240):
            yield f"icmp type destination-unreachable @th,136,8 6 @th,{port},16 {at}"
        for port in (384, 400):
            yield f"icmpv6 type {{ destination-unreachable, packet-too-big }} @th,112,8 6 @th,{port},16 {at}"


def _these(ports: Sequence[int]) -> str:
    return "{ " + ", ".join(map(str, ports)) + " }"
