# SPDX-License-Identifier: Apache-2.0
"""Stores that somebody names with a path: documents, or Group Policy objects."""

from pathlib import Path

from ringfence.policy.resultant import GROUP_POLICY
from ringfence.stores.base import Store
from ringfence.stores.file import open_file
from ringfence.stores.grouppolicy.store import open_folder


def open_store(name: str, path: Path, *, several: bool, keyless: bool = False) -> Store:
    """The store called so; of ``several`` each says which it is."""
    if name == GROUP_POLICY:
        return open_folder(path, store=name if several else "", keyless=keyless)
    return open_file(name, path, several=several, keyless=keyless)
