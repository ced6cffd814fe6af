# SPDX-License-Identifier: Apache-2.0
"""Who begins without a child SA, and who grants one along with the IKE SA."""

import pytest

from ringfence.databases.pad import Childless
from ringfence.ike.errors import Aborted, Reason, Refused
from ringfence.ike.payload import Chain, Decoded
from ringfence.ike.v2.childless import ANNOUNCEMENT, begins_childless, check_childless, childless_announced
from ringfence.ike.v2.payloads import SaPayload
from ringfence.testing.hosts import HostPolicy


def entry(childless):
    _, pad = HostPolicy("192.0.2.1", "192.0.2.2", childless=childless).compiled()
    return next(iter(pad))


def heard(*payloads):
    return Chain(tuple(Decoded(each, b"") for each in payloads))


def test_what_a_responder_says():
    (said,) = childless_announced()
    assert said.encode() == bytes.fromhex("00004022")


@pytest.mark.parametrize(("childless", "expected"), [
    (Childless.NEVER, False), (Childless.PREFER, True), (Childless.REQUIRE, True),
])  # fmt: skip
def test_who_begins_so_where_the_peer_can(childless, expected):
    assert begins_childless(entry(childless), heard(*ANNOUNCEMENT)) is expected


def test_who_insists_begins_with_nobody_who_cannot():
    assert not begins_childless(entry(Childless.PREFER), heard())
    assert not begins_childless(entry(Childless.NEVER), heard())
    assert [begins_childless(entry(each), None) for each in Childless] == [False, False, True]
    with pytest.raises(Aborted) as caught:
        begins_childless(entry(Childless.REQUIRE), heard())
    assert caught.value.reason is Reason.PEER_REFUSED


def test_who_insists_grants_nothing_with_the_ike_sa():
    asks = heard(SaPayload(()))
    check_childless(entry(Childless.REQUIRE), heard())
    check_childless(entry(Childless.PREFER), asks)
    with pytest.raises(Refused):
        check_childless(entry(Childless.REQUIRE), asks)
