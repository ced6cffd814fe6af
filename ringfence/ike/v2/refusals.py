# SPDX-License-Identifier: Apache-2.0
"""What a peer's error notify refuses, and what that says of a contract."""

from ringfence.ike.errors import Reason, Refused
from ringfence.ike.payload import Chain
from ringfence.ike.v2.notifies import Notify, name_of
from ringfence.ike.v2.payloads import NotifyPayload


def refusal(chain: Chain) -> NotifyPayload | None:
    """The error notify in a message, if any."""
    return next((each for each in chain.all(NotifyPayload) if each.kind < Notify.INITIAL_CONTACT), None)


REASONS = {
    Notify.TS_UNACCEPTABLE: Reason.WRONG_SELECTORS,
    Notify.SINGLE_PAIR_REQUIRED: Reason.SINGLE_PAIR,
    Notify.NO_PROPOSAL_CHOSEN: Reason.NO_PROPOSAL,
    Notify.TEMPORARY_FAILURE: Reason.COLLISION,
    Notify.CHILD_SA_NOT_FOUND: Reason.PEER_DELETED,
    Notify.INTERNAL_ADDRESS_FAILURE: Reason.NO_ADDRESS,
    Notify.FAILED_CP_REQUIRED: Reason.NO_ADDRESS,
}


def refused_by_peer(notify: NotifyPayload) -> Refused:
    """What an error notify instead of a child SA means."""
    reason = next((reason for kind, reason in REASONS.items() if kind == notify.kind), Reason.PEER_REFUSED)
    return Refused(reason, f"the peer refuses the child SA: {name_of(notify.kind)}")
