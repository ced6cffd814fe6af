# SPDX-License-Identifier: Apache-2.0
"""docs/howto/editing.md: its commands work, one after the other, and it names every kind of objects."""

import re
import shlex
from pathlib import Path

import pytest

from ringfence.cli.main import main
from ringfence.editing.nouns import NOUNS

TEXT = (Path(__file__).parents[2] / "docs/howto/editing.md").read_text()


def test_its_commands_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    document = tmp_path / "policy.toml"
    monkeypatch.setenv("RINGFENCE_DOCUMENT", str(document))
    monkeypatch.setenv("RINGFENCE_SOCKET", str(tmp_path / "none.sock"))
    monkeypatch.setattr("ringfence.cli.editing.record", lambda *words, **more: None)
    first, policies = re.findall(r"```\n(ringfence .*?)```", TEXT, re.DOTALL)

    def run(block: str) -> None:
        for line in block.splitlines():
            assert main(shlex.split(line)[1:]) == 0, f"{line}: {capsys.readouterr().err}"

    run(first)
    assert document.read_text() == (
        '[[rule]]\nname = "lab is isolated"\nwith = "10.77.0.0/24"\nauth = { psk-file = "lab.psk" }\n\n'
        '[filter-list."Web servers"]\nfilters = ["me tcp <-> any:443"]\n\n'
        '[[main-mode]]\nname = "database"\nwith = "10.77.0.9"\nauth = { psk-file = "lab.psk" }\n\n'
        '[[main-mode]]\nname = "servers"\nwith = "10.77.0.0/24"\nauth = { psk-file = "lab.psk" }\n'
    )
    document.unlink()
    run(policies)
    assert document.read_text() == (
        '[policy.Everyday]\nbased-on = "Client (Respond Only)"\nauth     = { psk-file = "site.psk" }\n\n'
        '[policy.Strict]\nbased-on = "Secure Server (Require Security)"\nauth     = { psk-file = "site.psk" }\n'
        'assigned = true\n\n[[policy.Strict.rule]]\nname          = "no ping"\n'
        'filter-list   = "All ICMP Traffic"\nfilter-action = "Permit"\n'
    )


def test_every_kind_is_named() -> None:
    for noun in NOUNS:
        assert f"`{noun.word}`" in TEXT
        assert noun.key in TEXT
