# SPDX-License-Identifier: Apache-2.0
from ringfence.databases.spd import Direction
from ringfence.net.address import parse_address
from ringfence.policy.compile import Compiled, compile_policy
from ringfence.policy.document import parse
from ringfence.policy.explain import explain, parse_flow
from ringfence.policy.host import HostFacts
from ringfence.policy.lint import lint
from ringfence.testing.policies import KEYS, rule_text

OWN, OWN6 = parse_address("203.0.113.1"), parse_address("2001:db8::1")
ROUTER = HostFacts((OWN, OWN6), masquerades=True)
RULE = rule_text("lab", with_='["10.77.0.0/24", "fd77::/64"]')
CLEAR = '[global]\nmasqueraded = "clear"\n'
DROPPED = 'rule "lab" requires protection, and what this computer masquerades for others to the same peers is dropped.'


def made(text: str, host: HostFacts = ROUTER) -> Compiled:
    return compile_policy(parse(text, name="p.toml"), host, KEYS)


def lines(compiled: Compiled, packet: str) -> list[str]:
    return [one for one in explain(compiled, *parse_flow(packet)).lines() if one.startswith("masquerade")]


def test_whoever_said_nothing_is_warned() -> None:
    (one,) = made(RULE).findings
    assert one.message == DROPPED
    assert (one.place.line, one.cure.startswith("Say what is meant")) == (1, True)
    assert made(RULE, HostFacts((OWN, OWN6))).findings == ()
    for said in ("block", "clear"):
        assert made(CLEAR.replace("clear", said) + RULE).findings == ()


def test_a_rule_that_requires_nothing_outward_warns_of_nothing() -> None:
    assert made(RULE + 'secure = "request"\n').findings == ()
    assert made(RULE + 'secure = { in = "require", out = "request" }\n').findings == ()
    behind = rule_text(
        "net", local='{ networks = "10.1.0.0/16", gateway = "203.0.113.1" }',
        remote='{ networks = "10.2.0.0/16", gateway = "203.0.113.9" }',
    )  # fmt: skip
    assert made(behind).findings == (), "it says nothing of this computer's own address"


def test_lint_tells_of_what_is_let_go() -> None:
    policy = parse(CLEAR + RULE, name="p.toml")
    found = [str(one) for one in lint(policy, compile_policy(policy, ROUTER, KEYS), ROUTER)]
    (one,) = [one for one in found if "masquerades" in one]
    assert one.startswith("p.toml:2: ")
    assert "to the same peers leaves in clear" in one
    assert not [one for one in lint(policy, made(CLEAR + RULE), HostFacts((OWN,))) if "masquerades" in str(one)]


def test_a_packet_of_somebody_else_is_explained_by_our_addresses() -> None:
    for source, target, own in (("10.1.0.9", "10.77.0.2", "203.0.113.1"), ("fd01::9", "fd77::2", "2001:db8::1")):
        packet = f"out udp {source} -> {target}"
        (line,) = lines(made(RULE), packet)
        assert line == f'masquerade as {own}: dropped, for rule "lab" p.toml:1 requires protection'
        (line,) = lines(made(CLEAR + RULE), packet)
        assert 'leaves in clear by masqueraded = "clear", for rule "lab"' in line
    assert lines(made(RULE), "out tcp 203.0.113.1 -> 10.77.0.2:80") == [], "its own is judged as ever"
    assert lines(made(RULE), "out tcp 10.1.0.9 -> 10.78.0.2:80") == []
    assert lines(made(RULE), "in tcp 10.77.0.2 -> 10.1.0.9:80") == []
    assert lines(made(RULE, HostFacts((OWN, OWN6))), "out tcp 10.1.0.9 -> 10.77.0.2:80") == []


def test_the_setting_reaches_who_carries_it_out() -> None:
    assert made(RULE).spd.translated
    assert not made(CLEAR + RULE).spd.translated
    assert all(Direction.OUT in one.directions for one in made(RULE).spd)
