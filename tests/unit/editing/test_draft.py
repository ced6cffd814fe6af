# SPDX-License-Identifier: Apache-2.0
"""A document while it is edited."""

import pytest

from ringfence.editing.draft import Draft, look
from ringfence.editing.errors import NoSuch, TakenName
from ringfence.editing.nouns import CONSEC, FILTER_LIST, Form, Noun
from ringfence.policy.errors import PolicyError

TEXT = """[[rule]]
name = "a"
with = "10.0.0.0/8"

[[policy.rule]]
filter-list = "Web"

[filter-list.Web]
filters = ["me <-> any"]
"""
DRAFT = Draft.read(TEXT, name="p.toml")


def test_objects_are_found_by_name() -> None:
    rule = DRAFT.find(CONSEC, "a")
    assert (rule.steps, rule.data["with"]) == (("rule", 0), "10.0.0.0/8")
    assert DRAFT.find(FILTER_LIST, "Web").steps == ("filter-list", "Web")
    assert DRAFT.extract(rule) == (1, TEXT[: TEXT.index("\n[[policy")])
    with pytest.raises(NoSuch, match=r'p.toml: there is no filter list "web".\nThere are: "Web"'):
        DRAFT.find(FILTER_LIST, "web")


def test_a_single_object_has_no_name() -> None:
    single = Noun("global", "global", Form.SINGLE, "global settings")
    assert DRAFT.items(single) == ()
    made = DRAFT.new(single, "", {"x": 1})
    assert made.text == TEXT + "\n[global]\nx = 1\n"
    assert made.find(single, "").data == {"x": 1}


def test_new_objects_need_a_name_of_their_own() -> None:
    assert DRAFT.new(CONSEC, "b", {"secure": "none"}).find(CONSEC, "b").data["secure"] == "none"
    assert DRAFT.new(FILTER_LIST, "B", {"filters": ["me <-> any"]}).find(FILTER_LIST, "B").steps[1] == "B"
    with pytest.raises(TakenName, match=r"already"):
        DRAFT.new(CONSEC, "a", {})


def test_settings_change() -> None:
    rule = DRAFT.find(CONSEC, "a")
    assert DRAFT.put(rule, ("secure",), "none").find(CONSEC, "a").data["secure"] == "none"
    assert "with" not in DRAFT.drop(rule, ("with",)).find(CONSEC, "a").data
    with pytest.raises(NoSuch, match=r"does not say secure"):
        DRAFT.drop(rule, ("secure",))


def test_lists_change() -> None:
    web = DRAFT.find(FILTER_LIST, "Web")
    more = DRAFT.add(web, ("filters",), "x")
    assert look(more.data, ("filter-list", "Web", "filters")) == ["me <-> any", "x"]
    assert look(more.remove(web, ("filters",), 0).data, ("filter-list", "Web", "filters")) == ["x"]
    assert look(DRAFT.add(web, ("tags",), "x").data, ("filter-list", "Web", "tags")) == ["x"]


def test_a_new_name_is_carried_to_where_it_is_used() -> None:
    made = DRAFT.rename(DRAFT.find(FILTER_LIST, "Web"), "Net")
    assert made.text == TEXT.replace("Web", "Net")
    assert DRAFT.rename(DRAFT.find(CONSEC, "a"), "b").text == TEXT.replace('"a"', '"b"')
    with pytest.raises(TakenName):
        DRAFT.rename(DRAFT.find(CONSEC, "a"), "a")


def test_an_object_goes() -> None:
    assert DRAFT.delete(DRAFT.find(CONSEC, "a")).text == TEXT[TEXT.index("[[policy") :]


def test_what_is_no_toml_is_no_draft() -> None:
    with pytest.raises(PolicyError, match=r"p.toml:1: this is not TOML"):
        Draft.read("[[rule", name="p.toml")


def test_a_setting_is_looked_up() -> None:
    assert look({"a": {"b": 1}}, ("a", "b")) == 1
    assert look({"a": 1}, ("a", "b")) is None
