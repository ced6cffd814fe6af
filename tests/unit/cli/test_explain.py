# SPDX-License-Identifier: Apache-2.0
"""``ringfence explain``."""

import json
from pathlib import Path
from typing import Any

import pytest

from ringfence.backends.addresses import LocalAddresses
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


def test_a_document_answers_without_a_service(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "ringfence.backends.addresses.local_addresses", lambda: LocalAddresses((bytes([10, 0, 0, 1]),), ())
    )
    document = tmp_path / "p.toml"
    document.write_text('[[filter]]\nname = "no telnet"\nblock = "tcp to 23"\n')
    words = ("explain", "--policy", str(document))
    blocked = command(*words, "out tcp 10.0.0.1 -> 10.0.0.2:23")
    assert blocked.code == 1
    assert "no telnet" in blocked.out
    assert command(*words, "out tcp 10.0.0.1 -> 10.0.0.2:80").code == 0
    document.write_text("hello = 1")
    wrong = command(*words, "out tcp 10.0.0.1 -> 10.0.0.2:80")
    assert (wrong.code, wrong.out) == (1, "")
    assert "p.toml:1" in wrong.err


def test_another_situation(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "ringfence.backends.addresses.local_addresses", lambda: LocalAddresses((bytes([10, 0, 0, 1]),), ())
    )
    document = tmp_path / "p.toml"
    document.write_text('[[filter]]\nname = "f"\nblock = "tcp to 23"\nprofiles = "public"\n')
    words = ("explain", "out tcp 10.0.0.1 -> 10.0.0.2:23")
    assert command(*words, "--policy", str(document), "--profile", "public").code == 1
    told = command(*words, "--policy", str(document), "--profile", "domain")
    assert (told.code, "network    this computer: domain (said)" in told.out) == (0, True)
    assert "name it with --policy" in command(*words, "--profile", "domain").err


def test_another_computer(command: Command, tmp_path: Path) -> None:
    document = tmp_path / "p.toml"
    document.write_text('[[filter]]\nname = "f"\nblock = "tcp to 23"\n')
    words = ("explain", "out tcp 198.51.100.9 -> 10.0.0.2:23")
    told = command(*words, "--policy", str(document), "--me", "198.51.100.9")
    assert (told.code, "198.51.100.9 <->" in told.out) == (1, True)
    assert "name it with --policy" in command(*words, "--me", "198.51.100.9").err
    assert "Such as --me" in command(*words, "--policy", str(document), "--me", "there").err


def test_before_the_service_is_up(service: AnsweringService, command: Command, tmp_path: Path) -> None:
    told = command("explain", "out tcp 10.0.0.1 -> 10.0.0.2:80", "--at", "boot")
    assert (told.code, "before the service is up" in told.out) == (1, True)
    document = tmp_path / "p.toml"
    document.write_text('[[filter]]\nname = "no telnet"\nblock = "tcp to 23"\n')
    words = ("explain", "--at", "boot", "--policy", str(document))
    blocked = command(*words, "out tcp 10.0.0.1 -> 10.0.0.2:23")
    assert blocked.code == 1
    assert "no telnet" in blocked.out
    assert command(*words, "out tcp 10.0.0.1 -> 10.0.0.2:80").code == 0
    assert "at boot there is none" in command(*words, "out tcp 10.0.0.1 -> 10.0.0.2:80", "--profile", "public").err
