# SPDX-License-Identifier: Apache-2.0
"""Informational messages: authentic or nothing; deletes of both protocols."""

import pytest

from ringfence.databases.proposal import Protocol
from ringfence.ike.errors import Ignored, Reason
from ringfence.ike.v1.informational import (
    Deleted,
    DeletedIke,
    check,
    delete_children,
    delete_ike,
    deletions,
    name_of,
    protected,
)
from ringfence.ike.v1.notifies import Notify
from ringfence.ike.v1.payloads import DeletePayload, HashPayload, NotifyPayload
from ringfence.testing.mainmode import main_keys
from ringfence.testing.script import message

KEYS = main_keys()
NOTIFY = NotifyPayload(1, 1, b"", Notify.INITIAL_CONTACT)


def test_a_protected_message_is_authentic_under_its_keys_and_number():
    whole = protected(KEYS, 7, NOTIFY)
    check(KEYS, message(*whole, message_id=7))
    for keys, bad in (
        (main_keys(b"other"), message(*whole, message_id=7)),
        (KEYS, message(*whole, message_id=8)),
        (KEYS, message(HashPayload(b""), NOTIFY, message_id=7)),
        (KEYS, message(whole[0], NotifyPayload(1, 1, b"", Notify.CONNECTED), message_id=7)),
    ):
        with pytest.raises(Ignored) as error:
            check(keys, bad)
        assert error.value.reason is Reason.BAD_HASH


def test_deletes_there_and_back():
    payloads = delete_children([(Protocol.ESP, 0x1001), (Protocol.AH, 0x2002), (Protocol.ESP, 0x1003)])
    assert [(each.protocol, len(each.spis)) for each in payloads] == [(3, 2), (2, 1)]
    said = list(deletions(message(*payloads, delete_ike(b"initiate", b"response"))))
    assert said == [
        Deleted(Protocol.ESP, (0x1001, 0x1003)), Deleted(Protocol.AH, (0x2002,)), DeletedIke(b"initiateresponse"),
    ]  # fmt: skip


def test_deletes_that_make_no_sense_are_passed_over():
    odd = message(DeletePayload(1, 4, (b"\0\1",)), DeletePayload(1, 3, (bytes(8),)))
    assert list(deletions(odd)) == [Deleted(Protocol.ESP, ())]


def test_names():
    assert name_of(Notify.NO_PROPOSAL_CHOSEN) == "NO-PROPOSAL-CHOSEN"
    assert name_of(4711) == "notify 4711"
