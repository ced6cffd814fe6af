# SPDX-License-Identifier: Apache-2.0
"""What the administrator is told of an IKE SA of IKEv2 and of its child SAs: that they were made, or why not."""

from ringfence.audit import MainModeEstablished, MainModeFailed, QuickModeFailed
from ringfence.ike.errors import IkeError
from ringfence.ike.info import keying_by, peer_of
from ringfence.ike.v2.initial import Agreed
from ringfence.ike.v2.running import AnyRunning
from ringfence.net.address import Path


def established(ike_id: int, path: Path, made: Agreed, rule: str, *, initiator: bool) -> MainModeEstablished:
    """There is an IKE SA."""
    return MainModeEstablished(
        ike_id=ike_id,
        peer=peer_of(path),
        local_identity=str(made.local),
        remote_identity=str(made.remote),
        proposal=str(made.proposal),
        initiator=initiator,
        rule=rule,
        lifetime_s=made.proposal.limits.seconds,
        keying=keying_by(path),
    )


def failed(path: Path, running: AnyRunning, error: IkeError, rule: str) -> MainModeFailed:
    """There is none."""
    return MainModeFailed(
        peer=peer_of(path),
        reason=error.reason.value,
        detail=error.detail,
        initiator=running.initiator,
        rule=rule,
        comparison=error.comparison,
        keying=keying_by(path),
    )


def child_failed(path: Path, running: AnyRunning, error: IkeError) -> QuickModeFailed:
    """There is no child SA."""
    return QuickModeFailed(
        peer=peer_of(path),
        reason=error.reason.value,
        detail=error.detail,
        initiator=running.initiator,
        rule=running.wish.entry.origin.rule if running.wish else "",
        comparison=error.comparison,
        keying=keying_by(path),
    )
