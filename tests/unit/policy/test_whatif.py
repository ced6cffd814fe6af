# SPDX-License-Identifier: Apache-2.0
"""What a policy would do to conversations, and that ``explain`` says the same of their packets."""

from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.databases.spd import Action, Direction
from ringfence.net.address import parse_address
from ringfence.net.conversation import Conversation
from ringfence.net.flow import ESP, TCP, UDP, FlowKey
from ringfence.policy.compile import Compiled
from ringfence.policy.explain import explain, parse_flow
from ringfence.policy.whatif import Fate, WhatIf, outcome, whatif
from ringfence.testing.policies import compile_text, rule_text

ME = "10.77.0.1"
OWN = (parse_address(ME),)

POLICY = "".join(
    [
        rule_text("lab", with_='"10.77.0.0/24"'),
        rule_text("soft", with_='"10.78.0.0/16"', secure='"request"'),
        rule_text("answers", with_='"10.79.0.0/16"', secure='{ in = "require", out = "request" }'),
        rule_text("only in", with_='"10.80.0.0/16"', secure='{ in = "require", out = "none" }'),
        rule_text("clear in", with_='"10.81.0.0/16"', secure='{ in = "request", out = "require" }'),
        '[[filter]]\nname = "no telnet"\nblock = "tcp to 23"\nwith = "10.0.0.0/8"\n',
        '[[filter]]\nname = "half"\nblock = "tcp from 80"\nwith = "192.0.2.0/24"\nmirrored = false\n',
    ]
)


def talk(text: str, *, answered: bool = True) -> Conversation:
    return Conversation(parse_flow(f"out {text}")[0], answered)


def ask(text: str, policy: str = POLICY, *, answered: bool = True, me: str = ME) -> tuple[Fate, str]:
    own = (parse_address(me),)
    found = outcome(compile_text(policy, me), talk(text, answered=answered), own)
    return found.fate, "" if found.origin is None else found.origin.rule


def test_fates_outward_and_inward() -> None:
    assert ask("tcp 10.77.0.1:40000 -> 10.77.0.2:80") == (Fate.REQUIRE, "lab")
    assert ask("tcp 10.78.0.2:40000 -> 10.77.0.1:80") == (Fate.REQUEST, "soft")
    assert ask("tcp 10.77.0.1:40000 -> 198.51.100.1:80") == (Fate.PERMIT, "")
    assert ask("tcp 10.77.0.1:40000 -> 10.90.0.1:23") == (Fate.BLOCK, "no telnet")


def test_each_direction_counts_with_its_answers() -> None:
    assert ask("tcp 10.77.0.1:40000 -> 10.79.0.2:80") == (Fate.REQUEST, "answers")
    assert ask("tcp 10.79.0.2:40000 -> 10.77.0.1:80") == (Fate.REQUIRE, "answers")
    assert ask("tcp 10.77.0.1:40000 -> 10.80.0.2:80") == (Fate.REQUIRE, "only in")
    assert ask("tcp 10.81.0.2:40000 -> 10.77.0.1:80") == (Fate.REQUIRE, "clear in")
    assert ask("tcp 192.0.2.7:40000 -> 10.77.0.1:80") == (Fate.BLOCK, "half")


def test_what_filters_ask_to_be_secure_is_protected_or_lost() -> None:
    soft = rule_text("soft", with_='"10.78.0.0/16"', secure='"request"')
    files = '[[filter]]\nname = "files"\npermit = "tcp to 445"\ndirection = "in"\nsecure = "encrypted"\n'
    shut = '[[filter]]\nname = "shut"\nblock = "tcp to 22"\nwith = "10.0.0.0/8"\ndirection = "in"\n'
    past = shut.replace("shut", "admins").replace("block", "permit") + (
        'secure = "authenticated"\noverride-block = true\nallow = { computers = ["admin.example"] }\n'
    )
    asks, begins = "tcp 10.78.0.2:40000 -> 10.77.0.1:445", "tcp 10.77.0.1:40000 -> 10.78.0.2:445"
    assert ask(asks, soft) == (Fate.REQUEST, "soft")
    assert ask(asks, soft + files) == (Fate.REQUIRE, "files"), "in clear it does not pass any more"
    assert ask(begins, soft + files) == (Fate.REQUEST, "soft"), "it is about what comes in"
    assert ask(asks.replace("10.78.0.2", "10.90.0.2"), soft + files) == (Fate.BLOCK, "files"), "nothing protects it"
    readable = soft + 'protect = ["esp null-sha256"]\n'
    assert ask(asks, readable + files) == (Fate.BLOCK, "files"), "nothing encrypts it"
    wide = soft.replace("10.78.0.0/16", "10.0.0.0/8")
    manages = "tcp 10.78.0.2:40000 -> 10.77.0.1:22"
    assert ask(manages, wide + shut) == (Fate.BLOCK, "shut")
    assert ask(manages, wide + shut + past) == (Fate.REQUIRE, "admins")
    assert ask(manages, wide + past) == (Fate.REQUEST, "soft"), "what nothing blocks is as it was"
    assert ask(manages, shut + past) == (Fate.BLOCK, "shut"), "no rule protects it"


def test_what_needs_no_answer_is_not_asked_about_one() -> None:
    policy = '[[filter]]\nname = "half"\nblock = "udp from 514"\nmirrored = false\n'
    assert ask("udp 192.0.2.7:40000 -> 10.77.0.1:514", policy, answered=False) == (Fate.PERMIT, "")
    assert ask("udp 192.0.2.7:40000 -> 10.77.0.1:514", policy) == (Fate.BLOCK, "half")


def test_of_what_is_forwarded_the_tunnels_own_end_counts() -> None:
    tunnel = (
        'local = { networks = "10.1.0.0/16", gateway = "192.0.2.1" }\n'
        'remote = { networks = "10.2.0.0/16", gateway = "198.51.100.7" }\n'
    )
    policy = rule_text("branch") + tunnel
    for text in ("tcp 10.1.0.5:40000 -> 10.2.0.9:80", "tcp 10.2.0.9:40000 -> 10.1.0.5:80"):
        found = outcome(compile_text(policy, "192.0.2.1"), talk(text), (parse_address("192.0.2.1"),))
        assert found.fate is Fate.REQUIRE
        assert found.peer == parse_address("198.51.100.7")
        assert not str(found.service).endswith("(here)")
    assert ask("tcp 10.3.0.5:40000 -> 10.2.0.9:80", policy, me="192.0.2.1") == (Fate.PERMIT, "")


def answer(*talks: Conversation, policy: str = POLICY, old: str | None = None) -> WhatIf:
    before = None if old is None else compile_text(old, ME)
    return whatif(compile_text(policy, ME), talks, OWN, old=before)


def test_what_is_lost() -> None:
    telnet = talk("tcp 10.77.0.1:40000 -> 10.90.0.1:23")
    found = answer(
        telnet, telnet._replace(asks=telnet.asks._replace(source_port=40001)), talk(f"tcp {ME}:9 -> {ME}:23")
    )
    assert [*map(str, found.lost)] == ["10.90.0.1:23 tcp"]
    assert (len(found.changes), found.within) == (2, 1)
    assert answer(telnet._replace(answered=False)).lost == ()
    assert answer(telnet, old=POLICY).lost == ()
    assert answer(telnet, old="").lost == found.lost
    assert answer(talk("tcp 10.77.0.1:40000 -> 10.77.0.2:80")).lost == ()


def test_who_must_be_able_to_do_ipsec() -> None:
    web, other = talk("tcp 10.77.0.1:40000 -> 10.77.0.2:80"), talk("tcp 10.77.0.3:40000 -> 10.77.0.1:80")
    assert answer(web, other).unknown == (parse_address("10.77.0.2"), parse_address("10.77.0.3"))
    sealed = Conversation(FlowKey(OWN[0], parse_address("10.77.0.2"), ESP, None, None))
    assert answer(web, other, sealed).unknown == (parse_address("10.77.0.3"),)
    assert answer(web, sealed._replace(answered=False)).unknown == (parse_address("10.77.0.2"),)
    assert answer(web, other, old=POLICY).unknown == ()
    assert answer(web._replace(answered=False)).unknown == ()


def test_services_have_names() -> None:
    names = [str(change.now.service) for change in answer(
        talk("tcp 10.77.0.1:40000 -> 10.0.0.2:80"), talk("udp fd00::1 -> [fd00::2]:53"),
        talk("icmp 10.1.1.1 -> 10.77.0.1"),
        Conversation(FlowKey(OWN[0], parse_address("10.0.0.2"), 99, None, None)),
    ).changes]  # fmt: skip
    assert names == ["10.0.0.2:80 tcp", "[fd00::2]:53 udp", "10.77.0.1 icmp (here)", "10.0.0.2 protocol 99"]


FIXED = compile_text(POLICY, ME)
FATES = {Action.BYPASS: {Fate.PERMIT}, Action.DISCARD: {Fate.BLOCK}, Action.PROTECT: {Fate.REQUEST, Fate.REQUIRE}}


@settings(deadline=None, max_examples=200)
@given(
    st.sampled_from([TCP, UDP]), st.integers(76, 82), st.integers(0, 4), st.sampled_from([23, 80, 514]), st.booleans()
)
def test_explain_says_the_same(protocol: int, network: int, host: int, port: int, inward: bool) -> None:
    flow = FlowKey(OWN[0], bytes([10, network, 0, host]), protocol, 40000, port)
    direction = Direction.IN if inward else Direction.OUT
    if inward:
        flow = flow._replace(source=flow.destination, destination=flow.source)
    found = outcome(FIXED, Conversation(flow, answered=False), OWN)
    if flow.source != flow.destination and protocol == UDP:
        assert found.fate in FATES[explain(FIXED, flow, direction).action]
        assert found.entry is explain(FIXED, flow, direction).entry


def test_nothing_seen() -> None:
    empty = whatif(Compiled(FIXED.spd, FIXED.pad), (), OWN)
    assert (empty.changes, empty.lost, empty.unknown) == ((), (), ())
