# SPDX-License-Identifier: Apache-2.0
"""What goes wrong in a negotiation: three consequences, each with a reason.

``Ignored``: the message is dropped and counted. ``Refused``: it is answered, and the SA lives. ``Aborted``: it is
answered, and the SA dies. Whatever a message that nobody authenticated causes is lowered to ``Ignored`` by the engine.
"""

from enum import Enum

from ringfence.errors import IpsecError


class Reason(Enum):
    """Why; the value is the name in counters and events. Each protocol maps these to its own notify numbers."""

    MALFORMED = "malformed"
    """Octets that are no message."""
    PAYLOAD_TYPE = "payload-type"
    """A payload whose type means nothing here."""
    PAYLOAD_UNEXPECTED = "payload-unexpected"
    """A payload that may not stand in this message, stands too often or in the wrong place."""
    PAYLOAD_MISSING = "payload-missing"
    UNPROTECTED = "unprotected"
    """In clear where it must be encrypted, or the other way round."""
    DOI = "doi-not-supported"
    SITUATION = "situation-not-supported"


class IkeError(IpsecError):
    """Root of this package's errors."""

    def __init__(self, reason: Reason, message: str, *, place: str = "", cure: str = "") -> None:
        super().__init__(message, place=place, cure=cure)
        self.reason = reason


class Ignored(IkeError):
    """The message is dropped and counted."""


class Refused(IkeError):
    """The message is answered with a notify, and the SA lives."""


class Aborted(IkeError):
    """The message is answered with a notify, and the SA dies."""
