# SPDX-License-Identifier: Apache-2.0
"""What Group Policy objects amount to in a registry."""

import pytest

from ringfence.transfer.grouppolicy.preg import Instruction, Kind, dword, sz
from ringfence.transfer.grouppolicy.registry import Registry

K = "Software\\Policies\\Example"


def after(*applied: tuple[str, list[Instruction]]) -> Registry:
    registry = Registry()
    for origin, instructions in applied:
        registry.apply(instructions, origin)
    return registry


def directive(name: str, data: str = " ", key: str = K) -> Instruction:
    return sz(key, name, data)


FOUR = [dword(K, "a", 1), dword(K, "b", 2), dword(f"{K}\\x", "c", 3), dword(f"{K}\\y\\z", "d", 4)]


def test_the_last_word_counts_and_the_first_is_remembered() -> None:
    registry = after(("low", [dword(K, "a", 1)]), ("high", [dword(K.upper(), "A", 2)]))
    (entry,) = registry
    assert (entry.number, entry.origin) == (2, "high")
    (lost,) = registry.overridden
    assert (lost.entry.origin, lost.entry.number, lost.by.origin) == ("low", 1, "high")
    assert lost.entry.path == f"{K}\\a"


@pytest.mark.parametrize(
    ("instruction", "left"),
    [
        (directive("**del.A"), "bcd"),
        (directive("**Del.gone"), "abcd"),
        (directive("**delvals."), "cd"),
        (directive("**DelVals"), "cd"),
        (directive("**DeleteValues", "b; A;"), "cd"),
        (directive("**DeleteKeys", "X"), "abd"),
        (directive("**DeleteKeys", "y;x"), "ab"),
        (directive("**DeleteKeys y;x", ""), "ab"),
        (directive("***DeleteKeys", "x"), "abd"),
        (directive("**SecureKey"), "abcd"),
        (directive("**DeleteKeys", "x"), "abd"),
    ],
)
def test_directives(instruction: Instruction, left: str) -> None:
    registry = after(("low", FOUR), ("high", [instruction]))
    assert "".join(entry.instruction.value for entry in registry) == left
    assert {lost.by.origin for lost in registry.overridden} <= {"high"}
    assert len(registry.overridden) == 4 - len(left)
    assert not registry.unknown


def test_a_soft_value_does_not_override() -> None:
    registry = after(("", [dword(K, "a", 1), dword(K, "**soft.a", 2), dword(K, "**soft.b", 3)]))
    assert [entry.number for entry in registry.values(K).values()] == [1, 3]


def test_an_unknown_directive_is_kept_and_sets_nothing() -> None:
    registry = after(("gpo", [directive("**Frobnicate"), directive("**del")]))
    assert [entry.instruction.value for entry in registry.unknown] == ["**Frobnicate", "**del"]
    assert not list(registry)


def test_order_counts() -> None:
    clear, value = directive("**delvals."), dword(K, "a", 1)
    assert len(list(after(("", [clear, value])))) == 1
    assert not list(after(("", [value, clear])))


def test_keys_and_what_is_below() -> None:
    registry = after(("", [*FOUR, Instruction(f"{K}\\empty\\")]))
    assert registry.subkeys(K) == ("x", "y", "empty")
    assert registry.exists(f"{K}\\Y")
    assert registry.exists(f"{K}\\empty")
    assert not registry.exists(f"{K}\\no")
    assert not registry.values(f"{K}\\empty")
    assert registry.value(f"{K}\\X", "C") == next(iter(registry.values(f"{K}\\x").values()))
    assert registry.value(f"{K}\\no", "C") is None


def test_a_value_without_a_name_is_the_keys_own() -> None:
    registry = after(("", [Instruction(K, "", Kind.SZ, b"x\0\0\0")]))
    assert registry.values(K)[""].text == "x"
