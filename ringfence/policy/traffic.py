# SPDX-License-Identifier: Apache-2.0
"""Which packets a rule is about, in words: ``tcp to 1433``, ``udp 53``, ``icmp echo-request``, ``any``.

``to`` names the port of the receiver and ``from`` that of the sender. A rule is read from this computer outward unless
its ``direction`` says otherwise. A port without either word is meant at either end: ``udp 53`` is this computer asking
a name server as well as being one.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ringfence.net.address import ANY_PORT, PortRange
from ringfence.net.flow import DCCP, ICMP, ICMPV6, PROTOCOL_NAMES, SCTP, TCP, UDP, UDPLITE
from ringfence.policy.errors import BadWord

PROTOCOLS = {name: number for number, name in PROTOCOL_NAMES.items()}
WITH_PORTS = (TCP, UDP, SCTP, UDPLITE, DCCP)

ICMP_TYPES = {
    "echo-reply": 0, "destination-unreachable": 3, "redirect": 5, "echo-request": 8, "router-advertisement": 9,
    "router-solicitation": 10, "time-exceeded": 11, "parameter-problem": 12, "timestamp-request": 13,
    "timestamp-reply": 14,
}  # fmt: skip
ICMPV6_TYPES = {
    "destination-unreachable": 1, "packet-too-big": 2, "time-exceeded": 3, "parameter-problem": 4, "echo-request": 128,
    "echo-reply": 129, "router-solicitation": 133, "router-advertisement": 134, "neighbour-solicitation": 135,
    "neighbour-advertisement": 136, "redirect": 137,
}  # fmt: skip
TYPES = {ICMP: ICMP_TYPES, ICMPV6: ICMPV6_TYPES}

CURE = 'Write it as "tcp to 443", "udp from 68 to 67", "tcp 8000-8099", "icmp echo-request", "protocol 47" or "any".'
NUMBER = re.compile(r"\d{1,5}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Traffic:
    """A kind of packet, without its addresses."""

    protocol: int | None = None
    sender_ports: PortRange = ANY_PORT
    """For ICMP: types and codes, the same as ``receiver_ports``."""
    receiver_ports: PortRange = ANY_PORT
    either: bool = False
    """Whether ``receiver_ports`` may as well be the sender's."""

    def outward(self) -> Iterator[tuple[PortRange, PortRange]]:
        """Ports at this end and at the other, read from here outward."""
        yield self.sender_ports, self.receiver_ports
        if self.either:
            yield self.receiver_ports, self.sender_ports

    def inward(self) -> Iterator[tuple[PortRange, PortRange]]:
        """Ports at this end and at the other, read from the other end inward."""
        yield self.receiver_ports, self.sender_ports
        if self.either:
            yield self.sender_ports, self.receiver_ports

    def fits(self, version: int) -> bool:
        """Whether there is such traffic in IPv4 or IPv6."""
        return self.protocol != (ICMPV6 if version == 4 else ICMP)

    def __str__(self) -> str:
        if self.protocol is None:
            return "any"
        name = PROTOCOL_NAMES.get(self.protocol, f"protocol {self.protocol}")
        if self.protocol in TYPES:
            return name if self.receiver_ports.is_any else f"{name} {_icmp_word(self.protocol, self.receiver_ports)}"
        if self.either:
            return f"{name} {self.receiver_ports}"
        sender = "" if self.sender_ports.is_any else f" from {self.sender_ports}"
        receiver = "" if self.receiver_ports.is_any else f" to {self.receiver_ports}"
        return f"{name}{sender}{receiver}"


ANY_TRAFFIC = Traffic()


def parse_traffic(text: str) -> Traffic:
    """One kind of packet; raises BadWord."""
    words = text.lower().split()
    if not words:
        raise BadWord("which says nothing", cure=CURE)
    if words == ["any"]:
        return ANY_TRAFFIC
    protocol, rest = _protocol(words)
    if protocol in TYPES:
        ports = _icmp(protocol, rest)
        return Traffic(protocol, ports, ports)
    if rest and protocol not in WITH_PORTS:
        raise BadWord(f"but {words[0]} has no ports", cure=CURE)
    return _with_ports(protocol, rest)


def _protocol(words: list[str]) -> tuple[int, list[str]]:
    if words[0] == "protocol" and len(words) > 1:
        number = _number(words[1])
        if number is None or number > 255:
            raise BadWord(f"but protocols are numbered 0 to 255, not {words[1]}", cure=CURE)
        return number, words[2:]
    if words[0] not in PROTOCOLS:
        raise BadWord(f'but "{words[0]}" is no protocol', cure=CURE)
    return PROTOCOLS[words[0]], words[1:]


def _with_ports(protocol: int, words: list[str]) -> Traffic:
    if len(words) == 1:
        ports = _ports(words[0])
        return Traffic(protocol, ANY_PORT, ports, either=not ports.is_any)
    ends = {"from": ANY_PORT, "to": ANY_PORT}
    named = words[::2]
    if len(words) % 2 or any(word not in ends for word in named) or len(set(named)) != len(named):
        raise BadWord("which is not understood", cure=CURE)
    ends.update(zip(named, map(_ports, words[1::2]), strict=True))
    return Traffic(protocol, ends["from"], ends["to"])


def _ports(word: str) -> PortRange:
    if word == "any":
        return ANY_PORT
    first, _, last = word.partition("-")
    numbers = _number(first), _number(last or first)
    if numbers[0] is None or numbers[1] is None:
        raise BadWord(f'but "{word}" is neither a port nor a range of ports', cure=CURE)
    try:
        return PortRange(numbers[0], numbers[1])
    except ValueError as error:
        raise BadWord(f"but {word} is wrong: {error}", cure=CURE) from error


def _icmp(protocol: int, words: list[str]) -> PortRange:
    if not words:
        return ANY_PORT
    kind, _, code = words[0].partition("/")
    types = TYPES[protocol]
    number = types.get(kind, _number(kind))
    code_number = _number(code) if code else None
    wrong = number is None or number > 255 or (code and (code_number is None or code_number > 255))
    if wrong or len(words) > 1 or number is None:
        raise BadWord(
            f'but "{" ".join(words)}" is no message of it',
            cure=f'Say a type ("8"), a type and code ("3/4"), or one of: {", ".join(types)}.',
        )
    if code_number is not None:
        return PortRange.one(number * 256 + code_number)
    return PortRange(number * 256, number * 256 + 255)


def _icmp_word(protocol: int, ports: PortRange) -> str:
    number, code = divmod(ports.first, 256)
    if ports.first == ports.last:
        return f"{number}/{code}"
    return next((word for word, value in TYPES[protocol].items() if value == number), str(number))


def _number(word: str) -> int | None:
    return int(word) if NUMBER.fullmatch(word) else None
