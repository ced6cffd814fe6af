# SPDX-License-Identifier: Apache-2.0
"""Who somebody is in IKEv2 (RFC 7296 §3.5), and whether the policy wants just that."""

from dataclasses import dataclass

from ringfence.databases.identity import Identity, IdentityKind
from ringfence.databases.pad import PadEntry, PresharedKey
from ringfence.databases.proposal import IkeProposal
from ringfence.ike.differences import compare_identity
from ringfence.ike.errors import Aborted, Reason
from ringfence.ike.identities import claimed, local_identity, same_identity, wanted_identity
from ringfence.ike.isakmp import IdType
from ringfence.ike.v2.payloads import IdInitiatorPayload, IdResponderPayload
from ringfence.net.address import Path


@dataclass(frozen=True, slots=True)
class Proved:
    """What both sides of an IKE SA have proved."""

    entry: PadEntry
    """By which the peer has authenticated."""
    proposal: IkeProposal
    local: Identity
    remote: Identity
    inner: bool = False
    """Whether the peer's identity is its address behind NAT."""

    def satisfies(self, entry: PadEntry, path: Path) -> bool:
        """Whether that is what another ``entry`` wants proved as well."""
        return entry == self.entry or (
            entry.serves(path.remote.address, path.local.address)
            and shared_key(entry) == shared_key(self.entry)
            and same_identity(local_identity(entry, path), self.local)
            and is_wanted(entry, self.remote, path, inner=self.inner)
            and any(same_algorithms(each, self.proposal) for each in entry.proposals)
        )


def shared_key(entry: PadEntry) -> PresharedKey | None:
    """The preshared key of an entry, its first."""
    return next((one for one in entry.auth if isinstance(one, PresharedKey)), None)


def same_algorithms(one: IkeProposal, other: IkeProposal) -> bool:
    """Whether they differ in their lifetimes at most."""
    return (one.cipher, one.hash, one.group) == (other.cipher, other.hash, other.group)


def identity_of(payload: IdInitiatorPayload | IdResponderPayload) -> Identity:
    """Who a peer claims to be; raises Aborted for a form that nobody can be."""
    return claimed(payload.id_type, payload.data)


def initiator_id(identity: Identity) -> IdInitiatorPayload:
    """IDi."""
    return IdInitiatorPayload(IdType(identity.kind.value), identity.data)


def responder_id(identity: Identity) -> IdResponderPayload:
    """IDr."""
    return IdResponderPayload(IdType(identity.kind.value), identity.data)


def is_named(entry: PadEntry, remote: Identity, path: Path, *, inner: bool) -> bool:
    """Whether it is who the entry is for; the ``inner`` address of a peer behind NAT stands for the one we see."""
    if entry.remote_identity is not None:
        return same_identity(remote, entry.remote_identity)
    if not entry.names_nobody or (inner and remote.kind is IdentityKind.IPV4_ADDRESS):
        return True
    return same_identity(remote, wanted_identity(entry, path))


def check_identity(entry: PadEntry, remote: Identity, path: Path, *, inner: bool) -> None:
    """Raise Aborted unless the entry wants and lets in who has proved to be ``remote``."""
    if not is_named(entry, remote, path, inner=inner):
        wanted = wanted_identity(entry, path)
        raise Aborted(
            Reason.WRONG_IDENTITY,
            f"the peer has the right key but is {remote}, not {wanted}",
            comparison=compare_identity(remote, wanted),
        )
    if not entry.admits(remote):
        rule = entry.origin.rule
        raise Aborted(Reason.NOT_AUTHORIZED, f'the peer proved to be {remote}, whom rule "{rule}" does not let in')


def is_wanted(entry: PadEntry, remote: Identity, path: Path, *, inner: bool) -> bool:
    """Whether ``check_identity`` would pass."""
    return is_named(entry, remote, path, inner=inner) and entry.admits(remote)
