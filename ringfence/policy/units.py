# SPDX-License-Identifier: Apache-2.0
"""Times and amounts as people write them: ``60 min``, ``1 h``, ``100 MB``.

As on Windows and in IKE a kilobyte has 1,024 octets, and the larger units follow from it.
"""

import re

from ringfence.policy.errors import BadWord

SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86400}
OCTETS = {"B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}
AMOUNT = re.compile(r"(\d{1,18}) ?([A-Za-z]+)", re.ASCII)


def parse_duration(text: str) -> int:
    """Seconds; raises BadWord."""
    return _parse(text, SECONDS, "a time", "60 min")


def parse_amount(text: str) -> int:
    """Octets; raises BadWord."""
    return _parse(text, OCTETS, "an amount of data", "100 MB")


def format_duration(seconds: int) -> str:
    """As a policy says it, in minutes where they are whole: ``60 min``, ``90 s``."""
    unit = "min" if seconds % 60 == 0 else "s"
    return f"{seconds // SECONDS[unit]} {unit}"


def format_amount(octets: int) -> str:
    """As a policy says it, in the largest unit that is whole."""
    unit = next(unit for unit in reversed(OCTETS) if octets % OCTETS[unit] == 0)
    return f"{octets // OCTETS[unit]} {unit}" if octets else "0 B"


def _parse(text: str, units: dict[str, int], what: str, example: str) -> int:
    cure = f'Write {what} as "{example}"; the units are {", ".join(units)}.'
    match = AMOUNT.fullmatch(text.strip())
    if match is None:
        why = "which has no unit" if text.strip().isdigit() else f"which is not {what}"
        raise BadWord(why, cure=cure)
    unit = next((factor for name, factor in units.items() if name.lower() == match[2].lower()), None)
    if unit is None:
        raise BadWord(f'whose unit "{match[2]}" is not known', cure=cure)
    return int(match[1]) * unit
