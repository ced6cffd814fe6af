# SPDX-License-Identifier: Apache-2.0
"""``ringfence explain``."""

import json
from typing import Any

from ringfence.testing.service import AnsweringService

Command = Any


def test_yes_no_and_nonsense(service: AnsweringService, command: Command) -> None:
    yes = command("explain", "out tcp 10.0.0.1 -> 10.0.0.2:80")
    assert (yes.code, yes.out) == (0, "protect  because of a rule\n")
    assert command("explain", "out tcp 10.0.0.1 -> 10.0.0.2:23").code == 1
    nonsense = command("explain", "hello")
    assert (nonsense.code, nonsense.out) == (2, "")
    assert "Write it as" in nonsense.err


def test_json(service: AnsweringService, command: Command) -> None:
    answer = command("explain", "out tcp 10.0.0.1 -> 10.0.0.2:23", "--json")
    assert answer.code == 1
    assert json.loads(answer.out)["verdict"] == "block"
