# SPDX-License-Identifier: Apache-2.0
from ringfence.policy.windows import DefaultExempt, IpsecPolicy, PolicyRule


def test_a_rule_is_called_by_its_name_or_by_what_it_brings_together() -> None:
    assert PolicyRule("All IP Traffic", "Permit").title == "All IP Traffic: Permit"
    assert PolicyRule("All IP Traffic", "Permit", "let all pass").title == "let all pass"


def test_a_policy_is_called_by_its_name_or_by_what_it_is_based_on() -> None:
    assert IpsecPolicy("mine", "Server (Request Security)").title == "mine"
    assert IpsecPolicy(based_on="Server (Request Security)").title == "Server (Request Security)"
    assert IpsecPolicy().title == "the IPsec policy"


def test_default_exemptions_are_numbered_as_on_windows() -> None:
    found = {one.value: (one.multicast, one.kerberos) for one in DefaultExempt}
    assert found == {0: (True, True), 1: (True, False), 2: (False, True), 3: (False, False)}
