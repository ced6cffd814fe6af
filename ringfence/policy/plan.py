# SPDX-License-Identifier: Apache-2.0
"""What a change of policy would do, entry by entry, before it is done."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from ringfence.databases.packet_filter import PacketList
from ringfence.databases.pad import PadEntry
from ringfence.databases.spd import Origin, SpdEntry
from ringfence.policy import words
from ringfence.policy.boot import NO_BOOT, BootSettings
from ringfence.policy.bootwords import summary
from ringfence.policy.compile import BUILT_IN, Compiled

NO_ORIGIN = Origin("")
NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Plan:
    """The difference between two policies on one computer."""

    added: tuple[SpdEntry, ...] = ()
    removed: tuple[SpdEntry, ...] = ()
    changed: tuple[tuple[SpdEntry, SpdEntry], ...] = ()
    """Entries for the same traffic of the same rule, before and after."""
    peers: tuple[str, ...] = ()
    """Names of PAD entries that change in substance: their main modes are made anew."""
    main_modes: tuple[Mapping[str, str], Mapping[str, str]] = (NOTHING, NOTHING)
    """By PAD entry, how the two sides authenticate and agree on keys, before and after."""
    packet_filters: tuple[tuple[PacketList | None, PacketList | None], ...] = ()
    """Packet filters before and after, where they differ."""
    translated: bool | None = None
    """Where it differs: whether what is masqueraded is dropped now where rules require protection."""
    boot: tuple[BootSettings, BootSettings] | None = None
    """What ``[boot]`` says before and after, where that differs."""
    kept: int = 0
    """Entries that stay as they are."""

    def __bool__(self) -> bool:
        several = (self.added, self.removed, self.changed, self.peers, self.packet_filters)
        return any(several) or self.translated is not None or self.boot is not None

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
        number = len(self.packet_filters)
        parts += [f"{number} packet filter{'s' if number > 1 else ''}"] if number else []
        parts += ["masquerading"] if self.translated is not None else []
        parts += ["what holds at boot"] if self.boot is not None else []
        parts += [f"{self.kept} as before"] if self.kept else []
        return ", ".join(parts)

    def _main_mode(self, old: str, new: str) -> Iterator[str]:
        """How it is made and was made, by the names of PAD entries, where that differs."""
        was, now = self.main_modes[0].get(old), self.main_modes[1].get(new)
        if was is not None and now is not None and was != now:
            yield f"{now} (until now {was})"

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
            lines += [f"    {one}" for one in words.details(old.processing, new.processing)]
            lines += [f"    main mode {one}" for one in self._main_mode(old.peer, new.peer)]
            lines.append(f"    {new.origin}")
        for name in self.peers:
            lines.append(f"~ {name}: main mode is made anew")
            lines += [f"    {one}" for one in self._main_mode(name, name)]
        lines += [line for was, now in self.packet_filters for line in _list_lines(was, now)]
        if self.translated is not None:
            now = "dropped" if self.translated else "let go in clear"
            lines.append(f"~ what is masqueraded for others where rules require protection: {now}")
        lines += [] if self.boot is None else _boot_lines(*self.boot)
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
        main_modes=(NOTHING if old is None else _main_modes(old.pad), _main_modes(new.pad)),
        packet_filters=tuple(_changed_lists(() if old is None else old.spd.packet_lists, new.spd.packet_lists)),
        translated=None if old is None or old.spd.translated is new.spd.translated else new.spd.translated,
        boot=_changed_boot(old, new),
        kept=sum(_written(entry) for name, entry in after.items() if name in before) - len(changed),
    )


def _changed_boot(old: Compiled | None, new: Compiled) -> tuple[BootSettings, BootSettings] | None:
    before = NO_BOOT if old is None else old.boot
    return None if before == new.boot else (before, new.boot)


def _boot_lines(was: BootSettings, now: BootSettings) -> list[str]:
    place = [f"    {now.place.told}"] if now.place else []
    return [f"~ [boot] {summary(now)}", f"    until now {summary(was)}", *place]


def _written(entry: SpdEntry) -> bool:
    """Whether an administrator wrote it."""
    return not entry.origin.rule.startswith(BUILT_IN)


def _differ(old: SpdEntry, new: SpdEntry) -> bool:
    return replace(old, origin=NO_ORIGIN) != replace(new, origin=NO_ORIGIN)


def _changed_lists(
    old: Iterable[PacketList], new: Iterable[PacketList]
) -> Iterator[tuple[PacketList | None, PacketList | None]]:
    before, after = ({one.name: one for one in lists} for lists in (old, new))
    for name in {**before, **after}:
        was, now = before.get(name), after.get(name)
        if was is None or now is None or replace(was, origin=NO_ORIGIN) != replace(now, origin=NO_ORIGIN):
            yield was, now


def _list_lines(was: PacketList | None, now: PacketList | None) -> Iterator[str]:
    one = now or was
    if one is not None:
        mark = "~" if was is not None and now is not None else "+" if now is not None else "-"
        yield f'{mark} packet filter "{one.name}": {words.packet_list(one)}'
        if was is not None and now is not None and words.packet_list(was) != words.packet_list(now):
            yield f"    until now {words.packet_list(was)}"
        yield f"    {one.origin.place.told}".rstrip()


def _main_modes(pad: Iterable[PadEntry]) -> Mapping[str, str]:
    return {
        one.name: f"{words.main_mode(one.proposals)}; {' or '.join(map(str, one.auth))}; {words.keying(one.keying)}"
        for one in pad
    }


def _changed_peers(old: Iterable[PadEntry], new: Iterable[PadEntry]) -> list[str]:
    """Entries that authenticate otherwise than before; other addresses alone change no main mode."""

    def substance(entry: PadEntry) -> PadEntry:
        return replace(entry, origin=NO_ORIGIN, ends=())

    before = {entry.name: substance(entry) for entry in old}
    return [entry.name for entry in new if entry.name in before and before[entry.name] != substance(entry)]
