# SPDX-License-Identifier: Apache-2.0
"""The timeline as a picture (SVG): who sent what to whom, in the order in which it crossed the wire.

Each host is a line from top to bottom, each packet an arrow. Arrows keep a constant distance, because milliseconds
between the messages of an exchange and seconds between scenes do not fit one scale; the time stands at the left.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from xml.sax.saxutils import escape

ROW, TOP, LEFT, LANE, RIGHT = 26, 96, 96, 330, 96


class Kind(Enum):
    """What an arrow is; the value is its colour and what the key says of it."""

    CLEAR = ("#c0392b", "in clear: anybody on the way can read it")
    IKE = ("#2563a8", "agreeing on keys (IKE)")
    PROTECTED = ("#1e7d4f", "protected (ESP): nobody on the way can read or change it")
    ATTACK = ("#8a5a00", "sent by the attacker")


@dataclass(frozen=True, slots=True)
class Arrow:
    """One packet."""

    at: float
    """Seconds since the story began."""
    source: str
    destination: str
    kind: Kind
    label: str
    stopped: bool = False
    """Whether it was dropped at its destination."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """A heading between arrows."""

    at: float
    title: str


def timeline(title: str, hosts: Sequence[str], rows: Sequence[Arrow | Chapter]) -> str:
    """An SVG document of ``rows``, in their order."""
    width = LEFT + LANE * (len(hosts) - 1) + RIGHT
    height = TOP + ROW * (len(rows) + 1) + 24 * len(Kind) + 24
    lanes = {host: LEFT + LANE * number for number, host in enumerate(hosts)}
    bottom = TOP + ROW * len(rows) + 8
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="ui-sans-serif, system-ui, sans-serif" font-size="13" role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="24" y="34" font-size="18" font-weight="600" fill="#1a1a1a">{escape(title)}</text>',
        *(_lane(host, x, bottom) for host, x in lanes.items()),
    ]
    for number, row in enumerate(rows):
        y = TOP + ROW * number + ROW // 2
        parts.append(_chapter(row, y, width) if isinstance(row, Chapter) else _arrow(row, y, lanes))
    parts += [_key(kind, bottom + 28 + 24 * number) for number, kind in enumerate(Kind)]
    return "\n".join([*parts, "</svg>", ""])


def _lane(host: str, x: int, bottom: int) -> str:
    return (
        f'<line x1="{x}" y1="{TOP - 12}" x2="{x}" y2="{bottom}" stroke="#b8b8b8"/>'
        f'<text x="{x}" y="{TOP - 20}" text-anchor="middle" font-weight="600" fill="#1a1a1a">{escape(host)}</text>'
    )


def _chapter(chapter: Chapter, y: int, width: int) -> str:
    return (
        f'<rect x="0" y="{y - 11}" width="{width}" height="20" fill="#f1f1ee"/>'
        f'<text x="24" y="{y + 4}" font-weight="600" fill="#1a1a1a">{escape(chapter.title)}</text>'
    )


def _arrow(arrow: Arrow, y: int, lanes: dict[str, int]) -> str:
    colour = arrow.kind.value[0]
    start, end = lanes[arrow.source], lanes[arrow.destination]
    way = 1 if end > start else -1
    tip = end - way * (18 if arrow.stopped else 3)
    head = (
        f'<path d="M{end - 10 * way - 4},{y + 1} l8,8 m0,-8 l-8,8" stroke="#c0392b" stroke-width="2.4" fill="none"/>'
        if arrow.stopped
        else f'<path d="M{tip},{y + 5} l{-9 * way},-4.5 v9 z" fill="{colour}"/>'
    )
    return (
        f'<text x="16" y="{y + 9}" font-size="11" fill="#666666">{arrow.at:7.3f} s</text>'
        f'<line x1="{start}" y1="{y + 5}" x2="{tip - 4 * way}" y2="{y + 5}" stroke="{colour}" stroke-width="1.8"/>'
        f"{head}"
        f'<text x="{(start + end) // 2}" y="{y}" text-anchor="middle" font-size="12" fill="{colour}">'
        f"{escape(arrow.label)}</text>"
    )


def _key(kind: Kind, y: int) -> str:
    colour, text = kind.value
    return (
        f'<line x1="24" y1="{y - 4}" x2="60" y2="{y - 4}" stroke="{colour}" stroke-width="3"/>'
        f'<text x="72" y="{y}" fill="#1a1a1a">{escape(text)}</text>'
    )
