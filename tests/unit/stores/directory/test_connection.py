# SPDX-License-Identifier: Apache-2.0
"""Connections that are refused before anything is said, and servers that do not answer; real ones: ``interop``."""

import socket
import sys
from pathlib import Path

import pytest

from ringfence.stores.directory.connection import Server, connected
from ringfence.stores.directory.errors import DirectoryFailed


def failure(server: Server) -> str:
    with pytest.raises(DirectoryFailed) as failed, connected(server):
        pytest.fail("it is connected")
    return str(failed.value)


def test_what_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ldap", None)
    assert 'pip install "ringfence[directory]"' in failure(Server("ldap://127.0.0.1"))


def test_tls_is_that_of_the_address_or_asked_for():
    assert [Server("ldap://a").tls, Server("LDAPS://a").tls, Server("ldap://a", start_tls=True).tls] == [
        False,
        True,
        True,
    ]


def test_a_password_is_never_sent_in_clear():
    pytest.importorskip("ldap")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        said = failure(Server(f"ldap://127.0.0.1:{listener.getsockname()[1]}", user="CN=a"))
        assert "would go over the network in clear" in said
        listener.settimeout(0)
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_a_server_that_says_nothing_is_given_up():
    pytest.importorskip("ldap")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        said = failure(
            Server(f"ldap://127.0.0.1:{listener.getsockname()[1]}", user="CN=a", start_tls=True, timeout_s=0.2)
        )
    assert "the server does not do its part" in said
    assert "Is it up" in said


def test_a_password_that_cannot_be_read(tmp_path: Path):
    pytest.importorskip("ldap")
    from ringfence.stores.directory.connection import _password

    with pytest.raises(DirectoryFailed, match="The password cannot be read"):
        _password(tmp_path / "none")
    (tmp_path / "pw").write_bytes(b"secret\n")
    assert _password(tmp_path / "pw") == b"secret"
