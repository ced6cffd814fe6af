# SPDX-License-Identifier: Apache-2.0
"""Loss, doubles, reordering and collisions: whatever the weather was, one usable pair of SAs is what remains."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocol.pairs import POLICY, Pair, assert_one_pair, assert_tidy, pair, talk
from ringfence.audit import QuickModeEstablished
from ringfence.crypto.suites import DhGroup
from ringfence.databases.proposal import IkeProposal, Limits
from ringfence.testing.hosts import ESP_GCM, FAST_MAIN, method
from ringfence.testing.network import PERFECT, Link

WEATHER = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])

seeds = st.integers(0, 2**32)
links = st.builds(
    Link,
    delay_s=st.sampled_from([(0.01, 0.01), (0.001, 0.3), (0.01, 1.5)]),
    loss=st.sampled_from([0.0, 0.1, 0.3]),
    double=st.sampled_from([0.0, 0.2]),
)


def settle(both: Pair) -> None:
    """The sky clears, packets go both ways, and time passes."""
    both.run(70)
    both.network.link = PERFECT
    for _ in range(40):
        talk(both)
        both.run(2)
    both.run(60)


@WEATHER
@given(seeds, links, st.floats(0, 3))
def test_both_begin_at_about_the_same_time(seed, link, apart):
    both = pair(seed=seed, link=link)
    both.wish(both.a)
    both.run(apart)
    both.wish(both.b)
    settle(both)
    assert_tidy(both)


@WEATHER
@given(seeds)
def test_both_begin_in_the_same_moment_on_a_perfect_wire(seed):
    both = pair(seed=seed)
    both.wish(both.a)
    both.wish(both.b)
    both.run(3)
    assert_one_pair(both)
    both.run(60)
    assert_tidy(both)
    for host in (both.a, both.b):
        assert not host.failures
        assert len(host.of(QuickModeEstablished)) == 1


@WEATHER
@given(seeds, links, st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 1.5)), max_size=8))
def test_storms_of_renewals_from_both_sides(seed, link, storm):
    both = pair(seed=seed)
    both.wish(both.a)
    both.run(2)
    both.network.link = link
    for side, pause in storm:
        host = getattr(both, side)
        child = host.using()
        if child is not None:
            both.network.do(host, host.engine.rekey_child(child.id, both.network.now, "storm"))
        both.run(pause)
    settle(both)
    assert_tidy(both)


@WEATHER
@given(seeds)
def test_both_renew_in_the_same_moment(seed):
    both = pair(seed=seed)
    both.wish(both.a)
    both.run(2)
    for host in (both.a, both.b):
        both.network.do(host, host.engine.rekey_child(host.using().id, both.network.now, "storm"))
    both.run(2)
    a, b = assert_one_pair(both)
    assert a.replaces == b.replaces == 1
    assert len(both.a.of(QuickModeEstablished)) == len(both.b.of(QuickModeEstablished)) == 2
    both.run(60)
    assert_tidy(both)


@WEATHER
@given(seeds, links, st.floats(0, 5), st.sampled_from(["a", "b", "both"]))
def test_a_restart_at_any_moment(seed, link, when, who):
    both = pair(seed=seed, link=link)
    both.wish(both.a)
    both.run(when)
    host = both.restart(both.b, seed)
    if who in ("a", "both"):
        both.wish(both.a)
    if who in ("b", "both"):
        both.wish(host)
    settle(both)
    assert_tidy(both)


@settings(WEATHER, max_examples=25)
@given(seeds, links)
def test_a_long_day_of_short_lifetimes(seed, link):
    main = IkeProposal(FAST_MAIN.cipher, FAST_MAIN.hash, DhGroup.CURVE25519, Limits(seconds=400))
    both = pair(POLICY.with_(methods=(method(ESP_GCM, seconds=120),), main=(main,)), seed=seed)
    both.wish(both.a)
    both.run(2)
    both.network.link = link
    both.run(1500)
    both.network.link = PERFECT
    for _ in range(40):
        talk(both)
        both.run(2)
    assert_one_pair(both)
    for host in (both.a, both.b):
        assert len(host.inbound) <= 3
        assert len(host.engine.ike_sas()) <= 3


@pytest.mark.parametrize("seed", range(5))
def test_the_same_weather_gives_the_same_octets(seed):
    def day():
        both = pair(seed=seed, link=Link((0.001, 0.5), loss=0.2, double=0.2))
        both.wish(both.a)
        both.wish(both.b)
        both.run(60)
        return both.network.seen

    assert day() == day()
