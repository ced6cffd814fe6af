# SPDX-License-Identifier: Apache-2.0
"""What is tried, in which order, and what is remembered; how it ends is in ``protocol/test_keying.py``."""

import pytest
from protocol.pairs import POLICY

from ringfence.databases.pad import Pad
from ringfence.ike import keying
from ringfence.ike.dispatch import header_of
from ringfence.ike.effects import AcquireFailed, SendMessage
from ringfence.ike.engine import IkeEngine
from ringfence.ike.settings import IkeSettings
from ringfence.testing.hosts import ENTRY, HostPolicy
from ringfence.testing.random import SeededRandom


def engine(policy: HostPolicy, settings: IkeSettings | None = None) -> IkeEngine:
    made = IkeEngine(random=SeededRandom("keying"), settings=settings or IkeSettings())
    made.apply(*policy.compiled(), 0.0)
    return made


def majors(effects: list) -> list[int]:
    return [header_of(each.datagram).major for each in effects if isinstance(each, SendMessage)]


@pytest.mark.parametrize(("order", "first"), [((2, 1), 2), ((1, 2), 1), ((2,), 2), ((1,), 1)])
def test_the_rule_s_first_is_tried_first_and_the_next_after_a_moment(order, first):
    made, settings = engine(POLICY.with_(keying=order)), IkeSettings()
    assert majors(made.acquire(ENTRY, POLICY.flow(), 0.0)) == [first]
    assert majors(made.tick(settings.beside_s - 0.01)) == []
    assert majors(made.tick(settings.beside_s)) == list(order[1:])


def test_all_that_wait_wait_for_the_same():
    made = engine(POLICY.with_(keying=(2, 1)))
    made.acquire(ENTRY, POLICY.flow(), 0.0)
    made.tick(0.2)
    assert majors(made.acquire(ENTRY, POLICY.flow(), 0.3)) == []
    assert sorted(sa.version for sa in made.ike_sas()) == [1, 2]


def test_a_rule_that_is_gone_is_tried_no_further():
    made = engine(POLICY.with_(keying=(2, 1)))
    made.acquire(ENTRY, POLICY.flow(), 0.0)
    effects = made.apply(POLICY.compiled()[0], Pad(()), 0.1)
    assert not [each for each in effects if isinstance(each, AcquireFailed)], "its packets are decided anew"
    assert made.ike_sas() == ()
    assert majors(made.tick(0.2)) == []


def test_the_memory_is_bounded():
    where: keying.OrderedDict = keying.OrderedDict()
    for number in range(keying.MOST_KEPT + 3):
        keying._remember(where, (b"", number.to_bytes(4)), number)
    assert len(where) == keying.MOST_KEPT
    assert min(where.values()) == 3
