# SPDX-License-Identifier: Apache-2.0
"""Two computers follow one policy: they negotiate, and then nothing between them is in clear."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from integration.backend_lab import ALICE, BOB, BOB6, Pair, watched
from integration.service_lab import (
    ENVIRONMENT,
    KEY,
    REQUEST,
    RULE,
    SIX,
    TELNET,
    Service,
    document,
    eventually,
    ping,
    ringfence,
)

from ringfence.testing.namespaces import Host

pytestmark = pytest.mark.root

SERVE = """
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.client_address[0].encode() + b" " + b"the secret of the house" * 10000)
    def log_message(self, *words): pass
http.server.ThreadingHTTPServer(("", 80), Handler).serve_forever()
"""
FETCH = """
import sys, urllib.request
print(urllib.request.urlopen(sys.argv[1], timeout=8).read().decode())
"""


class Both(NamedTuple):
    alice: Service
    bob: Service
    router: Host


@pytest.fixture
def both(pair: Pair, tmp_path: Path) -> Iterator[Both]:
    policy = document(tmp_path, RULE + SIX + TELNET)
    services = Both(
        Service(pair.alice, policy, "--key-log", str(tmp_path / "keys"), "--verbose"),
        Service(pair.bob, policy),
        pair.router,
    )
    watched(pair.router)
    yield services
    for service in services[:2]:
        if service.process.poll() is None:
            service.stop()


def test_the_first_packet_begins_it_and_is_not_lost(both: Both) -> None:
    assert ping(both.alice.host, BOB, count=3) == 3
    counts = watched(both.router)
    assert counts["protected"] == 6
    assert counts["clear"] == 7, "IKE_SA_INIT, IKE_INTERMEDIATE in two pieces and its answer, IKE_AUTH"
    assert ping(both.bob.host, ALICE, count=3) == 3
    assert watched(both.router) == {"protected": 6, "clear": 0}


def test_ipv6_is_protected_too(both: Both) -> None:
    assert ping(both.alice.host, BOB6, count=3) == 3
    assert watched(both.router)["protected"] == 6


def test_http_goes_through_with_its_addresses_unchanged(both: Both) -> None:
    both.bob.host.spawn(*both.bob.host.python("-c", SERVE))
    eventually(lambda: bool(both.bob.host.run("ss", "-Hltn", "sport = 80").stdout))
    page = both.alice.host.run(*both.alice.host.python("-c", FETCH, f"http://{BOB}/")).stdout
    assert page.startswith(f"{ALICE} the secret of the house")
    assert len(page) > 200_000
    counts = watched(both.router)
    assert counts["clear"] == 7
    assert counts["protected"] > 100


def test_what_it_says_about_it(both: Both) -> None:
    assert ping(both.alice.host, BOB, count=2) == 2
    status = both.alice.ask("status")
    (peer,) = status["peers"]
    assert (peer["address"], peer["state"], peer["identity"]) == (BOB, "protected", BOB)
    assert status["traffic"]["sent_protected"]["packets"] == 2
    assert status["traffic"]["received_protected"]["packets"] == 2
    assert status["policy"]["rules"] == ["the two are isolated", "likewise for IPv6", "no telnet"]
    sas = both.alice.ask("sa", "list")
    (main,), (quick,) = sas["main_modes"], sas["quick_modes"]
    assert main["initiator"] is True
    assert main["quick_modes"] == [quick["id"]]
    assert quick["protection"] == "esp aes256-gcm"
    assert quick["sent"]["packets"] == quick["received"]["packets"] == 2
    (mirror,) = both.bob.ask("sa", "list")["quick_modes"]
    assert mirror["spi_in"] == quick["spi_out"]
    assert mirror["spi_out"] == quick["spi_in"]
    assert both.alice.ask("sa", "show", quick["spi_in"][0])["id"] == quick["id"]
    explained = both.alice.ask("explain", f"out tcp {ALICE} -> {BOB}:80")
    assert (explained["verdict"], explained["sure"]) == ("protect", True)
    assert both.alice.say("explain", f"out tcp {ALICE} -> 10.1.1.1:23").returncode == 1
    for words in ("status", "sa list", "policy show", "policy show --effective", "monitor -n 9 --no-follow"):
        done = both.alice.say(*words.split())
        assert (done.returncode, done.stderr) == (0, ""), words
        assert done.stdout


def test_deleted_sas_are_made_anew_when_traffic_needs_them(both: Both) -> None:
    assert ping(both.alice.host, BOB) == 1
    for name in ("q1", "m1"):
        assert both.alice.ask("sa", "delete", name)["ids"][0] == name
        eventually(lambda: both.bob.ask("sa", "list")["quick_modes"] == [])
        assert ping(both.alice.host, BOB) == 1
    sas = both.alice.ask("sa", "list")
    assert [sa["id"] for sa in sas["quick_modes"]] == ["q3"]
    assert [sa["id"] for sa in sas["main_modes"]] == ["m2"]
    assert "q1" in both.alice.ask("sa", "delete", "q1", code=1)["error"]["what"]


def test_events_are_seen_live(both: Both, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    with seen.open("w") as out:
        both.alice.host.spawn(*ringfence("monitor", "--last", "1"), stdout=out, env=ENVIRONMENT)
        eventually(lambda: "guards this computer" in seen.read_text())
        assert ping(both.alice.host, BOB) == 1
        eventually(lambda: "quick mode with" in seen.read_text())
    text = seen.read_text()
    for exchange in ("IKE_SA_INIT", "IKE_AUTH"):
        for number in (1, 2):
            assert f"{exchange} message {number}" in text
    assert "IKEv2 SA with" in text


def test_a_packet_in_clear_is_dropped_and_told(both: Both) -> None:
    assert ping(both.alice.host, BOB) == 1
    both.bob.kill()
    both.bob.host.run("nft", "delete", "table", "inet", "ringfence", check=False)
    both.bob.host.run("ip", "rule", "del", "priority", "4301", check=False)
    assert ping(both.bob.host, ALICE, wait=0.5) == 0, "bob speaks in clear now"
    dropped = both.alice.ask("status")["dropped"]
    assert dropped["clear-but-security-required"] >= 1
    eventually(lambda: len(both.alice.events("packet-dropped")) >= 1)
    assert "security required" in both.alice.say("monitor", "drops", "--no-follow").stdout


def test_request_falls_back_to_clear_with_a_peer_that_has_none(pair: Pair, tmp_path: Path) -> None:
    alice = Service(pair.alice, document(tmp_path, REQUEST))
    began = time.monotonic()
    assert ping(pair.alice, BOB, wait=15) == 1, "the first packet waits, and is not lost"
    assert time.monotonic() - began < 0.9
    assert ping(pair.alice, BOB, count=3) == 3, "others do not wait again"
    (peer,) = alice.ask("status")["peers"]
    assert peer["state"] == "clear"
    assert peer["detail"]
    assert alice.events("fallback-to-clear")
    bob = Service(pair.bob, document(tmp_path / "bob", REQUEST))
    watched(pair.router)
    assert ping(pair.bob, ALICE, count=3) == 3
    assert watched(pair.router)["protected"] >= 4, "as soon as the peer can, it is protected"
    assert ping(pair.alice, BOB, count=2) == 2
    assert watched(pair.router) == {"protected": 4, "clear": 0}
    assert alice.stop() == bob.stop() == 0


def test_require_does_not(pair: Pair, tmp_path: Path) -> None:
    alice = Service(pair.alice, document(tmp_path, RULE))
    watched(pair.router)
    assert ping(pair.alice, BOB, count=3, wait=1) == 0
    out = pair.router.run("nft", "-j", "list", "counters", "table", "inet", "watch").stdout
    assert '"protected"' in out
    (peer,) = alice.ask("status")["peers"]
    assert peer["state"] in ("negotiating", "failing")
    assert alice.stop() == 0


def test_another_key_is_a_clear_reason(pair: Pair, tmp_path: Path) -> None:
    alice = Service(pair.alice, document(tmp_path / "a", RULE))
    bob = Service(pair.bob, document(tmp_path / "b", RULE, key="something else altogether"))
    assert ping(pair.alice, BOB, wait=3) == 0
    eventually(lambda: bool(bob.events("main-mode-failed") or alice.events("main-mode-failed")), 40)
    told = [*bob.events("main-mode-failed"), *alice.events("main-mode-failed")]
    assert any("key" in event["text"] for event in told), told
    assert alice.ask("sa", "list")["quick_modes"] == bob.ask("sa", "list")["quick_modes"] == []
    assert alice.stop() == bob.stop() == 0


def test_no_key_is_ever_shown(both: Both, tmp_path: Path) -> None:
    """Every key of this run is known from the key log; none of its octets are anywhere else."""
    assert ping(both.alice.host, BOB, count=2) == 2
    both.alice.ask("sa", "delete", "m1")
    assert ping(both.alice.host, BOB) == 1
    keys = {KEY.encode().hex(), KEY}
    for line in (tmp_path / "keys" / "ikev2_decryption_table").read_text().splitlines():
        keys |= {field for field in line.split(",") if len(field) >= 32 and '"' not in field}
    for line in (tmp_path / "keys" / "esp_sa").read_text().splitlines():
        keys |= {field.strip('"').removeprefix("0x") for field in line.split(",") if len(field) > 40 and "0x" in field}
    assert len(keys) >= 6, "two IKE SAs, and two SAs of two quick modes"
    shown = "".join(
        both.alice.say(*words).stdout
        for words in (
            ["status", "--json"], ["sa", "list", "--json"], ["sa", "show", "q2"], ["policy", "show", "--json"],
            ["policy", "show", "--effective"], ["monitor", "--no-follow", "-n", "9999", "--json"],
            ["policy", "check", str(both.alice.policy), "--json"],
        )
    )  # fmt: skip
    shown += both.alice.log.read_text() + both.bob.log.read_text()
    assert len(shown) > 5000
    assert "KEYS ARE BEING WRITTEN" in shown
    for key in keys:
        assert key.lower() not in shown.lower()
    assert (tmp_path / "keys" / "esp_sa").stat().st_mode & 0o077 == 0
