# SPDX-License-Identifier: Apache-2.0
"""``ringfence reload``."""

import json
from typing import Any

import pytest

from ringfence.control.messages import Reloaded
from ringfence.place import Place
from ringfence.policy.errors import Finding, PolicyError
from ringfence.testing.service import AnsweringService

Command = Any


def test_what_it_did(service: AnsweringService, command: Command) -> None:
    assert command("reload").out == "Nothing changed.\n"
    assert json.loads(command("reload", "--json").out) == {"changed": False, "summary": "Nothing changed.", "lines": []}


def test_each_change_is_named(service: AnsweringService, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    async def reload() -> Reloaded:
        return Reloaded(changed=True, summary="Applied: 1 added.", lines=["+ this", "    that"])

    monkeypatch.setattr(service, "reload", reload)
    assert command("reload").lines == ["Applied: 1 added.", "  + this", "      that"]


def test_a_refused_document_is_no_with_the_whole_text(service: AnsweringService, command: Command) -> None:
    service.refuse = PolicyError([Finding("one.", Place("p.toml", 1)), Finding("two.", Place("p.toml", 2))])
    answer = command("reload")
    assert answer.code == 1
    assert answer.err == "p.toml:1: one.\np.toml:2: two.\n"
