# SPDX-License-Identifier: Apache-2.0
import threading

from ringfence.backends.names import NameBook, look_up

ONE, TWO = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])


class Server:
    def __init__(self) -> None:
        self.answers: dict[str, tuple[bytes, ...]] = {"a": (ONE,)}
        self.asked: list[str] = []

    def __call__(self, name: str) -> tuple[bytes, ...]:
        self.asked.append(name)
        if name not in self.answers:
            raise OSError("no such name")
        return self.answers[name]


def test_new_names_are_looked_up_once() -> None:
    server = Server()
    book = NameBook(server)
    assert book.known(["a"]) == {}
    assert book.find(["a", "b"]) == {"a": (ONE,)}
    assert book.find(["a"]) == book.known(["a"]) == {"a": (ONE,)}
    assert sorted(server.asked) == ["a", "b"]


def test_what_was_known_stays_while_nobody_answers() -> None:
    server = Server()
    book = NameBook(server)
    book.find(["a"])
    server.answers.clear()
    assert not book.refresh(["a"])
    server.answers["a"] = ()
    assert not book.refresh(["a"])
    assert book.known(["a"]) == {"a": (ONE,)}
    server.answers["a"] = (ONE, TWO)
    assert book.refresh(["a"])


def test_nobody_waits_for_a_resolver_that_is_silent() -> None:
    over = threading.Event()

    def silent(_: str) -> tuple[bytes, ...]:
        over.wait(10)
        return (ONE,)

    book = NameBook(silent)
    assert book.find(["a", "b"], patience_s=0.02) == {}
    over.set()


def test_the_host_s_own_resolver_answers() -> None:
    assert {bytes([127, 0, 0, 1]), bytes(15) + b"\x01"} & set(look_up("localhost"))
