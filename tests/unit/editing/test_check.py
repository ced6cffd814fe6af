# SPDX-License-Identifier: Apache-2.0
"""What the decoders say of an edit."""

from ringfence.editing.check import added, findings, item_said, pointed, trial_of
from ringfence.editing.draft import Draft
from ringfence.editing.nouns import CONSEC, FILTER_LIST, Form, Noun
from ringfence.editing.words import read_words
from ringfence.place import Place
from ringfence.policy.errors import Finding

RULE = '[[rule]]\nname = "a"\nauth = { psk-file = "k" }\n'


def test_only_new_mistakes_count() -> None:
    before = findings(Draft("p", RULE + 'secure = "x"\n'))
    after = findings(Draft("p", "\n\n" + RULE + 'secure = "x"\npfs = 3\n'))
    assert [finding.setting for finding in before] == ["secure"]
    assert [finding.setting for finding in added(before, after)] == ["pfs"]
    assert findings(Draft("p", RULE)) == ()


def test_a_finding_points_at_the_option() -> None:
    said = read_words(["--secure", "x", "lifetime.time=y"])

    def place(rule: str, setting: str) -> str:
        finding = Finding("m", Place("p", 3), rule, setting, "excerpt")
        return str(next(pointed([finding], "a", said)).place)

    assert place('rule "a"', "secure") == "--secure"
    assert place('rule "a"', "secure.in") == "--secure"
    assert place('rule "a"', "lifetime") == "lifetime.time="
    assert place('rule "a"', "") == ""
    assert place('rule "b"', "secure") == "p:3"


def test_a_value_is_tried_alone() -> None:
    assert trial_of(CONSEC, ("secure",))("require") == 0
    assert trial_of(CONSEC, ("secure",))("x") == 1
    assert trial_of(CONSEC, ("lifetime", "time"))("30 min") == 0
    assert trial_of(CONSEC, ("lifetime", "time"))(30) == 1
    assert trial_of(FILTER_LIST, ("filters",))("me <-> any") == 1
    assert trial_of(FILTER_LIST, ("filters",))(["me <-> any"]) == 0
    assert trial_of(Noun("x", "nothing-known", Form.SINGLE, "x"), ("a",))(1) == 0


def test_objects_are_called_by_kind_and_name() -> None:
    draft = Draft("p", RULE)
    assert item_said(draft.find(CONSEC, "a")) == 'connection security rule "a"'
