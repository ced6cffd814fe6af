# SPDX-License-Identifier: Apache-2.0
"""What honest peers notice while 10,000 negotiations a second begin from forged addresses.

    python bench/flood.py                    a table
    python bench/flood.py --markdown FILE    the same, written into FILE between its two marks
    python bench/flood.py --quick            shorter

Three hosts: a server that negotiates with anybody, an honest peer, and one that sends first messages whose sources are
random addresses. `ringfence run` is on the server and the peer. Each try is a ping from an address that the server has
not seen yet, so it waits for a whole negotiation; what is told is how long. Needs nftables and root or user namespaces.
"""

import argparse
import os
import re
import socket
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from ringfence.ike.effects import SendMessage
from ringfence.ike.engine import IkeEngine
from ringfence.ike.header import HEADER_OCTETS, Header
from ringfence.ike.payload import encode_chain
from ringfence.ike.v1.channel import open_clear
from ringfence.ike.v1.payloads import VendorPayload
from ringfence.ike.v1.vendors import OURS
from ringfence.net.flow import UDP
from ringfence.net.ip import build
from ringfence.testing.hosts import ENTRY, HostPolicy
from ringfence.testing.namespaces import Host, Lab

sys.path.insert(0, str(Path(__file__).parent))
from datapath import write_into
from resident import resident_kib

BEGIN = "<!-- bench/flood.py -->"
SERVER, PEER, MALLORY, GATE = "10.77.0.1", "10.77.0.2", "10.66.0.2", "10.66.0.1"
PER_S = 10_000
BATCH_S = 0.005
MOST_AT_ONCE = 500
"""Whoever comes too late, since others had the machine, does not make up for it."""
TRIES = 20
RULE = """
[[rule]]
name = "everybody"
with = "{peers}"
secure = "require"
keying = ["ikev{version}"]
auth = {{ psk-file = "bench.psk" }}
"""


@dataclass(frozen=True)
class Seen:
    """What came of one load."""

    answers_ms: list[float]
    """How long the peer's tries took; those that came to nothing are missing."""
    tries: int
    sent_per_s: float
    answered: float
    """Share of the forged messages that the server answered."""
    mib: tuple[float, float]
    """The server's memory before and after."""
    cpu: float
    """Share of one core that the server used."""


def first_message(version: int) -> bytes:
    """As a stranger's product would send it, that knows no cookies of IKEv1."""
    engine = IkeEngine(random=os.urandom)
    policy = HostPolicy(PEER, SERVER, keying=(version,))
    engine.apply(*policy.compiled(), 0.0)
    message = next(each.datagram for each in engine.acquire(ENTRY, policy.flow(), 0.0) if isinstance(each, SendMessage))
    if version != 1:
        return message
    header = Header.decode(message[:HEADER_OCTETS])
    kept = [each for each in open_clear(header, message) if not (isinstance(each, VendorPayload) and each.data == OURS)]
    return header.over(encode_chain(kept)[1])


def send(version: int, seconds: float) -> None:
    """Be the one who forges; says how many messages there were."""
    message, random = first_message(version), os.urandom
    target, count, late = socket.inet_aton(SERVER), 0, 0
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as wire:
        begin = time.monotonic()
        while (now := time.monotonic()) < begin + seconds:
            due = int((now - begin) * PER_S)
            late = max(late, due - count - MOST_AT_ONCE)
            while count + late < due:
                ports = b"\x01\xf4\x01\xf4" + (8 + len(message)).to_bytes(2) + bytes(2)
                packet = build(b"\x0a" + random(3), target, UDP, ports + random(8) + message[8:])
                wire.sendto(packet, (SERVER, 0))
                count += 1
            time.sleep(BATCH_S)
    print(count, flush=True)


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def received(host: Host, interface: str) -> int:
    counters = host.run("cat", "/proc/net/dev").stdout.split(f"{interface}:")[1].split()
    return int(counters[1])


class Siege:
    """The three hosts, for one version of IKE."""

    def __init__(self, lab: Lab, folder: Path, version: int) -> None:
        self.version = version
        self.server, self.peer, self.mallory = (lab.host(f"{name}{version}") for name in ("server", "peer", "mallory"))
        lab.cable(self.server, self.peer, f"{SERVER}/24", f"{PEER}/24")
        lab.cable(self.server, self.mallory, f"{GATE}/24", f"{MALLORY}/24")
        self.server.route("10.0.0.0/8", via=MALLORY)
        self.mallory.route("default", via=GATE)
        for one in ("all", "eth0", "eth1"):
            self.server.setting(f"net.ipv4.conf.{one}.rp_filter", 0)
        self.peer.address("eth0", *(f"10.77.0.{number}/24" for number in range(100, 100 + 2 * TRIES)))
        self.peer.wait_for(SERVER)
        key = folder / "bench.psk"
        key.write_text("a key for the bench and nothing else\n")
        key.chmod(0o600)
        self.pid = self._serve(self.server, folder, "10.0.0.0/8")
        self._serve(self.peer, folder, SERVER)
        self._fresh = iter(range(100, 100 + 2 * TRIES))

    def _serve(self, host: Host, folder: Path, peers: str) -> int:
        policy = folder / f"{host.name}.toml"
        policy.write_text(RULE.format(peers=peers, version=self.version))
        log = (folder / f"{host.name}.log").open("w")
        process = host.spawn(*host.python("-m", "ringfence", "run", str(policy)), stderr=log)
        end = time.monotonic() + 60
        while host.run(*host.python("-m", "ringfence", "status"), check=False).returncode:
            if time.monotonic() > end:
                raise RuntimeError(f"no Ringfence runs on {host.name}: {Path(log.name).read_text()}")
            time.sleep(0.1)
        return process.pid

    def try_once(self) -> float | None:
        """Milliseconds until a ping from a new address is answered."""
        source = f"10.77.0.{next(self._fresh)}"
        said = self.peer.run("ping", "-c1", "-W10", "-I", source, SERVER, check=False, seconds=20).stdout
        found = re.search(r"time=([\d.]+) ms", said)
        return None if found is None else float(found[1])

    def look(self, seconds: float, tries: int, *, flood: bool) -> Seen:
        """Try again and again, with and without forged messages."""
        before, used, heard, begin = resident_kib(self.pid) / 1024, cpu_s(self.pid), self._heard(), time.monotonic()
        sender = None
        if flood:
            words = str(Path(__file__)), "--send", str(self.version), "--seconds", str(seconds)
            sender = self.mallory.spawn(*self.mallory.python(*words), stdout=-1)
            time.sleep(2)  # until it has begun, and the server is under load
        answers = []
        for _ in range(tries):
            answers.append(self.try_once())
            time.sleep(0.1)
        count = 0
        if sender is not None and sender.stdout is not None:
            count = int(sender.stdout.readline())
        passed = time.monotonic() - begin
        answered = self._heard() - heard
        mib = before, resident_kib(self.pid) / 1024
        return Seen(
            [each for each in answers if each is not None], tries, count / seconds if flood else 0.0,
            answered / count if count else 0.0, mib, (cpu_s(self.pid) - used) / passed,
        )  # fmt: skip

    def _heard(self) -> int:
        return received(self.mallory, "eth0")


def row(version: int, what: str, seen: Seen) -> str:
    times = sorted(seen.answers_ms)
    cells = [
        f"IKEv{version}", what, f"{seen.sent_per_s:.0f}", f"{seen.answered:.0%}" if seen.sent_per_s else "–",
        f"{len(times)} of {seen.tries}", f"{statistics.median(times):.0f}" if times else "–",
        f"{times[-1]:.0f}" if times else "–", f"{seen.cpu:.0%}", f"{seen.mib[0]:.0f} → {seen.mib[1]:.0f}",
    ]  # fmt: skip
    return "| " + " | ".join(cells) + " |"


def run(seconds: float, tries: int) -> str:
    heads = [
        "protocol", "load", "forged a second", "of them answered", "honest negotiations", "median, ms", "longest, ms",
        "server's CPU", "server's memory, MiB",
    ]  # fmt: skip
    lines = ["| " + " | ".join(heads) + " |", "| --- | --- |" + " ---: |" * (len(heads) - 2)]
    for version in (2, 1):
        with tempfile.TemporaryDirectory() as folder, Lab() as lab:
            siege = Siege(lab, Path(folder), version)
            lines.append(row(version, "calm", siege.look(seconds, tries, flood=False)))
            lines.append(row(version, "flood", siege.look(seconds, tries, flood=True)))
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--send", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, default=15.0)
    options = parser.parse_args()
    if options.send:
        send(options.send, options.seconds)
        return 0
    if obstacle := Lab.obstacle():
        print(f"flood.py: {obstacle}", file=sys.stderr)
        return 3
    os.environ.setdefault("PYTHONPATH", str(Path.cwd()))
    text = run(*((6.0, 5) if options.quick else (options.seconds, TRIES)))
    print(text)
    if options.markdown:
        write_into(options.markdown, text, BEGIN)
    return 0


if __name__ == "__main__":
    sys.exit(main())
