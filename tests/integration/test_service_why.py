# SPDX-License-Identifier: Apache-2.0
"""``ringfence why`` between two computers that do not agree: its advice, taken word for word, makes them agree."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from integration.backend_lab import ALICE, BOB, Pair
from integration.service_lab import RULE, Service, document, eventually, ping

pytestmark = pytest.mark.root


def why(service: Service, peer: str) -> dict[str, Any]:
    """The answer, of a peer that is not protected."""
    done = service.say("why", peer, "--json")
    assert done.returncode == 1, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def rule(*settings: str) -> str:
    return RULE + "\n".join(settings) + "\n"


@pytest.mark.parametrize(
    ("theirs", "ours", "exchange", "parts"),
    [
        (
            'main-mode = { methods = ["aes256-sha384-ecp384"] }', 'main-mode = { methods = ["aes256-sha256-ecp384"] }',
            "main mode", {"hash": (["sha384"], ["sha256"])},
        ),
        (
            'protect = ["esp aes128-sha256"]', 'protect = ["esp aes256-gcm", "esp aes128-gcm"]',
            "quick mode",
            {"encryption": (["aes128"], ["aes256-gcm", "aes128-gcm"]), "integrity": (["sha256"], ["none"])},
        ),
        (
            'keying = "ikev2"\nmain-mode = { methods = ["aes256-sha384-ecp384"] }',
            'keying = "ikev2"\nmain-mode = { methods = ["aes256-sha256-ecp384"] }',
            "main mode", {"hash": (["sha384"], ["sha256"]), "integrity": (["sha384"], ["sha256"])},
        ),
    ],
    ids=["main mode", "quick mode", "IKEv2"],
)  # fmt: skip
def test_the_advice_helps(
    pair: Pair, tmp_path: Path, theirs: str, ours: str, exchange: str, parts: dict[str, tuple[list[str], list[str]]]
) -> None:
    first = () if "ikev2" in ours else ('keying = "ikev1"',)
    alice = Service(pair.alice, document(tmp_path / "a", rule(*first, theirs)))
    bob = Service(pair.bob, document(tmp_path / "b", rule(*first, ours)))
    assert ping(pair.alice, BOB, wait=1) == 0
    failed = f"{exchange.replace(' ', '-')}-failed"
    eventually(lambda: bool(bob.events(failed)) and bool(alice.events(failed)), 30)

    (trouble,) = (one for one in why(bob, ALICE)["troubles"] if one["exchange"] == exchange)
    assert (trouble["reason"], trouble["we_began"]) == ("no-proposal-in-common", False)
    found = {part["what"]: (part["theirs"], part["ours"]) for part in trouble["parts"] if not part["agree"]}
    assert found == parts
    (told,) = (one for one in why(alice, BOB)["troubles"] if one["exchange"] == exchange)
    # IKEv2 says in which exchange NO_PROPOSAL_CHOSEN is about what.
    reason, says = ("no-proposal-in-common", "allow one of") if "ikev2" in ours else ("refused-by-peer", "see its log")
    assert (told["reason"], told["we_began"]) == (reason, True)
    assert says in told["advice"][0]
    last = alice.say("explain", f"out icmp {ALICE} -> {BOB}").stdout.splitlines()[-1]
    assert last.split() == ["do", "ringfence", "why", BOB]
    assert "✘" in bob.say("why", ALICE).stdout

    (added,) = (match for line in trouble["advice"] if (match := re.search(r'add "(.+?)" to', line)))
    before, bracket, after = bob.policy.read_text().rpartition("[")
    bob.policy.write_text(f'{before}{bracket}"{added[1]}", {after}')
    assert bob.say("reload").returncode == 0
    eventually(lambda: ping(pair.alice, BOB) == 1, 20)
    done = bob.say("why", ALICE, "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["protected"]
    assert alice.stop() == bob.stop() == 0


def test_a_stranger_is_told_apart_from_nobody(pair: Pair, tmp_path: Path) -> None:
    alice = Service(pair.alice, document(tmp_path / "a"))
    bob = Service(pair.bob, document(tmp_path / "b", RULE.replace("10.77.1.1", "10.77.1.9")))
    assert ping(pair.alice, BOB, wait=1) == 0
    eventually(lambda: bob.say("why", ALICE, "--json").returncode == 1, 10)
    (trouble,) = why(bob, ALICE)["troubles"]
    assert trouble["reason"] == "no-policy-for-peer"
    assert "No rule is about 10.77.1.1" in trouble["advice"][0]
    nobody = bob.say("why", "10.77.9.9")
    assert (nobody.returncode, nobody.stdout) == (1, "")
    assert "Nothing has failed with 10.77.9.9" in nobody.stderr
    assert bob.say("why", "bob").returncode == 2
    assert alice.stop() == bob.stop() == 0
