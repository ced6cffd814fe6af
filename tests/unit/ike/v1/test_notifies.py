# SPDX-License-Identifier: Apache-2.0
"""Every reason has a number, and the numbers are IANA's."""

from ringfence.ike.errors import Reason
from ringfence.ike.v1.notifies import NOTIFY_OF, Notify


def test_every_reason_is_told_with_an_error_or_not_at_all():
    assert set(NOTIFY_OF) == set(Reason)
    assert all(notify is None or notify.is_error for notify in NOTIFY_OF.values())


def test_what_a_peer_cannot_help_is_not_told():
    told = {reason for reason, notify in NOTIFY_OF.items() if notify is not None}
    assert Reason.NO_PROPOSAL in told
    assert not told & {Reason.PEER_SILENT, Reason.HALF_OPEN_LIMIT, Reason.COLLISION, Reason.NO_PEER}


def test_errors_are_those_of_rfc_2408():
    assert [notify.value for notify in Notify if notify.is_error] == list(range(1, 31))
    assert Notify.NO_PROPOSAL_CHOSEN == 14
    assert Notify.INVALID_HASH_INFORMATION == 23


def test_status():
    status = {notify.name: notify.value for notify in Notify if not notify.is_error}
    assert status.items() >= {"CONNECTED": 16384, "INITIAL_CONTACT": 24578, "R_U_THERE_ACK": 36137}.items()
