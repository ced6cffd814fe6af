# SPDX-License-Identifier: Apache-2.0
"""Places, held against the decoder of the standard library and the writer of tomlkit."""

import tomllib

import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.policy.errors import PolicyError
from ringfence.policy.source import Source, Spot, Steps

EVERYTHING = r'''
# a comment with [brackets] and "quotes"
top = 1
dotted.key."quoted part" = true
'literal.key' = 'C:\path'
long = """
several "lines" \"""
end"""  # behind
quotes = """x"""""
raw = \'\'\'
it's
\'\'\'
when = 1979-05-27 07:32:00
float = -1.5e3
inline = { a = 1, b.c = [ { d = "x" }, 2 ], e = {} }
array = [
  "one", # comment ]
  [2, 3],
  { x = "}" },
]

[table]
key = "]"
[table.inner]
a=1
[[list]]
name = "first"
[[list]]
name = "second"
  [[list.deep]]
  x = 1
  [[list.deep]]
  x = 2
[list.deep.more]
y = 3
'''.replace("\\'", "'")


def walk(value: object, steps: Steps = ()) -> list[tuple[Steps, object]]:
    inner: list[tuple[Steps, object]] = []
    if isinstance(value, dict):
        inner = [found for key, item in value.items() for found in walk(item, (*steps, key))]
    elif isinstance(value, list):
        inner = [found for number, item in enumerate(value) for found in walk(item, (*steps, number))]
    return [(steps, value), *inner] if steps else inner


def check(text: str) -> None:
    source = Source.read(text, name="t")
    assert source.data == tomllib.loads(text)
    for steps, value in walk(source.data):
        place = source.spots[steps]
        piece = source.text[slice(*place.value)]
        if not piece.startswith("[") and not isinstance(value, dict | list):
            assert tomllib.loads(f"x = {piece}")["x"] == value, (steps, piece)
        if isinstance(steps[-1], str) and not piece.startswith("["):
            key = tomllib.loads(f"{source.text[slice(*place.key)]} = 0")
            assert steps[-1] in repr(key) or isinstance(key, dict)


def test_everything_that_toml_has() -> None:
    check(EVERYTHING)
    source = Source.read(EVERYTHING, name="t")
    assert source.text[slice(*source.spots["inline", "b", "c", 0, "d"].value)] == '"x"'
    assert source.text[slice(*source.spots["inline", "b", "c", 0, "d"].key)] == "d"
    assert source.place_of(("list", 1, "name")).line == 29
    assert source.place_of(("list", 1, "deep", 1, "more", "y")).line == 35
    assert source.place_of(("list", 1)).line == 28


scalars = st.one_of(
    st.integers(-(2**60), 2**60), st.booleans(), st.floats(allow_nan=False), st.datetimes(), st.text(max_size=20)
)
keys = st.one_of(st.text("abc-_1", min_size=1, max_size=5), st.text(max_size=6))
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=12
)


@settings(deadline=None)
@given(st.dictionaries(keys, values, max_size=5))
def test_every_value_of_any_document_is_found(data: dict[str, object]) -> None:
    check(tomlkit.dumps(data))


@pytest.mark.parametrize(
    ("text", "line", "excerpt"),
    [
        ("a = 1\nb 2\n", 2, "   2 | b 2\n     |   ^"),
        ("a = ", 1, "   1 | a = \n     |     ^"),
        ('a = "x', 1, "   1 | a = "),
        ("x = 1\nx = 2\n", 2, "   2 | x = 2"),
    ],
)
def test_what_is_no_toml(text: str, line: int, excerpt: str) -> None:
    with pytest.raises(PolicyError) as caught:
        Source.read(text, name="p.toml")
    (finding,) = caught.value.findings
    assert finding.message.startswith("this is not TOML: ")
    assert finding.place.line == line
    assert finding.excerpt.startswith(excerpt)


@pytest.mark.parametrize("text", ["a = " + "[" * 5000, "a = " + "9" * 5000])
def test_too_much_of_a_good_thing(text: str) -> None:
    with pytest.raises(PolicyError):
        Source.read(text, name="p.toml")


def test_an_excerpt_is_one_harmless_line() -> None:
    source = Source.read("a = '\x85\t'\n", name="t")
    assert source.excerpt((4, 8)) == "   1 | a = '  '\n     |     ^^^^"
    long = Source.read(f"a = '{'x' * 300}' # {'y' * 300}\n", name="t")
    assert len(long.excerpt((4, 306)).splitlines()[0]) < 180
    assert "yyy" in long.excerpt((400, 402))
    many = Source.read("a = [1,\n2]\n", name="t")
    assert many.excerpt(many.spots["a",].value) == "   1 | a = [1,\n     |     ^^^"


def test_lines_may_end_as_on_windows() -> None:
    assert Source.read("a = 1\r\nb = 2\r\n", name="t").place_of(("b",)).line == 2


def test_what_has_no_place_is_found_at_what_encloses_it() -> None:
    source = Source.read("[a]\nb = 1\n", name="t")
    assert source.spots["a",] == Spot((0, 3), (0, 3))
    assert source.place_of(("a", "missing")).line == 1
    assert source.place_of(("missing",)).line == 0
