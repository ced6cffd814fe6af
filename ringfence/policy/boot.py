# SPDX-License-Identifier: Apache-2.0
"""``[boot]``: what passes before the service is up, and what a clean stop of it leaves.

``mode`` is about traffic that no rule requires to be protected, and ``exempt`` about what passes whatever the mode,
in the words of rules' traffic: ``tcp to 22`` at either side, ``in tcp to 22`` if somebody else begins, ``out udp to
53`` if this computer does. As on Windows it is ``stateful`` once there is a policy.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ringfence.databases.boot import AfterStop, BootMode
from ringfence.databases.spd import Direction
from ringfence.place import NOWHERE, Place
from ringfence.policy.decode import Table
from ringfence.policy.errors import BadWord
from ringfence.policy.traffic import ANY_TRAFFIC, Traffic, parse_traffic

DIRECTIONS = {"in": Direction.IN, "out": Direction.OUT}
CURE = 'Write it as "in tcp to 22", "out udp to 53" or, where either side may begin, "tcp to 22".'


@dataclass(frozen=True, slots=True)
class Exemption:
    """Traffic that passes whatever the mode."""

    traffic: Traffic
    """From who begins to who answers."""
    begins: Direction = Direction.BOTH
    """IN: somebody else begins."""

    def __str__(self) -> str:
        word = next((f"{word} " for word, one in DIRECTIONS.items() if one is self.begins), "")
        return f"{word}{self.traffic}"


@dataclass(frozen=True, slots=True)
class BootSettings:
    """The whole table."""

    mode: BootMode = BootMode.STATEFUL
    exempt: tuple[Exemption, ...] = ()
    after_stop: AfterStop = AfterStop.OPEN
    place: Place = field(default=NOWHERE, compare=False)
    """Nowhere: no document has such a table."""
    places: Mapping[str, Place] = field(default_factory=dict, compare=False)


NO_BOOT = BootSettings()


def parse_exemption(text: str) -> Exemption:
    """Exempt traffic; raises BadWord."""
    first, _, rest = text.strip().partition(" ")
    begins = DIRECTIONS.get(first.lower())
    try:
        found = Exemption(parse_traffic(text if begins is None else rest), begins or Direction.BOTH)
    except BadWord as error:
        raise BadWord(error.why, cure=CURE) from error
    if found.traffic == ANY_TRAFFIC:
        raise BadWord("which is everything", cure='Say mode = "permit" if all of it shall pass.')
    return found


def decode_boot(table: Table) -> BootSettings:
    """The table ``[boot]``; what is wrong goes to the table's findings."""
    nothing = table.raw("exempt") == []
    found = BootSettings(
        table.choice("mode", BootMode) or BootMode.STATEFUL,
        () if nothing else tuple(dict.fromkeys(table.words("exempt", parse_exemption, split=",") or ())),
        table.choice("after-stop", AfterStop) or AfterStop.OPEN,
        table.place,
        table.places(table.data),
    )
    if found.exempt and found.mode is BootMode.PERMIT:
        table.complain("exempt", 'is said beside mode = "permit", which lets everything pass', cure="Say one of them.")
    table.finish()
    return found
