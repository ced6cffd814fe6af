# SPDX-License-Identifier: Apache-2.0
"""Who somebody claims or proves to be: the identities of RFC 4301 §4.4.3.1, as IKE carries them (RFC 2407 §4.6.2)."""

from dataclasses import dataclass
from enum import Enum

from ringfence.crypto.certificate import dn_text, parse_dn
from ringfence.net.address import format_address, parse_address


class IdentityKind(Enum):
    """Forms of an identity; the value is the number in IKEv1 and IKEv2, one octet where there is one."""

    IPV4_ADDRESS = 1
    FQDN = 2
    USER_FQDN = 3
    IPV6_ADDRESS = 5
    DN = 9
    KEY_ID = 11
    NULL = 13
    """Nobody has proved a name; the octets are the address that somebody is seen at, or none."""
    USER = 256
    """A user who has proved himself by EAP; no payload carries it, so that nobody can claim it instead."""


@dataclass(frozen=True, slots=True)
class Identity:
    """One identity: its form, and its octets exactly as on the wire."""

    kind: IdentityKind
    data: bytes

    @classmethod
    def of_address(cls, address: bytes) -> "Identity":
        """The identity of an address of 4 or 16 octets."""
        return cls(IdentityKind.IPV4_ADDRESS if len(address) == 4 else IdentityKind.IPV6_ADDRESS, address)

    @classmethod
    def parse(cls, text: str) -> "Identity":
        """As people write it: an address, ``alice@corp.example``, ``host.corp.example``, or with a prefix.

        A distinguished name is ``CN=alice, O=Lab``. ``keyid:`` stands before hex or text, ``dn:`` before the DER
        octets of a distinguished name in hex, ``user:`` before a user's name.
        """
        try:
            return cls.of_address(parse_address(text))
        except ValueError:
            pass
        if text.startswith("user:"):
            return cls(IdentityKind.USER, text.removeprefix("user:").encode())
        if text.startswith("keyid:"):
            value = text.removeprefix("keyid:")
            try:
                return cls(IdentityKind.KEY_ID, bytes.fromhex(value))
            except ValueError:
                return cls(IdentityKind.KEY_ID, value.encode())
        if text.startswith("dn:"):
            try:
                return cls(IdentityKind.DN, bytes.fromhex(text.removeprefix("dn:")))
            except ValueError:
                pass
        if "=" in text:
            try:
                return cls(IdentityKind.DN, parse_dn(text))
            except ValueError:
                pass
        if "@" in text.strip("@"):
            return cls(IdentityKind.USER_FQDN, text.encode())
        return cls(IdentityKind.FQDN, text.removeprefix("@").encode())

    def __str__(self) -> str:
        match self.kind:
            case IdentityKind.IPV4_ADDRESS | IdentityKind.IPV6_ADDRESS:
                return format_address(self.data)
            case IdentityKind.FQDN | IdentityKind.USER_FQDN:
                return self.data.decode(errors="backslashreplace")
            case IdentityKind.NULL:
                return "anonymous"
            case IdentityKind.USER:
                return f"user:{self.data.decode(errors='backslashreplace')}"
            case IdentityKind.KEY_ID:
                return f"keyid:{self.data.hex()}"
            case IdentityKind.DN:
                return dn_text(self.data) if "=" in dn_text(self.data) else f"dn:{self.data.hex()}"
