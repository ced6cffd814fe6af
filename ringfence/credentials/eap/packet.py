# SPDX-License-Identifier: Apache-2.0
"""EAP packets (RFC 3748 §4): code, identifier, length; requests and responses have a type and its data, too."""

import struct
from dataclasses import dataclass
from enum import IntEnum

from ringfence.credentials.eap.errors import BadPacket

HEADER = struct.Struct(">BBH")


class Code(IntEnum):
    """What kind of packet it is."""

    REQUEST = 1
    RESPONSE = 2
    SUCCESS = 3
    FAILURE = 4


class Type(IntEnum):
    """What a request or a response is about."""

    IDENTITY = 1
    NOTIFICATION = 2
    NAK = 3
    MD5 = 4
    GTC = 6
    TLS = 13
    MSCHAPV2 = 26
    EXPANDED = 254


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet."""

    code: Code
    identifier: int
    """One octet; a response has that of its request."""
    type: int = 0
    """0 with success and failure, which have none."""
    data: bytes = b""

    @classmethod
    def decode(cls, octets: bytes) -> "Packet":
        """Raises BadPacket; octets behind the length do not count (RFC 3748 §4.1)."""
        if len(octets) < HEADER.size:
            raise BadPacket(f"an EAP packet has {len(octets)} octets")
        code, identifier, length = HEADER.unpack_from(octets)
        if not HEADER.size <= length <= len(octets) or code not in tuple(Code):
            raise BadPacket(f"an EAP packet says code {code} and length {length}, and has {len(octets)} octets")
        if code in (Code.SUCCESS, Code.FAILURE):
            return cls(Code(code), identifier)
        if length == HEADER.size:
            raise BadPacket("an EAP packet names no type")
        return cls(Code(code), identifier, octets[HEADER.size], octets[HEADER.size + 1 : length])

    def encode(self) -> bytes:
        """As it goes on the wire."""
        body = b"" if self.code in (Code.SUCCESS, Code.FAILURE) else bytes((self.type,)) + self.data
        return HEADER.pack(self.code, self.identifier, HEADER.size + len(body)) + body
