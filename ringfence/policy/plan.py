# SPDX-License-Identifier: Apache-2.0
"""What a change of policy would do, entry by entry, before it is done."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from ringfence.databases.pad import PadEntry
from ringfence.databases.spd import Origin, SpdEntry
from ringfence.policy import words
from ringfence.policy.compile import BUILT_IN, Compiled

NO_ORIGIN = Origin("")


@dataclass(frozen=True, slots=True)
class Plan:
    """The difference between two policies on one computer."""

    added: tuple[SpdEntry, ...] = ()
    removed: tuple[SpdEntry, ...] = ()
    changed: tuple[tuple[SpdEntry, SpdEntry], ...] = ()
    """Entries for the same traffic of the same rule, before and after."""
    peers: tuple[str, ...] = ()
    """Names of PAD entries that change in substance: their main modes are made anew."""
    kept: int = 0
    """Entries that stay as they are."""

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed or self.peers)

    def summary(self) -> str:
        """One line for logs and events."""
        if not self:
            return "nothing changes"
        counts = [
            (sum(map(_written, self.added)), "added"),
            (sum(map(_written, self.removed)), "removed"),
            (len(self.changed), "changed"),
        ]
        parts = [f"{number} {word}" for number, word in counts if number]
        parts += [f"{len(self.peers)} with other keys or methods"] if self.peers else []
        parts += [f"{self.kept} as before"] if self.kept else []
        return ", ".join(parts)

    def lines(self) -> tuple[str, ...]:
        """The plan for people, a line or more for each entry."""
        lines: list[str] = []
        for mark, entries in (("+", self.added), ("-", self.removed)):
            for entry in filter(_written, entries):
                lines += [f"{mark} {words.traffic(entry)}: {words.treatment(entry)}", f"    {entry.origin}"]
        for old, new in self.changed:
            lines.append(f"~ {words.traffic(new)}: {words.treatment(new)}")
            if words.treatment(old) != words.treatment(new):
                lines.append(f"    until now {words.treatment(old)}")
            lines.append(f"    {new.origin}")
        lines += [f"~ {name}: main mode is made anew" for name in self.peers]
        return tuple(lines or ["Nothing changes."])


def plan(old: Compiled | None, new: Compiled) -> Plan:
    """What has to be done to come from ``old`` (None: no policy) to ``new``."""
    before = {} if old is None else {entry.name: entry for entry in old.spd}
    after = {entry.name: entry for entry in new.spd}
    changed = tuple(
        (before[name], entry) for name, entry in after.items() if name in before and _differ(before[name], entry)
    )
    return Plan(
        added=tuple(entry for name, entry in after.items() if name not in before),
        removed=tuple(entry for name, entry in before.items() if name not in after),
        changed=changed,
        peers=tuple(_changed_peers([] if old is None else old.pad, new.pad)),
        kept=sum(_written(entry) for name, entry in after.items() if name in before) - len(changed),
    )


def _written(entry: SpdEntry) -> bool:
    """Whether an administrator wrote it."""
    return not entry.origin.rule.startswith(BUILT_IN)


def _differ(old: SpdEntry, new: SpdEntry) -> bool:
    return replace(old, origin=NO_ORIGIN) != replace(new, origin=NO_ORIGIN)


def _changed_peers(old: Iterable[PadEntry], new: Iterable[PadEntry]) -> list[str]:
    """Entries that authenticate otherwise than before; other addresses alone change no main mode."""
    substance: Callable[[PadEntry], PadEntry] = lambda entry: replace(entry, origin=NO_ORIGIN, remote=())  # noqa: E731
    before = {entry.name: substance(entry) for entry in old}
    return [entry.name for entry in new if entry.name in before and before[entry.name] != substance(entry)]
