# SPDX-License-Identifier: Apache-2.0
"""``ringfence reload``."""

import json
from typing import Any

from ringfence.policy.errors import Finding, PolicyError
from ringfence.testing.service import AnsweringService

Command = Any


def test_what_it_did(service: AnsweringService, command: Command) -> None:
    assert command("reload").out == "Nothing changed.\n"
    assert json.loads(command("reload", "--json").out) == {"changed": False, "summary": "Nothing changed.", "lines": []}


def test_a_refused_document_is_no_with_the_whole_text(service: AnsweringService, command: Command) -> None:
    service.refuse = PolicyError([Finding("one.", "p.toml", 1), Finding("two.", "p.toml", 2)])
    answer = command("reload")
    assert answer.code == 1
    assert answer.err == "p.toml:1: one.\np.toml:2: two.\n"
