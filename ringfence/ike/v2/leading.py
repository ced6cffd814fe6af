# SPDX-License-Identifier: Apache-2.0
"""Which answers to our IKE_SA_INIT lead on (RFC 7296 §2.6, §2.21.1): none of them is authenticated."""

from ringfence.crypto.suites import DhGroup
from ringfence.databases.proposal import IkeProposal
from ringfence.ike.errors import Aborted, Reason
from ringfence.ike.exchange import Check, Message
from ringfence.ike.payload import Chain
from ringfence.ike.v2.notifies import Notify, name_of
from ringfence.ike.v2.payloads import NotifyPayload, SaPayload
from ringfence.ike.v2.proposals import accepted_ike
from ringfence.ike.v2.refusals import refusal
from ringfence.ike.v2.setting import Setting


def goes_on(
    offer: SaPayload, proposals: tuple[IkeProposal, ...], groups: tuple[DhGroup, ...], setting: Setting, nonce: bytes
) -> Check:
    """The check of an answer to our first message; it raises for one that leads nowhere."""

    def check(message: Message) -> None:
        chain = message.chain
        if setting.elsewhere.sends_on(chain, setting.entries[0], nonce):
            return
        if chain.maybe(SaPayload) is not None:
            accepted_ike(offer, chain.one(SaPayload), proposals)
        elif (notify := said(chain, Notify.INVALID_KE_PAYLOAD)) is not None and group_in(notify, groups) is None:
            what = f"the peer wants a value of group {int.from_bytes(notify.data)}, which the policy does not allow"
            raise Aborted(Reason.NO_PROPOSAL, what)
        elif notify is None and (refused := refusal(chain)) is not None:
            reason = Reason.NO_PROPOSAL if refused.kind == Notify.NO_PROPOSAL_CHOSEN else Reason.PEER_REFUSED
            raise Aborted(reason, f"the peer refuses: {name_of(refused.kind)}")
        elif notify is None and said(chain, Notify.COOKIE) is None:
            raise Aborted(Reason.MALFORMED, "the peer's answer to IKE_SA_INIT says nothing")

    return check


def group_in(notify: NotifyPayload, groups: tuple[DhGroup, ...]) -> DhGroup | None:
    """Which of our groups INVALID_KE_PAYLOAD asks for."""
    return next((group for group in groups if group.value.to_bytes(2) == notify.data), None)


def said(chain: Chain, kind: Notify) -> NotifyPayload | None:
    """The notify of that kind in a message."""
    return next((each for each in chain.all(NotifyPayload) if each.kind == kind), None)
