# SPDX-License-Identifier: Apache-2.0
import pytest

from ringfence.databases.spd import SpdEntry
from ringfence.net.address import parse_address
from ringfence.policy.compile import Compiled, compile_policy
from ringfence.policy.document import parse
from ringfence.policy.explain import explain, parse_flow
from ringfence.policy.host import HostFacts
from ringfence.testing.policies import KEYS, rule_text

ME = "10.1.0.1"
HOST = HostFacts((parse_address(ME),))
TUNNEL = rule_text(
    "branch",
    local=f'{{ networks = "10.1.0.0/16", gateway = "{ME}" }}',
    remote='{ networks = "10.2.0.0/16", gateway = "198.51.100.7" }',
)
EXEMPT = TUNNEL + "exempt-protected = true\n"
RULE = rule_text("pair", with_='"10.2.0.9"')
BLOCK = '[[filter]]\nname = "no telnet"\nwith = "10.2.0.9"\nblock = "tcp to 23"\n'


def compiled(text: str) -> Compiled:
    return compile_policy(parse(text, name="p.toml"), HOST, KEYS)


def decides(text: str, packet: str) -> str:
    entry = explain(compiled(text), *parse_flow(packet)).entry
    return "" if entry is None else entry.origin.rule


@pytest.mark.parametrize("packet", [f"out udp {ME} -> 10.2.0.9", f"in tcp 10.2.0.9 -> {ME}:80"])
def test_what_a_rule_protects_stays_out_of_the_tunnel(packet: str) -> None:
    assert decides(TUNNEL + RULE, packet) == "branch"
    assert decides(EXEMPT + RULE, packet) == "pair"
    assert decides(RULE + EXEMPT, packet) == "pair", "in any order"


def test_all_else_goes_into_the_tunnel() -> None:
    assert decides(EXEMPT + RULE, f"out udp {ME} -> 10.2.0.8") == "branch"
    assert decides(EXEMPT + RULE, "out udp 10.1.0.7 -> 10.2.0.9") == "branch", "of somebody else"


@pytest.mark.parametrize(
    "more",
    ['secure = "request"', 'secure = { in = "require", out = "request" }', 'protect = ["ah sha256", "esp aes256-gcm"]',
     'secure = { in = "require", out = "none" }'],
)  # fmt: skip
def test_what_might_go_without_esp_stays_in_the_tunnel(more: str) -> None:
    assert decides(f"{EXEMPT}{RULE}{more}\n", f"out udp {ME} -> 10.2.0.9") == "branch"
    assert decides(f'{EXEMPT}{RULE}protect = "esp aes256-gcm + ah sha256"\n', f"out udp {ME} -> 10.2.0.9") == "pair"


def test_what_decides_before_such_a_rule_is_not_protected_by_it() -> None:
    assert decides(EXEMPT + RULE + BLOCK, f"out tcp {ME} -> 10.2.0.9:23") == "branch", "as without that rule"
    assert decides(EXEMPT + RULE + BLOCK, f"out tcp {ME} -> 10.2.0.9:24") == "pair"


def test_another_tunnel_is_no_such_rule() -> None:
    other = TUNNEL.replace("branch", "other").replace("10.2.0.0/16", "10.2.0.0/15")
    assert decides(EXEMPT + other, f"out udp {ME} -> 10.2.0.9") == "branch"


def test_a_tunnel_for_esp_leaves_esp_alone() -> None:
    text = EXEMPT + 'traffic = "esp"\n'
    entries: list[SpdEntry] = [one for one in compiled(text).spd if one.origin.rule == "branch"]
    assert [one.action.value for one in entries] == ["permit"]


def test_names_stay_unique_and_every_part_has_its_peer() -> None:
    found = compiled(EXEMPT + RULE + BLOCK)
    names = [one.name for one in found.spd]
    assert len(names) == len(set(names))
    assert {one.peer for one in found.spd if one.peer} == {one.name for one in found.pad}
    assert 'pair/10.1.0.1 <-> 10.2.0.9 (beside "branch")' in names


def test_several_networks_and_several_such_tunnels() -> None:
    wide = EXEMPT.replace('"10.2.0.0/16"', '["10.2.0.0/16", "10.0.0.0/8"]')
    assert decides(wide + RULE, f"out udp {ME} -> 10.2.0.9") == "pair"
    assert decides(EXEMPT + EXEMPT.replace("branch", "other") + RULE, f"out udp {ME} -> 10.2.0.9") == "pair"
    strict = TUNNEL.replace("branch", "other")
    assert decides(EXEMPT + strict + RULE, f"out udp {ME} -> 10.2.0.9") == "branch", "the other one takes it"


def test_what_no_rule_protects_stays_in_the_tunnel() -> None:
    text = f'[global]\nexempt = ["icmp", "neighbor-discovery", "dhcp"]\n{EXEMPT}{RULE}'
    assert decides(text, f"out icmp {ME} -> 10.2.0.9") == "branch"
    assert decides(text, f"out udp {ME} -> 10.2.0.9") == "pair"
