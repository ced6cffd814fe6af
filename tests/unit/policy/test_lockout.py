# SPDX-License-Identifier: Apache-2.0
"""Which open connections a policy would end."""

import pytest

from ringfence.net.address import parse_address
from ringfence.net.flow import TCP, FlowKey
from ringfence.policy.lockout import ended
from ringfence.testing.policies import compile_text, rule_text

US, PEER = "10.0.0.1", "10.1.1.7"
SSH = FlowKey(parse_address(US), parse_address(PEER), TCP, 22, 51234)


def rule(secure: str) -> str:
    return rule_text("lab is isolated", with_='"10.1.0.0/16"', secure=secure).replace("with-", "with")


def told(text: str, session: FlowKey = SSH, *, secured: bool = False) -> list[str]:
    return [str(one) for one in ended(compile_text(text, US), [session], lambda _: secured)]


@pytest.mark.parametrize(
    "secure", ['"require"', '{ in = "require", out = "request" }', '{ in = "request", out = "require" }']
)
def test_what_is_required_and_is_not_there(secure: str) -> None:
    assert told(rule(secure)) == [
        'ssh from 10.1.1.7 matches "lab is isolated" (require), and 10.1.1.7 has no security with us'
    ]
    assert told(rule(secure), secured=True) == []


def test_what_may_be_clear_goes_on() -> None:
    assert told(rule('"request"')) == told("") == []


def test_what_is_blocked_ends_even_if_it_is_secured() -> None:
    text = '[[filter]]\nname = "no ssh"\ndirection = "in"\nblock = "tcp to 22"\n'
    assert told(text) == told(text, secured=True) == ['ssh from 10.1.1.7 matches "no ssh" (block)']
    assert told(text, SSH._replace(source_port=23)) == []


def test_one_way_filters_end_it_too() -> None:
    text = '[[filter]]\nname = "no answers"\nblock = "tcp from 22"\nmirrored = false\n'
    assert told(text) == ['ssh from 10.1.1.7 matches "no answers" (block)']


def test_other_connections_have_no_name() -> None:
    text = rule('"require"')
    assert told(text, SSH._replace(source_port=5900))[0].startswith("the connection from 10.1.1.7 matches")
    assert told(text, SSH._replace(source_port=40000, destination_port=22))[0].startswith("ssh to 10.1.1.7 matches")
    assert told(text, SSH._replace(destination=parse_address("10.2.0.1"))) == []


def test_a_session_with_itself_goes_on() -> None:
    compiled = compile_text('[[filter]]\nname = "f"\nblock = "any"\n', "10.1.1.1")
    me = parse_address("10.1.1.1")
    assert list(ended(compiled, [FlowKey(me, me, TCP, 22, 50000)], lambda _: False)) == []
