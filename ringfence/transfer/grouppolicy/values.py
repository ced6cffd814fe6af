# SPDX-License-Identifier: Apache-2.0
"""The values that fields of rules have, as text and back ([MS-GPFAS] §2.2.2, §2.2.6).

Literals of ABNF are the same in either case (RFC 4234 §2.3), so they are read in either, and written as the
specification spells them. Two departures, both towards more: a text may be empty, as in the specification's own
examples, and a prefix may be as long as the address, which is that address.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Generic, TypeVar

from ringfence.net.address import AddressRange, PortRange, format_address
from ringfence.policy.errors import BadWord

T = TypeVar("T")
E = TypeVar("E", bound=Enum)
DIGITS = re.compile(r"[0-9]+")
GUID = re.compile(r"\{?[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}?")
PLACES = ("LocalSubnet", "DNS", "DHCP", "WINS", "DefaultGateway")
PLACES_2_20 = ("IntrAnet", "IntErnet", "Ply2Renders", "RmtIntrAnet", "CaptivePortal")
Where = AddressRange | str
"""Addresses; or one of ``PLACES`` or ``PLACES_2_20``, which stand for some."""
Ports = PortRange | str
"""Ports; or a word for some that only Windows knows."""


@dataclass(frozen=True, slots=True)
class Codec(Generic[T]):
    """How a value is read and written."""

    read: Callable[[str], T]
    """Raises BadWord."""
    write: Callable[[T], str]


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A version of the policy schema, such as 2.10 for Windows 7."""

    major: int
    minor: int

    @classmethod
    def parse(cls, text: str) -> "Version":
        """Raises BadWord."""
        major, dot, minor = text.partition(".")
        if not dot:
            raise BadWord("which is no version")
        return cls(number(major, 3, 255), number(minor, 3, 255))

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


@dataclass(frozen=True, slots=True, order=True)
class Platform:
    """A version of Windows; ``kind`` is 2 for all that are of the NT family."""

    kind: int
    major: int
    minor: int

    @classmethod
    def parse(cls, text: str) -> "Platform":
        """Raises BadWord."""
        parts = text.split(":")
        if len(parts) != 3:
            raise BadWord("which is no version of Windows")
        return cls(number(parts[0], 3, 7), number(parts[1], 3, 255), number(parts[2], 3, 255))

    def __str__(self) -> str:
        return f"{self.kind}:{self.major}:{self.minor}"


def number(text: str, digits: int, most: int) -> int:
    """A decimal number of so many digits and so much at most; raises BadWord."""
    if not DIGITS.fullmatch(text) or len(text) > digits or int(text) > most:
        raise BadWord(f"which is no number up to {most}")
    return int(text)


def numeric(digits: int, most: int) -> Codec[int]:
    """Numbers."""
    return Codec(lambda text: number(text, digits, most), str)


def literal(*words: str) -> Codec[str]:
    """One of these words."""
    known = {word.lower(): word for word in words}

    def read(text: str) -> str:
        if text.lower() not in known:
            raise BadWord(f"which is none of {', '.join(words)}")
        return known[text.lower()]

    return Codec(read, str)


def chosen(words: dict[str, E]) -> Codec[E]:
    """A value for each of these words."""
    spelled = literal(*words)
    names = {value: word for word, value in reversed(words.items())}
    return Codec(lambda text: words[spelled.read(text)], names.__getitem__)


def _text(text: str) -> str:
    if "|" in text:
        raise BadWord('and a rule cannot say "|"', cure="Use another mark.")
    return text


def _guid(text: str) -> str:
    if not GUID.fullmatch(text):
        raise BadWord("which is no GUID")
    return text


def _port(text: str) -> PortRange:
    return PortRange.one(number(text, 5, 65535))


def _port_range(text: str) -> PortRange:
    first, dash, last = text.partition("-")
    if not dash:
        raise BadWord("which is no range of ports")
    try:
        return PortRange(number(first, 5, 65535), number(last, 5, 65535))
    except ValueError as error:
        raise BadWord("which is a range of ports that ends before it begins") from error


def _icmp(text: str) -> PortRange:
    kind, colon, code = text.partition(":")
    if not colon:
        raise BadWord("which is no type and code")
    first = number(kind, 3, 255) * 256
    return PortRange(first, first + 255) if code == "*" else PortRange.one(first + number(code, 3, 255))


def _icmp_text(ports: PortRange) -> str:
    kind, code = divmod(ports.first, 256)
    return f"{kind}:{code}" if ports.first == ports.last else f"{kind}:*"


def _host(text: str, version: int) -> bytes:
    try:
        address = ip_address(text)
    except ValueError as error:
        raise BadWord("which is no address") from error
    if address.version != version or "%" in text:
        raise BadWord(f"which is no IPv{version} address")
    return address.packed


def _network(text: str, version: int) -> AddressRange:
    try:
        network: IPv4Network | IPv6Network = ip_network(text, strict=False)
    except ValueError as error:
        raise BadWord("which is no subnet") from error
    mask = text.partition("/")[2]
    if network.version != version or "%" in text or mask not in (str(network.prefixlen), str(network.netmask)):
        raise BadWord(f"which is no IPv{version} subnet")
    return AddressRange(network.network_address.packed, network.broadcast_address.packed)


def _addresses(text: str, version: int) -> AddressRange:
    if "/" in text:
        return _network(text, version)
    first, dash, last = text.partition("-")
    try:
        return AddressRange(_host(first, version), _host(last if dash else first, version))
    except BadWord:
        raise
    except ValueError as error:
        raise BadWord("which is a range that ends before it begins") from error


def address(version: int) -> Codec[bytes]:
    """One address of a family."""
    return Codec(lambda text: _host(text, version), format_address)


def addresses(version: int, words: Iterable[str] = ()) -> Codec[Where]:
    """A range or a subnet of a family; or one of ``words``."""
    known = {word.lower(): word for word in words}

    def read(text: str) -> Where:
        return known[text.lower()] if text.lower() in known else _addresses(text, version)

    return Codec(read, str)


def ports(plain: Codec[PortRange], words: Iterable[str] = ()) -> Codec[Ports]:
    """Ports; or one of ``words``."""
    known = {word.lower(): word for word in words}

    def read(text: str) -> Ports:
        return known[text.lower()] if text.lower() in known else plain.read(text)

    return Codec(read, lambda value: value if isinstance(value, str) else plain.write(value))


_TRUTH = literal("TRUE", "FALSE")
BOOL: Codec[bool] = Codec(lambda text: _TRUTH.read(text) == "TRUE", lambda value: "TRUE" if value else "FALSE")
TEXT: Codec[str] = Codec(str, _text)
PLAIN: Codec[str] = Codec(str, str)
"""A text that is a value of its own, and no field of a rule."""
INTERFACE: Codec[str] = Codec(_guid, str)
VERSION: Codec[Version] = Codec(Version.parse, str)
PLATFORM: Codec[Platform] = Codec(Platform.parse, str)
PORT: Codec[PortRange] = Codec(_port, lambda value: str(value.first))
PORT_RANGE: Codec[PortRange] = Codec(_port_range, lambda value: f"{value.first}-{value.last}")
ICMP: Codec[PortRange] = Codec(_icmp, _icmp_text)
