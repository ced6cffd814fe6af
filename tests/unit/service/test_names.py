# SPDX-License-Identifier: Apache-2.0
import asyncio

import pytest

from ringfence.backends.names import NameBook
from ringfence.service import names

ONE, TWO = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])


class Server:
    def __init__(self) -> None:
        self.answers: dict[str, tuple[bytes, ...]] = {"a": (ONE,)}

    def __call__(self, name: str) -> tuple[bytes, ...]:
        if name not in self.answers:
            raise OSError("no such name")
        return self.answers[name]


def test_a_name_is_looked_up_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "AGAIN_S", 0.01)
    monkeypatch.setattr(names, "UNKNOWN_AGAIN_S", 0.0)
    server = Server()
    book = NameBook(server)
    changes: list[int] = []

    async def story() -> None:
        following = asyncio.create_task(names.follow(book, lambda: ("a", "b"), lambda: changes.append(1)))
        for answers in ({"a": (ONE,)}, {"a": (TWO,)}, {"a": (TWO,), "b": (ONE,)}):
            server.answers, before = dict(answers), len(changes)
            for _ in range(1000):
                await asyncio.sleep(0.01)
                if len(changes) > before:
                    break
            assert len(changes) > before
        following.cancel()

    asyncio.run(story())
    assert book.known(("a", "b")) == {"a": (TWO,), "b": (ONE,)}


def test_in_another_network_names_are_asked_for_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "LOOK_S", 0.01)
    server, around, changes = Server(), ["office"], list[int]()
    book = NameBook(server)
    book.find(["a"])

    async def story() -> None:
        following = asyncio.create_task(
            names.follow(book, lambda: ("a",), lambda: changes.append(1), lambda: tuple(around))
        )
        server.answers = {"a": (TWO,)}
        await asyncio.sleep(0.1)
        assert changes == []
        around[0] = "café"
        for _ in range(500):
            await asyncio.sleep(0.01)
            if changes:
                break
        following.cancel()

    asyncio.run(story())
    assert (changes, book.known(("a",))) == ([1], {"a": (TWO,)})


def test_who_is_woken_looks_around_at_once_and_a_change_during_a_look_up_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(names, "LOOK_S", 3600.0)
    monkeypatch.setattr(names, "UNKNOWN_AGAIN_S", 3600.0)
    around, asked = ["office"], list[str]()

    def ask(name: str) -> tuple[bytes, ...]:
        asked.append(around[0])
        if around[0] == "café":
            around[0] = "home"  # while it is asked for
        return (ONE,)

    async def story() -> None:
        woken = asyncio.Event()
        following = asyncio.create_task(
            names.follow(NameBook(ask), lambda: ("a",), lambda: None, lambda: tuple(around), woken)
        )
        for place in ("café", "home"):
            await asyncio.sleep(0)
            around[0] = place if place != "home" else around[0]
            before = len(asked)
            for _ in range(3000):
                woken.set()
                await asyncio.sleep(0.01)
                if len(asked) > before:
                    break
        following.cancel()

    asyncio.run(story())
    assert asked == ["café", "home"]


def test_what_answers_depend_on_stays_while_nothing_happens() -> None:
    assert names.surroundings() == names.surroundings()
