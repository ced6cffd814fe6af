# SPDX-License-Identifier: Apache-2.0
"""What a message of IKE_AUTH must say first; the whole of it: tests/protocol/test_ikev2_*.py."""

import pytest
from unit.ike.v2.test_keys import ENDS, SECRET

from ringfence.ike.errors import Aborted, Reason
from ringfence.ike.exchange import Message, Stepper
from ringfence.ike.header import Header
from ringfence.ike.payload import Chain, Decoded
from ringfence.ike.v2.auth import Begun, meet
from ringfence.ike.v2.keys import derive
from ringfence.ike.v2.payloads import AuthPayload, EapPayload, IdInitiatorPayload
from ringfence.testing.hosts import FAST_MAIN, HostPolicy
from ringfence.testing.network import path_between

PATH = path_between("192.0.2.1", "192.0.2.2")


def message(*payloads):
    return Message(
        Header(bytes(8), bytes(8), 46, 0x20, 35, 0, 1, 28), Chain(tuple(Decoded(one, b"") for one in payloads))
    )


BEGUN = Begun(1, PATH, derive(FAST_MAIN, SECRET, ENDS), b"own", message(), None, bytes(16))
ENTRIES = tuple(HostPolicy("192.0.2.1", "192.0.2.2", keying=(2,)).compiled()[1])


@pytest.mark.parametrize(
    ("payloads", "reason"),
    [
        ((AuthPayload(2, b""),), Reason.PAYLOAD_MISSING),
        ((EapPayload(b"\2\1\0\5\1"),), Reason.PAYLOAD_MISSING),
        ((IdInitiatorPayload(2, b"alice"),), Reason.WRONG_METHOD),
        ((IdInitiatorPayload(2, b"alice"), AuthPayload(2, b"x")), Reason.WRONG_KEY),
    ],
)
def test_who_does_not_begin_rightly_is_nobody(payloads, reason):
    with pytest.raises(Aborted) as raised:
        Stepper(meet(message(*payloads), BEGUN, ENTRIES)).step()
    assert raised.value.reason is reason
