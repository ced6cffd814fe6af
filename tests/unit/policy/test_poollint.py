# SPDX-License-Identifier: Apache-2.0
from ringfence.policy.document import parse
from ringfence.policy.poollint import pool_findings

POOL = '[pool.people]\naddresses = "10.9.0.0/24"\n'
RULE = """
[[rule]]
name = "people"
keying = "ikev2"
local = { networks = "10.1.0.0/16", gateway = "192.0.2.1" }
remote = { gateway = "any", pool = "people" }
auth = { psk-file = "people.psk" }
"""
ALLOW = 'allow = { computers = "*.corp.example" }\n'


def found(text: str) -> list[str]:
    return [str(one) for one in pool_findings(parse(text, name="p.toml"))]


def test_nothing_to_say() -> None:
    assert found(POOL + RULE + ALLOW) == []
    assert found(POOL + RULE + 'identity = { remote = "alice.example" }\n') == []
    assert found(POOL + RULE.replace('"10.1.0.0/16"', '"any"') + ALLOW) == []
    assert found(RULE.replace(', pool = "people"', "")) == []


def test_a_rule_that_nobody_can_use() -> None:
    (one,) = found(POOL + RULE)
    assert "calls himself by the address that he comes from" in one


def test_a_pool_that_nobody_names() -> None:
    (one,) = found(POOL)
    assert one.startswith('p.toml:1: warning: pool "people" is not used')
    assert found(POOL + RULE + ALLOW + "enabled = false\n") == []


def test_addresses_that_are_in_the_network_already() -> None:
    (one,) = found(POOL.replace("10.9.0.0/24", "10.1.9.0/24") + RULE + ALLOW)
    assert "gives addresses of 10.1.9.0/24, which its own network 10.1.0.0/16 holds" in one
