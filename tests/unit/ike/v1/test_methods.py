# SPDX-License-Identifier: Apache-2.0
"""Quick mode's proposals: bundles, groups, modes; chosen as they stand, refused when changed."""

from dataclasses import replace

import pytest

from ringfence.crypto.suites import Authenticator, Cipher, DhGroup, Encryption, Integrity
from ringfence.databases.proposal import Limits, Protocol, Transform
from ringfence.databases.sa import Mode
from ringfence.databases.spd import Processing
from ringfence.ike.errors import Reason, Refused
from ringfence.ike.v1.methods import accepted_quick, choose_quick, offer_quick, protocols
from ringfence.ike.v1.payloads import Attribute, ProtocolId, SaPayload
from ringfence.ike.v1.transforms import can_say, transform_id
from ringfence.testing.associations import AH_SUITES, ESP_SUITES
from ringfence.testing.hosts import AH_SHA256, ESP_CBC, ESP_GCM, method

OURS = {Protocol.ESP: 0x1001, Protocol.AH: 0x2002}
THEIRS = {Protocol.ESP: 0x3003, Protocol.AH: 0x4004}
GCM, CBC, AH, BOTH = method(ESP_GCM), method(ESP_CBC, octets=1 << 20), method(AH_SHA256), method(ESP_CBC, AH_SHA256)


def wants(*methods, **more):
    return Processing(methods, **more)


def reason(call, *args):
    with pytest.raises(Refused) as error:
        call(*args)
    return error.value.reason


def test_what_is_offered():
    offer = offer_quick(wants(GCM, BOTH, pfs=DhGroup.ECP_256, mode=Mode.TUNNEL), OURS)
    said = [(each.number, each.protocol, each.spi.hex(), each.transforms[0].id) for each in offer.proposals]
    assert said == [(1, 3, "00001001", 20), (2, 2, "00002002", 5), (2, 3, "00001001", 12)]
    for proposal in offer.proposals:
        (transform,) = proposal.transforms
        kinds = {each.kind: each.as_number for each in transform.attributes}
        assert (kinds[3], kinds[4], kinds[1], kinds[2]) == (19, 1, 1, 3600)
    auth = [{each.kind: each.as_number for each in p.transforms[0].attributes}.get(5) for p in offer.proposals]
    assert auth == [None, 5, 2]


def test_both_lifetimes_and_no_mode_but_transport():
    (proposal,) = offer_quick(wants(CBC), OURS).proposals
    assert [(each.kind, each.value) for each in proposal.transforms[0].attributes] == [
        (1, 1), (2, (3600).to_bytes(4)), (1, 2), (2, (1024).to_bytes(4)), (4, 2), (5, 2), (6, 128),
    ]  # fmt: skip


@pytest.mark.parametrize("suite", [*ESP_SUITES, *AH_SUITES], ids=str)
def test_every_suite_that_has_a_number_is_understood_by_the_other_side(suite):
    processing = wants(method(suite))
    if not can_say(method(suite)):
        assert suite.authenticator.algorithm is Integrity.AES_CMAC_96
        assert reason(offer_quick, processing, OURS) is Reason.NO_PROPOSAL
        return
    offer = offer_quick(processing, OURS)
    choice = choose_quick(offer, processing, THEIRS)
    assert choice.method == method(suite)
    assert choice.spis == {suite.protocol: OURS[suite.protocol]}
    taken = accepted_quick(offer, choice.answer, processing)
    assert taken.method == method(suite)
    assert taken.spis == {suite.protocol: THEIRS[suite.protocol]}


def test_no_two_suites_say_the_same():
    said = {}
    for suite in [*ESP_SUITES, *AH_SUITES]:
        if can_say(method(suite)):
            (proposal,) = offer_quick(wants(method(suite)), OURS).proposals
            said.setdefault((proposal.protocol, proposal.transforms[0].encode()), []).append(str(suite))
    assert all(len(suites) == 1 for suites in said.values())


def test_the_responder_walks_its_own_methods():
    offer = offer_quick(wants(CBC, GCM, BOTH), OURS)
    for mine, number in ((wants(GCM, CBC), 2), (wants(BOTH, GCM), 3), (wants(AH, CBC), 1)):
        choice = choose_quick(offer, mine, THEIRS)
        assert {each.number for each in choice.answer.proposals} == {number}
        originals = [each for each in offer.proposals if each.number == number]
        assert [each.transforms for each in choice.answer.proposals] == [each.transforms for each in originals]
        assert {each.spi.hex() for each in choice.answer.proposals} <= {"00003003", "00004004"}


def test_one_of_several_transforms():
    (cbc,), (gcm,) = offer_quick(wants(CBC), OURS).proposals, offer_quick(wants(GCM), OURS).proposals
    transforms = (replace(cbc.transforms[0], number=1), replace(gcm.transforms[0], number=2))
    offer = SaPayload(1, 1, (replace(cbc, transforms=transforms),))
    choice = choose_quick(offer, wants(GCM), THEIRS)
    assert choice.answer.proposals[0].transforms == (transforms[1],)


def test_esp_alone_is_not_esp_in_ah():
    assert reason(choose_quick, offer_quick(wants(BOTH), OURS), wants(CBC), THEIRS) is Reason.NO_PROPOSAL
    assert reason(choose_quick, offer_quick(wants(CBC), OURS), wants(BOTH), THEIRS) is Reason.NO_PROPOSAL


GROUPS = [
    (None, None, True),
    (DhGroup.ECP_256, DhGroup.ECP_256, True),
    (DhGroup.ECP_256, None, True),
    (DhGroup.MODP_1024, None, False),
    (None, DhGroup.ECP_256, False),
    (DhGroup.MODP_2048, DhGroup.ECP_256, False),
]


@pytest.mark.parametrize(("offered", "wanted", "fits"), GROUPS)
def test_groups_of_the_second_exchange(offered, wanted, fits):
    offer = offer_quick(wants(GCM, pfs=offered), OURS)
    if fits:
        assert choose_quick(offer, wants(GCM, pfs=wanted), THEIRS).group is offered
    else:
        assert reason(choose_quick, offer, wants(GCM, pfs=wanted), THEIRS) is Reason.NO_PROPOSAL


def test_two_proposals_of_one_number_with_different_groups():
    one = offer_quick(wants(BOTH, pfs=DhGroup.ECP_256), OURS).proposals
    other = offer_quick(wants(BOTH), OURS).proposals
    assert reason(choose_quick, SaPayload(1, 1, (one[0], other[1])), wants(BOTH), THEIRS) is Reason.NO_PROPOSAL


def test_modes():
    tunnel = offer_quick(wants(GCM, mode=Mode.TUNNEL), OURS)
    assert reason(choose_quick, tunnel, wants(GCM), THEIRS) is Reason.NO_PROPOSAL
    (proposal,) = offer_quick(wants(GCM), OURS).proposals
    (transform,) = proposal.transforms
    silent = replace(transform, attributes=tuple(each for each in transform.attributes if each.kind != 4))
    offer = SaPayload(1, 1, (replace(proposal, transforms=(silent,)),))
    assert choose_quick(offer, wants(GCM), THEIRS).answer.proposals[0].transforms == (silent,)


@pytest.mark.parametrize("spi", [b"", b"\0\0\0", bytes(4), bytes(5)])
def test_spis_that_are_none(spi):
    (proposal,) = offer_quick(wants(GCM), OURS).proposals
    offer = SaPayload(1, 1, (replace(proposal, spi=spi),))
    assert reason(choose_quick, offer, wants(GCM), THEIRS) is Reason.NO_PROPOSAL


def test_a_proposal_that_offers_nothing():
    (proposal,) = offer_quick(wants(GCM), OURS).proposals
    offer = SaPayload(1, 1, (replace(proposal, transforms=()),))
    with pytest.raises(Refused, match="the peer offers esp without a transform; we take") as error:
        choose_quick(offer, wants(GCM), THEIRS)
    assert error.value.reason is Reason.NO_PROPOSAL


def test_the_stricter_lifetimes():
    offer = offer_quick(wants(method(ESP_GCM, seconds=100, octets=4096)), OURS)
    assert choose_quick(offer, wants(GCM), THEIRS).method.limits == Limits(100, 4096)


def answer_with(change):
    offer = offer_quick(wants(GCM, BOTH), OURS)
    answer = choose_quick(offer, wants(BOTH), THEIRS).answer
    return offer, SaPayload(1, 1, tuple(change(list(answer.proposals))))


def test_an_answer_in_another_order_is_the_same():
    offer, answer = answer_with(lambda proposals: proposals[::-1])
    assert accepted_quick(offer, answer, wants(GCM, BOTH)).method == BOTH


def with_attribute(proposal, kind, value):
    (transform,) = proposal.transforms
    attributes = tuple(Attribute(kind, value) if each.kind == kind else each for each in transform.attributes)
    return replace(proposal, transforms=(replace(transform, attributes=attributes),))


@pytest.mark.parametrize(
    "change",
    [
        lambda proposals: proposals[:1],
        lambda proposals: [proposals[0], with_attribute(proposals[1], 6, 256)],
        lambda proposals: [proposals[0], with_attribute(proposals[1], 2, 7200)],
        lambda proposals: [with_attribute(each, 4, 1) for each in proposals],
        lambda proposals: [replace(each, transforms=each.transforms * 2) for each in proposals],
        lambda proposals: [replace(each, spi=b"\1") for each in proposals],
        lambda proposals: [*proposals, replace(proposals[0], protocol=ProtocolId.IPCOMP)],
    ],
    ids=["half", "key length", "lifetime", "mode", "nothing chosen", "spi", "more"],
)
def test_a_changed_answer_is_refused(change):
    offer, answer = answer_with(change)
    assert reason(accepted_quick, offer, answer, wants(GCM, BOTH)) is Reason.CHANGED_PROPOSAL


def test_refusals_name_what_was_offered():
    with pytest.raises(
        Refused,
        match=r"the peer offers ah \+ esp aes128-sha1 with sha256, transport; we take esp aes256-gcm in transport",
    ):
        choose_quick(offer_quick(wants(BOTH), OURS), wants(GCM), THEIRS)


def test_what_a_policy_uses():
    assert protocols(wants(BOTH, GCM)) == [Protocol.AH, Protocol.ESP]
    assert protocols(wants(GCM)) == [Protocol.ESP]
    gmac = Transform(Protocol.AH, None, Authenticator(Integrity.AES_GMAC, 24))
    assert transform_id(gmac) == 12
    assert transform_id(Transform(Protocol.ESP, Cipher(Encryption.CHACHA20_POLY1305, 256))) == 28
