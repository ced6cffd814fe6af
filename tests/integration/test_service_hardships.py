# SPDX-License-Identifier: Apache-2.0
"""What befalls a host: peers that restart, new addresses, others who meddle with its rules."""

import subprocess
from pathlib import Path

import pytest
from integration.backend_lab import ALICE, BOB, Pair, watched
from integration.service_lab import RULE, Service, document, eventually, ping

pytestmark = pytest.mark.root

ME = RULE.replace('between = ["10.77.1.1", "10.77.2.1"]', 'with = "10.77.2.0/24"')


@pytest.mark.parametrize("first", ["the one that was restarted", "the one that knows of nothing"])
def test_traffic_recovers_soon_after_a_peer_was_killed_and_restarted(pair: Pair, tmp_path: Path, first: str) -> None:
    policy = document(tmp_path)
    alice, bob = Service(pair.alice, policy), Service(pair.bob, policy)
    assert ping(pair.alice, BOB) == 1
    bob.kill()
    bob.start()
    if first == "the one that was restarted":
        assert ping(pair.bob, ALICE) == 1
    else:
        eventually(lambda: ping(pair.alice, BOB, wait=0.3) == 1, 6)
    assert ping(pair.alice, BOB, count=3) == ping(pair.bob, ALICE, count=3) == 3
    assert alice.stop() == bob.stop() == 0


LISTEN = """
import socket
one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
one.bind(("", 7777))
one.settimeout(2)
print("up", flush=True)
print(one.recv(100).decode())
"""
SPEAK = """
import socket, sys
for port in (7, 67, 68, 500, 4500):
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.bind(("", port))
    one.sendto(b"from port %d" % port, (sys.argv[1], 7777))
"""


def test_no_port_of_the_sender_opens_what_must_be_protected(pair: Pair, tmp_path: Path) -> None:
    alice = Service(pair.alice, document(tmp_path))
    listener = pair.alice.spawn(*pair.alice.python("-c", LISTEN), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert listener.stdout is not None
    listener.stdout.readline()
    pair.bob.run(*pair.bob.python("-c", SPEAK, ALICE))
    assert listener.stdout.read() == ""
    assert alice.ask("status")["dropped"] == {"clear-but-security-required": 5}
    assert alice.stop() == 0


def test_a_first_contact_with_one_address_ends_nothing_with_another(pair: Pair, tmp_path: Path) -> None:
    others = [f"10.77.2.{number}" for number in (2, 3, 4)]
    pair.bob.address("eth0", *(f"{one}/24" for one in others))
    alice = Service(pair.alice, document(tmp_path / "alice", ME))
    bob = Service(pair.bob, document(tmp_path / "bob", ME.replace("10.77.2.0", "10.77.1.0")))
    for one in (BOB, *others):
        assert ping(pair.alice, one) == 1
    assert len(bob.ask("sa", "list")["quick_modes"]) == 4
    assert [ping(pair.alice, one) for one in (BOB, *others)] == [1, 1, 1, 1]
    assert alice.stop() == bob.stop() == 0


def test_an_address_that_is_new_is_never_in_clear(pair: Pair, tmp_path: Path) -> None:
    alice = Service(pair.alice, document(tmp_path, ME))
    watched(pair.router)
    for ours in ("udp dport 500", "icmp type destination-unreachable"):  # IKE, and what it gets for an answer
        pair.router.run("nft", "insert", "rule", "inet", "watch", "forward", *ours.split(), "accept")
    words = "ip address add 10.77.1.7/24 dev eth0; ping -I 10.77.1.7 -c 15 -i 0.1 -W 0.2 10.77.2.1"
    assert ", 0 received" in pair.alice.run("sh", "-c", words, check=False).stdout
    assert watched(pair.router) == {"protected": 0, "clear": 0}
    bob = Service(pair.bob, document(tmp_path / "bob", ME.replace("10.77.2.0", "10.77.1.0")))
    eventually(lambda: pair.alice.run("ping", "-I", "10.77.1.7", "-c1", "-W1", BOB, check=False).returncode == 0)
    assert watched(pair.router)["clear"] == 0
    assert alice.stop() == bob.stop() == 0


def test_a_pulled_cable_is_found_out_and_plugged_in_again_all_begins_anew(pair: Pair, tmp_path: Path) -> None:
    asking = '[global]\ndead-peer = { after = "1 s", tries = 2 }\n' + RULE
    alice, bob = (
        Service(pair.alice, document(tmp_path / "alice", asking)),
        Service(pair.bob, document(tmp_path / "bob")),
    )
    assert ping(pair.alice, BOB) == 1
    pair.router.run(
        "nft", "add table inet cable; add chain inet cable out { type filter hook forward priority 0; policy drop; }"
    )
    pings = pair.alice.spawn("ping", "-i", "0.2", "-W", "0.2", BOB)
    eventually(lambda: bool(alice.events("peer-dead")))
    pings.terminate()
    pings.wait()
    [dead] = alice.events("peer-dead")
    assert dead["fields"]["children"] == 1
    assert "did not answer 2 questions whether it is there" in dead["fields"]["detail"]
    assert not alice.ask("sa", "list")["quick_modes"]
    pair.router.run("nft", "delete", "table", "inet", "cable")
    eventually(lambda: ping(pair.alice, BOB) == 1)
    assert bob.events("peer-dead") == []
    assert alice.stop() == bob.stop() == 0
