# SPDX-License-Identifier: Apache-2.0
"""A policy in a file, with the files that it includes and its keys in files beside them.

A folder in the place of the file stands for all documents in it.
"""

import os
from dataclasses import replace
from pathlib import Path

from ringfence.policy.certificates import credential_files
from ringfence.policy.document import parse_documents
from ringfence.policy.resultant import LOCAL
from ringfence.secret import Secret
from ringfence.stores.base import LoadedPolicy
from ringfence.stores.certificates import read_wallet
from ringfence.stores.include import Documents
from ringfence.stores.keys import read_keys

NO_KEY = Secret(b"-")
"""Stands for a key that is not asked for."""


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
        policy = replace(parse_documents(documents.sources), name=self._name)
        if self._keyless:
            keys = dict.fromkeys(policy.key_files, NO_KEY)
            return LoadedPolicy(policy, keys, self._name, tuple(documents.findings), roots=(self._path,))
        files = {name: self._beside(name) for name in policy.key_files}
        for path in (*files.values(), *map(self._beside, credential_files(policy))):
            documents.note(path)
        keys, findings = read_keys(policy, documents.sources, files)
        read = read_wallet(policy, documents.sources, self._beside)
        findings = [*documents.findings, *findings, *read.findings]
        return LoadedPolicy(
            policy, keys, self._name, tuple(findings), files=tuple(documents.files), roots=(self._path,),
            wallet=read.wallet, signers=read.signers,
        )  # fmt: skip

    def changed(self) -> bool:
        """Whether a document, a key file, or what a pattern matches is another one than at the last load."""
        return self._documents is None or self._documents.changed()

    def _beside(self, name: str) -> Path:
        return self._path.parent / name


def open_file(name: str, path: Path, *, several: bool, keyless: bool = False) -> FileStore:
    """The store called so; of ``several`` each says which it is.

    Documents of this computer's own store have short names, those of others whole ones.
    """
    document = "" if name == LOCAL else str(path.absolute())
    return FileStore(path, keyless=keyless, name=document, store=name if several else "")
