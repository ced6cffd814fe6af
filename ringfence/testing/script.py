# SPDX-License-Identifier: Apache-2.0
"""Plays an exchange without an engine: what it must say, what it gets, what it comes to.

    agreed = (
        Script(initiate(setting, env))
        .asks(SaPayload, VendorPayload).gets(*answer)
        .asks(KePayload, NoncePayload).gets(*keys)
        .protects()
        .returns())

An expectation is a payload's class or a payload itself. A message that a script sends is encoded and decoded on its
way, and goes through the exchange's own check. What does not fit is reported with all that was said before.
"""

from collections.abc import Sequence
from typing import Generic, TypeVar

from ringfence.ike.effects import Effect
from ringfence.ike.errors import IkeError, Reason
from ringfence.ike.exchange import Check, Do, Exchange, Finished, Message, Protect, Say, Shield, Stepper, Wait, accept
from ringfence.ike.header import VERSION_1, Flags, Header
from ringfence.ike.header import Exchange as Kind
from ringfence.ike.payload import Payload, decode_chain, encode_chain
from ringfence.ike.v1.payloads import REGISTRY

T = TypeVar("T")
E = TypeVar("E", bound=Effect)
Expected = Payload | type[Payload]

INITIATOR_COOKIE, RESPONDER_COOKIE = b"initiate", b"response"


def message(*payloads: Payload, message_id: int = 0, kind: Kind = Kind.MAIN) -> Message:
    """A message as it comes out of its octets."""
    first, octets = encode_chain(payloads)
    header = Header(INITIATOR_COOKIE, RESPONDER_COOKIE, first, VERSION_1, kind, Flags(0), message_id)
    return Message(header, decode_chain(first, octets, REGISTRY))


class Mismatch(AssertionError):
    """The exchange did something else."""


class Script(Generic[T]):
    """One exchange, step by step."""

    def __init__(self, exchange: Exchange[T], *, message_id: int = 0, kind: Kind = Kind.MAIN) -> None:
        self._stepper = Stepper(exchange)
        self._message_id, self._kind = message_id, kind
        self._check: Check = accept
        self._next: Message | None = None
        self._story: list[str] = []
        self.said: tuple[Payload, ...] = ()
        """The last message of the exchange."""
        self.shield: Shield | None = None
        """The keys that it handed over."""

    def _step(self) -> object:
        given, self._next = self._next, None
        return self._stepper.step(given)

    def _say(self, wait: Wait, expected: Sequence[Expected]) -> "Script[T]":
        command = self._step()
        if not isinstance(command, Say):
            raise Mismatch(self._told(f"{command!r} instead of a message"))
        self.said, self._check = command.payloads, command.check
        fits = len(expected) == len(self.said) and all(map(_fits, self.said, expected))
        if not fits or command.wait is not wait:
            raise Mismatch(self._told(f"{_words(self.said)} ({command.wait.name}) instead of {_words(expected)}"))
        self._story.append(f"says {_words(self.said)}")
        return self

    def asks(self, *expected: Expected) -> "Script[T]":
        """It sends a message and insists on the answer."""
        return self._say(Wait.INSIST, expected)

    def answers(self, *expected: Expected) -> "Script[T]":
        """It sends a message and waits patiently."""
        return self._say(Wait.PATIENTLY, expected)

    def concludes(self, *expected: Expected) -> "Script[T]":
        """It sends a message and waits for nothing."""
        return self._say(Wait.NOT, expected)

    def gets(self, *payloads: Payload) -> "Script[T]":
        """A message comes, which must pass its check; it is handed over with the next step."""
        self._next = message(*payloads, message_id=self._message_id, kind=self._kind)
        self._check(self._next)
        self._story.append(f"gets {_words(payloads)}")
        return self

    def refuses(self, reason: Reason, *payloads: Payload) -> "Script[T]":
        """A message comes that its check does not let through; the exchange goes on waiting."""
        try:
            self._check(message(*payloads, message_id=self._message_id, kind=self._kind))
        except IkeError as error:
            if error.reason is reason:
                return self
            raise Mismatch(self._told(f"{error.reason} instead of {reason}")) from error
        raise Mismatch(self._told(f"{_words(payloads)} passed"))

    def protects(self) -> "Script[T]":
        """It hands its keys over."""
        command = self._step()
        if not isinstance(command, Protect):
            raise Mismatch(self._told(f"{command!r} instead of keys"))
        self.shield = command.shield
        return self

    def does(self, kind: type[E]) -> E:
        """It lets the host do something; the effect comes back."""
        command = self._step()
        if not (isinstance(command, Do) and isinstance(command.effect, kind)):
            raise Mismatch(self._told(f"{command!r} instead of {kind.__name__}"))
        return command.effect

    def returns(self) -> T:
        """It comes to an end; its result."""
        command = self._stepper.step(self._next)
        if not isinstance(command, Finished):
            raise Mismatch(self._told(f"{command!r} instead of the end"))
        return command.result

    def raises(self, reason: Reason) -> IkeError:
        """It comes to nothing."""
        try:
            command = self._step()
        except IkeError as error:
            if error.reason is reason:
                return error
            raise Mismatch(self._told(f"{error.reason} instead of {reason}: {error}")) from error
        raise Mismatch(self._told(f"{command!r} instead of an error"))

    def _told(self, wrong: str) -> str:
        return "\n".join([*self._story, wrong])


def _fits(payload: Payload, expected: Expected) -> bool:
    return isinstance(payload, expected) if isinstance(expected, type) else payload == expected


def _words(payloads: Sequence[Expected]) -> str:
    return " ".join(each.__name__ if isinstance(each, type) else type(each).__name__ for each in payloads)
