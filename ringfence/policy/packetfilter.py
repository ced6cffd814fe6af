# SPDX-License-Identifier: Apache-2.0
"""``[[packet-filter]]``: stateless input and output filters of interfaces, as Routing and Remote Access has them.

One table is one list: a direction, the interfaces, what happens to packets that no filter matches, and the filters in
words, ``10.0.0.0/8 tcp established -> any:25`` or ``any icmp 3/4 -> me``, from a packet's source to its destination.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

from ringfence.databases.packet_filter import PacketFit, PacketList
from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action, Direction, Origin
from ringfence.net.address import AddressRange
from ringfence.net.flow import TCP
from ringfence.place import NOWHERE, Place
from ringfence.policy.decode import Table
from ringfence.policy.errors import BadWord
from ringfence.policy.exempt import V4, V6
from ringfence.policy.ipfilter import format_filter, parse_filter
from ringfence.policy.model import Address, Keyword, Verb
from ringfence.policy.scope import Link, LinkKind, link_word, parse_link
from ringfence.policy.settings import decode_name, decode_places, either
from ringfence.policy.texts import Pair, Section, Setting, toml_flag, toml_list, toml_text
from ringfence.policy.windows import IpFilter

if TYPE_CHECKING:
    from ringfence.policy.host import HostFacts

ESTABLISHED = "established"
CURE = 'Write it as "10.0.0.0/8 tcp -> me:25", "any tcp established -> me", "any icmp 3/4 -> me" or "any gre -> any".'
BOTH = (4, 6)
Meant = Callable[[Address], list[AddressRange]]


class Way(Enum):
    """Which packets of an interface a list is about."""

    IN = "in"
    """Those that arrive."""
    OUT = "out"
    """Those that leave."""


@dataclass(frozen=True, slots=True)
class Match:
    """One filter."""

    packets: IpFilter
    """Never mirrored."""
    established: bool = False
    """Only TCP that is not the first packet of a connection."""

    def __str__(self) -> str:
        words = format_filter(self.packets)
        return words.replace(" tcp ", f" tcp {ESTABLISHED} ", 1) if self.established else words


@dataclass(frozen=True, slots=True)
class PacketFilter:
    """One list."""

    name: str
    direction: Way
    default: Verb = Verb.PERMIT
    """What happens to packets that no filter matches."""
    filters: tuple[Match, ...] = ()
    interfaces: tuple[Link, ...] = ()
    """Empty for all."""
    version: int | None = None
    """4 or 6, where it is about one only."""
    drop_fragments: bool = False
    enabled: bool = True
    description: str = ""
    place: Place = field(default=NOWHERE, compare=False)
    places: Mapping[str, Place] = field(default_factory=dict, compare=False)


def parse_match(text: str) -> Match:
    """One filter; raises BadWord."""
    words = text.lower().split()
    established = ESTABLISHED in words
    if established:
        at = words.index(ESTABLISHED)
        if words[at - 1] != "tcp":
            raise BadWord(f'but "{ESTABLISHED}" stands behind "tcp"', cure=CURE)
        del words[at]
    try:
        found = parse_filter(" ".join(words))
    except BadWord as error:
        raise BadWord(error.why, cure=CURE) from error
    if found.mirrored:
        raise BadWord(
            "but a packet filter is about one direction", cure='Write "->": answers have a list of their own.'
        )
    return Match(found, established)


def decode_packet_filter(table: Table) -> PacketFilter:
    """One ``[[packet-filter]]``; what is wrong goes to the table's findings."""
    name = decode_name(table)
    direction = table.choice("direction", Way)
    if not table.has("direction"):
        table.complain("", "does not say its direction", cure='Such as direction = "in".')
    found = PacketFilter(
        name=name,
        direction=direction or Way.IN,
        default=table.choice("default", Verb) or Verb.PERMIT,
        filters=table.words("filters", parse_match) or (),
        interfaces=tuple(dict.fromkeys(table.words("interfaces", parse_link, split=",") or ())),
        version=_version(table),
        drop_fragments=either(table.value("drop-fragments", bool), False),
        enabled=either(table.value("enabled", bool), True),
        description=either(table.value("description", str), ""),
        place=table.place,
    )
    _check(table, found)
    table.finish()
    return replace(found, places=decode_places(table))


def _check(table: Table, found: PacketFilter) -> None:
    if not table.has("filters") and not found.drop_fragments:
        table.complain("", "has no filters, so it does nothing that its default does not", cure=CURE)
    if found.drop_fragments and found.direction is Way.OUT:
        table.complain("drop-fragments", "is about packets that arrive, and this list is about those that leave",
                       cure='Say it in a list with direction = "in".')  # fmt: skip
    for number, one in enumerate(found.filters):
        if found.version is not None and not any(_selectors(one, _everything, (found.version,))):
            table.complain("filters", f'is "{one}", which is never IPv{found.version}', at=(number,))


def _version(table: Table) -> int | None:
    version = table.number("version", 4, 6)
    if version == 5:
        table.complain("version", "is 5, but has to be 4 or 6")
    return None if version == 5 else version


def _everything(address: Address) -> list[AddressRange]:
    return [address] if isinstance(address, AddressRange) else [V4, V6]


def packet_lists(filters: Iterable[PacketFilter], host: "HostFacts") -> Iterator[PacketList]:
    """The lists on ``host``, in the order of the document."""

    def meant(address: Address) -> list[AddressRange]:
        if isinstance(address, AddressRange):
            return [address]
        return [V4, V6] if address is Keyword.ANY else list(host.meant_by(address))

    for one in filters:
        if not one.enabled:
            continue
        names = tuple(dict.fromkeys(name for link in one.interfaces for name in _names(link, host)))
        if one.interfaces and not names:
            continue  # no such interface now
        versions = BOTH if one.version is None else (one.version,)
        fits = [PacketFit(cube, m.established) for m in one.filters for cube in _selectors(m, meant, versions)]
        yield PacketList(
            one.name,
            Direction.IN if one.direction is Way.IN else Direction.OUT,
            Origin(one.name, one.place),
            Action.BYPASS if one.default is Verb.PERMIT else Action.DISCARD,
            tuple(dict.fromkeys(fits)),
            names,
            versions,
            one.drop_fragments,
        )


def _names(link: Link, host: "HostFacts") -> Iterator[str]:
    """The interfaces that a word means: a name even before there is such an interface, a kind those of now."""
    if isinstance(link, LinkKind):
        yield from (one.name for one in host.interfaces if one.kind is link)
    else:
        yield link.name


def _selectors(match: Match, meant: Meant, versions: tuple[int, ...]) -> Iterator[Selector]:
    item = match.packets
    for source in meant(item.source):
        for destination in meant(item.destination):
            version = source.version
            if version == destination.version and version in versions and item.traffic.fits(version):
                for ports in item.traffic.outward():
                    yield Selector(source, destination, TCP if match.established else item.traffic.protocol, *ports)


def packet_filter_sections(filters: Iterable[PacketFilter]) -> Iterator[Section]:
    """Their tables, with every setting."""
    for one in filters:
        settings = (
            Setting(name, text, default, one.places.get(name, one.place if name == "name" else NOWHERE))
            for name, text, default in _pairs(one)
        )
        yield Section("[[packet-filter]]", tuple(settings), one.place)


def _pairs(one: PacketFilter) -> Iterator[Pair]:
    yield "name", toml_text(one.name), False
    yield "description", toml_text(one.description), not one.description
    yield "enabled", toml_flag(one.enabled), one.enabled
    yield "direction", toml_text(one.direction.value), False
    if one.interfaces:
        yield "interfaces", toml_list(map(link_word, one.interfaces)), False
    if one.version is not None:
        yield "version", str(one.version), False
    yield "default", toml_text(one.default.value), one.default is Verb.PERMIT
    if one.filters:
        yield "filters", toml_list(map(str, one.filters)), False
    yield "drop-fragments", toml_flag(one.drop_fragments), not one.drop_fragments
