# SPDX-License-Identifier: Apache-2.0
"""``ringfence lint``."""

import json
from pathlib import Path
from typing import Any

import pytest

from ringfence.cli import session

Command = Any

LAB = '[[rule]]\nname = "lab"\nwith = "10.77.0.0/24"\nauth = { psk-file = "lab.psk" }\n'


@pytest.fixture
def document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(session, "own_sessions", list)
    (tmp_path / "lab.psk").write_text("an open sesame that is long enough\n")
    (tmp_path / "lab.psk").chmod(0o600)
    (tmp_path / "p.toml").write_text(LAB)
    return tmp_path / "p.toml"


def test_fine(command: Command, document: Path) -> None:
    answer = command("lint", str(document), "--me", "10.77.0.1")
    assert (answer.code, answer.out) == (0, f"{document}: nothing worth a second look\n")


def test_findings_come_by_line(command: Command, document: Path) -> None:
    (document.parent / "lab.psk").chmod(0o644)
    document.write_text(LAB + 'lifetime = "30 s"\n[[filter]]\nname = "x"\nblock = "tcp to 23"\n')
    answer = command("lint", str(document), "--me", "10.77.0.1", "--domain-controller", "10.77.0.5")
    assert answer.code == 1
    places = [line.partition(" ")[0] for line in answer.lines if line.startswith("p.toml")]
    assert places == ["p.toml:1:", "p.toml:4:", "p.toml:5:", "p.toml:6:"]
    assert 'the key file "lab.psk" is open to everybody' in answer.out
    assert answer.lines[-1] == f"{document}: 4 findings"
    told = json.loads(command("lint", str(document), "--me", "10.77.0.1", "--json").out)
    assert [one["place"] for one in told["findings"]] == ["p.toml:4", "p.toml:5", "p.toml:6"]
    assert told["findings"][0]["severity"] == "warning"
    assert told["findings"][0]["cure"].startswith("chmod 600")


def test_errors_are_findings(command: Command, document: Path) -> None:
    document.write_text(LAB.replace("auth", "oath"))
    answer = command("lint", str(document), "--json")
    assert answer.code == 1
    found = json.loads(answer.out)["findings"]
    assert {one["severity"] for one in found} == {"error"}
    assert found[0]["excerpt"]


def test_without_keys(command: Command, document: Path) -> None:
    (document.parent / "lab.psk").unlink()
    assert command("lint", str(document), "--me", "10.77.0.1").code == 1
    assert command("lint", str(document), "--me", "10.77.0.1", "--no-keys").code == 0


def test_wrong_usage(command: Command, document: Path) -> None:
    assert command("lint", str(document), "--domain-controller", "dc").code == 2
    assert command("lint", str(document), "--me", "me").code == 2


def test_your_own_session_on_this_computer(command: Command, document: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ringfence.net.address import parse_address
    from ringfence.policy.host import HostFacts

    facts = HostFacts((parse_address("10.77.0.1"),))
    monkeypatch.setattr("ringfence.backends.hostfacts.host_facts", lambda: facts)
    monkeypatch.setattr(session, "own_sessions", lambda: ["out tcp 10.77.0.1:22 -> 10.77.0.7:5000"])
    assert "ends your own session unless" in command("lint", str(document)).out
    assert command("lint", str(document), "--me", "10.77.0.1").code == 0
