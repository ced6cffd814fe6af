# SPDX-License-Identifier: Apache-2.0
"""IPsec policies, held against a reference that decides each packet straight from Windows' words."""

from dataclasses import replace

import pytest

from ringfence.crypto.suites import DhGroup
from ringfence.databases.sa import Mode
from ringfence.databases.spd import Action, SpdEntry
from ringfence.net.address import parse_address
from ringfence.policy.compile import BUILT_IN, Compiled, HostFacts, compile_policy
from ringfence.policy.defaults import DEFAULT_POLICIES, FILTER_ACTIONS
from ringfence.policy.document import parse
from ringfence.policy.explain import explain, parse_flow
from ringfence.policy.lower import filter_actions, filter_lists, statements, tunnel_pairs
from ringfence.policy.model import Keyword, Policy, Rule
from ringfence.policy.networks import Interface
from ringfence.policy.scope import Connection, LinkKind
from ringfence.policy.windows import DYNAMIC, IpFilter
from ringfence.secret import Secret

KEYS = {"k": Secret(b"a key that only tests know")}
HEAD = '[policy]\nauth = { psk-file = "k" }\n'
ME, PEER = "10.0.0.1", "10.0.0.2"


def compiled(text: str, *addresses: str, **facts: tuple[bytes, ...]) -> Compiled:
    host = HostFacts(tuple(map(parse_address, addresses or (ME,))), **facts)
    return compile_policy(parse(text, name="policy.toml"), host, KEYS)


def rule(filter_list: str, filter_action: str, *more: str) -> str:
    lines = ["[[policy.rule]]", f'filter-list = "{filter_list}"', f'filter-action = "{filter_action}"', *more, ""]
    return "\n".join(lines)


def written(found: Compiled) -> list[SpdEntry]:
    return [entry for entry in found.spd if not entry.origin.rule.startswith(BUILT_IN)]


def names(found: Compiled) -> list[str]:
    return [entry.name.partition("/")[2] for entry in written(found)]


def based_on(name: str) -> str:
    return f'[policy]\nbased-on = "{name}"\nauth = {{ psk-file = "k" }}\n'


@pytest.mark.parametrize("name", DEFAULT_POLICIES)
def test_the_default_policies(name: str) -> None:
    found = compiled(based_on(name))
    entries = {entry.origin.filter_list: entry for entry in written(found)}
    response = entries.pop(DYNAMIC)
    assert response.processing is not None
    assert response.processing.respond_only
    assert written(found)[-1] is response
    if name == "Client (Respond Only)":
        assert entries == {}
        return
    assert entries["All ICMP Traffic"].action is Action.BYPASS
    processing = entries["All IP Traffic"].processing
    assert processing is not None
    assert (processing.clear_in, processing.clear_out) == (True, name == "Server (Request Security)")
    assert not any("des" in str(method) for method in processing.methods)
    assert [peer.name for peer in found.pad] == ["preshared key k"], "all rules share a main mode"


def test_the_originals_are_offered_to_old_computers() -> None:
    found = compiled(based_on("Secure Server (Require Security)") + "legacy = true\n")
    (entry,) = [one for one in written(found) if one.origin.filter_list == "All IP Traffic"]
    assert entry.processing is not None
    methods = list(map(str, entry.processing.methods))
    assert (methods[0], methods[-1]) == ("esp aes256-gcm", "esp des-md5")
    assert str(next(iter(found.pad)).proposals[-1]) == "des-md5-modp768"


def test_kerberos_alone_needs_a_later_version() -> None:
    (refusal,) = compiled('[policy]\nbased-on = "Client (Respond Only)"\n').refusals
    assert "authenticates by kerberos only, which needs a later version" in refusal.message
    assert "psk-file" in refusal.cure
    text = (
        based_on("Client (Respond Only)")
        .replace("{", '["kerberos", { certificate = "CN=A" }, {')
        .replace("}\n", "}]\n")
    )
    found = compiled(text)
    assert [str(one).split("names ")[1] for one in found.findings] == [
        "kerberos, which needs a later version; its preshared key is used.",
        "certificate CN=A, whose authority is not known here; its preshared key is used.",
    ]
    assert [peer.name for peer in found.pad] == ["preshared key k"]


@pytest.mark.parametrize(
    ("words", "here", "there"),
    [
        ("me tcp <-> any:80", ["10.0.0.1 <-> 0.0.0.0/0:80 tcp"], None),
        ("any tcp <-> me:80", ["10.0.0.1:80 <-> 0.0.0.0/0 tcp"], None),
        ("me tcp -> any:80", ["10.0.0.1 -> 0.0.0.0/0:80 tcp"], None),
        ("any tcp -> me:80", ["10.0.0.1:80 <- 0.0.0.0/0 tcp"], None),
        ("10.0.0.1 tcp -> 10.0.0.2:80", ["10.0.0.1 -> 10.0.0.2:80 tcp"], ["10.0.0.2:80 <- 10.0.0.1 tcp"]),
        ("10.0.0.1 tcp <-> 10.0.0.2:80", ["10.0.0.1 <-> 10.0.0.2:80 tcp"], ["10.0.0.2:80 <-> 10.0.0.1 tcp"]),
        ("10.9.0.1 <-> 10.9.0.2", [], []),
    ],
)
def test_a_filter_of_a_rule_that_negotiates(words: str, here: list[str], there: list[str] | None) -> None:
    text = HEAD + rule("l", "Require Security") + f'[filter-list.l]\nfilters = ["{words}"]\n'
    assert names(compiled(text)) == here
    if there is not None:
        assert names(compiled(text, PEER)) == there


def test_what_is_blocked_is_blocked_for_forwarded_packets_too() -> None:
    text = HEAD + rule("l", "Block") + '[filter-list.l]\nfilters = ["10.8.0.0/16 tcp -> 10.9.0.0/16:80"]\n'
    assert names(compiled(text)) == ["10.9.0.0/16:80 <- 10.8.0.0/16 tcp", "10.8.0.0/16 -> 10.9.0.0/16:80 tcp"]


TUNNEL = (
    HEAD
    + rule("out", "Require Security", 'tunnel = "198.51.100.7"', 'name = "to the branch"')
    + rule("back", "Require Security", 'tunnel = "192.0.2.1"', 'name = "from the branch"')
    + '[filter-list.out]\nfilters = ["10.1.0.0/16 -> 10.2.0.0/16"]\n'
    + '[filter-list.back]\nfilters = ["10.2.0.0/16 -> 10.1.0.0/16"]\n'
)


@pytest.mark.parametrize(
    ("own", "selector", "ends"),
    [
        ("192.0.2.1", "10.1.0.0/16 <-> 10.2.0.0/16", ("192.0.2.1", "198.51.100.7")),
        ("198.51.100.7", "10.2.0.0/16 <-> 10.1.0.0/16", ("198.51.100.7", "192.0.2.1")),
    ],
)
def test_a_tunnel_of_two_rules_at_both_gateways(own: str, selector: str, ends: tuple[str, str]) -> None:
    both_ends = TUNNEL.partition("[[policy")[0] + rule(
        "both", "Require Security", 'tunnel = { local = "192.0.2.1", remote = "198.51.100.7" }'
    ) + '[filter-list.both]\nfilters = ["10.1.0.0/16 <-> 10.2.0.0/16"]\n'  # fmt: skip
    for text in (TUNNEL, both_ends):
        found = compiled(text, own)
        assert names(found) == [selector]
        (entry,) = written(found)
        assert entry.processing is not None
        assert entry.processing.mode is Mode.TUNNEL
        assert (entry.processing.tunnel_local, entry.processing.tunnel_remote) == tuple(map(parse_address, ends))
        built_in = [one.name for one in found.spd if f"ESP {own}" in one.name]
        assert built_in, "its own ESP stays in clear"


def test_a_tunnel_to_this_computer_itself() -> None:
    text = TUNNEL.replace("10.1.0.0/16", "me")
    for own in ("192.0.2.1",):
        (entry,) = written(compiled(text, own))
        assert entry.name.endswith("/192.0.2.1 <-> 10.2.0.0/16")
        assert entry.processing is not None
        assert entry.processing.tunnel_remote == parse_address("198.51.100.7")


def test_halves_of_tunnels_find_each_other() -> None:
    policy = parse(TUNNEL, name="p")
    assert policy.ipsec is not None
    first, second = policy.ipsec.rules
    pairs = tunnel_pairs(policy.ipsec.rules, filter_lists(policy))
    assert pairs == {first: second, second: first}
    assert tunnel_pairs((first, replace(second, enabled=False)), filter_lists(policy)) == {}


def test_a_kind_of_connection() -> None:
    text = HEAD + rule("All IP Traffic", "Require Security", 'connection = "remote-access"')
    vpn = Interface("tun0", LinkKind.REMOTE_ACCESS, (parse_address("10.9.0.1"),))
    assert names(compiled(text, ME, "10.9.0.1", interfaces=(vpn,))) == ["10.9.0.1 <-> 0.0.0.0/0"]
    assert names(compiled(text.replace("remote-access", "lan"), ME, "10.9.0.1", interfaces=(vpn,))) == [
        f"{ME} <-> 0.0.0.0/0"
    ]
    found = compiled(text)
    assert (names(found), found.findings) == ([], ()), "there is no such connection now"
    assert found.spd.guards == (), "tomorrow's addresses are not all of that kind"


def test_servers_and_names_are_those_of_now() -> None:
    text = HEAD + rule("l", "Permit") + '[filter-list.l]\nfilters = ["me udp <-> dns-servers:53", "me <-> a.corp"]\n'
    found = compiled(text, dns_servers=(parse_address("10.0.0.53"),))
    assert names(found) == ["10.0.0.1 <-> 10.0.0.53:53 udp"]
    (finding,) = found.findings
    assert 'matches nothing for "a.corp", which stands for no address now' in str(finding)
    host = HostFacts((parse_address(ME),), names={"a.corp": (parse_address("10.0.0.9"), parse_address("10.0.0.8"))})
    assert names(compile_policy(parse(text, name="p"), host, KEYS)) == [
        "10.0.0.1 <-> 10.0.0.8",
        "10.0.0.1 <-> 10.0.0.9",
    ]
    assert parse(text, name="p").host_names == ("a.corp",)


def test_default_exemptions() -> None:
    text = HEAD + "no-default-exempt = {}\n" + rule("l", "Block") + '[filter-list.l]\nfilters = ["any <-> any"]\n'
    questions = {
        "kerberos": "out tcp 10.0.0.1:4000 -> 10.0.0.2:88",
        "multicast": "out udp 10.0.0.1:1 -> 239.0.0.1:9",
        "IKE": "out udp 10.0.0.1:500 -> 10.0.0.2:500",
        "other": "out tcp 10.0.0.1:4000 -> 10.0.0.2:89",
    }
    passing = []
    for number in range(4):
        found = compiled(text.replace("{}", str(number)))
        assert len({entry.name for entry in found.spd}) == len(found.spd)
        answers = {name: explain(found, *parse_flow(words)).action for name, words in questions.items()}
        passing.append({name for name, action in answers.items() if action is Action.BYPASS})
    assert passing == [{"kerberos", "multicast", "IKE"}, {"multicast", "IKE"}, {"kerberos", "IKE"}, {"IKE"}]


def test_pfs_and_where_a_statement_comes_from() -> None:
    action = '[filter-action.a]\nnegotiate = "esp aes256-gcm"\npfs = true\n'
    mode = '[policy.main-mode]\nmethods = "aes256-sha384-ecp384"\n'
    policy = parse(HEAD + mode + rule("All IP Traffic", "a") + action, name="p")
    (one,) = statements(policy)
    assert isinstance(one, Rule)
    assert one.pfs is True
    entries = [each.processing for each in compiled(HEAD + mode + rule("All IP Traffic", "a") + action).spd]
    assert DhGroup.ECP_384 in [each.pfs for each in entries if each is not None]
    assert str(one.part) == 'filter "me <-> any" of filter list "All IP Traffic"'
    assert statements(Policy()) == ()
    assert statements(replace(policy, filter_actions=())) == (), "a policy made by hand may dangle"
    (entry,) = written(compiled(HEAD + rule("All IP Traffic", "Require Security")))
    assert str(entry.origin) == (
        'rule "All IP Traffic: Require Security" policy.toml:3, filter list "All IP Traffic"'
    )  # fmt: skip


def test_the_example_of_the_cable_guy() -> None:
    """Block all, permit the intranet, protect three servers: as intended, whichever comes first."""
    lists = {
        "all": "any <-> any", "intranet": "me <-> 10.0.0.0/8", "servers": "me <-> 10.0.0.2",
    }  # fmt: skip
    text = HEAD + rule("all", "Block") + rule("intranet", "Permit") + rule("servers", "Require Security")
    found = compiled(text + "".join(f'[filter-list.{name}]\nfilters = ["{words}"]\n' for name, words in lists.items()))
    verdicts = [
        explain(found, *parse_flow(f"out tcp 10.0.0.1:9 -> {to}:80")).action for to in ("192.0.2.1", "10.0.0.3", PEER)
    ]
    assert verdicts == [Action.DISCARD, Action.BYPASS, Action.PROTECT]


def test_both_forms_in_one_document_are_weighed_together() -> None:
    text = based_on("Secure Server (Require Security)") + (
        '[[filter]]\nname = "no telnet"\nblock = "tcp to 23"\n'
        '[[rule]]\nname = "printers"\nwith = "10.0.0.9"\nsecure = "none"\n'
    )
    found = compiled(text)
    actions = [
        explain(found, *parse_flow(f"out tcp 10.0.0.1:9 -> {to}")).action
        for to in ("10.0.0.2:23", "10.0.0.9:23", "10.0.0.2:80")
    ]
    assert actions == [Action.DISCARD, Action.BYPASS, Action.PROTECT]
    policy = parse(text, name="p")
    assert policy.summary() == "Secure Server (Require Security) + 2 more"
    assert len(policy) == 5


def test_every_predefined_action_can_be_used() -> None:
    assert all(filter_actions(Policy())[name] is one for name, one in FILTER_ACTIONS.items())
    assert {Connection(word) for word in ("all", "lan", "remote-access")} == set(Connection)
    assert IpFilter(Keyword.ME, Keyword.ANY) in filter_lists(Policy())["All IP Traffic"].filters
