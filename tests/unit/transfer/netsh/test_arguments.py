# SPDX-License-Identifier: Apache-2.0
"""The arguments of a command."""

import pytest

from ringfence.transfer.netsh.arguments import Arguments, Refused
from ringfence.transfer.netsh.words import cut

TAGS = ("name", "policy", "description", "activate", "rootca")


def said(line: str) -> Arguments:
    return Arguments(cut(line), TAGS)


def test_names_values_and_order() -> None:
    found = said('one pol=two desc="x y" rootca=a rootca=b activate=Y')
    assert found.said == [
        ("name", "one"), ("policy", "two"), ("description", "x y"), ("rootca", "a"), ("rootca", "b"), ("activate", "Y"),
    ]  # fmt: skip
    assert found.need("name") == "one"
    assert found.get("policy", "z") == "two"
    assert found.flag("activate")
    assert "policy" in found


def test_what_is_not_said() -> None:
    found = said("")
    assert found.get("name", "z") == "z"
    assert found.flag("activate", default=True)
    assert found.number("policy", 7) == 7
    assert found.choice("policy", {"a": 1}, 3) == 3
    assert "name" not in found


@pytest.mark.parametrize("line", ["a b c yes r more", "nam=x na=y z=1", "x=1", "p="])
def test_wrong_arguments(line: str) -> None:
    with pytest.raises(Refused):
        said(line).need("policy")


@pytest.mark.parametrize("text", ["x", "-1", "1.5", "\u0663", "99999999999999", "11"])
def test_numbers(text: str) -> None:
    with pytest.raises(Refused, match="number from 0 to 10"):
        said(f"name={text}").number("name", 0, 10)
    assert said("name=10").number("name", 0, 10) == 10


def test_choices() -> None:
    assert said("name=PER").choice("name", {"permit": 1, "block": 2}, 0) == 1
    with pytest.raises(Refused, match="one of permit, block"):
        said("name=x").choice("name", {"permit": 1, "block": 2}, 0)
    with pytest.raises(Refused):
        said("activate=maybe").flag("activate")
