# SPDX-License-Identifier: Apache-2.0
"""A router masquerades its network and has a rule for its own packets: what bears its address keeps that rule."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from integration.backend_lab import ALICE, ALICE6, BOB, BOB6, Pair
from integration.service_lab import Service, document, eventually, ping
from integration.traffic import transfer

from ringfence.testing.namespaces import CommandFailed, Host

pytestmark = pytest.mark.root

THERE, THERE6 = "10.77.2.254", "fd77:2::ff"
"""The router's addresses at bob's side."""
POLICY = """
[[rule]]
name = "bob"
with = ["10.77.2.1", "fd77:2::1"]
auth = { psk-file = "lab.psk" }
"""
NAT = f"""
table inet admin {{
  chain postrouting {{
    type nat hook postrouting priority srcnat;
    oifname "eth1" masquerade
  }}
  chain prerouting {{
    type nat hook prerouting priority dstnat;
    ip daddr {THERE} tcp dport 7000 dnat ip to {ALICE}
    ip6 daddr {THERE6} tcp dport 7000 dnat ip6 to {ALICE6}
  }}
}}
"""
SEEN = """
table inet seen {
  counter clear { }
  chain prerouting {
    type filter hook prerouting priority raw;
    iifname "eth0" meta l4proto { tcp, icmp } counter name clear
    iifname "eth0" icmpv6 type echo-request counter name clear
  }
}
"""


class Gate:
    """The router with its service."""

    def __init__(self, pair: Pair, folder: Path) -> None:
        self.alice, self.host, self.bob = pair
        self.path = document(folder / "router", POLICY)
        self.service = Service(self.host, self.path)
        self.bob.run("nft", "-f", "-", text=SEEN)
        self.host.run("nft", "-f", "-", text=NAT)

    def write(self, policy: str) -> None:
        """Have the service follow another document."""
        self.path.write_text(policy)
        self.service.ask("reload")

    def seen(self) -> int:
        """The clear packets that came to bob; they are counted anew."""
        out = json.loads(self.bob.run("nft", "-j", "reset", "counters", "table", "inet", "seen").stdout)
        return sum(one["counter"]["packets"] for one in out["nftables"] if "counter" in one)

    def dropped(self) -> int:
        """The packets that the router dropped because they were masqueraded."""
        return int(self.service.ask("status")["dropped"].get("masqueraded", 0))


@pytest.fixture
def gate(pair: Pair, tmp_path: Path) -> Iterator[Gate]:
    found = Gate(pair, tmp_path)
    yield found
    found.service.stop()


def unreachable(source: Host, target: str) -> None:
    """Nothing that ``source`` begins is answered."""
    assert not ping(source, target, wait=0.3)
    with pytest.raises(CommandFailed):
        source.run(*source.python("-c", CONNECT, target))


def handed_on(gate: Gate, target: str, behind: str) -> None:
    """What bob begins with the router's address comes to alice, and her answers to him."""
    server = gate.alice.spawn(*gate.alice.python("-c", SERVE, behind), stdout=-1)
    assert server.stdout is not None
    assert server.stdout.readline() == "ready\n"
    gate.bob.run(*gate.bob.python("-c", CONNECT, target))
    assert server.wait(10) == 0


SERVE = """
import socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
with socket.create_server((sys.argv[1], 7000), family=family) as server:
    print("ready", flush=True)
    server.accept()[0].close()
"""
CONNECT = "import socket, sys; socket.create_connection((sys.argv[1], 7000), timeout=0.5)"


def test_what_is_masqueraded_is_not_seen_in_clear(gate: Gate) -> None:
    gate.seen()
    for target in (BOB, BOB6):
        unreachable(gate.alice, target)
    assert gate.seen() == 0
    dropped = gate.dropped()
    assert dropped >= 4
    for target in (THERE, THERE6):  # handed on to alice
        with pytest.raises(CommandFailed):
            gate.bob.run(*gate.bob.python("-c", CONNECT, target))
    gate.service.kill()
    for target in (BOB, BOB6):
        unreachable(gate.alice, target)
    assert gate.seen() == 0
    gate.service.start()
    assert gate.dropped() >= dropped, "it goes on counting"


def it_is_told(gate: Gate) -> None:
    """By events, check, lint and explain."""
    eventually(lambda: any("masquerades for others" in str(one) for one in gate.service.events("policy-warning")))
    checked = gate.service.say("policy", "check", str(gate.path))
    assert 'rule "bob" requires protection, and what this computer masquerades for others' in checked.stdout
    lines = gate.service.ask("explain", f"out tcp {ALICE} -> {BOB}:80")["lines"]
    assert any(f"as {THERE}: dropped" in one for one in lines)
    gate.write(f'[global]\nmasqueraded = "clear"\n{POLICY}')
    lines = gate.service.ask("explain", f"out tcp {ALICE} -> {BOB}:80")["lines"]
    assert any(f"as {THERE}: leaves in clear" in one for one in lines)
    assert "masquerades" not in gate.service.say("policy", "check", str(gate.path)).stdout
    linted = gate.service.say("lint", str(gate.path))
    assert "masquerades for others to the same peers leaves in clear" in linted.stdout


def test_it_leaves_in_clear_where_the_document_says_so(gate: Gate) -> None:
    it_is_told(gate)
    gate.write(f'[global]\nmasqueraded = "clear"\n{POLICY}')
    for target, source in ((BOB, THERE), (BOB6, THERE6)):
        assert transfer(gate.alice, gate.bob, target, 16) == source
    for target, behind in ((THERE, ALICE), (THERE6, ALICE6)):
        handed_on(gate, target, behind)
    gate.write(POLICY)
    gate.seen()
    for target in (BOB, BOB6):
        unreachable(gate.alice, target)
    assert gate.seen() == 0
    answered_where_clear_is_allowed_outward_only(gate)


def answered_where_clear_is_allowed_outward_only(gate: Gate) -> None:
    """As to packets of the host itself: what it masquerades is answered, what others begin does not come in."""
    gate.write(f'{POLICY}secure = {{ in = "require", out = "request" }}\n')
    for target, source in ((BOB, THERE), (BOB6, THERE6)):
        assert transfer(gate.alice, gate.bob, target, 16) == source
        assert ping(gate.alice, target, wait=1)
    for target in (THERE, THERE6):
        with pytest.raises(CommandFailed):
            gate.bob.run(*gate.bob.python("-c", CONNECT, target))
