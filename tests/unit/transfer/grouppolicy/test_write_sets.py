# SPDX-License-Identifier: Apache-2.0
"""Sets of a Group Policy object."""

import pytest

from ringfence.place import NOWHERE
from ringfence.policy.errors import BadWord
from ringfence.policy.terms import Kerberos, MainMode, Ntlm, PskFile
from ringfence.transfer.grouppolicy.sets import SHAPES, SetKind
from ringfence.transfer.grouppolicy.write_sets import Sets, made_id, plain
from ringfence.transfer.powershell.writing import Left


def test_ids_are_made_of_names() -> None:
    assert made_id("a", "b") == made_id("a", "b") != made_id("a", "c")
    assert made_id("a", "b").startswith("{")


def test_each_is_made_once_and_two_of_one_name_are_told_apart() -> None:
    made = Sets({}, Left())
    first = made.first("domain", (Kerberos(),), NOWHERE)
    assert made.first("domain", (Kerberos(),), NOWHERE) == first
    assert made.first("domain", (Ntlm(),), NOWHERE) != first
    assert made.has(SetKind.AUTH1, "domain")
    assert not made.has(SetKind.AUTH2, "domain")
    assert len({one.key for one in made.instructions}) == 4


def test_a_default_set_stands_under_another_id() -> None:
    made = Sets({}, Left())
    reserved = made.first("domain", (Kerberos(),), NOWHERE, default=True)
    assert reserved == SHAPES[SetKind.AUTH1].default
    (pointer,) = [one for one in made.instructions if one.value == reserved]
    assert pointer.text is not None
    assert not any(reserved in one.key for one in made.instructions)
    assert any(pointer.text in one.key for one in made.instructions)


def test_a_key_is_that_of_its_file_or_none() -> None:
    left = Left()
    made = Sets({"a.psk": "key\n", "b.psk": "hex:ff\n"}, left)
    made.first("a", (PskFile("a.psk"),), NOWHERE)
    assert [one.text for one in made.instructions if one.value == "SHKey"] == ["key"]
    for file in ("b.psk", "c.psk"):
        with pytest.raises(BadWord, match="nothing is left"):
            made.first(file, (PskFile(file),), NOWHERE)
    assert [one.why for one in left.items] == [
        "its octets are no text, and Windows takes a text only",
        "its key is not at hand",
    ]


def test_a_main_mode_that_windows_does_not_have() -> None:
    made = Sets({}, Left())
    with pytest.raises(BadWord, match="a time that Windows does not take"):
        made.main_mode("m", MainMode(lifetime_s=61), NOWHERE)
    with pytest.raises(BadWord, match="aggressive"):
        made.main_mode("m", MainMode(aggressive=True), NOWHERE)


def test_a_description_has_no_mark_of_the_grammar() -> None:
    assert plain("a|b") == "a/b"
