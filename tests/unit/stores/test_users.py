# SPDX-License-Identifier: Apache-2.0
"""Lists of users, passwords and secrets of RADIUS servers, read from files."""

import pytest

from ringfence.policy.document import parse_documents
from ringfence.policy.errors import PolicyError
from ringfence.policy.source import Source
from ringfence.secret import Secret
from ringfence.stores.errors import StoreError
from ringfence.stores.file import FileStore
from ringfence.stores.users import parse_users, read_users

TEXT = """
[radius.main]
host = "10.0.0.5"
secret-file = "radius.secret"

[[rule]]
name = "gateway"
with = "192.0.2.1"
secure = "require"
keying = "ikev2"
auth = { eap = "mschapv2", users-file = "users.toml", certificate = "CN=A" }

[[rule]]
name = "through radius"
with = "192.0.2.2"
secure = "require"
keying = "ikev2"
auth = { eap = "mschapv2", radius = "main", certificate = "CN=A" }

[[rule]]
name = "client"
with = "192.0.2.3"
secure = "require"
keying = "ikev2"
auth = { eap = "mschapv2", user = "alice", password-file = "alice.password", certificate = "CN=A" }
"""
LIST = """
# those who may come in
alice = "correct horse"
"CORP\\\\bob" = { nt-hash = "8846f7eaee8fb117ad06bdd830b7586c" }
"""


@pytest.fixture
def folder(tmp_path):
    for name, text in {"users.toml": LIST, "radius.secret": "s\n", "alice.password": "hex:00ff"}.items():
        path = tmp_path / name
        path.write_text(text)
        path.chmod(0o600)
    return tmp_path


def read(folder):
    sources = [Source.read(TEXT, name="p.toml")]
    return read_users(parse_documents(sources), sources, lambda name: folder / name)


def test_all_that_a_policy_names_is_read(folder):
    found = read(folder)
    assert found.secrets == {"radius.secret": Secret(b"s"), "alice.password": Secret(b"\x00\xff")}
    users = found.users["users.toml"].passwords
    assert users == {
        "alice": Secret(b"correct horse"),
        "CORP\\bob": Secret(bytes.fromhex("8846f7eaee8fb117ad06bdd830b7586c")),
    }
    assert [one.exact for one in users.values()] == [False, True]
    assert found.servers["main"].secret == Secret(b"s")


@pytest.mark.parametrize("name", ["users.toml", "radius.secret", "alice.password"])
def test_what_is_missing_or_open_to_others_is_told(folder, name):
    (folder / name).chmod(0o640)
    with pytest.raises(PolicyError) as error:
        read(folder)
    [finding] = error.value.findings
    assert f'"{name}" is open to its group' in finding.message
    assert finding.place.line > 1
    assert finding.cure.startswith("chmod 600")
    (folder / name).unlink()
    with pytest.raises(PolicyError, match="cannot be read: No such file"):
        read(folder)


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"alice = secret", "is no TOML"),
        (b"\xff", "is not UTF-8"),
        (b'alice = ""', 'no password for "alice"'),
        (b"alice = 5", 'no password for "alice"'),
        (b'alice = { nt-hash = "zz" }', 'no password for "alice"'),
        (b'alice = { nt-hash = "zz46f7eaee8fb117ad06bdd830b7586c" }', 'no password for "alice"'),
        (b'alice = { nt-hash = "8846f7eaee8fb117ad06bdd830b7586c", x = 1 }', 'no password for "alice"'),
    ],
)
def test_a_list_that_is_wrong_is_told_without_a_password(octets, why):
    with pytest.raises(StoreError, match=why) as error:
        parse_users(octets, "users.toml")
    assert "secret" not in str(error.value)


def test_a_policy_without_users_needs_no_file(tmp_path):
    text = '[[rule]]\nname = "a"\nwith = "any"\nsecure = "none"\n'
    sources = [Source.read(text, name="p.toml")]
    assert not read_users(parse_documents(sources), sources, lambda name: tmp_path / name).users


@pytest.mark.parametrize(
    "says",
    [
        'keying = "ikev2"\nauth = { eap = "mschapv2", users-file = "users.toml", certificate = "CN=A" }\n',
        'keying = "ikev1"\nauth = { psk-file = "alice.password" }\nmain-mode.xauth = { users-file = "users.toml" }\n',
    ],
)
def test_another_list_of_users_is_noticed(folder, says):
    (folder / "p.toml").write_text(f'[[rule]]\nname = "gateway"\nwith = "192.0.2.1"\nsecure = "require"\n{says}')
    store = FileStore(folder / "p.toml")
    assert "alice" in store.load().wallet.eap.users["users.toml"].passwords
    assert not store.changed()
    (folder / "users.toml").write_text('carol = "another password"\n')
    assert store.changed()
    assert set(store.load().wallet.eap.users["users.toml"].passwords) == {"carol"}
