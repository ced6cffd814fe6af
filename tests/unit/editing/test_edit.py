# SPDX-License-Identifier: Apache-2.0
"""Edits as the command line makes them."""

import re
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.editing import edit
from ringfence.editing.draft import Draft
from ringfence.editing.errors import BadSettings, EditRefused, NoSuch, StillUsed
from ringfence.editing.nouns import BOOT, CONSEC, FILTER_ACTION, FILTER_LIST, GLOBAL, MAIN_MODE, POLICY, PROFILE, RULE
from ringfence.editing.words import Said, read_words
from ringfence.policy.document import parse
from ringfence.policy.errors import PolicyError

TEXT = """# ours
[policy]
auth = { psk-file = "k" }

[[policy.rule]]
filter-list = "Web"
filter-action = "Permit"

[filter-list.Web]
filters = [
  "me <-> any",  # all
  { filter = "me tcp -> any:80", description = "web" },
]
"""
DRAFT = Draft.read(TEXT, name="p.toml")


def new(draft: Draft, *words: str) -> Draft:
    return edit.new(draft, CONSEC, "lab", read_words(words))


def test_five_lines_make_a_rule() -> None:
    made = new(Draft("p", ""), "--with", "10.77.0.0/24", "--secure", "require", "--auth", "psk-file=lab.psk")
    assert made.text == (
        '[[rule]]\nname   = "lab"\nwith   = "10.77.0.0/24"\nsecure = "require"\nauth   = { psk-file = "lab.psk" }\n'
    )


def test_settings_in_tables_and_lists_become_what_the_document_wants() -> None:
    made = new(
        Draft("p", ""), "lifetime.time=30 min", "lifetime.data=0", "protect=esp aes256-gcm", "protect=ah sha256",
        "auth=kerberos", "auth=psk-file=k", "replay-window=128", "description=5", "--between=me", "--between=any",
    )  # fmt: skip
    assert made.data["rule"] == [
        {
            "name": "lab",
            "lifetime": {"time": "30 min", "data": 0},
            "protect": ["esp aes256-gcm", "ah sha256"],
            "auth": ["kerberos", {"psk-file": "k"}],
            "replay-window": 128,
            "description": "5",
            "between": ["me", "any"],
        }
    ]


def test_a_wrong_value_gives_the_documents_message_at_the_option() -> None:
    with pytest.raises(PolicyError) as caught:
        new(Draft("p", ""), "--with", "10.0.0.0/8", "--secure", "requires", "--auth", "psk-file=k")
    assert str(caught.value) == (
        '--secure: rule "lab": secure is "requires", but has to be "none", "request" or "require".\n'
        'Did you mean "require"?'
    )
    with pytest.raises(PolicyError, match=r'^rule "lab" does not say how both sides prove|rule "lab": does not say'):
        new(Draft("p", ""), "--with", "10.0.0.0/8")
    with pytest.raises(PolicyError, match=r'^--wiht: rule "lab": there is no setting "wiht".\nDid you mean "with"'):
        new(Draft("p", ""), "--wiht", "10.0.0.0/8", "--auth", "psk-file=k")


def test_another_mistake_of_the_document_does_not_keep_from_mending_one() -> None:
    broken = Draft("p", '[[rule]]\nname = "a"\nauth = { psk-file = "k" }\nsecure = "x"\npfs = 3\n')
    mended = edit.change(broken, CONSEC, "a", read_words(["secure=request"]))
    assert mended.text == broken.text.replace('"x"', '"request"')


def test_settings_change_and_go() -> None:
    made = edit.change(DRAFT, FILTER_LIST, "Web", read_words(["description=all of it", "filters+=any -> me"]))
    assert made.text == TEXT.replace('"web" },\n]\n', '"web" },\n  "any -> me",\n]\ndescription = "all of it"\n')
    again = edit.change(made, FILTER_LIST, "Web", read_words(["filters-=any -> me"]), ["description"])
    assert again.text == TEXT


@pytest.mark.parametrize("word", ["me  tcp -> any:80", "2"])
def test_an_element_goes_by_its_words_or_its_number(word: str) -> None:
    made = edit.change(DRAFT, FILTER_LIST, "Web", read_words([f"filters-={word}"]))
    assert made.text == TEXT.replace('  { filter = "me tcp -> any:80", description = "web" },\n', "")


def test_an_element_that_is_not_there_does_not_go() -> None:
    with pytest.raises(NoSuch, match=r'has no "9" in filters.\nIt has: 1. me <-> any, 2. me tcp -> any:80'):
        edit.change(DRAFT, FILTER_LIST, "Web", read_words(["filters-=9"]))


def test_what_is_used_does_not_go() -> None:
    with pytest.raises(StillUsed, match=r'filter list "Web" is still used by policy, rule "Web".'):
        edit.delete(DRAFT, FILTER_LIST, "Web")
    other = edit.new(DRAFT, FILTER_ACTION, "Spare", read_words(["action=block"]))
    assert edit.delete(other, FILTER_ACTION, "Spare") == DRAFT


def test_an_own_list_in_place_of_a_predefined_one_may_go() -> None:
    own = Draft(
        "p", TEXT.replace("filter-list.Web", 'filter-list."All IP Traffic"').replace('"Web"', '"All IP Traffic"')
    )
    assert "[filter-list" not in edit.delete(own, FILTER_LIST, "All IP Traffic").text


def test_a_new_name_may_not_be_wrong() -> None:
    assert edit.rename(DRAFT, FILTER_LIST, "Web", "Net").text == TEXT.replace("Web", "Net")
    with pytest.raises(PolicyError, match=r"1 to 100 printable"):
        edit.rename(DRAFT, FILTER_LIST, "Web", " ")


def test_nonsense_is_refused() -> None:
    with pytest.raises(BadSettings, match=r"nothing to change"):
        edit.change(DRAFT, FILTER_LIST, "Web", ())
    with pytest.raises(BadSettings, match=r"there is none yet"):
        new(Draft("p", ""), "protect+=x")
    with pytest.raises(BadSettings, match=r"single value"):
        new(Draft("p", ""), "secure=require", "secure.in=request")


comments = st.sampled_from(["", "# why\n", "# one\n# two\n", "\n", "\n\n# apart\n\n"])
tails = st.sampled_from(["", "  # ask Bob"])
spaces = st.sampled_from([" = ", "=", "   =  "])
NAMES = ("a", "b", "c")


@st.composite
def documents(draw: st.DrawFn) -> str:
    parts = [draw(comments)]
    for name in draw(st.lists(st.sampled_from(NAMES), unique=True)):
        secure = draw(st.sampled_from(["", f"secure{draw(spaces)}'request'{draw(tails)}\n"]))
        parts += [
            draw(comments), f"[[rule]]{draw(tails)}\nname{draw(spaces)}'{name}'\n", draw(comments),
            f"with{draw(spaces)}['10.0.0.0/8',{draw(st.sampled_from(['', ' ', chr(10)]))}'fd00::/8']\n", secure,
            f"auth{draw(spaces)}{{ psk-file = 'k' }}{draw(tails)}\n",
        ]  # fmt: skip
    parts += [draw(st.sampled_from(["", "\n[filter-list.Web]\nfilters = []\n# the end"]))]
    return "".join(parts)


@settings(deadline=None)
@given(documents(), st.sampled_from(NAMES))
def test_an_edit_that_is_undone_leaves_every_octet(text: str, name: str) -> None:
    draft = Draft.read(text, name="p.toml")
    said = read_words(["--with", "192.0.2.1", "--auth", "psk-file=k"])
    made = edit.new(draft, CONSEC, "new", said)
    assert edit.delete(made, CONSEC, "new").text.rstrip("\n") == text.rstrip("\n")
    known = [item for item in draft.items(CONSEC) if item.name == name]
    for item in known:
        changed = edit.change(draft, CONSEC, name, read_words(["replay-window=128"]))
        assert edit.change(changed, CONSEC, name, [], ["replay-window"]).text.rstrip("\n") == text.rstrip("\n")
        other = edit.change(draft, CONSEC, name, read_words(["secure=require"]))
        kept = [line for line in text.splitlines() if "secure" not in line]
        assert [line for line in other.text.splitlines() if "secure" not in line] == kept
        assert edit.rename(edit.rename(draft, CONSEC, name, "z"), CONSEC, "z", name).data == draft.data
        left = edit.delete(draft, CONSEC, item.name)
        assert [one.name for one in left.items(CONSEC)] == [one.name for one in draft.items(CONSEC) if one != item]
        assert set(left.text.splitlines()) <= set(text.splitlines())


def words(*said: str) -> Sequence[Said]:
    return read_words(said)


def test_what_there_is_without_being_said_stays_when_more_is_added() -> None:
    lab = new(Draft("p", ""), "with=10.0.0.0/8", "auth.psk-file=k")
    more = edit.change(lab, CONSEC, "lab", words("protect+=ah sha256"))
    assert more.find(CONSEC, "lab").data["protect"] == [
        "esp aes256-gcm", "esp aes128-gcm", "esp aes256-sha256", "ah sha256",
    ]  # fmt: skip
    icmp = edit.change(Draft("p", "[global]\npfs = true\n"), GLOBAL, "", words("exempt+=icmp"))
    assert icmp.data == {"global": {"pfs": True, "exempt": ["neighbor-discovery", "dhcp", "icmp"]}}
    end = edit.change(lab, CONSEC, "lab", words("interfaces+=lan"))
    assert end.find(CONSEC, "lab").data["interfaces"] == ["lan"]


def test_settings_of_which_there_is_one_begin_when_they_are_said() -> None:
    assert edit.change(Draft("p", ""), GLOBAL, "", words("pfs=true")).text == "[global]\npfs = true\n"
    domain = edit.change(Draft("p", ""), PROFILE, "", words("domain.networks=10.0.0.0/8"))
    assert domain.text == '[profile]\ndomain = { networks = "10.0.0.0/8" }\n'
    with pytest.raises(NoSuch, match=r"there are no global settings"):
        edit.change(Draft("p", ""), GLOBAL, "", (), ["pfs"])
    text = "# which\n[profile.domain]\nnetworks = '10.0.0.0/8'\n"
    assert edit.change(Draft("p", f"x = 1\n\n{text}"), PROFILE, "", words("default=private")).text == (
        f'x = 1\n\n[profile]\ndefault = "private"\n\n{text}'
    )


TWO = """[policy.A]
based-on = "Client (Respond Only)"

[policy.B]  # for audits
assigned = true  # since May
based-on = "Secure Server (Require Security)"
"""


def test_one_policy_is_assigned_at_a_time() -> None:
    draft = Draft.read(TWO, name="p")
    first = edit.assign(draft, "A")
    assert first.text == (
        TWO.replace("assigned = true  # since May\n", "").replace(
            'based-on = "Client (Respond Only)"', 'based-on = "Client (Respond Only)"\nassigned = true'
        )
    )
    assert edit.assign(draft, "B") == draft
    assert edit.unassign(draft, "A") == draft
    none = edit.unassign(draft, "B")
    assert [edit.is_assigned(one) for one in none.items(POLICY)] == [False, False]
    single = Draft.read("[policy]\nname = 'A'\nbased-on = 'Client (Respond Only)'\n", name="p")
    off = edit.unassign(single, "A")
    assert off.data["policy"] == {"name": "A", "based-on": "Client (Respond Only)", "assigned": False}
    assert edit.assign(off, "A").text == single.text
    with pytest.raises(NoSuch):
        edit.assign(draft, "C")


def test_what_nobody_could_follow_is_not_assigned() -> None:
    empty = Draft.read(f"{TWO}[policy.C]\n", name="p")
    with pytest.raises(PolicyError, match=r'policy "C": has no rule'):
        edit.assign(empty, "C")


def test_names_that_mean_a_setting() -> None:
    for action in (lambda: edit.new(DRAFT, POLICY, "auth", ()), lambda: edit.rename(DRAFT, POLICY, "x", "rule")):
        with pytest.raises(BadSettings, match=r"is a setting of IPsec policies"):
            action()


def test_a_list_that_a_rule_of_another_policy_names_stays() -> None:
    rule = '[[policy.A.rule]]\nname = "web"\nfilter-list = "Web"\nfilter-action = "Permit"\n'
    draft = Draft.read(f"{TWO}\n{rule}\n[filter-list.Web]\nfilters = ['me <-> any']\n", name="p")
    with pytest.raises(StillUsed, match=r'filter list "Web" is still used by policy "A", rule "web"\.'):
        edit.delete(draft, FILTER_LIST, "Web")


def test_a_rule_whose_settings_are_its_name() -> None:
    rule = '[[policy.A.rule]]\nfilter-list = "All IP Traffic"\nfilter-action = "Permit"\n'
    draft = Draft.read(f"{TWO}\n{rule}", name="p")
    made = edit.change(
        draft, RULE, "All IP Traffic: Permit", words("filter-action=Block", "filter-list=All ICMP Traffic")
    )
    assert made.items(RULE)[0].name == "All ICMP Traffic: Block"


BEGINNING = """# about the document

# about lab
[[rule]]
name = "lab"  # tail of lab
with = "10.77.0.0/24"
auth = { psk-file = "k" }

# about Web
[filter-list."Web"]
filters = [
  "me tcp <-> any:80",  # inside Web
]

# about policy
[policy]
name = "A"  # tail of policy
auth = { psk-file = "k" }

# about web rule
[[policy.rule]]
name = "web"
filter-list = "Web"  # tail of web rule
filter-action = "Require Security"

# about global
[global]
pfs = true
"""
OBJECTS = {
    CONSEC: ["lab", "l2"],
    FILTER_LIST: ["Web", "Mail"],
    POLICY: ["A", "B"],
    RULE: ["web", "w2"],
    GLOBAL: [""],
    BOOT: [""],
}
SETTINGS = {
    CONSEC: ["secure=request", "with=10.0.0.0/8", "auth.psk-file=k", "protect+=ah sha256", "main-mode.sessions=3"],
    FILTER_LIST: ["filters+=me tcp <-> any:443", "filters-=1", "filters=me <-> any", "description=x"],
    POLICY: ["based-on=Client (Respond Only)", "assigned=true", "main-mode.lifetime=60 min", "legacy=true"],
    RULE: ["filter-list=Mail", "filter-list=Web", "filter-action=Permit", "filter-action=Block", "enabled=false"],
    BOOT: ["mode=block", "after-stop=shut", "exempt+=udp from 68 to 67"],
    GLOBAL: ["pfs=false", "idle-time=10 min", "exempt+=icmp"],
}


def comments_of(text: str) -> set[str]:
    return set(re.findall(r"# .*", text))


@st.composite
def edits(draw: st.DrawFn) -> tuple[str, Callable[[Draft], Draft]]:
    noun = draw(st.sampled_from([*OBJECTS]))
    name, other = draw(st.sampled_from(OBJECTS[noun])), draw(st.sampled_from([*OBJECTS[noun], "z"]))
    said = words(*draw(st.lists(st.sampled_from(SETTINGS[noun]), min_size=1, max_size=3)))
    of = draw(st.sampled_from(["", "", "A", "B"])) if noun is RULE else ""
    unset = draw(st.lists(st.sampled_from([one.names[0] for one in said]), max_size=1))
    verbs: dict[str, Callable[[Draft], Draft]] = {
        "new": lambda draft: edit.new(draft, noun, name, said, of),
        "set": lambda draft: edit.change(draft, noun, name, said, (), of),
        "unset": lambda draft: edit.change(draft, noun, name, (), unset or ["description"], of),
        "rename": lambda draft: edit.rename(draft, noun, name, other, of),
        "delete": lambda draft: edit.delete(draft, noun, name, of),
        "assign": lambda draft: edit.assign(draft, other),
        "unassign": lambda draft: edit.unassign(draft, other),
    }  # fmt: skip
    verb = draw(st.sampled_from([*verbs]))
    return verb, verbs[verb]


@settings(deadline=None)
@given(st.lists(edits(), max_size=8))
def test_any_edits_one_after_another(steps: list[tuple[str, Callable[[Draft], Draft]]]) -> None:
    """The document is always correct, and a comment goes only with what it is about."""
    draft = Draft.read(BEGINNING, name="p.toml")
    for verb, step in steps:
        before = draft
        try:
            draft = step(draft)
        except (EditRefused, PolicyError):
            continue
        parse(draft.text, name="p.toml")
        gone = comments_of(before.text) - comments_of(draft.text)
        tails = {one for one in gone if not one.startswith("# about")}
        assert "# about the document" in draft.text
        if verb in ("new", "rename", "assign"):
            assert not {one for one in gone if "tail of policy" not in one}, "a name may go into the head"
        elif verb in ("set", "unset", "unassign"):
            assert gone == tails, "only the end of a line that is said no longer"


@settings(deadline=None, max_examples=50)
@given(st.permutations(range(4)), st.integers(0, 3), st.integers(0, 3))
def test_moving_changes_the_order_and_nothing_else(names: list[int], number: int, other: int) -> None:
    blocks = [f'# of {n}\n[[main-mode]]\nname = "{n}"\npfs = true  # {n}\n\n' for n in names]
    draft = Draft.read("# ours\n\n" + "".join(blocks), name="p.toml")
    moved = edit.move(draft, MAIN_MODE, str(names[number]), str(names[other]))
    expected = [one for one in names if one != names[number]]
    at = number if number == other else expected.index(names[other])
    expected.insert(at, names[number])
    assert [one.name for one in moved.items(MAIN_MODE)] == [str(one) for one in expected]
    assert sorted(moved.text.split("\n")) == sorted(draft.text.split("\n"))
    for one in expected:
        assert f'# of {one}\n[[main-mode]]\nname = "{one}"\npfs = true  # {one}\n' in moved.text


def test_moving_what_is_not_there() -> None:
    draft = Draft.read('[[main-mode]]\nname = "m"\npfs = true\n', name="p.toml")
    with pytest.raises(NoSuch, match='there is no main mode rule "x"'):
        edit.move(draft, MAIN_MODE, "m", "x")
