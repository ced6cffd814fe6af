# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace
from pathlib import Path

from ringfence.stores.base import Store
from ringfence.stores.file import FileStore
from ringfence.stores.memory import MemoryStore


def test_both_stores_serve_the_port(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text("")
    stores: list[Store] = [MemoryStore(name="p.toml"), FileStore(tmp_path / "p.toml")]
    assert stores[0].load() == replace(stores[1].load(), files=(), roots=())
    assert not any(store.changed() for store in stores)
