# SPDX-License-Identifier: Apache-2.0
"""Numbered datagrams flow both ways while the policy changes under them: none that both policies let pass is lost."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from integration.backend_lab import ALICE, BOB, Pair, watched
from integration.service_lab import RULE, TELNET, Service, document, eventually

from ringfence.control.client import Client
from ringfence.testing.namespaces import Host

pytestmark = pytest.mark.root

STREAM = """
import json, select, socket, sys, time
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
    one.bind(("", 7001))
    sent, came, ended = 0, [], None
    print("ready", flush=True)
    sys.stdin.readline()
    due = time.monotonic()
    while ended is None or time.monotonic() < ended:
        wait = max(0, due - time.monotonic()) if ended is None else 0.1
        for ready in select.select([one, sys.stdin] if ended is None else [one], [], [], wait)[0]:
            if ready is one:
                came.append(int.from_bytes(one.recv(100)[:4], "big"))
            else:
                ended = time.monotonic() + 3
        if ended is None and time.monotonic() >= due:
            one.sendto(sent.to_bytes(4, "big") + bytes(60), (sys.argv[1], 7001))
            sent, due = sent + 1, due + 0.005
    print(json.dumps([sent, came]), flush=True)
"""
ELSEWHERE = RULE.replace("the two are isolated", "elsewhere").replace(
    '["10.77.1.1", "10.77.2.1"]', '["me", "10.99.0.0/16"]'
)
REQUEST = RULE.replace('"require"', '"request"')
OTHER = RULE + 'protect = ["esp aes128-gcm"]\n'
"""A method that the default has too, but not first."""


class Stream:
    """The datagrams of one host."""

    def __init__(self, host: Host, to: str) -> None:
        self._process = host.spawn(*host.python("-c", STREAM, to), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def go(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()

    def result(self) -> tuple[int, list[int]]:
        """How many it sent, and which came, in order."""
        assert self._process.stdout is not None
        sent, came = json.loads(self._process.stdout.readline())
        return sent, came


class Both:
    def __init__(self, pair: Pair, folder: Path) -> None:
        self.pair = pair
        self.alice, self.bob = (
            Service(host, document(folder / host.name, TELNET), "--socket", str(folder / host.name / "s"))
            for host in (pair.alice, pair.bob)
        )

    def change(self, service: Service, text: str) -> None:
        """Another policy, in force when this returns."""
        service.policy.write_text(text)
        with Client(service.policy.parent / "s") as client:
            client.reload()
        time.sleep(0.4)

    def protect(self, service: Service, text: str) -> None:
        """Likewise; the traffic is protected when this returns."""
        self.change(service, text)
        for one in (self.alice, self.bob):
            with Client(one.policy.parent / "s") as client:
                eventually(lambda client=client: bool(client.sas().quick_modes))


@pytest.fixture
def both(pair: Pair, tmp_path: Path) -> Iterator[Both]:
    one = Both(pair, tmp_path)
    yield one
    assert one.alice.stop() == one.bob.stop() == 0


def lost(both: Both, story: Callable[[], None]) -> dict[str, list[int]]:
    """Numbers that did not come, by who missed them, while this happened."""
    streams = {"alice": Stream(both.pair.alice, BOB), "bob": Stream(both.pair.bob, ALICE)}
    for stream in streams.values():
        stream.go()
    time.sleep(0.3)
    story()
    time.sleep(0.3)
    for stream in streams.values():
        stream.stop()
    sent, came = zip(*(stream.result() for stream in streams.values()), strict=True)
    assert min(sent) > 100
    for numbers in came:
        assert len(numbers) == len(set(numbers)), "none comes twice"
    return {
        name: sorted(set(range(count)) - set(numbers))
        for name, count, numbers in zip(("bob", "alice"), sent, reversed(came), strict=True)
    }


def test_nothing_is_lost_on_the_way_to_protection_and_back(both: Both) -> None:
    alice, bob = both.alice, both.bob
    clear: list[int] = []

    def story() -> None:
        both.change(alice, TELNET + ELSEWHERE)
        both.change(bob, ELSEWHERE)
        both.change(alice, REQUEST)
        both.protect(bob, REQUEST)
        time.sleep(0.5)
        watched(both.pair.router)
        both.protect(alice, RULE)
        both.protect(bob, RULE)
        both.protect(alice, RULE + TELNET)
        both.protect(alice, OTHER + ELSEWHERE)
        both.protect(bob, OTHER)
        both.protect(bob, RULE)
        both.protect(alice, RULE)
        both.protect(alice, REQUEST)
        both.protect(bob, REQUEST)
        clear.append(watched(both.pair.router)["clear"])
        both.change(alice, TELNET)
        both.change(bob, TELNET)
        time.sleep(1)

    missed = lost(both, story)
    if any(missed.values()):
        for name, service in (("alice", alice), ("bob", bob)):
            print(name, missed[name][:3], len(missed[name]))
            with Client(service.policy.parent / "s") as client:
                for event in client.events():
                    print(f"{event.at:%M:%S.%f}"[:-3], name, event.text)
    assert missed == {"alice": [], "bob": []}
    assert clear[0] < 200, "IKE, and no traffic, while both had a rule"
    assert watched(both.pair.router)["clear"] > 200
