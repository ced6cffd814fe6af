# SPDX-License-Identifier: Apache-2.0
"""``ringfence plan``, ``apply`` and ``confirm``."""

import json
from pathlib import Path
from typing import Any

import pytest

from ringfence.cli import session
from ringfence.control.errors import NotThere, Refused
from ringfence.testing.service import AnsweringService

Command = Any


@pytest.fixture(autouse=True)
def at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "own_sessions", lambda: ["out tcp 10.0.0.1:22 -> 10.0.0.9:1000"])


def test_a_plan(service: AnsweringService, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert command("plan", "p.toml").lines == [f"+ of {tmp_path}/p.toml"]
    assert json.loads(command("plan", "p.toml", "--json").out)["changed"] is True
    assert service.orders == []


def test_what_will_change_and_what_changed(service: AnsweringService, command: Command) -> None:
    answer = command("apply", "/p.toml")
    assert answer.lines == ["+ of /p.toml", "Applied: 1 added, 2 as before."]
    (order,) = service.orders
    assert (order.document, order.confirm_within_s, order.force) == ("/p.toml", None, False)
    assert order.sessions == ["out tcp 10.0.0.1:22 -> 10.0.0.9:1000"]


@pytest.mark.parametrize(("text", "seconds"), [("60s", 60), ("5min", 300), ("1 h", 3600)])
def test_on_probation(service: AnsweringService, command: Command, text: str, seconds: int) -> None:
    answer = command("apply", "/p.toml", "--confirm-within", text, "--force")
    assert "ringfence confirm" in answer.lines[-1]
    (order,) = service.orders
    assert (order.confirm_within_s, order.force) == (seconds, True)
    assert json.loads(command("apply", "/p.toml", "--confirm-within", text, "--json").out)["confirm_by"]


@pytest.mark.parametrize("text", ["60", "soon", "0s", "2d"])
def test_times_that_are_none(service: AnsweringService, command: Command, text: str) -> None:
    answer = command("apply", "/p.toml", "--confirm-within", text)
    assert answer.code == 2
    assert service.orders == []


def test_no_means_no(service: AnsweringService, command: Command) -> None:
    service.refuse = Refused("This would end your own session.", cure="Add an exemption.")
    answer = command("apply", "/p.toml")
    assert answer.code == 1
    assert answer.err == "This would end your own session.\nAdd an exemption.\n"


def test_confirmation(service: AnsweringService, command: Command) -> None:
    assert command("confirm").out == "Confirmed: policy.toml stays.\n"
    assert json.loads(command("confirm", "--json").out)["text"]
    service.refuse = NotThere("There is nothing to confirm.")
    assert command("confirm").code == 1
