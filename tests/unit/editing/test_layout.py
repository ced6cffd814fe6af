# SPDX-License-Identifier: Apache-2.0
"""Where everything in a text stands."""

import pytest

from ringfence.editing.errors import EditRefused
from ringfence.editing.layout import Layout, lay_out

TEXT = """top = 1
[[rule]]
name = "a" # why
auth = [{ psk-file = "k" }, "kerberos"]
[rule.identity]
local = "x"
[[rule]]
main-mode.lifetime = "8 h"
"""


def said(layout: Layout, span: tuple[int, int]) -> str:
    return layout.text[slice(*span)]


def test_sections_pairs_and_elements_are_found() -> None:
    layout = lay_out(TEXT)
    assert [one.steps for one in layout.sections] == [(), ("rule", 0), ("rule", 0, "identity"), ("rule", 1)]
    assert [said(layout, pair.key) for pair in layout.sections[1].pairs] == ["name", "auth"]
    assert [said(layout, one) for one in layout.elements(("rule", 0, "auth"))] == ['{ psk-file = "k" }', '"kerberos"']
    assert said(layout, layout.pairs["rule", 0, "auth", 0, "psk-file"].value) == '"k"'
    assert layout.pairs["rule", 0, "auth", 0, "psk-file"].inline
    assert layout.pairs["rule", 1, "main-mode", "lifetime"].names == ("main-mode", "lifetime")
    assert layout.section(("rule", 0)) is layout.sections[1]
    assert layout.section(()) is layout.sections[0]
    assert layout.section(("rule",)) is None
    assert len(layout.below(("rule", 0))) == 2


def test_lines_are_found() -> None:
    layout = lay_out(TEXT)
    at = TEXT.index('"a"')
    assert TEXT[layout.line_start(at) : layout.line_end(at)] == 'name = "a" # why\n'
    assert lay_out("a = 1").line_end(0) == 5


def test_what_is_not_understood_is_not_edited() -> None:
    with pytest.raises(EditRefused, match="by hand"):
        lay_out("a = \n")
