# SPDX-License-Identifier: Apache-2.0
"""Who of those that have proved who they are is let in (Windows: authorized computers).

Names are compared without regard to case, and ``*`` in one stands for any text: ``*.corp.example`` is every host below
corp.example. What would take a directory to decide, accounts and groups, is no pattern here.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from ringfence.crypto.certificate import same_dn
from ringfence.databases.identity import Identity, IdentityKind
from ringfence.net.address import AddressRange

NAMES = (IdentityKind.FQDN, IdentityKind.USER_FQDN)
ADDRESSES = (IdentityKind.IPV4_ADDRESS, IdentityKind.IPV6_ADDRESS)


@dataclass(frozen=True, slots=True)
class Pattern:
    """One or several identities."""

    text: str
    """As it was written."""
    addresses: AddressRange | None = None
    """Those that are meant, where addresses are."""
    identity: Identity | None = None
    """The only one that is meant, where it is given in octets."""
    dn: bytes = b""
    """The distinguished name that is meant, in DER; others with the same attributes are meant, too."""

    user: bool = False
    """Whether it names users, who are never computers even if they are called alike."""

    def fits(self, identity: Identity) -> bool:
        """Whether ``identity`` is meant."""
        if self.user or identity.kind is IdentityKind.USER:
            named = identity.data.decode(errors="replace")
            return self.user and identity.kind is IdentityKind.USER and fnmatchcase(_plain(named), _plain(self.text))
        if self.addresses is not None:
            return identity.kind in ADDRESSES and identity.data in self.addresses
        if self.dn:
            return identity.kind is IdentityKind.DN and same_dn(identity.data, self.dn)
        if self.identity is not None:
            return identity == self.identity
        return identity.kind in NAMES and fnmatchcase(_plain(str(identity)), _plain(self.text))


def _plain(name: str) -> str:
    return name.lower().removesuffix(".").replace("[", "[[]")


@dataclass(frozen=True, slots=True)
class Admission:
    """A list of those who are let in, and one of those who are not."""

    allow: tuple[Pattern, ...] = ()
    """Empty: everybody."""
    deny: tuple[Pattern, ...] = ()
    """Not even if allowed."""

    def admits(self, *names: Identity) -> bool:
        """Whether who is called by all of ``names`` is let in; a certificate may have several."""
        allowed = not self.allow or any(one.fits(name) for one in self.allow for name in names)
        return allowed and not any(one.fits(name) for one in self.deny for name in names)
