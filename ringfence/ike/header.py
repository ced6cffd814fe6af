# SPDX-License-Identifier: Apache-2.0
"""The header that every IKE message begins with (RFC 2408 §3.1, RFC 7296 §3.1): 28 octets, the same in all versions."""

from enum import IntEnum, IntFlag
from typing import Annotated

from ringfence.wire import U8, U32, Fixed, Wire, wire

HEADER_OCTETS = 28
LENGTH_AT = 24
COOKIE_OCTETS = 8
NO_COOKIE = bytes(COOKIE_OCTETS)
FLAGS_AT = 19
"""Where the flags stand."""

VERSION_1 = 0x10
VERSION_2 = 0x20


class Exchange(IntEnum):
    """Exchange types of IKEv1 and AuthIP (RFC 2408 §3.1, RFC 2409 appendix A)."""

    BASE = 1
    MAIN = 2
    """Identity protection."""
    AUTHENTICATION_ONLY = 3
    AGGRESSIVE = 4
    INFORMATIONAL = 5
    TRANSACTION = 6
    """Mode-config."""
    QUICK = 32
    NEW_GROUP = 33
    ACKNOWLEDGED_INFORMATIONAL = 34


class Flags(IntFlag):
    """Flags of IKEv1; others survive a round trip."""

    ENCRYPTED = 1
    COMMIT = 2
    AUTHENTICATION_ONLY = 4
    """Authenticated, but in clear: unused."""


@wire
class Header(Wire):
    """The header of one message."""

    initiator_cookie: Annotated[bytes, Fixed(COOKIE_OCTETS)]
    """Chosen by who began the IKE SA, whoever sends this message."""
    responder_cookie: Annotated[bytes, Fixed(COOKIE_OCTETS)]
    """Zero until the responder has chosen."""
    next_payload: U8
    """Type of the first payload; 0 for none."""
    version: U8
    """Major and minor, four bits each."""
    exchange: Annotated[Exchange | int, U8]
    flags: Annotated[Flags, U8]
    message_id: U32
    """0 in phase 1."""
    length: U32 = HEADER_OCTETS
    """Octets of the whole message."""

    @property
    def major(self) -> int:
        """The major version: what the rest of the header means."""
        return self.version >> 4

    @property
    def minor(self) -> int:
        """The minor version: never a reason to refuse."""
        return self.version & 0x0F

    @property
    def encrypted(self) -> bool:
        """Whether all behind the header is encrypted (IKEv1)."""
        return Flags.ENCRYPTED in self.flags

    def over(self, body: bytes) -> bytes:
        """The message of this header, with its length set, and ``body``."""
        return self.encode()[:LENGTH_AT] + (HEADER_OCTETS + len(body)).to_bytes(4) + body
