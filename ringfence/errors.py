# SPDX-License-Identifier: Apache-2.0
"""The root of every error that Ringfence raises on purpose.

An error that reaches a person says three things: what is wrong, where, and what to do. Each package derives its own
errors from ``IpsecError`` in a file ``errors.py`` of its own.
"""


class IpsecError(Exception):
    """Something went wrong that Ringfence foresaw; ``str()`` of it can be shown to a person."""

    def __init__(self, message: str, *, place: str = "", cure: str = "") -> None:
        super().__init__(message)
        self.message = message
        """What is wrong, in the words of the user's world."""
        self.place = place
        """Where: a file and line, a rule, a peer; empty when it needs no saying."""
        self.cure = cure
        """What to do about it; empty when nothing general can be said."""

    def __str__(self) -> str:
        text = f"{self.place}: {self.message}" if self.place else self.message
        return f"{text}\n{self.cure}" if self.cure else text


class NotSupported(IpsecError):
    """What was asked for is known but not served here."""


class LegacyRefused(IpsecError):
    """A weak algorithm was named without ``legacy = true``."""
