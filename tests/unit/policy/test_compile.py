# SPDX-License-Identifier: Apache-2.0
from ringfence.databases.sa import Mode
from ringfence.databases.spd import Action
from ringfence.net.address import parse_address
from ringfence.net.flow import FlowKey
from ringfence.policy.compile import Compiled, HostFacts, compile_policy
from ringfence.policy.document import parse
from ringfence.secret import Secret

FIVE_LINES = """\

[[rule]]
name   = "lab is isolated"
with   = "10.77.0.0/24"
secure = "require"
auth   = { psk-file = "lab.psk" }
"""

TUNNEL = """\
[[rule]]
name   = "branch office"
local  = { networks = ["10.1.0.0/16"], gateway = "192.0.2.1" }
remote = { networks = ["10.2.0.0/16"], gateway = "198.51.100.7" }
auth   = { psk-file = "branch.psk" }
"""

HOST = HostFacts((parse_address("10.77.0.1"), parse_address("fd00::1"), parse_address("127.0.0.1")))
KEYS = {"lab.psk": Secret(b"lab"), "branch.psk": Secret(b"branch")}


def compiled(text: str, host: HostFacts = HOST) -> Compiled:
    return compile_policy(parse(text, name="policy.toml"), host, KEYS)


def flow(text: str) -> FlowKey:
    """From ``tcp 10.0.0.1 1000 10.0.0.2 80``."""
    protocol, source, source_port, destination, destination_port = text.split()
    number = {"tcp": 6, "udp": 17}[protocol]
    return FlowKey(parse_address(source), parse_address(destination), number, int(source_port), int(destination_port))


def test_the_five_lines_become_one_entry_and_one_peer() -> None:
    found = compiled(FIVE_LINES)
    entry = found.spd.named("lab is isolated/10.77.0.1 <-> 10.77.0.0/24")
    assert entry is not None
    assert entry.processing is not None
    assert (entry.action, entry.processing.mode) == (Action.PROTECT, Mode.TRANSPORT)
    assert (entry.processing.clear_in, entry.processing.clear_out) == (False, False)
    peer = found.pad.named(entry.peer)
    assert peer is not None
    assert peer.auth[0].key == Secret(b"lab")
    assert str(entry.origin) == 'rule "lab is isolated" policy.toml:2'
    assert found.spd.outbound(flow("tcp 10.77.0.1 4000 10.77.0.2 80")) is entry
    assert found.spd.outbound(flow("tcp 10.77.0.1 4000 10.78.0.2 80")) is None


def test_a_tunnel_becomes_an_entry_with_its_ends() -> None:
    entry = compiled(TUNNEL).spd.outbound(flow("tcp 10.1.2.3 4000 10.2.0.9 80"))
    assert entry is not None
    assert entry.processing is not None
    assert entry.processing.mode is Mode.TUNNEL
    assert entry.processing.tunnel_local == parse_address("192.0.2.1")
    assert entry.processing.tunnel_remote == parse_address("198.51.100.7")


def test_ike_is_never_protected() -> None:
    entry = compiled(FIVE_LINES).spd.outbound(flow("udp 10.77.0.1 500 10.77.0.2 500"))
    assert entry is not None
    assert entry.action is Action.BYPASS
