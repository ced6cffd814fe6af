# SPDX-License-Identifier: Apache-2.0
"""One filter of a filter list in words: ``me <-> any``, ``me tcp -> dns-servers:53``, ``10.0.0.0/8:80 tcp <-> me``.

Source, protocol, arrow, destination; ports stand at their ends. ``<->`` is mirrored, ``->`` is one way only.
"""

import re

from ringfence.net.address import ANY_PORT, AddressRange, PortRange
from ringfence.policy.addresses import families, parse_addresses
from ringfence.policy.errors import BadWord
from ringfence.policy.model import Address, Keyword
from ringfence.policy.traffic import ANY_TRAFFIC, WITH_PORTS, Traffic, parse_traffic
from ringfence.policy.windows import IpFilter

CURE = 'Write it as "me <-> any", "me tcp -> dns-servers:53" or "10.0.0.0/8 <-> 10.1.0.5".'
WITH_PORT = re.compile(r"\[(?P<six>[^\]]*)\](?::(?P<six_port>\S*))?|(?P<other>[^:]*)(?::(?P<port>[^:]*))?")


def parse_filter(text: str) -> IpFilter:
    """A filter; raises BadWord."""
    arrow = "<->" if "<->" in text else "->"
    source_text, found, destination_text = text.partition(arrow)
    source_words, destination_words = source_text.split(), destination_text.split()
    if not found or not source_words or len(destination_words) != 1 or "<" in source_text or ">" in destination_text:
        raise BadWord("which is not understood", cure=CURE)
    source, source_ports = _end(source_words[0])
    destination, destination_ports = _end(destination_words[0])
    traffic = _traffic(source_words[1:], source_ports, destination_ports)
    if source is Keyword.ME and destination is Keyword.ME:
        raise BadWord("but what this computer sends to itself is never filtered", cure=CURE)
    if not families((source,)) & families((destination,)):
        raise BadWord("which has addresses of IPv4 at one end and of IPv6 at the other", cure=CURE)
    return IpFilter(source, destination, traffic, mirrored=arrow == "<->")


def format_filter(item: IpFilter) -> str:
    """The words of a filter, without its description."""
    traffic, arrow = item.traffic, "<->" if item.mirrored else "->"
    if traffic.protocol not in WITH_PORTS:
        words = "" if traffic.protocol is None else f" {traffic}"
        return f"{_word(item.source)}{words} {arrow} {_word(item.destination)}"
    protocol = str(Traffic(traffic.protocol))
    return (
        f"{_with_port(item.source, traffic.sender_ports)} {protocol} {arrow} "
        f"{_with_port(item.destination, traffic.receiver_ports)}"
    )


def mirror(item: IpFilter) -> IpFilter:
    """The same read from its destination; a one-way filter becomes that for the other way."""
    return IpFilter(item.destination, item.source, reverse(item.traffic), item.mirrored, item.description)


def reverse(traffic: Traffic) -> Traffic:
    """The answers to this traffic."""
    return Traffic(traffic.protocol, traffic.receiver_ports, traffic.sender_ports, traffic.either)


def _end(word: str) -> tuple[Address, PortRange | None]:
    """An address with perhaps a port behind a colon."""
    match = None if word.count(":") > 1 and not word.startswith("[") else WITH_PORT.fullmatch(word)
    if match is None:
        return parse_addresses(word), None
    address = match["six"] if match["six"] is not None else match["other"]
    port = match["six_port"] if match["six"] is not None else match["port"]
    return parse_addresses(address), None if port is None else _port(port)


def _port(text: str) -> PortRange:
    if text == "any":
        return ANY_PORT
    if not text:
        raise BadWord("but there is no port behind the colon", cure=CURE)
    return parse_traffic(f"tcp to {text}").receiver_ports


def _traffic(words: list[str], source: PortRange | None, destination: PortRange | None) -> Traffic:
    traffic = parse_traffic(" ".join(words)) if words else ANY_TRAFFIC
    if source is None and destination is None and not traffic.either:
        return traffic
    if traffic.protocol not in WITH_PORTS:
        raise BadWord("but only tcp, udp and the like have ports", cure=CURE)
    if traffic.either or not (traffic.sender_ports.is_any and traffic.receiver_ports.is_any):
        raise BadWord("but its ports stand at its ends", cure=CURE)
    return Traffic(traffic.protocol, source or ANY_PORT, destination or ANY_PORT)


def _word(address: Address) -> str:
    return address.value if isinstance(address, Keyword) else str(address)


def _with_port(address: Address, ports: PortRange) -> str:
    if ports.is_any:
        return _word(address)
    six = isinstance(address, AddressRange) and address.version == 6
    return f"[{_word(address)}]:{ports}" if six else f"{_word(address)}:{ports}"
