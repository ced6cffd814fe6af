# SPDX-License-Identifier: Apache-2.0
import json
from pathlib import Path

import pytest
from unit.cli.conftest import Command

from ringfence.cli import editing
from ringfence.net.address import parse_address
from ringfence.policy.host import HostFacts
from ringfence.testing.service import AnsweringService


def test_an_edit_that_cuts_off_its_author_is_not_written(
    tmp_path: Path, command: Command, service: AnsweringService, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = tmp_path / "policy.toml"
    document.write_text("")
    (tmp_path / "lab.psk").write_text("a key that is long enough")
    (tmp_path / "lab.psk").chmod(0o600)
    monkeypatch.setattr(editing, "record", lambda *words, **more: None)
    follow(service, monkeypatch, files=[document], roots=[document])
    monkeypatch.setattr(editing, "_secured", lambda session: False)
    monkeypatch.setattr("ringfence.cli.session.own_sessions", lambda: ["out tcp 10.77.0.1:22 -> 10.77.0.9:50000"])
    here = HostFacts((parse_address("10.77.0.1"),))
    monkeypatch.setattr("ringfence.cli.document.facts_for", lambda policy: here)
    words = ("consec", "new", "lab", "with=10.77.0.0/24", "auth.psk-file=lab.psk", "-d", str(document))
    answer = command(*words)
    assert (answer.code, document.read_text()) == (1, "")
    assert "This would end your own session" in answer.err
    assert "The service follows this document" in command(*words, "--force").out
    assert document.read_text() != ""


def test_the_document_that_the_service_follows(
    tmp_path: Path, command: Command, service: AnsweringService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names are short and the same in many folders; whole paths tell."""
    root, part, other = tmp_path / "policy.toml", tmp_path / "part.toml", tmp_path / "other/policy.toml"
    other.parent.mkdir()
    root.write_text('include = "part.toml"\n[auth-set.corp]\nfirst = "kerberos"\n')
    part.write_text('[[filter]]\nname = "dns"\npermit = "udp to 53"\n')
    other.write_text(part.read_text())
    follow(service, monkeypatch, files=[root, part], roots=[root])
    monkeypatch.setattr("ringfence.cli.session.own_sessions", list)
    monkeypatch.chdir(tmp_path)
    assert "The service follows this document" in command("filter", "new", "telnet", "block=tcp to 23").out
    assert 'name  = "telnet"' in root.read_text(), "it is the default"
    assert "it follows" not in command("filter", "set", "dns", "permit=udp to 5353", "-d", "other/policy.toml").out
    refused = command("filter", "rename", "dns", "telnet", "-d", "part.toml")
    assert (refused.code, "is already taken" in refused.err) == (1, True), "by the document that includes it"
    assert command("consec", "new", "lab", "with=10.0.0.9", "auth-set=corp", "-d", "part.toml").code == 0
    assert [(edit.document, edit.kind, edit.name, edit.edit) for edit, _ in service.edits] == [
        (str(root), "filter", "telnet", "added"), (str(part), "connection security rule", "lab", "added"),
    ]  # fmt: skip
    assert service.edits[0][0].change == '+ filter "telnet": block = "tcp to 23"'


def follow(service: AnsweringService, monkeypatch: pytest.MonkeyPatch, *, files: list[Path], roots: list[Path]) -> None:
    policy = service.status().policy.model_copy(update={"files": list(map(str, files)), "roots": list(map(str, roots))})
    status = service.status().model_copy(update={"policy": policy})
    monkeypatch.setattr(service, "status", lambda: status)


def test_what_a_dry_run_would_change_here(tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGFENCE_SOCKET", str(tmp_path / "none.sock"))
    here = HostFacts((parse_address("10.0.0.1"),))
    monkeypatch.setattr("ringfence.cli.document.facts_for", lambda policy: here)
    document = tmp_path / "policy.toml"
    document.write_text("")
    words = ("filter", "new", "telnet", "block=tcp to 23", "-d", str(document), "--dry-run")
    out = command(*words).out
    assert "What would change on this computer:" in out
    assert "  + 10.0.0.1 <-> 0.0.0.0/0:23, tcp: blocked" in out
    assert json.loads(command(*words, "--json").out)["lines"][0].startswith("+ ")
    assert document.read_text() == ""
    document.write_text("nonsense = 1\n")
    assert "cannot be told: the document has mistakes" in command(*words).out


def test_a_part_is_judged_with_what_includes_it(tmp_path: Path, command: Command) -> None:
    root, part = tmp_path / "policy.toml", tmp_path / "part.toml"
    root.write_text('include = "part.toml"\n[filter-list.Web]\nfilters = ["me <-> any"]\n')
    part.write_text('[policy]\nname = "A"\nbased-on = "Client (Respond Only)"\n')
    words = ("rule", "new", "web", "filter-list=Web", "filter-action=Permit", "-d", str(part))
    assert command(*words).code == 1
    assert command(*words, "--root", str(root)).code == 0
    refused = command("filterlist", "delete", "Web", "-d", str(root))
    assert (refused.code, "part.toml" in refused.err) == (1, True)
    assert command("rule", "list", "-d", str(part), "--root", str(part.with_name("no.toml"))).code == 3


def test_which_policy_is_assigned_is_told(tmp_path: Path, command: Command) -> None:
    where = ("-d", str(tmp_path / "policy.toml"))
    client = "based-on=Client (Respond Only)"
    assert 'No IPsec policy is assigned. To have one followed:  ringfence policy assign "A"' in (
        command("policy", "new", "A", client, *where).out
    )
    assert "ringfence policy assign" not in command("policy", "assign", "A", *where).out
    assert '"A" stays the assigned one. To change that:  ringfence policy assign "B"' in (
        command("policy", "new", "B", client, *where).out
    )
    assert "stays" not in command("policy", "set", "B", "legacy=true", *where).out
    assert "No IPsec policy is assigned" in command("policy", "unassign", "A", *where).out
