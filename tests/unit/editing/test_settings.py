# SPDX-License-Identifier: Apache-2.0
"""Single settings: put where people would write them, and nothing else is touched."""

import pytest

from ringfence.editing.errors import NoSuch
from ringfence.editing.settings import add_element, drop, put, remove_element

RULE = ("rule", 0)


@pytest.mark.parametrize(
    ("before", "names", "value", "after"),
    [
        ('[[rule]]\na = 1 # c\n', ("a",), 2, '[[rule]]\na = 2 # c\n'),
        (
            '[[rule]]\nname = "x"\nab   = 1\n\n# next\n', ("b",), "y",
            '[[rule]]\nname = "x"\nab   = 1\nb    = "y"\n\n# next\n',
        ),
        ('[[rule]]\nname = "x"\na = 1', ("b",), True, '[[rule]]\nname = "x"\na = 1\nb = true\n'),
        ("[[rule]]\n", ("b",), 1, "[[rule]]\nb = 1\n"),
        ('[[rule]]\nl = { t = 1 } # c\n', ("l", "d"), 0, '[[rule]]\nl = { t = 1, d = 0 } # c\n'),
        ('[[rule]]\nl = {}\n', ("l", "d"), 0, '[[rule]]\nl = { d = 0 }\n'),
        ('[[rule]]\nl = { t = 1 }\n', ("l", "t"), 2, '[[rule]]\nl = { t = 2 }\n'),
        ('[[rule]]\ns = "x"\n', ("s", "in"), "y", '[[rule]]\ns = { in = "y" }\n'),
        ("[[rule]]\nm.a = 1\nz = 2\n", ("m", "b"), 3, "[[rule]]\nm.a = 1\nm.b = 3\nz = 2\n"),
        ("[[rule]]\nm.a = 1\nz = 2\n", ("m",), {"c": 3}, "[[rule]]\nz = 2\nm = { c = 3 }\n"),
        ("[[rule]]\n[rule.m]\na = 1\n", ("m", "b"), 3, "[[rule]]\n[rule.m]\na = 1\nb = 3\n"),
        ("[[rule]]\nx = 1\n[rule.m]\na = 1\n", ("m",), 3, "[[rule]]\nx = 1\nm = 3\n"),
        ("[[rule]]\n", ("m", "b"), 3, "[[rule]]\nm = { b = 3 }\n"),
        ("rule = [{ a = 1 }]\n", ("b",), 3, "rule = [{ a = 1, b = 3 }]\n"),
        ("[[rule]]\na = [\n 1, # one\n]\n[[rule]]\n", ("b",), 3, "[[rule]]\na = [\n 1, # one\n]\nb = 3\n[[rule]]\n"),
    ],
)  # fmt: skip
def test_put(before: str, names: tuple[str, ...], value: object, after: str) -> None:
    assert put(before, RULE, names, value) == after


def test_put_in_a_table_of_dotted_keys() -> None:
    assert put("[l]\nA.x = 1\nB.x = 1\n", ("l", "A"), ("y",), 2) == "[l]\nA.x = 1\nA.y = 2\nB.x = 1\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "a = 1\n\n"),
        ("[x]\n", "a = 1\n\n[x]\n"),
        ("# about x\n[x]\n", "a = 1\n\n# about x\n[x]\n"),
        ("# about all\n\n[x]\n", "# about all\n\na = 1\n\n[x]\n"),
        ("b = 2\n[x]\n", "b = 2\na = 1\n[x]\n"),
    ],
)
def test_put_before_all_tables(before: str, after: str) -> None:
    assert put(before, (), ("a",), 1) == after


@pytest.mark.parametrize(
    ("before", "names", "after"),
    [
        ("[[rule]]\na = 1 # c\n# stays\nb = 2\n", ("a",), "[[rule]]\n# stays\nb = 2\n"),
        ("[[rule]]\nl = { t = 1, d = 0 }\n", ("l", "t"), "[[rule]]\nl = { d = 0 }\n"),
        ("[[rule]]\nl = { t = 1, d = 0 }\n", ("l", "d"), "[[rule]]\nl = { t = 1 }\n"),
        ("[[rule]]\nl = { t = 1 }\n", ("l", "t"), "[[rule]]\n"),
        ("[[rule]]\nm.a = 1\nx = 2\nm.b = 1\n", ("m",), "[[rule]]\nx = 2\n"),
        ("[[rule]]\nx = 2\n[rule.m]\na = 1\n[y]\n", ("m",), "[[rule]]\nx = 2\n[y]\n"),
        ("rule = [{ a = 1 }]\n", ("a",), "rule = [{  }]\n"),
        ("[[rule]]\nl = { a.x = 1, a.y = 2, b = 3 }\n", ("l", "a"), "[[rule]]\nl = { b = 3 }\n"),
    ],
)
def test_drop(before: str, names: tuple[str, ...], after: str) -> None:
    assert drop(before, RULE, names) == after


def test_what_is_not_there_is_not_dropped() -> None:
    with pytest.raises(NoSuch, match=r"main-mode.lifetime"):
        drop("[[rule]]\n", RULE, ("main-mode", "lifetime"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a = 1", "a = [1, 9]"),
        ("a = []", "a = [9]"),
        ("a = [1, 2] # c", "a = [1, 2, 9] # c"),
        ("a = [\n  1, # one\n]", "a = [\n  1, # one\n  9,\n]"),
        ("a = [\n  1 # one\n]", "a = [\n  1, # one\n  9\n]"),
    ],
)
def test_add(before: str, after: str) -> None:
    assert add_element(before, ("a",), 9) == after


@pytest.mark.parametrize(
    ("before", "number", "after"),
    [
        ("a = [1, 2, 3]", 0, "a = [2, 3]"),
        ("a = [1, 2, 3]", 2, "a = [1, 2]"),
        ("a = [1]", 0, "a = []"),
        ("a = [\n  1, # one\n  2, # two\n]", 0, "a = [\n  2, # two\n]"),
        ("a = [\n  1, # one\n  2 # two\n]", 1, "a = [\n  1, # one\n]"),
    ],
)
def test_remove(before: str, number: int, after: str) -> None:
    assert remove_element(before, ("a",), number) == after
