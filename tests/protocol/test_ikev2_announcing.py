# SPDX-License-Identifier: Apache-2.0
"""Two engines with several ways to prove themselves find one that both go by what is announced (RFC 9593)."""

import pytest

from protocol.pairs import A, B, assert_one_pair
from protocol.test_certificates import ALICE, KEY, RSA, own, way
from protocol.test_ikev2_certificates import both_prove, meet2, nobody
from ringfence.audit import MainModeFailed, MessageExchanged
from ringfence.crypto.signature import KeyKind
from ringfence.ike.errors import Reason
from ringfence.ike.v2 import announcing

ONLY_RSA = way(root=RSA, signing=KeyKind.RSA, asks_by_name=False)
"""The authority is not named, so that a request for certificates does not tell whose are wanted."""


def test_a_way_that_the_peer_does_not_take_is_passed_over():
    both = meet2((way(own(ALICE)), KEY), (ONLY_RSA, KEY))
    assert_one_pair(both)
    assert both_prove(both) == (A, B)
    said = [one.payloads for one in both.a.of(MessageExchanged)]
    assert "N(SUPPORTED_AUTH_METHODS)" in said[1]


def test_without_a_word_the_order_of_the_policy_counts_and_fails(monkeypatch):
    monkeypatch.setattr(announcing, "said", lambda _entries, _asks: ())
    both = meet2((way(own(ALICE)), KEY), (ONLY_RSA, KEY))
    nobody(both)
    assert {one.reason for one in both.b.of(MainModeFailed)} & {Reason.WRONG_USAGE.value, Reason.UNTRUSTED.value}


@pytest.mark.parametrize("announced", [(2,), (13,), (99,)])
def test_nobody_is_talked_into_a_way_that_the_policy_does_not_name(monkeypatch, announced):
    """Whatever a peer announces, ours is one of our own ways."""
    lie = frozenset(announcing.Announcement(one) for one in announced)
    monkeypatch.setattr(announcing, "heard", lambda _chain: lie)
    both = meet2((way(own(ALICE)),), (way(own(ALICE)), KEY))
    sent = [one.payloads for one in both.a.of(MessageExchanged) if one.sent and one.payloads.startswith("IDi")]
    assert sent
    assert all("CERT" in one for one in sent)
