# SPDX-License-Identifier: Apache-2.0
"""Packet filters in answers: they see what is on the wire, and interfaces are sure only where all say the same."""

import pytest

from ringfence.databases.spd import Direction
from ringfence.net.address import parse_address
from ringfence.net.conversation import Conversation
from ringfence.policy.explain import answer, parse_question
from ringfence.policy.lockout import ended
from ringfence.policy.passage import on_wire, passage
from ringfence.policy.plan import plan
from ringfence.policy.whatif import Fate, outcome
from ringfence.testing.policies import compile_text, rule_text

ME = "10.0.0.1"
WAN = '[[packet-filter]]\nname = "wan"\ndirection = "in"\n'
RULE = rule_text(with_='"10.0.0.0/24"', protect='["esp aes256-gcm", "ah sha256"]')


def told(document: str, packet: str) -> tuple[bool, list[str]]:
    found = answer(compile_text(document, ME), parse_question(packet))
    return found.passes, list(found.lines())


def test_what_is_protected_is_asked_about_as_esp() -> None:
    document = RULE + WAN + 'filters = ["any tcp -> me"]\n'
    assert told(document, "in tcp 10.0.0.2:5 -> 10.0.0.1:80")[0], "the filter does not see into it"
    passes, lines = told(document + WAN.replace("wan", "two") + 'filters = ["any esp -> me"]\n',
                         "in tcp 10.0.0.2:5 -> 10.0.0.1:80")  # fmt: skip
    assert passes, "it may come by AH"
    assert lines[1] == 'but        its ESP is dropped by packet filter "two" test.toml:10'
    passes, lines = told(document + WAN.replace("wan", "two") + 'default = "block"\nfilters = ["any udp -> me"]\n',
                         "in tcp 10.0.0.2:5 -> 10.0.0.1:80")  # fmt: skip
    assert not passes
    assert lines[:3] == [
        'blocked    its ESP is dropped by packet filter "two" test.toml:10',
        'blocked    its AH is dropped by packet filter "two" test.toml:10',
        "otherwise  protected by ESP aes256-gcm (or AH sha256); a clear packet is dropped",
    ]


def test_clear_packets_are_asked_about_as_they_are_and_established_ones_apart() -> None:
    document = WAN + 'default = "block"\nfilters = ["any tcp established -> me"]\n'
    assert not told(document, "in tcp 10.0.0.2:80 -> 10.0.0.1:5000")[0]
    assert told(document, "in tcp established 10.0.0.2:80 -> 10.0.0.1:5000")[0]
    assert told(document, "out tcp 10.0.0.1:5000 -> 10.0.0.2:80")[0], "the list is about what arrives"


def test_interfaces() -> None:
    document = WAN + 'interfaces = ["dev eth0", "dev eth1"]\nfilters = ["any udp -> me"]\n'
    passes, lines = told(document, "in udp 10.0.0.2:80 -> 10.0.0.1:5000")
    assert passes
    assert lines[1] == 'but        in clear it is dropped on eth0 and on eth1 by packet filter "wan" test.toml:1'
    passes, lines = told(document, "in udp 10.0.0.2:80 -> 10.0.0.1:5000 on eth1")
    assert not passes
    assert lines[0] == 'blocked    it is dropped on eth1 by packet filter "wan" test.toml:1'
    assert told(document, "in udp 10.0.0.2:80 -> 10.0.0.1:5000 on eth2")[1][0] == "permitted"


def test_every_list_has_to_be_passed() -> None:
    document = "".join(
        WAN.replace("wan", name) + f'default = "block"\nfilters = ["any tcp -> me:{port}", "any tcp -> me:25"]\n'
        for name, port in (("a", 80), ("b", 443))
    )
    assert told(document, "in tcp 10.0.0.2:5 -> 10.0.0.1:25")[0]
    assert not told(document, "in tcp 10.0.0.2:5 -> 10.0.0.1:80")[0]


@pytest.mark.parametrize("direction", [Direction.IN, Direction.OUT])
def test_in_a_tunnel_the_ends_of_the_tunnel_are_on_the_wire(direction: Direction) -> None:
    document = rule_text(
        local='{ networks = ["10.1.0.0/16"], gateway = "10.0.0.1" }',
        remote='{ networks = ["10.2.0.0/16"], gateway = "192.0.2.9" }',
    )
    compiled = compile_text(document, ME)
    word = "in icmp 10.2.0.1 -> 10.1.0.1" if direction is Direction.IN else "out icmp 10.1.0.1 -> 10.2.0.1"
    question = parse_question(word)
    (packet,) = on_wire(answer(compiled, question).entry, question.flow, direction)
    ends = (parse_address("192.0.2.9"), parse_address(ME))
    assert (packet.flow.source, packet.flow.destination) == (ends if direction is Direction.IN else ends[::-1])
    assert packet.protocol == "ESP"


def test_what_is_blocked_anyway_reaches_no_packet_filter() -> None:
    compiled = compile_text('[[filter]]\nname = "x"\nblock = "tcp"\n' + WAN + 'filters = ["any -> any"]', ME)
    question = parse_question("in tcp 10.0.0.2:5 -> 10.0.0.1:80")
    found = answer(compiled, question)
    assert not found.passage.stops
    assert on_wire(found.entry, question.flow, question.direction) == ()
    assert passage((), (), Direction.IN) == found.passage


def test_requested_protection_may_pass_in_clear() -> None:
    document = rule_text(with_='"10.0.0.0/24"', secure='"request"') + WAN + 'filters = ["any esp -> me"]\n'
    passes, lines = told(document, "in tcp 10.0.0.2:5 -> 10.0.0.1:80")
    assert passes
    assert lines[1].startswith("but        its ESP is dropped by")


def test_whatif_lockout_and_plan_know_them() -> None:
    compiled = compile_text(WAN + 'default = "block"\nfilters = ["any tcp established -> me"]\n', ME)
    seen = parse_question("in tcp 10.0.0.2:5 -> 10.0.0.1:22").flow
    found = outcome(compiled, Conversation(seen), {seen.destination})
    assert found.fate is Fate.BLOCK
    assert found.origin is not None
    assert found.origin.rule == "wan"
    assert not list(ended(compiled, [seen.reversed()], lambda _: False)), "an open connection goes on"
    shut = compile_text(WAN + 'default = "block"\nfilters = ["any udp -> me"]\n', ME)
    (one,) = ended(shut, [seen.reversed()], lambda _: True)
    assert str(one) == 'ssh from 10.0.0.2 matches "wan" (block)'
    assert plan(None, compiled).lines()[0] == (
        '+ packet filter "wan": of what arrives blocks all but permits 1 kind of packet'
    )
    change = plan(compiled, shut)
    assert change.summary() == "1 packet filter"
    assert change.lines() == (
        '~ packet filter "wan": of what arrives blocks all but permits 1 kind of packet', "    test.toml:1",
    )  # fmt: skip
    assert plan(compiled, compile_text("", ME)).lines()[0].startswith('- packet filter "wan"')
