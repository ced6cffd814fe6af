# SPDX-License-Identifier: Apache-2.0
"""Edits as the command line makes them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.editing import edit
from ringfence.editing.draft import Draft
from ringfence.editing.errors import BadSettings, NoSuch, StillUsed
from ringfence.editing.nouns import CONSEC, FILTER_ACTION, FILTER_LIST
from ringfence.editing.words import read_words
from ringfence.policy.errors import PolicyError

POLICY = """# ours
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
DRAFT = Draft.read(POLICY, name="p.toml")


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
    assert made.text == POLICY.replace('"web" },\n]\n', '"web" },\n  "any -> me",\n]\ndescription = "all of it"\n')
    again = edit.change(made, FILTER_LIST, "Web", read_words(["filters-=any -> me"]), ["description"])
    assert again.text == POLICY


@pytest.mark.parametrize("word", ["me  tcp -> any:80", "2"])
def test_an_element_goes_by_its_words_or_its_number(word: str) -> None:
    made = edit.change(DRAFT, FILTER_LIST, "Web", read_words([f"filters-={word}"]))
    assert made.text == POLICY.replace('  { filter = "me tcp -> any:80", description = "web" },\n', "")


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
        "p", POLICY.replace("filter-list.Web", 'filter-list."All IP Traffic"').replace('"Web"', '"All IP Traffic"')
    )
    assert "[filter-list" not in edit.delete(own, FILTER_LIST, "All IP Traffic").text


def test_a_new_name_may_not_be_wrong() -> None:
    assert edit.rename(DRAFT, FILTER_LIST, "Web", "Net").text == POLICY.replace("Web", "Net")
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
