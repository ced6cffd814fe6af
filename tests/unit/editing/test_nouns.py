# SPDX-License-Identifier: Apache-2.0
"""The kinds of objects."""

from ringfence.editing.nouns import CONSEC, NOUNS, Form, Noun


def test_every_kind_has_a_word_of_its_own() -> None:
    assert len({noun.word for noun in NOUNS}) == len(NOUNS)
    assert len({(noun.key, noun.form) for noun in NOUNS}) == len(NOUNS)


def test_many_have_a_plural() -> None:
    assert CONSEC.titles == "connection security rules"
    assert Noun("x", "x", Form.SINGLE, "policy", "policies").titles == "policies"
