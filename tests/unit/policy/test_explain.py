# SPDX-License-Identifier: Apache-2.0
import pytest

from ringfence.databases.spd import Action, Direction
from ringfence.net.flow import FlowKey
from ringfence.policy.errors import BadWord
from ringfence.policy.explain import explain, parse_flow
from ringfence.testing.policies import compile_text, rule_text

TEXT = rule_text("lab", with_='"10.77.0.0/24"') + (
    '[[filter]]\nname = "no telnet"\nblock = "tcp to 23"\nwith = "10.77.0.0/24"\n'
    '[[filter]]\nname = "no syslog"\nblock = "udp to 514"\nmirrored = false\n'
)


def lines(packet: str, text: str = TEXT) -> tuple[str, ...]:
    flow, direction = parse_flow(packet)
    return explain(compile_text(text, "10.77.0.1", "fd00::1"), flow, direction).lines()


def test_protected() -> None:
    assert lines("out tcp 10.77.0.1 -> 10.77.0.2:80") == (
        "protected  by ESP aes256-gcm (or aes128-gcm, aes256-sha256); without an SA it does not leave",
        'because    rule "lab" test.toml:1   10.77.0.1 <-> 10.77.0.0/24, any protocol, weight 56000',
        "keying     IKEv2, else IKEv1",
        'before     "no telnet" (other port, weight 56516)',
        "ahead of   default: permit",
    )
    certificates = TEXT.replace('{ psk-file = "test.psk" }', '{ certificate = "CN=A" }')
    assert "keying     IKEv1 alone" in lines("out tcp 10.77.0.1 -> 10.77.0.2:80", certificates)
    assert "a clear packet is dropped" in lines("in tcp 10.77.0.2 -> 10.77.0.1:80")[0]
    soft = TEXT.replace("auth =", 'secure = "request"\nauth =')
    assert "in clear if the other side cannot" in lines("out tcp 10.77.0.1 -> 10.77.0.2:80", soft)[0]
    assert "a clear packet is accepted too" in lines("in tcp 10.77.0.2 -> 10.77.0.1:80", soft)[0]


def test_blocked() -> None:
    assert lines("out tcp 10.77.0.1 -> 10.77.0.2:23")[:2] == (
        "blocked", 'because    rule "no telnet" test.toml:5   10.77.0.1 <-> 10.77.0.0/24:23, tcp, weight 56516',
    )  # fmt: skip
    assert lines("out tcp 10.77.0.1 -> 10.77.0.2:23")[2:] == ('ahead of   "lab" (weight 56000) · default: permit',)
    assert lines("in tcp 10.77.0.2:23 -> 10.77.0.1")[0] == "blocked"


def test_permitted() -> None:
    found = lines("out udp 10.77.0.1 -> 192.0.2.1:53")
    assert found[:2] == ("permitted", "because    no rule is about it, and what no rule names is permitted")
    assert found[2:] == (
        'before     "no telnet" (other address, weight 56516) · "lab" (other address, weight 56000) · '
        '"no syslog" (other port, weight 32516)',
    )  # fmt: skip
    assert lines("in udp 192.0.2.1:514 -> 10.77.0.1")[2].endswith('"no syslog" (other direction, weight 32516)')
    assert lines("out icmp 10.77.0.1 -> 192.0.2.1")[2].endswith('"no syslog" (other protocol, weight 32516)')
    assert lines("out esp 10.77.0.1 -> 10.77.0.2")[1].startswith('because    rule "always in clear: ESP"')


def test_much_is_cut_short_but_not_the_nearest() -> None:
    text = "".join(rule_text(f"r{n}", with_=f'"10.{n}.0.0/16"') for n in range(9))
    text += '[[filter]]\nname = "web"\nblock = "tcp to 80"\nwith = "192.0.2.0/25"\n'
    text += rule_text("some", with_='"192.0.2.0-192.0.2.80"', traffic='"tcp to 1-1023"')
    told = lines("out tcp 10.77.0.1 -> 192.0.2.1:8080", text)[2]
    assert told.endswith("and 6 more")
    assert '"web" (other port' in told
    assert '"some" (other port' in told
    for prefix in (9, 10, 11, 12, 13, 14):
        text += f'[[filter]]\nname = "{prefix}"\npermit = "any"\nwith = "192.0.0.0/{prefix}"\n'
    assert lines("out tcp 10.77.0.1 -> 192.0.2.1:80", text)[2:] == (
        'ahead of   "some" (weight 57506) · "14" (weight 46000) · "13" (weight 45000) · "12" (weight 44000) · '
        '"11" (weight 43000) · 2 more',
    )  # fmt: skip


def test_a_rule_is_named_once_by_what_came_nearest() -> None:
    text = rule_text("lab", with_='["10.77.0.9", "10.77.0.0/24", "fd00::/8"]', traffic='["tcp to 443", "udp to 53"]')
    found = explain(compile_text(text, "10.77.0.1", "fd00::1"), *parse_flow("out tcp 10.77.0.1 -> 10.77.0.2:80"))
    assert [str(rival) for rival in found.before] == ['"lab" (other port, weight 56516)']
    assert found.behind == ()
    found = explain(compile_text(text, "10.77.0.1"), *parse_flow("in tcp 10.77.0.9:443 -> 10.77.0.1"))
    assert found.entry is not None
    assert (found.before, found.behind) == ((), ()), "not rivals of themselves"


def test_packets_in_words() -> None:
    assert parse_flow("out tcp [fd00::1]:5 -> [fd00::2]:80") == (
        FlowKey(b"\xfd" + bytes(14) + b"\x01", b"\xfd" + bytes(14) + b"\x02", 6, 5, 80), Direction.OUT,
    )  # fmt: skip
    assert parse_flow("in icmp echo-request 10.0.0.1 -> 10.0.0.2")[0].source_port == 2048
    assert parse_flow("IN icmpv6 fd00::1 -> fd00::2")[0][2:] == (58, None, None)
    assert (
        explain(compile_text("", "10.0.0.1"), *parse_flow("in protocol 47 10.0.0.1 -> 10.0.0.2")).action
        is Action.BYPASS
    )


@pytest.mark.parametrize(
    "text",
    [
        "", "tcp 10.0.0.1 -> 10.0.0.2", "out tcp 10.0.0.1 10.0.0.2", "out any 10.0.0.1 -> 10.0.0.2",
        "out tcp 10.0.0.1 -> fd00::1", "out tcp 10.0.0.1 -> 10.0.0.2:70000", "out tcp 10.0.0.1 -> host",
        "out tcp from 5 10.0.0.1 -> 10.0.0.2", "out xyz 10.0.0.1 -> 10.0.0.2", "out tcp 10.0.0.1 ->",
        "out tcp 10.0.0.1:x -> 10.0.0.2",
    ],
)  # fmt: skip
def test_what_is_no_packet(text: str) -> None:
    with pytest.raises(BadWord):
        parse_flow(text)


def test_where_networks_make_a_difference_the_network_is_told() -> None:
    text = '[[filter]]\nname = "f"\nblock = "any"\nprofiles = "public"\n'
    flow, direction = parse_flow("out tcp 10.0.0.1 -> 10.0.0.9:80")
    told = explain(compile_text(text, "10.0.0.1"), flow, direction).lines()
    assert told[2] == "network    this computer: public (default)"
    told = explain(compile_text('[profile]\ndefault = "private"\n' + text, "10.0.0.1"), flow, direction).lines()
    assert told[1:] == (
        "because    no rule is about it, and what no rule names is permitted",
        "network    this computer: private (default)",
        'not here   filter "f" test.toml:3 (profiles public)',
    )


def test_a_computer_may_talk_to_itself() -> None:
    compiled = compile_text('[[filter]]\nname = "f"\nblock = "any"\n', "10.0.0.1", "10.1.0.1")
    for word in ("in", "out"):
        for peer in ("10.0.0.1", "10.1.0.1"):
            flow, direction = parse_flow(f"{word} tcp 10.0.0.1 -> {peer}:80")
            told = explain(compiled, flow, direction)
            assert told.action is Action.BYPASS
            assert "to itself" in told.lines()[1]


MAIN_MODE = (
    '[[main-mode]]\nname = "servers"\nwith = "10.77.0.9"\nmethods = ["aes256-sha384-ecp384", "aes128-sha256-ecp256"]\n'
)


def test_the_main_mode_rule_that_decides_is_named() -> None:
    found = lines("out tcp 10.77.0.1 -> 10.77.0.9:80", TEXT + MAIN_MODE)
    assert found[3] == (
        "main mode  aes256-sha384-ecp384 (or aes128-sha256-ecp256); preshared key test.psk: "
        'main mode rule "servers" test.toml:13'
    )
    assert not [one for one in lines("out tcp 10.77.0.1 -> 10.77.0.2:80", TEXT + MAIN_MODE) if "main mode" in one]
