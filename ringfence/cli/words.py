# SPDX-License-Identifier: Apache-2.0
"""Numbers and times as people read them: 1.2 GB, 12:03, 9 minutes ago."""

from datetime import datetime, timedelta

UNITS = ("kB", "MB", "GB", "TB", "PB")
SPANS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def octets(number: int) -> str:
    """``1.2 GB``: two digits that count, decimal units."""
    if number < 1000:
        return f"{number} B"
    power = next((power for power in range(1, len(UNITS)) if number / 1000**power < 999.5), len(UNITS))
    value = number / 1000**power
    return f"{value:.1f} {UNITS[power - 1]}" if value < 99.95 else f"{value:.0f} {UNITS[power - 1]}"


def count(number: int, one: str, many: str = "") -> str:
    """``1 packet``, ``1,204 packets``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def span(seconds: float) -> str:
    """``9 minutes``, ``1 hour 20 minutes``: the largest unit, and the next one while the first is small."""
    whole = max(0, round(seconds))
    position = next((place for place, (size, _) in enumerate(SPANS) if whole >= size), len(SPANS) - 1)
    size, name = SPANS[position]
    first, rest = divmod(whole, size)
    text = count(first, name)
    if first < 3 and size > 60:
        smaller, smaller_name = SPANS[position + 1]
        text += f" {count(rest // smaller, smaller_name)}" if rest // smaller else ""
    return text


def ago(then: datetime, now: datetime) -> str:
    """``9 minutes ago``, ``just now``, ``in 54 minutes``."""
    seconds = (now - then).total_seconds()
    if abs(seconds) < 1:
        return "just now"
    return f"{span(seconds)} ago" if seconds > 0 else f"in {span(-seconds)}"


def clock(then: datetime, now: datetime) -> str:
    """The local time: ``12:03``; with the date when it is another day."""
    local = then.astimezone()
    return f"{local:%H:%M}" if local.date() == now.astimezone().date() else f"{local:%Y-%m-%d %H:%M}"


def short_ago(then: datetime, now: datetime) -> str:
    """For tables: ``9 min``, ``2 h``, rounded, without the direction."""
    seconds = abs((now - then) / timedelta(seconds=1))
    for size, most, unit in ((1, 60, "s"), (60, 60, "min"), (3600, 48, "h")):
        if round(seconds / size) < most:
            return f"{round(seconds / size)} {unit}"
    return f"{round(seconds / 86400)} d"


def listing(names: list[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
