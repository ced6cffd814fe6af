# SPDX-License-Identifier: Apache-2.0
"""An IKE SA (main mode SA) as people see it."""

from dataclasses import dataclass

from ringfence.databases.identity import Identity
from ringfence.databases.proposal import IkeProposal
from ringfence.ike.lifetime import IkeState
from ringfence.net.address import Path


@dataclass(frozen=True, slots=True)
class IkeSaInfo:
    """One IKE SA; no key is in it."""

    id: int
    path: Path
    state: IkeState
    initiator: bool
    """Whether we began it."""
    initiator_cookie: bytes
    responder_cookie: bytes
    """Zero until the responder has chosen."""
    local_identity: Identity | None
    """None until both sides are authenticated."""
    remote_identity: Identity | None
    proposal: IkeProposal | None
    entry: str
    """``PadEntry.name``."""
    rule: str
    made_at: float | None
    """By the clock that the engine is given; None while it is negotiated."""
    expires_at: float | None
    children: tuple[int, ...]
    """Ids of the contracts that it speaks for."""
