# SPDX-License-Identifier: Apache-2.0
"""The document of the store ``directory``: which server, and which computer of which domain this is.

server = "ldap://dc1.corp.example"
computer = "ALICE$"
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ringfence.policy.decode import Table
from ringfence.policy.errors import BadWord, PolicyError
from ringfence.policy.source import Source
from ringfence.stores.directory.connection import Directory, Server
from ringfence.stores.directory.errors import DirectoryFailed
from ringfence.stores.directory.store import DirectoryStore, Membership
from ringfence.stores.errors import StoreError

SCHEMES = ("ldap://", "ldaps://")
KEYTAB = Path("/etc/krb5.keytab")
CURE = 'Such as server = "ldap://dc1.corp.example".'


def read_membership(text: str, path: Path, host: str) -> Membership:
    """What a document says; raises PolicyError with all that is wrong with it. Paths are as seen from its folder."""
    table = Table(source := Source.read(text, name=str(path)), (), source.data, [])
    uri, computer = table.word("server", _server), table.text("computer") or f"{host.partition('.')[0].upper()}$"
    keytab, user, password = table.text("keytab"), table.text("user"), table.text("password-file")
    authorities, tls = table.text("ca-file"), table.value("start-tls", bool) or False
    domain, seconds = table.text("domain") or "", table.number("timeout", 1, 120)
    if not table.has("server"):
        table.complain("", "does not say server", cure=CURE)
    if (user is None) != (password is None):
        table.complain("user", "and password-file go together; without them the computer proves itself by Kerberos")
    if user and uri and not uri.lower().startswith("ldaps:") and not tls:
        table.complain("server", "would get a password in clear", cure="Use ldaps://, or say start-tls = true.")
    table.finish()
    if table.findings or uri is None:
        raise PolicyError(table.findings)
    beside = path.parent
    server = Server(
        uri, None if user else beside / (keytab or KEYTAB), user or "", None if password is None else beside / password,
        None if authorities is None else beside / authorities, tls, float(seconds or 10),
    )  # fmt: skip
    return Membership(server, computer, domain)


def read_document(path: Path, host: str) -> Membership:
    """What the document at ``path`` says; raises PolicyError or StoreError."""
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(f"The document cannot be read: {error}.", place=str(path)) from error
    return read_membership(text, path.absolute(), host)


def open_directory(
    path: Path, folder: Path | None, *, addresses: Callable[[], Iterable[str]] = tuple, offline: bool = False
) -> DirectoryStore:
    """The store that the document at ``path`` says; raises PolicyError or StoreError.

    ``folder``: where the last good copy is. ``offline``: no server is asked, for there is no network yet.
    """
    membership = read_document(path, os.uname().nodename)
    if offline:
        return DirectoryStore(membership, str(path.absolute()), folder, addresses=addresses, connect=_nowhere)
    return DirectoryStore(membership, str(path.absolute()), folder, addresses=addresses)


def _server(text: str) -> str:
    if not text.lower().startswith(SCHEMES):
        raise BadWord("which is not the address of a directory server", cure=CURE)
    return text


@contextmanager
def _nowhere(server: Server) -> Iterator[Directory]:
    raise DirectoryFailed("nobody is asked before there is a network", place=server.uri)
    yield  # type: ignore[unreachable]  # what makes it a generator
