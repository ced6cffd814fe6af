# SPDX-License-Identifier: Apache-2.0
"""Proposals of IKEv2 in words, and both sides set beside each other."""

from dataclasses import replace

import pytest

from ringfence.crypto.suites import Cipher, DhGroup, Encryption, Hash
from ringfence.databases.proposal import IkeProposal, Protocol
from ringfence.databases.spd import Processing
from ringfence.ike.errors import Refused
from ringfence.ike.isakmp import Attribute
from ringfence.ike.v2.numbers import KEY_LENGTH, ProtocolId, TransformType
from ringfence.ike.v2.offers import compare_child, compare_ike
from ringfence.ike.v2.payloads import Proposal, SaPayload, Transform
from ringfence.ike.v2.proposals import child_says, choose_child, choose_ike, ike_says, offer_child, offer_ike
from ringfence.testing.associations import AH_SUITES, ESP_SUITES
from ringfence.testing.hosts import ESP_CBC, ESP_GCM, FAST_MAIN, HostPolicy, method

SPIS = {Protocol.ESP: 0x1001, Protocol.AH: 0x2002}
CBC = IkeProposal(Cipher(Encryption.AES_CBC, 128), Hash.SHA1, DhGroup.MODP_2048)
GCM = IkeProposal(Cipher(Encryption.AES_GCM_16, 256), Hash.SHA384, DhGroup.ECP_384)
WEAK = IkeProposal(Cipher(Encryption.TRIPLE_DES, 192), Hash.SHA1, DhGroup.MODP_1024)


def of(protocol, *transforms):
    return SaPayload((Proposal(1, protocol, b"", transforms),))


def beside(offer, *proposals):
    return compare_ike(offer, {each: ike_says(each) for each in proposals})


def child_beside(offer, processing, *methods, first):
    return compare_child(offer, processing, {each: child_says(each) for each in methods}, first=first)


@pytest.mark.parametrize("proposal", [FAST_MAIN, CBC, GCM, WEAK, replace(GCM, further=(DhGroup.ML_KEM_768,))], ids=str)
def test_a_peers_proposal_has_the_words_of_a_document(proposal):
    if ike_says(proposal) is None:
        pytest.skip("the crypto library cannot do it")
    found = beside(offer_ike([proposal]), FAST_MAIN)
    assert found.nearest[0].word == str(proposal)
    assert found.nearest[0].weak == (proposal is WEAK)
    assert (found.apart == ()) == (proposal is FAST_MAIN)


@pytest.mark.parametrize("suite", [*ESP_SUITES, *AH_SUITES], ids=str)
def test_so_has_that_of_a_child_sa(suite):
    if child_says(method(suite)) is None:
        return
    offer = offer_child([method(suite)], SPIS, ())
    found = child_beside(offer, Processing((method(suite),)), method(suite), first=True)
    assert found.nearest[0].word == str(method(suite))
    assert found.apart == ()


def test_both_sides_of_an_ike_sa_are_compared_when_one_refuses():
    (entry,) = HostPolicy("192.0.2.1", "192.0.2.2", main=(GCM, FAST_MAIN)).compiled()[1]
    with pytest.raises(Refused) as raised:
        choose_ike(offer_ike([CBC]), [entry])
    found = raised.value.comparison
    rows = {row.what: (row.theirs, row.ours, row.agree) for row in found.rows}
    assert rows == {
        "encryption": (("aes128",), ("aes256-gcm", "aes256"), False),
        "hash": (("sha1",), ("sha384", "sha256"), False),
        "integrity": (("sha1",), ("none", "sha256"), False),
        "key exchange": (("modp2048",), ("ecp384", "x25519"), False),
    }
    assert found.nearest[0].word == "aes128-sha1-modp2048"


def test_one_transform_of_many_is_enough_to_agree_in_a_part():
    both = [*offer_ike([FAST_MAIN]).proposals[0].transforms, *offer_ike([CBC]).proposals[0].transforms]
    found = beside(of(ProtocolId.IKE, *both), GCM, replace(CBC, group=DhGroup.ECP_256))
    assert found.apart == ("key exchange",)
    assert found.nearest[1].word == "aes128-sha1-ecp256"


def test_both_sides_of_a_child_sa_are_compared_when_one_refuses():
    ours = Processing((method(ESP_GCM),), pfs=DhGroup.ECP_256)
    theirs = offer_child([method(ESP_CBC)], SPIS, (DhGroup.MODP_2048,))
    for first, apart in ((True, ("encryption", "integrity")), (False, ("encryption", "integrity", "PFS group"))):
        with pytest.raises(Refused) as raised:
            choose_child(theirs, ours, SPIS, first=first)
        assert raised.value.comparison.apart == apart
    free = child_beside(theirs, replace(ours, pfs=None), method(ESP_CBC), first=False)
    assert free.apart == ()


def test_numbers_that_mean_nothing_are_numbers():
    length = (Attribute(KEY_LENGTH, 200),)
    odd = Proposal(1, 9, bytes(4), (
        Transform(TransformType.ENCRYPTION, 12, length), Transform(TransformType.INTEGRITY, 99),
        Transform(TransformType.GROUP, 999), Transform(TransformType.ESN, 7),
    ))  # fmt: skip
    (terms,) = [child_beside(SaPayload((odd,)), Processing(()), method(ESP_GCM), first=False).nearest[0]]
    assert dict(terms.parts) == {
        "protocol": "protocol 9", "encryption": "aes with a key of 200 bits", "integrity": "integrity 99",
        "sequence numbers": "form 7", "PFS group": "group 999",
    }  # fmt: skip
    assert terms.word == ""
    ike = Proposal(1, 1, b"", (Transform(TransformType.ENCRYPTION, 250), Transform(TransformType.PRF, 77)))
    (terms,) = [beside(SaPayload((ike,)), GCM).nearest[0]]
    assert terms.get("encryption") == "encryption 250"
    assert terms.get("hash") == "prf 77"
    assert terms.word == ""


def test_a_proposal_with_very_many_choices_is_not_followed_for_ever():
    kinds = [(kind, number) for kind in (1, 2, 3, 4) for number in range(1, 40)]
    found = beside(
        of(1, *(Transform(kind, number) for kind, number in kinds)), GCM, replace(CBC, group=DhGroup.ECP_256)
    )
    rows = {row.what: row.theirs for row in found.rows}
    assert len(rows["hash"]) == 39
    assert found.apart == ("encryption",), "those of AES have the length of their keys"
