# SPDX-License-Identifier: Apache-2.0
"""``ringfence policy import`` and ``export``."""

import json
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ringfence.cli.transfer import write_files
from ringfence.errors import IpsecError
from ringfence.policy.document import parse
from ringfence.policy.errors import BadWord
from ringfence.policy.model import Policy
from ringfence.testing.service import AnsweringService
from ringfence.transfer import formats
from ringfence.transfer.base import Exported, Format, Imported, ImportFailed, LeftOut, finding

Command = Any

DOCUMENT = '[[rule]]\nname = "lab"\nwith = "10.77.0.0/24"\nauth = { psk-file = "lab.psk" }\n'


def read(text: str, file: str) -> Imported:
    if "nonsense" in text:
        raise ImportFailed([finding(file, 1, text, (0, 8), "nonsense is no word.", cure="Leave it out.")])
    left = (LeftOut(f"{file}:2", "unknown thing", "it has no place here", "Do without."),) if "unknown" in text else ()
    notes = (LeftOut(f"{file}:1", "rule lab", "is also for IPv6"),)
    return Imported(parse(DOCUMENT, name=file), {"lab.psk": "open sesame\n"}, left, notes)


def write(policy: Policy, secrets: Mapping[str, str]) -> Exported:
    left = () if "lab.psk" in secrets else (LeftOut("", "lab.psk", "its key is not at hand"),)
    return Exported(f"rule {policy.rules[0].name} {secrets.get('lab.psk', '-')}\n", left)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    toy = Format("toy", "a toy", lambda text, _: text.count("rule"), read, write)
    monkeypatch.setattr(formats, "FORMATS", (toy,))
    (tmp_path / "lab.toy").write_text("rule lab\n")
    return tmp_path


def test_import_writes_the_document_and_the_key(command: Command, folder: Path) -> None:
    to = folder / "policy.toml"
    answer = command("policy", "import", str(folder / "lab.toy"), "--to", str(to))
    assert answer.code == 0
    assert to.read_text() == "# Brought along from lab.toy (a toy).\n\n" + DOCUMENT
    key = folder / "lab.psk"
    assert key.read_text() == "open sesame\n"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert answer.lines == [
        f"{folder}/lab.toy (toy): carried over 1 rule",
        "otherwise  lab.toy:1  rule lab: is also for IPv6",
        f"written    {key}",
        f"written    {to}",
        f"next       ringfence policy check {to}",
    ]


def test_import_to_standard_output_shows_no_key(command: Command, folder: Path) -> None:
    answer = command("policy", "import", str(folder / "lab.toy"))
    assert answer.code == 0
    assert parse(answer.out, name="x").rules
    assert "lab.psk: say --to FILE" in answer.err
    assert "sesame" not in answer.out + answer.err
    assert list(folder.glob("*.psk")) == []


def test_what_is_left_out_is_said_in_every_place(command: Command, folder: Path) -> None:
    (folder / "lab.toy").write_text("rule lab\nunknown thing\n")
    answer = command("policy", "import", str(folder / "lab.toy"), "--to", str(folder / "p.toml"))
    assert answer.code == 1
    assert "left out   lab.toy:2  unknown thing: it has no place here\n           Do without." in answer.out
    assert "# Left out: lab.toy:2: unknown thing: it has no place here\n# Do without.\n" in (
        (folder / "p.toml").read_text()
    )
    told = json.loads(command("policy", "import", str(folder / "lab.toy"), "--json").out)
    assert told["left_out"][0] == {
        "place": "lab.toy:2", "words": "unknown thing", "why": "it has no place here", "cure": "Do without.",
    }  # fmt: skip
    assert told["key_files"] == ["lab.psk"]
    assert told["written"] == []
    assert "sesame" not in json.dumps(told)


def test_nothing_is_overwritten_unasked(command: Command, folder: Path) -> None:
    to = folder / "policy.toml"
    to.write_text("# mine\n")
    answer = command("policy", "import", str(folder / "lab.toy"), "--to", str(to))
    assert answer.code == 3
    assert "--force" in answer.err
    assert to.read_text() == "# mine\n"
    assert not (folder / "lab.psk").exists()
    assert command("policy", "import", str(folder / "lab.toy"), "--to", str(to), "--force").code == 0
    assert to.read_text() != "# mine\n"
    again = command("policy", "import", str(folder / "lab.toy"), "--to", str(to))
    assert again.code == 0, "the same content is no loss"


def test_a_file_of_no_format(command: Command, folder: Path) -> None:
    (folder / "lab.toy").write_text("what?\n")
    for arguments in ([], ["--format", "other"]):
        answer = command("policy", "import", str(folder / "lab.toy"), *arguments)
        assert answer.code == 2
        assert "--format toy" in answer.err
    assert command("policy", "import", str(folder / "none.toy")).code == 3


def test_a_file_with_errors(command: Command, folder: Path) -> None:
    (folder / "lab.toy").write_text("nonsense rule\n")
    answer = command("policy", "import", str(folder / "lab.toy"), "--to", str(folder / "p.toml"))
    assert answer.code == 3
    assert answer.err.splitlines() == [
        "lab.toy:1: nonsense is no word.", "   1 | nonsense rule", "     | ^^^^^^^^", "Leave it out.",
    ]  # fmt: skip
    assert not (folder / "p.toml").exists()


def test_a_document_that_cannot_be_applied_is_said(
    command: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ringfence.policy.write.canonical", lambda _: DOCUMENT.replace("auth", "oath"))
    answer = command("policy", "import", str(folder / "lab.toy"), "--to", str(folder / "p.toml"))
    assert answer.code == 1
    assert "by hand    " in answer.out
    assert (folder / "p.toml").exists()


def test_export(command: Command, folder: Path) -> None:
    policy = folder / "policy.toml"
    policy.write_text(DOCUMENT)
    (folder / "lab.psk").write_text("open sesame\n")
    answer = command("policy", "export", str(policy), "--format", "toy")
    assert (answer.code, answer.out) == (0, "rule lab open sesame\n")
    without = command("policy", "export", str(policy), "--format", "toy", "--no-keys")
    assert without.code == 1
    assert "left out   lab.psk: its key is not at hand" in without.err
    to = folder / "out.toy"
    answer = command("policy", "export", str(policy), "--format", "toy", "--to", str(to))
    assert answer.code == 0
    assert stat.S_IMODE(to.stat().st_mode) == 0o600
    assert "sesame" not in answer.out
    told = json.loads(command("policy", "export", str(policy), "--format", "toy", "--to", str(to), "--json").out)
    assert told["written"] == [str(to)]
    assert told["text"] == ""
    assert command("policy", "export", str(policy)).code == 2
    assert command("policy", "export", str(policy), "--format", "other").code == 2


def test_export_of_the_running_policy(command: Command, folder: Path, service: AnsweringService) -> None:
    answer = command("policy", "export", "--format", "toy")
    assert answer.code == 1
    assert "its key is not at hand" in answer.err
    assert answer.out.startswith("rule ")


def test_a_folder_that_is_not_there(folder: Path) -> None:
    with pytest.raises(IpsecError, match="cannot be written"):
        write_files({folder / "none/p.toml": "x"}, private=set(), force=False)


def test_whose_side_a_file_is_read_from(command: Command, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_at(text: str, file: str, me: str) -> Imported:
        if me == "nobody":
            raise BadWord(f'"{me}", which is no address')
        return Imported(parse(DOCUMENT.replace("10.77.0.0/24", me), name=file + text))

    answer = command("policy", "import", str(folder / "lab.toy"), "--me", "192.0.2.1")
    assert (answer.code, "toy speaks of one computer only" in answer.err) == (2, True)
    toy = Format("toy", "a toy", lambda text, _: text.count("rule"), read, None, read_at)
    monkeypatch.setattr(formats, "FORMATS", (toy,))
    answer = command("policy", "import", str(folder / "lab.toy"), "--me", "192.0.2.1")
    assert 'with = "192.0.2.1"' in answer.out
    answer = command("policy", "import", str(folder / "lab.toy"), "--me", "nobody")
    assert '--me is "nobody", which is no address.' in answer.err


def test_a_format_that_is_no_text(command: Command, tmp_path: Path) -> None:
    policy, file = tmp_path / "policy.toml", tmp_path / "registry.pol"
    policy.write_text(DOCUMENT)
    (tmp_path / "lab.psk").write_text("open sesame\n")
    shown = command("policy", "export", str(policy), "--format", "registry.pol")
    assert shown.code == 2
    assert "--to FILE" in shown.err
    assert command("policy", "export", str(policy), "--format", "registry.pol", "--to", str(file)).code == 0
    assert file.read_bytes().startswith(b"PReg\x01\0\0\0[\0")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    back = command("policy", "import", str(file), "--to", str(tmp_path / "back.toml"))
    assert back.code == 0
    assert (tmp_path / "lab.psk").read_text() == "open sesame\n"
    assert [one.name for one in parse((tmp_path / "back.toml").read_text(), name="x").rules] == ["lab"]
    file.write_bytes(file.read_bytes()[:-1])
    broken = command("policy", "import", str(file))
    assert broken.code == 3
    assert 'registry.pol: it cannot be read: no "]" where an instruction ends at octet' in broken.err
    assert "GPO/Machine/registry.pol" in broken.err
    text = command("policy", "import", str(policy), "--format", "registry.pol")
    assert text.code == 3
    assert "does not begin with" in text.err


def test_into_a_file_that_has_other_things(command: Command, tmp_path: Path) -> None:
    policy, old, new = (tmp_path / name for name in ("policy.toml", "registry.pol", "new.pol"))
    policy.write_text('[[rule]]\nname = "lab"\nwith = "10.77.0.0/24"\nsecure = "none"\n')
    words = ("policy", "export", str(policy), "--format", "registry.pol", "--to")
    other = b"[\0K\0\0\0;\0V\0\0\0;\0\1\0\0\0;\0\2\0\0\0;\0\0\0]\0"
    old.write_bytes(b"PReg\1\0\0\0" + other)
    assert command(*words, str(new), "--into", str(old)).code == 0
    assert new.read_bytes().startswith(b"PReg\1\0\0\0" + other)
    assert "10.77.0.0/24".encode("utf-16-le") in new.read_bytes()
    again = command(*words, str(new), "--into", str(new), "--force")
    assert again.code == 0
    assert new.read_bytes().count("10.77.0.0/24".encode("utf-16-le")) == 1
    old.write_bytes(b"no such thing")
    refused = command(*words, str(tmp_path / "third.pol"), "--into", str(old))
    assert refused.code == 3
    assert f"{old}: it is no registry.pol that can be added to" in refused.err
    assert not (tmp_path / "third.pol").exists()
    text = command("policy", "export", str(policy), "--format", "netsh", "--into", str(old))
    assert text.code == 2
    assert "netsh is not put into other files" in text.err
