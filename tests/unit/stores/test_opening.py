# SPDX-License-Identifier: Apache-2.0
"""Stores by their names."""

from pathlib import Path

from unit.transfer.grouppolicy.objects import pol

from ringfence.stores.directory.store import DirectoryStore
from ringfence.stores.file import FileStore
from ringfence.stores.grouppolicy.store import GroupPolicyStore
from ringfence.stores.opening import open_store


def test_each_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "registry.pol"
    file.write_bytes(pol("specification"))
    store = open_store("group-policy", file, several=True)
    assert isinstance(store, GroupPolicyStore)
    assert {one.place.store for one in store.load().policy.rules} == {"group-policy"}
    alone = open_store("group-policy", file, several=False, keyless=True).load()
    assert {one.place.store for one in alone.policy.rules} == {""}
    assert isinstance(open_store("local", file, several=True), FileStore)


def test_a_directory_by_the_document_that_says_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "directory.toml"
    path.write_text('server = "ldap://192.0.2.1"')
    assert isinstance(open_store("directory", path, several=True), DirectoryStore)
