# SPDX-License-Identifier: Apache-2.0
"""Road warriors and their gateways in swanctl.conf: ``vips`` of a connection, and the section ``pools``.

strongSwan's pool is one range, and a connection names several; here a pool has several ranges, and a rule names one. So
those of a connection come in as one, and one goes out as several. Names of one network (RFC 8598) are attribute 25.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ringfence.databases.pool import Asks, usable_in
from ringfence.net.address import AddressRange, format_address, parse_address
from ringfence.place import Place
from ringfence.policy.errors import BadWord
from ringfence.policy.gateways import Gateways
from ringfence.policy.model import Rule
from ringfence.policy.pools import AddressPool
from ringfence.transfer.powershell.report import Report
from ringfence.transfer.swanctl.shapes import Lines
from ringfence.transfer.swanctl.syntax import Section

UNSPECIFIED = (bytes(4), bytes(16))
DOMAINS = "25"
"""INTERNAL_DNS_DOMAIN."""
SERVERS = {"dns": "dns", "nbns": "wins"}


# In ----------------------------------------------------------------------------------------------------------------


def asks_of(text: str) -> Asks | None:
    """What ``vips`` asks for; raises BadWord."""
    if not text:
        return None
    try:
        addresses = [parse_address(one.strip()) for one in text.split(",") if one.strip()]
    except ValueError as error:
        raise BadWord(f'its vips are "{text}", which are no addresses', cure="Such as vips = 0.0.0.0.") from error
    return Asks((4, 6), tuple(one for one in addresses if one not in UNSPECIFIED))


@dataclass(frozen=True, slots=True)
class Pools:
    """Those of one file, and which of them connections name together."""

    sections: dict[str, Section]
    made: dict[tuple[str, ...], AddressPool]

    @classmethod
    def of(cls, top: Section) -> "Pools":
        """Those of a file."""
        return cls(top.within("pools").sections, {})

    def named(self, text: str, line: int, words: str, report: Report) -> str:
        """The pool here that stands for those of a connection; empty for none. Raises BadWord."""
        names = tuple(one.strip() for one in text.split(",") if one.strip())
        if not names:
            return ""
        unknown = [one for one in names if one not in self.sections]
        if unknown:
            raise BadWord(f"its addresses come from {', '.join(unknown)}, and the file has no such pool")
        if names not in self.made:
            if len(names) > 1:
                report.note(line, f"{words}, pools", f'they are one here: "{names[0]}"')
            pieces = [_pool(self.sections[one], report) for one in names]
            name = names[0]
            while name in {one.name for one in self.made.values()}:
                name += "-and-more"
            self.made[names] = replace(
                pieces[0],
                name=name,
                addresses=tuple(address for one in pieces for address in one.addresses),
                dns=_each(address for one in pieces for address in one.dns),
                wins=_each(address for one in pieces for address in one.wins),
                domains=tuple(dict.fromkeys(domain for one in pieces for domain in one.domains)),
            )
        return self.made[names].name

    def unused(self) -> Iterator[Section]:
        """Those that no connection names."""
        used = {name for names in self.made for name in names}
        yield from (one for name, one in self.sections.items() if name not in used)


def _each(addresses: Iterable[bytes]) -> tuple[bytes, ...]:
    return tuple(dict.fromkeys(addresses))


def _pool(section: Section, report: Report) -> AddressPool:
    words = f"pool {section.name}"
    text = section.text("addrs")
    try:
        addresses = (AddressRange.parse(text),)
    except ValueError as error:
        raise BadWord(f'its pool {section.name} is "{text}", which is no network or range') from error
    servers: dict[str, tuple[bytes, ...]] = {}
    for key, value in section.values.items():
        if key in SERVERS:
            servers[SERVERS[key]] = tuple(_servers(value.text, value.line, words, report))
        elif key not in ("addrs", DOMAINS):
            report.leave(value.line, f"{words}, {key} = {value.text}", "nobody is told that here")
    domains = tuple(one.strip().lower() for one in section.text(DOMAINS).split(",") if one.strip())
    if domains and not servers.get("dns"):
        report.leave(section.line_of(DOMAINS), f"{words}, {DOMAINS}", "it names no server to ask for them")
        domains = ()
    dns, wins = servers.get("dns", ()), servers.get("wins", ())
    return AddressPool(section.name, addresses, dns=dns, wins=wins, domains=domains)


def _servers(text: str, line: int, words: str, report: Report) -> Iterator[bytes]:
    for one in text.split(","):
        try:
            yield parse_address(one.strip())
        except ValueError:
            report.leave(line, f"{words}, {one.strip()}", "it is no address")


# Out ---------------------------------------------------------------------------------------------------------------


def vips(gateways: Gateways) -> Lines:
    """What a connection of a road warrior says, the families following from where the rule leads."""
    asks = gateways.asks
    if asks is None:
        return []
    any_of = {4: "0.0.0.0", 6: "::"}  # noqa: S104  (nothing listens there)
    said = [format_address(one) for one in asks.addresses]
    said += [any_of[one] for one in asks.families if not any((len(a) == 4) == (one == 4) for a in asks.addresses)]
    return [f"vips = {', '.join(said)}"]


def pool_blocks(pool: AddressPool) -> Iterator[tuple[str, Lines]]:
    """The sections of a pool: one for each range that is left without what is excluded; the first has the servers."""
    more = [f"dns = {', '.join(map(format_address, pool.dns))}"] if pool.dns else []
    more += [f"nbns = {', '.join(map(format_address, pool.wins))}"] if pool.wins else []
    more += [f"{DOMAINS} = {', '.join(pool.domains)}"] if pool.domains else []
    for number, piece in enumerate(_left(pool)):
        name = pool.name if not number else f"{pool.name}-{number + 1}"
        yield name, [f"addrs = {piece}", *(more if not number else ())]


def _left(pool: AddressPool) -> Iterator[AddressRange]:
    for written in pool.addresses:
        pieces = [written]
        if any(written.intersect(gone) for gone in pool.excluded):
            pieces = [usable_in(written)]  # of a range, strongSwan would give the ends, too
        for gone in pool.excluded:
            pieces = [rest for one in pieces for rest in _beside(one, gone)]
        yield from pieces


def _beside(one: AddressRange, gone: AddressRange) -> Iterator[AddressRange]:
    """What is left of a range."""
    common = one.intersect(gone)
    if common is None:
        yield one
        return
    octets = len(one.first)
    if one.first < common.first:
        yield AddressRange(one.first, (int.from_bytes(common.first) - 1).to_bytes(octets))
    if common.last < one.last:
        yield AddressRange((int.from_bytes(common.last) + 1).to_bytes(octets), one.last)


def admitted(rule: Rule) -> str:
    """Whom a rule with a pool lets in, as strongSwan's one pattern of an identity; empty if it does not say.

    Raises BadWord where one pattern cannot say it.
    """
    if rule.deny or rule.authorize or rule.allow.users or len(rule.allow.computers) > 1:
        raise BadWord("strongSwan knows whom to let in by one pattern of an identity", cure="Name one in allow.")
    return rule.allow.computers[0] if rule.allow.computers else ""


def lost(rule: Rule, pool: AddressPool | None) -> Iterator[tuple[Place, str, str]]:
    """What strongSwan does not say of addresses: where, what, why."""
    gateways = rule.gateways
    asks = None if gateways is None else gateways.asks
    if asks is not None and (not asks.dns or asks.domains):
        yield rule.place, "local.dns and local.domains", "strongSwan asks whatever servers it is told"
    if pool is not None and pool.fixed:
        yield pool.place, "fixed", "strongSwan keeps addresses of single identities in a database"
