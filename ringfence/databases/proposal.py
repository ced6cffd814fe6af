# SPDX-License-Identifier: Apache-2.0
"""What two hosts may agree on, in a form that no protocol owns.

IKEv1, IKEv2, AuthIP and the policy each translate to and from these values.
"""

from dataclasses import dataclass
from enum import Enum

from ringfence.crypto.suites import GROUPS, HASH, Authenticator, Cipher, DhGroup, Hash


class Protocol(Enum):
    """The security protocols; the value is the IP protocol number."""

    ESP = 50
    AH = 51


@dataclass(frozen=True, slots=True)
class Limits:
    """How long something may live; None means no limit of that kind."""

    seconds: int | None = None
    octets: int | None = None
    """Octets protected; IKEv1 speaks of kilobytes of 1,024."""
    packets: int | None = None


@dataclass(frozen=True, slots=True)
class Transform:
    """The algorithms of one SA."""

    protocol: Protocol
    cipher: Cipher | None = None
    """None for AH."""
    authenticator: Authenticator | None = None
    """None with a combined mode."""
    esn: bool = False
    """Extended sequence numbers (RFC 4304; in IKEv1 attribute 11)."""

    def __post_init__(self) -> None:
        if self.protocol is Protocol.AH:
            if self.cipher is not None or self.authenticator is None:
                raise ValueError("AH has an integrity algorithm and no encryption")
        elif self.cipher is None:
            raise ValueError("ESP names its encryption, if only NULL")
        elif self.cipher.row.combined == (self.authenticator is not None):
            raise ValueError("ESP has integrity exactly once: a combined mode or an algorithm of its own")

    def __str__(self) -> str:
        parts = [self.protocol.name.lower()]
        parts.append("-".join(str(part) for part in (self.cipher, self.authenticator) if part is not None))
        return " ".join(parts) + (" esn" if self.esn else "")


@dataclass(frozen=True, slots=True)
class SecurityMethod:
    """One acceptable protection of a flow: the SAs to stack, innermost first (Windows: security method)."""

    transforms: tuple[Transform, ...]
    """(ESP,), (AH,) or (ESP, AH)."""
    limits: Limits = Limits(seconds=3600)
    encapsulate: bool = True
    """False: only the first packet of a connection travels protected, to prove who sent it (Windows: null
    encapsulation). It has ESP without encryption."""

    def __str__(self) -> str:
        if not self.encapsulate:
            return f"none {str(self.transforms[0]).removeprefix('esp null-')}"
        return " + ".join(map(str, self.transforms))


@dataclass(frozen=True, slots=True)
class IkeProposal:
    """One acceptable protection of main mode (Windows: main mode security method)."""

    cipher: Cipher
    hash: Hash
    group: DhGroup
    limits: Limits = Limits(seconds=28800)
    further: tuple[DhGroup, ...] = ()
    """What is exchanged besides, in this order, so that all would have to be broken (RFC 9370); IKEv2 alone can."""

    def __str__(self) -> str:
        return f"{self.cipher}-{HASH[self.hash].word}-{exchanges_text(self.group, *self.further)}"


def exchanges_text(*groups: DhGroup) -> str:
    """Key exchanges as policies say them: ``x25519+mlkem768``."""
    return "+".join(GROUPS[each].word for each in groups)
