# SPDX-License-Identifier: Apache-2.0
"""An end of a tunnel gets another address while a TCP session runs through it (RFC 4555): both roles, with strongSwan.

What happened is judged by strongSwan's own list of SAs, by its kernel's states, and by what was on the wire.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from lab.guest import OURS, THEIRS, Peer
from lab.ikev1 import INNER_OURS, INNER_THEIRS, NET_OURS, NET_THEIRS
from lab.product import Product, running, until

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]

FULL = bool(os.environ.get("RINGFENCE_FULL"))
OURS_AWAY, THEIRS_AWAY = "10.77.0.11", "10.77.0.12"
OURS_ELSEWHERE = "10.77.0.21"
POOL, GIVEN = "10.99.0.0/24", "10.99.0.1"
PORT = 7007

WARRIOR = f"""
[[rule]]
name = "office"
keying = "ikev2"
local = {{ address = "assigned" }}
remote = {{ networks = "{NET_THEIRS}", gateway = "{THEIRS[0]}" }}
auth = {{ psk-file = "lab.psk" }}
identity = {{ local = "we.example" }}
main-mode.methods = ["aes256-sha256-modp2048"]
"""
GATEWAY = f"""
[[rule]]
name = "branch"
keying = "ikev2"
local = {{ networks = "{NET_OURS}", gateway = "{OURS[0]}" }}
remote = {{ networks = "{NET_THEIRS}", gateway = "any" }}
auth = {{ psk-file = "lab.psk" }}
identity = {{ remote = "they.example" }}
main-mode.methods = ["aes256-sha256-modp2048"]
"""

ECHO = """
import socket
server = socket.create_server((%r, %d))
while True:
    one, _ = server.accept()
    while octets := one.recv(4096):
        one.sendall(octets)
"""
TALK = """
import socket, sys, time
one = socket.create_connection((%r, %d), 20)
one.settimeout(60)
for number in range(100000):
    line = b"%%08d" %% number
    one.sendall(line)
    got = b""
    while len(got) < 8:
        octets = one.recv(8 - len(got))
        if not octets:
            sys.exit("the session ended")
        got += octets
    if got != line:
        sys.exit(f"{got} came back for {line}")
    print(number, flush=True)
    time.sleep(0.02)
"""


class Session:
    """One TCP session through the tunnel, in which every octet comes back."""

    def __init__(self, words: list[str]) -> None:
        self._process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        os.set_blocking(self._process.stdout.fileno(), False)
        self._said = b""

    @property
    def rounds(self) -> int:
        """How often something came back so far."""
        self._said += self._process.stdout.read() or b""
        assert self._process.poll() is None, f"it ended: {self._said[-200:]}"
        return self._said.count(b"\n")

    def goes_on(self, why: str) -> None:
        """A round that begins from now on comes to its end."""
        before = self.rounds
        until(lambda: self.rounds > before + 2, seconds=40, why=why)

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()


@contextmanager
def echoing(peer: Peer) -> Iterator[None]:
    """A server at the peer's inner address."""
    (peer.share / "echo.py").write_text(ECHO % (INNER_THEIRS, PORT))
    peer.run("ip", "address", "replace", f"{INNER_THEIRS}/32", "dev", "lo")
    peer.script("setsid python3 /share/echo.py </dev/null >/dev/null 2>&1 & echo $! >/run/echo.pid")
    try:
        yield
    finally:
        peer.script("kill $(cat /run/echo.pid)", check=False)  # it may have ended with its connection


@contextmanager
def session(peer: Peer) -> Iterator[Session]:
    words = ["ip", "netns", "exec", peer.netns, sys.executable, "-c", TALK % (INNER_THEIRS, PORT)]
    one = Session(words)
    try:
        yield one
    finally:
        one.end()


def ours_is(peer: Peer, address: str, *former: str) -> None:
    """Our side has another address, and none in between."""
    for one in former:
        peer.outside("ip", "address", "delete", f"{one}/24", "dev", "lab0")
    peer.outside("ip", "address", "add", f"{address}/24", "dev", "lab0")
    peer.outside("ip", "route", "replace", "default", "via", THEIRS[0], "dev", "lab0")


def sas(peer: Peer) -> str:
    return peer.run("swanctl", "--list-sas")


def outer(peer: Peer) -> set[str]:
    """The ends of the states of its kernel."""
    return {word for block in peer.run("ip", "xfrm", "state").split("src ")[1:] for word in block.split()[:1]}


@contextmanager
def we_roam(peer: Peer) -> Iterator[Product]:
    """strongSwan is the gateway and gives us an address; our own is 10.77.0.1 at first."""
    peer.up(
        MODE="tunnel", VERSION=2, REMOTE="%any", REMOTE_ID="we.example", GIVES="yes", POOL=POOL, LOCAL_TS=NET_THEIRS,
        REMOTE_TS="dynamic",
    )  # fmt: skip
    peer.outside("ip", "route", "replace", "default", "via", THEIRS[0], "dev", "lab0")
    try:
        with echoing(peer), running(peer.netns, WARRIOR) as product:
            peer.run("ip", "route", "replace", POOL, "via", OURS[0], "src", INNER_THEIRS)
            until(lambda: product.quick_modes, why="the tunnel is there")
            yield product
    except BaseException:
        print(peer.log()[-9000:])
        raise
    finally:
        peer.run("ip", "route", "delete", POOL, check=False)
        peer.outside("ip", "address", "flush", "dev", "lab0", "scope", "global", check=False)
        peer.outside("ip", "route", "flush", "default", check=False)
        for address, bits in zip(OURS, (24, 64), strict=True):
            peer.outside("ip", "address", "replace", f"{address}/{bits}", "dev", "lab0")


def test_we_go_elsewhere_and_a_tcp_session_goes_on(strongswan: Peer) -> None:
    with we_roam(strongswan) as product, session(strongswan) as tcp:
        tcp.goes_on("before anything moves")
        [main], [quick] = product.main_modes, product.quick_modes
        assert main.mobike
        spis = strongswan.states()
        ours_is(strongswan, OURS_AWAY, OURS[0])
        strongswan.run("ip", "route", "replace", POOL, "via", OURS_AWAY, "src", INNER_THEIRS)
        until(lambda: product.events("sa-moved"), why="it has moved")
        tcp.goes_on("after we have moved")
        [moved] = product.events("sa-moved")
        assert (moved["was"], moved["now"]) == (f"{OURS[0]} <-> {THEIRS[0]}", f"{OURS_AWAY} <-> {THEIRS[0]}")
        assert [one.id for one in product.main_modes] == [main.id]
        assert [one.spi_in for one in product.quick_modes] == [quick.spi_in]
        assert f"'we.example' @ {OURS_AWAY}[4500]" in sas(strongswan)
        assert strongswan.states() == spis, "the same SAs"
        assert outer(strongswan) == {THEIRS[0], OURS_AWAY}
        assert not product.events("main-mode-ended")


@pytest.mark.skipif(not FULL, reason="part of the matrix")
def test_we_go_elsewhere_again_and_again_and_both_addresses_are_there_for_a_while(strongswan: Peer) -> None:
    with we_roam(strongswan) as product, session(strongswan) as tcp:
        tcp.goes_on("before anything moves")
        here = OURS[0]
        for number, there in enumerate((OURS_AWAY, OURS_ELSEWHERE, OURS[0], OURS_AWAY), 1):
            strongswan.outside("ip", "address", "add", f"{there}/24", "dev", "lab0")
            ours_is_now(strongswan, there, here)
            until(lambda number=number: len(product.events("sa-moved")) == number, why=f"move {number}")
            tcp.goes_on(f"move {number}")
            assert f"@ {there}[4500]" in sas(strongswan)
            here = there
        assert len(product.main_modes) == 1
        assert not product.events("main-mode-ended")


def ours_is_now(peer: Peer, address: str, former: str) -> None:
    """Of two addresses the former one goes; those of its network stay, as ``promote_secondaries`` has it."""
    peer.outside("sysctl", "-qw", "net.ipv4.conf.lab0.promote_secondaries=1")
    peer.run("ip", "route", "replace", POOL, "via", address, "src", INNER_THEIRS)
    peer.outside("ip", "address", "delete", f"{former}/24", "dev", "lab0")
    peer.outside("ip", "route", "replace", "default", "via", THEIRS[0], "dev", "lab0")


@contextmanager
def they_roam(peer: Peer) -> Iterator[Product]:
    """We are the gateway; strongSwan comes from anywhere."""
    peer.up(
        MODE="tunnel", VERSION=2, LOCAL="%any", LOCAL_ID="they.example", REMOTE_ID=OURS[0], LOCAL_TS=NET_THEIRS,
        REMOTE_TS=NET_OURS,
    )  # fmt: skip
    peer.outside("ip", "address", "replace", f"{INNER_OURS}/32", "dev", "lo")
    try:
        with echoing(peer), running(peer.netns, GATEWAY) as product:
            peer.run("ip", "route", "replace", NET_OURS, "via", OURS[0], "src", INNER_THEIRS)
            peer.initiate()
            yield product
    except BaseException:
        print(peer.log()[-9000:])
        raise
    finally:
        peer.outside("ip", "address", "delete", f"{INNER_OURS}/32", "dev", "lo", check=False)
        for one in (THEIRS_AWAY, THEIRS[0]):
            peer.run("ip", "address", "delete", f"{one}/24", "dev", "eth0", check=False)
        peer.run("ip", "address", "replace", f"{THEIRS[0]}/24", "dev", "eth0", check=False)


@pytest.mark.skipif(not FULL, reason="part of the matrix")
def test_they_go_elsewhere_and_a_tcp_session_goes_on(strongswan: Peer) -> None:
    with they_roam(strongswan) as product, session(strongswan) as tcp:
        tcp.goes_on("before anything moves")
        [main], [quick] = product.main_modes, product.quick_modes
        assert main.mobike
        strongswan.script(
            f"ip address add {THEIRS_AWAY}/24 dev eth0; sysctl -qw net.ipv4.conf.eth0.promote_secondaries=1; "
            f"ip address delete {THEIRS[0]}/24 dev eth0; "
            f"ip route replace {NET_OURS} via {OURS[0]} src {INNER_THEIRS}"
        )
        until(lambda: product.events("sa-moved"), seconds=30, why="it has moved")
        tcp.goes_on("after they have moved")
        [moved] = product.events("sa-moved")
        assert (moved["was"], moved["now"]) == (f"{OURS[0]} <-> {THEIRS[0]}", f"{OURS[0]} <-> {THEIRS_AWAY}")
        assert [one.id for one in product.main_modes] == [main.id]
        assert [(one.spi_in, one.peer) for one in product.quick_modes] == [(quick.spi_in, THEIRS_AWAY)]
        assert f"@ {THEIRS_AWAY}[4500]" in sas(strongswan)
        assert product.main_modes[0].begun_at == THEIRS[0]
        [cookie] = [one for one in product.events("ike-message") if one["payloads"] == "N(COOKIE2)" and one["sent"]]
        assert cookie["peer"] == THEIRS_AWAY
