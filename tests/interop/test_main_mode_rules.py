# SPDX-License-Identifier: Apache-2.0
"""Main mode rules, and SAs without traffic, with strongSwan, whose own lists say what was agreed on and what is left.

The rule's own key and methods are others than strongSwan's, so that nothing comes about but by a main mode rule.
"""

import os

import pytest
from lab.guest import OURS, THEIRS, Peer
from lab.ikev1 import THEM, US, Scenario, agreed, begin, both
from lab.product import Product, running, until

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]

FULL = bool(os.environ.get("RINGFENCE_FULL"))
only_full = pytest.mark.skipif(not FULL, reason="part of the matrix")

METHOD, OF_THE_RULE = "aes256-sha384-ecp384", "aes128-sha256-ecp256"
LISTED = "AES_CBC-256/HMAC_SHA2_384_192/PRF_HMAC_SHA2_384/ECP_384"
"""The method as strongSwan lists it."""
KEYS = {"other.psk": "a key that strongSwan does not have"}
SECOND = "10.77.0.11"
QUICK = ("-c", "from ringfence.policy import sets; sets.IDLE_S = 1; from ringfence.cli.main import run; run()")
"""Ringfence, but for the shortest idle time that a policy may say: not every run can wait for five minutes."""
IDLE_S = 3
PAUSE_S = 0.2


def main_mode(ours: str = OURS[0], key: str = "lab.psk", method: str = METHOD) -> str:
    return f"""
        [[main-mode]]
        name = "for {ours}"
        local = "{ours}"
        remote = "{THEIRS[0]}"
        auth = {{ psk-file = "{key}" }}
        methods = ["{method}"]
    """


def of_the_rule(scenario: Scenario) -> str:
    """Our policy but for main mode rules, with a key and methods that nobody else has."""
    return scenario.policy.replace("lab.psk", "other.psk").replace(METHOD, OF_THE_RULE)


def listed(peer: Peer) -> str:
    """What strongSwan has."""
    return peer.run("swanctl", "--list-sas")


def pings(peer: Peer, count: int = 1, ours: str = OURS[0]) -> int:
    """How many are answered."""
    words = ("ping", "-c", count, "-i", PAUSE_S, "-W", 1, "-I", ours, THEIRS[0])
    return peer.outside(*words, check=False).count("bytes from")


def made(product: Product) -> int:
    """How many quick modes there were."""
    return len(product.events("quick-mode-established"))


@pytest.mark.parametrize("version", [1, 2] if FULL else [2])
def test_who_is_idle_has_no_sas_until_there_is_traffic(strongswan: Peer, version: int) -> None:
    """Those of the quick mode: the main mode, made by a main mode rule, stays, and new ones come at once."""
    scenario = Scenario("strongswan", main_mode=METHOD, version=version)
    strongswan.up(**scenario.settings)
    policy = f'[global]\nidle-time = "{IDLE_S} s"\n' + main_mode() + of_the_rule(scenario)
    with running(strongswan.netns, policy, keys=KEYS, program=QUICK) as product:
        until(lambda: pings(strongswan))
        count = int(1.5 * IDLE_S / PAUSE_S)
        assert pings(strongswan, count) > count / 2
        assert made(product) == 1, "who is not idle keeps them"
        until(lambda: not strongswan.states(), why="both sides take them away")
        here = listed(strongswan)
        assert LISTED in here
        assert "ESTABLISHED" in here
        assert "INSTALLED" not in here
        assert (len(product.main_modes), product.quick_modes) == (1, [])
        until(lambda: pings(strongswan))
        assert made(product) == 2
        assert "INSTALLED" in listed(strongswan)
        assert len(product.events("main-mode-established")) == 1


@only_full
@pytest.mark.timeout(420)
def test_five_minutes_are_the_idle_time_where_nobody_says_another(strongswan: Peer) -> None:
    """The program as it is; traffic of either side brings SAs back."""
    scenario = Scenario("strongswan", main_mode=METHOD, version=2)
    strongswan.up(**scenario.settings, START="trap")
    with running(strongswan.netns, scenario.policy) as product:
        until(lambda: pings(strongswan))
        until(lambda: not strongswan.states(), seconds=330, why="they end")
        assert "ESTABLISHED" in listed(strongswan)
        assert made(product) == 1
        until(lambda: strongswan.run("ping", "-c", 1, "-W", 1, OURS[0], check=False).count("bytes from"))
        assert [one["initiator"] for one in product.events("quick-mode-established")] == [True, False]
        assert "INSTALLED" in listed(strongswan)


@only_full
@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("mode", ["transport", "tunnel"])
@pytest.mark.parametrize("begins", [US, THEM])
def test_a_main_mode_rule_decides_in_either_role(strongswan: Peer, version: int, mode: str, begins: str) -> None:
    scenario = Scenario("strongswan", mode, begins=begins, main_mode=METHOD, version=version)
    with both(strongswan, scenario, policy=main_mode() + of_the_rule(scenario), keys=KEYS) as product:
        begin(strongswan, product, scenario)
        assert [one.initiator for one in product.main_modes] == [begins is US]
        assert LISTED in listed(strongswan)


@only_full
@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("begins", [US, THEM])
def test_one_for_the_other_address_does_not_decide(strongswan: Peer, version: int, begins: str) -> None:
    """Of two of ours, one is strongSwan's by key and methods; the other has a main mode rule that it cannot meet."""
    scenario = Scenario("strongswan", main_mode=METHOD, version=version)
    strongswan.outside("ip", "address", "replace", f"{SECOND}/24", "dev", "lab0")
    rules = main_mode(SECOND) + main_mode(OURS[0], "other.psk", OF_THE_RULE)
    try:
        for ours, works in ((SECOND, True), (OURS[0], False)):
            strongswan.up(**scenario.settings, REMOTE=ours)
            with running(strongswan.netns, rules + of_the_rule(scenario), keys=KEYS) as product:
                if begins is THEM:
                    strongswan.initiate(check=works)
                if works:
                    until(lambda: pings(strongswan, ours=SECOND))
                    assert agreed(strongswan, product)
                    assert LISTED in listed(strongswan)
                else:
                    pings(strongswan)
                    until(lambda: product.events("main-mode-failed"))
                    reasons = {one["reason"] for one in product.events("main-mode-failed")}
                    assert reasons <= {"no-proposal-in-common", "refused-by-peer"}
                    assert strongswan.states() == []
    finally:
        strongswan.outside("ip", "address", "delete", f"{SECOND}/24", "dev", "lab0", check=False)


@only_full
@pytest.mark.parametrize("version", [1, 2])
def test_where_no_main_mode_rule_is_about_both_the_rule_has_its_own(strongswan: Peer, version: int) -> None:
    scenario = Scenario("strongswan", main_mode=METHOD, version=version)
    rules = main_mode(SECOND, "other.psk", OF_THE_RULE)
    with both(strongswan, scenario, policy=rules + scenario.policy, keys=KEYS) as product:
        begin(strongswan, product, scenario)
        assert LISTED in listed(strongswan)
