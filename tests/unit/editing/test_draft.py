# SPDX-License-Identifier: Apache-2.0
"""A document while it is edited."""

import pytest

from ringfence.editing.draft import Draft, look
from ringfence.editing.errors import NoSuch, TakenName
from ringfence.editing.nouns import CONSEC, FILTER_LIST, POLICY, RULE, Form, Noun
from ringfence.policy.errors import PolicyError
from ringfence.policy.source import Source

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


SINGLE = """# ours
[policy]  # from May
name = "A"
auth = { psk-file = "k" }

[policy.main-mode]
lifetime = "60 min"

# ping
[[policy.rule]]
filter-list = "All ICMP Traffic"  # all of it
filter-action = "Permit"
"""


def test_a_policy_beside_a_single_one_gives_it_its_name() -> None:
    draft = Draft.read(SINGLE, name="p.toml")
    assert [item.name for item in draft.items(POLICY)] == ["A"]
    made = draft.new(POLICY, "B b", {"based-on": "Client (Respond Only)"})
    apart = SINGLE.replace('name = "A"\n', "").replace('"k" }\n', '"k" }\nassigned = true\n')
    assert made.text == (
        apart.replace("[policy", "[policy.A") + '\n[policy."B b"]\nbased-on = "Client (Respond Only)"\n'
    )
    assert [(item.name, item.steps) for item in made.items(POLICY)] == [
        ("A", ("policy", "A")), ("B b", ("policy", "B b")),
    ]  # fmt: skip
    with pytest.raises(TakenName):
        made.new(POLICY, "A", {})


@pytest.mark.parametrize(
    ("single", "named"),
    [
        ('policy.based-on = "X"\n', 'policy.X.based-on = "X"\npolicy.X.assigned = true\n'),
        ('policy = { based-on = "X" }\n', 'policy.X = { based-on = "X", assigned = true }\n'),
        ("[policy]\nassigned = false\n", '[policy."the IPsec policy"]\nassigned = false\n'),
        ('[policy]\nname = "auth"\n', '[policy."auth (policy)"]\nassigned = true\n'),
        (
            "[ policy . main-mode ]\npfs = true\n[policy]\nname='A'",
            "[ policy.A . main-mode ]\npfs = true\n[policy.A]\n",
        ),
        (
            "[[policy.rule]]\nname = 'x'\n",
            '[policy."the IPsec policy"]\nassigned = true\n\n[[policy."the IPsec policy".rule]]',
        ),
    ],
)
def test_however_it_is_written(single: str, named: str) -> None:
    made = Draft.read(single, name="p.toml").new(POLICY, "B", {})
    assert made.text.startswith(named)
    assert [item.name for item in made.items(POLICY)][1:] == ["B"]


def test_rules_of_policies() -> None:
    draft = Draft.read(SINGLE, name="p.toml").new(POLICY, "B", {})
    with pytest.raises(NoSuch, match=r'several IPsec policies.\nSay whose rule it is: --policy "A" or "B"'):
        draft.new(RULE, "x", {})
    with pytest.raises(NoSuch, match=r'no IPsec policy "C"'):
        draft.new(RULE, "x", {}, "C")
    with pytest.raises(NoSuch, match=r"Write one first"):
        Draft("p", "").new(RULE, "x", {})
    both = draft.new(RULE, "x", {"filter-list": "L"}, "A").new(RULE, "x", {"filter-list": "L"}, "B")
    assert [(item.name, item.of) for item in both.items(RULE)] == [
        ("All ICMP Traffic: Permit", "A"), ("x", "A"), ("x", "B"),
    ]  # fmt: skip
    with pytest.raises(NoSuch, match=r'"A" and "B" each have a rule "x".\nSay --policy, too.'):
        both.find(RULE, "x")
    assert both.find(RULE, "x", "B").steps == ("policy", "B", "rule", 0)
    with pytest.raises(NoSuch, match=r'no IPsec policy "C"'):
        both.find(RULE, "x", "C")
    with pytest.raises(TakenName):
        both.new(RULE, "x", {}, "B")
    named = both.rename(both.find(RULE, "All ICMP Traffic: Permit"), "x y")
    assert named.find(RULE, "x y").data["filter-list"] == "All ICMP Traffic"
    assert [item.of for item in both.delete(both.find(POLICY, "A")).items(RULE)] == ["B"]


def test_an_object_is_found_again_whatever_it_is_called_by_now() -> None:
    draft = Draft.read(SINGLE, name="p.toml")
    rule = draft.find(RULE, "All ICMP Traffic: Permit")
    changed = draft.put(rule, ("filter-action",), "Block")
    assert changed.again(rule).name == "All ICMP Traffic: Block"


def test_documents_around_it() -> None:
    before, behind = Source.read("[auth-set.s]\n", name="a"), Source.read("include = 'x'\n", name="c")
    draft = Draft.read(TEXT, name="b", beside=[before], behind=[behind], folder="sites")
    assert [one.name for one in draft.sources] == ["a", "b", "c"]
    assert draft.delete(draft.find(CONSEC, "a")).sources[1].folder == "sites"
