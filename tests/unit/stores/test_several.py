# SPDX-License-Identifier: Apache-2.0
import pytest

from ringfence.errors import IpsecError
from ringfence.place import Place
from ringfence.policy.errors import Finding, PolicyError
from ringfence.stores.memory import MemoryStore
from ringfence.stores.several import Stores


def text(*names: str) -> str:
    return "".join(f'[[filter]]\nname = "{name}"\nblock = "tcp to 23"\n' for name in names)


def blame(store: str) -> PolicyError:
    return PolicyError([Finding("it cannot hold here.", Place("p.toml", 1, store))])


class Two:
    def __init__(self, local: str, persistent: str) -> None:
        self.local, self.persistent = MemoryStore(local, name="local.toml"), MemoryStore(persistent, name="p.toml")
        self.stores = Stores({"local": self.local, "persistent": self.persistent})

    def names(self) -> list[str]:
        return [one.name for one in self.stores.load().policy.filters]


def test_what_all_have_comes_together_the_highest_first() -> None:
    two = Two(text("a", "b"), text("c", "b"))
    assert two.stores.changed()
    loaded = two.stores.load()
    assert not two.stores.changed()
    assert [one.name for one in loaded.policy.filters] == ["c", "b", "a"]
    assert [(one.name, one.document, one.rules) for one in loaded.stores] == [
        ("persistent", "p.toml", 2), ("local", "local.toml", 2),
    ]  # fmt: skip
    assert [one.what for one in loaded.set_aside] == ['filter "b"']
    assert loaded.document_name == "local.toml"


def test_one_that_fails_stays_as_it_was_and_keeps_no_other() -> None:
    two = Two(text("a"), text("c"))
    assert two.names() == ["c", "a"]
    two.stores.accept()
    two.local.put("nonsense")
    two.persistent.put(text("d"))
    loaded = two.stores.load()
    assert [one.name for one in loaded.policy.filters] == ["d", "a"]
    assert loaded.stores[1].refused.startswith("local.toml:1: this is not TOML")
    assert loaded.stores[0].refused == ""
    assert two.stores.failure is not None
    two.local.put(text("b"))
    assert two.names() == ["d", "b"]
    assert two.stores.failure is None


def test_the_persistent_policy_stays_if_nothing_else_can_be_had() -> None:
    two = Two("nonsense", text("c"))
    assert two.names() == ["c"]
    assert two.stores.failure is not None
    two = Two("nonsense", "")
    with pytest.raises(PolicyError, match=r"local\.toml:1"):
        two.stores.load()
    two = Two("nonsense", "nonsense")
    with pytest.raises(PolicyError, match=r"p\.toml:1"):
        two.stores.load()


def test_one_store_that_fails_is_an_error() -> None:
    store = MemoryStore(text("a"))
    stores = Stores.only(store)
    stores.load()
    stores.accept()
    store.put("nonsense")
    assert [one.name for one in stores.load().policy.filters] == ["a"]
    assert stores.failure is not None


def test_a_policy_that_cannot_hold_here_is_that_of_one_store() -> None:
    two = Two(text("a"), text("c"))
    two.names()
    two.stores.accept()
    two.local.put(text("b"))
    two.persistent.put(text("d"))
    assert two.names() == ["d", "b"]
    assert [one.name for one in two.stores.without(blame("")).policy.filters] == ["d", "a"]
    assert two.stores.failure is not None
    with pytest.raises(PolicyError):
        two.stores.without(blame(""))
    assert [one.name for one in two.stores.without(blame("persistent")).policy.filters] == ["c", "a"]


def test_at_the_start_there_is_nothing_to_go_back_to() -> None:
    two = Two(text("b"), text("d"))
    two.names()
    assert [one.name for one in two.stores.without(blame("")).policy.filters] == ["d"]
    with pytest.raises(PolicyError, match="cannot hold here"):
        two.stores.without(blame("persistent"))


def test_a_store_in_the_place_of_another_has_to_be_good() -> None:
    two = Two(text("a"), text("c"))
    two.names()
    two.stores.accept()
    new = MemoryStore(text("b"))
    other = two.stores.replaced("local", new)
    assert [one.name for one in other.load().policy.filters] == ["c", "b"]
    assert other.store("local") is new
    assert two.stores.store("local") is two.local
    assert two.stores.store("dynamic") is None
    with pytest.raises(PolicyError):
        other.without(blame(""))
    with pytest.raises(IpsecError):
        two.stores.replaced("local", MemoryStore("nonsense")).load()
    other.accept()
    two.persistent.put("nonsense")
    assert [one.name for one in other.load().policy.filters] == ["c", "b"]
    other.accept()
    new.put("nonsense")
    assert [one.name for one in other.load().policy.filters] == ["c", "b"]


def test_who_asks_about_another_store_does_not_see_changes_first() -> None:
    two = Two(text("a"), text("c"))
    two.names()
    two.stores.accept()
    two.persistent.put(text("d"))
    other = two.stores.replaced("local", MemoryStore(text("b")))
    assert [one.name for one in other.load().policy.filters] == ["c", "b"]
    assert two.stores.changed()
    assert [one.name for one in other.load().policy.filters] == ["d", "b"]


def test_back_to_what_was_carried_out_but_for_what_others_did_since() -> None:
    two = Two(text("a"), text("c"))
    two.names()
    two.stores.accept()
    other = two.stores.replaced("local", MemoryStore(text("b")))
    other.load()
    other.accept()
    two.persistent.put(text("d"))
    other.load()
    other.accept()
    two.local.put("nonsense")
    assert [one.name for one in two.stores.as_before(other).policy.filters] == ["d", "a"]
    assert not two.stores.changed()
    assert two.stores.failure is None


def test_what_a_store_itself_sets_aside_is_told_with_the_rest() -> None:
    from dataclasses import replace

    from ringfence.policy.resultant import SetAside

    class Domain(MemoryStore):
        def load(self):  # type: ignore[no-untyped-def]
            aside = SetAside('policy "a"', Place('GPO "b"', 0, "directory"), "directory", "its link is disabled")
            return replace(super().load(), set_aside=(aside,))

    loaded = Stores({"local": MemoryStore(text("a"), name="l"), "directory": Domain(text("a"), name="d")}).load()
    assert [one.why for one in loaded.set_aside] == [
        "the directory store has a filter of this name",
        "its link is disabled",
    ]
