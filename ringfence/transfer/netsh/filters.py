# SPDX-License-Identifier: Apache-2.0
"""Addresses, protocols and ports as ``netsh ipsec`` writes them, and filters made of these."""

import re
from ipaddress import ip_address, ip_network

from ringfence.net.address import ANY_PORT, AddressRange, PortRange, parse_address
from ringfence.net.flow import ICMP, TCP, UDP
from ringfence.policy.addresses import NAME
from ringfence.policy.model import Address, HostName, Keyword
from ringfence.policy.traffic import ANY_TRAFFIC, Traffic
from ringfence.policy.windows import IpFilter
from ringfence.transfer.netsh.arguments import Arguments, Refused

KEYWORDS = {
    "me": Keyword.ME, "any": Keyword.ANY, "dns": Keyword.DNS_SERVERS, "wins": Keyword.WINS_SERVERS,
    "dhcp": Keyword.DHCP_SERVERS, "gateway": Keyword.DEFAULT_GATEWAY,
}  # fmt: skip
SERVERS = tuple(KEYWORDS.values())[2:]
PROTOCOLS = {"icmp": ICMP, "tcp": TCP, "udp": UDP, "raw": 255}
SIX_BITS = 128


def read_filter(said: Arguments) -> IpFilter:
    """The filter that a command describes; raises Refused."""
    source, destination = (read_address(said.need(f"{end}addr"), said.get(f"{end}mask")) for end in ("src", "dst"))
    for one, other in ((source, destination), (destination, source)):
        if one in SERVERS and other is not Keyword.ME:
            raise Refused("netsh takes a kind of servers only together with ME")
    if source is Keyword.ME and destination is Keyword.ME:
        raise Refused("what a computer sends to itself is never filtered")
    versions = {one.version for one in (source, destination) if isinstance(one, AddressRange)}
    if len(versions) > 1:
        raise Refused("one of its addresses is of IPv4 and the other of IPv6")
    traffic = read_traffic(said)
    return IpFilter(source, destination, traffic, said.flag("mirrored", default=True), said.get("description"))


def read_address(text: str, mask: str) -> Address:
    """An address with its mask; raises Refused."""
    word = text.strip()
    if word.lower() in KEYWORDS:
        return KEYWORDS[word.lower()]
    try:
        parse_address(re.split(r"[-/]", word, maxsplit=1)[0].strip())
    except ValueError as error:
        return _name(word, error)
    return _range(word) if "-" in word else _network(word, mask)


def _range(text: str) -> AddressRange:
    try:
        return AddressRange.parse(text)
    except ValueError as error:
        raise Refused(f'"{text}" is no range of addresses: {error}') from error


def _name(word: str, error: ValueError) -> HostName:
    lowered = word.lower()
    if NAME.fullmatch(lowered) or (NAME.fullmatch(f"{lowered}.") and "." not in lowered):
        return HostName(lowered.rstrip("."))
    raise Refused(f'"{word}" is neither an address nor a name') from error


def _network(word: str, mask: str) -> Address:
    """An address with its mask, a prefix length or a dotted value; none is for that address alone."""
    address, _, length = word.partition("/")
    bits = mask or length
    if ip_address(address).version == 4:
        host = bits in ("", "32", "255.255.255.255")
        if address == "0.0.0.0":  # noqa: S104 - Windows' own word for the address of the computer
            return Keyword.ME if host else Keyword.ANY if bits in ("0", "0.0.0.0") else _masked(address, bits)  # noqa: S104
        return _masked(address, bits or "32")
    if address == "::" and bits == "0":
        return Keyword.ANY
    # Windows' dumps have a mask of IPv4 beside addresses of IPv6, too.
    return _masked(address, str(SIX_BITS) if not bits or "." in bits else bits)


def _masked(address: str, bits: str) -> AddressRange:
    try:
        network = ip_network(f"{address}/{bits}", strict=False)
    except ValueError as error:
        raise Refused(f'"{bits}" is no mask for {address}') from error
    if "." in bits and str(network.netmask) != bits:
        raise Refused(f'"{bits}" is no mask for {address}')
    return AddressRange(network.network_address.packed, network.broadcast_address.packed)


def read_traffic(said: Arguments) -> Traffic:
    """Protocol and ports; raises Refused."""
    text = said.get("protocol", "any").lower()
    source, destination = _port(said, "srcport"), _port(said, "dstport")
    if text in ("any", "0"):
        protocol = None
    elif text in PROTOCOLS:
        protocol = PROTOCOLS[text]
    elif text.isascii() and text.isdecimal() and int(text) < 256:
        protocol = int(text)
    else:
        raise Refused(f'"{text}" is no protocol', "They are ANY, ICMP, TCP, UDP, RAW and numbers.")
    if protocol not in (TCP, UDP) and not (source.is_any and destination.is_any):
        raise Refused("a port needs protocol=TCP or UDP")
    return ANY_TRAFFIC if protocol is None else Traffic(protocol, source, destination)


def _port(said: Arguments, tag: str) -> PortRange:
    text = said.get(tag, "0").lower()
    if text in ("0", "any", ""):
        return ANY_PORT
    first, _, last = text.partition("-")
    if not all(one.isascii() and one.isdecimal() and len(one) < 6 for one in (first, last or first)):
        raise Refused(f'{tag} is "{text}", but has to be a port')
    try:
        return PortRange(int(first), int(last or first))
    except ValueError as error:
        raise Refused(f'{tag} is "{text}", but {error}') from error
