# SPDX-License-Identifier: Apache-2.0
"""A policy for a computer of which nothing is known yet: what it means before there is a network (``databases.boot``).

No address, no name server, no DNS name and no network's profile is known then, and what a rule requires to be
protected must not pass all the same. So what takes away is as large as it may turn out to be, and what lets through is
only what will surely pass:

- ``me`` is any address that a computer can have;
- a rule or a blocking filter with a word that stands for no address (a DNS name, ``dns-servers``) is about any address,
  and one that is for some networks or interfaces is about all; it weighs what it will weigh;
- a permitting filter, an exemption or a request with such a word, or for some networks or interfaces only, is none.

Hence whatever this computer's addresses, names and networks turn out to be, no packet passes here which the policy
would then require to be protected, or block.
"""

from collections.abc import Container, Iterator
from dataclasses import replace

from ringfence.databases.boot import BootMode, BootSpd, Opening, required, shuts
from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action, Direction, Origin, Processing, SpdEntry
from ringfence.databases.spd_index import SelectorIndex
from ringfence.net.flow import ESP
from ringfence.policy.boot import NO_BOOT, Exemption
from ringfence.policy.cubes import Cube, Cubes
from ringfence.policy.exempt import BUILT_IN, KERBEROS, OTHERS, V4, V6, exemptions, many_at_once, unprotected
from ringfence.policy.host import HostFacts
from ringfence.policy.lower import statements
from ringfence.policy.model import Address, Filter, HostName, Keyword, Need, Policy, Rule, Verb
from ringfence.policy.multicast import beside_exempt, beside_multicast
from ringfence.policy.terms import Masqueraded
from ringfence.policy.weight import order
from ringfence.policy.windows import DefaultExempt

CLEAR = Processing((), clear_in=True, clear_out=True)


def boot_spd(policy: Policy) -> BootSpd:
    """What ``policy`` means until the service is up."""
    # What overrides blocks takes nothing away, and nothing is secure yet.
    written = [item for item in statements(policy) if item.enabled and not _overrides(item)]
    cubes = Cubes(HostFacts(), policy.profiles, any_is_own=True, unknown=True)
    made: dict[tuple[Selector, Direction, str], SpdEntry] = {}
    passing, secure = set[str](), set[str]()
    for item in written:
        for entry in _entries(item, cubes):
            key = entry.selector, entry.directions, entry.name
            made[key] = max(made.get(key, entry), entry, key=lambda one: one.weight)
            if _is_forwarded(item):
                passing.add(entry.name)
            if isinstance(item, Filter) and item.secure is not None:
                secure.add(entry.name)
    ordered = _secured(sorted(made.values(), key=order), secure)
    first = {entry.name for entry in ordered if _is_first(entry, policy)}
    rest = [entry for entry in ordered if entry.name not in first]
    own = _beside(rest, policy)
    forwarded = [entry for entry in ordered if entry.name in passing]
    return BootSpd(
        boot_mode(policy),
        policy.boot.after_stop,
        tuple(entry for entry in ordered if entry.name in first),
        _needed(own),
        _needed(forwarded),
        tuple(opening for one in policy.boot.exempt for opening in openings(one)),
        policy.settings.masqueraded is Masqueraded.BLOCK,
    )


def boot_mode(policy: Policy) -> BootMode:
    """The mode: whoever has written nothing shuts nothing."""
    anything = policy.boot.place or policy.boot != NO_BOOT or any(policy.titles.values())
    return policy.boot.mode if anything else BootMode.PERMIT


def _secured(entries: list[SpdEntry], secure: Container[str]) -> list[SpdEntry]:
    """The entries, with what must be secure by a filter before a rule that would let it pass in clear."""
    filters = SelectorIndex((number, one.selector) for number, one in enumerate(entries) if one.name in secure)
    found: list[SpdEntry] = []
    for entry in entries:
        if entry.action is Action.PROTECT and required(entry) != entry.directions:
            for one in (entries[number] for number in sorted(filters.overlapping(entry.selector))):
                cube, directions = one.selector.intersect(entry.selector), one.directions & entry.directions
                if cube is not None and directions:
                    name = f"{one.name} before {entry.name}"
                    found.append(replace(one, name=name, selector=cube, directions=directions))
        found.append(entry)
    return found


def _needed(entries: list[SpdEntry]) -> tuple[SpdEntry, ...]:
    """The entries down to the last one that shuts anything."""
    last = max((number for number, entry in enumerate(entries) if shuts(entry)), default=-1)
    return tuple(entries[: last + 1])


def _beside(entries: list[SpdEntry], policy: Policy) -> list[SpdEntry]:
    """The entries, with what no rule protects before those that would."""
    exempt = _default_exempt(policy)
    found = beside_exempt(beside_multicast(entries, ()), unprotected(policy.settings.exempt))
    kerberos = [(one.word, cube) for one in (KERBEROS if exempt.kerberos else ()) for cube in one.selectors()]
    many = [("multicast and broadcast", cube) for cube in (many_at_once(()) if exempt.multicast else ())]
    return [*(_clear(word, cube) for word, cube in (*kerberos, *many)), *found]


def _default_exempt(policy: Policy) -> DefaultExempt:
    return DefaultExempt.IKE if policy.ipsec is None else policy.ipsec.exempt


def _clear(word: str, cube: Selector) -> SpdEntry:
    return SpdEntry(f"{BUILT_IN}/{word} {cube}", cube, Action.BYPASS, Origin(f"{BUILT_IN}: {word}"))


def _is_first(entry: SpdEntry, policy: Policy) -> bool:
    """Whether an entry is about nothing but traffic that is exempt from all others."""
    exempt = exemptions(_default_exempt(policy), policy.settings.exempt)
    return entry.action is not Action.PROTECT and any(one.names(entry.selector) for one in (*OTHERS, *exempt))


def _is_forwarded(item: Rule | Filter) -> bool:
    """Whether a statement is about what this computer forwards."""
    if isinstance(item, Rule) and item.gateways is None:
        return False
    return not item.either_end and Keyword.ME not in (*item.local, *item.remote)


def _entries(item: Rule | Filter, cubes: Cubes) -> Iterator[SpdEntry]:
    sure = item.scope.everywhere and not any(map(_is_unknown, (*item.local, *item.remote)))
    for cube in cubes.of(item):
        for entry in _rule(item, cube) if isinstance(item, Rule) else [_filter(item, cube)]:
            if sure:
                yield entry
            elif shuts(entry):
                yield replace(entry, directions=required(entry))


def _is_unknown(address: Address) -> bool:
    return isinstance(address, HostName) or (isinstance(address, Keyword) and address not in (Keyword.ME, Keyword.ANY))


def _overrides(item: Rule | Filter) -> bool:
    return isinstance(item, Filter) and item.override_block


def _filter(item: Filter, cube: Cube) -> SpdEntry:
    shut = item.verb is Verb.BLOCK or item.secure is not None  # nothing is secure yet
    return _entry(item, cube, Action.DISCARD if shut else Action.BYPASS)


def _rule(rule: Rule, cube: Cube) -> Iterator[SpdEntry]:
    if rule.secure.exempt:
        yield _entry(rule, cube, Action.BYPASS)
        return
    if rule.exempt_protected and cube.selector.protocol in (None, ESP):
        yield _entry(rule, cube.only(ESP), Action.BYPASS)
    out = rule.secure.outward is not Need.NONE
    entry = _entry(rule, cube if out else cube.into(), Action.PROTECT)
    processing = replace(
        CLEAR,
        clear_in=rule.secure.inward is not Need.REQUIRE,
        clear_out=rule.secure.outward is Need.REQUEST,
        respond_only=rule.part.respond_only,
    )
    yield replace(entry, processing=processing)
    if not out:
        yield _entry(rule, cube._replace(directions=Direction.OUT), Action.BYPASS)


def _entry(item: Rule | Filter, cube: Cube, action: Action) -> SpdEntry:
    arrow = {Direction.BOTH: "<->", Direction.OUT: "->", Direction.IN: "<-"}[cube.directions]
    name = f"{item.name}/{str(cube.selector).replace('->', arrow, 1)}/{action.value}"
    processing = CLEAR if action is Action.PROTECT else None
    origin = Origin(item.name, item.place, item.part.filter_list)
    weight = 0 if item.part.respond_only else cube.weight
    return SpdEntry(name, cube.selector, action, origin, cube.directions, processing, weight=weight)


def openings(one: Exemption) -> Iterator[Opening]:
    """What is exempt, for both versions of IP and from who begins."""
    for everything in (V4, V6):
        if not one.traffic.fits(everything.version):
            continue
        for ports in one.traffic.outward():
            selector = Selector(everything, everything, one.traffic.protocol, *ports)
            for direction in (Direction.IN, Direction.OUT):
                if direction in one.begins:
                    yield Opening(selector, direction is Direction.IN)
