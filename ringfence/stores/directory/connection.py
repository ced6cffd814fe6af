# SPDX-License-Identifier: Apache-2.0
"""A connection to a directory server: LDAP by libldap, which python-ldap binds (RFC 4511, RFC 4513).

What comes over it decides what this computer protects, so nothing is believed that is not at least signed: either
Kerberos with signing and sealing (SASL GSSAPI), or TLS with a certificate that is verified. A password is only sent
inside TLS. Everything has a time-out; calls wait, so they belong in a thread of their own.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ringfence.stores.directory.changes import Add, Change, Delete, Touch
from ringfence.stores.directory.errors import DirectoryFailed
from ringfence.stores.directory.objects import Entry

if TYPE_CHECKING:
    from types import ModuleType

LEAST_SSF = 56
"""What Kerberos' weakest sealing is worth; 1 would be signing alone, which shows preshared keys to everybody."""
PAGE = 500
SD_FLAGS = "1.2.840.113556.1.4.801"
ONLY_DACL = bytes.fromhex("3003020104")
"""Of a security descriptor the access control list; the rest is not for everybody ([MS-ADTS] §3.1.1.3.4.1.11)."""
MOST_ENTRIES = 20_000
MISSING = 'It comes with: pip install "ringfence[directory]"'


class Scope(Enum):
    """How far below an object a search goes; the value is LDAP's number."""

    BASE = 0
    ONE = 1
    BELOW = 2


@dataclass(frozen=True, slots=True)
class Server:
    """A directory server, and how this computer proves to it who it is."""

    uri: str
    """``ldap://dc1.corp.example`` or ``ldaps://``."""
    keytab: Path | None = None
    """Of the computer's account; None: Kerberos' own default."""
    user: str = ""
    """A DN or user name that has a password; empty for Kerberos."""
    password_file: Path | None = None
    authorities: Path | None = None
    """Certificates of those who may vouch for the server; None: the system's."""
    start_tls: bool = False
    timeout_s: float = 10.0

    @property
    def tls(self) -> bool:
        """Whether TLS protects the connection."""
        return self.start_tls or self.uri.lower().startswith("ldaps:")


class Directory(Protocol):
    """What is asked of a directory server."""

    def search(
        self, base: str, scope: Scope, query: str = "(objectClass=*)", attributes: tuple[str, ...] = (), *,
        security: bool = False,
    ) -> list[Entry]:  # fmt: skip
        """The objects that are found; none where ``base`` is not there. Raises DirectoryFailed.

        ``security``: with ``nTSecurityDescriptor`` as far as everybody may read it, of Active Directory.
        """

    def carry_out(self, changes: Iterable[Change]) -> None:
        """Write changes one by one; raises DirectoryFailed at the first that is refused."""


@contextmanager
def connected(server: Server) -> Iterator[Directory]:
    """A connection that proved both sides; raises DirectoryFailed."""
    made = _Connection(server)
    try:
        made.open()
        yield made
    finally:
        made.close()


class _Connection:
    """One connection of libldap."""

    def __init__(self, server: Server) -> None:
        try:
            import ldap
            import ldap.controls
            import ldap.sasl
        except ImportError as error:
            raise DirectoryFailed("There is no LDAP library here.", cure=MISSING) from error
        self._ldap: ModuleType = ldap
        self._server = server
        self._link = ldap.initialize(server.uri)

    def open(self) -> None:
        """Connect, and prove who is who."""
        ldap, server, link = self._ldap, self._server, self._link
        if server.user and not server.tls:
            raise DirectoryFailed(
                "A password would go over the network in clear.", place=server.uri, cure="Use ldaps:// or StartTLS."
            )
        options: dict[int, object] = {
            ldap.OPT_PROTOCOL_VERSION: 3, ldap.OPT_REFERRALS: 0, ldap.OPT_NETWORK_TIMEOUT: server.timeout_s,
            ldap.OPT_TIMEOUT: server.timeout_s, ldap.OPT_X_SASL_NOCANON: True,
        }  # fmt: skip
        if server.tls:
            options[ldap.OPT_X_TLS_REQUIRE_CERT] = ldap.OPT_X_TLS_DEMAND
            if server.authorities is not None:
                options[ldap.OPT_X_TLS_CACERTFILE] = str(server.authorities)
            options[ldap.OPT_X_TLS_NEWCTX] = 0
            # Within TLS a layer of SASL would be a second one, which Active Directory refuses.
            options[ldap.OPT_X_SASL_SSF_MAX] = 0
        else:
            options[ldap.OPT_X_SASL_SSF_MIN] = LEAST_SSF
        with self._told():
            for option, value in options.items():
                link.set_option(option, value)
            if server.start_tls:
                link.start_tls_s()
            self._bind()

    def _bind(self) -> None:
        ldap, server, link = self._ldap, self._server, self._link
        if server.user:
            password = b"" if server.password_file is None else _password(server.password_file)
            link.simple_bind_s(server.user, password)
            return
        os.environ.setdefault("KRB5CCNAME", "MEMORY:ringfence")
        if server.keytab is not None:
            os.environ["KRB5_CLIENT_KTNAME"] = str(server.keytab)
        link.sasl_interactive_bind_s("", ldap.sasl.gssapi(""))
        if not server.tls and link.get_option(ldap.OPT_X_SASL_SSF) < LEAST_SSF:
            raise DirectoryFailed("The server neither signs nor seals what it says.", place=server.uri)

    def close(self) -> None:
        """End it."""
        try:
            self._link.unbind_s()
        except self._ldap.LDAPError:
            return

    def search(
        self, base: str, scope: Scope, query: str = "(objectClass=*)", attributes: tuple[str, ...] = (), *,
        security: bool = False,
    ) -> list[Entry]:  # fmt: skip
        """As ``Directory``."""
        ldap = self._ldap
        page = ldap.controls.SimplePagedResultsControl(criticality=scope is not Scope.BASE, size=PAGE, cookie="")
        parts = [page, ldap.controls.RequestControl(SD_FLAGS, True, ONLY_DACL)] if security else [page]
        found = list[Entry]()
        with self._told():
            while True:
                asked = self._link.search_ext(base, scope.value, query, list(attributes) or None, serverctrls=parts)
                try:
                    _, results, _, controls = self._link.result3(asked, timeout=self._server.timeout_s)
                except ldap.NO_SUCH_OBJECT:
                    return []
                # A result without a DN refers to another server, which nobody vouched for.
                found += [Entry.of(dn, values) for dn, values in results if dn is not None]
                page.cookie = next((one.cookie for one in controls if one.controlType == page.controlType), b"")
                if not page.cookie:
                    return found
                if len(found) > MOST_ENTRIES:
                    raise DirectoryFailed(f"There are more than {MOST_ENTRIES} objects below {base}.")

    def carry_out(self, changes: Iterable[Change]) -> None:
        """As ``Directory``."""
        for change in changes:
            with self._told(f" of {change.dn}"):
                self._one(change)

    def _one(self, change: Change) -> None:
        ldap, link = self._ldap, self._link
        if isinstance(change, Delete):
            link.delete_s(change.dn)
        elif isinstance(change, Add):
            link.add_s(change.dn, [(name, list(values)) for name, values in change.values.items()])
        elif isinstance(change, Touch):
            parts = [(ldap.MOD_DELETE, name, None) for name in change.values]
            link.modify_s(change.dn, parts + [(ldap.MOD_ADD, name, list(one)) for name, one in change.values.items()])
        else:
            link.modify_s(
                change.dn, [(ldap.MOD_REPLACE, name, list(values) or None) for name, values in change.values.items()]
            )  # fmt: skip

    @contextmanager
    def _told(self, what: str = "") -> Iterator[None]:
        """Errors of libldap in words."""
        try:
            yield
        except self._ldap.LDAPError as error:
            said: Mapping[str, object] = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
            text = str(said.get("info") or said.get("desc") or type(error).__name__)
            raise DirectoryFailed(
                f"the server does not do its part{what}: {text}",
                place=self._server.uri,
                cure=_cure(type(error).__name__),
            ) from error


CURES = {
    "SERVER_DOWN": "Is it up, may this computer reach TCP 389 (ldaps: 636), and is its certificate trusted here?",
    "TIMEOUT": "Is it up, and may this computer reach TCP 389 (ldaps: 636)?",
    "LOCAL_ERROR": "Kerberos: are the keytab, the clock and the realm right?  kinit -k -t KEYTAB 'NAME$'  tells more.",
    "INVALID_CREDENTIALS": "The computer's account or its password is another one there.",
    "STRONG_AUTH_REQUIRED": "Use Kerberos without TLS, or a password within TLS.",
    "CONNECT_ERROR": "Is it up? Is its certificate for this name, and from an authority trusted here?",
    "INSUFFICIENT_ACCESS": "This account may not do that.",
}


def _cure(kind: str) -> str:
    return CURES.get(kind, "")


def _password(path: Path) -> bytes:
    try:
        return path.read_bytes().rstrip(b"\r\n")
    except OSError as error:
        raise DirectoryFailed(f"The password cannot be read: {error.strerror}.", place=str(path)) from error
