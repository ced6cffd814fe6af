# SPDX-License-Identifier: Apache-2.0
"""What the truth tables share: applications that ask and answer, and tcpdump, which judges what is on the wire.

Every question has a port of its own, so that what is in clear is known to be of it.
"""

import json
import re
import subprocess
import threading
from typing import NamedTuple

from lab.fixtures import unavailable

from ringfence.testing.namespaces import Host

PORT = 7000
"""Where the applications answer."""

SERVER = """
import socket, threading
def tcp():
    while True:
        one, _ = streams.accept()
        threading.Thread(target=answer, args=(one,), daemon=True).start()
def answer(one):
    with one:
        one.settimeout(10)
        try:
            one.sendall(one.recv(100))
        except OSError:
            pass
streams = socket.create_server(("", 7000))
datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
datagrams.bind(("", 7000))
threading.Thread(target=tcp, daemon=True).start()
print("ready", flush=True)
while True:
    try:
        datagrams.sendto(*datagrams.recvfrom(100))
    except OSError:
        pass
"""

CLIENT = """
import json, socket, sys, time
for line in sys.stdin:
    kind, port, address, seconds = json.loads(line)
    began = time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM) as one:
        one.settimeout(seconds)
        one.bind(("", port))
        try:
            one.connect((address, 7000))
            one.sendall(b"who is there?")
            answered = one.recv(100) == b"who is there?"
        except OSError:
            answered = False
    print(json.dumps([answered, time.monotonic() - began]), flush=True)
"""

MARKER = """
import socket, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
    for line in sys.stdin:
        address, port = line.split()
        one.sendto(b"", (address, int(port)))
"""


class Said(NamedTuple):
    """What became of a question."""

    answered: bool
    seconds: float


class Client:
    """Asks."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self._process = host.spawn(
            *host.python("-c", CLIENT), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )  # fmt: skip

    def ask(self, kind: str, port: int, address: str, seconds: float) -> Said:
        """Ask from ``port``, by ``tcp`` or ``udp``, and wait for the answer so long."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([kind, port, address, seconds]) + "\n")
        self._process.stdin.flush()
        answered, took = json.loads(self._process.stdout.readline())
        return Said(answered, took)


def serve(host: Host) -> None:
    """Have the applications of a host answer, until the lab ends."""
    process = host.spawn(*host.python("-c", SERVER), stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"


def until_it_listens(tcpdump: subprocess.Popen[str]) -> None:
    """Wait until tcpdump sees packets; it never does as the root of a user namespace, which may not give up groups."""
    assert tcpdump.stderr is not None
    while "listening on" not in (line := tcpdump.stderr.readline()):
        if "Couldn't change to" in line:
            unavailable("tcpdump does not run in a user namespace")
        assert line, "tcpdump does not start"


class Tcpdump:
    """tcpdump on one interface of a host that forwards; IKE is left out."""

    ESP = re.compile(r"IP ([\d.]+) > [\d.]+: (?:ESP|AH)\(")
    CLEAR = re.compile(r"IP ([\d.]+)\.(\d+) > [\d.]+\.(\d+): ")

    def __init__(self, host: Host, interface: str) -> None:
        self._lines: list[str] = []
        self._news = threading.Condition()
        self._process = host.spawn(
            "tcpdump", "-i", interface, "-nn", "-l", "--immediate-mode", "ip and not udp port 500",
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        until_it_listens(self._process)
        self._marker = host.spawn(*host.python("-c", MARKER), stdin=subprocess.PIPE)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._news:
                self._lines.append(line)
                self._news.notify_all()

    def mark(self, address: str, number: int) -> int:
        """How many packets came until now; surely, for a packet to ``address`` is seen first."""
        assert self._marker.stdin is not None
        self._marker.stdin.write(f"{address} {30_000 + number}\n")
        self._marker.stdin.flush()
        with self._news:
            seen = lambda: any(f".{30_000 + number}: " in line for line in self._lines[-50:])  # noqa: E731
            assert self._news.wait_for(seen, 10), "tcpdump does not see the marker"
            return len(self._lines)

    def seen(self, begin: int, end: int, port: int) -> "Wire":
        """Who sent what in between: protected packets, and clear ones of the question from ``port``."""
        protected, clear = set(), set()
        for line in self._lines[begin:end]:
            if found := self.ESP.search(line):
                protected.add(found[1])
            elif (found := self.CLEAR.search(line)) and str(port) in (found[2], found[3]):
                clear.add(found[1])
        return Wire(frozenset(protected), frozenset(clear))


class Wire(NamedTuple):
    """Which addresses sent protected packets, and which clear ones."""

    protected: frozenset[str]
    clear: frozenset[str]


class Cell(NamedTuple):
    """What happened in one cell of a truth table."""

    wire: str
    """``clear``; ``esp``: nothing in clear; ``asked in clear, then esp`` and ``asked in clear, answered in esp``: the
    other was never in clear, and the one who asks was, then protected with the first; ``asked in clear``: nobody
    answered; ``nothing``; else what was wrong."""
    said: Said


class Table:
    """Asks, and judges."""

    def __init__(self) -> None:
        self._number = 0
        self._lock = threading.Lock()

    def _next(self) -> int:
        with self._lock:
            self._number += 2
            return self._number

    def cell(self, kind: str, client: Client, tap: Tcpdump, ends: tuple[str, str], seconds: float) -> Cell:
        """One question from the first to the second address, waiting for its answer so long."""
        number, asker = self._next(), ends[0]
        near = ends[0] if ends[0].startswith("10.78.") else ends[1]
        begin = tap.mark(near, number)
        said = client.ask(kind, 20_000 + number, ends[1], seconds)
        end = tap.mark(near, number + 1)
        protected, clear = tap.seen(begin, end, 20_000 + number)
        both = frozenset(ends)
        words = {
            (frozenset[str](), both, True): "clear",
            (both, frozenset[str](), True): "esp",
            (both, frozenset({asker}), True): "asked in clear, then esp",
            (both - {asker}, frozenset({asker}), True): "asked in clear, answered in esp",
            (frozenset[str](), frozenset({asker}), False): "asked in clear",
            (frozenset[str](), frozenset[str](), False): "nothing",
        }  # fmt: skip
        wrong = f"protected {sorted(protected)}, clear {sorted(clear)}, {'' if said.answered else 'not '}answered"
        return Cell(words.get((protected, clear, said.answered), wrong), said)
