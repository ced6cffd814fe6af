# SPDX-License-Identifier: Apache-2.0
"""Numbers and times as people read them."""

from datetime import UTC, datetime, timedelta

import pytest

from ringfence.cli.words import ago, clock, count, listing, octets, short_ago, span

NOW = datetime(2026, 11, 25, 12, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1_204, "1.2 kB"), (99_940, "99.9 kB"), (100_000, "100 kB"),
        (999_499, "999 kB"), (999_999, "1.0 MB"), (1_204_000_000, "1.2 GB"), (5 * 10**15, "5.0 PB"),
        (4 * 10**18, "4000 PB"),
    ],
)  # fmt: skip
def test_octets(number: int, text: str) -> None:
    assert octets(number) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 seconds"), (1, "1 second"), (59.4, "59 seconds"), (60, "1 minute"), (90, "1 minute"),
        (540, "9 minutes"), (3600, "1 hour"), (4800, "1 hour 20 minutes"), (4 * 3600 + 60, "4 hours"),
        (2 * 86400 + 3 * 3600, "2 days 3 hours"), (-5, "0 seconds"),
    ],
)  # fmt: skip
def test_span(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_ago_and_in() -> None:
    assert ago(NOW - timedelta(minutes=9), NOW) == "9 minutes ago"
    assert ago(NOW + timedelta(minutes=54), NOW) == "in 54 minutes"
    assert ago(NOW, NOW) == "just now"


def test_another_day_has_its_date() -> None:
    assert clock(NOW, NOW) == f"{NOW.astimezone():%H:%M}"
    yesterday = NOW - timedelta(days=1)
    assert clock(yesterday, NOW) == f"{yesterday.astimezone():%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(5, "5 s"), (59.7, "1 min"), (3570, "1 h"), (7300, "2 h"), (28_799, "8 h"), (90_000, "25 h"), (260_000, "3 d")],
)
def test_short(seconds: float, text: str) -> None:
    assert short_ago(NOW - timedelta(seconds=seconds), NOW) == text
    assert short_ago(NOW + timedelta(seconds=seconds), NOW) == text


def test_counts_and_listings() -> None:
    assert count(1, "packet") == "1 packet"
    assert count(1204, "packet") == "1,204 packets"
    assert count(2, "entry", "entries") == "2 entries"
    assert [listing(names) for names in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]
