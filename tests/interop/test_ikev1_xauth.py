# SPDX-License-Identifier: Apache-2.0
"""Gateways let our user in by XAUTH and give us an address, and we let users of others in and give them one."""

import os

import pytest
from lab.guest import OURS, THEIRS
from lab.ikev1 import INNER_OURS, INNER_THEIRS, NET_OURS, NET_THEIRS, Scenario, lost
from lab.product import running, until

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]

FULL = bool(os.environ.get("RINGFENCE_FULL"))
MORE = ["strongswan", "libreswan"] if FULL else ["strongswan"]
POOL, FIRST = "10.78.9.0/24", "10.78.9.1"
COMMON = """
    secure = "require"
    auth = {{ psk-file = "lab.psk" }}
    keying = ["ikev1"]
    main-mode.methods = ["aes256-sha256-modp2048"]
    main-mode.aggressive = {aggressive}
"""
CLIENT = f"""
    [[rule]]
    name = "office"
    local = {{{{ address = "assigned" }}}}
    remote = {{{{ networks = ["{NET_THEIRS}"], gateway = "{THEIRS[0]}" }}}}
    main-mode.xauth = {{{{ user = "{{user}}", password-file = "alice.password" }}}}
{COMMON}"""
GATEWAY = f"""
    [pool.people]
    addresses = ["{POOL}"]
    dns = ["10.78.1.53"]

    [[rule]]
    name = "people"
    local = {{{{ networks = ["{NET_OURS}"], gateway = "{OURS[0]}" }}}}
    remote = {{{{ gateway = "any", pool = "people" }}}}
    main-mode.xauth = {{{{ users-file = "users.toml" }}}}
{COMMON}"""
FILES = {"alice.password": "correct horse\n", "users.toml": 'alice = "correct horse"\n'}


def peer_settings(peer, role: str, *, aggressive=False, **more) -> dict[str, object]:
    settings = Scenario(peer.kind, "tunnel", aggressive=aggressive).settings
    ends = {"LOCAL_TS": NET_THEIRS, "REMOTE_TS": "dynamic"} if role == "xauthserver" else {
        "LOCAL_TS": "dynamic", "REMOTE_TS": NET_OURS,
    }  # fmt: skip
    return {**settings, **ends, "XAUTH": role, "POOL": POOL, **more}


@pytest.fixture
def inside(peer):
    """An address behind each gateway."""
    peer.run("ip", "address", "replace", f"{INNER_THEIRS}/32", "dev", "lo")
    peer.run("ip", "route", "replace", POOL, "via", OURS[0], "src", INNER_THEIRS)
    peer.run("ip", "route", "replace", NET_OURS, "via", OURS[0])
    peer.outside("ip", "address", "replace", f"{INNER_OURS}/32", "dev", "lo")
    yield
    peer.outside("ip", "address", "delete", f"{INNER_OURS}/32", "dev", "lo", check=False)
    for one in (POOL, NET_OURS):
        peer.run("ip", "route", "delete", one, check=False)


@pytest.mark.parametrize("aggressive", [False, True] if FULL else [False])
@pytest.mark.parametrize("peer", MORE, indirect=True)
def test_we_are_let_in_and_have_an_address(peer, inside, aggressive):
    peer.up(**peer_settings(peer, "xauthserver", aggressive=aggressive))
    policy = CLIENT.format(user="alice", aggressive=str(aggressive).lower())
    with running(peer.netns, policy, keys=FILES) as product:
        until(lambda: product.quick_modes, seconds=20)
        until(lambda: FIRST in peer.outside("ip", "-4", "address"))
        until(
            lambda: peer.outside("ping", "-c", 1, "-W", 1, "-I", FIRST, INNER_THEIRS, check=False).count("bytes from")
        )
        assert not lost(peer.outside("ping", "-c", 6, "-i", 0.1, "-W", 3, "-I", FIRST, INNER_THEIRS))
        if peer.kind == "strongswan":
            assert "alice" in peer.run("swanctl", "--list-sas")
    assert FIRST not in peer.outside("ip", "-4", "address")


@pytest.mark.skipif(not FULL, reason="part of the matrix")
@pytest.mark.parametrize("peer", ["strongswan"], indirect=True)
def test_another_user_is_not(peer):
    peer.up(**peer_settings(peer, "xauthserver"))
    with running(peer.netns, CLIENT.format(user="mallory", aggressive="false"), keys=FILES) as product:
        until(lambda: product.events("main-mode-failed"), seconds=20)
        assert product.events("main-mode-failed")[0]["reason"] in ("wrong-user", "refused-by-peer", "deleted-by-peer")
        assert not product.quick_modes
        assert not peer.states()


@pytest.mark.parametrize("aggressive", [False, True] if FULL else [False])
@pytest.mark.parametrize("peer", MORE, indirect=True)
def test_we_let_their_user_in_and_give_him_an_address(peer, inside, aggressive):
    peer.up(**peer_settings(peer, "xauthclient", aggressive=aggressive))
    with running(peer.netns, GATEWAY.format(aggressive=str(aggressive).lower()), keys=FILES) as product:
        peer.initiate()
        [main] = product.main_modes
        assert main.remote_identity == "user:alice"
        until(lambda: product.quick_modes)
        until(lambda: peer.run("ping", "-c", 1, "-W", 1, "-I", FIRST, INNER_OURS, check=False).count("bytes from"))
        assert not lost(peer.run("ping", "-c", 6, "-i", 0.1, "-W", 3, "-I", FIRST, INNER_OURS))


@pytest.mark.skipif(not FULL, reason="part of the matrix")
@pytest.mark.parametrize("peer", ["strongswan"], indirect=True)
def test_nobody_else_is_let_in(peer):
    peer.up(**peer_settings(peer, "xauthclient", PASSWORD="wrong horse"))
    with running(peer.netns, GATEWAY.format(aggressive="false"), keys=FILES) as product:
        peer.initiate(check=False)
        until(lambda: product.events("main-mode-failed"))
        assert product.events("main-mode-failed")[0]["reason"] == "wrong-user"
        assert not product.main_modes
        assert not peer.states()
