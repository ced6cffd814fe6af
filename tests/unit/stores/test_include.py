# SPDX-License-Identifier: Apache-2.0
import os
from pathlib import Path

import pytest

from ringfence.place import Place
from ringfence.policy.errors import PolicyError
from ringfence.policy.model import Policy
from ringfence.stores import include
from ringfence.stores.file import FileStore
from ringfence.stores.include import Documents

FILTER = '[[filter]]\nname = "{}"\nblock = "tcp to 23"\n'
RULE = '[[rule]]\nname = "{}"\nwith = "10.77.0.0/24"\nauth = {{ psk-file = "{}" }}\n'


def write(folder: Path, **documents: str) -> Path:
    """Documents by their path, ``__`` for ``/``; the one called ``policy`` is returned."""
    for name, text in documents.items():
        path = folder / f"{name.replace('__', '/')}.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return folder / "policy.toml"


def load(path: Path) -> Policy:
    return FileStore(path).load().policy


def wrong(path: Path) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        FileStore(path).load()
    return [str(finding) for finding in caught.value.findings]


def test_documents_count_together_each_after_what_it_includes(tmp_path: Path) -> None:
    path = write(
        tmp_path, policy='include = ["base.toml", "sites/*.toml"]\n' + FILTER.format("own"),
        base=FILTER.format("base"), sites__b=FILTER.format("b"),
        sites__a='include = "../deep/x.toml"\n' + FILTER.format("a"),
        deep__x=FILTER.format("x"),
    )  # fmt: skip
    policy = load(path)
    assert [(one.name, str(one.place)) for one in policy.filters] == [
        ("base", "base.toml:1"), ("x", "deep/x.toml:1"), ("a", "sites/a.toml:2"), ("b", "sites/b.toml:1"),
        ("own", "policy.toml:2"),
    ]  # fmt: skip
    assert policy.name == "policy.toml"


def test_a_file_that_is_named_twice_is_read_once(tmp_path: Path) -> None:
    path = write(
        tmp_path, policy='include = ["a.toml", "sites/../b.toml", "link.toml", "b.toml"]\n',
        a='include = "b.toml"\n', b=FILTER.format("b"),
    )  # fmt: skip
    (tmp_path / "link.toml").symlink_to(tmp_path / "b.toml")
    assert [one.name for one in load(path).filters] == ["b"]


def test_a_key_file_is_named_from_the_document_that_names_it(tmp_path: Path) -> None:
    path = write(
        tmp_path, policy='include = "sites/*.toml"\n' + RULE.format("own", "lab.psk"),
        sites__a=RULE.format("a", "lab.psk"), sites__b=RULE.format("b", "../shared.psk"),
        sites__c=RULE.format("c", tmp_path / "whole.psk"),
    )  # fmt: skip
    for name in ("lab.psk", "sites/lab.psk", "shared.psk", "whole.psk"):
        (tmp_path / name).write_text(f"{name} {'x' * 20}")
    loaded = FileStore(path).load()
    assert {name: key.reveal().split()[0] for name, key in loaded.keys.items()} == {
        "sites/lab.psk": b"sites/lab.psk", "shared.psk": b"shared.psk", str(tmp_path / "whole.psk"): b"whole.psk",
        "lab.psk": b"lab.psk",
    }  # fmt: skip
    (tmp_path / "sites/lab.psk").unlink()
    (found,) = wrong(path)
    assert found.splitlines()[0] == (
        'sites/a.toml:4: rule "a": the key file "sites/lab.psk" cannot be read: No such file or directory.'
    )


def test_a_circle_is_told_step_by_step(tmp_path: Path) -> None:
    path = write(
        tmp_path, policy='include = [\n  "sites/a.toml",\n]\n', sites__a='include = "b.toml"\n',
        sites__b='# to and fro\ninclude = ["../policy.toml"]\n',
    )  # fmt: skip
    assert wrong(path) == [
        'sites/b.toml:2: include[1] is "../policy.toml", which goes round in a circle: policy.toml:2 includes '
        "sites/a.toml, sites/a.toml:1 includes sites/b.toml, sites/b.toml:2 includes policy.toml.\n"
        '   2 | include = ["../policy.toml"]\n'
        "     |            ^^^^^^^^^^^^^^^^\n"
        "Leave one of these out."
    ]
    write(tmp_path, policy='include = "policy.toml"\n')
    assert "policy.toml:1 includes policy.toml" in wrong(path)[0]


def test_a_pattern_may_match_the_document_itself(tmp_path: Path) -> None:
    path = write(tmp_path, policy='include = "*.toml"\n' + FILTER.format("own"), a=FILTER.format("a"))
    assert [one.name for one in load(path).filters] == ["a", "own"]


def test_all_that_is_wrong_with_several_files_is_told_at_once(tmp_path: Path) -> None:
    path = write(tmp_path, policy='include = ["none.toml", "a.toml", "b.toml", "sites"]\n', a="x = [\n")
    (tmp_path / "b.toml").write_bytes(b"a = 1\nb = '\xe4'\n")
    (tmp_path / "sites").mkdir()
    found = [one.splitlines() for one in wrong(path)]
    assert [one[0] for one in found] == [
        'policy.toml:1: include[1] is "none.toml", but it cannot be read: No such file or directory.',
        "a.toml:1: this is not TOML: no value begins here.",
        "b.toml:2: this is not text in UTF-8: octet 0xe4.",
        'policy.toml:1: include[4] is "sites", but it cannot be read: Is a directory.',
    ]
    assert found[0][-1] == f"Write {tmp_path}/none.toml, or leave it out of include."
    assert found[3][-1] == 'Name a file in it, or all of them: "sites/*.toml".'


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("1", "include is 1, but has to be a text or a list of texts"),
        ('["a.toml", 1]', "include[2] is 1, but has to be a text or a list of texts"),
        ('["", "\\u0000"]', "include[1] names no file"),
        ('"**/*.toml"', 'include is "**/*.toml", but folders are searched one at a time'),
        ('"pipe"', 'include is "pipe", but it is no file'),
    ],
)
def test_what_is_no_include(tmp_path: Path, value: str, message: str) -> None:
    path = write(tmp_path, policy=f"include = {value}\n", a=FILTER.format("a"))
    os.mkfifo(tmp_path / "pipe")
    assert any(message in one for one in wrong(path))


def test_a_pattern_that_matches_nothing_is_a_warning(tmp_path: Path) -> None:
    path = write(tmp_path, policy='include = "sites/*.toml"\n')
    loaded = FileStore(path).load()
    assert [str(one).splitlines()[0] for one in loaded.findings] == [
        'policy.toml:1: warning: include is "sites/*.toml", which matches no file.'
    ]


def test_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chain = {f"d{number}": f'include = "d{number + 1}.toml"\n' for number in range(20)}
    path = write(tmp_path, policy='include = "d0.toml"\n', **chain)
    assert "16 deep already" in wrong(path)[0]
    monkeypatch.setattr(include, "DOCUMENTS_AT_MOST", 3)
    path = write(tmp_path, policy='include = ["d9.toml", "a.toml", "b.toml"]\n', d9="", a="", b="")
    assert "3 documents were read already" in wrong(path)[0]
    monkeypatch.setattr(include, "ALL_OCTETS", 10)
    assert "0 MB were read already" in wrong(path)[0]


def test_each_document_has_its_file(tmp_path: Path) -> None:
    path = write(tmp_path, policy='include = ["base.toml", "sites/*.toml"]\n', base="", sites__a="")
    documents = Documents(path, path.name, "")
    documents.load()
    assert [one.name for one in documents.sources] == ["base.toml", "sites/a.toml", "policy.toml"]
    assert documents.paths == [tmp_path / "base.toml", tmp_path / "sites/a.toml", path]


def test_all_files_are_watched(tmp_path: Path) -> None:
    path = write(tmp_path, policy='include = ["base.toml", "sites/*.toml"]\n', base="", sites__a=RULE.format("a", "k"))
    (tmp_path / "sites/k").write_text("x" * 20)
    store = FileStore(path)

    def changes() -> bool:
        changed = store.changed()
        store.load()
        return changed and not store.changed()

    assert changes()
    write(tmp_path, base=FILTER.format("base"))
    assert changes()
    write(tmp_path, sites__b=FILTER.format("b"))
    assert changes()
    (tmp_path / "sites/k").write_text("y" * 21)
    assert changes()
    (tmp_path / "sites/b.toml").unlink()
    assert changes()
    (tmp_path / "base.toml").unlink()
    assert store.changed()
    with pytest.raises(PolicyError):
        store.load()
    assert not store.changed()
    write(tmp_path, base="")
    assert changes()


def test_names_that_clash_over_documents_are_told_with_both_places(tmp_path: Path) -> None:
    path = write(
        tmp_path, policy='include = "base.toml"\n[policy]\nbased-on = "Client (Respond Only)"\n' + FILTER.format("f"),
        base='[policy]\nbased-on = "Client (Respond Only)"\n' + FILTER.format("f"),
    )  # fmt: skip
    assert [one.splitlines()[0] for one in wrong(path)] == [
        "policy.toml:2: policy is already there in base.toml:1.",
        'policy.toml:5: filter "f": name is already taken in base.toml:3.',
    ]


def test_the_whole_name_and_the_store_are_said_where_there_are_several(tmp_path: Path) -> None:
    path = write(tmp_path, policy='include = "a.toml"\n' + RULE.format("r", "k"), a=FILTER.format("a"))
    (tmp_path / "k").write_text("x" * 20)
    loaded = FileStore(path, name=str(path), store="persistent").load()
    assert loaded.policy.filters[0].place == Place(f"{tmp_path}/a.toml", 1, "persistent")
    assert loaded.policy.key_files == (f"{tmp_path}/k",)


def test_a_mark_of_windows_editors_at_the_beginning_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_bytes(b"\xef\xbb\xbf" + FILTER.format("a").encode())
    assert load(path).filters[0].name == "a"
    path.write_bytes(FILTER.format("a").encode("utf-16"))
    assert wrong(path) == [
        "policy.toml: this is written in UTF-16, not in UTF-8.\nSave it as UTF-8, such as by  iconv -f utf-16 -t utf-8"
    ]
