# SPDX-License-Identifier: Apache-2.0
"""What others send and somebody translates on this host to an address of its own: parts of the table's text. Pure.

Such packets pass no ``output``, and ``forward`` sees them with the addresses of those who sent them. To whoever
listens on the wire they are this host's. So what a rule about this host requires is asked once more behind the
translation of source addresses: what is not protected then, and would have to be, is dropped as ``masqueraded``. What
somebody else begins comes to an address of this host and may be handed on to another (port forwarding): it is asked
before that translation, with the answers to what left in clear let in as everywhere (``answers``).

Only what is required counts here. A filter that blocks, like one that permits, is about what this host itself does.

The host's own packets come this way, too. They have been asked already, or are asked again: of them these chains drop
nothing that the others would let pass. Fragments inward are left to the others: where addresses are translated the
kernel has put them together before.
"""

from collections.abc import Iterable, Iterator

from ringfence.backends import answers
from ringfence.backends.grouping import Line, grouped
from ringfence.backends.matches import comment, ports_of, some_match
from ringfence.databases.spd import Action, Direction, Spd, SpdEntry
from ringfence.datapath.verdict import Drop

AFTER_SOURCE, BEFORE_DESTINATION = "srcnat + 10", "dstnat - 10"
NEEDED = "needed-translated"
WAYS = (Direction.OUT, Direction.IN)
FRAGMENTS = ("ip frag-off & 0x3fff != 0", "exthdr frag exists")

Chain = tuple[str, list[str]]


def chains(
    spd: Spd, device: str, mark: int, *, own_in: Iterable[str], open_out: Iterable[str], many: Iterable[str]
) -> Iterator[Chain]:
    """The chains, if there is anything to ask.

    ``own_in`` and ``open_out`` match what IPsec and the network need, ``many`` multicast and broadcast.
    """
    closed = any(one.action is Action.DISCARD for one in spd.guards)
    if not spd.translated or not (closed or any(_requires(one, way) for one in spd for way in WAYS)):
        return
    yield NEEDED, [*(f"{one} accept" for one in many), f"counter name {Drop.MASQUERADED.value} drop"]
    out = [f'oifname {{ "lo", "{device}" }} accept', f"meta mark {mark:#x} accept", "fib saddr type != local accept"]
    out += [f"{one} accept" for one in open_out]
    yield "translated-out", [_hook("postrouting", AFTER_SOURCE), *out, *_asked(spd, device, Direction.OUT)]
    into = [f'iifname {{ "lo", "{device}" }} accept', "fib daddr type != local accept"]
    into += [f"{one} accept" for one in (*FRAGMENTS, *own_in)]
    yield "translated-in", [_hook("prerouting", BEFORE_DESTINATION), *into, *_asked(spd, device, Direction.IN)]


def _hook(name: str, priority: str) -> str:
    return f"type filter hook {name} priority {priority}; policy accept;"


def _asked(spd: Spd, device: str, direction: Direction) -> Iterator[str]:
    needed = f"goto {NEEDED if direction is Direction.OUT else 'needed-in'}"
    entries = (_line(one, direction, tuple(_verdicts(one, device, direction, needed))) for one in spd)
    yield from grouped(filter(None, entries), some_match, comment)
    closed = {Action.BYPASS: "accept"}
    guards = (_line(one, direction, (closed.get(one.action, needed),)) for one in spd.guards)
    yield from grouped(filter(None, guards), some_match, comment)


def _line(entry: SpdEntry, direction: Direction, verdicts: tuple[str, ...]) -> Line | None:
    selector = entry.selector if direction is Direction.OUT else entry.selector.reversed()
    if direction not in entry.directions or ports_of(selector) is None:
        return None
    return Line(selector, verdicts, entry.name)


def _verdicts(entry: SpdEntry, device: str, direction: Direction, needed: str) -> Iterator[str]:
    if answers.needed(entry):
        yield from (answers.notes(entry, device) if direction is Direction.OUT else answers.accepts(entry))
    yield needed if _requires(entry, direction) else "accept"


def _requires(entry: SpdEntry, direction: Direction) -> bool:
    """Whether nothing of it may pass in clear in this direction."""
    processing = entry.processing
    if processing is None or direction not in entry.directions:
        return False
    return not (processing.clear_out if direction is Direction.OUT else processing.clear_in)
