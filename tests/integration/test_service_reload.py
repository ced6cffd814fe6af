# SPDX-License-Identifier: Apache-2.0
"""The document changes under a running service; traffic that both versions allow notices nothing."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from integration.backend_lab import BOB, Pair, watched
from integration.service_lab import KEY, RULE, TELNET, Service, document, eventually, ping

from ringfence.testing.namespaces import Host

pytestmark = pytest.mark.root

SEND = """
import select, socket
listener = socket.create_server(("", 7000))
one, _ = listener.accept()
total = 0
while not select.select([one], [], [], 0.05)[0]:
    one.sendall(bytes(20000))
    total += 20000
one.shutdown(socket.SHUT_WR)
print(total)
"""
RECEIVE = """
import select, socket, sys
one = socket.create_connection((sys.argv[1], 7000), timeout=10)
waiting, total = [one, sys.stdin], 0
while one in waiting:
    for ready in select.select(waiting, [], [], 10)[0] or sys.exit("nothing comes any more"):
        piece = one.recv(65536) if ready is one else b""
        total += len(piece)
        if ready is not one:
            one.shutdown(socket.SHUT_WR)
        if not piece:
            waiting.remove(ready)
print(total)
"""
"""Octets come until the receiver's standard input ends; both say how many."""


class Both(NamedTuple):
    alice: Service
    bob: Service
    policy: Path
    router: Host


@pytest.fixture
def both(pair: Pair, tmp_path: Path) -> Iterator[Both]:
    policy = document(tmp_path / "alice", RULE)
    services = Both(
        Service(pair.alice, policy), Service(pair.bob, document(tmp_path / "bob", RULE)), policy, pair.router
    )
    yield services
    for service in services[:2]:
        if service.process.poll() is None:
            service.stop()


def applied(service: Service) -> int:
    return len(service.events("policy-applied"))


def test_a_transfer_survives_a_reload_by_the_same_sas(both: Both) -> None:
    alice, bob = both.alice, both.bob
    sender = bob.host.spawn(*bob.host.python("-c", SEND), stdout=subprocess.PIPE)
    eventually(lambda: bool(bob.host.run("ss", "-Hltn", "sport = 7000").stdout))
    transfer = alice.host.spawn(*alice.host.python("-c", RECEIVE, BOB), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    eventually(lambda: bool(alice.ask("sa", "list")["quick_modes"]))
    watched(both.router)
    both.policy.write_text(RULE + TELNET)
    alice.ask("reload")  # unless the service has noticed by itself
    assert applied(alice) == 2
    both.policy.write_text(RULE + TELNET.replace("23", "79"))
    alice.process.send_signal(signal.SIGHUP)
    eventually(lambda: applied(alice) == 3)
    bob.policy.write_text(TELNET + RULE)
    eventually(lambda: applied(bob) == 2)
    assert transfer.poll() is None, "all of this was during the transfer"
    (received, _), (sent, _) = transfer.communicate("", timeout=30), sender.communicate(timeout=30)
    assert received == sent
    assert int(sent) > 100_000
    assert [sa["id"] for sa in alice.ask("sa", "list")["quick_modes"]] == ["q1"]
    assert watched(both.router)["clear"] == 0


def test_a_new_rule_protects_and_a_removed_one_lets_go(both: Both) -> None:
    both.policy.write_text(TELNET)
    both.bob.policy.write_text(TELNET)
    eventually(lambda: applied(both.alice) == applied(both.bob) == 2)
    watched(both.router)
    assert ping(both.alice.host, BOB, count=2) == 2
    assert watched(both.router)["protected"] == 0
    both.policy.write_text(RULE)
    both.bob.policy.write_text(RULE)
    eventually(lambda: applied(both.alice) == applied(both.bob) == 3)
    assert ping(both.alice.host, BOB, count=2) == 2
    assert watched(both.router)["protected"] == 4


def test_a_removed_rule_ends_its_sas(both: Both) -> None:
    assert ping(both.alice.host, BOB) == 1
    both.policy.write_text(TELNET)
    eventually(lambda: applied(both.alice) == 2)
    assert both.alice.ask("sa", "list")["quick_modes"] == []
    eventually(lambda: both.bob.ask("sa", "list")["quick_modes"] == [])


def test_a_bad_document_is_refused_with_its_text_and_changes_nothing(both: Both) -> None:
    assert ping(both.alice.host, BOB) == 1
    both.policy.write_text(RULE.replace('"require"', '"demand"'))
    eventually(lambda: bool(both.alice.events("policy-refused")))
    refused = both.alice.ask("status")["policy"]["refused"]
    assert "policy.toml:5" in refused["detail"]
    assert "is not correct" in both.alice.say("status").stdout
    assert "demand" in both.alice.ask("reload", code=1)["error"]["what"]
    assert ping(both.alice.host, BOB, count=2) == 2
    assert [sa["id"] for sa in both.alice.ask("sa", "list")["quick_modes"]] == ["q1"]
    both.policy.write_text(RULE + TELNET)
    eventually(lambda: both.alice.ask("status")["policy"]["refused"] is None)


def test_a_new_key_is_used_for_the_next_negotiation(both: Both) -> None:
    assert ping(both.alice.host, BOB) == 1
    for service in (both.alice, both.bob):
        (service.policy.parent / "lab.psk").write_text(KEY + " any more\n")
    eventually(lambda: applied(both.alice) == applied(both.bob) == 2)
    eventually(lambda: ping(both.alice.host, BOB) == 1)
    assert "m1" not in [sa["id"] for sa in both.alice.ask("sa", "list")["main_modes"]]


def test_an_address_that_comes_later_is_me_too(both: Both) -> None:
    text = '[[rule]]\nname = "me"\nwith = "10.77.2.1"\nsecure = "require"\nauth = { psk-file = "lab.psk" }\n'
    both.policy.write_text(text)
    eventually(lambda: applied(both.alice) == 2)
    both.alice.host.address("eth0", "10.77.1.7/24")
    eventually(lambda: applied(both.alice) == 3)
    shown = both.alice.ask("policy", "show")["entries"]
    assert {entry["local"] for entry in shown if entry["rule"] == "me"} == {"10.77.1.1", "10.77.1.7"}


def test_an_edit_by_command_is_taken_up_and_is_an_event(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_UID", raising=False)
    alice = both.alice
    part = both.policy.with_name("part.toml")
    part.write_text("# of the site\n")
    both.policy.write_text(f'include = "part.toml"\n{RULE}')
    eventually(lambda: str(part) in alice.ask("status")["policy"]["files"])
    assert alice.say("filter", "new", "no telnet", "block=tcp to 23", "-d", str(part)).returncode == 0
    eventually(lambda: applied(alice) == 2)
    refused = alice.say("filter", "new", "the two are isolated", "block=udp to 23", "-d", str(part))
    assert (refused.returncode, "is already taken" in refused.stderr) == (1, True), "by the document that includes it"
    done = alice.say("filter", "new", "no finger", "block=tcp to 79")
    assert done.returncode == 0, "the default is the document that the service follows"
    assert 'name  = "no finger"' in both.policy.read_text()
    eventually(lambda: applied(alice) == 3)
    told = [event["fields"] for event in alice.events("policy-edited")]
    assert [(one["document"], one["name"], one["who"]) for one in told] == [
        (str(part), "no telnet", "root (uid 0)"), (str(both.policy), "no finger", "root (uid 0)"),
    ]  # fmt: skip
    assert told[0]["change"] == '+ filter "no telnet": block = "tcp to 23"'
