# SPDX-License-Identifier: Apache-2.0
"""The page is 80 columns wide at most, says the same with and without colour, and is ASCII where it has to be."""

import io
import re

from ringfence.demo.page import Page

LONG = "Three computers, each with a Linux network of its own, built inside this machine; nothing outside is touched."


class AsciiOut(io.StringIO):
    encoding = "ascii"  # type: ignore[assignment]


class Utf8Out(io.StringIO):
    encoding = "utf-8"  # type: ignore[assignment]


def told(out: io.StringIO, *, colour: bool = False) -> str:
    page = Page(out, colour=colour, pace=0)
    page.title("Ringfence", "about 20 seconds")
    page.scene(1, "In clear")
    page.say(LONG)
    page.quote("x" * 200, "short")
    page.arrow("main mode 1: SA VID", right=True, ends=("alice", "bob"), meaning=LONG)
    page.arrow("main mode 2: " + "SA " * 40, right=False, ends=("alice", "bob"))
    page.fact(LONG)
    page.failure(LONG)
    return out.getvalue()


def test_it_fits_80_columns() -> None:
    lines = told(Utf8Out()).splitlines()
    assert max(map(len, lines)) <= 80
    assert any(line.startswith("   alice ─") and line.endswith("→ bob") for line in lines)
    assert any("alice ←" in line for line in lines)
    assert any(line.startswith("   │ xxx") and line.endswith("…") for line in lines)


def test_colour_changes_no_word() -> None:
    plain, coloured = told(Utf8Out()), told(Utf8Out(), colour=True)
    assert "\x1b[32m" in coloured
    assert "\x1b" not in plain
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain


def test_where_there_is_only_ascii() -> None:
    text = told(AsciiOut())
    assert text.isascii()
    assert "> bob" in text
    assert "   + Three computers" in text


def test_a_file_is_neither_coloured_nor_slow() -> None:
    page = Page(io.StringIO())
    assert not page.paced
    page.line("x", "good")


def test_a_reader_gets_time(monkeypatch) -> None:
    rests: list[float] = []
    monkeypatch.setattr("time.sleep", rests.append)
    page = Page(io.StringIO(), pace=2)
    assert page.paced
    page.scene(1, "x")
    page.fact("x")
    assert rests == [2, 0.8]
    monkeypatch.setattr("time.monotonic", lambda: 1e9)
    page.fact("y")
    assert rests == [2, 0.8]
