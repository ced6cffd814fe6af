# SPDX-License-Identifier: Apache-2.0
"""``ringfence monitor``."""

import json
from typing import Any

from ringfence.testing.service import AnsweringService, make_event

Command = Any


def numbers(lines: list[str]) -> list[int]:
    return [json.loads(line)["number"] for line in lines]


def test_past_events_and_then_each_as_it_comes(service: AnsweringService, command: Command) -> None:
    service.coming = [make_event(4), make_event(5)]
    answer = command("monitor")
    assert answer.code == 0
    assert [line.split("  ", 1)[1] for line in answer.lines] == [f"event number {n}" for n in (1, 2, 3, 4, 5)]
    assert "ended" in answer.err


def test_without_following(service: AnsweringService, command: Command) -> None:
    service.coming = [make_event(4)]
    assert numbers(command("monitor", "--no-follow", "--json").lines) == [1, 2, 3]
    assert numbers(command("monitor", "--no-follow", "--json", "-n", "2").lines) == [2, 3]
    assert command("monitor", "--no-follow", "--json", "-n", "0").out == ""


def test_json_is_one_event_a_line_without_any_other_word(service: AnsweringService, command: Command) -> None:
    service.coming = [make_event(9)]
    answer = command("monitor", "--json")
    assert numbers(answer.lines) == [1, 2, 3, 9]
    assert answer.err == ""


def test_a_gap_is_told(service: AnsweringService, command: Command) -> None:
    service.coming = [make_event(9)]
    assert "5 events were missed" in command("monitor").out


def test_drops_only_with_their_counts(service: AnsweringService, command: Command) -> None:
    service.past.append(make_event(4, "dropped tcp: replayed", "packet-dropped"))
    answer = command("monitor", "drops", "--no-follow")
    assert "41 in clear but security required" in answer.lines[0]
    assert len(answer.lines) == 2
    assert answer.lines[1].endswith("dropped tcp: replayed")


def test_ike_and_policy_are_told_apart(service: AnsweringService, command: Command) -> None:
    service.past.append(make_event(4, "applied", "policy-applied"))
    assert numbers(command("monitor", "policy", "--no-follow", "--json").lines) == [4]
    assert numbers(command("monitor", "ike", "--no-follow", "--json").lines) == [1, 2, 3]


def test_long_sentences_wrap_under_themselves(service: AnsweringService, command: Command, narrow: None) -> None:
    service.past = [make_event(1, "word " * 40)]
    answer = command("monitor", "--no-follow")
    assert all(len(line) <= 80 for line in answer.lines)
    assert answer.lines[1].index("word") == answer.lines[0].index("word")
