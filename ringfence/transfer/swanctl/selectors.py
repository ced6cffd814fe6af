# SPDX-License-Identifier: Apache-2.0
"""Addresses and traffic selectors as strongSwan writes them: ``10.1.0.0/16[tcp/443]``, ``dynamic``, ``%any``.

``dynamic`` is the end's own address. A selector of one end and one of the other make a kind of traffic together.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

from ringfence.net.address import ANY_PORT, AddressRange, PortRange
from ringfence.net.flow import ICMP, ICMPV6, PROTOCOL_NAMES
from ringfence.policy.addresses import NAME
from ringfence.policy.errors import BadWord
from ringfence.policy.model import ANY, Address, HostName, Keyword
from ringfence.policy.traffic import ANY_TRAFFIC, WITH_PORTS, Traffic

SELECTOR = re.compile(r"([^\[\]]*)(?:\[([^\[\]/]*)(?:/([^\[\]]*))?\])?")
PROTOCOLS = {name: number for number, name in PROTOCOL_NAMES.items()} | {
    "ipv6-icmp": ICMPV6, "icmp6": ICMPV6, "gre": 47, "l2tp": 115, "esp": 50, "ah": 51, "ospf": 89,
    "ipencap": 4, "igmp": 2,
}  # fmt: skip
SERVICES = {
    "ftp": 21, "ssh": 22, "telnet": 23, "smtp": 25, "domain": 53, "bootps": 67, "bootpc": 68, "http": 80, "www": 80,
    "kerberos": 88, "pop3": 110, "ntp": 123, "imap2": 143, "snmp": 161, "ldap": 389, "https": 443, "microsoft-ds": 445,
    "isakmp": 500, "syslog": 514, "ldaps": 636, "imaps": 993, "l2f": 1701, "l2tp": 1701, "mysql": 3306,
    "ms-sql-s": 1433, "postgresql": 5432, "ms-wbt-server": 3389,
}  # fmt: skip
ALL_IPV4, ALL_IPV6 = AddressRange.everything(4), AddressRange.everything(16)
NUMBER = re.compile(r"(?:0x[0-9a-f]{1,4}|\d{1,5})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Selector:
    """One traffic selector of one end."""

    address: AddressRange | None
    """None: dynamic."""
    protocol: int | None = None
    ports: PortRange = ANY_PORT


def parse_address(text: str) -> Address:
    """An end of IKE; raises BadWord."""
    word = text.strip().lower()
    if word in ("%any", "%any4", "%any6", "%defaultroute", "0.0.0.0/0", "::/0", "%opportunistic", "%group"):
        return Keyword.ANY
    word = word.removeprefix("%")
    try:
        return AddressRange.parse(word)
    except ValueError:
        pass
    named = word if "." in word else f"{word}."
    if not NAME.fullmatch(named):
        raise BadWord("which is neither an address nor a name")
    return HostName(word.rstrip("."))


def parse_addresses(text: str) -> tuple[Address, ...]:
    """Several; empty for any."""
    found = tuple(dict.fromkeys(parse_address(one) for one in text.split(",") if one.strip()))
    return () if Keyword.ANY in found else found


def parse_selector(text: str) -> Selector:
    """One traffic selector; raises BadWord."""
    match = SELECTOR.fullmatch(text.strip())
    if match is None:
        raise BadWord("which is no traffic selector")
    where, protocol, ports = match[1].strip().lower(), match[2], match[3]
    address = None
    if where not in ("", "dynamic", "%dynamic"):
        try:
            address = AddressRange.parse(where)
        except ValueError as error:
            raise BadWord("which is no network") from error
    number = parse_protocol(protocol or "")
    return Selector(address, number, parse_ports(ports or "", number))


def parse_protocol(text: str) -> int | None:
    """A protocol by name or number; None for any."""
    word = text.strip().lower()
    if word in ("", "%any", "any", "0"):
        return None
    if word in PROTOCOLS:
        return PROTOCOLS[word]
    if not NUMBER.fullmatch(word) or int(word, 0) > 255:
        raise BadWord(f'but "{word}" is no protocol', cure="Write its number.")
    return int(word, 0)


def parse_ports(text: str, protocol: int | None) -> PortRange:
    """Ports, or the type and code of ICMP as one number; raises BadWord."""
    word = text.strip().lower()
    if word in ("", "%any", "any", "0-65535", "0"):
        return ANY_PORT
    if word in ("opaque", "%opaque"):
        raise BadWord("but fragments are never told apart here (OPAQUE)")
    first, _, last = word.partition("-")
    if word in SERVICES:
        first, last = str(SERVICES[word]), ""
    if not NUMBER.fullmatch(first) or not NUMBER.fullmatch(last or first):
        raise BadWord(f'but "{word}" is no port', cure="Write its number.")
    try:
        found = PortRange(_number(first), _number(last or first))
    except ValueError as error:
        raise BadWord(f"but {word} is wrong: {error}") from error
    if protocol in (ICMP, ICMPV6):
        if found.first != found.last and (found.first % 256, found.last - found.first) != (0, 255):
            raise BadWord("but ICMP is told apart by one type, or one type and code")
    elif protocol not in WITH_PORTS:
        raise BadWord("but only protocols such as tcp and udp have ports")
    return found


def _number(word: str) -> int:
    return int(word, 16) if word.startswith("0x") else int(word)


def parse_selectors(text: str) -> tuple[Selector, ...]:
    """Several, separated by commas or spaces."""
    parts = re.split(r"[,\s]+", text.strip())
    return tuple(dict.fromkeys(parse_selector(one) for one in parts if one))


def traffic_of(local: Selector, remote: Selector) -> Traffic | None:
    """What two selectors mean together, read from here outward; None for nothing."""
    if local.protocol is not None and remote.protocol is not None and local.protocol != remote.protocol:
        return None
    protocol = local.protocol if local.protocol is not None else remote.protocol
    if protocol is None:
        return ANY_TRAFFIC
    if protocol in (ICMP, ICMPV6):
        ports = local.ports.intersect(remote.ports)
        return None if ports is None else Traffic(protocol, ports, ports)
    return Traffic(protocol, local.ports, remote.ports)


@dataclass(frozen=True, slots=True)
class Flow:
    """Addresses of both ends between which some traffic goes; None among them: the end itself."""

    local: tuple[AddressRange | None, ...]
    remote: tuple[AddressRange | None, ...]
    traffic: tuple[Traffic, ...]


def flows(local: Iterable[Selector], remote: Iterable[Selector]) -> list[Flow]:
    """What the selectors of both ends mean, with as few flows as say it."""
    pairs: dict[tuple[object, ...], tuple[list[AddressRange | None], list[AddressRange | None], Traffic]] = {}
    for one, other in product(local, remote):
        traffic = traffic_of(one, other)
        if traffic is None:
            continue
        key = (one.protocol, one.ports, other.protocol, other.ports)
        ends = pairs.setdefault(key, ([], [], traffic))
        ends[0].append(one.address)
        ends[1].append(other.address)
    merged: dict[tuple[tuple[AddressRange | None, ...], tuple[AddressRange | None, ...]], list[Traffic]] = {}
    for here, there, traffic in pairs.values():
        merged.setdefault((tuple(dict.fromkeys(here)), tuple(dict.fromkeys(there))), []).append(traffic)
    return [Flow(*ends, tuple(dict.fromkeys(found))) for ends, found in merged.items()]


def whole(addresses: Iterable[Address]) -> tuple[Address, ...]:
    """With all of IPv4 and all of IPv6 as "any"."""
    found = tuple(dict.fromkeys(addresses))
    return ANY if ALL_IPV4 in found and ALL_IPV6 in found else found


# -- and back


def selector_words(addresses: Iterable[Address | None], protocol: int | None, ports: PortRange) -> list[str]:
    """Addresses with what goes there; None is the end itself. Raises BadWord."""
    suffix = ""
    if protocol is not None:
        name = {ICMP: "icmp", ICMPV6: "ipv6-icmp"}.get(protocol, PROTOCOL_NAMES.get(protocol, str(protocol)))
        suffix = f"[{name}]" if ports.is_any else f"[{name}/{ports}]"
    words: list[str] = []
    for address in addresses:
        match address:
            case None | Keyword.ME:
                words.append(f"dynamic{suffix}" if suffix else "dynamic")
            case Keyword.ANY:
                words += [f"{ALL_IPV4}{suffix}", f"{ALL_IPV6}{suffix}"]
            case AddressRange():
                words.append(f"{address}{suffix}")
            case _:
                word = address.value if isinstance(address, Keyword) else str(address)
                raise BadWord(f'"{word}" stands for addresses that strongSwan cannot name in a traffic selector')
    return words
