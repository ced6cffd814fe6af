# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from ringfence.policy.errors import PolicyError
from ringfence.secret import Secret
from ringfence.stores.errors import StoreError
from ringfence.stores.file import FileStore

POLICY = '[[rule]]\nname = "lab"\nwith = "10.77.0.0/24"\nauth = { psk-file = "lab.psk" }\n'
KEY = "correct horse battery staple"


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    (tmp_path / "policy.toml").write_text(POLICY)
    (tmp_path / "lab.psk").write_text(f"{KEY}\n")
    (tmp_path / "lab.psk").chmod(0o600)
    return tmp_path / "policy.toml"


def test_the_key_stands_beside_the_policy(policy: Path) -> None:
    loaded = FileStore(policy).load()
    assert loaded.keys == {"lab.psk": Secret(KEY.encode())}
    assert loaded.document_name == "policy.toml"
    assert loaded.findings == ()


def test_warnings_about_a_key_file(policy: Path) -> None:
    (policy.parent / "lab.psk").write_text("short")
    (policy.parent / "lab.psk").chmod(0o644)
    findings = list(map(str, FileStore(policy).load().findings))
    assert findings[0].startswith(
        'policy.toml:4: warning: rule "lab": the key file "lab.psk" is open to everybody.\nchmod 600 '
    )
    assert "is short: 5 octets" in findings[1]


def test_errors_lead_to_their_file(policy: Path) -> None:
    (policy.parent / "lab.psk").unlink()
    with pytest.raises(PolicyError) as caught:
        FileStore(policy).load()
    assert str(caught.value).splitlines()[:3] == [
        'policy.toml:4: rule "lab": the key file "lab.psk" cannot be read: No such file or directory.',
        '   4 | auth = { psk-file = "lab.psk" }',
        "     |                      ^^^^^^^",
    ]
    policy.write_text("[[rule]]\n")
    with pytest.raises(PolicyError):
        FileStore(policy).load()
    policy.write_bytes(b"\xff")
    with pytest.raises(PolicyError, match=r"policy\.toml:1: this is not text in UTF-8: octet 0xff"):
        FileStore(policy).load()
    policy.unlink()
    with pytest.raises(StoreError, match="the policy cannot be read"):
        FileStore(policy).load()


def test_changes_are_noticed(policy: Path) -> None:
    store = FileStore(policy)
    assert store.changed()
    store.load()
    assert not store.changed()
    (policy.parent / "lab.psk").write_text("another and longer key")
    assert store.changed()
    store.load()
    policy.write_text("broken")
    assert store.changed()
    with pytest.raises(PolicyError):
        store.load()
    assert not store.changed()
    policy.unlink()
    assert store.changed()


def test_without_keys(policy: Path) -> None:
    (policy.parent / "lab.psk").unlink()
    store = FileStore(policy, keyless=True)
    assert list(store.load().keys) == ["lab.psk"]
    assert not store.changed()
    policy.write_text(POLICY + "enabled = false\n")
    assert store.changed()


def test_a_folder_stands_for_all_documents_in_it(policy: Path) -> None:
    (policy.parent / "more.toml").write_text('[[filter]]\nname = "f"\nblock = "tcp to 23"\n')
    store = FileStore(policy.parent)
    loaded = store.load()
    assert (len(loaded.policy), loaded.policy.name) == (2, policy.parent.name)
    assert loaded.policy.filters[0].place.document == f"{policy.parent.name}/more.toml"
    assert loaded.keys.keys() == {f"{policy.parent.name}/lab.psk"}
    (policy.parent / "third.toml").write_text("")
    assert store.changed()
    whole = FileStore(policy.parent, name=str(policy.parent), store="persistent").load()
    assert str(whole.policy.rules[0].place) == f"{policy}:1"
    assert whole.keys.keys() == {str(policy.parent / "lab.psk")}


def test_all_files_are_known(policy: Path) -> None:
    loaded = FileStore(policy).load()
    assert set(loaded.files) == {policy, policy.parent / "lab.psk"}
    assert loaded.roots == FileStore(policy, keyless=True).load().roots == (policy,)
