# SPDX-License-Identifier: Apache-2.0
"""IKEv2: an IKE SA that begins without a child SA (RFC 6023), in both roles."""

import pytest

from protocol.pairs import assert_one_pair, pair
from protocol.test_ikev2_life import V2, each_moment
from protocol.warriors import FRONT, POOL, Front, addresses
from ringfence.audit import MainModeFailed, MessageExchanged, QuickModeEstablished
from ringfence.crypto.suites import DhGroup
from ringfence.databases.pad import Childless
from ringfence.ike.v2 import childless

PREFER, REQUIRE = V2.with_(childless=Childless.PREFER), V2.with_(childless=Childless.REQUIRE)


def met(policy, other=V2, seconds=2):
    both = pair(policy, other.mirrored())
    both.wish(both.a)
    both.run(seconds)
    return both


def said(host):
    return [(each.exchange, each.payloads) for each in host.of(MessageExchanged)]


@pytest.mark.parametrize("policy", [PREFER, REQUIRE])
def test_the_contract_comes_under_the_ike_sa_with_keys_of_its_own(policy):
    pfs = {"pfs": DhGroup.CURVE25519}
    both = met(policy.with_(**pfs), V2.with_(**pfs))
    assert_one_pair(both)
    exchanges = said(both.a)
    assert [exchange for exchange, _ in exchanges[::2]] == ["IKE_SA_INIT", "IKE_AUTH", "CREATE_CHILD_SA"]
    assert exchanges[1][1].endswith("N(CHILDLESS_IKEV2_SUPPORTED)")
    assert " SA" not in exchanges[2][1]
    assert " KE" in exchanges[4][1], "a key exchange of its own, which the first contract never has otherwise"
    assert len(both.a.of(QuickModeEstablished)) == 1


def test_nobody_begins_so_unless_the_policy_says_so():
    both = met(V2)
    assert_one_pair(both)
    assert [exchange for exchange, _ in said(both.a)[::2]] == ["IKE_SA_INIT", "IKE_AUTH"]


def test_a_peer_that_cannot(monkeypatch):
    monkeypatch.setattr(childless, "ANNOUNCEMENT", ())
    both = met(PREFER)
    assert_one_pair(both)
    assert [exchange for exchange, _ in said(both.a)[::2]] == ["IKE_SA_INIT", "IKE_AUTH"]
    refused = met(REQUIRE, seconds=5)
    assert refused.a.using() is None
    assert "makes no IKE SA without a contract" in refused.a.of(MainModeFailed)[0].detail
    assert len(refused.a.failures) == 1


def test_who_requires_it_grants_nothing_along_with_the_ike_sa():
    both = met(V2, REQUIRE)
    assert "N(NO_ADDITIONAL_SAS)" in said(both.a)[3][1]
    assert both.a.using() is None
    both.wish(both.a)
    both.run(1)
    assert_one_pair(both)
    assert said(both.a)[4][0] == "CREATE_CHILD_SA", "the IKE SA stays, and grants it"


def test_renewals_and_new_proofs_are_as_ever():
    both = met(PREFER.with_(reauthenticate_s=60), PREFER)
    each_moment(both, 100)
    both.run(13)
    assert_one_pair(both)


def test_a_road_warrior_has_his_address_with_the_ike_sa():
    front = Front(POOL + FRONT)
    alice = front.warrior(key='people.psk" }\nmain-mode = { childless = "require')
    front.run()
    assert len(addresses(alice)) == 1
    assert len(alice.outbound) == 1
    asked = next(payloads for exchange, payloads in said(alice) if exchange == "IKE_AUTH")
    assert " CP" in asked
    assert " SA" not in asked
    assert said(alice)[-1][0] == "CREATE_CHILD_SA"


def test_without_a_proof_there_is_nothing_to_make_a_contract_under():
    both = met(PREFER, V2.with_(key=b"another key"), seconds=5)
    assert both.a.using() is None
    assert both.b.inbound == {}
    assert both.b.engine.ike_sas() == ()
