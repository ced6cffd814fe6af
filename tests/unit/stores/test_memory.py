# SPDX-License-Identifier: Apache-2.0
import pytest

from ringfence.policy.errors import PolicyError
from ringfence.secret import Secret
from ringfence.stores.base import Store
from ringfence.stores.memory import MemoryStore


def test_what_is_put_is_loaded() -> None:
    memory = MemoryStore(keys={"k": b"key"})
    store: Store = memory
    assert store.changed()
    assert len(store.load().policy) == 0
    assert not store.changed()
    memory.put('[[rule]]\nname = "a"\nauth = { psk-file = "k" }\n')
    assert store.changed()
    loaded = store.load()
    assert loaded.policy.key_files == ("k",)
    assert loaded.keys == {"k": Secret(b"key")}
    memory.put('[[rule]]\nname = "a"\nauth = { psk-file = "k" }\n', {"k": b"other"})
    assert store.changed()


def test_a_wrong_document_is_an_error() -> None:
    with pytest.raises(PolicyError):
        MemoryStore("rule = 1").load()
