# SPDX-License-Identifier: Apache-2.0
"""What holds until the service is up, as an nftables table of its own. Pure: a ``BootSpd`` in, text out.

Chains ``input``, ``output`` and ``forward`` first drop what must be protected or is blocked, then hand over to the
chains of the mode. The table stands beside the service's: a packet has to pass both. The service's first transaction
removes it, so there is no moment without one of them.

DHCP and IPv6 neighbour discovery always pass. IKE and ESP that come in are dropped without a word, as long as nobody
is there to take them: the kernel would tell the peer that nobody listens, and the peer would give up, or go on in
clear where it may.

Answers are known by connection tracking; the kernel begins it with this table, and ends it if no other needs it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ringfence.backends.base import BOOT_TABLE_NAME
from ringfence.backends.filter import DHCP_IN, DHCP_OUT, DISCOVERY
from ringfence.backends.grouping import Line, grouped
from ringfence.backends.matches import comment, match, ports_of, some_match
from ringfence.backends.translated import AFTER_SOURCE, BEFORE_DESTINATION
from ringfence.databases.boot import BootMode, BootSpd, Opening, required, shuts, takes_answers
from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action, Direction, SpdEntry
from ringfence.net.flow import ICMP, ICMPV6

REQUIRED, REFUSED, WAITING = "required", "refused", "waiting"
"""Counters of what is dropped: by an entry, by the mode, and IKE and ESP before their time."""
DROPPED = {one: f"counter name {one} drop" for one in (REQUIRED, REFUSED, WAITING)}
SEALED = ("meta l4proto { esp, ah }", "frag nexthdr { esp, ah }", "udp dport { 500, 4500 }")
REPLY = "ct direction reply ct state established"
SHUT_RULES = {
    "input": ('iifname "lo" accept', f"{DISCOVERY} accept", *(f"{one} accept" for one in DHCP_IN), DROPPED[REFUSED]),
    "output": ('oifname "lo" accept', f"{DISCOVERY} accept", *(f"{one} accept" for one in DHCP_OUT), DROPPED[REFUSED]),
    "forward": (DROPPED[REFUSED],),
}


def ruleset(boot: BootSpd) -> str:
    """The input of ``nft -f -`` that makes or replaces the table of ``boot``, in one transaction."""
    return _table(_chains(boot, waits=True))


def guarding(boot: BootSpd) -> str:
    """The same for what must be protected alone, which is shut when the service does not come back at once."""
    return _table(_chains(boot.guarding(), waits=False))


def shut() -> str:
    """The same where no policy is known: nothing but the loopback interface, DHCP and neighbour discovery."""
    return _table((name, [_hook(name), *rules]) for name, rules in SHUT_RULES.items())


def removal() -> str:
    """The input of ``nft -f -`` that leaves no such table, whether there was one or not."""
    return f"table inet {BOOT_TABLE_NAME}\ndelete table inet {BOOT_TABLE_NAME}\n"


def _table(chains: Iterable[tuple[str, Iterable[str]]]) -> str:
    lines = [f"table inet {BOOT_TABLE_NAME} {{", *(f"\tcounter {one} {{ packets 0 bytes 0 }}" for one in DROPPED)]
    for name, rules in chains:
        lines += [f"\tchain {name} {{", *(f"\t\t{rule}" for rule in rules), "\t}"]
    return removal() + "\n".join([*lines, "}", ""])


def _hook(name: str, priority: str = "filter - 10") -> str:
    return f"type filter hook {name} priority {priority}; policy accept;"


def _chains(boot: BootSpd, *, waits: bool) -> Iterator[tuple[str, list[str]]]:
    for direction in (Direction.IN, Direction.OUT):
        way = "in" if direction is Direction.IN else "out"
        stateful = boot.mode is BootMode.STATEFUL
        yield f"rest-{way}", [*_rest(boot, direction)]
        inward = direction is Direction.IN
        yield (
            ("input", "output")[not inward],
            [
                _hook("input" if inward else "output"),
                f'{"iifname" if inward else "oifname"} "lo" accept',
                *_entries(boot.first, direction, f"goto rest-{way}", stateful=stateful),
                f"{DISCOVERY} accept",
                *(f"{one} accept" for one in (DHCP_IN if inward else DHCP_OUT)),
                *(f"{one} {DROPPED[WAITING]}" for one in (SEALED if waits and inward else ())),
                *_entries(boot.entries, direction, f"goto rest-{way}", stateful=stateful),
                f"goto rest-{way}",
            ],
        )
    yield "rest-forward", ["accept" if boot.mode is BootMode.PERMIT else DROPPED[REFUSED]]
    passing = [
        rule
        for entry in boot.forwarded
        for direction in (Direction.OUT, Direction.IN)
        for rule in _entries([entry], direction, "goto rest-forward", stateful=False)
    ]
    yield "forward", [_hook("forward"), *passing, "goto rest-forward"]
    if boot.mode is BootMode.PERMIT and boot.translated and any(map(_must_be_protected, boot.entries)):
        yield from _translated(boot)


def _translated(boot: BootSpd) -> Iterator[tuple[str, list[str]]]:
    """What is forwarded by an address of this computer, which to whoever listens is its own (``translated``)."""
    for direction, hook, priority, way, end in (
        (Direction.OUT, "postrouting", AFTER_SOURCE, "oifname", "saddr"),
        (Direction.IN, "prerouting", BEFORE_DESTINATION, "iifname", "daddr"),
    ):
        first = [f'{way} "lo" accept', f"fib {end} type != local accept", f"{DISCOVERY} accept"]
        open_ = [f"{one} accept" for one in (DHCP_OUT if direction is Direction.OUT else (*DHCP_IN, *SEALED))]
        protect = (one if _must_be_protected(one) else replace(one, processing=None, action=Action.BYPASS)
                   for one in boot.entries)  # fmt: skip
        rules = _entries(protect, direction, "accept", stateful=False)
        yield f"translated-{end}", [_hook(hook, priority), *first, *open_, *rules]


def _must_be_protected(entry: SpdEntry) -> bool:
    """Filters are about what this computer does itself."""
    return entry.processing is not None and shuts(entry)


def _rest(boot: BootSpd, direction: Direction) -> Iterator[str]:
    """What the mode says."""
    inward = direction is Direction.IN
    if boot.mode is BootMode.PERMIT or (boot.mode is BootMode.STATEFUL and not inward):
        yield "accept"
        return
    yield from (
        f"{found} accept"
        for one in boot.openings
        if one.inward is inward and (found := match(one.selector)) is not None
    )
    if boot.mode is BootMode.STATEFUL:
        yield "ct state { established, related } accept"
    else:
        yield from (f"{one} accept" for one in _answers(boot.openings, inward=inward))
    yield DROPPED[REFUSED]


def _answers(openings: Iterable[Opening], *, inward: bool) -> Iterator[str]:
    """What answers exempt traffic, where nothing else passes."""
    others = [one.selector for one in openings if one.inward is not inward]
    for selector in others:
        found = match(_of_protocol(selector.reversed()))
        if found is not None:
            yield f"{found} {REPLY}"
    if others:
        yield "meta l4proto { icmp, ipv6-icmp } ct state related"


def _of_protocol(selector: Selector) -> Selector:
    """Answers of ICMP have another type."""
    if selector.protocol not in (ICMP, ICMPV6):
        return selector
    return Selector(selector.source, selector.destination, selector.protocol)


def _entries(entries: Iterable[SpdEntry], direction: Direction, rest: str, *, stateful: bool) -> Iterator[str]:
    lines = (
        Line(selector, _verdicts(entry, direction, rest, stateful=stateful), entry.name)
        for entry in entries
        if direction in entry.directions
        and ports_of(selector := entry.selector if direction is Direction.OUT else entry.selector.reversed())
        is not None
    )
    return grouped(lines, some_match, comment)


def _verdicts(entry: SpdEntry, direction: Direction, rest: str, *, stateful: bool) -> tuple[str, ...]:
    if direction not in required(entry):
        return (rest,)
    answers = stateful and direction is Direction.IN and takes_answers(entry)
    return (*(["ct state { established, related } accept"] if answers else []), DROPPED[REQUIRED])
