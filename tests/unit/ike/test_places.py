# SPDX-License-Identifier: Apache-2.0
"""IKE SAs by addresses."""

from types import SimpleNamespace

from ringfence.ike.places import Places, ends_of, is_known_there
from ringfence.testing.network import path_between

HERE, THERE = path_between("192.0.2.1", "192.0.2.2"), path_between("192.0.2.1", "198.51.100.2", 4500)


def sa(number, path=HERE, home=HERE):
    return SimpleNamespace(id=number, path=path, home=home, agreed=SimpleNamespace(remote="bob"))


def test_found_where_it_is_and_where_the_policy_knows_its_peer():
    places, one, two = Places(), sa(1), sa(2)
    places.put(one)
    places.put(two)
    assert places.at(ends_of(HERE)) == [one, two]
    one.path = THERE
    places.put(one)
    assert places.at(ends_of(THERE)) == [one]
    assert places.at(ends_of(HERE)) == [two, one]
    places.remove(one)
    places.remove(one)
    assert places.at(ends_of(THERE)) == []
    assert places.at(ends_of(HERE)) == [two]
    places.put(two)
    assert places.at(ends_of(HERE)) == [two]


def test_who_moved_to_an_address_is_not_the_one_that_the_policy_knows_there():
    moved = sa(1, path=THERE)
    assert is_known_there(moved, HERE, None)
    assert is_known_there(moved, HERE, "bob")
    assert not is_known_there(moved, HERE, "eve")
    assert not is_known_there(moved, THERE, None)
    moved.agreed = None
    assert not is_known_there(moved, HERE, "bob")
