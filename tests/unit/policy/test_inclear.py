# SPDX-License-Identifier: Apache-2.0
"""Who names just what is always in clear decides on that, and on nothing else before its turn."""

import pytest

from ringfence.databases.spd import Action
from ringfence.policy.explain import explain, parse_flow
from ringfence.testing.policies import compile_text, rule_text

RULE = rule_text("r", with_='"10.0.0.2"')


@pytest.mark.parametrize(
    ("block", "packet", "action"),
    [
        ("udp to 500", "out udp 10.0.0.1:500 -> 10.0.0.2:500", Action.DISCARD),
        ("udp to 500", "out udp 10.0.0.1:4500 -> 10.0.0.2:500", Action.DISCARD),
        ("udp to 500", "out udp 10.0.0.1:90 -> 10.0.0.2:500", Action.PROTECT),
        ("udp to 500", "out udp 10.0.0.1:90 -> 10.0.0.3:500", Action.DISCARD),
        ("udp from 500", "out udp 10.0.0.1:500 -> 10.0.0.2:90", Action.DISCARD),
        ("udp", "out udp 10.0.0.1:500 -> 10.0.0.2:500", Action.BYPASS),
        ("esp", "out esp 10.0.0.1 -> 10.0.0.2", Action.DISCARD),
    ],
)
def test_a_filter_for_exempt_traffic(block: str, packet: str, action: Action) -> None:
    spd = compile_text(f'{RULE}[[filter]]\nname = "f"\nblock = "{block}"\n', "10.0.0.1")
    assert explain(spd, *parse_flow(packet)).action is action
    assert len({entry.name for entry in spd.spd}) == len(spd.spd)


def test_a_tunnel_is_no_filter() -> None:
    tunnel = (
        '[[rule]]\nname = "t"\nlocal = { gateway = "10.0.0.1" }\nexempt-protected = true\n'
        'remote = { networks = "any", gateway = "192.0.2.1" }\nauth = { psk-file = "test.psk" }\n'
    )
    spd = compile_text(f'{tunnel}[[filter]]\nname = "f"\nblock = "esp"\n', "10.0.0.1")
    assert explain(spd, *parse_flow("out esp 10.0.0.1 -> 10.0.1.2")).action is Action.DISCARD
