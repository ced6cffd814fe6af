# SPDX-License-Identifier: Apache-2.0
"""Main mode's proposals: said, chosen as they stand, and refused when changed."""

from dataclasses import replace

import pytest

from ringfence.crypto.suites import Cipher, DhGroup, Encryption, Hash
from ringfence.databases.proposal import IkeProposal, Limits
from ringfence.ike.errors import Aborted, Reason
from ringfence.ike.v1.negotiate import (
    KEY_IKE,
    MainAttribute,
    accepted_main,
    choose_main,
    describe_main,
    life_attributes,
    main_meaning,
    offer_main,
    sa_payload,
)
from ringfence.ike.v1.payloads import Attribute, ProposalPayload, ProtocolId, SaPayload, TransformPayload
from ringfence.testing.hosts import HostPolicy

AES = IkeProposal(Cipher(Encryption.AES_CBC, 256), Hash.SHA256, DhGroup.MODP_2048, Limits(28800, 5 << 20))
OLD = IkeProposal(Cipher(Encryption.TRIPLE_DES, 192), Hash.SHA1, DhGroup.MODP_1024)


def entries(*proposals):
    _, pad = HostPolicy("192.0.2.1", "192.0.2.2", main=proposals).compiled()
    return tuple(pad)


def only(transform, **changes):
    proposal = ProposalPayload(1, ProtocolId.ISAKMP, b"", (transform,))
    return sa_payload([replace(proposal, **changes)])


def test_what_is_offered():
    (proposal,) = offer_main((AES, OLD)).proposals
    assert (proposal.protocol, proposal.spi) == (ProtocolId.ISAKMP, b"")
    first, second = proposal.transforms
    assert (first.number, first.id, second.number) == (1, KEY_IKE, 2)
    assert [(each.kind, each.value) for each in first.attributes] == [
        (1, 7), (14, 256), (2, 4), (3, 1), (4, 14),
        (11, 1), (12, (28800).to_bytes(4)), (11, 2), (12, (5 << 10).to_bytes(4)),
    ]  # fmt: skip
    assert [(each.kind, each.value) for each in second.attributes] == [
        (1, 5), (2, 2), (3, 1), (4, 2), (11, 1), (12, (28800).to_bytes(4)),
    ]  # fmt: skip


def test_what_ikev1_cannot_say_is_left_out():
    combined = IkeProposal(Cipher(Encryption.AES_GCM_16, 256), Hash.SHA256, DhGroup.ECP_256)
    assert len(offer_main((combined, AES)).proposals[0].transforms) == 1
    with pytest.raises(Aborted, match="none of our main mode proposals"):
        offer_main((combined,))


def test_the_responder_takes_a_transform_as_it_stands_by_its_own_order():
    offer = offer_main((OLD, AES))
    choice = choose_main(offer, entries(AES, OLD))
    assert choice.proposal == AES
    (proposal,) = choice.answer.proposals
    assert proposal.transforms == (offer.proposals[0].transforms[1],)
    assert proposal.number == 1


def test_form_and_order_of_attributes_come_back_as_they_were():
    transform = offer_main((AES,)).proposals[0].transforms[0]
    odd = replace(transform, number=77, attributes=(*reversed(transform.attributes[:5]), Attribute(11, b"\0\0\0\1"),
                                                    Attribute(12, 3600)))  # fmt: skip
    choice = choose_main(only(odd, number=0), entries(AES))
    assert choice.answer.proposals[0].transforms == (odd,)
    assert choice.answer.proposals[0].number == 0
    assert choice.proposal.limits == Limits(3600, 5 << 20)


@pytest.mark.parametrize(
    "change",
    [
        lambda a: [*a, Attribute(13, 1)],
        lambda a: [*a, Attribute(1, 7)],
        lambda a: a[1:],
        lambda a: [*a, Attribute(12, 7)],
        lambda a: [*a, Attribute(11, 1)],
        lambda a: [Attribute(3, 3) if each.kind == 3 else each for each in a],
        lambda a: [Attribute(14, 128) if each.kind == 14 else each for each in a],
    ],
    ids=["prf", "twice", "no cipher", "duration without type", "type without duration", "signatures", "key length"],
)
def test_what_the_responder_does_not_take(change):
    transform = offer_main((AES,)).proposals[0].transforms[0]
    bad = replace(transform, attributes=tuple(change(list(transform.attributes))))
    with pytest.raises(Aborted, match="no main mode proposal in common") as error:
        choose_main(only(bad), entries(AES))
    assert error.value.reason is Reason.NO_PROPOSAL


def test_another_protocol_or_transform_is_not_taken():
    transform = offer_main((AES,)).proposals[0].transforms[0]
    with pytest.raises(Aborted):
        choose_main(only(transform, protocol=ProtocolId.ESP), entries(AES))
    with pytest.raises(Aborted):
        choose_main(only(replace(transform, id=2)), entries(AES))


def test_the_initiator_knows_its_own_proposal_again():
    offer = offer_main((OLD, AES))
    transform = offer.proposals[0].transforms[1]
    assert accepted_main(offer, only(transform), (OLD, AES)) == AES
    turned = replace(transform, number=9, attributes=(*transform.attributes[2:], *transform.attributes[:2]))
    assert accepted_main(offer, only(turned), (OLD, AES)) == AES


def changed(kind, value):
    transform = offer_main((AES,)).proposals[0].transforms[0]
    attributes = [Attribute(kind, value) if each.kind == kind else each for each in transform.attributes]
    return replace(transform, attributes=tuple(attributes))


@pytest.mark.parametrize(
    "answer",
    [
        offer_main((AES, OLD)),
        only(offer_main((OLD,)).proposals[0].transforms[0]),
        only(changed(MainAttribute.KEY_LENGTH, 128)),
        only(changed(MainAttribute.GROUP, 2)),
        only(changed(MainAttribute.LIFE_DURATION, 60)),
        only(TransformPayload(1, KEY_IKE)),
        SaPayload(1, 1, offer_main((AES,)).proposals * 2),
    ],
)
def test_a_changed_answer_is_refused(answer):
    with pytest.raises(Aborted) as error:
        accepted_main(offer_main((AES,)), answer, (AES,))
    assert error.value.reason is Reason.CHANGED_PROPOSAL


def test_an_offer_in_words():
    assert describe_main(offer_main((AES, OLD))) == "aes256-sha256-modp2048, 3des-sha1-modp1024"
    assert describe_main(SaPayload(1, 1, ())) == "nothing"
    odd = only(TransformPayload(1, 1, (Attribute(1, 99), Attribute(2, 98), Attribute(3, 3), Attribute(4, 97))))
    assert describe_main(odd) == "encryption 99-hash 98-group 97 with RSA signature"


def test_lifetimes():
    assert list(life_attributes(Limits(), 1, 2)) == []
    assert [each.as_number for each in life_attributes(Limits(10**12, 1), 1, 2)] == [1, 2**32 - 1, 2, 1]
    transform = TransformPayload(1, 1, (Attribute(11, 1), Attribute(12, 60), Attribute(11, 2), Attribute(12, b"\x04")))
    assert main_meaning(transform).limits == Limits(60, 4096)


def test_both_sides_are_compared():
    with pytest.raises(Aborted) as error:
        choose_main(offer_main((OLD,)), entries(AES))
    found = error.value.comparison
    assert found.apart == ("encryption", "hash", "key exchange")
    assert found.nearest[0].word == "3des-sha1-modp1024"
    assert found.nearest[0].weak
    assert {row.what: row.agree for row in found.rows}["authentication"]
