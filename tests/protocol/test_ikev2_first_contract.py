# SPDX-License-Identifier: Apache-2.0
"""Two engines that speak IKEv2: from a packet that waits to a pair of SAs with the same keys at both ends."""

from dataclasses import replace

import pytest

from protocol.pairs import POLICY, assert_nothing_left, assert_one_pair, pair
from ringfence.audit import MainModeEstablished, MainModeFailed, MessageExchanged, QuickModeFailed
from ringfence.crypto.suites import Authenticator, Cipher, DhGroup, Encryption, Hash, Integrity
from ringfence.databases.admission import Admission, Pattern
from ringfence.databases.demand import Demand, Grant
from ringfence.databases.proposal import IkeProposal, Protocol, Transform
from ringfence.databases.sa import Mode
from ringfence.databases.spd import Spd
from ringfence.ike.errors import Reason
from ringfence.ike.lifetime import IkeState
from ringfence.testing.hosts import AH_SHA256, ESP_CBC, ESP_GCM, FAST_MAIN, method

V2 = POLICY.with_(keying=(2,))
TUNNEL = V2.with_(mode=Mode.TUNNEL, local_net="10.1.0.0/16", remote_net="10.2.0.0/16")


def test_a_packet_leads_to_a_contract_with_four_messages():
    both = pair(V2)
    both.wish(both.a)
    both.run(1)
    a, b = assert_one_pair(both)
    assert a.selector == V2.selector == b.selector.reversed()
    assert (a.entry, str(a.peer)) == ("lab", V2.remote)
    said = [(event.exchange, event.number, event.payloads, event.encrypted) for event in both.a.of(MessageExchanged)]
    looks = "N(NAT_DETECTION_SOURCE_IP) N(NAT_DETECTION_DESTINATION_IP) N(IKEV2_FRAGMENTATION_SUPPORTED)"
    assert said == [
        ("IKE_SA_INIT", 1, f"SA KE NONCE {looks}", False),
        ("IKE_SA_INIT", 2, f"SA KE NONCE {looks} N(CHILDLESS_IKEV2_SUPPORTED)", False),
        ("IKE_AUTH", 1, "IDi AUTH N(INITIAL_CONTACT) SA TSi TSr N(USE_TRANSPORT_MODE)", True),
        ("IKE_AUTH", 2, "IDr AUTH SA TSi TSr N(USE_TRANSPORT_MODE)", True),
    ]
    for host in (both.a, both.b):
        (info,) = host.engine.ike_sas()
        assert info.state is IkeState.ESTABLISHED
        assert len(info.children) == 1
        (event,) = host.of(MainModeEstablished)
        assert event.keying == "ikev2"


IKE_PROPOSALS = [
    IkeProposal(Cipher(Encryption.AES_CBC, 128), Hash.SHA1, DhGroup.MODP_2048),
    IkeProposal(Cipher(Encryption.AES_CBC, 256), Hash.SHA384, DhGroup.ECP_384),
    IkeProposal(Cipher(Encryption.AES_GCM_16, 256), Hash.SHA512, DhGroup.ECP_256),
    IkeProposal(Cipher(Encryption.AES_CTR, 128), Hash.SHA256, DhGroup.CURVE25519),
    IkeProposal(Cipher(Encryption.CHACHA20_POLY1305, 256), Hash.SHA256, DhGroup.CURVE25519),
    IkeProposal(Cipher(Encryption.AES_CCM_8, 128), Hash.SHA256, DhGroup.CURVE25519),
    IkeProposal(Cipher(Encryption.TRIPLE_DES, 192), Hash.MD5, DhGroup.MODP_1024),
]


@pytest.mark.parametrize("proposal", IKE_PROPOSALS, ids=str)
def test_ike_proposals(proposal):
    both = pair(V2.with_(main=(proposal,)))
    both.wish(both.a)
    both.run(1)
    assert_one_pair(both)


CHILDREN = [
    ESP_CBC,
    AH_SHA256,
    Transform(Protocol.ESP, Cipher(Encryption.AES_GCM_16, 128), esn=True),
    Transform(Protocol.AH, None, Authenticator(Integrity.AES_GMAC, 32)),
    Transform(Protocol.ESP, Cipher(Encryption.NULL, 0), Authenticator(Integrity.AES_CMAC_96)),
]


@pytest.mark.parametrize("transform", CHILDREN, ids=str)
@pytest.mark.parametrize("policy", [V2, TUNNEL], ids=["transport", "tunnel"])
def test_methods_and_modes(policy, transform):
    both = pair(policy.with_(methods=(method(transform),)))
    both.wish(both.b)
    both.run(1)
    a, _ = assert_one_pair(both)
    assert a.mode is policy.mode
    assert a.outbound[0].esn == transform.esn


def test_a_value_of_another_group_is_asked_for():
    preferred = IkeProposal(Cipher(Encryption.AES_CBC, 256), Hash.SHA256, DhGroup.ECP_256)
    both = pair(V2.with_(main=(preferred, FAST_MAIN)), V2.mirrored().with_(main=(FAST_MAIN,)))
    both.wish(both.a)
    both.run(1)
    assert_one_pair(both)
    refused = [event.payloads for event in both.a.of(MessageExchanged) if not event.sent]
    assert refused[0] == "N(INVALID_KE_PAYLOAD)"
    assert both.b.of(MainModeFailed) == []


def test_another_key_is_known_as_such_at_both_sides():
    both = pair(V2, V2.mirrored().with_(key=b"another"))
    both.wish(both.a)
    both.run(40)
    for host in (both.a, both.b):
        assert [event.reason for event in host.of(MainModeFailed)] == ["wrong-preshared-key"]
        assert_nothing_left(host)
    assert [failure.reason for failure in both.a.failures] == ["wrong-preshared-key"]


def test_no_proposal_in_common():
    other = IkeProposal(Cipher(Encryption.AES_CBC, 128), Hash.SHA256, DhGroup.CURVE25519)
    both = pair(V2, V2.mirrored().with_(main=(other,)))
    both.wish(both.a)
    both.run(40)
    assert [failure.reason for failure in both.a.failures] == ["no-proposal-in-common"]
    assert_nothing_left(both.a)
    assert_nothing_left(both.b)


def test_the_ike_sa_stays_where_only_the_child_sa_fails():
    both = pair(V2.with_(methods=(method(ESP_GCM),)), V2.mirrored().with_(methods=(method(ESP_CBC),)))
    both.wish(both.a)
    both.run(1)
    assert [failure.reason for failure in both.a.failures] == ["no-proposal-in-common"]
    assert [len(host.of(QuickModeFailed)) for host in (both.a, both.b)] == [1, 1]
    assert [len(host.engine.ike_sas()) for host in (both.a, both.b)] == [1, 1]
    assert both.a.engine.child_sas() == both.b.engine.child_sas() == ()


@pytest.mark.parametrize("strict", ["a", "b"])
@pytest.mark.parametrize("later", [False, True], ids=["with the IKE SA", "under it"])
def test_filters_that_permit_it_to_somebody_else_only(strict, later):
    """Whoever began: there is no contract at either side, and its name is why."""
    both = pair(V2)
    if later:
        both.wish(both.a)
        both.run(1)
    host = getattr(both, strict)
    (entry,), pad = (V2 if strict == "a" else V2.mirrored()).compiled()
    demand = Demand((Grant("files", admission=Admission((Pattern("carol.lab"),))),))
    both.network.do(host, host.engine.apply(Spd((replace(entry, demand=demand),)), pad, both.network.now))
    both.run(1)
    both.wish(both.a)
    both.run(3)
    assert Reason.NOT_AUTHORIZED.value in {event.reason for event in host.of(QuickModeFailed)}
    assert both.a.engine.child_sas() == both.b.engine.child_sas() == ()
    assert both.a.using() is None


def test_who_answered_sends_as_soon_as_something_has_come_in():
    both = pair(V2)
    both.wish(both.a)
    both.run(0.05)
    (child,) = both.b.engine.child_sas()
    assert both.b.using() is None, "perhaps the peer does not receive by it yet"
    both.network.do(both.b, both.b.engine.child_answered(child.id, both.network.now))
    assert both.b.using().id == child.id
    both.network.do(both.b, both.b.engine.child_answered(child.id, both.network.now))
    both.run(1)
    assert_one_pair(both)


def test_where_filters_forbid_a_part_the_rest_is_granted():
    """What asks first is about a port that a filter permits to somebody else; that is refused packet by packet."""
    both = pair(V2)
    (entry,), pad = V2.mirrored().compiled()
    demand = Demand((Grant("files", admission=Admission((Pattern("carol.lab"),))),))
    narrow = V2.mirrored().with_(protocol=V2.flow().protocol).selector
    asked = replace(entry, name="asked", selector=narrow, demand=demand)
    both.network.do(both.b, both.b.engine.apply(Spd((asked, entry)), pad, both.network.now))
    both.wish(both.a)
    both.run(1)
    assert both.a.failures == []
    assert (both.b.using().entry, both.b.using().selector) == (entry.name, entry.selector)


def test_the_responder_grants_what_its_policy_has():
    both = pair(TUNNEL, TUNNEL.mirrored().with_(local_net="10.2.0.0/24", remote_net="10.1.0.0/17"))
    both.wish(both.a)
    both.run(1)
    a, b = both.a.using(), both.b.using()
    assert str(a.selector) == "10.1.0.0/17 -> 10.2.0.0/24"
    assert a.selector == b.selector.reversed()
    assert both.a.failures == []


def test_ends_leave_nothing():
    both = pair(V2)
    both.wish(both.a)
    both.run(1)
    (info,) = both.a.engine.ike_sas()
    both.network.do(both.a, both.a.engine.delete_ike(info.id, both.network.now, "somebody wants it"))
    both.run(1)
    assert_nothing_left(both.a)
    assert_nothing_left(both.b)


def test_a_child_sa_ends_at_both_sides_and_the_ike_sa_stays():
    both = pair(V2)
    both.wish(both.a)
    both.run(1)
    child = both.b.using()
    both.network.do(both.b, both.b.engine.delete_child(child.id, both.network.now, "somebody wants it"))
    both.run(1)
    assert both.a.engine.child_sas() == both.b.engine.child_sas() == ()
    assert [len(host.engine.ike_sas()) for host in (both.a, both.b)] == [1, 1]
    both.wish(both.a)
    both.run(1)
    assert_one_pair(both)


def test_shut_down_reaches_the_peer():
    both = pair(V2)
    both.wish(both.a)
    both.run(1)
    both.network.do(both.a, both.a.engine.shut_down(both.network.now))
    both.network.remove(both.a)
    both.run(60)
    assert_nothing_left(both.b)
