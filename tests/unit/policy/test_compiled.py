# SPDX-License-Identifier: Apache-2.0
"""What a policy comes to on one computer."""

from ringfence.databases.pad import Pad
from ringfence.databases.spd import Spd
from ringfence.place import NOWHERE
from ringfence.policy.compiled import Compiled
from ringfence.policy.errors import Finding
from ringfence.testing.policies import compile_text, rule_text


def test_why_a_rule_or_filter_cannot_be_carried_out() -> None:
    kinds = [(subject, Finding(f"{subject} needs more.", NOWHERE, subject)) for subject in ('rule "a"', 'filter "b"')]
    found = Compiled(Spd(), Pad(), refusals=tuple(finding for _, finding in kinds))
    assert list(found.refused("a")) == ["needs more."] == list(found.refused("b"))
    assert list(found.refused("c")) == []


def test_what_holds_in_another_network_makes_no_other_policy() -> None:
    text = rule_text("lab", with_='"10.0.0.0/8"', profiles='"public"')
    one, other = compile_text(text, "10.0.0.1"), compile_text(text, "10.0.0.1")
    assert one == other
    assert one.elsewhere is not other.elsewhere
