# SPDX-License-Identifier: Apache-2.0
"""The service's own life: start, second start, sudden death, restart, clean stop."""

import json
import subprocess
import time
from pathlib import Path

import pytest
from integration.backend_lab import ALICE, BOB, Pair, watched
from integration.service_lab import (
    ENVIRONMENT,
    RULE,
    TELNET,
    Service,
    capabilities,
    command,
    document,
    eventually,
    ping,
    ringfence,
)

pytestmark = pytest.mark.root

ROUTER = "10.77.1.254"
HOLD_PORT = """
import socket, time
one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
one.bind(("", 500))
print("held", flush=True)
time.sleep(60)
"""


def both(pair: Pair, policy: Path) -> tuple[Service, Service]:
    return Service(pair.alice, policy), Service(pair.bob, policy)


def test_a_clean_stop_takes_leave_and_leaves_no_trace(pair: Pair, tmp_path: Path) -> None:
    traces = pair.alice.traces()
    alice, bob = both(pair, document(tmp_path, RULE + TELNET))
    assert ping(pair.alice, BOB) == 1
    assert pair.alice.traces() != traces
    assert alice.stop() == 0
    assert pair.alice.traces() == traces
    assert pair.alice.run("find", "/run", "-type", "s,f").stdout == ""
    eventually(lambda: not any(bob.ask("sa", "list").values()))
    assert "deleted by the peer" in str(bob.events("quick-mode-ended"))
    assert bob.stop() == 0


def test_sudden_death_fails_closed_for_what_is_required_and_open_for_what_is_permitted(
    pair: Pair, tmp_path: Path
) -> None:
    traces = pair.alice.traces()
    alice, bob = both(pair, document(tmp_path))
    assert ping(pair.alice, BOB) == 1
    alice.kill()
    watched(pair.router)
    assert ping(pair.alice, BOB, count=3, wait=0.5) == 0
    assert watched(pair.router) == {"protected": 0, "clear": 0}, "nothing leaves"
    assert ping(pair.bob, ALICE, count=2, wait=0.5) == 0
    assert ping(pair.alice, ROUTER, count=2) == 2, "what is permitted is not cut off"
    alice.start()
    eventually(lambda: ping(pair.alice, BOB) == 1, 30)
    assert ping(pair.bob, ALICE, count=2) == 2
    (quick,) = alice.ask("sa", "list")["quick_modes"]
    assert bob.ask("status")["peers"][0]["state"] == "protected"
    assert quick["peer"] == BOB
    assert alice.stop() == 0
    assert pair.alice.traces() == traces, "traces of the one that was killed go, too"
    assert bob.stop() == 0


def test_after_a_restart_a_peer_that_still_sends_by_the_old_sas_is_told(pair: Pair, tmp_path: Path) -> None:
    """The one that was killed has nothing to send; only what comes in can show it that the peer knows nothing yet."""
    alice, bob = both(pair, document(tmp_path))
    assert ping(pair.alice, BOB) == 1
    alice.kill()
    alice.start()
    eventually(lambda: ping(pair.bob, ALICE, wait=0.5) == 1, 30)
    assert ping(pair.bob, ALICE, count=3) == 3
    assert alice.stop() == bob.stop() == 0


def test_a_restart_that_finds_a_bad_policy_leaves_the_protection_of_the_one_before(pair: Pair, tmp_path: Path) -> None:
    policy = document(tmp_path)
    alice = Service(pair.alice, policy)
    alice.kill()
    policy.write_text("hello = 1")
    assert command(pair.alice, "run", str(policy)).returncode == 1
    watched(pair.router)
    assert ping(pair.alice, BOB, count=2, wait=0.5) == 0
    assert watched(pair.router) == {"protected": 0, "clear": 0}


def test_a_restart_that_cannot_apply_its_policy_leaves_the_protection_of_the_one_before(
    pair: Pair, tmp_path: Path
) -> None:
    policy = document(tmp_path)
    alice = Service(pair.alice, policy)
    alice.kill()
    pair.alice.run("mount", "--bind", "/bin/false", "/usr/sbin/nft")
    done = command(pair.alice, "run", str(policy))
    assert done.returncode == 3
    assert "nftables refused" in done.stderr
    assert "Traceback" not in done.stderr
    pair.alice.run("umount", "/usr/sbin/nft")
    watched(pair.router)
    assert ping(pair.alice, BOB, count=2, wait=0.5) == 0
    assert watched(pair.router) == {"protected": 0, "clear": 0}
    alice.start()
    assert alice.stop() == 0


def test_a_signal_during_the_start_is_a_clean_stop(pair: Pair, tmp_path: Path) -> None:
    traces = pair.alice.traces()
    process = pair.alice.spawn(*ringfence("run", str(document(tmp_path))), env=ENVIRONMENT)
    eventually(lambda: pair.alice.run("test", "-S", "/run/ringfence/control.sock", check=False).returncode == 0)
    process.terminate()
    assert process.wait(15) == 0
    assert pair.alice.traces() == traces


def test_a_second_service_is_refused_and_harms_nothing(pair: Pair, tmp_path: Path) -> None:
    policy = document(tmp_path)
    alice, bob = both(pair, policy)
    second = command(pair.alice, "run", str(policy))
    assert second.returncode == 3
    assert str(alice.process.pid) in second.stderr
    assert "already guards" in second.stderr
    assert ping(pair.alice, BOB) == 1
    assert alice.stop() == bob.stop() == 0


def test_a_port_in_use_is_an_error_and_leaves_no_trace(pair: Pair, tmp_path: Path) -> None:
    traces = pair.alice.traces()
    holder = pair.alice.spawn(*pair.alice.python("-c", HOLD_PORT), stdout=subprocess.PIPE)
    assert holder.stdout is not None
    holder.stdout.readline()
    done = command(pair.alice, "run", str(document(tmp_path)))
    assert done.returncode == 3
    assert "port 500" in done.stderr
    assert "Traceback" not in done.stderr
    assert pair.alice.traces() == traces
    assert pair.alice.run("find", "/run", "-type", "s,f").stdout == ""


def test_a_bad_policy_at_the_start_says_where_and_leaves_no_trace(pair: Pair, tmp_path: Path) -> None:
    traces = pair.alice.traces()
    policy = document(tmp_path, RULE.replace('"require"', '"demand"'))
    done = command(pair.alice, "run", str(policy))
    assert done.returncode == 1
    assert "policy.toml:5" in done.stderr
    assert "^^^^" in done.stderr
    (tmp_path / "lab.psk").unlink()
    policy.write_text(RULE)
    done = command(pair.alice, "run", str(policy))
    assert done.returncode == 1
    assert 'policy.toml:6: rule "the two are isolated": the key file "lab.psk" cannot be read' in done.stderr
    assert pair.alice.traces() == traces


@pytest.mark.parametrize(
    ("hide", "before", "said"),
    [
        ("", ("setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin"), "CAP_NET_ADMIN is missing"),
        ("mount --bind /dev/null /usr/sbin/nft", ("env", "PATH=/nowhere"), "nft is missing"),
        ("mount -t tmpfs tmpfs /dev/net", (), "/dev/net/tun: The TUN device cannot be opened: No such file"),
    ],
)
def test_what_is_missing_is_said_with_its_cure(
    pair: Pair, tmp_path: Path, hide: str, before: tuple[str, ...], said: str
) -> None:
    """Each host has a mount namespace of its own, so what is hidden here is hidden from nobody else."""
    pair.alice.run("sh", "-c", hide or "true")
    done = command(pair.alice, "run", str(document(tmp_path)), before=before)
    assert done.returncode == 3
    assert said in done.stderr
    assert len(done.stderr.splitlines()) >= 2, "the cure"


def test_it_keeps_only_what_it_needs(pair: Pair, tmp_path: Path) -> None:
    alice = Service(pair.alice, document(tmp_path))
    found = capabilities(alice.process.pid)
    needed = f"{(1 << 10) | (1 << 12) | (1 << 13):016x}"
    assert found["CapEff"] == found["CapPrm"] == found["CapBnd"]
    assert int(found["CapEff"], 16) & ~(1 << 2) == int(needed, 16)
    assert found["NoNewPrivs"] == "1"
    mode = pair.alice.run("stat", "-c", "%a %U", "/run/ringfence/control.sock").stdout
    assert mode == "660 root\n"
    assert alice.stop() == 0


def test_the_api_speaks_http_with_openapi(pair: Pair, tmp_path: Path) -> None:
    """As any program in any language would use it."""
    alice = Service(pair.alice, document(tmp_path))
    ask = ("curl", "-sS", "--unix-socket", "/run/ringfence/control.sock")
    described = json.loads(pair.alice.run(*ask, "http://x/openapi.json").stdout)
    assert "/v1/status" in described["paths"]
    status = json.loads(pair.alice.run(*ask, "http://x/v1/status").stdout)
    assert status["policy"]["document"] == "policy.toml"
    first = json.loads(pair.alice.run(*ask, "http://x/v1/events").stdout.splitlines()[0])
    assert first["number"] == 1
    assert alice.stop() == 0


def test_a_listener_does_not_hold_up_the_stop(pair: Pair, tmp_path: Path) -> None:
    alice = Service(pair.alice, document(tmp_path))
    listener = pair.alice.spawn(
        "curl", "-sN", "--unix-socket", "/run/ringfence/control.sock", "http://x/v1/events?follow=true",
        stdout=subprocess.PIPE,
    )  # fmt: skip
    assert listener.stdout is not None
    assert "policy-applied" in listener.stdout.readline()
    began = time.monotonic()
    assert alice.stop() == 0
    assert time.monotonic() - began < 3
    assert listener.wait(5) == 0
