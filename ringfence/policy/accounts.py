# SPDX-License-Identifier: Apache-2.0
"""Computers and users as a policy names them, and which of these names a peer can prove now.

Main mode proves the identity that IKE carries: a host name, ``user@host``, an address, ``keyid:`` in hex, a
distinguished name in words (RFC 4514) or as ``dn:`` in hex. Accounts and groups of a domain, SIDs, and users take
Kerberos, or a directory.
"""

import re
from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple

from ringfence.crypto.certificate import parse_dn
from ringfence.databases.admission import Admission, Pattern
from ringfence.databases.identity import Identity, IdentityKind
from ringfence.net.address import AddressRange
from ringfence.policy.terms import Access


class Read(NamedTuple):
    """Lists of names, as far as they can be decided on."""

    admission: Admission
    allowed: tuple[str, ...]
    """Computers that are allowed and that no peer can prove to be now."""
    denied: tuple[str, ...]
    """Computers and users that are denied, likewise."""
    users: tuple[str, ...]
    """Users that are allowed and that cannot prove themselves now."""
    user_admission: Admission = Admission()
    """Which users are let in, where they prove themselves after their computers."""
    nobody: bool = False
    """Whether nobody of those who are allowed can prove it now."""


DN = re.compile(r"\s*(?:[A-Za-z][A-Za-z0-9-]*|[0-9]+(?:\.[0-9]+)+)\s*=")
"""How a distinguished name begins."""
NOBODY = Pattern("nobody", identity=Identity(IdentityKind.KEY_ID, b""))


class Proving(Enum):
    """Who comes in by a rule."""

    COMPUTERS = "computers"
    USERS = "users"
    """By EAP alone."""
    EITHER = "either"
    BOTH = "both"
    """Computers first, and then their users."""


def read(allow: Access, deny: Access, proving: Proving = Proving.COMPUTERS) -> Read:
    """What two lists come to."""
    if proving is Proving.BOTH:
        return _separately(allow, deny)
    if proving is not Proving.COMPUTERS:
        return _with_users(allow, deny, proving)
    allowed, later = _patterns(allow.computers)
    denied, undecided = _patterns(deny.computers)
    nobody = bool(allow) and (bool(allow.users) or not allowed)
    admission = Admission((NOBODY,) if nobody else allowed, denied)
    return Read(admission, later, (*undecided, *deny.users), allow.users, nobody=nobody)


def _with_users(allow: Access, deny: Access, proving: Proving) -> Read:
    """Likewise where the peer may be a user: each list is about those whom it names.

    Where only users come in, a list of computers has nobody in it.
    """
    computers, later = _patterns(allow.computers)
    refused, undecided = _patterns(deny.computers)
    if proving is Proving.USERS:
        computers, later, refused, undecided = (), allow.computers, (), deny.computers
    users, out = (tuple(Pattern(one, user=True) for one in names) for names in (allow.users, deny.users))
    nobody = bool(allow) and not (computers or users)
    return Read(
        Admission((NOBODY,) if nobody else (*computers, *users), (*refused, *out)), later, undecided, (), nobody=nobody
    )


def _separately(allow: Access, deny: Access) -> Read:
    """Likewise where both are proved: who is let in has to be in both lists that name somebody."""
    found = read(Access(allow.computers), Access(deny.computers))
    users, out = (tuple(Pattern(one, user=True) for one in names) for names in (allow.users, deny.users))
    return found._replace(user_admission=Admission(users, out))


def _patterns(names: Iterable[str]) -> tuple[tuple[Pattern, ...], tuple[str, ...]]:
    found = [(name, pattern_of(name)) for name in names]
    known = tuple(pattern for _, pattern in found if pattern is not None)
    return known, tuple(name for name, pattern in found if pattern is None)


def pattern_of(name: str) -> Pattern | None:
    """Who is meant, or None where only a directory knows."""
    name = name.strip()
    if name.startswith(("dn:", "keyid:")):
        identity = Identity.parse(name)
        dn = identity.data if identity.kind is IdentityKind.DN else b""
        return Pattern(name, identity=None if dn else identity, dn=dn)
    if DN.match(name):
        try:
            return Pattern(name, dn=parse_dn(name))
        except ValueError:
            return None
    try:
        return Pattern(name, addresses=AddressRange.parse(name))
    except ValueError:
        pass
    if "\\" in name or "=" in name or ":" in name or name.upper().startswith("S-1-") or "." not in name:
        return None
    return Pattern(name) if " " not in name else None
