# SPDX-License-Identifier: Apache-2.0
"""Every setting of an object, and where it is from."""

from ringfence.editing.draft import Draft, Item
from ringfence.editing.effective import effective_sections, effective_text_of, effective_value
from ringfence.editing.nouns import CONSEC, GLOBAL, POLICY, RULE
from ringfence.policy.texts import effective_text

TEXT = """[global]
pfs = true
auth = { psk-file = "all.psk" }

[[rule]]
name = "lab"
with = "10.0.0.0/8"

[policy."A"]
auth = { psk-file = "site.psk" }

[[policy."A".rule]]
filter-list = "All IP Traffic"
filter-action = "Require Security"

[[policy."A".rule]]
filter-list = "All ICMP Traffic"
filter-action = "Permit"

[policy."B"]
based-on = "Client (Respond Only)"
[[policy."B".rule]]
name = "all"
filter-list = "All IP Traffic"
filter-action = "Require Security"
"""
DRAFT = Draft.read(TEXT, name="p.toml")


def lines(item: Item) -> list[str]:
    return [
        " ".join(line.split()) for line in "\n".join(map(effective_text, effective_sections(DRAFT, item))).split("\n")
    ]


def test_what_a_rule_has_from_all_rules() -> None:
    said = lines(DRAFT.find(CONSEC, "lab"))
    assert said[:2] == ["[[rule]] # p.toml:5", 'name = "lab" # line 6']
    assert "pfs = true # [global], line 2" in said
    assert 'auth = { psk-file = "all.psk" } # [global], line 3' in said
    assert "replay-window = 64 # default" in said


def test_what_a_rule_has_from_its_policy() -> None:
    said = lines(DRAFT.find(RULE, "All IP Traffic: Require Security"))
    assert said[-1] == 'auth = { psk-file = "site.psk" } # policy "A", line 10'
    assert not any("auth" in line for line in lines(DRAFT.find(RULE, "All ICMP Traffic: Permit"))), "nobody proves it"
    assert lines(DRAFT.find(RULE, "all"))[-1] == 'auth = "kerberos" # default'


def test_a_policy_has_its_rules() -> None:
    heads = [section.head for section in effective_sections(DRAFT, DRAFT.find(POLICY, "A"))]
    assert heads == ['[policy."A"]', '[[policy."A".rule]]', '[[policy."A".rule]]']


def test_a_policy_has_the_rules_of_the_one_that_it_is_based_on() -> None:
    text = effective_text_of(DRAFT, DRAFT.find(POLICY, "B"))
    assert text.count("[[policy") == 2
    assert '# of "Client (Respond Only)"\n# [[policy.rule]]\n# filter-list = "<Dynamic>"' in text
    assert "# of" not in effective_text_of(DRAFT, DRAFT.find(POLICY, "A"))
    assert "# of" not in effective_text_of(DRAFT, DRAFT.find(RULE, "all"))


def test_what_nobody_says_is_there_all_the_same() -> None:
    assert "pfs = true # line 2" in lines(DRAFT.find(GLOBAL, ""))
    empty = Draft.read("", name="p.toml")
    (section,) = effective_sections(empty, Item(GLOBAL, "", ("global",), {}))
    assert all(one.default for one in section.settings)


def test_a_value_that_nobody_says() -> None:
    lab = DRAFT.find(CONSEC, "lab")
    assert effective_value(DRAFT, lab, ("protect",)) == ["esp aes256-gcm", "esp aes128-gcm", "esp aes256-sha256"]
    assert effective_value(DRAFT, lab, ("main-mode", "sessions")) == 0
    assert effective_value(DRAFT, lab, ("nonsense",)) is None
    wrong = Draft.read(f"{TEXT}[nonsense]\n", name="p.toml")
    assert effective_value(wrong, wrong.find(CONSEC, "lab"), ("protect",)) is None
