# SPDX-License-Identifier: Apache-2.0
"""Names and kinds of notifies."""

from ringfence.ike.errors import Reason, Refused
from ringfence.ike.v2.notifies import NOTIFY_OF, Answered, Notify, name_of


def test_errors_come_before_16384():
    assert Notify.CHILD_SA_NOT_FOUND.is_error
    assert not Notify.INITIAL_CONTACT.is_error


def test_names():
    assert name_of(Notify.TS_UNACCEPTABLE) == "TS_UNACCEPTABLE"
    assert name_of(40000) == "notify 40000"


def test_what_a_peer_is_told_is_an_error():
    assert all(kind is None or kind.is_error for kind in NOTIFY_OF.values())


def test_a_refusal_with_its_own_notify():
    error = Answered(Reason.BAD_KEY_EXCHANGE, "text", Notify.INVALID_KE_PAYLOAD, b"\0\x13", (3, b"spi4"))
    assert isinstance(error, Refused)
    assert (error.notify, error.data, error.about) == (Notify.INVALID_KE_PAYLOAD, b"\0\x13", (3, b"spi4"))
