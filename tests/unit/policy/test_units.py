# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.policy.errors import BadWord
from ringfence.policy.units import format_amount, format_duration, parse_amount, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"), [("60 min", 3600), ("1h", 3600), ("90 s", 90), ("2 d", 172800), ("5 MIN", 300)]
)
def test_durations(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "octets"), [("100 MB", 104857600), ("20480 KB", 20971520), ("1gb", 1 << 30), ("0 B", 0)]
)
def test_amounts(text: str, octets: int) -> None:
    assert parse_amount(text) == octets


@pytest.mark.parametrize(
    ("text", "why"),
    [("60", "no unit"), ("60 MB", '"MB" is not known'), ("1.5 h", "not a time"), ("-1 s", "not a time"),
     ("", "not a time"), ("٣ s", "not a time"), ("9" * 19 + " s", "not a time")],
)  # fmt: skip
def test_what_is_no_duration(text: str, why: str) -> None:
    with pytest.raises(BadWord, match=why) as caught:
        parse_duration(text)
    assert "60 min" in caught.value.cure


@given(st.integers(1, 1 << 50))
def test_round_trips(number: int) -> None:
    assert parse_duration(format_duration(number)) == number
    assert parse_amount(format_amount(number)) == number


def test_canonical_forms() -> None:
    assert [format_duration(n) for n in (3600, 28800, 90)] == ["60 min", "480 min", "90 s"]
    assert [format_amount(n) for n in (0, 104857600, 1023)] == ["0 B", "100 MB", "1023 B"]
