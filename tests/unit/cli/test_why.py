# SPDX-License-Identifier: Apache-2.0
"""``ringfence why``."""

import json
from typing import Any

from ringfence.testing.service import AnsweringService

Command = Any


def test_what_failed(service: AnsweringService, command: Command) -> None:
    answer = command("why", "10.77.0.9")
    assert (answer.code, answer.out) == (1, "now  failing\nOn 10.77.0.9, allow aes256-sha256-ecp256.\n")
    told = json.loads(command("why", "10.77.0.9", "--json").out)
    assert told["troubles"][0]["parts"][0]["what"] == "hash"


def test_nobody(service: AnsweringService, command: Command) -> None:
    answer = command("why", "10.77.0.3")
    assert (answer.code, answer.out) == (1, "")
    assert "Nothing has failed with 10.77.0.3" in answer.err
