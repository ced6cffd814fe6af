# SPDX-License-Identifier: Apache-2.0
"""A policy in a file, with its keys in files beside it.

A key file holds the key and nothing else: text as it stands (one line end at the end does not count), or octets as
``hex:`` or ``base64:`` with their digits. Its name in a document is
relative to the document's own folder.
"""

import binascii
import os
import posixpath
import stat
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

from ringfence.place import Place
from ringfence.policy.document import parse_documents
from ringfence.policy.errors import Finding, PolicyError, Severity
from ringfence.policy.model import Policy
from ringfence.secret import Secret
from ringfence.stores.base import LoadedPolicy
from ringfence.stores.errors import StoreError
from ringfence.stores.files import is_special, read_octets
from ringfence.stores.include import Documents

KEY_OCTETS = 4096
SHORT_OCTETS = 16
"""A key shorter than this can be guessed by whoever recorded a main mode."""

NO_KEY = Secret(b"-")
"""Stands for a key that is not asked for."""

MAKE_KEY = "Make a key, for both sides the same:  (umask 077; head -c 32 /dev/urandom | base64 > {})"

FORMS = "It may be the key as it is, or octets as hex:00ff10 or base64:AP8Q."


class FileStore:
    """The policy in one TOML file, with the files that it includes."""

    def __init__(self, path: str | os.PathLike[str], *, keyless: bool = False, name: str = "", store: str = "") -> None:
        """``keyless``: key files are not read, and need not be there; for questions that no key answers.

        The document is called ``name`` (else as its file), and ``store`` is told where there are several.
        """
        self._path = Path(path)
        self._keyless = keyless
        self._name = name or self._path.name
        self._store = store
        self._documents: Documents | None = None

    def load(self) -> LoadedPolicy:
        """The policy and its keys as they are now; raises PolicyError or StoreError.

        A file that could not be read or understood counts as seen too: ``changed`` waits for the next edit.
        """
        documents = self._documents = Documents(self._path, self._name, self._store)
        documents.load()
        policy = parse_documents(documents.sources)
        if self._keyless:
            keys = dict.fromkeys(policy.key_files, NO_KEY)
            return LoadedPolicy(policy, keys, self._name, tuple(documents.findings))
        keys, findings = self._keys(policy, documents)
        return LoadedPolicy(policy, keys, self._name, (*documents.findings, *findings))

    def changed(self) -> bool:
        """Whether a document, a key file, or what a pattern matches is another one than at the last load."""
        return self._documents is None or self._documents.changed()

    def _beside(self, name: str) -> Path:
        return self._path.parent / name

    def _keys(self, policy: Policy, documents: Documents) -> tuple[dict[str, Secret], list[Finding]]:
        """The content of each key file, and warnings; raises PolicyError with every one that is none."""
        keys: dict[str, Secret] = {}
        wrong: list[Finding] = []
        doubtful: list[Finding] = []
        for name in policy.key_files:
            where, place = next(policy.naming(name))
            source = next((one for one in documents.sources if one.name == place.document), None)
            path = self._beside(name)
            documents.note(path)
            try:
                keys[name] = read_key(path, f'the key file "{name}"')
            except StoreError as error:
                excerpt = source.excerpt_of(place, posixpath.basename(name)) if source else ""
                message = f"{where}: {error.message}."
                wrong.append(Finding(message, place, where, "auth.psk-file", excerpt, error.cure))
            else:
                doubtful += _look_at(path, keys[name], where, place, name)
        if wrong:
            raise PolicyError(wrong)
        return keys, doubtful


def _look_at(path: Path, key: Secret, where: str, place: Place, name: str) -> Iterator[Finding]:
    def warning(what: str, cure: str) -> Finding:
        message = f'{where}: the key file "{name}" {what}.'
        return Finding(message, place, where, "auth.psk-file", cure=cure, severity=Severity.WARNING)

    mode = path.stat().st_mode
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        who = "everybody" if mode & stat.S_IRWXO else "its group"
        yield warning(f"is open to {who}", f"chmod 600 {path}")
    if len(key) < SHORT_OCTETS:
        cure = f"head -c 32 /dev/urandom | base64 > {path}   (on both sides)"
        yield warning(f"is short: {len(key)} octets can be guessed", cure)


def read_key(path: Path, what: str = "the key file") -> Secret:
    """The key in a key file; raises StoreError, which calls it ``what``."""
    if is_special(path):
        raise StoreError(f"{what} is no file", place=str(path))
    octets = read_octets(path, KEY_OCTETS, what, missing=MAKE_KEY.format(path))
    for ending in (b"\r\n", b"\n"):
        if octets.endswith(ending):
            octets = octets[: -len(ending)]
            break
    try:
        if octets.startswith(b"hex:"):
            octets = bytes.fromhex(octets[4:].decode())
        elif octets.startswith(b"base64:"):
            octets = b64decode(octets[7:].strip(), validate=True)
    except (ValueError, binascii.Error) as error:
        form = octets.split(b":", 1)[0].decode()
        raise StoreError(
            f"{what} begins with {form}: but what follows is not {form}", place=str(path), cure=FORMS
        ) from error
    if not octets:
        raise StoreError(f"{what} is empty", place=str(path), cure=MAKE_KEY.format(path))
    return Secret(octets)
