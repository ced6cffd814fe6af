# SPDX-License-Identifier: Apache-2.0
"""``ringfence key show``."""

import json
from pathlib import Path
from typing import Any

import pytest
from lab.authority import new_key

from ringfence.crypto.rawkeys import as_dns, as_openssh, as_pem, fingerprint
from ringfence.crypto.signature import PrivateKey

Command = Any
INFO = PrivateKey(new_key("rsa")).public_info


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "alice.pub").write_text(as_pem(INFO))
    return tmp_path / "alice.pub"


def test_every_form_is_shown(command: Command, file: Path) -> None:
    answer = command("key", "show", str(file))
    assert answer.code == 0
    assert answer.lines[0] == f"key         rsa, sha256:{fingerprint(INFO).hex()}"
    assert f"Libreswan   rightrsasigkey={as_dns(INFO)}" in answer.lines
    assert f"OpenSSH     {as_openssh(INFO)}" in answer.lines


def test_pem_alone_is_a_file(command: Command, file: Path) -> None:
    assert "\n".join([*command("key", "show", "--pem", str(file)).lines, ""]) == as_pem(INFO)


def test_for_programs(command: Command, file: Path) -> None:
    answer = json.loads("\n".join(command("key", "show", "--json", str(file)).lines))
    assert (answer["kind"], answer["pem"]) == ("rsa", as_pem(INFO))


def test_what_is_no_key(command: Command, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("hello")
    assert command("key", "show", str(tmp_path / "x")).code == 3
