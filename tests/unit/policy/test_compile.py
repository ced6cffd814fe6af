# SPDX-License-Identifier: Apache-2.0
"""Compilation; ``protocol/test_reference`` holds it against the document's words, whatever these are."""

import pytest

from ringfence.databases.pad import Ends
from ringfence.databases.sa import Mode
from ringfence.databases.spd import Action, Direction, SpdEntry
from ringfence.net.address import AddressRange, parse_address
from ringfence.net.flow import FlowKey
from ringfence.policy.compile import BUILT_IN, Compiled, HostFacts, compile_policy
from ringfence.policy.document import parse
from ringfence.policy.errors import PolicyError
from ringfence.secret import Secret
from ringfence.testing.policies import rule_text

HOST = HostFacts(tuple(map(parse_address, ("10.77.0.1", "fd00::1", "127.0.0.1", "::1"))))
KEYS = {name: Secret(name.encode()) for name in ("test.psk", "lab.psk", "branch.psk")}

LAB = rule_text("lab", with_='"10.77.0.0/24"')
TUNNEL = """\
[[rule]]
name   = "branch office"
local  = { networks = ["10.1.0.0/16"], gateway = "192.0.2.1" }
remote = { networks = ["10.2.0.0/16"], gateway = "198.51.100.7" }
auth   = { psk-file = "branch.psk" }
"""


def compiled(text: str, host: HostFacts = HOST) -> Compiled:
    return compile_policy(parse(text, name="policy.toml"), host, KEYS)


def written(found: Compiled) -> list[SpdEntry]:
    return [entry for entry in found.spd if not entry.origin.rule.startswith(BUILT_IN)]


def names(text: str, host: HostFacts = HOST) -> list[str]:
    return [entry.name for entry in written(compiled(text, host))]


def flow(text: str) -> FlowKey:
    """From ``tcp 10.0.0.1 1000 10.0.0.2 80``."""
    protocol, source, source_port, destination, destination_port = text.split()
    number = {"tcp": 6, "udp": 17, "esp": 50, "ah": 51, "icmp": 1, "icmpv6": 58}[protocol]
    return FlowKey(parse_address(source), parse_address(destination), number, int(source_port), int(destination_port))


def out(found: Compiled, text: str) -> Action:
    entry = found.spd.outbound(flow(text))
    return Action.BYPASS if entry is None else entry.action


def test_a_rule_becomes_an_entry_and_a_peer() -> None:
    found = compiled(LAB)
    (entry,) = written(found)
    assert entry.name == "lab/10.77.0.1 <-> 10.77.0.0/24"
    assert entry.processing is not None
    assert (entry.action, entry.processing.mode) == (Action.PROTECT, Mode.TRANSPORT)
    assert (entry.processing.clear_in, entry.processing.clear_out) == (False, False)
    peer = found.pad.named(entry.peer)
    assert peer is not None
    assert (peer.auth[0].key, peer.auth[0].source) == (Secret(b"test.psk"), "test.psk")
    assert peer.ends == (Ends(AddressRange.parse("10.77.0.0/24"), AddressRange.parse("10.77.0.1")),)
    assert str(entry.origin) == 'rule "lab" policy.toml:1'


def test_a_tunnel_becomes_an_entry_with_its_ends() -> None:
    found = compiled(TUNNEL)
    entry = found.spd.outbound(flow("tcp 10.1.2.3 4000 10.2.0.9 80"))
    assert entry is not None
    assert entry.processing is not None
    assert entry.processing.mode is Mode.TUNNEL
    assert entry.processing.tunnel_local == parse_address("192.0.2.1")
    assert entry.processing.tunnel_remote == parse_address("198.51.100.7")
    (peer,) = found.pad
    assert peer.ends == (Ends(AddressRange.parse("198.51.100.7"), AddressRange.parse("192.0.2.1")),)


def test_a_tunnel_may_begin_at_our_only_address() -> None:
    text = TUNNEL.replace(', gateway = "192.0.2.1"', "")
    (entry,) = written(compiled(text))
    assert entry.processing is not None
    assert entry.processing.tunnel_local == parse_address("10.77.0.1")
    two = HostFacts((parse_address("10.0.0.1"), parse_address("10.0.0.2")))
    with pytest.raises(PolicyError, match="has several addresses"):
        compiled(text, two)
    with pytest.raises(PolicyError, match="has no address of that family"):
        compiled(text, HostFacts())


@pytest.mark.parametrize(
    ("secure", "actions", "clear_in", "clear_out"),
    [
        ('"require"', {Direction.BOTH: Action.PROTECT}, False, False),
        ('"request"', {Direction.BOTH: Action.PROTECT}, True, True),
        ('{ in = "require", out = "request" }', {Direction.BOTH: Action.PROTECT}, False, True),
        ('{ in = "request", out = "require" }', {Direction.BOTH: Action.PROTECT}, True, False),
        ('{ in = "none", out = "require" }', {Direction.BOTH: Action.PROTECT}, True, False),
        (
            '{ in = "require", out = "none" }',
            {Direction.IN: Action.PROTECT, Direction.OUT: Action.BYPASS},
            False,
            False,
        ),
    ],
)
def test_requirements(secure: str, actions: dict[Direction, Action], clear_in: bool, clear_out: bool) -> None:
    entries = written(compiled(rule_text(with_='"10.0.0.0/8"', secure=secure)))
    assert {entry.directions: entry.action for entry in entries} == actions
    (processing,) = [entry.processing for entry in entries if entry.processing]
    assert (processing.clear_in, processing.clear_out) == (clear_in, clear_out)


def test_an_exemption_is_a_permit() -> None:
    text = rule_text("net", with_='"10.0.0.0/8"') + '[[rule]]\nname = "p"\nwith = "10.0.0.9"\nsecure = "none"\n'
    found = compiled(text)
    assert out(found, "tcp 10.77.0.1 1 10.0.0.9 80") is Action.BYPASS
    assert out(found, "tcp 10.77.0.1 1 10.0.0.8 80") is Action.PROTECT
    assert [peer.name for peer in found.pad] == ["preshared key test.psk"]


def test_me_is_each_address_but_loopback() -> None:
    assert names(rule_text("all", with_='"any"')) == ["all/fd00::1 <-> ::/0", "all/10.77.0.1 <-> 0.0.0.0/0"]


def test_transport_mode_is_for_our_own_addresses() -> None:
    text = rule_text("net", local='"10.77.0.0/16"', remote='"10.0.0.0/8"')
    assert names(text) == ["net/10.77.0.1 <-> 10.0.0.0/8"]
    found = compiled(rule_text("net", local='"10.1.0.0/16"', remote='"10.0.0.0/8"'))
    assert written(found) == []
    assert "holds for no address of this computer" in str(found.findings[0])


def test_one_document_for_both_ends() -> None:
    text = rule_text("db", between='["10.77.0.0/24", "10.9.0.0/16"]', traffic='"tcp to 1433"')
    assert names(text) == ["db/10.77.0.1 <-> 10.9.0.0/16:1433 tcp"]
    assert names(text, HostFacts((parse_address("10.9.0.5"),))) == ["db/10.9.0.5:1433 <-> 10.77.0.0/24 tcp"]
    assert [{one.remote for one in peer.ends} for peer in compiled(text).pad] == [{AddressRange.parse("10.9.0.0/16")}]


def test_ports() -> None:
    assert names(rule_text("r", with_='"10.0.0.9"', traffic='"udp 53"')) == [
        "r/10.77.0.1:53 <-> 10.0.0.9 udp", "r/10.77.0.1 <-> 10.0.0.9:53 udp",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("", ["f/10.77.0.1 <-> 10.0.0.9:23 tcp"]),
        ("mirrored = false", ["f/10.77.0.1 -> 10.0.0.9:23 tcp"]),
        ('direction = "in"', ["f/10.77.0.1:23 <-> 10.0.0.9 tcp"]),
        ('direction = "in"\nmirrored = false', ["f/10.77.0.1:23 <- 10.0.0.9 tcp"]),
        ('direction = "both"', ["f/10.77.0.1:23 <-> 10.0.0.9 tcp", "f/10.77.0.1 <-> 10.0.0.9:23 tcp"]),
    ],
)
def test_how_a_filter_is_read(settings: str, expected: list[str]) -> None:
    assert names(f'[[filter]]\nname = "f"\nblock = "tcp to 23"\nwith = "10.0.0.9"\n{settings}\n') == expected


@pytest.mark.parametrize(
    "packet",
    [
        "udp 10.77.0.1 500 10.77.0.2 500", "udp 10.77.0.1 4500 10.77.0.2 40000",
        "esp 10.77.0.1 0 10.77.0.2 0", "ah fd00::1 0 fd00::2 0", "icmpv6 fd00::1 34560 fd00::2 34560",
        "udp 10.77.0.1 68 10.77.0.254 67", "udp fd00::1 546 fd00::2 547",
    ],
)  # fmt: skip
def test_what_ipsec_needs_is_always_in_clear(packet: str) -> None:
    for text in (rule_text(with_='"any"'), '[[filter]]\nname = "all"\nblock = "any"\n'):
        assert out(compiled(text), packet) is Action.BYPASS


@pytest.mark.parametrize("port", [500, 4500])
def test_who_sends_from_the_port_of_ike_is_let_in_nowhere_else(port: int) -> None:
    found = compiled(rule_text(with_='"any"'))
    entries = [found.spd.inbound(flow(f"udp 10.77.0.2 {port} 10.77.0.1 {mine}")) for mine in (500, 4500, 53)]
    assert [entry and entry.action for entry in entries] == [Action.BYPASS, Action.BYPASS, Action.PROTECT]


def test_a_tunnel_carries_the_ike_and_esp_of_those_behind_it() -> None:
    found = compiled(TUNNEL)
    for packet in ("udp 10.1.2.3 500 10.2.0.9 500", "esp 10.1.2.3 0 10.2.0.9 0"):
        assert out(found, packet) is Action.PROTECT
    for own in ("192.0.2.1", "10.77.0.1"):
        assert out(found, f"udp {own} 500 198.51.100.7 500") is Action.BYPASS
        assert out(found, f"esp {own} 0 198.51.100.7 0") is Action.BYPASS


def test_a_filter_that_names_exempt_traffic_decides_on_it() -> None:
    found = compiled(LAB + '[[filter]]\nname = "no dhcp"\nblock = "udp from 68 to 67"\n')
    assert out(found, "udp 10.77.0.1 68 10.77.0.254 67") is Action.DISCARD
    assert out(found, "udp 10.77.0.1 500 10.77.0.254 500") is Action.BYPASS


def test_other_icmpv6_is_protected() -> None:
    assert out(compiled(rule_text(with_='"any"')), "icmpv6 fd00::1 32768 fd00::2 32768") is Action.PROTECT


def test_a_policy_that_only_permits_needs_no_exemptions() -> None:
    assert len(compiled('[[filter]]\nname = "f"\npermit = "any"\n').spd) == 2
    assert len(compiled("").spd) == 0


def test_what_is_switched_off_does_nothing() -> None:
    assert names(LAB + "enabled = false\n") == []


def test_rules_that_authenticate_alike_share_their_peer() -> None:
    text = rule_text("a", with_='"10.1.0.0/16"') + rule_text("b", with_='"10.1.2.0/24, 10.2.0.0/16"')
    text += rule_text("c", with_='"10.3.0.1"', identity='{ remote = "c.lab" }')
    text += rule_text("d", with_='"10.4.0.0/16"', main_mode="{ pfs = true }")
    found = compiled(text)
    by_name = {peer.name: peer for peer in found.pad}
    assert list(by_name) == ["preshared key test.psk as c.lab", "preshared key test.psk", "preshared key test.psk #2"]
    ours = AddressRange.parse("10.77.0.1")
    assert by_name["preshared key test.psk"].ends == (
        Ends(AddressRange.parse("10.1.0.0/16"), ours), Ends(AddressRange.parse("10.2.0.0/16"), ours),
    )  # fmt: skip
    assert by_name["preshared key test.psk #2"].quick_mode_limit == 1
    assert {entry.origin.rule: entry.peer for entry in written(found)}["b"] == "preshared key test.psk"


def test_a_missing_key_is_an_error() -> None:
    with pytest.raises(PolicyError, match=r'rule "r" has no key: "other\.psk" could not be read'):
        compiled(rule_text("r", auth='{ psk-file = "other.psk" }'))


def test_a_policy_has_a_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringfence.policy.compile.ENTRIES_AT_MOST", 200)
    addresses = ", ".join(f'"10.0.0.{n}"' for n in range(21))
    with pytest.raises(PolicyError, match="larger than 200 entries"):
        compiled(
            rule_text("r", with_=f"[{addresses}]", traffic="[" + ", ".join(f'"tcp to {n}"' for n in range(10)) + "]")
        )


@pytest.mark.parametrize("own", [(), (parse_address("10.77.0.1"),)])
def test_what_is_required_is_guarded_for_addresses_of_tomorrow(own: tuple[bytes, ...]) -> None:
    block = '[[filter]]\nname = "no telnet"\nblock = "tcp to 23"\nbetween = ["me", "10.0.0.0/8"]\n'
    for text, expected in (
        (LAB, ["lab/0.0.0.0/0 <-> 10.77.0.0/24"]),
        (LAB + 'secure = { in = "require", out = "request" }\n', ["lab/0.0.0.0/0 <- 10.77.0.0/24"]),
        (LAB + 'secure = "request"\n', []),
        (rule_text("r", between='["10.7.0.0/24", "10.8.0.0/24"]'),
         ["r/10.7.0.0/24 <-> 10.8.0.0/24", "r/10.8.0.0/24 <-> 10.7.0.0/24"]),
        (TUNNEL, []),
        (block, ["no telnet/0.0.0.0/0 <-> 10.0.0.0/8:23 tcp"]),
        (block.replace("block", "permit"), []),
    ):  # fmt: skip
        guards = compiled(text, HostFacts(own)).spd.guards
        assert [one.name for one in guards if one.action is Action.DISCARD] == expected


def test_the_example_of_windows_works_in_any_order() -> None:
    """Block everything, permit the intranet, negotiate with three servers."""
    parts = [
        '[[filter]]\nname = "all"\nblock = "any"\n',
        '[[filter]]\nname = "intranet"\nwith = "10.0.0.0/8"\npermit = "any"\n',
        rule_text("servers", with_='["10.0.0.1", "10.0.0.2", "10.0.0.3"]'),
    ]
    for text in ("".join(parts), "".join(reversed(parts))):
        found = compiled(text)
        assert out(found, "tcp 10.77.0.1 1 10.0.0.2 80") is Action.PROTECT
        assert out(found, "tcp 10.77.0.1 1 10.0.0.4 80") is Action.BYPASS
        assert out(found, "tcp 10.77.0.1 1 192.0.2.1 80") is Action.DISCARD


def test_a_network_of_tomorrow_is_guarded_and_addresses_of_today_are_not() -> None:
    here = HostFacts((parse_address("10.77.0.1"),), local_subnets=(AddressRange.parse("10.77.0.0/24"),))
    found = compiled(rule_text("near", with_='"local-subnet"'), here).spd
    assert [str(one.selector) for one in found.guards] == [
        "10.77.0.1 -> 0.0.0.0/0", "0.0.0.0/0 -> 0.0.0.0/0", "::/0 -> ::/0",
    ]  # fmt: skip
    assert [one.action for one in found.guards] == [Action.BYPASS, Action.DISCARD, Action.DISCARD]
    assert [str(one.selector) for one in found if one.action is Action.PROTECT] == ["10.77.0.1 -> 10.77.0.0/24"]
