# SPDX-License-Identifier: Apache-2.0
"""What formats of other programs share."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.policy.document import parse
from ringfence.transfer.base import (
    Format,
    ImportFailed,
    KeyFiles,
    LeftOut,
    decode_text,
    finding,
    key_file_text,
    key_of_file,
    key_text,
    shown,
    slug,
)
from ringfence.transfer.formats import FORMATS


def test_left_out_in_words() -> None:
    assert str(LeftOut("a.cmd:3", "reset", "does nothing here")) == "a.cmd:3: reset: does nothing here"
    assert str(LeftOut("", "reset", "no", "Do it.")) == "reset: no\nDo it."


POLICIES = """[policy.A]
assigned = true
based-on = "Client (Respond Only)"
[policy.B]
based-on = "Client (Respond Only)"
"""


@pytest.mark.parametrize("form", [one for one in FORMATS if one.write], ids=lambda one: one.name)
def test_policies_that_are_not_assigned(form: Format) -> None:
    assert form.write is not None
    found = form.write(parse(POLICIES, name="p.toml"), {})
    about = [one for one in found.left_out if one.words == 'policy "B"']
    if form.name == "netsh":
        assert about == []
        assert 'add policy name="B"' in found.text
        assert found.text.count("assign=yes") == 1
    else:
        (one,) = about
        assert (one.place, one.cure) == ("p.toml:4", "To export it, assign it:  ringfence policy assign 'B'")
        assert "it is not assigned" in one.why


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_texts_of_windows(encoding: str) -> None:
    assert decode_text("Büro\r\nx\r\n".encode(encoding)) == "Büro\nx\n"


def test_text_that_is_none_is_no_failure() -> None:
    assert decode_text(b"\xff\xfe\x00") == "\ufffd"
    assert decode_text(b"\x81\n") == "\ufffd\n"


def test_words_are_harmless() -> None:
    assert shown("a\x1b[1m  \n b") == "a [1m b"
    assert shown("x" * 200) == "x" * 157 + "..."


def test_a_finding_points() -> None:
    found = finding("a.cmd", 12, "add rule nam=x", (9, 14), "nam is not known.", cure="Write name=x.")
    assert str(found).splitlines() == [
        "a.cmd:12: nam is not known.",
        "  12 | add rule nam=x",
        "     |          ^^^^^",
        "Write name=x.",
    ]
    far = finding("a.cmd", 1, "x" * 300 + "!", (300, 301), "no.")
    assert far.excerpt.splitlines()[0].endswith("!")
    assert far.excerpt.splitlines()[1].endswith("^")


def test_a_failure_has_every_finding() -> None:
    failed = ImportFailed([finding("a", 1, "x", (0, 1), "one."), finding("a", 2, "y", (0, 1), "two.")])
    assert failed.place == "a:1"
    assert "a:1: one." in str(failed)
    assert "a:2: two." in str(failed)


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_a_key_comes_back_from_its_file(key: str) -> None:
    assert key_of_file(key_file_text(key)) == key
    assert key_text(key.encode()) == key_file_text(key)


def test_keys_that_are_no_text() -> None:
    assert key_text(b"\xff\x00") == "hex:ff00\n"
    assert key_of_file("hex:ff00\n") is None
    assert key_of_file("hex:zz") is None
    assert key_file_text("hex:00") == "hex:6865783a3030\n"
    assert key_file_text("open sesame") == "open sesame\n"


def test_one_key_one_file() -> None:
    files = KeyFiles()
    assert files.file_for("a", "Branch office").file == "branch-office.psk"
    assert files.file_for("b", "branch-OFFICE").file == "branch-office-2.psk"
    assert files.file_for("a", "other").file == "branch-office.psk"
    assert files.file_for("c", "???").file == "key.psk"
    assert files.secrets(["key.psk", "branch-office.psk"]) == {"branch-office.psk": "a\n", "key.psk": "c\n"}


def test_keys_are_hidden_wherever_they_stand() -> None:
    files = KeyFiles()
    files.file_for("open sesame", "x")
    files.file_for("abc", "y")
    assert files.hide("say open sesame, abc") == "say ..., abc"


def test_slug() -> None:
    assert slug("Büro / Nord (alt)") == "b-ro-nord-alt"
    assert len(slug("x" * 100)) == 40
