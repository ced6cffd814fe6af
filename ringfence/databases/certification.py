# SPDX-License-Identifier: Apache-2.0
"""Proof by certificate, as a PAD entry has it: whom we trust to say who somebody is, and what we can show ourselves.

Nothing here is secret. A certificate of ours is known by its thumbprint to whoever keeps the key for it, and that is no
engine: it asks for a signature and gets one, or is told why not.
"""

from dataclasses import dataclass
from enum import Enum

from ringfence.crypto.certificate import Certificate
from ringfence.crypto.signature import KeyKind


class Revocation(Enum):
    """How strictly certificates are looked up in the lists of revoked ones."""

    NONE = "none"
    REVOKED = "revoked"
    """Refused only if it stands in a list."""
    STRICT = "strict"
    """Refused also if no list can be had."""


@dataclass(frozen=True, slots=True)
class OwnCertificate:
    """A certificate that we can show, and what leads from it to an authority."""

    name: str
    """As the policy calls it."""
    chain: tuple[bytes, ...]
    """In DER: ours, then who issued each before it, without the root."""

    @property
    def leaf(self) -> Certificate:
        """Ours."""
        return Certificate.read(self.chain[0])

    @property
    def id(self) -> str:
        """Its thumbprint in hex, by which the keeper of keys knows it."""
        return self.leaf.thumbprint()

    @property
    def kind(self) -> KeyKind:
        """What its key signs with."""
        return self.leaf.key.kind

    @property
    def issuers(self) -> tuple[bytes, ...]:
        """The distinguished names of all who vouch for it."""
        return tuple(Certificate.read(one).issuer for one in self.chain)


@dataclass(frozen=True, slots=True)
class CertificateAuth:
    """Both sides have a certificate of one authority."""

    authority: str
    """As the policy names it."""
    signing: KeyKind
    """What keys sign with; ``KeyKind.RSA``, ``P256`` or ``P384``."""
    anchors: tuple[bytes, ...] = ()
    """The authority's own certificates in DER: whose path ends there is trusted."""
    own: tuple[OwnCertificate, ...] = ()
    """Ours of this authority that sign so, in order of preference."""
    usages: tuple[str, ...] = ()
    """Extended key usages that the peer's must have, as dotted numbers."""
    name_kind: str = ""
    """Which of its names has to be ``name``: ``dns``, ``upn``, ``email``, ``cn``, ``ou``, ``o``, ``dc``; empty: any."""
    name: str = ""
    thumbprint: str = ""
    """The only one that is taken, by SHA-1 (40 digits) or SHA-256 (64); empty for any."""
    asks_by_name: bool = True
    """Whether our certificate requests name the authority."""
    revocation: Revocation = Revocation.NONE
    lists: tuple[bytes, ...] = ()
    """Lists of revoked certificates from files, in DER."""

    @property
    def names(self) -> tuple[bytes, ...]:
        """The distinguished names of its own certificates."""
        return tuple(dict.fromkeys(Certificate.read(one).subject for one in self.anchors))

    def __str__(self) -> str:
        return f"certificate {self.authority}"
