# SPDX-License-Identifier: Apache-2.0
"""Two computers follow Group Policy objects and have no rule of their own: they protect each other, and go on so."""

import os
from pathlib import Path

import pytest
from integration.backend_lab import BOB, Pair, watched
from integration.service_lab import KEY, Service, document, eventually, ping
from unit.transfer.grouppolicy.objects import instructions

from ringfence.transfer.grouppolicy.preg import encode
from ringfence.transfer.grouppolicy.sets import SHAPES, SetKind

pytestmark = pytest.mark.root

CRYPTO = SHAPES[SetKind.CRYPTO2].default
ENDS = "EP1_4=10.77.1.1|EP2_4=10.77.2.1|"
KEYED = {
    "Phase1AuthenticationSets\\{1}": {"Version": "2.10", "Name": "lab key"},
    "Phase1AuthenticationSets\\{1}\\0000": {"Method": "MachineSHKey", "SHKey": KEY},
}
RULE = f"v2.10|Action=Secure|Active=TRUE|Name=isolation|{ENDS}Auth1Set={{1}}|Crypto2Set={CRYPTO}|"
OTHER = f"v2.10|Action=SecureServer|Active=TRUE|Name=servers|{ENDS}Auth1Set={{1}}|Crypto2Set={CRYPTO}|"
QUESTION = f"out icmp 10.77.1.1 -> {BOB}"
BROKEN = "v2.10|Action=Secure|Active=TRUE|Name=broken|EP2_4=10.77.2.1"


def put(folder: Path, name: str, values: dict[str, dict[str, str]]) -> Path:
    file = folder / name / "Machine" / "registry.pol"
    file.parent.mkdir(parents=True)
    file.write_bytes(encode(instructions(values)))
    return file


def both(pair: Pair, tmp_path: Path) -> tuple[Path, Service, Service]:
    """Two hosts that follow one object, and have nothing of their own."""
    objects = tmp_path / "objects"
    put(objects, "10-all", {**KEYED, "ConSecRules": {"{1}": RULE, "{2}": BROKEN}})
    words = ("--store", f"group-policy={objects}")
    hosts = (pair.alice, pair.bob)
    alice, bob = (Service(host, document(tmp_path / host.name, ""), *words) for host in hosts)
    return objects, alice, bob


def test_they_protect_each_other_by_an_object_alone(pair: Pair, tmp_path: Path) -> None:
    _, alice, bob = both(pair, tmp_path)
    watched(pair.router)
    assert ping(pair.alice, BOB, count=3) >= 2
    assert watched(pair.router)["protected"] >= 4
    told = alice.say("explain", QUESTION).stdout
    assert 'rule "isolation" 10-all (group-policy store)' in told
    log = alice.log.read_text() + bob.log.read_text()
    assert 'rule "broken"' in log
    assert KEY not in log
    assert alice.stop() == bob.stop() == 0


@pytest.mark.skipif(not os.environ.get("RINGFENCE_FULL"), reason="part of make interop")
def test_they_follow_what_changes_and_not_what_is_broken(pair: Pair, tmp_path: Path) -> None:
    objects, alice, bob = both(pair, tmp_path)
    assert ping(pair.alice, BOB, count=3) >= 2
    higher = put(objects, "20-servers", {**KEYED, "ConSecRules": {"{1}": OTHER}})
    for one in (alice, bob):
        eventually(lambda one=one: "servers" in one.ask("status")["policy"]["rules"])
    assert 'rule "servers" 20-servers (group-policy store)' in alice.say("explain", QUESTION).stdout
    aside = alice.ask("policy", "resultant")["set_aside"]
    assert [one["winner"] for one in aside if one["what"] == 'rule "isolation"'] == ["20-servers"]
    eventually(lambda: ping(pair.alice, BOB) == 1)

    higher.write_bytes(higher.read_bytes()[:-1])
    eventually(lambda: alice.ask("status")["policy"]["refused"] is not None)
    status = alice.ask("status")["policy"]
    assert "20-servers: registry.pol cannot be read" in status["refused"]["detail"]
    assert status["rules"] == ["servers"]
    watched(pair.router)
    assert ping(pair.alice, BOB, count=2) >= 1
    assert watched(pair.router)["protected"] >= 2
    assert KEY not in alice.log.read_text() + bob.log.read_text()
    assert alice.stop() == bob.stop() == 0
