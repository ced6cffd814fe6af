# SPDX-License-Identifier: Apache-2.0
r"""Files about users: lists of them, the password that this computer proves itself by, secrets of RADIUS servers.

A list is TOML with a line for each user: ``alice = "correct horse"``, or with the hash that Windows keeps of a
password, ``"CORP\\bob" = { nt-hash = "8846f7eaee8fb117ad06bdd830b7586c" }``. None of these files may be open to others.
"""

import posixpath
import stat
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from ringfence.databases.eap import RadiusServer, Users
from ringfence.place import Place
from ringfence.policy import xauth
from ringfence.policy.eap import NO_FILES, EapFiles
from ringfence.policy.errors import Finding, PolicyError
from ringfence.policy.model import Policy
from ringfence.policy.source import Source
from ringfence.policy.terms import Eap, Xauth
from ringfence.secret import Secret
from ringfence.stores.errors import StoreError
from ringfence.stores.files import is_special, read_octets
from ringfence.stores.keys import read_key

LIST_OCTETS = 16 << 20
HASH_DIGITS = 32
OTHERS = stat.S_IRWXG | stat.S_IRWXO
LIST_CURE = 'A line for each user:  alice = "password"   or  alice = { nt-hash = "32 hexadecimal digits" }'
WRITE = "Write it, readable for root alone:  (umask 077; editor {})"


def read_users(policy: Policy, sources: Iterable[Source], place_of: Callable[[str], Path]) -> EapFiles:
    """What the files of ``policy`` hold; raises PolicyError with all that is wrong with them.

    ``place_of`` says where a file is that the policy names.
    """
    naming = list(_naming(policy))
    if not naming and not policy.radius:
        return NO_FILES
    reader = _Reader({source.name: source for source in sources}, place_of)
    for subject, one, setting, at in naming:
        if one.password_file:
            reader.secret(one.password_file, subject, f"{setting}.password-file", at)
        if one.users_file:
            reader.users(one.users_file, subject, f"{setting}.users-file", at)
    servers: dict[str, RadiusServer] = {}
    for server in policy.radius:
        at = server.places.get("secret-file", server.place)
        secret = reader.secret(server.secret_file, f'radius "{server.name}"', "secret-file", at)
        servers[server.name] = RadiusServer(
            server.name, server.host, secret or Secret(b""), server.port, float(server.timeout_s), server.tries,
            server.identifier,
        )  # fmt: skip
    if reader.wrong:
        raise PolicyError(reader.wrong)
    return EapFiles(reader.secrets, reader.lists, servers)


def _naming(policy: Policy) -> Iterator[tuple[str, Eap | Xauth, str, Place]]:
    """What names files of users: its subject, what it says, in which setting, and where."""
    for subject, auth, places, place in policy.authenticating():
        at = next((places[key] for key in ("auth", "first") if key in places), place)
        yield from ((subject, one, "auth", at) for one in auth if isinstance(one, Eap))
    for subject, eap, places, place in xauth.second_eap(policy):
        yield (
            subject,
            eap,
            "second-auth",
            next((places[key] for key in ("second-auth", "second") if key in places), place),
        )
    for subject, one, places, place in xauth.said(policy):
        at = next((places[key] for key in ("main-mode", "xauth") if key in places), place)
        yield subject, one, "main-mode.xauth", at


class _Reader:
    def __init__(self, sources: Mapping[str, Source], place_of: Callable[[str], Path]) -> None:
        self._sources = sources
        self._place_of = place_of
        self.secrets: dict[str, Secret] = {}
        self.lists: dict[str, Users] = {}
        self.wrong: list[Finding] = []

    def secret(self, name: str, subject: str, setting: str, at: Place) -> Secret | None:
        """A password or a secret, as it stands in its file."""
        if name not in self.secrets:
            path = self._place_of(name)
            try:
                found = read_key(path, f'the file "{name}"', WRITE)
                self._guard(path)
            except StoreError as error:
                self._complain(name, subject, setting, at, error)
                return None
            self.secrets[name] = Secret(found.reveal())
        return self.secrets[name]

    def users(self, name: str, subject: str, setting: str, at: Place) -> None:
        """A list of users."""
        if name in self.lists:
            return
        path = self._place_of(name)
        try:
            if is_special(path):
                raise StoreError(f'the list of users "{name}" is no file', place=str(path))
            octets = read_octets(path, LIST_OCTETS, f'the list of users "{name}"', missing=WRITE.format(path))
            self._guard(path)
            self.lists[name] = Users(name, parse_users(octets, name))
        except StoreError as error:
            self._complain(name, subject, setting, at, error)

    def _guard(self, path: Path) -> None:
        """Raises StoreError where others may read it."""
        mode = path.stat().st_mode
        if mode & OTHERS:
            who = "everybody" if mode & stat.S_IRWXO else "its group"
            raise StoreError(f'"{path.name}" is open to {who}', place=str(path), cure=f"chmod 600 {path}")

    def _complain(self, name: str, subject: str, setting: str, at: Place, error: StoreError) -> None:
        source = self._sources.get(at.document)
        excerpt = source.excerpt_of(at, posixpath.basename(name)) if source else ""
        self.wrong.append(Finding(f"{subject}: {error.message}.", at, subject, setting, excerpt, error.cure))


def parse_users(octets: bytes, name: str) -> dict[str, Secret]:
    """The passwords of a list, by name; raises StoreError, which names the line or the user and no password."""
    try:
        found: dict[str, object] = tomllib.loads(octets.decode().replace("\r\n", "\n"))
    except UnicodeDecodeError as error:
        raise StoreError(f'the list of users "{name}" is not UTF-8', cure=LIST_CURE) from error
    except ValueError as error:
        raise StoreError(f'the list of users "{name}" is no TOML: {error}', cure=LIST_CURE) from None
    return {user: _password(value, user, name) for user, value in found.items()}


def _password(value: object, user: str, name: str) -> Secret:
    if isinstance(value, str) and value:
        return Secret(value.encode())
    digits = value.get("nt-hash") if isinstance(value, dict) and len(value) == 1 else None
    if isinstance(digits, str) and len(digits) == HASH_DIGITS:
        try:
            return Secret(bytes.fromhex(digits), exact=True)
        except ValueError:
            pass
    raise StoreError(f'the list of users "{name}" has no password for "{user}"', cure=LIST_CURE)
