# SPDX-License-Identifier: Apache-2.0
"""How fast a whole protected path is: two hosts on one veth cable, in clear and with `ringfence run` on both.

    python bench/tunnel.py                    a table
    python bench/tunnel.py --markdown FILE    the same, written into FILE between its two marks
    python bench/tunnel.py --seconds 3        shorter

Both hosts, both Ringfences and both ends of iperf3 share this machine's cores, as they never would in life; so what
counts is each number's share of the plain cable's in the same run. Clear and protected runs take turns, and each
number is the median of them. Needs iperf3, nftables and root or user namespaces.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ringfence.testing.namespaces import Host, Lab

sys.path.insert(0, str(Path(__file__).parent))
from datapath import write_into

BEGIN = "<!-- bench/tunnel.py -->"
ALICE, BOB = "10.77.0.1", "10.77.0.2"
PORT = "5201"
TRANSPORT = 'with = "{peer}"'
TUNNEL = 'remote = {{ networks = ["{peer}"], gateway = "{peer}" }}'
POLICIES = {
    "ESP transport, aes256-gcm": ("esp aes256-gcm", TRANSPORT),
    "ESP transport, aes128-sha256": ("esp aes128-sha256", TRANSPORT),
    "ESP tunnel, aes256-gcm": ("esp aes256-gcm", TUNNEL),
    "AH transport, sha256": ("ah sha256", TRANSPORT),
    "ESP transport, aes256-gcm, in TCP": ("esp aes256-gcm", f'{TRANSPORT}\nkeying = "ikev2"\ntcp = "only"'),
}
"""Security method, and between whom."""


@dataclass(frozen=True)
class Load:
    """One way to fill the path."""

    name: str
    unit: str
    words: tuple[str, ...]
    read: Callable[[dict[str, object]], float]


def _bits(report: dict) -> float:  # type: ignore[type-arg]
    return report["end"]["sum_received"]["bits_per_second"] / 1e9


def _packets(report: dict) -> float:  # type: ignore[type-arg]
    end = report["end"]["sum"]
    return (end["packets"] - end["lost_packets"]) / end["seconds"] / 1e3


LOADS = (
    Load("TCP, 1 stream", "Gbit/s", (), _bits),
    Load("TCP, 4 streams", "Gbit/s", ("-P", "4"), _bits),
    Load("UDP, 1,400 octets", "kpps", ("-u", "-b", "0", "-l", "1372"), _packets),
    Load("UDP, 64 octets", "kpps", ("-u", "-b", "0", "-l", "36"), _packets),
)


@dataclass
class Figures:
    """What one kind of path reached, by load; and how long an answer took, in milliseconds."""

    rates: dict[str, list[float]] = field(default_factory=lambda: {load.name: [] for load in LOADS})
    round_trips: list[float] = field(default_factory=list)


def measure(alice: Host, figures: Figures, seconds: int) -> None:
    for load in LOADS:
        done = alice.run("iperf3", "-J", "-c", BOB, "-p", PORT, "-t", str(seconds), *load.words, seconds=seconds + 20)
        figures.rates[load.name].append(load.read(json.loads(done.stdout)))
    said = alice.run("ping", "-q", "-c", "100", "-i", "0.01", BOB).stdout
    figures.round_trips.append(float(said.rsplit("=", 1)[1].split("/")[1]))


def _await_policy(host: Host, seconds: float = 60.0) -> None:
    """Wait until the policy is in force; before that, traffic passes in clear."""
    end = time.monotonic() + seconds
    while host.run(*host.python("-m", "ringfence", "status"), check=False).returncode:
        if time.monotonic() > end:
            raise RuntimeError(f"no Ringfence runs on {host.name}")
        time.sleep(0.1)


def _check_protected(host: Host) -> None:
    """The figures are worth nothing unless the packets went through the SAs."""
    sent = json.loads(host.run(*host.python("-m", "ringfence", "status", "--json")).stdout)["traffic"]
    if sent["sent_clear"]["packets"] or not sent["sent_protected"]["packets"]:
        raise RuntimeError(f"{host.name} sent in clear: {sent}")


@contextmanager
def protected(hosts: tuple[Host, Host], method: str, ends: str, folder: Path) -> Iterator[None]:
    """Both hosts under a policy that requires ``method`` between them."""
    (folder / "bench.psk").write_text("a key for the bench and nothing else\n")
    (folder / "bench.psk").chmod(0o600)
    running = []
    for host, peer in zip(hosts, (BOB, ALICE), strict=True):
        policy = folder / f"{host.name}.toml"
        policy.write_text(
            '[[rule]]\nname = "bench"\nauth = { psk-file = "bench.psk" }\n'
            f'protect = ["{method}"]\n{ends.format(peer=peer)}\n'
        )
        log = (folder / f"{host.name}.log").open("w")
        running.append((host.spawn(*host.python("-m", "ringfence", "run", str(policy)), stderr=log), log))
    try:
        for host in hosts:
            _await_policy(host)
        hosts[0].wait_for(BOB, seconds=30)
        yield
        for host in hosts:
            _check_protected(host)
    finally:
        for process, log in running:
            process.terminate()
            process.wait(20)
            log.close()


def run(seconds: int, turns: int) -> dict[str, Figures]:
    figures = {name: Figures() for name in ("plain veth", *POLICIES)}
    with tempfile.TemporaryDirectory() as folder, Lab() as lab:
        alice, bob = lab.host("alice"), lab.host("bob")
        lab.cable(alice, bob, f"{ALICE}/24", f"{BOB}/24")
        alice.wait_for(BOB)
        bob.spawn("iperf3", "-s", "-p", PORT)
        time.sleep(0.5)
        for _ in range(turns):
            measure(alice, figures["plain veth"], seconds)
            for name, (method, ends) in POLICIES.items():
                with protected((alice, bob), method, ends, Path(folder)):
                    measure(alice, figures[name], seconds)
    return figures


def table(figures: dict[str, Figures]) -> str:
    """As markdown; behind each rate its share of the plain cable's."""
    plain = {load.name: statistics.median(figures["plain veth"].rates[load.name]) for load in LOADS}
    heads = ["path", *(f"{load.name}, {load.unit}" for load in LOADS), "round trip, ms"]
    lines = ["| " + " | ".join(heads) + " |", "|" + " --- |" + " ---: |" * (len(heads) - 1)]
    for name, one in figures.items():
        cells = []
        for load in LOADS:
            rate = statistics.median(one.rates[load.name])
            share = "" if name == "plain veth" else f" ({rate / plain[load.name]:.1%})"
            cells.append(f"{rate:.2f}{share}" if load.unit == "Gbit/s" else f"{rate:.1f}{share}")
        lines.append("| " + " | ".join([name, *cells, f"{statistics.median(one.round_trips):.2f}"]) + " |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    missing = "" if shutil.which("iperf3") else "iperf3 is missing: apt-get install iperf3"
    if obstacle := missing or Lab.obstacle():
        print(f"tunnel.py: {obstacle}", file=sys.stderr)
        return 3
    os.environ.setdefault("PYTHONPATH", str(Path.cwd()))
    text = table(run(options.seconds, options.turns))
    print(text)
    if options.markdown:
        write_into(options.markdown, text, BEGIN)
    return 0


if __name__ == "__main__":
    sys.exit(main())
