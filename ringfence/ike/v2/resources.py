# SPDX-License-Identifier: Apache-2.0
"""Child SAs for each processor of a peer (RFC 9611).

A peer with several processors may ask for a child SA for each, all for the same traffic, so that no two of them share a
sequence number. Such a one does not take another's place, as any other for the same traffic does. The packet path here
is one process, which several would only make slower, so the first one serves all: whoever asks for another is told that
there are enough (TS_MAX_QUEUE), and goes on by the one that it has. It may rekey that as ever.
"""

from ringfence.databases.selector import Selector
from ringfence.ike.agreement import Ground
from ringfence.ike.errors import Reason
from ringfence.ike.payload import Chain
from ringfence.ike.v2.notifies import Answered, Notify
from ringfence.ike.v2.payloads import NotifyPayload


def check_more(chain: Chain, ground: Ground, selector: Selector) -> None:
    """It is not one more for the same traffic, for a processor of the peer's; raises Refused (§3)."""
    kinds = {each.kind for each in chain.all(NotifyPayload)}
    if Notify.SA_RESOURCE_INFO not in kinds or Notify.REKEY_SA in kinds:
        return
    if any(record.in_use and record.child.selector == selector for record in ground.children.of(ground.ike_id)):
        what = f"the peer wants one more for {selector}, for another of its processors, and one serves all of them"
        raise Answered(Reason.WRONG_SELECTORS, what, Notify.TS_MAX_QUEUE)
