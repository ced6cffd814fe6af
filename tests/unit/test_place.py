# SPDX-License-Identifier: Apache-2.0
from ringfence.place import NOWHERE, Place


def test_a_place_reads_as_editors_and_terminals_open_it():
    assert str(Place("sites/lab.toml", 2)) == "sites/lab.toml:2"
    assert str(Place("lab.toml")) == "lab.toml"
    assert str(NOWHERE) == ""
    assert not NOWHERE
    assert Place("lab.toml")


def test_the_store_is_told_where_there_are_several():
    assert Place("lab.toml", 2, "persistent").told == "lab.toml:2 (persistent store)"
    assert Place("lab.toml", 2).told == "lab.toml:2"


def test_from_the_same_document_a_line_is_enough():
    here = Place("lab.toml", 9)
    assert Place("lab.toml", 2).beside(here) == "line 2"
    assert Place("base.toml", 2).beside(here) == "base.toml:2"
    assert Place("lab.toml").beside(here) == "lab.toml"
