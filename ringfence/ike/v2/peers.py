# SPDX-License-Identifier: Apache-2.0
"""Who somebody is in IKEv2 (RFC 7296 §3.5), and whether what was proved is what another entry wants proved."""

from dataclasses import dataclass

from ringfence.databases.identity import Identity, IdentityKind
from ringfence.databases.pad import Auth, NullAuth, PadEntry, Ppk, PresharedKey
from ringfence.databases.proposal import IkeProposal
from ringfence.ike.claims import Claim, is_ours, is_wanted, same_algorithms
from ringfence.ike.identities import claimed
from ringfence.ike.isakmp import IdType
from ringfence.ike.v2.null import takes_anybody
from ringfence.ike.v2.payloads import IdInitiatorPayload, IdResponderPayload
from ringfence.net.address import Path


@dataclass(frozen=True, slots=True)
class Proved:
    """What both sides of an IKE SA have proved."""

    entry: PadEntry
    """By which the peer has authenticated."""
    proposal: IkeProposal
    local: Identity
    claim: Claim
    """Who the peer is."""
    auth: Auth
    """By which way of the entry it has proved that."""
    inner: bool = False
    """Whether the peer's identity is its address behind NAT."""
    ppk: Ppk | None = None
    """The postquantum preshared key that both sides know."""
    second: Auth | None = None
    """By which way of the entry the user of who began has proved himself, after the computers."""

    @property
    def is_stranger(self) -> bool:
        """Whether the peer has proved nothing."""
        return isinstance(self.auth, NullAuth)

    @property
    def remote(self) -> Identity:
        """What the peer calls itself."""
        return self.claim.identity

    @property
    def names(self) -> tuple[Identity, ...]:
        """All that the peer has proved to be."""
        return self.claim.names

    def satisfies(self, entry: PadEntry, path: Path) -> bool:
        """Whether that is what another ``entry`` wants proved as well."""
        return entry == self.entry or (
            2 in entry.keying
            and (entry.tcp is not None or not path.tcp)
            and entry.xauth is None  # that is IKEv1's
            and entry.serves(path.remote.address, path.local.address)
            and self.auth in entry.auth
            and (not entry.second or entry.second_optional or self.second in entry.second)
            and entry.admits_users(*self.claim.names)
            and entry.local_auth == self.entry.local_auth
            and (self.local.kind is IdentityKind.NULL or is_ours(entry, self.auth, self.local, path))
            and (takes_anybody(entry) if self.is_stranger else is_wanted(entry, self.claim, path, inner=self.inner))
            and (entry.ppk is None or not entry.ppk.required or entry.ppk.is_same(self.ppk))
            and any(same_algorithms(each, self.proposal) for each in entry.proposals)
        )


def shared_key(entry: PadEntry) -> PresharedKey | None:
    """The preshared key of an entry, its first."""
    return next((one for one in entry.auth if isinstance(one, PresharedKey)), None)


def identity_of(payload: IdInitiatorPayload | IdResponderPayload) -> Identity:
    """Who a peer claims to be; raises Aborted for a form that nobody can be."""
    return claimed(payload.id_type, payload.data)


def initiator_id(identity: Identity) -> IdInitiatorPayload:
    """IDi."""
    return IdInitiatorPayload(IdType(identity.kind.value), identity.data)


def responder_id(identity: Identity) -> IdResponderPayload:
    """IDr."""
    return IdResponderPayload(IdType(identity.kind.value), identity.data)
