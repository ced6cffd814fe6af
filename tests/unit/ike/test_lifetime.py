# SPDX-License-Identifier: Apache-2.0
"""The tables are closed, and soft limits lie where they should."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.databases.proposal import Limits
from ringfence.ike.lifetime import (
    CHILD_SA_LIFE,
    IKE_SA_LIFE,
    ChildEvent,
    ChildState,
    IkeEvent,
    IkeState,
    after,
    soft_limits,
    stricter,
)
from ringfence.testing.random import SeededRandom


@pytest.mark.parametrize(("life", "states"), [(IKE_SA_LIFE, IkeState), (CHILD_SA_LIFE, ChildState)])
def test_every_state_has_a_row_is_reached_and_can_end(life, states):
    assert set(life) == set(states)
    reached = {to for row in life.values() for to in row.values()} | {next(iter(states))}
    assert reached == set(states)
    assert all(states.GONE in row.values() for state, row in life.items() if state is not states.GONE)
    assert life[states.GONE] == {}


def test_a_life():
    state = ChildState.LARVAL
    for event, expected in [
        (ChildEvent.CONFIRMED, ChildState.AGREED),
        (ChildEvent.SWITCHED, ChildState.LIVE),
        (ChildEvent.REKEY_BEGUN, ChildState.REKEYING),
        (ChildEvent.REPLACED, ChildState.RETIRING),
        (ChildEvent.ENDED, ChildState.GONE),
    ]:
        state = after(CHILD_SA_LIFE, state, event)
        assert state is expected


def test_what_the_table_does_not_have_is_forbidden():
    with pytest.raises(ValueError, match="REKEY_BEGUN cannot happen to what is LARVAL"):
        after(CHILD_SA_LIFE, ChildState.LARVAL, ChildEvent.REKEY_BEGUN)
    with pytest.raises(ValueError, match="AUTHENTICATED cannot happen to what is GONE"):
        after(IKE_SA_LIFE, IkeState.GONE, IkeEvent.AUTHENTICATED)


@settings(deadline=None)
@given(st.integers(10, 10**6), st.integers(0, 2**32))
def test_the_side_that_began_renews_first(seconds, seed):
    hard = Limits(seconds, seconds * 1000, seconds * 7)
    ours = soft_limits(hard, SeededRandom(seed), initiator=True)
    theirs = soft_limits(hard, SeededRandom(seed + 1), initiator=False)
    assert 0.6 * seconds < ours.seconds <= 0.8 * seconds
    assert ours.seconds <= theirs.seconds < seconds
    assert ours.octets < theirs.octets < hard.octets
    assert ours.packets <= theirs.packets < hard.packets


def test_no_limit_has_no_soft_limit_and_none_is_zero():
    assert soft_limits(Limits(), SeededRandom(0), initiator=True) == Limits()
    assert soft_limits(Limits(1, 1, 1), SeededRandom(0), initiator=True) == Limits(1, 1, 1)


def test_soft_limits_differ_from_sa_to_sa():
    random = SeededRandom(0)
    assert len({soft_limits(Limits(seconds=10**6), random, initiator=True).seconds for _ in range(50)}) > 40


def test_the_stricter_of_each_kind():
    assert stricter(Limits(10, None, 5), Limits(20, 7)) == Limits(10, 7, 5)
    assert stricter(Limits(), Limits()) == Limits()
