# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from ringfence.place import Place
from ringfence.policy.errors import PolicyError
from ringfence.stores.base import Store
from ringfence.stores.dynamic import DynamicStore

RULE = '[[rule]]\nname = "r"\nauth = { psk-file = "k" }\n'


def test_rules_in_memory_with_keys_in_files(tmp_path: Path) -> None:
    (tmp_path / "k").write_text("x" * 16)
    store = DynamicStore(RULE, folder=tmp_path)
    port: Store = store
    assert port.changed()
    loaded = port.load()
    assert loaded.policy.rules[0].place == Place("dynamic", 1, "dynamic")
    assert (loaded.document_name, *loaded.keys, *loaded.files) == ("dynamic", str(tmp_path / "k"), tmp_path / "k")
    assert not port.changed()
    (tmp_path / "k").write_text("y" * 17)
    assert port.changed()


def test_another_document_counts_up(tmp_path: Path) -> None:
    store = DynamicStore(folder=tmp_path)
    assert len(store.load().policy) == 0
    changed = store.changed_to("hello = 1")
    assert (changed.text, changed.revision, store.revision) == ("hello = 1", 1, 0)
    with pytest.raises(PolicyError):
        changed.load()
