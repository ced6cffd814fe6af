# SPDX-License-Identifier: Apache-2.0
"""An IKE SA and what it speaks for, as people see it (``info``)."""

from collections.abc import Sequence

from ringfence.ike.association import IkeSa, Referring
from ringfence.ike.children import Record
from ringfence.ike.info import IkeSaInfo
from ringfence.ike.lifetime import ChildState
from ringfence.ike.mobility import is_mobile


def info_of(session: IkeSa, records: Sequence[Record], expires_at: float | None) -> IkeSaInfo:
    """What there is to see of it; ``expires_at`` by the engine's clock, None for never."""
    made = session.agreed
    return IkeSaInfo(
        id=session.id,
        version=session.version,
        path=session.path,
        state=session.state,
        initiator=session.initiator,
        initiator_cookie=session.cookies[0],
        responder_cookie=session.cookies[1],
        local_identity=made.local if made else None,
        remote_identity=made.remote if made else None,
        proof=made.proof if made else "",
        proposal=made.proposal if made else None,
        entry=session.entry.name,
        rule=session.rule,
        made_at=session.made_at,
        expires_at=expires_at,
        mobike=is_mobile(session),
        home=session.home,
        refers=isinstance(session, Referring) and session.refers,
        children=tuple(record.child.id for record in records if record.state is not ChildState.LARVAL),
    )
