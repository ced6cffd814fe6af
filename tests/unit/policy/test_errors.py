# SPDX-License-Identifier: Apache-2.0
from ringfence.errors import IpsecError
from ringfence.place import Place
from ringfence.policy.errors import BadWord, Finding, PolicyError, Severity


def test_a_finding_says_where_what_and_what_to_do() -> None:
    finding = Finding("it is wrong.", Place("p.toml", 3), excerpt="   3 | x", cure="Do this.")
    assert str(finding) == "p.toml:3: it is wrong.\n   3 | x\nDo this."
    assert str(Finding("it is wrong.")) == "it is wrong."
    assert str(Finding("look.", Place("p.toml"), severity=Severity.WARNING)) == "p.toml: warning: look."


def test_an_error_shows_all_findings() -> None:
    error = PolicyError([Finding("one.", Place("p", 1)), Finding("two.", Place("p", 2), cure="Do.")])
    assert str(error) == "p:1: one.\np:2: two.\nDo."
    assert (error.place, error.message) == ("p:1", "one.")
    assert isinstance(error, IpsecError)


def test_a_bad_word_carries_its_cure() -> None:
    assert (BadWord("which is wrong", cure="x").cure, BadWord("y").why) == ("x", "y")
