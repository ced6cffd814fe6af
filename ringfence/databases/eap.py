# SPDX-License-Identifier: Apache-2.0
"""Proof by EAP (RFC 3748), as a PAD entry has it: by which methods, as whom, and against which list of users.

In IKEv2 who begins is the user, and who answers asks for the proof, usually after having proved itself by a certificate
(RFC 7296 §2.16). So one way serves one role or both: with a ``user`` we can begin, with a ``directory`` we can answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from ringfence.databases.certification import CertificateAuth
from ringfence.secret import Secret


class EapMethod(Enum):
    """Methods, as policies name them."""

    MSCHAPV2 = "mschapv2"
    TLS = "tls"
    GTC = "gtc"
    MD5 = "md5"

    @property
    def makes_key(self) -> bool:
        """Whether both sides have a key of it, by which AUTH is tied to the conversation (RFC 7296 §2.16)."""
        return self in (EapMethod.MSCHAPV2, EapMethod.TLS)

    @property
    def proves_both(self) -> bool:
        """Whether it will do without another proof of the gateway (RFC 5998 §4).

        MSCHAPv2 proves that the gateway knows the password, but whoever pretends to be one can guess it afterwards.
        """
        return self is EapMethod.TLS


@dataclass(frozen=True, slots=True)
class EapUser:
    """Whom we prove to be."""

    name: str
    """Such as ``alice``, ``alice@corp.example`` or ``CORP\\alice``; empty: as our certificate says, with TLS alone."""
    password: Secret | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Users:
    """Those whom we know ourselves."""

    source: str
    """Where the list is from, for people."""
    passwords: Mapping[str, Secret] = field(default_factory=dict, repr=False, hash=False)
    """By name: the password as UTF-8, or 16 octets with ``exact``: its hash, as Windows keeps it."""


@dataclass(frozen=True, slots=True)
class RadiusServer:
    """Somebody else who knows the users (RFC 3579)."""

    name: str
    host: str
    """An address, or a name."""
    secret: Secret = field(repr=False)
    port: int = 1812
    timeout_s: float = 3.0
    tries: int = 3
    identifier: str = ""
    """What we call ourselves there (NAS-Identifier)."""


Directory = Users | tuple[RadiusServer, ...]
"""Several RADIUS servers are asked in this order, the next where one is silent."""


@dataclass(frozen=True, slots=True)
class EapAuth:
    """One side proves itself by EAP."""

    methods: tuple[EapMethod, ...]
    """In order of preference."""
    gateway: CertificateAuth | None = None
    """How the side proves itself that asks for EAP; None: the method alone proves both (RFC 5998)."""
    user: EapUser | None = None
    directory: Directory | None = None
    users_of: CertificateAuth | None = None
    """With TLS: whose certificates are taken for a user's or the server's, and ours."""

    def __str__(self) -> str:
        return f"EAP {' or '.join(one.value for one in self.methods)}"
