# SPDX-License-Identifier: Apache-2.0
"""Addresses that a gateway gives to those who come in from anywhere, as a document writes them.

    [pool.people]
    addresses = ["10.9.0.0/24", "fd00:9::/112"]
    except    = ["10.9.0.1-10.9.0.9"]
    fixed     = { "alice@corp.example" = ["10.9.0.20", "fd00:9::20"] }
    dns       = ["10.1.0.53"]
    domains   = ["corp.example"]

A tunnel names it at its far end: ``remote = { gateway = "any", pool = "people" }``. At the other end a tunnel says that
it wants such an address: ``local = { address = "assigned" }``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations

from ringfence.databases.identity import Identity
from ringfence.databases.pool import Pool
from ringfence.net.address import AddressRange, format_address
from ringfence.place import NOWHERE, Place
from ringfence.policy.addresses import families, parse_addresses, parse_host
from ringfence.policy.decode import Table
from ringfence.policy.errors import BadWord
from ringfence.policy.gateways import Gateways
from ringfence.policy.model import ANY, Rule
from ringfence.policy.networks import parse_suffix
from ringfence.policy.rules import parse_identity
from ringfence.policy.texts import Pair, identity_text, toml_flag, toml_list, toml_text

ADDRESSES_CURE = 'Such as addresses = ["10.9.0.0/24", "fd00:9::/112"].'


@dataclass(frozen=True, slots=True)
class AddressPool:
    """A table ``[pool.NAME]``."""

    name: str
    addresses: tuple[AddressRange, ...]
    excluded: tuple[AddressRange, ...] = ()
    fixed: tuple[tuple[Identity, tuple[bytes, ...]], ...] = ()
    dns: tuple[bytes, ...] = ()
    wins: tuple[bytes, ...] = ()
    domains: tuple[str, ...] = ()
    place: Place = field(default=NOWHERE, compare=False)
    places: Mapping[str, Place] = field(default_factory=dict, compare=False)

    @property
    def compiled(self) -> Pool:
        """The same as RFC 4301's databases have it."""
        return Pool(
            self.name, self.addresses, self.excluded, dict(self.fixed), self.dns, self.wins, self.domains
        )  # fmt: skip

    @property
    def ranges(self) -> tuple[AddressRange, ...]:
        """Where those are whom it gives addresses."""
        alone = [AddressRange.host(one) for _, addresses in self.fixed for one in addresses]
        outside = [one for one in alone if not any(written.covers(one) for written in self.addresses)]
        return (*self.addresses, *dict.fromkeys(outside))


def decode_pool(table: Table, name: str) -> AddressPool:
    """``[pool.NAME]``."""
    found = AddressPool(
        name,
        table.words("addresses", _range, split=",") or (),
        table.words("except", _range, split=",") or (),
        tuple(_fixed(table)),
        table.words("dns", parse_host, split=",") or (),
        table.words("wins", parse_host, split=",") or (),
        table.words("domains", parse_suffix, split=",") or (),
        table.place,
        table.places(table.data),
    )
    if not table.has("addresses"):
        table.complain("addresses", "is missing", cure=ADDRESSES_CURE)
    if any(one.intersect(other) for one, other in combinations(found.addresses, 2)):
        table.complain("addresses", "names some addresses twice", cure="Leave out what is in another range.")
    if any(len(one) != 4 for one in found.wins):
        table.complain("wins", "names an address of IPv6, which WINS does not have")
    if found.domains and not found.dns:
        table.complain("domains", "says for which names to ask, but dns does not say whom",
                       cure='Such as dns = ["10.1.0.53"].')  # fmt: skip
    table.finish()
    return found


def _range(text: str) -> AddressRange:
    found = parse_addresses(text)
    if not isinstance(found, AddressRange):
        raise BadWord("but a pool has addresses of its own", cure=ADDRESSES_CURE)
    return found


def _fixed(table: Table) -> Iterator[tuple[Identity, tuple[bytes, ...]]]:
    inner = table.table("fixed")
    if inner is None:
        return
    taken: dict[bytes, str] = {}
    for text in inner.data:
        identity = inner.understand(text, text, parse_identity)
        addresses = inner.words(text, parse_host, split=",") or ()
        for one in addresses:
            if one in taken:
                inner.complain(text, f'is {format_address(one)}, which is that of "{taken[one]}" already')
            taken[one] = text
        if len({len(one) for one in addresses}) != len(addresses):
            inner.complain(text, "has several addresses of one family", cure="One of IPv4 and one of IPv6 at most.")
        if identity is not None and addresses:
            yield identity, addresses
    inner.finish()


def pool_pairs(one: AddressPool) -> Iterator[Pair]:
    """Its settings as text."""
    yield "addresses", toml_list(map(str, one.addresses)), False
    if one.excluded:
        yield "except", toml_list(map(str, one.excluded)), False
    for identity, addresses in one.fixed:
        yield f"fixed.{toml_text(identity_text(identity))}", toml_list(map(format_address, addresses)), False
    if one.dns:
        yield "dns", toml_list(map(format_address, one.dns)), False
    if one.wins:
        yield "wins", toml_list(map(format_address, one.wins)), False
    if one.domains:
        yield "domains", toml_list(one.domains), False


def settled(rule: Rule, pools: Mapping[str, AddressPool]) -> Rule:
    """A tunnel with the addresses that its ends have by assignment."""
    gateways = rule.gateways
    if gateways is None:
        return rule
    if gateways.asks is not None:
        asks = replace(gateways.asks, families=tuple(sorted(families(rule.remote))))
        return replace(rule, local=ANY, gateways=replace(gateways, asks=asks))
    pool = pools.get(gateways.pool)
    return rule if pool is None else replace(rule, remote=pool.ranges)


def ask_pairs(gateways: Gateways) -> Iterator[Pair]:
    """What a tunnel says of the address that it wants."""
    asks = gateways.asks
    if asks is None:
        return
    addresses = map(format_address, asks.addresses)
    yield "local.address", toml_list(addresses) if asks.addresses else toml_text("assigned"), False
    yield "local.dns", toml_flag(asks.dns), asks.dns
    if asks.domains:
        yield "local.domains", toml_list(asks.domains), False
