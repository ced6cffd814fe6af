# SPDX-License-Identifier: Apache-2.0
"""Statements in each other's way; what is called dead never decides on any packet."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.policy.document import parse
from ringfence.policy.shadows import cut, shadows
from ringfence.testing.policies import compile_text, rule_text


def found(text: str) -> list[str]:
    return [str(one).splitlines()[0] for one in shadows(parse(text, name="p.toml"), compile_text(text, "10.77.0.1"))]


def filter_text(name: str, verb: str, with_: str = "", traffic: str = "any", more: str = "") -> str:
    return f'[[filter]]\nname = "{name}"\n{verb} = "{traffic}"\n' + (f"with = {with_}\n" if with_ else "") + more


HALVES = '["10.78.0.0/25", "10.78.0.128/25"]'


def test_several_may_leave_nothing_of_one() -> None:
    text = filter_text("halves", "block", HALVES) + filter_text("whole", "permit", '"10.78.0.0/24"')
    assert found(text) == ['p.toml:5: warning: filter "whole" never decides: what it is about is decided by "halves".']
    assert (
        found(filter_text("half", "block", '"10.78.0.0/25"') + filter_text("whole", "permit", '"10.78.0.0/24"')) == []
    )


def test_directions_and_unseen_ports_count() -> None:
    whole = filter_text("whole", "permit", '"10.78.0.0/24"')
    assert found(filter_text("halves", "block", HALVES, more="mirrored = false\n") + whole) == []
    ports = ['"10.78.0.0/24"', "traffic = 1"][0]
    some = filter_text("low", "block", ports, "tcp to 0-32767") + filter_text(
        "high", "block", ports, "tcp to 32768-65535"
    )
    assert found(some + filter_text("all", "permit", ports, "tcp")) == []


def test_what_is_the_same_is_said_once_by_validate() -> None:
    assert found(filter_text("a", "block", HALVES) + filter_text("b", "permit", HALVES)) == []


def test_contradictions() -> None:
    text = filter_text("a", "permit", '"10.9.0.0/16"', "tcp to 1-1023") + filter_text(
        "b", "block", '"10.9.0.0/16"', "tcp to 512-1535"
    )
    (one,) = found(text)
    assert one.startswith(
        'p.toml:1: warning: filter "a" contradicts "b" (line 5) about 10.77.0.1 -> 10.9.0.0/16:512-1023'
    )
    assert one.endswith('and so "b" wins, by which it is blocked.')
    assert found(text.replace("permit", "block")) == []
    soft = rule_text("a", with_='"10.9.0.0/16"', traffic='"tcp to 1-1023"', secure='"request"')
    hard = rule_text("b", with_='"10.9.0.0/16"', traffic='"tcp to 512-1535"')
    assert "by which it is protected" in found(soft + hard)[0]
    assert found(hard + hard.replace('"b"', '"c"').replace("512-1535", "600-1623")) == []


def test_a_policy_of_windows_is_no_surprise() -> None:
    assert found('[policy]\nname = "p"\nbased-on = "Client (Respond Only)"\nauth = { psk-file = "test.psk" }\n') == []


Side = tuple[int, int]
SIDE = st.tuples(st.integers(0, 4), st.integers(0, 4)).map(lambda one: (min(one), max(one)))
BOX = st.tuples(SIDE, SIDE, SIDE)


def points(box: tuple[Side, ...]) -> set[tuple[int, ...]]:
    return set(product(*(range(first, last + 1) for first, last in box)))


@settings(deadline=None)
@given(BOX, BOX)
def test_cutting_loses_and_invents_nothing(one: tuple[Side, ...], other: tuple[Side, ...]) -> None:
    pieces = [points(piece) for piece in cut(one, other)]
    assert set().union(*pieces) == points(one) - points(other)
    assert sum(map(len, pieces)) == len(points(one) - points(other))


@pytest.mark.parametrize("count", [300])
def test_many_do_not_take_long(count: int) -> None:
    text = "".join(
        filter_text(f"f{n}", "block", f'"10.{n % 250}.{n // 250}.0/26"', f"tcp to {n + 1}") for n in range(count)
    )
    assert found(text + filter_text("all", "permit", '"10.0.0.0/8"', "tcp")) == []
