# SPDX-License-Identifier: Apache-2.0
"""Parts of swanctl.conf: sections, and the selectors and names that rules come to."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby

from ringfence.databases.identity import Identity
from ringfence.net.address import ANY_PORT, AddressRange
from ringfence.policy.errors import BadWord
from ringfence.policy.model import ANY, Address, HostName, Keyword, Rule
from ringfence.policy.traffic import Traffic
from ringfence.transfer.swanctl.selectors import selector_words

INDENT = "    "
Lines = list[str]
Selectors = tuple[tuple[str, ...], tuple[str, ...]]
"""Of both ends, local and remote."""


def pooled(rule: Rule) -> bool:
    """Whether who comes in gets an address of a pool."""
    return rule.gateways is not None and bool(rule.gateways.pool)


def key_octets(text: str) -> bytes:
    """The octets of a key that its file says in hex."""
    return bytes.fromhex(text.strip().removeprefix("hex:"))


def hosts(rule: Rule) -> Iterator[Identity]:
    """The other ends of a rule that are single hosts."""
    if rule.gateways is not None:
        yield from () if rule.gateways.remote is None else (Identity.of_address(rule.gateways.remote),)
        return
    for one in rule.remote:
        if isinstance(one, AddressRange) and one.is_host:
            yield Identity.of_address(one.first)


def inner(addresses: tuple[Address, ...]) -> tuple[Address | None, ...]:
    """The selectors of a transport rule: hosts are the ends of IKE themselves."""
    own = all(isinstance(one, HostName) or one is Keyword.ME or (isinstance(one, AddressRange) and one.is_host)
              for one in addresses)  # fmt: skip
    return (None,) if own or addresses == ANY else addresses


def address_word(address: Address) -> str:
    """An address in strongSwan's words; raises BadWord for one that it does not know."""
    match address:
        case Keyword.ANY | Keyword.ME:
            return "%any"
        case AddressRange():
            return str(address)
        case HostName():
            return address.name
        case _:
            raise BadWord(f'"{address.value}" stands for addresses that strongSwan does not know')


def one_way(traffic: Traffic) -> list[Traffic]:
    """Traffic that either side may begin, as two kinds."""
    if not traffic.either:
        return [traffic]
    turned = Traffic(traffic.protocol, traffic.receiver_ports, ANY_PORT)
    return [replace(traffic, either=False), turned]


def selectors(
    local: tuple[Address | None, ...], remote: tuple[Address | None, ...], traffic: Traffic
) -> Selectors:  # fmt: skip
    """Those of both ends."""
    here = selector_words(local, traffic.protocol, traffic.sender_ports)
    there = selector_words(remote, traffic.protocol, traffic.receiver_ports)
    return tuple(here), tuple(there)


def merged(flows: list[Selectors]) -> list[Selectors]:
    """One after the other: strongSwan's selectors multiply, so each kind of traffic is a child of its own."""
    return [key for key, _ in groupby(flows)]


def block(name: str, lines: Lines) -> Lines:
    """A section."""
    return [f"{name} {{", *(f"{INDENT}{line}" for line in lines), "}"]


def quoted(text: str) -> str:
    """A text in quotation marks."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
