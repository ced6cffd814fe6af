# SPDX-License-Identifier: Apache-2.0
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from unit.cli.conftest import Answer, Command

from ringfence.editing import edit
from ringfence.editing.draft import Draft
from ringfence.editing.nouns import NOUNS, POLICY, Form, Noun

DOCUMENT = """\
# what we agreed on in May
[[rule]]
name   = "lab"          # ask Bob
with   = "10.77.0.0/24"
auth   = { psk-file = "lab.psk" }
"""


@pytest.fixture
def document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RINGFENCE_SOCKET", str(tmp_path / "none.sock"))
    monkeypatch.setattr("ringfence.cli.editing.record", lambda *words, **more: None)
    path = tmp_path / "policy.toml"
    path.write_text(DOCUMENT)
    monkeypatch.setenv("RINGFENCE_DOCUMENT", str(path))
    return path


def said(answer: Answer) -> str:
    assert answer.code == 0, answer.err
    return answer.out


def test_from_nothing_to_a_policy(document: Path, command: Command) -> None:
    document.unlink()
    assert command("consec", "list").code == 3
    out = said(command("consec", "new", "lab is isolated", "--with", "10.77.0.0/24", "--auth", "psk-file=lab.psk"))
    assert '+ rule "lab is isolated"' in out
    assert document.read_text() == (
        '[[rule]]\nname = "lab is isolated"\nwith = "10.77.0.0/24"\nauth = { psk-file = "lab.psk" }\n'
    )


def test_comments_and_layout_stay(document: Path, command: Command) -> None:
    said(command("consec", "set", "lab", "secure=request", "with=10.78.0.0/24"))
    said(command("filter", "new", "no telnet", "block=tcp to 23"))
    assert document.read_text() == (
        DOCUMENT.replace("10.77", "10.78")
        + 'secure = "request"\n\n[[filter]]\nname  = "no telnet"\nblock = "tcp to 23"\n'
    )
    said(command("filter", "delete", "no telnet"))
    said(command("consec", "set", "lab", "--unset", "secure", "with=10.77.0.0/24"))
    assert document.read_text() == DOCUMENT


def test_a_wrong_value_is_told_as_the_document_would(document: Path, command: Command) -> None:
    answer = command("consec", "set", "lab", "with=10.77.0.300")
    assert (answer.code, document.read_text()) == (1, DOCUMENT)
    assert 'with: rule "lab": with is "10.77.0.300", which is not an IP address' in answer.err.replace("with=", "with")
    assert command("consec", "set", "lab", "wiht=any").code == 1
    assert command("consec", "set", "lab").code == 2
    assert command("consec", "set", "lap", "with=any").code == 1
    assert command("consec", "new", "lab", "with=any").code == 1
    assert document.read_text() == DOCUMENT


def test_a_dry_run_writes_nothing(document: Path, command: Command) -> None:
    out = said(command("consec", "set", "lab", "secure=request", "--dry-run"))
    assert '+secure = "request"' in out
    assert document.read_text() == DOCUMENT
    told = json.loads(said(command("consec", "set", "lab", "secure=request", "--dry-run", "--json")))
    assert (told["written"], told["changes"][0]["settings"][0]["now"]) == (False, '"request"')


def test_lists_and_references(document: Path, command: Command) -> None:
    said(command("filterlist", "new", "Web", "filters=me tcp <-> any:80"))
    said(command("filterlist", "set", "Web", "filters+=me tcp <-> any:443"))
    assert '["me tcp <-> any:80", "me tcp <-> any:443"]' in document.read_text()
    said(command("filterlist", "set", "Web", "filters-=1"))
    assert 'filters = ["me tcp <-> any:443"]' in document.read_text()
    said(command("authset", "new", "corp", "first=kerberos"))
    said(command("consec", "set", "lab", "--unset", "auth", "auth-set=corp"))
    answer = command("authset", "delete", "corp")
    assert (answer.code, 'still used by rule "lab"' in answer.err) == (1, True)
    said(command("authset", "rename", "corp", "domain"))
    assert 'auth-set = "domain"' in document.read_text()


def test_what_there_is(document: Path, command: Command) -> None:
    assert "lab" in said(command("consec", "list"))
    assert said(command("consec", "show", "lab")).splitlines()[0].endswith("policy.toml:2")
    assert json.loads(said(command("consec", "list", "--json")))["items"][0]["says"]["with"] == "10.77.0.0/24"
    assert "has no filters" in said(command("filter", "list"))


@pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: noun.word)
def test_every_kind_has_its_command(command: Command, noun: Noun) -> None:
    answer = command(noun.word, "--help")
    assert answer.code == 0
    verbs = (
        ("set", "show", "delete") if noun.form is Form.SINGLE else ("new", "set", "list", "show", "rename", "delete")
    )
    assert all(f"  {verb} " in answer.out for verb in verbs)
    assert ("  assign " in answer.out) == (noun is POLICY)


def test_policies_and_rules(document: Path, command: Command) -> None:
    document.write_text("# ours\n")
    said(command("policy", "new", "Everyday", "based-on=Client (Respond Only)", "auth.psk-file=k", "assigned=true"))
    said(command("policy", "new", "Strict", "based-on=Secure Server (Require Security)", "auth.psk-file=k"))
    assert command("rule", "new", "ping", "filter-list=All ICMP Traffic", "filter-action=Block").code == 1
    said(command("rule", "new", "ping", "--policy", "Strict", "filter-list=All ICMP Traffic", "filter-action=Block"))
    said(command("rule", "set", "ping", "filter-action=Permit", "connection=lan"))
    said(command("policy", "assign", "Strict"))
    said(command("policy", "delete", "Everyday"))
    said(command("rule", "rename", "ping", "Ping"))
    assert document.read_text() == (
        '# ours\n\n[policy.Strict]\nbased-on = "Secure Server (Require Security)"\nauth     = { psk-file = "k" }\n'
        'assigned = true\n\n[[policy.Strict.rule]]\nname          = "Ping"\nfilter-list   = "All ICMP Traffic"\n'
        'filter-action = "Permit"\nconnection    = "lan"\n'
    )
    said(command("rule", "delete", "Ping", "--policy", "Strict"))
    said(command("policy", "unassign", "Strict"))
    answer = command("consec", "set", "x", "secure=none", "--policy", "Strict")
    assert (answer.code, "do not belong to an IPsec policy" in answer.err) == (2, True)


def test_that_of_which_there_is_one(document: Path, command: Command) -> None:
    said(command("global", "set", "idle-time=10 min", "--pfs"))
    said(command("profile", "set", "domain.networks=10.0.0.0/8"))
    said(command("global", "set", "--unset", "pfs"))
    assert document.read_text() == (
        f'{DOCUMENT}\n[global]\nidle-time = "10 min"\n\n[profile]\ndomain = {{ networks = "10.0.0.0/8" }}\n'
    )
    assert "+ boot   policy.toml" in said(command("bootmode", "set", "mode=block"))
    assert "exempt     = []" in said(command("bootmode", "show", "--effective"))
    said(command("bootmode", "delete"))
    said(command("global", "delete"))
    said(command("profile", "delete"))
    assert document.read_text() == DOCUMENT


def test_documents_that_are_included_count(document: Path, command: Command) -> None:
    base = document.with_name("base.toml")
    base.write_text("[auth-set.corp]\nfirst = 'kerberos'\n")
    text = f'include = "base.toml"\n{DOCUMENT}'
    document.write_text(text)
    assert command("consec", "set", "lab", "secure=banana").code == 1
    assert command("consec", "set", "lab", "--unset", "auth", "auth-set=nobody").code == 1
    assert command("authset", "new", "corp", "first=ntlm").code == 1
    assert document.read_text() == text
    assert '~ rule "lab"' in said(command("consec", "set", "lab", "--unset", "auth", "auth-set=corp"))
    base.write_text("nonsense")
    assert "base.toml:1: this is not TOML" in command("consec", "set", "lab", "secure=request").err


EDIT = "import sys; from ringfence.cli.main import main; sys.exit(main(sys.argv[1:]))"
KILLED = f"""
import os, signal
from ringfence.stores import writing
writing.WHEN = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
{EDIT}
"""


def test_policies_that_are_written_at_once_are_all_there(document: Path) -> None:
    """Two of them find a single [policy], and give it its name."""
    document.write_text('# ours\n[policy]\nname = "A"  # first\nbased-on = "Client (Respond Only)"\n')
    running = [
        subprocess.Popen([sys.executable, "-c", EDIT, "policy", "new", name, "based-on=Client (Respond Only)"])
        for name in ("B", "C", "D")
    ]
    assert [one.wait(timeout=120) for one in running] == [0, 0, 0]
    draft = Draft.read(document.read_text(), name="p")
    assert sorted(item.name for item in draft.items(POLICY)) == ["A", "B", "C", "D"]
    assert [item.name for item in draft.items(POLICY) if item.data.get("assigned")] == ["A"]
    assert draft.text.startswith("# ours\n[policy.A]\n")


@pytest.mark.parametrize("when", ["_take_after", "_sync_folder"])
def test_assigning_that_is_killed_leaves_one_of_both_documents(document: Path, when: str) -> None:
    old = '[policy.A]\nassigned = true\nbased-on = "Client (Respond Only)"\n\n'
    old += '[policy.B]\nbased-on = "Secure Server (Require Security)"\n'
    document.write_text(old)
    new = edit.assign(Draft.read(old, name="p"), "B").text
    done = subprocess.run([sys.executable, "-c", KILLED.replace("WHEN", when), "policy", "assign", "B"], timeout=120)
    assert done.returncode == -signal.SIGKILL
    assert document.read_text() == (old if when == "_take_after" else new)
    assert subprocess.run([sys.executable, "-c", EDIT, "policy", "assign", "B"], timeout=120).returncode == 0
    assert document.read_text() == new


def test_main_mode_rules_are_put_in_order(document: Path, command: Command) -> None:
    rules = [f'[[main-mode]]\nname = "{name}"\nwith = "10.77.0.0/24"\npfs = true\n' for name in ("a", "b")]
    document.write_text("\n".join([DOCUMENT, *rules]))
    (document.parent / "lab.psk").write_text("a key for tests, long enough\n")
    (document.parent / "lab.psk").chmod(0o600)
    out = said(command("mainmode", "move", "b", "--before", "a"))
    assert 'place in order = first   (until now behind "a")' in out
    assert document.read_text() == "\n".join([DOCUMENT, *reversed(rules)])
    assert command("mainmode", "move", "b").code == 2
    assert command("consec", "move", "lab", "--before", "lab").code == 2
