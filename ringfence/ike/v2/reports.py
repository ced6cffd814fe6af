# SPDX-License-Identifier: Apache-2.0
"""What the administrator is told of an IKE SA of IKEv2 and of its child SAs: that they were made, or why not."""

from ringfence.audit import MainModeEstablished, MainModeFailed, QuickModeFailed
from ringfence.ike.errors import IkeError
from ringfence.ike.v2.initial import Agreed
from ringfence.ike.v2.running import AnyRunning

KEYING = "ikev2"


def established(ike_id: int, peer: str, made: Agreed, rule: str, *, initiator: bool) -> MainModeEstablished:
    """There is an IKE SA."""
    return MainModeEstablished(
        ike_id=ike_id,
        peer=peer,
        local_identity=str(made.local),
        remote_identity=str(made.remote),
        proposal=str(made.proposal),
        initiator=initiator,
        rule=rule,
        lifetime_s=made.proposal.limits.seconds,
        keying=KEYING,
    )


def failed(peer: str, running: AnyRunning, error: IkeError, rule: str) -> MainModeFailed:
    """There is none."""
    return MainModeFailed(
        peer=peer,
        reason=error.reason.value,
        detail=error.detail,
        initiator=running.initiator,
        rule=rule,
        comparison=error.comparison,
        keying=KEYING,
    )


def child_failed(peer: str, running: AnyRunning, error: IkeError) -> QuickModeFailed:
    """There is no child SA."""
    return QuickModeFailed(
        peer=peer,
        reason=error.reason.value,
        detail=error.detail,
        initiator=running.initiator,
        rule=running.wish.entry.origin.rule if running.wish else "",
        comparison=error.comparison,
        keying=KEYING,
    )
