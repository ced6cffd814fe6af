# SPDX-License-Identifier: Apache-2.0
"""Names that lead nowhere, and combinations that cannot be: each has its line, its setting, and what to do."""

import pytest

from ringfence.policy.document import parse
from ringfence.policy.errors import PolicyError


def rule(filter_list: str = "All IP Traffic", filter_action: str = "Permit", *more: str) -> str:
    lines = ["[[policy.rule]]", f'filter-list = "{filter_list}"', f'filter-action = "{filter_action}"', *more, ""]
    return "\n".join(lines)


LISTS = '[filter-list.out]\nfilters = ["10.1.0.0/16 -> 10.2.0.0/16"]\n[filter-list.back]\nfilters = ["{back}"]\n'
BACK = LISTS.replace("{back}", "10.2.0.0/16 -> 10.1.0.0/16")
OUT_RULE = rule("out", "Require Security", 'tunnel = "198.51.100.7"')
BACK_RULE = rule("back", "Require Security", 'tunnel = "192.0.2.1"')


def mistakes(text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        parse(text, name="policy.toml")
    return [str(one) for one in caught.value.findings]


def test_a_dangling_reference_is_shown_with_what_was_meant() -> None:
    assert mistakes("[policy]\n" + rule("All IP Trafic")) == [
        'policy.toml:3: policy, rule "All IP Trafic: Permit": filter-list is "All IP Trafic", and there is no such '
        'filter list.\n   3 | filter-list = "All IP Trafic"\n     |               ^^^^^^^^^^^^^^^\n'
        'Did you mean "All IP Traffic"?'
    ]
    (found,) = mistakes("[policy]\n" + rule(filter_action="X"))
    assert 'Write [filter-action."X"], or name one of: Permit, Block, Request Security (Optional)' in found


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (rule("<Dynamic>", "Permit"), 'filter-action is "Permit", but the default response rule always negotiates'),
        (rule("<Dynamic>", "Default Response", 'tunnel = { remote = "10.0.0.1" }'), "response rule has no tunnel"),
        (rule("All IP Traffic", "Permit", 'tunnel = "10.0.0.1"'), 'the filter action "Permit" does not negotiate'),
        (rule() + rule(), 'name is already taken in line 2'),
        (rule() + '[[filter]]\nname = "All IP Traffic: Permit"\nblock = "any"\n', "is already taken in line 5"),
        ('based-on = "server (request security)"\n[[filter]]\nname = "Request Security (Optional) Rule"\nblock = ""',
         'based-on brings a rule "Request Security (Optional) Rule", a name taken in line 3'),
        (OUT_RULE + BACK, "no rule with these filters reversed is for the other"),
        (OUT_RULE + BACK_RULE + LISTS.replace("{back}", "10.2.0.0/16 <-> 10.1.0.0/16"), "no rule with these filters"),
        (OUT_RULE + BACK_RULE.replace("Require Security", "Default Response") + BACK, "is not that of the tunnel"),
        (OUT_RULE + BACK_RULE.replace("192.0.2.1", "fd00::1") + BACK, "tunnel has ends of different families"),
    ],
)  # fmt: skip
def test_mistakes(text: str, sentence: str) -> None:
    assert any(sentence in one for one in mistakes("[policy]\n" + text))


def test_what_is_right() -> None:
    found = parse("[policy]\n" + OUT_RULE + BACK_RULE + BACK, name="p")
    assert found.ipsec is not None
    assert len(found.ipsec.rules) == 2
    assert parse("[[filter]]\nname = 'a'\nblock = 'any'\n", name="p").ipsec is None
