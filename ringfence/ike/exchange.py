# SPDX-License-Identifier: Apache-2.0
"""Exchanges as generators: each reads like the RFC's diagram, and knows neither sockets nor timers.

An exchange yields commands and gets messages back; it never yields by itself but through the helpers here, so that
every reply has its type. Whoever runs it owns encryption, message rules, retransmission, duplicates and timeouts: a
message that reaches an exchange is new, decrypted and has the payloads that its rule wants.

``check`` is what only the exchange can say about a message, such as whether its HASH is right. It runs before the
exchange sees the message and raises an ``IkeError`` for one that is no answer; the exchange then goes on waiting, so a
forged message does not end it.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Generic, Protocol, TypeAlias, TypeVar

from ringfence.ike.effects import Answer, Effect, Question
from ringfence.ike.errors import IkeError
from ringfence.ike.header import Header
from ringfence.ike.payload import Chain, Payload
from ringfence.net.address import Path

T = TypeVar("T")


class Env:
    """What an engine gets from outside: chance, and the time of the entry that it is in."""

    def __init__(self, random: Callable[[int], bytes], now: float = 0.0) -> None:
        self.random = random
        self.now = now

    def number(self, octets: int) -> int:
        """A random number of so many octets."""
        return int.from_bytes(self.random(octets))


@dataclass(frozen=True, slots=True)
class Message:
    """A message that came in, with the payloads that its rule wants."""

    header: Header
    chain: Chain
    octets: bytes = b""
    """As it came, where that is proved later (IKEv2)."""
    path: Path | None = None
    """Where it came from, likewise."""


Check = Callable[[Message], None]


def accept(_message: Message) -> None:
    """The check of an exchange that has nothing to add to the message's rule."""


class Wait(Enum):
    """What to do about the answer to a message."""

    NOT = auto()
    """There is none."""
    INSIST = auto()
    """Repeat the message until it comes."""
    PATIENTLY = auto()
    """The peer repeats its own message if ours is lost, and gets ours again."""


class Shield(Protocol):
    """Keys that protect the further messages of an exchange; who runs it knows their class."""


@dataclass(frozen=True, slots=True)
class Say:
    """Send a message, and perhaps wait for the answer."""

    payloads: tuple[Payload, ...]
    wait: Wait
    check: Check = accept
    kind: int | None = None
    """Exchange type, where it is another than that of the whole exchange (IKEv2)."""


@dataclass(frozen=True, slots=True)
class Hear:
    """Wait for the peer's next request of what it began (IKEv2)."""

    kind: int
    """Its exchange type."""
    link: bytes = b""
    """What it names to say which it goes on with, where there may be several."""


@dataclass(frozen=True, slots=True)
class Do:
    """Let the host do something."""

    effect: Effect


@dataclass(frozen=True, slots=True)
class Protect:
    """These are the keys."""

    shield: Shield


@dataclass(frozen=True, slots=True)
class Traverse:
    """There is NAT: what we say next goes by ``path``, and we follow the peer to another port."""

    path: Path
    peer_moves: bool
    """Whether the peer is behind it, so that its port may change at any time."""


@dataclass(frozen=True, slots=True)
class Consult:
    """Ask whoever keeps keys and knows what time it is, and wait for the answer; messages meanwhile are not taken."""

    question: Question


@dataclass(frozen=True, slots=True)
class Suppose:
    """If nothing more comes of it, this is why."""

    error: IkeError


Command = Say | Hear | Do | Protect | Traverse | Consult | Suppose
Exchange: TypeAlias = Generator[Command, Message | Answer | None, T]


class NoAnswer(TypeError):
    """Whoever runs the exchange went on without a message: a fault of ours, not of a peer."""


def _say(payloads: tuple[Payload, ...], wait: Wait, check: Check, kind: int | None = None) -> Exchange[Message]:
    message = yield Say(payloads, wait, check, kind)
    if not isinstance(message, Message):
        raise NoAnswer("an exchange that waits is resumed with a message")
    return message


def request(*payloads: Payload, check: Check = accept, kind: int | None = None) -> Exchange[Message]:
    """Send, repeat until the answer comes, and return it."""
    return (yield from _say(payloads, Wait.INSIST, check, kind))


def answer(*payloads: Payload, check: Check = accept) -> Exchange[Message]:
    """Send an answer that the peer asks for again if it gets lost; return the peer's next message."""
    return (yield from _say(payloads, Wait.PATIENTLY, check))


def conclude(*payloads: Payload) -> Exchange[None]:
    """Send the last message of the exchange."""
    yield Say(payloads, Wait.NOT)


def hear(kind: int, link: bytes = b"") -> Exchange[Message]:
    """Return the peer's next request, after what ``conclude`` answered to the one before."""
    message = yield Hear(kind, link)
    if not isinstance(message, Message):
        raise NoAnswer("an exchange that waits is resumed with a message")
    return message


def perform(effect: Effect) -> Exchange[None]:
    """Let the host do something, in its place among the messages."""
    yield Do(effect)


def protect(shield: Shield) -> Exchange[None]:
    """Hand over the keys."""
    yield Protect(shield)


def traverse(path: Path, *, peer_moves: bool) -> Exchange[None]:
    """Go on through NAT."""
    yield Traverse(path, peer_moves)


def suppose(error: IkeError) -> Exchange[None]:
    """Say why nothing more will come of it, if nothing does."""
    yield Suppose(error)


def consult(question: Question) -> Exchange[Answer]:
    """Ask the host and return its answer."""
    answered = yield Consult(question)
    if answered is None or isinstance(answered, Message):
        raise NoAnswer("an exchange that asks is resumed with an answer")
    return answered


@dataclass(frozen=True, slots=True)
class Finished(Generic[T]):
    """What an exchange came to."""

    result: T


class Stepper(Generic[T]):
    """Takes an exchange from command to command."""

    def __init__(self, exchange: Exchange[T]) -> None:
        self._exchange = exchange

    def step(self, message: Message | Answer | None = None) -> Command | Finished[T]:
        """Go on with the answer to the last command; raises what the exchange raises."""
        try:
            return self._exchange.send(message)
        except StopIteration as stop:
            return Finished(stop.value)

    def close(self) -> None:
        """Give it up."""
        self._exchange.close()
