# SPDX-License-Identifier: Apache-2.0
"""The IP packets in a capture, whatever link it was taken from, and the conversations that they belong to.

A packet of which less was kept than was sent is filled up with zeros: headers are all that is asked for. Who began a
conversation, its first TCP segment tells. Where that is not in the capture, the end with the port that clients do not
use is the server; and where both or none are such, who was seen first began.
"""

from collections.abc import Iterable, Iterator
from struct import Struct
from typing import BinaryIO

from ringfence.capture.pcap import ETHERNET, FILE, MICROSECONDS, NANOSECONDS, RAW_IP, BadCapture, read_pcap
from ringfence.net.conversation import ECHO, Conversation
from ringfence.net.flow import TCP, FlowKey
from ringfence.net.ip import IPV4_OCTETS, IPV6_OCTETS, flow_at, view

RAW_IP_BSD, RAW_IPV4, RAW_IPV6 = 12, 228, 229
COOKED, COOKED_2 = 113, 276
"""What ``tcpdump -i any`` writes: Linux's cooked capture, versions 1 and 2."""
HEADS = {ETHERNET: (14, 12), COOKED: (16, 14), COOKED_2: (20, 0)}
"""Octets of the link's header, and where in it the type of what follows stands."""
RAW = frozenset({RAW_IP, RAW_IP_BSD, RAW_IPV4, RAW_IPV6})
IP_TYPES = frozenset({0x0800, 0x86DD})
VLAN_TYPES = frozenset({0x8100, 0x88A8})
VLAN_OCTETS = 4
SYN, ACK, FLAGS_AT = 0x02, 0x10, 13
CLIENT_PORTS = range(32768, 65536)


def ip_packets(file: BinaryIO) -> Iterator[bytes]:
    """The IP packets of a capture that can be read twice; raises BadCapture."""
    link = _link(file.read(FILE.size))
    file.seek(0)
    for frame in read_pcap(file):
        packet = _behind_link(link, frame.octets)
        if packet:
            yield _filled(packet)


def conversations(packets: Iterable[bytes]) -> tuple[Conversation, ...]:
    """What was said, in the order in which it began; what is no correct IP packet and later fragments are left out."""
    found: dict[FlowKey, list[bool]] = {}
    for packet in packets:
        parts = view(packet)
        flow = None if parts is None or parts.offset else flow_at(packet, parts)
        if parts is None or flow is None:
            continue
        flow, is_answer = _one_way(flow)
        if flow in found:
            found[flow][is_answer] = True
        elif flow.protocol not in ECHO and flow.reversed() in found:
            found[flow.reversed()][True] = True
        else:
            begins, under_way = _begins(packet, parts.at, flow)
            said = found.setdefault(flow if begins else flow.reversed(), [False, False])
            said[is_answer or not begins] = True
            said[True] |= under_way
    return tuple(Conversation(flow, answered) for flow, (_, answered) in found.items())


def _link(head: bytes) -> int:
    for order in "<>":
        packed = Struct(order + FILE.format[1:])
        if len(head) == packed.size:
            magic, *_, link = packed.unpack(head)
            if magic in (MICROSECONDS, NANOSECONDS):
                if link & 0xFFFF not in RAW | HEADS.keys():
                    raise BadCapture(f"the capture is of a link that is not understood (type {link & 0xFFFF})")
                return int(link & 0xFFFF)
    return ETHERNET  # which read_pcap will complain about


def _behind_link(link: int, octets: bytes) -> bytes:
    """The IP packet in a frame; empty when there is none."""
    if link in RAW:
        return octets
    head, kind_at = HEADS[link]
    kind = int.from_bytes(octets[kind_at : kind_at + 2])
    while kind in VLAN_TYPES:
        kind, head = int.from_bytes(octets[head + 2 : head + 4]), head + VLAN_OCTETS
    return octets[head:] if kind in IP_TYPES else b""


def _filled(packet: bytes) -> bytes:
    """As long as its header says."""
    if packet[0] >> 4 == 4 and len(packet) >= IPV4_OCTETS:
        return packet.ljust(int.from_bytes(packet[2:4]), b"\0")
    if packet[0] >> 4 == 6 and len(packet) >= IPV6_OCTETS:
        return packet.ljust(IPV6_OCTETS + int.from_bytes(packet[4:6]), b"\0")
    return packet


def _one_way(flow: FlowKey) -> tuple[FlowKey, bool]:
    """An answer to an echo request as the flow of the request; whether it was one."""
    question, answer = ECHO.get(flow.protocol, (0, 0))
    if question and flow.source_port == answer:
        return flow._replace(source_port=question, destination_port=question).reversed(), True
    return flow, False


def _begins(packet: bytes, at: int, flow: FlowKey) -> tuple[bool, bool]:
    """Whether the sender of the first packet seen began, and whether the other one must have answered before."""
    if flow.protocol in ECHO or flow.source_port is None:
        return True, False
    if flow.protocol == TCP:
        flags = packet[at + FLAGS_AT] if at + FLAGS_AT < len(packet) else 0
        if flags & SYN:
            return not flags & ACK, False
    ours, theirs = flow.source_port in CLIENT_PORTS, flow.destination_port in CLIENT_PORTS
    return ours or not theirs, flow.protocol == TCP
