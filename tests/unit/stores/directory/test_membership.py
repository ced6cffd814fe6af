# SPDX-License-Identifier: Apache-2.0
"""What the document of the directory store says, and what is wrong with it."""

from pathlib import Path

import pytest

from ringfence.policy.errors import PolicyError
from ringfence.stores.directory.connection import Server
from ringfence.stores.directory.errors import DirectoryFailed
from ringfence.stores.directory.membership import open_directory, read_membership
from ringfence.stores.directory.store import Membership
from ringfence.stores.errors import StoreError

PATH = Path("/etc/ringfence/directory.toml")


def read(text: str) -> Membership:
    return read_membership(text, PATH, "alice.corp.example")


def test_little_is_enough():
    server = Server("ldap://dc1.corp.example", Path("/etc/krb5.keytab"))
    assert read('server = "ldap://dc1.corp.example"') == Membership(server, "ALICE$")


def test_all_of_it():
    found = read(
        'server = "ldap://dir"\nstart-tls = true\nca-file = "ca.pem"\nuser = "CN=alice"\npassword-file = "pw"\n'
        'computer = "OTHER$"\ndomain = "DC=corp"\ntimeout = 3\n'
    )
    folder = PATH.parent
    server = Server("ldap://dir", None, "CN=alice", folder / "pw", folder / "ca.pem", start_tls=True, timeout_s=3.0)
    assert found == Membership(server, "OTHER$", "DC=corp")
    assert read('server = "ldaps://dir"\nkeytab = "alice.keytab"').server.keytab == folder / "alice.keytab"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "does not say server"),
        ('server = "http://dir"', "which is not the address of a directory server"),
        ('server = "ldap://dir"\nuser = "a"', "go together"),
        ('server = "ldap://dir"\nuser = "a"\npassword-file = "b"', "would get a password in clear"),
        ('server = "ldap://dir"\ntimeout = 0', "timeout"),
        ('server = "ldap://dir"\nservers = 1', "servers"),
        ("server = ", "directory.toml:1"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text, words):
    with pytest.raises(PolicyError) as refused:
        read(text)
    assert words in str(refused.value)


def test_before_there_is_a_network_nobody_is_asked(tmp_path):
    path = tmp_path / "directory.toml"
    path.write_text('server = "ldap://192.0.2.1"')
    with pytest.raises(DirectoryFailed, match="before there is a network"):
        open_directory(path, None, offline=True).load()
    with pytest.raises(StoreError, match="cannot be read"):
        open_directory(tmp_path / "none", None)
