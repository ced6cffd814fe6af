# SPDX-License-Identifier: Apache-2.0
"""What a method is: a dialogue of the data of its type.

An authenticator's dialogue yields what it asks and gets the answer; it returns the key, or None where it makes none,
and raises ``Denied``. A peer's gets what is asked and yields ``Reply``; whether the peer is let in is said outside of
the method, so the reply says what it means then.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeAlias

from ringfence.secret import Secret


@dataclass(frozen=True, slots=True)
class Reply:
    """A peer's answer."""

    data: bytes
    done: bool = False
    """Whether the peer is content if it is let in now: the other side has proved all that it should."""
    key: Secret | None = None
    """The key then, 64 octets; None where the method makes none."""
    refused: str = ""
    """What the method says of why the peer is not let in; empty for nothing."""


@dataclass(frozen=True, slots=True)
class Telling:
    """A request that tells the peer that it is not let in; it may go without another word."""

    data: bytes
    why: str


PeerDialogue: TypeAlias = Generator[Reply, bytes, None]
"""Begun with the first request in hand."""
ServerDialogue: TypeAlias = Generator[bytes | Telling, bytes, Secret | None]
