# SPDX-License-Identifier: Apache-2.0
"""Cells of the truth table of request and require with strongSwan as the other side: same key, another, not running.

Either side pings; tcpdump on our side says what is on the wire. All other cells are in
``tests/integration/test_truth_table.py``.
"""

import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from integration.truth import until_it_listens
from lab.guest import OURS, THEIRS, Peer, eventually
from lab.ikev1 import Scenario
from lab.product import Product, running

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]

RULE = Scenario("strongswan").policy
SECURE = {
    "request": '"request"', "require in, request out": '{ in = "require", out = "request" }', "require": '"require"',
}  # fmt: skip
CLEAR, ESP, UNANSWERED, NOTHING = "clear", "esp", "asked in clear", "nothing"
EXPECTED = {
    # policy: (strongSwan with the same key, with another, not running), each when we ask and when they do
    "request": ((ESP, ESP), (CLEAR, CLEAR), (CLEAR, CLEAR)),
    "require in, request out": ((ESP, ESP), (CLEAR, UNANSWERED), (CLEAR, UNANSWERED)),
    "require": ((ESP, ESP), (NOTHING, UNANSWERED), (NOTHING, UNANSWERED)),
}
PEERS = ("same key", "another key", "not running")
CASES = [(policy, peer) for policy in EXPECTED for peer in PEERS]


@contextmanager
def captured(peer: Peer, file: Path) -> Iterator[None]:
    """What is on the wire meanwhile, but for IKE and neighbour discovery, as lines of tcpdump."""
    words = ["ip", "netns", "exec", peer.netns, "tcpdump", "-i", "any", "-nn", "-l", "--immediate-mode",
             "icmp[0] = 8 or icmp[0] = 0 or esp"]  # fmt: skip
    with file.open("w") as out, subprocess.Popen(words, stdout=out, stderr=subprocess.PIPE, text=True) as process:
        until_it_listens(process)
        yield
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)


def ask(peer: Peer, way: str) -> bool:
    """One ping from the host itself, and whether it is answered."""
    words = ("ping", "-c", 1, "-W", 4, THEIRS[0] if way == "out" else OURS[0])
    return " 1 received" in (peer.outside if way == "out" else peer.run)(*words, check=False)


def wire(peer: Peer, way: str, file: Path) -> str:
    with captured(peer, file):
        answered = ask(peer, way)
    lines = [line for line in file.read_text().splitlines() if " rf0 " not in line]
    esp = {found[1] for line in lines if (found := re.search(r"IP ([\d.]+) > [\d.]+: ESP", line))}
    clear = {found[1] for line in lines if (found := re.search(r"IP ([\d.]+) > [\d.]+: ICMP echo", line))}
    both = {OURS[0], THEIRS[0]}
    asker = OURS[0] if way == "out" else THEIRS[0]
    for word, *what in (
        (CLEAR, set(), both, True), (ESP, both, set(), True),
        (UNANSWERED, set(), {asker}, False), (NOTHING, set(), set(), False),
    ):  # fmt: skip
        if what == [esp, clear, answered]:
            return str(word)
    return f"esp of {sorted(esp)}, clear of {sorted(clear)}, {'' if answered else 'not '}answered"


@contextmanager
def case(peer: Peer, policy: str, which: str) -> Iterator[Product]:
    settings = Scenario("strongswan").settings
    peer.up(**settings, **({"PSK": "another key than theirs"} if which == "another key" else {}))
    if which == "not running":
        peer.script("kill $(cat /run/charon.pid); while [ -e /run/charon.pid ]; do sleep 0.1; done")
        peer.forget()
    with running(peer.netns, RULE.replace('"require"', SECURE[policy])) as product:
        yield product


@pytest.mark.parametrize(("policy", "which"), CASES)
def test_who_talks_to_whom(strongswan: Peer, tmp_path: Path, policy: str, which: str) -> None:
    expected = EXPECTED[policy][PEERS.index(which)]
    with case(strongswan, policy, which) as product:
        if which == "same key":
            strongswan.outside("ping", "-c", 1, "-W", 5, THEIRS[0], check=False)  # a guest loads its algorithms
            eventually(lambda: product.quick_modes, seconds=20)
        found = tuple(wire(strongswan, way, tmp_path / way) for way in ("out", "in"))
        assert found == expected
        if which == "another key":
            eventually(lambda: product.events("main-mode-failed"), seconds=40)
        if which != "same key" and policy != "require":
            assert [soft.remote for soft in product.sas().soft] == [THEIRS[0]]


def test_who_has_no_ipsec_costs_less_than_a_second(strongswan: Peer) -> None:
    with case(strongswan, "request", "not running"):
        for most in (0.9, 0.4):
            began = time.monotonic()
            assert ask(strongswan, "out")
            assert time.monotonic() - began < most


def test_strongswan_that_begins_to_speak_ipsec_is_protected(strongswan: Peer, tmp_path: Path) -> None:
    with case(strongswan, "request", "not running") as product:
        assert wire(strongswan, "out", tmp_path / "before") == CLEAR
        strongswan.up(**Scenario("strongswan").settings)
        strongswan.initiate()
        eventually(lambda: product.quick_modes, seconds=20)
        assert wire(strongswan, "out", tmp_path / "after") == ESP
        assert product.sas().soft == []
