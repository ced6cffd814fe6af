# SPDX-License-Identifier: Apache-2.0
"""An IKE SA that begins without a child SA (RFC 6023); the first one is made under it like any other.

The child SA of IKE_AUTH takes its keys from the first key exchange alone; one of CREATE_CHILD_SA has key exchanges of
its own. So who wants that for all of them begins without. A responder says in IKE_SA_INIT that it can, and AUTH covers
that.
"""

from ringfence.databases.pad import Childless, PadEntry
from ringfence.ike.errors import Aborted, Reason, Refused
from ringfence.ike.payload import Chain
from ringfence.ike.v2.notifies import Notify
from ringfence.ike.v2.payloads import NotifyPayload, SaPayload

ANNOUNCEMENT = (NotifyPayload(Notify.CHILDLESS_IKEV2_SUPPORTED),)
"""What a responder says: any peer may begin so."""


def childless_announced() -> tuple[NotifyPayload, ...]:
    """As it stands in IKE_SA_INIT."""
    return ANNOUNCEMENT


def begins_childless(entry: PadEntry, answer: Chain | None) -> bool:
    """Whether we begin so with who has answered that; raises Aborted where the policy insists and the peer cannot.

    None: an IKE SA is resumed whose peer could.
    """
    if answer is None:
        return entry.childless is Childless.REQUIRE
    can = any(each.kind == Notify.CHILDLESS_IKEV2_SUPPORTED for each in answer.all(NotifyPayload))
    if entry.childless is Childless.REQUIRE and not can:
        what = "the peer makes no IKE SA without a contract (RFC 6023), and the policy requires that"
        raise Aborted(Reason.PEER_REFUSED, what)
    return can and entry.childless is not Childless.NEVER


def check_childless(entry: PadEntry, request: Chain) -> None:
    """Raise Refused where a peer asks for a child SA with IKE_AUTH, and the policy wants each to have its own keys."""
    if entry.childless is Childless.REQUIRE and request.maybe(SaPayload) is not None:
        raise Refused(Reason.NO_POLICY, "the policy makes no contract along with the IKE SA (main-mode.childless)")
