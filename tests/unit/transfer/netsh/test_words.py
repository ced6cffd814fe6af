# SPDX-License-Identifier: Apache-2.0
"""Lines cut into words."""

import pytest

from ringfence.transfer.netsh.words import Word, cut, without_keys


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('add policy name="a b" x', [Word("add"), Word("policy"), Word("a b", "name"), Word("x")]),
        ("name = a", [Word("a", "name")]),
        ("name= a", [Word("a", "name")]),
        ("name =a", [Word("a", "name")]),
        ('Name= "a b" Other = c', [Word("a b", "name"), Word("c", "other")]),
        ("psk= name=a", [Word("", "psk"), Word("a", "name")]),
        ("psk= name = a", [Word("", "psk"), Word("a", "name")]),
        ("psk=", [Word("", "psk")]),
        ('auth1ca="C=US, O=X"', [Word("C=US, O=X", "auth1ca")]),
        ('"C=US, O=X"', [Word("C=US, O=X")]),
        (r'a="say \"no\" = x"', [Word('say "no" = x', "a")]),
        ("a-b=c", [Word("a-b=c")]),
        ("a=b=c", [Word("b=c", "a")]),
        ("a =", [Word("", "a")]),
        ("= a", [Word("a")]),
        ('""', [Word("")]),
        ("", []),
    ],
)
def test_cut(line: str, words: list[Word]) -> None:
    assert list(cut(line)) == words


def test_words_as_text() -> None:
    assert str(Word("a", "b")) == "b=a"
    assert str(Word("a")) == "a"


@pytest.mark.parametrize("said", ['psk="open sesame"', "PSK = secret", "auth1psk=secret", "ps=secret", 'psk="open ses'])
def test_keys_are_not_shown(said: str) -> None:
    told = without_keys(f"add rule {said} policy=x")
    assert "s" not in told.partition("policy")[0].partition("rule")[2].replace("psk", "").replace("ps", "")
    assert "sesame" not in told
    assert "secret" not in told
    assert without_keys("auth1=computerpsk policy=p") == "auth1=computerpsk policy=p"
