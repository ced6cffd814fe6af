# SPDX-License-Identifier: Apache-2.0
"""SA payloads: what is offered, what is chosen, what is accepted."""

from dataclasses import replace

import pytest

from ringfence.crypto.suites import Authenticator, Cipher, DhGroup, Encryption, Hash, Integrity
from ringfence.databases.proposal import IkeProposal, Protocol, Transform
from ringfence.databases.spd import Processing
from ringfence.ike.errors import Aborted, Reason, Refused
from ringfence.ike.isakmp import Attribute
from ringfence.ike.v2 import payloads
from ringfence.ike.v2.payloads import Proposal, SaPayload
from ringfence.ike.v2.proposals import (
    accepted_child,
    accepted_ike,
    child_says,
    choose_child,
    choose_ike,
    ike_says,
    methods_for,
    offer_child,
    offer_ike,
    protocols,
    sayable,
)
from ringfence.testing.hosts import AH_SHA256, ESP_CBC, ESP_GCM, FAST_MAIN, HostPolicy, method

(ENTRY,) = HostPolicy("192.0.2.1", "192.0.2.2").compiled()[1]
GCM = IkeProposal(Cipher(Encryption.AES_GCM_16, 128), Hash.SHA384, DhGroup.ECP_384)
BOTH = DhGroup.ECP_256, DhGroup.ML_KEM_768
SPIS = {Protocol.ESP: 0x1001, Protocol.AH: 0x1002}


def flat(says):
    return [(each.kind, each.number, *(one.value for one in each.attributes)) for each in says.values()]


def test_what_a_proposal_says():
    assert flat(ike_says(FAST_MAIN)) == [(1, 12, 256), (2, 5), (3, 12), (4, 31)]
    assert flat(ike_says(GCM)) == [(1, 20, 128), (2, 6), (4, 20)]
    null = IkeProposal(Cipher(Encryption.NULL, 0), Hash.SHA256, DhGroup.ECP_256)
    assert ike_says(null) is None
    assert sayable((null, GCM)) == (GCM,)
    with pytest.raises(Aborted):
        sayable((null,))


def test_what_a_method_says():
    assert flat(child_says(method(ESP_CBC))) == [(1, 12, 128), (3, 2), (5, 0)]
    assert flat(child_says(method(AH_SHA256))) == [(3, 12), (5, 0)]
    gmac = Transform(Protocol.AH, None, Authenticator(Integrity.AES_GMAC, 16), esn=True)
    assert flat(child_says(method(gmac))) == [(3, 9), (5, 1)]
    both = method(ESP_CBC, AH_SHA256)
    assert child_says(both) is None
    assert child_says(replace(method(ESP_GCM), encapsulate=False)) is None
    with pytest.raises(Refused, match="does not stack"):
        methods_for(Processing((both,)))


def test_the_responders_list_decides():
    entry = replace(ENTRY, proposals=(GCM, FAST_MAIN))
    choice = choose_ike(offer_ike((FAST_MAIN, GCM)), (entry,))
    assert choice.proposal == GCM
    assert choice.answer.proposals[0].number == 2
    assert accepted_ike(offer_ike((FAST_MAIN, GCM)), choice.answer, (FAST_MAIN, GCM)) == (GCM, b"")


def test_no_proposal_in_common_is_told_with_both_lists():
    with pytest.raises(Refused, match=r"encryption:20/128.*we take aes256-sha256-x25519") as raised:
        choose_ike(offer_ike((GCM,)), (ENTRY,))
    assert raised.value.reason is Reason.NO_PROPOSAL


def test_an_unknown_type_of_transform_spoils_a_proposal():
    offered = offer_ike((FAST_MAIN,)).proposals[0]
    more = replace(offered, transforms=(*offered.transforms, payloads.Transform(6, 35)))
    with pytest.raises(Refused):
        choose_ike(SaPayload((more,)), (ENTRY,))


def test_a_combined_mode_may_come_with_no_integrity_said():
    entry = replace(ENTRY, proposals=(GCM,))
    offered = offer_ike((GCM,)).proposals[0]
    said = replace(offered, transforms=(*offered.transforms, payloads.Transform(3, 0)))
    assert choose_ike(SaPayload((said,)), (entry,)).proposal == GCM


def changed(**changes):
    taken = choose_ike(offer_ike((FAST_MAIN,)), (ENTRY,)).answer.proposals[0]
    return SaPayload((replace(taken, **changes),))


@pytest.mark.parametrize(
    "answer",
    [
        changed(number=2),
        changed(number=0),
        changed(protocol=3),
        changed(spi=b"12345678"),
        changed(transforms=()),
        changed(transforms=(payloads.Transform(1, 12, (Attribute(14, 128),)),)),
        SaPayload(changed().proposals * 2),
    ],
)
def test_an_answer_that_was_not_offered(answer):
    with pytest.raises(Refused) as raised:
        accepted_ike(offer_ike((FAST_MAIN,)), answer, (FAST_MAIN,))
    assert raised.value.reason is Reason.CHANGED_PROPOSAL


def processing(*transforms, **changes):
    return Processing(tuple(map(method, transforms)), **changes)


def test_child_proposals_both_ways():
    ours = processing(ESP_GCM, AH_SHA256)
    offer = offer_child(ours.methods, SPIS, ())
    assert protocols(ours.methods) == [Protocol.ESP, Protocol.AH]
    assert [each.spi for each in offer.proposals] == [b"\0\0\x10\x01", b"\0\0\x10\x02"]
    choice = choose_child(offer, processing(AH_SHA256), {Protocol.ESP: 7, Protocol.AH: 0x2002}, first=False)
    assert (choice.method, choice.spi, choice.groups) == (method(AH_SHA256), 0x1002, ())
    assert accepted_child(offer, choice.answer, ours.methods) == (method(AH_SHA256), 0x2002)


@pytest.mark.parametrize(
    ("offered", "wanted", "taken"),
    [
        ((), (), ()),
        ((DhGroup.ECP_256,), (DhGroup.ECP_256,), (DhGroup.ECP_256,)),
        ((DhGroup.ECP_256,), (), (DhGroup.ECP_256,)),
        ((DhGroup.ECP_256,), (DhGroup.ECP_384,), None),
        ((), (DhGroup.ECP_384,), None),
        ((DhGroup.MODP_1024,), (), None),
        (
            (DhGroup.ECP_256, DhGroup.ML_KEM_768),
            (DhGroup.ECP_256, DhGroup.ML_KEM_768),
            (DhGroup.ECP_256, DhGroup.ML_KEM_768),
        ),
        ((DhGroup.ECP_256,), (DhGroup.ECP_256, DhGroup.ML_KEM_768), None),
        ((DhGroup.ECP_256, DhGroup.ML_KEM_768), (DhGroup.ECP_256,), None),
        ((DhGroup.ECP_256, DhGroup.ML_KEM_512), (DhGroup.ECP_256, DhGroup.ML_KEM_512), None),
        ((DhGroup.ML_KEM_768,), (), None),
    ],
)
def test_the_key_exchanges_of_a_child_sa(offered, wanted, taken):
    """The crypto library has no ML-KEM-512."""
    offer = offer_child((method(ESP_GCM),), SPIS, offered)
    pfs = {"pfs": wanted[0] if wanted else None, "pfs_further": wanted[1:]}
    if taken is None:
        with pytest.raises(Refused):
            choose_child(offer, processing(ESP_GCM, **pfs), SPIS, first=False)
    else:
        assert choose_child(offer, processing(ESP_GCM, **pfs), SPIS, first=False).groups == taken
    first = choose_child(offer, processing(ESP_GCM, **pfs), SPIS, first=True)
    assert first.groups == ()


@pytest.mark.parametrize("spi", [b"", bytes(4), bytes(8)])
def test_a_child_sa_needs_an_spi(spi):
    offered = offer_child((method(ESP_GCM),), SPIS, ()).proposals[0]
    with pytest.raises(Refused):
        choose_child(SaPayload((replace(offered, spi=spi),)), processing(ESP_GCM), SPIS, first=True)
    with pytest.raises(Refused):
        accepted_child(SaPayload((offered,)), SaPayload((replace(offered, spi=spi),)), (method(ESP_GCM),))


def test_sequence_numbers_must_agree():
    esn = replace(ESP_GCM, esn=True)
    with pytest.raises(Refused):
        choose_child(offer_child((method(esn),), SPIS, ()), processing(ESP_GCM), SPIS, first=True)
    silent = Proposal(1, 3, b"spi4", tuple(each for each in child_says(method(ESP_GCM)).values() if each.kind != 5))
    assert choose_child(SaPayload((silent,)), processing(ESP_GCM), SPIS, first=True).spi == int.from_bytes(b"spi4")


@pytest.mark.parametrize("prefers", [False, True])
@pytest.mark.parametrize("protects", [ESP_GCM, AH_SHA256], ids=["esp", "ah"])
def test_of_both_kinds_of_sequence_numbers_in_one_proposal_ours_is_taken(protects, prefers):
    """A peer may offer both (RFC 7296 §3.3.2): who answers decides, by its own list."""
    ours = [replace(protects, esn=esn) for esn in (prefers, not prefers)]
    (offered,) = offer_child((method(protects),), SPIS, ()).proposals
    both = replace(offered, transforms=(*offered.transforms, payloads.Transform(5, 1)))
    choice = choose_child(SaPayload((both,)), processing(*ours), SPIS, first=True)
    assert choice.method == method(ours[0])
    (answer,) = choice.answer.proposals
    assert [each.number for each in answer.transforms if each.kind == 5] == [int(prefers)]


HYBRID = replace(FAST_MAIN, further=(DhGroup.ML_KEM_768, DhGroup.ECP_256))


def test_further_exchanges_have_types_of_their_own():
    assert flat(ike_says(HYBRID))[3:] == [(4, 31), (6, 36), (7, 19)]
    assert ike_says(replace(FAST_MAIN, further=(DhGroup.ML_KEM_512,))) is None


def test_those_that_go_with_the_first_value_are_offered_first():
    ecp = replace(FAST_MAIN, group=DhGroup.ECP_256)
    assert sayable((HYBRID, ecp, FAST_MAIN)) == (HYBRID, FAST_MAIN, ecp)


def test_further_exchanges_are_for_who_can_do_them():
    entry = replace(ENTRY, proposals=(HYBRID, FAST_MAIN))
    offer = offer_ike((HYBRID, FAST_MAIN))
    assert choose_ike(offer, (entry,)).proposal is HYBRID
    assert choose_ike(offer, (entry,), further=False).proposal is FAST_MAIN
    with pytest.raises(Refused):
        choose_ike(offer_ike((HYBRID,)), (ENTRY,))
    with pytest.raises(Refused):
        choose_ike(offer_ike((FAST_MAIN,)), (replace(entry, proposals=(HYBRID,)),))


def test_none_is_a_further_exchange_that_nobody_has_to_do():
    (offered,) = offer_ike((FAST_MAIN,)).proposals
    none, kem = payloads.Transform(6, 0), payloads.Transform(6, 36)
    offer = SaPayload((replace(offered, transforms=(*offered.transforms, kem, none)),))
    choice = choose_ike(offer, (ENTRY,))
    assert choice.proposal is FAST_MAIN
    assert none in choice.answer.proposals[0].transforms
    assert accepted_ike(offer_ike((FAST_MAIN,)), choice.answer, (FAST_MAIN,)) == (FAST_MAIN, b"")
