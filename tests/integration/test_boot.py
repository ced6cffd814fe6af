# SPDX-License-Identifier: Apache-2.0
"""Before the service is up, and after it stopped: what really passes, and that nothing leaks on the way."""

import json
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import pytest
from integration.backend_lab import ALICE, ALICE6, BOB, BOB6, Pair
from integration.service_lab import RULE, SIX, Service, command, document, eventually, ping

from ringfence.databases.boot import Fate
from ringfence.databases.spd import Direction
from ringfence.net.address import format_address
from ringfence.net.flow import TCP, UDP, FlowKey
from ringfence.policy.bootspd import boot_spd
from ringfence.policy.document import parse
from ringfence.policy.explain import parse_flow
from ringfence.testing.namespaces import Host

pytestmark = pytest.mark.root

ROUTER = "10.77.1.254"
SEEN = """
table inet seen {{
  set four {{ typeof ip id; flags dynamic; size 4096; }}
  set six {{ typeof ip6 flowlabel; flags dynamic; size 4096; }}
  chain {hook} {{
    type filter hook {hook} priority 100;
    ip id != 0 update @four {{ ip id }}
    ip6 flowlabel != 0 update @six {{ ip6 flowlabel }}
  }}
}}
"""
SEND = """
import json, socket, sys
four = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
six = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)
six.setsockopt(41, 36, 1)
for to, packet in json.loads(sys.stdin.read()):
    one = six if ":" in to else four
    try:
        one.sendto(bytes.fromhex(packet), (to, 0))
    except PermissionError:
        pass  # dropped on its way out
"""
LEAKS = """
table inet leaks {
  counter clear { }
  counter sealed { }
  chain forward {
    type filter hook forward priority 100;
    meta l4proto { icmp, ipv6-icmp } counter name clear
    meta l4proto { esp, udp } counter name sealed
  }
}
"""
POLICY = """
[boot]
mode = "MODE"
exempt = EXEMPT

[[rule]]
name = "lab"
with = ["10.77.2.1", "fd77:2::1"]
secure = "require"
auth = { psk-file = "lab.psk" }

[[rule]]
name = "not the web there"
with = ["10.77.2.1", "fd77:2::1"]
traffic = "tcp to 80"
secure = "none"

[[rule]]
name = "asked only"
with = ["10.77.2.1", "fd77:2::1"]
traffic = "tcp to 81"
secure = { in = "require", out = "request" }
auth = { psk-file = "lab.psk" }

[[rule]]
name = "by name"
with = "db.corp.example"
traffic = "tcp to 1433"
secure = "require"
auth = { psk-file = "lab.psk" }

[[filter]]
name = "no telnet"
block = "tcp to 23"
"""
KINDS = (
    ("tcp", 80), ("tcp", 81), ("tcp", 22), ("tcp", 23), ("tcp", 1433), ("tcp", 9), ("udp", 53), ("udp", 500),
    ("udp", 4500), ("udp", 7), ("icmp echo-request", 0), ("icmp echo-reply", 0),
)  # fmt: skip
PAIRS = ((ALICE, BOB), (ALICE, ROUTER), (ALICE6, BOB6), (ALICE6, "fd77:1::254"))


def questions() -> Iterator[str]:
    """Packets of every kind, between Alice and who must be protected, and who need not, both ways."""
    for (kind, port), (alice, other) in product(KINDS, PAIRS):
        words = kind.replace("icmp", "icmpv6") if ":" in alice else kind
        here, there = (f"[{one}]" if port and ":" in one else one for one in (alice, other))
        to = f":{port}" if port else ""
        back = ":40000" if port else ""
        yield f"out {words} {here}{back} -> {there}{to}"
        yield f"in {words} {there}{back} -> {here}{to}"


def packet(flow: FlowKey, number: int) -> bytes:
    """A packet of a flow, with a number where the set looks; nobody asks its checksums before the hooks end."""
    ports = (flow.source_port or 0).to_bytes(2, "big") + (flow.destination_port or 0).to_bytes(2, "big")
    body = {TCP: ports + bytes(8) + b"\x50\x02" + bytes(6), UDP: ports + b"\x00\x08\x00\x00"}.get(
        flow.protocol, (flow.source_port or 0).to_bytes(2, "big") + bytes(2) + flow.source[-2:] + bytes(2)
    )
    if len(flow.source) == 4:
        size = (20 + len(body)).to_bytes(2, "big")
        head = b"\x45\x00" + size + number.to_bytes(2, "big") + bytes(2) + bytes([64, flow.protocol]) + bytes(2)
        head += flow.source + flow.destination
        total = sum(int.from_bytes(head[at : at + 2], "big") for at in range(0, 20, 2))
        total = (total & 0xFFFF) + (total >> 16)
        return head[:10] + (0xFFFF - total).to_bytes(2, "big") + head[12:] + body
    first = (6 << 28 | number).to_bytes(4, "big")
    return first + len(body).to_bytes(2, "big") + bytes([flow.protocol, 64]) + flow.source + flow.destination + body


def passed(sender: Host, watcher: Host, hook: str, flows: Sequence[FlowKey]) -> set[int]:
    """Which of these came to the end of the chains."""
    watcher.run("nft", "-f", "-", text=SEEN.format(hook=hook))
    packets = [(format_address(one.destination), packet(one, number).hex()) for number, one in enumerate(flows, 1)]
    sender.run(*sender.python("-c", SEND), text=json.dumps(packets))
    found: set[int] = set()
    for name in ("four", "six"):
        out = json.loads(watcher.run("nft", "-j", "list", "set", "inet", "seen", name).stdout)["nftables"]
        for one in out:
            found |= {int(each) - 1 for each in one.get("set", {}).get("elem", ()) if isinstance(each, int)}
    watcher.run("nft", "delete", "table", "inet", "seen")
    return found


def test_what_passes_is_what_explain_says(pair: Pair, tmp_path: Path) -> None:
    asked = [parse_flow(one) for one in questions()]
    for mode in ("permit", "block", "stateful"):
        exempt = "[]" if mode == "permit" else '["in tcp to 22", "out udp to 53", "icmp echo-request"]'
        text = POLICY.replace("MODE", mode).replace("EXEMPT", exempt)
        meant = boot_spd(parse(text, name="p"))
        said = command(pair.alice, "boot", str(document(tmp_path, text)), "--print").stdout
        pair.alice.run("nft", "-f", "-", text=said)
        for direction, hook, sender in ((Direction.OUT, "output", pair.alice), (Direction.IN, "input", pair.router)):
            flows = [flow for flow, way in asked if way is direction]
            told = [meant.ask(one, direction).fate for one in flows]
            expected = {number for number, one in enumerate(told) if one is Fate.PASSES}
            assert passed(sender, pair.alice, hook, flows) == expected, (mode, direction)
            assert 0 < len(expected) < len(flows), "neither all nor none"
        assert ping(pair.alice, ROUTER) == 1, "answers come in"


def test_peers_are_not_told_that_nobody_is_there(pair: Pair, tmp_path: Path) -> None:
    policy = document(tmp_path, '[boot]\nmode = "permit"\n' + RULE)
    ask = (
        "import socket\none = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\none.settimeout(0.5)\n"
        f"one.connect(('{ALICE}', 500))\none.send(b'x')\n"
        "try:\n one.recv(9)\nexcept TimeoutError:\n print('mute')\nexcept ConnectionRefusedError:\n print('nobody')\n"
    )
    assert pair.router.run(*pair.router.python("-c", ask)).stdout == "nobody\n"
    assert command(pair.alice, "boot", str(policy)).returncode == 0
    assert pair.router.run(*pair.router.python("-c", ask)).stdout == "mute\n"


def test_a_router_forwards_nothing_that_a_tunnel_must_carry(pair: Pair, tmp_path: Path) -> None:
    tunnel = (
        '[boot]\nmode = "MODE"\n[[rule]]\nname = "branch"\nkind = "tunnel"\nauth = { psk-file = "lab.psk" }\n'
        'local = { networks = "10.77.1.0/24", gateway = "10.77.1.254" }\n'
        'remote = { networks = "10.77.2.0/24", gateway = "10.99.0.1" }\n'
    )
    for mode, other in (("permit", 1), ("stateful", 0)):
        policy = document(tmp_path, tunnel.replace("MODE", mode))
        assert command(pair.router, "boot", str(policy)).returncode == 0
        assert ping(pair.alice, BOB, wait=0.3) == 0
        assert ping(pair.bob, ALICE, wait=0.3) == 0
        assert ping(pair.alice, BOB6, wait=0.3) == other


class Leaks:
    """What crosses the router of a stream of pings that must be protected."""

    def __init__(self, router: Host) -> None:
        self._router = router
        router.run("nft", "-f", "-", text=LEAKS)

    def counts(self) -> dict[str, int]:
        out = json.loads(self._router.run("nft", "-j", "list", "counters", "table", "inet", "leaks").stdout)
        return {one["counter"]["name"]: one["counter"]["packets"] for one in out["nftables"] if "counter" in one}

    @property
    def clear(self) -> int:
        return self.counts()["clear"]

    def sealed(self) -> None:
        """Wait until it goes on protected."""
        before = self.counts()["sealed"]
        eventually(lambda: self.counts()["sealed"] > before + 100, 30)


@contextmanager
def streams(pair: Pair) -> Iterator[None]:
    """A thousand pings a second, in both directions and by both versions of IP, whatever becomes of them."""
    started = [
        host.spawn("ping", "-q", "-i0.004", "-W0.1", to, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for host, to in ((pair.alice, BOB), (pair.bob, ALICE), (pair.alice, BOB6), (pair.bob, ALICE6))
    ]
    yield
    for one in started:
        assert one.poll() is None, "it is pinging all the time"
        one.kill()
        one.wait()


def tables(host: Host) -> set[str]:
    return {line.split()[-1] for line in host.run("nft", "list", "tables").stdout.splitlines()} - {"leaks", "watch"}


def test_nothing_that_must_be_protected_leaks_from_start_to_start(pair: Pair, tmp_path: Path) -> None:
    texts = {one: f'[boot]\nafter-stop = "{one}"\n' + RULE + SIX for one in ("open", "boot", "guard")}
    policy, there = document(tmp_path / "a", texts["boot"]), document(tmp_path / "b", RULE + SIX)
    before = pair.alice.traces()
    leaks = Leaks(pair.router)
    assert command(pair.alice, "boot", str(policy)).returncode == 0
    assert command(pair.bob, "boot", str(there)).returncode == 0
    with streams(pair):
        time.sleep(0.3)  # so long it is the boot policy alone that stands in their way
        alice, bob = Service(pair.alice, policy), Service(pair.bob, there)
        assert tables(pair.alice) == {"ringfence"}
        leaks.sealed()
        assert "nothing was changed" in alice.say("boot", str(policy)).stdout
        assert tables(pair.alice) == {"ringfence"}
        alice.kill()
        assert tables(pair.alice) == {"ringfence"}
        assert alice.say("boot", str(policy)).returncode == 0
        assert tables(pair.alice) == {"ringfence", "ringfence_boot"}
        alice.start()
        assert tables(pair.alice) == {"ringfence"}
        leaks.sealed()
        assert alice.stop() == 0
        assert tables(pair.alice) == {"ringfence_boot"}
        assert ping(pair.router, ALICE, wait=0.3) == 0, "it is as before the start"
        alice.start()
        policy.write_text(texts["guard"])
        alice.ask("reload")
        assert alice.stop() == 0
        assert tables(pair.alice) == {"ringfence_boot"}
        assert ping(pair.router, ALICE) == 1, "all else passes"
        assert leaks.clear == 0
        alice.start()
        policy.write_text(texts["open"])
        alice.ask("reload")
        assert alice.stop() == bob.stop() == 0
        eventually(lambda: leaks.clear > 100)
    assert pair.alice.traces() == before


def test_a_wrong_document_falls_back_on_what_held_last_and_then_on_nothing(pair: Pair, tmp_path: Path) -> None:
    policy, state = document(tmp_path / "p", '[boot]\nmode = "permit"\n' + RULE), tmp_path / "state"
    words = ("boot", str(policy), "--state", str(state))
    alice = Service(pair.alice, policy, "--state", str(state))
    kept = state / "boot.nft"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert kept.stat().st_uid == os.geteuid()
    assert alice.stop() == 0
    policy.write_text(policy.read_text() + "wrong = 1\n")
    done = command(pair.alice, *words)
    assert done.returncode == 1
    assert "carried out last" in done.stdout
    assert 'no setting "wrong"' in done.stderr
    assert (ping(pair.alice, BOB, wait=0.3), ping(pair.alice, ROUTER)) == (0, 1)
    kept.write_text(kept.read_text().replace("drop", "accept"))
    done = command(pair.alice, *words)
    assert done.returncode == 1
    assert "digest" in done.stderr
    assert (ping(pair.alice, ROUTER, wait=0.3), ping(pair.router, ALICE, wait=0.3)) == (0, 0)
    policy.unlink()
    assert command(pair.alice, *words).returncode == 1, "what was kept tells that there was a policy"
    kept.unlink()
    assert command(pair.alice, *words).returncode == 0
    assert ping(pair.alice, ROUTER) == 1
    assert tables(pair.alice) == set()


def test_without_connection_tracking_nothing_passes(pair: Pair, tmp_path: Path) -> None:
    """The kernel may lack what the policy's rules need: then the ones that need nothing hold."""
    folder = tmp_path / "bin"
    folder.mkdir()
    nft = folder / "nft"
    nft.write_text('#!/bin/sh\ntext=$(cat)\ncase "$text" in *"ct state"*) echo "no ct" >&2; exit 1;; esac\n'
                   'printf "%s" "$text" | exec /usr/sbin/nft "$@"\n')  # fmt: skip
    nft.chmod(0o755)
    done = command(pair.alice, "boot", str(document(tmp_path / "p")), before=(f"PATH={folder}:{os.environ['PATH']}",))
    assert done.returncode == 3
    assert "no ct" in done.stderr
    assert ping(pair.alice, ROUTER, wait=0.3) == 0
