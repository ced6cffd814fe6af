# SPDX-License-Identifier: Apache-2.0
"""Deadlines come in their order, and a moved or dropped one does not come at its old time."""

from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.ike.timers import MOST_STALE, Timers


def test_the_earliest_is_next():
    timers = Timers[str]()
    assert timers.next() is None
    timers.set("b", 2.0)
    timers.set("a", 1.0)
    assert timers.next() == 1.0
    assert timers.when("b") == 2.0
    assert timers.when("c") is None
    assert list(timers.pop(1.5)) == ["a"]
    assert timers.next() == 2.0


def test_deadlines_that_are_moved_again_and_again_take_no_room():
    timers = Timers[int]()
    due = {}
    for number in range(20_000):
        timers.set(number % 10, 1e6 + number)
        due[number % 10] = 1e6 + number
        timers.drop(number % 7)
        due.pop(number % 7, None)
    assert len(timers._heap) <= MOST_STALE + 2 * 10 + 1
    assert [timers.when(key) for key in range(10)] == [due.get(key) for key in range(10)]
    assert timers.next() == min(due.values())


def test_moved_and_dropped():
    timers = Timers[str]()
    timers.set("a", 1.0)
    timers.set("b", 1.0)
    timers.set("c", 1.0)
    timers.set("a", 3.0)
    timers.drop("b")
    timers.set("c", None)
    assert timers.next() == 3.0
    assert list(timers.pop(2.0)) == []
    assert list(timers.pop(3.0)) == ["a"]
    assert timers.next() is None


def test_a_deadline_goes_over_to_another():
    timers = Timers()
    timers.set("old", 3.0)
    timers.move("old", "new")
    assert (timers.when("old"), timers.when("new")) == (None, 3.0)
    timers.set("old", None)
    timers.move("old", "new")
    assert timers.next() is None


def test_what_is_set_while_popping_comes_if_it_is_due():
    timers = Timers[str]()
    timers.set("a", 1.0)
    popped = []
    for key in timers.pop(5.0):
        popped.append(key)
        if key == "a":
            timers.set("b", 4.0)
            timers.set("c", 6.0)
    assert popped == ["a", "b"]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.one_of(st.none(), st.integers(0, 50)))))
def test_like_a_sorted_dictionary(changes):
    timers, model = Timers[int](), {}
    for key, when in changes:
        timers.set(key, when)
        if when is None:
            model.pop(key, None)
        else:
            model[key] = when
        assert timers.next() == min(model.values(), default=None)
    assert sorted(timers.pop(99)) == sorted(model)
