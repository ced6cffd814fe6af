# SPDX-License-Identifier: Apache-2.0
"""Settings of a command line, and what their words mean."""

import pytest

from ringfence.editing.errors import BadSettings
from ringfence.editing.words import How, element_of, read_words, value_of


def test_all_forms_say_the_same() -> None:
    forms = (["--with", "a"], ["--with=a"], ["with=a"])
    assert {read_words(words)[0].words for words in forms} == {("a",)}
    assert [read_words(words)[0].option for words in forms] == ["--with", "--with", "with="]


def test_what_is_said_again_makes_a_list_and_an_option_without_a_value_is_true() -> None:
    found = read_words(["--between", "me", "--legacy", "--between", "10.0.0.0/8", "a.b=c=d"])
    assert [(one.names, one.words) for one in found] == [
        (("between",), ("me", "10.0.0.0/8")),
        (("legacy",), ("true",)),
        (("a", "b"), ("c=d",)),
    ]


def test_lists_are_added_to_and_taken_from() -> None:
    found = read_words(["protect+=ah sha256", "protect-=1"])
    assert [(one.names, one.how, one.words) for one in found] == [
        (("protect",), How.ADD, ("ah sha256",)),
        (("protect",), How.REMOVE, ("1",)),
    ]


@pytest.mark.parametrize("word", ["lab", "=x", "a b=c", "--", "-x"])
def test_other_words_are_no_settings(word: str) -> None:
    with pytest.raises(BadSettings, match="is no setting"):
        read_words([word])


def likes(*kinds: type) -> object:
    return lambda value: 0 if type(value) in kinds else 1


@pytest.mark.parametrize(
    ("word", "kind", "value"),
    [
        ("5", int, 5),
        ("5", str, "5"),
        ('"5"', str, "5"),
        ("true", bool, True),
        ("plain words", str, "plain words"),
        ("psk-file=lab.psk", dict, {"psk-file": "lab.psk"}),
        ("psk-file=lab.psk", str, "psk-file=lab.psk"),
        ('{ a = 1, b = "x" }', dict, {"a": 1, "b": "x"}),
        ('["a", "b"]', list, ["a", "b"]),
        ("a", list, ["a"]),
        ("a\nb = 1", str, "a\nb = 1"),
    ],
)
def test_the_first_reading_that_is_understood_is_taken(word: str, kind: type, value: object) -> None:
    assert value_of([word], likes(kind)) == value


def test_where_nothing_is_understood_the_plainest_is_taken() -> None:
    assert value_of(["5"], lambda _: 2) == 5
    assert value_of(["x"], lambda _: 2) == "x"


def test_each_of_several_words_is_read_apart() -> None:
    def trial(value: object) -> int:
        assert isinstance(value, list)
        return sum(not isinstance(one, dict) and one != "kerberos" for one in value)

    assert value_of(["kerberos", "psk-file=k"], trial) == ["kerberos", {"psk-file": "k"}]
    assert element_of("psk-file=k", trial) == {"psk-file": "k"}
