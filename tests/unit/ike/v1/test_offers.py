# SPDX-License-Identifier: Apache-2.0
"""Proposals of quick mode in words."""

import pytest

from ringfence.crypto.suites import DhGroup
from ringfence.databases.proposal import Protocol
from ringfence.databases.sa import Mode
from ringfence.databases.spd import Processing
from ringfence.ike.errors import Refused
from ringfence.ike.v1.methods import choose_quick, offer_quick
from ringfence.ike.v1.offers import described, offered_quick
from ringfence.ike.v1.payloads import ProposalPayload, SaPayload, TransformPayload
from ringfence.ike.v1.transforms import can_say
from ringfence.testing.associations import AH_SUITES, ESP_SUITES
from ringfence.testing.hosts import AH_SHA256, ESP_CBC, ESP_GCM, method

OURS = {Protocol.ESP: 0x1001, Protocol.AH: 0x2002}
THEIRS = {Protocol.ESP: 0x3003, Protocol.AH: 0x4004}
GCM, CBC, BOTH = method(ESP_GCM), method(ESP_CBC), method(ESP_CBC, AH_SHA256)


def wants(*methods, **more):
    return Processing(methods, **more)


@pytest.mark.parametrize("suite", [*ESP_SUITES, *AH_SUITES], ids=str)
def test_a_peers_proposal_has_the_words_of_a_document(suite):
    if not can_say(method(suite)):
        return
    offer = offer_quick(wants(method(suite)), OURS)
    assert [terms.word for terms in offered_quick(offer)] == [str(method(suite))]


def comparison(theirs, ours):
    with pytest.raises(Refused) as error:
        choose_quick(offer_quick(theirs, OURS), ours, THEIRS)
    return error.value.comparison


def test_both_sides_are_compared():
    found = comparison(wants(CBC, BOTH, pfs=DhGroup.MODP_2048), wants(GCM, pfs=DhGroup.ECP_256))
    assert found.apart == ("encryption", "integrity", "PFS group")
    rows = {row.what: (row.theirs, row.ours, row.agree) for row in found.rows}
    assert rows["protocol"] == (("esp", "ah + esp"), ("esp",), True)
    assert rows["encryption"] == (("aes128",), ("aes256-gcm",), False)
    assert rows["integrity of AH"] == (("none", "sha256"), ("none",), True)
    assert found.nearest[0].word == "esp aes128-sha1"


def test_a_group_that_is_free_is_no_difference_unless_theirs_is_weak():
    assert comparison(wants(CBC, pfs=DhGroup.ECP_256), wants(GCM)).apart == ("encryption", "integrity")
    weak = comparison(wants(CBC, pfs=DhGroup.MODP_1024), wants(CBC))
    assert weak.apart == ("PFS group",)
    assert comparison(wants(CBC, mode=Mode.TUNNEL), wants(CBC)).apart == ("mode",)


def test_numbers_that_mean_nothing():
    odd = ProposalPayload(1, 9, bytes(4), (TransformPayload(1, 99, ()),))
    (terms,) = offered_quick(SaPayload(1, 1, (odd,)))
    assert (terms.word, described(terms)) == ("", "protocol 9 transform 99, transport")


def test_a_hostile_offer_is_not_multiplied_out():
    many = tuple(TransformPayload(number, 12, ()) for number in range(200))
    offer = SaPayload(1, 1, tuple(ProposalPayload(1, protocol, bytes(4), many) for protocol in (2, 3)))
    assert len(offered_quick(offer)) == 256
