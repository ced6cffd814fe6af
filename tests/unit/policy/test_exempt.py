# SPDX-License-Identifier: Apache-2.0
import pytest

from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action
from ringfence.net.address import ANY_PORT, AddressRange, PortRange, parse_address
from ringfence.net.flow import AH, ESP, TCP, FlowKey
from ringfence.policy.compile import compile_policy
from ringfence.policy.document import parse
from ringfence.policy.exempt import MANY_AT_ONCE, OTHERS, OWN, exemptions, many_at_once, unprotected
from ringfence.policy.host import HostFacts
from ringfence.policy.terms import Exempt, GlobalSettings
from ringfence.policy.windows import DefaultExempt
from ringfence.secret import Secret

EXEMPTIONS = exemptions(DefaultExempt.IKE, GlobalSettings().exempt)


def asked(source: str, protocol: int, local: PortRange = ANY_PORT, remote: PortRange = ANY_PORT) -> set[str]:
    end = AddressRange.parse(source)
    return {one.word for one in (*EXEMPTIONS, *OTHERS) if one.names(Selector(end, end, protocol, local, remote))}


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (asked("10.0.0.1", 17, PortRange.one(500)), {"IKE"}),
        (asked("fd00::1", 17, ANY_PORT, PortRange.one(4500)), {"IKE and ESP in UDP"}),
        (asked("10.0.0.1", 50), {"ESP"}),
        (asked("10.0.0.1", 51), {"AH"}),
        (asked("fd00::1", 58, PortRange(34560, 34815), PortRange(34560, 34815)), {"IPv6 neighbour discovery"}),
        (asked("10.0.0.1", 17, PortRange.one(68), PortRange.one(67)), {"DHCP"}),
        (asked("10.0.0.1", 17), set()),
        (asked("fd00::1", 58), set()),
        (asked("fd00::1", 17, PortRange.one(68), PortRange.one(67)), set()),
    ],
)
def test_what_is_exempt(found: set[str], words: set[str]) -> None:
    assert found == words


def test_only_our_own_ike_is_meant() -> None:
    own = [b"\x0a\0\0\1", bytes(15) + b"\2"]
    found = {one.word: [str(selector) for selector in one.selectors(own)] for one in EXEMPTIONS}
    assert found["ESP"] == ["10.0.0.1 -> 0.0.0.0/0 esp", "::2 -> ::/0 esp"]
    assert found["IPv6 neighbour discovery"] == [str(one) for one in EXEMPTIONS[4].selectors()]
    assert len(EXEMPTIONS[2].selectors()) == 2


def test_multicast_is_of_both_families() -> None:
    assert {one.version for one in MANY_AT_ONCE} == {4, 6}
    assert exemptions(DefaultExempt.IKE, ()) == OWN == EXEMPTIONS[: len(OWN)]


def test_what_windows_2000_exempts_besides() -> None:
    chosen = GlobalSettings().exempt
    more = [one.word for one in exemptions(DefaultExempt.ALL, chosen) if one not in EXEMPTIONS]
    assert more == ["RSVP", *["Kerberos"] * 4]
    assert exemptions(DefaultExempt.KERBEROS, chosen) == exemptions(DefaultExempt.ALL, chosen)
    assert exemptions(DefaultExempt.MULTICAST, chosen) == EXEMPTIONS


def test_what_rules_may_be_told_to_leave_alone() -> None:
    assert unprotected(GlobalSettings().exempt) == ()
    assert [one.word for one in unprotected(Exempt)] == ["ICMP"] * 2 + ["router discovery"] * 2


def test_multicast_and_broadcast_in_both_directions() -> None:
    found = list(map(str, many_at_once([b"\x0a\0\0\xff"])))
    assert found[:2] == ["0.0.0.0/0 -> 224.0.0.0/4", "224.0.0.0/4 -> 0.0.0.0/0"]
    assert found[-1] == "10.0.0.255 -> 0.0.0.0/0"


BRANCH = """
[[rule]]
name = "branch"
local = { networks = "10.1.0.0/16", gateway = "192.0.2.1" }
remote = { networks = "10.2.0.0/16", gateway = "198.51.100.7" }
auth = { psk-file = "k" }
exempt-protected = true
"""


def test_a_tunnel_may_leave_alone_what_is_protected_already() -> None:
    host, keys = HostFacts((parse_address("192.0.2.1"),)), {"k": Secret(b"key")}
    spd = compile_policy(parse(BRANCH, name="p"), host, keys).spd
    ends = parse_address("10.1.0.1"), parse_address("10.2.0.1")
    found = {protocol: spd.outbound(FlowKey(*ends, protocol, 0, 0)) for protocol in (ESP, AH, TCP)}
    assert {protocol: entry and entry.action for protocol, entry in found.items()} == {
        ESP: Action.BYPASS, AH: Action.PROTECT, TCP: Action.PROTECT,
    }  # fmt: skip


def test_a_filter_for_more_does_not_name_what_is_exempt_twice() -> None:
    text = (
        '[global]\nexempt = ["neighbor-discovery", "router-discovery"]\n'
        '[[rule]]\nname = "r"\nwith = "fd00::/16"\nauth = { psk-file = "k" }\n'
        '[[filter]]\nname = "f"\nblock = "TRAFFIC"\n'
    )
    host, keys = HostFacts((parse_address("fd00::1"),)), {"k": Secret(b"key")}
    search = FlowKey(parse_address("fd00::1"), parse_address("fd00::2"), 58, 133 << 8, 133 << 8)
    for traffic, action in (("any", Action.BYPASS), ("icmpv6 router-solicitation", Action.DISCARD)):
        spd = compile_policy(parse(text.replace("TRAFFIC", traffic), name="p"), host, keys).spd
        entry = spd.outbound(search)
        assert entry is not None
        assert entry.action is action
