# SPDX-License-Identifier: Apache-2.0
import io
import sys
from pathlib import Path

import pytest

from ringfence.cli.document import host_facts, read, read_file
from ringfence.control.errors import BadRequest
from ringfence.errors import IpsecError
from ringfence.net.address import parse_address
from ringfence.policy.errors import PolicyError


def test_facts_of_another_computer() -> None:
    assert host_facts(["10.0.0.5", "fd00::5"]).own == (parse_address("10.0.0.5"), parse_address("fd00::5"))
    with pytest.raises(BadRequest, match="nonsense"):
        host_facts(["nonsense"])


def test_facts_of_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringfence.backends.addresses.local_addresses", lambda: ((b"\x0a\0\0\1",), (b"\x0a\0\0\xff",)))
    assert host_facts(None).own == (b"\x0a\0\0\1",)
    assert host_facts([]).broadcasts == (b"\x0a\0\0\xff",)


def test_documents_and_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "p.toml").write_text('[[filter]]\nname = "f"\nblock = "tcp to 23"\n')
    loaded, compiled = read(tmp_path / "p.toml", host_facts(["10.0.0.5"]))
    assert loaded.document_name == "p.toml"
    assert any(entry.origin.rule == "f" for entry in compiled.spd)
    (tmp_path / "p.toml").write_text("x = 1\n")
    with pytest.raises(PolicyError):
        read(tmp_path / "p.toml", host_facts(["10.0.0.5"]))
    assert read_file(tmp_path / "p.toml") == b"x = 1\n"
    with pytest.raises(IpsecError, match="No such file"):
        read_file(tmp_path / "none")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"in")))
    assert read_file(Path("-")) == b"in"
