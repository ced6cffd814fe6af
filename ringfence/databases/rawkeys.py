# SPDX-License-Identifier: Apache-2.0
"""Proof by a public key without a certificate (RFC 7670), as a PAD entry has it: whose keys we know, and our own.

Nobody vouches for such a key but the policy, which names it. With a name beside it, it proves that name and no other;
without one, whoever has it may call himself as he likes, for he is the only one.
"""

from dataclasses import dataclass

from ringfence.crypto.rawkeys import fingerprint
from ringfence.crypto.signature import KeyKind, PublicKey
from ringfence.databases.identity import Identity


@dataclass(frozen=True, slots=True)
class OwnKey:
    """A key of ours that the peer knows."""

    name: str
    """The file that has it, for people."""
    info: bytes
    """The SubjectPublicKeyInfo in DER."""

    @property
    def id(self) -> str:
        """By which the keeper of keys knows it."""
        return f"key:{fingerprint(self.info).hex()}"

    @property
    def kind(self) -> KeyKind:
        """What it signs with."""
        return PublicKey(self.info).kind


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key of a peer."""

    source: str
    """The file that has it, or its fingerprint, as the policy says."""
    info: bytes = b""
    """The SubjectPublicKeyInfo in DER; empty where only the fingerprint is known."""
    mark: bytes = b""
    """The fingerprint (32 octets), where only that is known."""
    identity: Identity | None = None
    """Whose it is; None for anybody's."""

    def is_key(self, info: bytes) -> bool:
        """Whether that is this key."""
        return info == self.info if self.info else fingerprint(info) == self.mark


@dataclass(frozen=True, slots=True)
class PublicKeyAuth:
    """Both sides have keys that the other knows."""

    keys: tuple[KnownKey, ...]
    own: OwnKey | None = None

    def __str__(self) -> str:
        own = "" if self.own is None else self.own.name
        return f"public key {' or '.join(one.source for one in self.keys) or own}"
