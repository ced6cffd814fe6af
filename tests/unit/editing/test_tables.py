# SPDX-License-Identifier: Apache-2.0
"""Whole tables come and go, and the comments of others stay."""

import pytest

from ringfence.editing.errors import EditRefused
from ringfence.editing.tables import append, extract, insert, move, remove, rename

TEXT = """# all

# about a
[[rule]]
name = "a"
[rule.m]
x = 1
# end of a

# about f
[[filter]]
name = "f"

# about b
[[rule]]
name = "b"
"""


def test_a_new_one_stands_behind_the_last_of_its_kind() -> None:
    assert append(TEXT, (), "rule", {"name": "c"}) == TEXT + '\n[[rule]]\nname = "c"\n'
    made = append(TEXT, (), "filter", {"name": "g"})
    assert made == TEXT.replace('name = "f"\n', 'name = "f"\n\n[[filter]]\nname = "g"\n')
    assert insert(TEXT, "list", "A b", {"f": 1}) == TEXT + '\n[list."A b"]\nf = 1\n'
    assert insert("", "global", "", {"f": 1}) == "[global]\nf = 1\n"
    assert append("a = 1", (), "rule", {"n": 1}) == "a = 1\n\n[[rule]]\nn = 1\n"
    assert append("[[rule]]\n[x]\n", (), "rule", {"n": 1}) == "[[rule]]\n\n[[rule]]\nn = 1\n\n[x]\n"


def test_other_ways_to_write_tables_are_kept() -> None:
    assert append("rule = [{ n = 1 }]\n", (), "rule", {"n": 2}) == "rule = [{ n = 1 }, { n = 2 }]\n"
    assert append("p = { a = 1 }\n", ("p",), "rule", {"n": 2}) == "p = { a = 1, rule = [{ n = 2 }] }\n"
    assert append("[p]\na = 1\n", ("p",), "rule", {"n": 2}) == "[p]\na = 1\n\n[[p.rule]]\nn = 2\n"
    assert insert("l = { A = { x = 1 } }\n", "l", "B", {"x": 2}) == "l = { A = { x = 1 }, B = { x = 2 } }\n"


def test_what_comes_may_go_without_a_trace() -> None:
    assert remove(append(TEXT, (), "rule", {"name": "c"}), ("rule", 2)) == TEXT
    assert remove(append(TEXT, (), "filter", {"name": "c"}), ("filter", 1)) == TEXT
    assert remove(insert(TEXT, "list", "A", {"x": 1}), ("list", "A")) == TEXT


def test_a_table_goes_with_its_comment_and_what_is_below_it() -> None:
    assert remove(TEXT, ("rule", 0)) == TEXT.replace(
        '# about a\n[[rule]]\nname = "a"\n[rule.m]\nx = 1\n# end of a\n\n', ""
    )
    assert remove(TEXT, ("rule", 1)) == TEXT.replace('\n# about b\n[[rule]]\nname = "b"\n', "")
    assert remove('# all\n[[rule]]\nname = "a"\n', ("rule", 0)) == "# all\n"


@pytest.mark.parametrize(
    ("before", "steps", "after"),
    [
        ("rule = [{ n = 1 }, { n = 2 }]", ("rule", 0), "rule = [{ n = 2 }]"),
        ("l = { A = { x = 1 }, B = { x = 2 } }", ("l", "A"), "l = { B = { x = 2 } }"),
        ("[l]\nA.x = 1\nB.x = 1\n", ("l", "A"), "[l]\nB.x = 1\n"),
        ("[l]\nA = { x = 1 }\nB.x = 1\n", ("l", "A"), "[l]\nB.x = 1\n"),
    ],
)
def test_tables_without_headers_go(before: str, steps: tuple[str | int, ...], after: str) -> None:
    assert remove(before, steps) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('[l."A b"] # c\nx = 1\n["l"."A b".y]\n', '[l.C] # c\nx = 1\n["l".C.y]\n'),
        ('[l]\n"A b".x = 1\n"A b".y = 1\nB.x = 1\n', "[l]\nC.x = 1\nC.y = 1\nB.x = 1\n"),
        ('l = { "A b" = { x = 1 }, B = 1 }\n', "l = { C = { x = 1 }, B = 1 }\n"),
        ('[l]\n"A b" = { x = 1 }\n', "[l]\nC = { x = 1 }\n"),
    ],
)
def test_a_table_gets_another_name_wherever_it_is_written(before: str, after: str) -> None:
    assert rename(before, ("l", "A b"), "C") == after


def test_a_table_is_shown_with_its_comment() -> None:
    assert extract(TEXT, ("rule", 1)) == (15, '# about b\n[[rule]]\nname = "b"\n')
    assert extract("rule = [{ n = 1 }]", ("rule", 0)) == (1, "{ n = 1 }")
    assert extract("[l]\nA.x = 1\nB.x = 1\n", ("l", "A")) == (2, "A.x = 1\n")


def test_a_table_moves_with_its_comment_and_what_is_below_it() -> None:
    a, f, b = TEXT.removeprefix("# all\n\n").split("\n\n")
    assert move(TEXT, ("rule", 1), ("rule", 0)) == f"# all\n\n{b}\n{a}\n\n{f}\n"
    assert move(TEXT, ("rule", 0), ("rule", 1)) == f"# all\n\n{f}\n\n{a}\n\n{b}"
    assert move("[[m]]\nx = 1\n[[m]]\nx = 2\n[[m]]\nx = 3", ("m", 2), ("m", 1)) == (
        "[[m]]\nx = 1\n[[m]]\nx = 3\n\n[[m]]\nx = 2\n"
    )
    with pytest.raises(EditRefused, match="in one line"):
        move("m = [{ x = 1 }, { x = 2 }]\n", ("m", 1), ("m", 0))
