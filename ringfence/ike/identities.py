# SPDX-License-Identifier: Apache-2.0
"""Who somebody is, in all versions of IKE: what an ID payload claims, whether two names are one, what we are called."""

from ringfence.crypto.certificate import same_dn
from ringfence.databases.identity import Identity, IdentityKind
from ringfence.databases.pad import PadEntry
from ringfence.ike.errors import Aborted, Reason
from ringfence.net.address import IPV4_OCTETS, IPV6_OCTETS, Path

CASELESS = (IdentityKind.FQDN, IdentityKind.USER_FQDN)
ADDRESS_OCTETS = {IdentityKind.IPV4_ADDRESS: IPV4_OCTETS, IdentityKind.IPV6_ADDRESS: IPV6_OCTETS}


def claimed(id_type: int, data: bytes) -> Identity:
    """Who a peer claims to be; raises Aborted for a form that nobody can be."""
    try:
        identity = Identity(IdentityKind(id_type), data)
    except ValueError:
        raise Aborted(Reason.WRONG_IDENTITY, f"the peer's identity has type {id_type}, unknown here") from None
    if identity.kind is IdentityKind.NULL:
        raise Aborted(Reason.WRONG_IDENTITY, "the peer says no name")
    if len(identity.data) != ADDRESS_OCTETS.get(identity.kind, len(identity.data)) or not identity.data:
        raise Aborted(Reason.WRONG_IDENTITY, "the peer's identity has the wrong length")
    return identity


def same_identity(one: Identity, other: Identity) -> bool:
    """Whether they name the same; names compare without case, distinguished names attribute by attribute.

    Who has no name is not even the same as another without one.
    """
    if one.kind is not other.kind or one.kind is IdentityKind.NULL:
        return False
    if one.kind is IdentityKind.DN:
        return same_dn(one.data, other.data)
    return one.data.lower() == other.data.lower() if one.kind in CASELESS else one.data == other.data


def local_identity(entry: PadEntry, path: Path) -> Identity:
    """What we say we are."""
    return entry.local_identity or Identity.of_address(path.local.address)


def wanted_identity(entry: PadEntry, path: Path) -> Identity:
    """What the peer must prove to be."""
    return entry.remote_identity or Identity.of_address(path.remote.address)
