# SPDX-License-Identifier: Apache-2.0
"""``ringfence gateway``."""

import json
from typing import Any

from ringfence.testing.service import AnsweringService

Command = Any


def test_drain_and_serve(service: AnsweringService, command: Command) -> None:
    answer = command("gateway", "drain", "198.51.100.8")
    assert answer.code == 0
    assert answer.out.strip() == "2 clients are sent to 198.51.100.8."
    assert command("gateway", "serve").code == 0
    assert service.drained == ["198.51.100.8", ""]


def test_for_machines(service: AnsweringService, command: Command) -> None:
    said = json.loads(command("gateway", "drain", "198.51.100.8", "--json").out)
    assert said == {"to": "198.51.100.8", "clients": 2, "staying": 0, "text": "2 clients are sent to 198.51.100.8."}


def test_what_is_refused(service: AnsweringService, command: Command) -> None:
    answer = command("gateway", "drain", "gw.example")
    assert answer.code == 2
    assert "gw.example" in answer.err
