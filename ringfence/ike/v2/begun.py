# SPDX-License-Identifier: Apache-2.0
"""What IKE_SA_INIT came to, which everything in IKE_AUTH stands on."""

from dataclasses import dataclass

from ringfence.databases.pad import Ppk
from ringfence.ike.exchange import Message
from ringfence.ike.payload import Chain
from ringfence.ike.v2 import natt, null, signatures
from ringfence.ike.v2.keys import IkeKeys
from ringfence.ike.v2.payloads import IdInitiatorPayload, IdResponderPayload
from ringfence.ike.v2.peers import identity_of
from ringfence.ike.v2.proof import Said
from ringfence.net.address import Path


@dataclass(frozen=True, slots=True)
class Begun:
    """What IKE_SA_INIT came to."""

    ike_id: int
    path: Path
    """As the policy knows both ends, before any NAT was found."""
    keys: IkeKeys
    own: bytes
    """Our message."""
    theirs: Message
    nat: natt.Nat | None
    spis: bytes
    """Those of the peer's message."""
    early: bool = False
    """Whether both sides mix in a postquantum preshared key before IKE_AUTH, if at all."""
    mixed: Ppk | None = None
    """The one that is in the keys already."""

    @property
    def hashes(self) -> frozenset[int]:
        """By which the peer can verify signatures."""
        return signatures.announced(self.theirs.chain)

    def signed_by_us(self, payload: IdInitiatorPayload | IdResponderPayload) -> bytes:
        """What we prove with."""
        return self.keys.signed(self.own, payload.encode(), initiator=isinstance(payload, IdInitiatorPayload))

    def said(self, chain: Chain, payload: IdInitiatorPayload | IdResponderPayload) -> Said:
        """The peer's message with its name."""
        initiator = isinstance(payload, IdInitiatorPayload)
        signed = self.keys.signed(self.theirs.octets, payload.encode(), initiator=initiator)
        identity = null.stranger(self.path) if null.is_nameless(payload) else identity_of(payload)
        inner = natt.is_own(self.theirs.chain, self.spis, identity, self.nat)
        return Said(chain, identity, signed, self.hashes, self.path, inner)
