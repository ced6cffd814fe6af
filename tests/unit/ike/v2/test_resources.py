# SPDX-License-Identifier: Apache-2.0
"""Child SAs for each processor of a peer (RFC 9611)."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from protocol.pairs import POLICY, assert_one_pair, pair

from ringfence.audit import QuickModeFailed
from ringfence.ike.payload import Chain, Decoded
from ringfence.ike.v2 import child
from ringfence.ike.v2.notifies import Answered, Notify
from ringfence.ike.v2.payloads import NotifyPayload
from ringfence.ike.v2.requests import Requests
from ringfence.ike.v2.resources import check_more

SELECTOR, OTHER = POLICY.selector, replace(POLICY.selector, protocol=6)


def ground(*records):
    made = [SimpleNamespace(in_use=in_use, child=SimpleNamespace(selector=selector)) for selector, in_use in records]
    return SimpleNamespace(ike_id=7, children=SimpleNamespace(of=lambda ike_id: made if ike_id == 7 else []))


def says(*kinds):
    return Chain(tuple(Decoded(NotifyPayload(kind), b"") for kind in kinds))


def test_one_is_enough():
    with pytest.raises(Answered) as raised:
        check_more(says(Notify.SA_RESOURCE_INFO), ground((SELECTOR, True)), SELECTOR)
    assert raised.value.notify is Notify.TS_MAX_QUEUE == 48


@pytest.mark.parametrize(
    ("said", "have"),
    [
        ((), ((SELECTOR, True),)),
        ((Notify.SA_RESOURCE_INFO,), ()),
        ((Notify.SA_RESOURCE_INFO,), ((OTHER, True),)),
        ((Notify.SA_RESOURCE_INFO,), ((SELECTOR, False),)),
        ((Notify.SA_RESOURCE_INFO, Notify.REKEY_SA), ((SELECTOR, True),)),
    ],
    ids=["another kind", "the first", "other traffic", "one that ends", "rekeyed"],
)
def test_all_others_are_as_ever(said, have):
    check_more(says(*said), ground(*have), SELECTOR)


def test_the_one_that_there_is_goes_on(monkeypatch):
    both = pair(POLICY.with_(keying=(2,)))
    both.wish(both.a)
    both.run(1)
    before, _ = assert_one_pair(both)
    payloads, wanted = child.Asked.payloads, Requests.wanted
    for_a_processor = NotifyPayload(Notify.SA_RESOURCE_INFO, bytes(4))
    monkeypatch.setattr(child.Asked, "payloads", lambda self, groups: (*payloads(self, groups), for_a_processor))
    monkeypatch.setattr(Requests, "wanted", lambda self, wish: replace(wanted(self, wish), replaces=None, old=None))
    for _ in range(2):
        both.wish(both.a)
        both.run(60)
    after, _ = assert_one_pair(both)
    assert after == before
    assert len(both.b.engine.child_sas()) == 1
    assert "another of its processors" in both.b.of(QuickModeFailed)[0].detail
    assert "TS_MAX_QUEUE" in both.a.of(QuickModeFailed)[0].detail
