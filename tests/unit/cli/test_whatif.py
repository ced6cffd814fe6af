# SPDX-License-Identifier: Apache-2.0
"""``ringfence whatif``."""

import json
from pathlib import Path
from typing import Any

import pytest

from ringfence.testing.service import AnsweringService, make_policy

Command = Any

POLICY = """
[[rule]]
name = "lab is isolated"
with = "10.77.0.0/24"
auth = { psk-file = "lab.psk" }

[[filter]]
name = "no telnet"
block = "tcp to 23"
with = "10.0.0.0/8"
"""
FLOWS = """\
protocol,source,source_port,destination,destination_port
tcp,10.77.0.1,40000,10.77.0.2,80
tcp,10.77.0.1,40001,10.77.0.2,80
tcp,10.1.1.7,50000,10.77.0.1,22
udp,10.77.0.1,5353,192.0.2.53,53
tcp,10.77.0.1,2,10.77.0.1,3
"""
TELNET = "tcp,10.77.0.1,40002,10.9.9.9,23\n"


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    (tmp_path / "lab.psk").write_text("an open sesame that is long enough\n")
    (tmp_path / "lab.psk").chmod(0o600)
    (tmp_path / "policy.toml").write_text(POLICY)
    (tmp_path / "old.toml").write_text(POLICY.replace('with = "10.0.0.0/8"\n', ""))
    (tmp_path / "flows.csv").write_text(FLOWS)
    return ["whatif", str(tmp_path / "policy.toml"), "--flows", str(tmp_path / "flows.csv"), "--me", "10.77.0.1"]


def test_nothing_is_lost(command: Command, words: list[str], tmp_path: Path) -> None:
    answer = command(*words)
    assert answer.code == 0
    assert answer.lines == [
        f"4 flows of {tmp_path}/flows.csv (1 more of this computer with itself), by policy.toml",
        "",
        "BECOMES             FLOWS  PEERS  RULE",
        "protected, or lost      2      1  lab is isolated  policy.toml:2",
        "permitted               2      2  none",
        "",
        "SERVER            BECOMES             FLOWS  RULE",
        "10.77.0.2:80 tcp  protected, or lost      2  lab is isolated",
        "2 servers permitted as before",
        "",
        "lost     none: nothing that passes today would be blocked",
        "unknown  nothing here shows that IPsec works with 10.77.0.2; without it, that is lost, too",
    ]


def test_something_is_lost(command: Command, words: list[str], tmp_path: Path) -> None:
    (tmp_path / "flows.csv").write_text(FLOWS + TELNET)
    answer = command(*words)
    assert answer.code == 1
    assert "blocked                 1      1  no telnet  policy.toml:7" in answer.lines
    assert "lost     10.9.9.9:23 tcp" in answer.lines
    told = command(*words, "--json")
    assert told.code == 1
    found = json.loads(told.out)
    assert found["lost"] == ["10.9.9.9:23 tcp"]
    assert found["unknown"] == ["10.77.0.2"]
    assert found["services"][0] == {
        "service": "10.9.9.9:23 tcp", "fate": "block", "was": "", "flows": 1, "peers": ["10.9.9.9"],
        "rule": "no telnet", "place": "policy.toml:7",
    }  # fmt: skip
    assert [row["fate"] for row in found["by_rule"]] == ["block", "require", "permit"]


def test_compared_with_another_document(command: Command, words: list[str], tmp_path: Path) -> None:
    (tmp_path / "flows.csv").write_text(FLOWS + TELNET)
    same = command(*words, "--against", str(tmp_path / "old.toml"))
    assert same.code == 0
    assert "10.9.9.9:23 tcp   blocked             blocked                 1  no telnet" in same.lines
    (tmp_path / "old.toml").write_text("")
    worse = command(*words, "--against", str(tmp_path / "old.toml"))
    assert worse.code == 1
    assert "10.9.9.9:23 tcp   blocked             permitted      1  no telnet" in worse.lines
    assert worse.lines[0].endswith("by policy.toml, compared with old.toml")


def test_compared_with_the_running_policy(
    service: AnsweringService, command: Command, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "flows.csv").write_text(FLOWS + TELNET)
    monkeypatch.setattr(service, "policy", lambda: make_policy().model_copy(update={"settings": POLICY}))
    same = command(*words, "--running", "--json")
    assert same.code == 0
    assert json.loads(same.out)["services"][0]["was"] == "block"


def test_what_cannot_be_read(command: Command, words: list[str], tmp_path: Path) -> None:
    (tmp_path / "flows.csv").write_text("hello\n")
    answer = command(*words)
    assert (answer.code, answer.out) == (3, "")
    assert "conntrack -L" in answer.err
    (tmp_path / "flows.csv").write_text("")
    assert command(*words).lines[0].startswith("0 flows of")
    (tmp_path / "policy.toml").write_text("hello = 1\n")
    assert command(*words).code == 1
