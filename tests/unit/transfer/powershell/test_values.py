# SPDX-License-Identifier: Apache-2.0
"""Values of a script."""

from ringfence.transfer.powershell.values import (
    Hash,
    Kind,
    Thing,
    Unknown,
    Value,
    items_of,
    single,
    text_of,
    truth,
    unknown_in,
)


def test_as_text() -> None:
    known: list[tuple[Value, str]] = [("a", "a"), (5, "5"), (True, "True"), (("x",), "x"), (("x", "y"), ""), (None, "")]
    for value, text in known:
        assert text_of(value) == text


def test_as_list_and_back() -> None:
    assert items_of(None) == ()
    assert items_of("a") == ("a",)
    assert single(()) is None
    assert single(("a",)) == "a"
    assert single((1, 2)) == (1, 2)


def test_what_is_not_known_is_found_inside() -> None:
    why = Unknown("x")
    assert unknown_in(("a", ("b", why))) is why
    assert unknown_in(Hash({"a": why})) is why
    assert unknown_in("a") is None


def test_truth() -> None:
    assert [truth(one) for one in (None, "", 0, (), (0,))] == [False] * 5
    assert [truth(one) for one in ("a", 1, (0, 0), Hash(), Thing(Kind.RULE, {}, 1))] == [True] * 5


def test_things() -> None:
    thing = Thing(Kind.RULE, {"Name": "n", "DisplayName": ""}, 1, 7)
    assert (thing.name, thing.title) == ("n", "n")
    other = thing.copy()
    other.values["Name"] = "m"
    assert (thing.name, other.number) == ("n", 7)
