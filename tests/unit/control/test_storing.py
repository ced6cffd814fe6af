# SPDX-License-Identifier: Apache-2.0
from ringfence.control.messages import SetAsideView, StoreView
from ringfence.control.storing import set_aside_views, store_views
from ringfence.place import Place
from ringfence.policy.resultant import SetAside
from ringfence.stores.base import StoreState


def test_stores_in_the_words_of_the_api() -> None:
    state = StoreState("local", "p.toml", 2, "a copy", "wrong.")
    assert store_views([state]) == [
        StoreView(name="local", document="p.toml", rules=2, note="a copy", refused="wrong.")
    ]  # fmt: skip
    lost = SetAside('rule "a"', Place("p.toml", 2), "local", "so it is", Place("q.toml", 1))
    assert set_aside_views([lost]) == [
        SetAsideView(what='rule "a"', place="p.toml:2", store="local", why="so it is", winner="q.toml:1")
    ]  # fmt: skip
