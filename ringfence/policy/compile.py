# SPDX-License-Identifier: Apache-2.0
"""From Windows' words to RFC 4301's: a policy for one computer becomes its SPD and PAD.

Each rule and filter gives an entry for every combination of its addresses and traffic, ``me`` being replaced by this
computer's addresses. Entries are sorted so that the most specific decides (``weight``); before all stands what must
stay in clear (``exempt``), and before an entry that would protect multicast or broadcast one that leaves them alone.

An entry's name is its rule's name and its selector, so it stays the same as long as it means the same.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product

from ringfence.databases.pad import Pad
from ringfence.databases.sa import Mode
from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action, Direction, Origin, Processing, Spd, SpdEntry
from ringfence.databases.spd_index import SelectorIndex
from ringfence.net.address import AddressRange, PortRange
from ringfence.policy.errors import Finding, PolicyError, Severity
from ringfence.policy.exempt import EXEMPTIONS, MANY_AT_ONCE, NAMES, V4, V6
from ringfence.policy.model import Address, Filter, Gateways, Keyword, Need, Policy, Reading, Rule, Verb
from ringfence.policy.peers import Peers
from ringfence.policy.traffic import Traffic
from ringfence.policy.weight import AT_EQUAL_WEIGHT, weight
from ringfence.secret import Secret

ENTRIES_AT_MOST = 100_000

LOOPBACK = (AddressRange.parse("127.0.0.0/8"), AddressRange.parse("::1"))

BUILT_IN = "always in clear"
"""The rule that entries of ``exempt`` name as their origin."""


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What a policy needs to know about this computer."""

    addresses: tuple[bytes, ...] = ()
    """Its own addresses; loopback does not count."""
    broadcasts: tuple[bytes, ...] = ()
    """The broadcast addresses of its networks."""

    @property
    def own(self) -> tuple[bytes, ...]:
        """Addresses that traffic with others may have, each once."""
        return tuple(dict.fromkeys(one for one in self.addresses if not any(one in loop for loop in LOOPBACK)))


@dataclass(frozen=True, slots=True)
class Compiled:
    """A policy in RFC 4301's words."""

    spd: Spd
    pad: Pad
    findings: tuple[Finding, ...] = ()
    """Warnings that only show on this computer."""


def compile_policy(policy: Policy, host: HostFacts, keys: Mapping[str, Secret]) -> Compiled:
    """The databases of ``policy`` on ``host``; ``keys`` has each key file's content by the name the policy gives it.

    Raises PolicyError when a key is missing or the policy cannot hold on this computer.
    """
    compiler = _Compiler(policy, host, keys)
    drafts: dict[tuple[Selector, Direction, str], SpdEntry] = {}
    guards: dict[tuple[Selector, Direction], SpdEntry] = {}
    for item in policy:
        if not item.enabled:
            continue
        made = 0
        for entry in compiler.rule(item) if isinstance(item, Rule) else compiler.filter(item):
            drafts.setdefault((entry.selector, entry.directions, entry.origin.rule), entry)
            made += 1
            if len(drafts) > ENTRIES_AT_MOST:
                raise PolicyError([compiler.finding(item, f"makes the policy larger than {ENTRIES_AT_MOST} entries")])
        guards |= {(entry.selector, entry.directions): entry for entry in compiler.guards(item)}
        if not made and not compiler.errors:
            compiler.warnings.append(compiler.finding(item, "holds for no address of this computer", Severity.WARNING))
    if compiler.errors:
        raise PolicyError(compiler.errors)
    entries = sorted(drafts.values(), key=_order)
    return Compiled(
        Spd(tuple(_with_exemptions(_alone(entries, host), entries, compiler.ends())), tuple(guards.values())),
        compiler.peers.pad(),
        tuple(compiler.warnings),
    )


def _order(entry: SpdEntry) -> tuple[int, int, int, str]:
    return -weight(entry.selector), AT_EQUAL_WEIGHT.index(entry.action), entry.origin.line, entry.name


class _Compiler:
    def __init__(self, policy: Policy, host: HostFacts, keys: Mapping[str, Secret]) -> None:
        self.policy = policy
        self.host = host
        self.peers = Peers(keys)
        self.any_is_own = False
        """Whether any address counts as this computer's."""
        self.errors: list[Finding] = []
        self.warnings: list[Finding] = []

    def finding(self, item: Rule | Filter, what: str, severity: Severity = Severity.ERROR, cure: str = "") -> Finding:
        """A finding about the whole of ``item``."""
        subject = f'{"rule" if isinstance(item, Rule) else "filter"} "{item.name}"'
        return Finding(f"{subject} {what}.", self.policy.name, item.line, subject, cure=cure, severity=severity)

    def ends(self) -> tuple[bytes, ...]:
        """The addresses that this computer may negotiate from: its own, and those where its tunnels begin."""
        gateways = (rule.gateways.local for rule in self.policy.rules if rule.enabled and rule.gateways)
        return tuple(dict.fromkeys([*self.host.own, *(one for one in gateways if one is not None)]))

    def rule(self, rule: Rule) -> Iterator[SpdEntry]:
        """The entries of a connection security rule."""
        selectors = self._selectors(rule, Reading.OUT, own_only=rule.gateways is None)
        if rule.secure.exempt:
            yield from (self._entry(rule, selector, Action.BYPASS) for selector in selectors)
            return
        peer = self._peer(rule)
        for selector in selectors:
            processing = self._processing(rule)
            if processing is None:
                return
            out = rule.secure.outward is not Need.NONE
            yield replace(
                self._entry(rule, selector, Action.PROTECT, Direction.BOTH if out else Direction.IN),
                processing=processing,
                peer=peer,
            )
            if not out:
                yield self._entry(rule, selector, Action.BYPASS, Direction.OUT)

    def guards(self, item: Rule | Filter) -> Iterator[SpdEntry]:
        """What ``item`` would block or require if this computer had just got an address that it is about."""
        tomorrow = _Compiler(self.policy, self.host, {})
        tomorrow.any_is_own = True
        if isinstance(item, Filter):
            if item.verb is Verb.BLOCK and Keyword.ME in (*item.local, *item.remote):
                yield from tomorrow.filter(item)
        elif not item.secure.exempt and (item.gateways is None or Keyword.ME in item.local):
            yield from tomorrow.needs(item)

    def needs(self, rule: Rule) -> Iterator[SpdEntry]:
        """What a rule requires to be protected, as entries that block."""
        directions = (Direction.OUT if rule.secure.outward is Need.REQUIRE else Direction(0)) | (
            Direction.IN if rule.secure.inward is Need.REQUIRE else Direction(0)
        )
        for selector in self._selectors(rule, Reading.OUT, own_only=rule.gateways is None) if directions else ():
            yield self._entry(rule, selector, Action.DISCARD, directions)

    def filter(self, item: Filter) -> Iterator[SpdEntry]:
        """The entries of a filter that permits or blocks."""
        action = Action.DISCARD if item.verb is Verb.BLOCK else Action.BYPASS
        for reading, direction in ((Reading.OUT, Direction.OUT), (Reading.IN, Direction.IN)):
            if item.direction in (reading, Reading.BOTH):
                for selector in self._selectors(item, reading, own_only=False):
                    yield self._entry(item, selector, action, Direction.BOTH if item.mirrored else direction)

    def _entry(
        self, item: Rule | Filter, selector: Selector, action: Action, directions: Direction = Direction.BOTH
    ) -> SpdEntry:
        arrow = {Direction.BOTH: "<->", Direction.OUT: "->", Direction.IN: "<-"}[directions]
        name = f"{item.name}/{str(selector).replace('->', arrow, 1)}"
        processing = Processing(()) if action is Action.PROTECT else None
        return SpdEntry(name, selector, action, Origin(item.name, self.policy.name, item.line), directions, processing)

    def _selectors(self, item: Rule | Filter, reading: Reading, *, own_only: bool) -> Iterator[Selector]:
        ends = [(item.local, item.remote)]
        if item.either_end:
            ends.append((item.remote, item.local))
        for number, (local, remote) in enumerate(ends):
            # At the far end of a rule that is read from its first end, this computer receives what was sent there.
            way = reading if number == 0 else Reading.IN if reading is Reading.OUT else Reading.OUT
            ranges = product(self._ranges(local, own=own_only or item.either_end), self._ranges(remote, own=False))
            for (here, there), traffic in product(ranges, item.traffic):
                if here.version == there.version and traffic.fits(here.version):
                    yield from _cubes(here, there, traffic, way)

    def _ranges(self, addresses: Iterable[Address], *, own: bool) -> list[AddressRange]:
        """``own``: only those parts that are this computer's own addresses."""
        found: dict[AddressRange, None] = {}
        for one in addresses:
            if one is Keyword.ME and not self.any_is_own:
                found |= dict.fromkeys(map(AddressRange.host, self.host.own))
                continue
            ranges: tuple[AddressRange, ...] = (V4, V6) if isinstance(one, Keyword) else (one,)
            if own and not self.any_is_own:
                ranges = tuple(AddressRange.host(a) for a in self.host.own if any(a in piece for piece in ranges))
            found |= dict.fromkeys(ranges)
        return list(found)

    def _processing(self, rule: Rule) -> Processing | None:
        local = remote = None
        if rule.gateways is not None:
            local, remote = self._tunnel_ends(rule, rule.gateways), rule.gateways.remote
            if local is None:
                return None
        return Processing(
            methods=rule.protect,
            mode=Mode.TUNNEL if rule.gateways else Mode.TRANSPORT,
            tunnel_local=local,
            tunnel_remote=remote,
            pfs=rule.pfs,
            clear_in=rule.secure.inward is not Need.REQUIRE,
            clear_out=rule.secure.outward is Need.REQUEST,
            replay_window=rule.replay_window,
            tunnel=rule.tunnel,
            tfc_octets=rule.tfc_octets,
            udp=rule.nat_traversal,
        )

    def _tunnel_ends(self, rule: Rule, gateways: Gateways) -> bytes | None:
        if gateways.local is not None:
            return gateways.local
        octets = len(gateways.remote)
        own = [address for address in self.host.own if len(address) == octets]
        if len(own) == 1:
            return own[0]
        why = "has no address of that family" if not own else "has several addresses"
        self.errors.append(
            self.finding(
                rule, f"does not say local.gateway, and this computer {why}",
                cure="Say at which of its addresses the tunnel begins.",
            )
        )  # fmt: skip
        return None

    def _peer(self, rule: Rule) -> str:
        if rule.gateways is not None:
            remote = [AddressRange.host(rule.gateways.remote)]
        else:
            remote = self._ranges((*rule.remote, *(rule.local if rule.either_end else ())), own=False)
        name, missing = self.peers.add(rule, remote, Origin(rule.name, self.policy.name, rule.line))
        self.errors += [
            self.finding(
                rule, f'has no key: "{file}" could not be read', cure="Each key file stands beside the policy."
            )
            for file in missing
        ]
        return name


def _cubes(here: AddressRange, there: AddressRange, traffic: Traffic, reading: Reading) -> Iterator[Selector]:
    ports: Iterator[tuple[PortRange, PortRange]] = traffic.outward() if reading is Reading.OUT else traffic.inward()
    for local, remote in ports:
        yield Selector(here, there, traffic.protocol, local, remote)


def _with_exemptions(
    entries: Iterable[SpdEntry], all_entries: Iterable[SpdEntry], own: Iterable[bytes]
) -> Iterator[SpdEntry]:
    """Entries about nothing but exempt traffic, the exemptions, then the rest."""
    asked = {
        entry.name
        for entry in all_entries
        if entry.action is not Action.PROTECT and any(one.names(entry.selector) for one in NAMES)
    }
    rest = list(entries)
    yield from (entry for entry in rest if entry.name in asked)
    if any(entry.action is not Action.BYPASS for entry in rest):
        yield from _built_in(tuple(own))
    yield from (entry for entry in rest if entry.name not in asked)


def _built_in(own: tuple[bytes, ...]) -> Iterator[SpdEntry]:
    for exemption in EXEMPTIONS:
        for selector in exemption.selectors(own):
            name = f"{BUILT_IN}/{exemption.word} {str(selector).replace('->', '<->', 1)}"
            yield SpdEntry(name, selector, Action.BYPASS, Origin(f"{BUILT_IN}: {exemption.word}"))


def _alone(entries: list[SpdEntry], host: HostFacts) -> Iterator[SpdEntry]:
    """The entries, and before each that protects one for the multicast and broadcast in it.

    Such traffic falls to the next entry that does not protect, or is permitted.
    """
    many = (*MANY_AT_ONCE, *map(AddressRange.host, host.broadcasts))
    clear = SelectorIndex(
        (number, entry.selector) for number, entry in enumerate(entries) if entry.action is not Action.PROTECT
    )
    done: set[Selector] = set()
    for number, entry in enumerate(entries):
        if entry.action is Action.PROTECT:
            for addresses in many:
                cube = _towards(entry.selector, addresses)
                if cube is None or cube in done:
                    continue
                done.add(cube)
                later = clear.covering(cube, number)
                action = Action.BYPASS if later is None else entries[later].action
                origin = Origin(f"{BUILT_IN}: multicast and broadcast")
                name = f"{BUILT_IN}/{str(cube).replace('->', '<->', 1)}"
                yield SpdEntry(name, cube, action, origin)
        yield entry


def _towards(selector: Selector, addresses: AddressRange) -> Selector | None:
    destination = selector.destination.intersect(addresses)
    return None if destination is None else replace(selector, destination=destination)
