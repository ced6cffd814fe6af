# SPDX-License-Identifier: Apache-2.0
"""``ringfence policy diff``."""

import json
from pathlib import Path
from typing import Any

import pytest

Command = Any

OLD = '[[rule]]\nname = "lab"\nwith = "10.77.0.0/24"\nauth = { psk-file = "lab.psk" }\n'
NEW = OLD + 'secure = "request"\n\n[[filter]]\nname = "no telnet"\nblock = "tcp to 23"\n'


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    (tmp_path / "old.toml").write_text(OLD)
    (tmp_path / "new.toml").write_text(NEW)
    return ["policy", "diff", str(tmp_path / "old.toml"), str(tmp_path / "new.toml"), "--me", "10.77.0.1", "--no-keys"]


def test_different(command: Command, words: list[str]) -> None:
    answer = command(*words)
    assert answer.code == 1
    assert answer.lines == [
        '~ rule "lab"   new.toml:1',
        '    secure = "request"   (until now "require")',
        '+ filter "no telnet"   new.toml:7',
        '    block = "tcp to 23"',
        "",
        "What changes there: 1 added, 1 changed",
        "  + 10.77.0.1 <-> 0.0.0.0/0:23, tcp: blocked",
        '      rule "no telnet" new.toml:7',
        "  ~ 10.77.0.1 <-> 10.77.0.0/24, any protocol: protected by ESP aes256-gcm (or aes128-gcm, aes256-sha256); "
        "in clear where the other side cannot",
        "      until now protected by ESP aes256-gcm (or aes128-gcm, aes256-sha256); in clear nothing passes",
        '      rule "lab" new.toml:1',
    ]


def test_json(command: Command, words: list[str]) -> None:
    answer = command(*words, "--json")
    assert answer.code == 1
    found = json.loads(answer.out)
    assert not found["same"]
    assert found["statements"][0] == {
        "kind": "changed", "what": 'rule "lab"', "place": "new.toml:1",
        "settings": [{"name": "secure", "was": '"require"', "now": '"request"'}],
    }  # fmt: skip
    assert found["summary"] == "1 added, 1 changed"


def test_the_same(command: Command, words: list[str], tmp_path: Path) -> None:
    (tmp_path / "new.toml").write_text("# a word\n" + OLD)
    answer = command(*words)
    assert (answer.code, answer.lines[0]) == (0, "Both documents say the same.")
    assert answer.lines[-1].startswith("What changes there: nothing changes")
    for name, key in (("old", "an open sesame that is long"), ("new", "another one that is long enough")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "p.toml").write_text(OLD)
        (tmp_path / name / "lab.psk").write_text(key)
    other_key = command("policy", "diff", f"{tmp_path}/old/p.toml", f"{tmp_path}/new/p.toml", "--me", "10.77.0.1")
    assert other_key.code == 1
    assert other_key.lines[0] == "Both documents say the same."
    assert "1 with other keys or methods" in other_key.out


def test_a_wrong_document(command: Command, words: list[str], tmp_path: Path) -> None:
    (tmp_path / "new.toml").write_text("x = 1\n")
    answer = command(*words)
    assert (answer.code, answer.out) == (1, "")
    assert "new.toml:1" in answer.err
