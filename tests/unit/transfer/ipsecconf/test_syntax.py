# SPDX-License-Identifier: Apache-2.0
"""Sections, what they take from others, and keys."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.policy.errors import BadWord
from ringfence.transfer.base import ImportFailed
from ringfence.transfer.ipsecconf.syntax import Key, key_value, parse
from ringfence.transfer.swanctl.syntax import Value


def test_sections_take_from_others() -> None:
    text = (
        "version 2\nconn %default\n  a=0 # why\n  b=0\n  c=0\nconn x\n\talso=y\n\ta=1\n\n# note\n"
        "\tleft-id = \"q # r\"\n"
        "conn y\n    b=2\n    a=2\n    also=gone\ninclude more.conf\n"
    )  # fmt: skip
    files = parse(text, "x")
    x, y = files.conns()
    assert {key: value.text for key, value in x.values.items()} == {"a": "1", "b": "2", "c": "0", "left_id": "q # r"}
    assert x.text("c") == "0"
    assert x.line_of("nothing", "b") == 13
    assert x.line_of("nothing") == 6
    assert y.text("a") == "2"
    assert files.missing == [Value("gone", 15)]
    assert files.includes == [Value("more.conf", 16)]


def test_keys() -> None:
    text = (
        '@a 192.0.2.1 : PSK "one # two"\n: psk 0xab\n2001:db8::1 %any: PSK \'three\'\n# : PSK "no"\n'
        '@b :\n\tPSK "four"\n: RSA {\n  Modulus: 0x1\n }\n@c: XAUTH "five"\n'
    )
    assert parse(text, "x").keys == [
        Key(1, ("@a", "192.0.2.1"), "PSK", '"one # two"'),
        Key(2, (), "PSK", "0xab"),
        Key(3, ("2001:db8::1", "%any"), "PSK", "'three'"),
        Key(5, ("@b",), "PSK", '"four"'),
        Key(7, (), "RSA", "{ Modulus: 0x1 }"),
        Key(10, ("@c",), "XAUTH", '"five"'),
    ]
    assert [key_value(word) for word in ('"a b"', "'a\"b'", "0xab")] == ["a b", 'a"b', "0xab"]
    with pytest.raises(BadWord):
        key_value("a b")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("conn x\n\tleft\n", 'x:2: conn x: this sets nothing: it has to be "setting=value"'),
        ("left=1\n", "x:1: it is neither a section, nor a setting of one, nor a key"),
        ("conn x\n also=y\nconn y\n also=x\n", "leads back to itself"),
        ("conn x\n also=x\n", "leads back to itself"),
    ],
)
def test_mistakes(text: str, message: str) -> None:
    with pytest.raises(ImportFailed) as failed:
        parse(text, "x")
    assert message in str(failed.value)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["conn a", "conn %default", " also=a", " left=x", ": PSK 'x'", "#", "  ", "x :", "y"])))
def test_whatever_stands_there(lines: list[str]) -> None:
    with suppress(ImportFailed):
        assert parse("\n".join(lines), "x").missing is not None
