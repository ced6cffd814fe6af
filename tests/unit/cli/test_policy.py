# SPDX-License-Identifier: Apache-2.0
"""``ringfence policy``."""

import json
from pathlib import Path
from typing import Any

import pytest

from ringfence.backends.addresses import LocalAddresses
from ringfence.control.messages import PolicyView
from ringfence.testing.service import AnsweringService, make_policy

Command = Any

GOOD = """
[[rule]]
name = "lab is isolated"
with = "10.77.0.0/24"
secure = "require"
auth = { psk-file = "lab.psk" }

[[filter]]
name = "no telnet"
block = "tcp to 23"
"""


@pytest.fixture
def document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(
        "ringfence.backends.addresses.local_addresses",
        lambda: LocalAddresses((bytes([10, 77, 0, 1]),), (bytes([10, 77, 0, 255]),)),
    )
    (tmp_path / "lab.psk").write_text("an open sesame that is long enough\n")
    (tmp_path / "lab.psk").chmod(0o600)
    path = tmp_path / "policy.toml"
    path.write_text(GOOD)
    return path


def test_show(service: AnsweringService, command: Command, narrow: None) -> None:
    answer = command("policy", "show")
    assert answer.code == 0
    assert answer.lines[0].startswith("policy.toml, applied ")
    assert "block    10.77.0.1 <-> 0.0.0.0/0:23 tcp" in answer.lines[3]
    assert "everything else  permit" in answer.out
    assert all(len(line) <= 80 for line in answer.lines)
    assert PolicyView.model_validate_json(command("policy", "show", "--json").out) == make_policy()


def test_effective_is_the_document_with_every_setting(service: AnsweringService, command: Command) -> None:
    assert command("policy", "show", "--effective").out == make_policy().settings


def test_entries_show_everything_about_each(service: AnsweringService, command: Command, narrow: None) -> None:
    answer = command("policy", "show", "--entries")
    for text in ("esp aes128-gcm", "aes256-sha256-ecp256", "preshared key lab.psk", "require", "policy.toml:2"):
        assert text in answer.out
    assert all(len(line) <= 80 for line in answer.lines)


def test_a_good_document(document: Path, command: Command) -> None:
    answer = command("policy", "check", str(document))
    assert answer.code == 0
    assert answer.lines[0].startswith(f"{document} is correct: 2 rules, ")
    assert "10.77.0.1 <-> 10.77.0.0/24" in answer.out
    assert "always in clear  IKE" in answer.out
    for more in ("--effective", "--entries"):
        shown = command("policy", "check", str(document), more).out
        assert "lab.psk" in shown
        assert "sesame" not in shown
    told = json.loads(command("policy", "check", str(document), "--json").out)
    assert told["correct"] is True
    (warning,) = told["findings"]
    assert 'filter "no telnet" does not block 10.77.0.1 <-> 10.77.0.0/24' in warning
    assert "sesame" not in str(told)


def test_a_bad_document_says_where_and_what(document: Path, command: Command) -> None:
    document.write_text(GOOD.replace('"require"', '"demand"'))
    answer = command("policy", "check", str(document))
    assert answer.code == 1
    assert answer.lines[0].startswith("policy.toml:5: rule ")
    assert '"demand"' in answer.out
    assert "^^^^" in answer.out
    told = command("policy", "check", str(document), "--json")
    assert told.code == 1
    assert json.loads(told.out)["correct"] is False
    assert len(json.loads(told.out)["findings"]) == 1


def test_a_warning_does_not_fail(document: Path, command: Command) -> None:
    (document.parent / "lab.psk").chmod(0o644)
    answer = command("policy", "check", str(document))
    assert answer.code == 0
    assert "warning" in answer.out


def test_what_cannot_be_read_is_3(tmp_path: Path, command: Command) -> None:
    answer = command("policy", "check", str(tmp_path / "none.toml"))
    assert answer.code == 3
    assert "none.toml" in answer.err


def test_every_answer_names_the_document_that_is_included(command: Command, tmp_path: Path) -> None:
    (tmp_path / "sites").mkdir()
    site = tmp_path / "sites/lab.toml"
    lab = '\n[[filter]]\nname = "lab"\npermit = "tcp to 80"\nwith = "10.0.0.0/8"\n'
    site.write_text(lab + lab.replace("lab", "one way").replace("80", "81") + "mirrored = false\n")
    old, new, flows = tmp_path / "old.toml", tmp_path / "policy.toml", tmp_path / "flows.csv"
    old.write_text("")
    new.write_text('include = "sites/*.toml"\n[[filter]]\nname = "rest"\nblock = "any"\n')
    flows.write_text("protocol,source,source_port,destination,destination_port\ntcp,10.0.0.1,9999,10.0.0.2,80\n")
    here = ("--me", "10.0.0.1")
    place = "sites/lab.toml:2"
    assert place in command("policy", "check", str(new), "--effective").out
    assert place in command("policy", "diff", str(old), str(new), *here).out
    assert place in command("whatif", str(new), "--flows", str(flows), *here).out
    assert "sites/lab.toml:11: warning: " in command("lint", str(new), *here).out
    site.write_text("nonsense")
    for words in (("policy", "check"), ("lint",)):
        assert "sites/lab.toml:1: this is not TOML" in command(*words, str(new)).out


def test_another_situation_can_be_asked(document: Path, command: Command) -> None:
    document.write_text('[[filter]]\nname = "outside"\nblock = "tcp to 23"\nprofiles = "public"\n')
    assert "outside" in command("policy", "check", str(document)).out
    assert "outside" in command("policy", "check", str(document), "--profile", "public").out
    at_home = command("policy", "check", str(document), "--profile", "private")
    assert (at_home.code, "block " in at_home.out) == (0, False)
    assert f'not here now     filter "outside" {document.name}:1 (profiles public)' in at_home.out.replace(
        f"{document.parent}/", ""
    )
    told = json.loads(command("policy", "check", str(document), "--profile", "private", "--json").out)
    assert (len(told["elsewhere"]), told["refused"]) == (1, [])
    wrong = command("policy", "check", str(document), "--profile", "home")
    assert (wrong.code, 'has to be "domain", "private" or "public"' in wrong.err) == (2, True)


def test_what_would_be_refused_is_told(document: Path, command: Command) -> None:
    document.write_text(GOOD.replace('{ psk-file = "lab.psk" }', '"kerberos"'))
    answer = command("policy", "check", str(document))
    assert answer.code == 1
    assert "This version cannot carry it out: run and apply refuse it, for what is said of " in answer.out
    assert json.loads(command("policy", "check", str(document), "--json").out)["refused"] == ['rule "lab is isolated"']


def test_another_computer_can_be_asked_about(document: Path, command: Command) -> None:
    told = json.loads(command("policy", "check", str(document), "--me", "10.77.0.7", "--json").out)
    assert "10.77.0.7" in str(told["entries"])


def test_what_holds_at_boot_is_told_where_the_document_says_it(document: Path, command: Command) -> None:
    assert "before the service" not in command("policy", "check", str(document)).out
    document.write_text('[boot]\nexempt = "in tcp to 22"\n' + document.read_text())
    answer = command("policy", "check", str(document))
    assert "before the service  stateful: " in answer.out
    assert "exempt: in tcp to 22" in json.loads(command("policy", "check", str(document), "--json").out)["boot"]
