# SPDX-License-Identifier: Apache-2.0
"""Deletes and error notifies."""

import pytest

from ringfence.databases.proposal import Protocol
from ringfence.ike.errors import Aborted, Reason, Refused
from ringfence.ike.exchange import Say, Stepper, Wait
from ringfence.ike.payload import Chain, Decoded
from ringfence.ike.v2.informational import delete_children, delete_ike, deleted, deletes_ike, fatal, tell, told
from ringfence.ike.v2.notifies import Answered, Notify
from ringfence.ike.v2.payloads import DeletePayload, NotifyPayload


def chain(*payloads):
    return Chain(tuple(Decoded(payload, b"") for payload in payloads))


def test_deletes_by_protocol():
    spis = [(Protocol.ESP, 0x100), (Protocol.AH, 0x101), (Protocol.ESP, 0x102)]
    payloads = delete_children(spis)
    assert payloads == (
        DeletePayload(3, (b"\0\0\1\0", b"\0\0\1\2")),
        DeletePayload(2, (b"\0\0\1\1",)),
    )
    assert {*deleted(chain(*payloads))} == {*spis}
    assert not deletes_ike(chain(*payloads))


def test_the_ike_sa_has_no_spi():
    assert delete_ike().encode() == b"\x01\0\0\0"
    assert deletes_ike(chain(delete_ike()))
    assert [*deleted(chain(delete_ike(), DeletePayload(3, (b"123",)), DeletePayload(9, (b"1234",))))] == []


def test_telling_waits_for_the_answer():
    command = Stepper(tell(delete_ike())).step()
    assert isinstance(command, Say)
    assert (command.payloads, command.wait) == ((delete_ike(),), Wait.INSIST)


@pytest.mark.parametrize(
    ("error", "payloads"),
    [
        (Refused(Reason.NO_PROPOSAL, ""), (NotifyPayload(Notify.NO_PROPOSAL_CHOSEN),)),
        (Aborted(Reason.WRONG_KEY, ""), (NotifyPayload(Notify.AUTHENTICATION_FAILED),)),
        (Refused(Reason.PEER_SILENT, ""), ()),
        (
            Answered(Reason.WRONG_SELECTORS, "", Notify.CHILD_SA_NOT_FOUND, about=(3, b"spi4")),
            (NotifyPayload(Notify.CHILD_SA_NOT_FOUND, b"", 3, b"spi4"),),
        ),
    ],
)
def test_what_is_told(error, payloads):
    assert told(error) == payloads


@pytest.mark.parametrize("kind", [*Notify, 8191])
def test_two_errors_alone_end_the_ike_sa_by_themselves(kind):
    expected = kind if kind in (Notify.INVALID_SYNTAX, Notify.AUTHENTICATION_FAILED) else None
    assert fatal(chain(NotifyPayload(Notify.COOKIE), NotifyPayload(kind))) == expected
