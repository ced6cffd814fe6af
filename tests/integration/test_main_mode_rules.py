# SPDX-License-Identifier: Apache-2.0
"""A computer with two addresses and a main mode rule for each, on the wire."""

from pathlib import Path

import pytest
from integration.backend_lab import BOB, Pair, watched
from integration.service_lab import Service, document, eventually, ping

pytestmark = pytest.mark.root

SECOND = "10.77.2.3"
RULE = """
[[rule]]
name = "all"
between = ["10.77.1.0/24", "10.77.2.0/24"]
secure = "require"
keying = ["KEYING"]
auth = { psk-file = "lab.psk" }
"""
MAIN_MODE = """
[[main-mode]]
name = "for {address}"
between = ["10.77.1.1", "{address}"]
auth = {{ psk-file = "{key}.psk" }}
methods = ["{method}"]
"""
METHODS = {"first": "aes256-sha384-ecp384", "other": "aes128-sha256-x25519"}


def documents(folder: Path, keying: str, **words: str) -> Path:
    """A policy with these words for the two addresses; a word is a key and its methods."""
    folder.mkdir(exist_ok=True)
    for key in METHODS:
        (folder / f"{key}.psk").write_text(f"the key that is called {key}\n")
        (folder / f"{key}.psk").chmod(0o600)
    rules = [
        MAIN_MODE.format(address=address, key=words[name], method=METHODS[words[name]])
        for name, address in zip(("bob", "second"), (BOB, SECOND), strict=True)
    ]
    return document(folder, RULE.replace("KEYING", keying) + "".join(rules))


@pytest.mark.parametrize("keying", ["ikev1", "ikev2"])
def test_each_address_answers_by_its_own_main_mode_rule(pair: Pair, tmp_path: Path, keying: str) -> None:
    pair.bob.address("eth0", f"{SECOND}/24")
    bob = Service(pair.bob, documents(tmp_path / "bob", keying, bob="first", second="other"))
    alice = Service(pair.alice, documents(tmp_path / "alice", keying, bob="first", second="other"))
    watched(pair.router)
    for address in (BOB, SECOND):
        assert ping(pair.alice, address) == 1
    answered = {one["local"].partition(":")[0]: one["proposal"] for one in bob.ask("sa", "list")["main_modes"]}
    assert answered == dict(zip((BOB, SECOND), METHODS.values(), strict=True))
    assert watched(pair.router)["protected"] == 4

    documents(tmp_path / "alice", keying, bob="first", second="first")
    assert alice.say("apply", str(alice.policy)).returncode == 0
    assert ping(pair.alice, SECOND, wait=0.5) == 0, "what opens the one address does not open the other"
    eventually(lambda: "no-proposal-in-common" in str(bob.events("main-mode-failed")))
    assert watched(pair.router)["protected"] == 0
    assert ping(pair.alice, BOB) == 1, "the other's main mode is as it was"
    assert watched(pair.router)["protected"] == 2
    assert alice.stop() == bob.stop() == 0
