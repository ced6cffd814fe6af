# SPDX-License-Identifier: Apache-2.0
import io
import sys
from pathlib import Path

import pytest

from ringfence.cli.document import facts_for, read, read_file
from ringfence.control.errors import BadRequest
from ringfence.errors import IpsecError
from ringfence.net.address import parse_address
from ringfence.policy.document import parse
from ringfence.policy.errors import PolicyError
from ringfence.policy.host import HostFacts
from ringfence.policy.model import Policy
from ringfence.policy.scope import Profile


def test_facts_of_another_computer() -> None:
    assert facts_for(Policy(), ["10.0.0.5", "fd00::5"]).own == (parse_address("10.0.0.5"), parse_address("fd00::5"))
    with pytest.raises(BadRequest, match="nonsense"):
        facts_for(Policy(), ["nonsense"])


def test_facts_of_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = HostFacts((b"\x0a\0\0\1",), dns_servers=(b"\x0a\0\0\2",))
    monkeypatch.setattr("ringfence.backends.hostfacts.host_facts", lambda: facts)
    assert facts_for(Policy(), None) == facts_for(Policy(), []) == facts


def test_documents_and_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "p.toml").write_text('[[filter]]\nname = "f"\nblock = "tcp to 23"\n')
    loaded, facts, compiled = read(tmp_path / "p.toml", ["10.0.0.5"])
    assert facts.own == (parse_address("10.0.0.5"),)
    assert loaded.document_name == "p.toml"
    assert any(entry.origin.rule == "f" for entry in compiled.spd)
    (tmp_path / "p.toml").write_text("x = 1\n")
    with pytest.raises(PolicyError):
        read(tmp_path / "p.toml", ["10.0.0.5"])
    assert read_file(tmp_path / "p.toml") == b"x = 1\n"
    with pytest.raises(IpsecError, match="No such file"):
        read_file(tmp_path / "none")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"in")))
    assert read_file(Path("-")) == b"in"


def test_another_situation() -> None:
    policy = parse("", name="p.toml")
    assert facts_for(policy, ["10.0.0.5"], "public").profile is Profile.PUBLIC
    assert facts_for(policy, ["10.0.0.5"]).profile is None
    with pytest.raises(BadRequest, match='--profile is "home", but has to be "domain", "private" or "public"'):
        facts_for(policy, ["10.0.0.5"], "home")
