# SPDX-License-Identifier: Apache-2.0
"""Messages that are sent again, and messages that come again.

IKEv1 numbers no messages. A lost one is noticed by whoever waits for an answer, who repeats the last it sent, octet for
octet; a repeated one is known by its digest and answered with the octets of the first time, without any new work (RFC
2408 §5.1). What is remembered is bounded in number and time, and the message ids of a whole IKE SA are remembered as
numbers, so that an old exchange cannot be played again.
"""

from dataclasses import dataclass
from hashlib import sha256

DIGEST_OCTETS = 16


def digest(datagram: bytes) -> bytes:
    """What a message is recognised by."""
    return sha256(datagram).digest()[:DIGEST_OCTETS]


@dataclass(frozen=True, slots=True)
class Patience:
    """When a message is repeated, and how often."""

    first_s: float = 1.0
    """Until the first repetition; each further wait is twice as long."""
    most_s: float = 16.0
    """No wait is longer."""
    tries: int = 5
    """Messages sent in all."""

    def wait(self, tries: int) -> float:
        """Seconds to wait after the message has been sent ``tries`` times."""
        return min(self.first_s * (1 << tries - 1), self.most_s)

    @property
    def whole_s(self) -> float:
        """How long an answer is waited for in all."""
        return sum(self.wait(tries) for tries in range(1, self.tries + 1))


class Repeater:
    """The last message of one exchange, repeated until somebody answers."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._tries = 0
        self.due: float | None = None
        """When to call ``again``; None while nothing waits for an answer."""

    def sent(self, now: float, *, once: bool = False) -> None:
        """A new message was sent and waits for its answer; ``once``: it gets there without being repeated."""
        self._tries = self._patience.tries if once else 1
        self.due = now + (self._patience.whole_s if once else self._patience.wait(1))

    def again(self, now: float) -> bool:
        """Whether to send the message again; False means that the peer is silent for good."""
        if self._tries >= self._patience.tries:
            self.due = None
            return False
        self._tries += 1
        self.due = now + self._patience.wait(self._tries)
        return True

    def answered(self) -> None:
        """The answer is there."""
        self.due = None


class Answers:
    """What was answered to which message."""

    def __init__(self, most: int = 64) -> None:
        self._most = most
        self._answers: dict[bytes, bytes | None] = {}

    def add(self, key: bytes, answer: bytes | None) -> None:
        """Remember ``answer`` for the message of that digest; None: it is ignored when it comes again."""
        self._answers.pop(key, None)
        self._answers[key] = answer
        while len(self._answers) > self._most:
            del self._answers[next(iter(self._answers))]

    def __contains__(self, key: bytes) -> bool:
        return key in self._answers

    def __getitem__(self, key: bytes) -> bytes | None:
        return self._answers[key]

    def __len__(self) -> int:
        return len(self._answers)


class MessageIds:
    """The message ids that an IKE SA has used, of either side: each is used once (RFC 2409 §5.5)."""

    def __init__(self, most: int = 1 << 16) -> None:
        self._most = most
        self._used: set[int] = {0}

    def take(self, number: int) -> bool:
        """Use ``number``; False when it was used before, or when this SA has used all it may."""
        if number in self._used or self.spent:
            return False
        self._used.add(number)
        return True

    def __contains__(self, number: int) -> bool:
        return number in self._used

    @property
    def spent(self) -> bool:
        """Whether no further exchange is possible: the SA has to be replaced."""
        return len(self._used) > self._most
