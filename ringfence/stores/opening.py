# SPDX-License-Identifier: Apache-2.0
"""Stores that somebody names with a path: documents, Group Policy objects, or what a document says of a directory."""

from collections.abc import Callable, Iterable
from pathlib import Path

from ringfence.policy.resultant import DIRECTORY, GROUP_POLICY
from ringfence.stores.base import Store
from ringfence.stores.directory.membership import open_directory
from ringfence.stores.file import open_file
from ringfence.stores.grouppolicy.store import open_folder


def open_store(
    name: str, path: Path, *, several: bool, keyless: bool = False, state: Path | None = None,
    addresses: Callable[[], Iterable[str]] = tuple, offline: bool = False,
) -> Store:  # fmt: skip
    """The store called so; of ``several`` each says which it is. Raises PolicyError or StoreError.

    ``state`` and ``addresses``, those of this computer, are for a directory: where the copy of its policy is kept, and
    which site this is. ``offline``: there is no network yet.
    """
    if name == DIRECTORY:
        return open_directory(path, state, addresses=addresses, offline=offline)
    if name == GROUP_POLICY:
        return open_folder(path, store=name if several else "", keyless=keyless)
    return open_file(name, path, several=several, keyless=keyless)
