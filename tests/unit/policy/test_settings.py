# SPDX-License-Identifier: Apache-2.0
"""The settings themselves are tried in test_rules and test_ipsec; here is what these do not reach."""

from ringfence.policy.decode import Table
from ringfence.policy.settings import decode_name, decode_places, either
from ringfence.policy.source import Source


def table(text: str) -> Table:
    source = Source.read(text, name="p")
    return Table(source, (), source.data, [])


def test_the_lines_of_inner_settings() -> None:
    places = decode_places(table("a = 1\nb = { c = 2 }\n"))
    assert {name: place.line for name, place in places.items()} == {"a": 1, "b": 2, "b.c": 2}


def test_a_name_is_needed() -> None:
    found = table("")
    assert decode_name(found) == ""
    assert "has no name" in str(found.findings[0])


def test_either() -> None:
    assert (either(None, 1), either(0, 1)) == (1, 0)
