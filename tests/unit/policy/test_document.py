# SPDX-License-Identifier: Apache-2.0
import pytest

from ringfence.net.address import AddressRange, parse_address
from ringfence.policy.document import parse
from ringfence.policy.errors import PolicyError
from ringfence.policy.model import ANY, ME, Filter, Gateways, Kind, Need, PskFile, Rule, Secure, Verb
from ringfence.policy.traffic import parse_traffic

FIVE_LINES = """\
# policy.toml: everything between this computer and the lab is protected
[[rule]]
name   = "lab is isolated"
with   = "10.77.0.0/24"
secure = "require"                       # "request", "require", { in = "require", out = "request" }
auth   = { psk-file = "lab.psk" }
"""

TUNNEL = """\
[[rule]]
name   = "branch office"
kind   = "tunnel"
local  = { networks = ["10.1.0.0/16"], gateway = "192.0.2.1" }
remote = { networks = ["10.2.0.0/16"], gateway = "198.51.100.7" }
auth   = { psk-file = "branch.psk" }
"""


def rule(text: str) -> Rule:
    (found,) = parse(text, name="policy.toml").rules
    return found


def mistakes(text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        parse(text, name="policy.toml")
    return [str(finding) for finding in caught.value.findings]


def test_the_five_lines_of_the_first_policy() -> None:
    found = rule(FIVE_LINES)
    assert (found.kind, found.local, found.remote) == (Kind.ISOLATION, ME, (AddressRange.parse("10.77.0.0/24"),))
    assert found.secure == Secure(Need.REQUIRE, Need.REQUIRE)
    assert found.auth == (PskFile("lab.psk"),)
    assert [str(method) for method in found.protect] == ["esp aes256-gcm", "esp aes128-gcm", "esp aes256-sha256"]
    assert found.lines["secure"] == 5


def test_a_tunnel() -> None:
    found = rule(TUNNEL)
    assert found.kind is Kind.TUNNEL
    assert found.gateways == Gateways(remote=parse_address("198.51.100.7"), local=parse_address("192.0.2.1"))
    assert found.local == (AddressRange.parse("10.1.0.0/16"),)


def test_a_filter() -> None:
    (found,) = parse('[[filter]]\nname = "no telnet"\nblock = "tcp to 23"\n', name="p").filters
    assert found == Filter("no telnet", Verb.BLOCK, (parse_traffic("tcp to 23"),), ME, ANY)


def test_an_error_points_at_its_culprit() -> None:
    assert mistakes(TUNNEL.replace("198.51.100.7", "198.51.100.300")) == [
        'policy.toml:5: rule "branch office": remote.gateway is "198.51.100.300", which is not an IP address.\n'
        '   5 | remote = { networks = ["10.2.0.0/16"], gateway = "198.51.100.300" }\n'
        "     |                                                  ^^^^^^^^^^^^^^^^"
    ]
