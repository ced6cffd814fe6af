# SPDX-License-Identifier: Apache-2.0
r"""Line ends: an edit works on a text with ``\n``, and whoever wrote ``\r\n`` finds it again."""

from itertools import takewhile


def plain(text: str) -> str:
    r"""``text`` with ``\n`` for line ends."""
    return text.replace("\r\n", "\n")


def restored(original: str, after: str) -> str:
    """``after``, which was made of ``plain(original)``, with the line ends of ``original`` wherever it is the same.

    New lines end as the first one of ``original`` does.
    """
    if "\r\n" not in original:
        return after
    was, now = _lines(plain(original)), _lines(after)
    written = _lines(original)
    head = _common(was, now)
    tail = _common(was[head:][::-1], now[head:][::-1])
    ending = "\r\n" if written[0].endswith("\r\n") else "\n"
    middle = [line.replace("\n", ending) for line in now[head : len(now) - tail]]
    return "".join([*written[:head], *middle, *written[len(written) - tail :]])


def _lines(text: str) -> list[str]:
    """The lines of ``text``, each with its own line end."""
    return [f"{line}\n" for line in text.split("\n")[:-1]] + ([text.split("\n")[-1]] if text[-1:] != "\n" else [])


def _common(one: list[str], other: list[str]) -> int:
    """How many lines both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
