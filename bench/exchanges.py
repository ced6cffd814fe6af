# SPDX-License-Identifier: Apache-2.0
"""Complete key exchanges per second between two processes, against strongSwan's charon in the same run.

    python bench/exchanges.py                    a table
    python bench/exchanges.py --markdown FILE    the same, written into FILE between its two marks
    python bench/exchanges.py --count 100        fewer

Two hosts on one veth cable; on both of them first charon, then Ringfence, in turns. An exchange is an IKE SA with one
child SA, which the packet path of either side has installed: Ringfence's is the one in Python, charon's that of its
plugin kernel-libipsec, so no kernel needs to know ESP. Of ours sixteen are under way at a time; charon loses some when
many begin at once, so of it one, three and six, and the best counts. Each number is the best of the turns, and all of
it, both ends and the kernel's UDP, shares this machine's cores. Needs root or user namespaces, and strongSwan
(tests/lab/install).
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ringfence.audit import QuickModeEstablished
from ringfence.backends.base import Acquire
from ringfence.backends.memory import MemoryBackend
from ringfence.backends.udp import IkeSockets
from ringfence.crypto.suites import Cipher, DhGroup, Encryption, Hash
from ringfence.databases.proposal import IkeProposal
from ringfence.ike.engine import IkeEngine
from ringfence.net.address import Path as WirePath
from ringfence.service.events import EventLog
from ringfence.service.host import Host
from ringfence.testing.hosts import AES_256, ENTRY, HostPolicy
from ringfence.testing.namespaces import Host as Namespace
from ringfence.testing.namespaces import Lab

sys.path.insert(0, str(Path(__file__).parent))
from charon import CHARON, NETS, Charon
from datapath import write_into
from papers import Papers, write_papers
from resident import resident_kib

BEGIN = "<!-- bench/exchanges.py -->"
INITIATOR, RESPONDER, NETWORK = "10.77.0.1", "10.77.0.2", "10.78.0.0/16"
AT_ONCE = 16
CHARON_AT_ONCE = (1, 3, 6)
"""Of charon's."""
KEY = "a key for the bench and nothing else"


@dataclass(frozen=True)
class Kind:
    """One way to exchange keys, in both programs' words."""

    name: str
    version: int
    proposal: IkeProposal
    charon: str
    certificates: bool = False
    """Whether both prove themselves by certificates, and not by a key that both know."""


KINDS = {
    "v2": Kind(
        "IKEv2, X25519, AES-256-GCM, preshared key", 2,
        IkeProposal(Cipher(Encryption.AES_GCM_16, 256), Hash.SHA256, DhGroup.CURVE25519),
        "aes256gcm16-prfsha256-x25519",
    ),
    "v2-certificates": Kind(
        "IKEv2, X25519, AES-256-GCM, ECDSA certificates", 2,
        IkeProposal(Cipher(Encryption.AES_GCM_16, 256), Hash.SHA256, DhGroup.CURVE25519),
        "aes256gcm16-prfsha256-x25519", certificates=True,
    ),
    "v1": Kind(
        "IKEv1, main and quick mode, ECP-256, AES-256-CBC, preshared key", 1,
        IkeProposal(AES_256, Hash.SHA256, DhGroup.ECP_256), "aes256-sha256-ecp256",
    ),
}  # fmt: skip


# One of our two processes ------------------------------------------------------------------------------------------


class Side:
    """What `ringfence run` is without TUN device and nftables: sockets, host, engine, packet path."""

    def __init__(self, policy: HostPolicy, agreed: Callable[[], None], papers: Papers | None) -> None:
        clock = time.monotonic
        self.policy = policy if papers is None else policy.with_(auth=(papers.way,))
        self._agreed = agreed
        self.backend = MemoryBackend(random=os.urandom, clock=clock, events=lambda _event: None)
        self.engine = IkeEngine(random=os.urandom)
        events = EventLog(_today, clock)
        events.add_sink(lambda recorded: agreed() if isinstance(recorded.event, QuickModeEstablished) else None)
        self.sockets = IkeSockets(self._heard, lambda *_: None, 0)
        self.host = Host(
            self.engine, self.backend, send=self.sockets.send, now=clock, events=events, moved=lambda: None,
            keeper=None if papers is None else papers.keeper(),
        )  # fmt: skip

    def _heard(self, datagram: bytes, path: WirePath) -> None:
        self.host.receive(datagram, path)

    async def start(self) -> None:
        """From now on."""
        self.sockets.open()
        await self.backend.start()
        await self.host.apply(*self.policy.compiled())


def _today() -> datetime:
    return datetime.now(UTC)


async def respond(kind: Kind, papers: Papers | None) -> None:
    policy = HostPolicy(NETWORK, INITIATOR, main=(kind.proposal,), keying=(kind.version,), key=KEY.encode())
    await Side(policy, lambda: None, papers).start()
    print("ready", flush=True)
    await asyncio.Event().wait()


async def initiate(kind: Kind, count: int, papers: Papers | None) -> None:
    """Say how long ``count`` exchanges took."""
    policy = HostPolicy(INITIATOR, NETWORK, main=(kind.proposal,), keying=(kind.version,), key=KEY.encode())
    left, done, over = iter(range(count)), 0, asyncio.Event()

    def begin() -> None:
        number = next(left, None)
        if number is not None:
            flow = policy.flow()._replace(destination=bytes((10, 78, number >> 8, number & 255)))
            side.host.on_event(Acquire(ENTRY, flow))

    def agreed() -> None:
        nonlocal done
        done += 1
        asyncio.get_running_loop().call_soon(begin)
        if done == count:
            over.set()

    side = Side(policy, agreed, papers)
    await side.start()
    start = time.monotonic()
    for _ in range(AT_ONCE):
        begin()
    await asyncio.wait_for(over.wait(), 300)
    print(json.dumps({"seconds": time.monotonic() - start, "kib": resident_kib(os.getpid())}), flush=True)


# Both programs, in turns -------------------------------------------------------------------------------------------


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass
class Result:
    """Of one program and kind."""

    per_s: float = 0.0
    responder_ms: float = float("inf")
    """Its CPU time for one exchange."""

    def add(self, count: int, seconds: float, cpu: float) -> None:
        """Of another turn."""
        self.per_s = max(self.per_s, count / seconds)
        self.responder_ms = min(self.responder_ms, cpu / count * 1e3)


def ours(kind: str, count: int, left: Namespace, right: Namespace, folder: Path, result: Result) -> None:
    me = str(Path(__file__))
    responder = right.spawn(*right.python(me, "--respond", kind, "--papers", str(folder / "right")), stdout=-1)
    try:
        if responder.stdout is None or responder.stdout.readline() != "ready\n":
            raise RuntimeError("our responder does not start")
        before = cpu_s(responder.pid)
        words = left.python(me, "--initiate", kind, "--count", str(count), "--papers", str(folder / "left"))
        told = json.loads(left.run(*words, seconds=400).stdout)
        result.add(count, told["seconds"], cpu_s(responder.pid) - before)
    finally:
        responder.kill()
        responder.wait()


def theirs(
    kind: str, count: int, hosts: tuple[Namespace, Namespace], folder: Path, papers: Path, result: Result
) -> None:
    row = KINDS[kind]
    key = papers if row.certificates else KEY
    for at_once in CHARON_AT_ONCE:
        ends = INITIATOR, [f"10.78.{number >> 8}.{number & 255}" for number in range(count)]
        with Charon(hosts, folder / str(at_once), ends, row.version, row.charon, key) as pair:
            before = cpu_s(pair.responder)
            try:
                seconds = pair.exchanges(at_once)
            except RuntimeError:  # it lost one for good, as it does now and then when many begin at once
                continue
            result.add(count, seconds, cpu_s(pair.responder) - before)


def run(count: int, turns: int) -> str:
    results = {(kind, who): Result() for kind in KINDS for who in ("charon", "Ringfence")}
    with Lab() as lab:
        left, right = lab.host("left"), lab.host("right")
        lab.cable(left, right, f"{INITIATOR}/24", f"{RESPONDER}/24")
        right.run("ip", "route", "add", "local", NETWORK, "dev", "lo")
        left.route(NETWORK, via=RESPONDER)
        for host, net in zip((left, right), NETS, strict=True):
            host.address("lo", net.replace(".0/", ".1/"))
        left.wait_for(RESPONDER)
        for turn in range(turns):
            for kind in KINDS:
                with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as papers:
                    write_papers(Path(papers))
                    theirs(kind, count, (left, right), Path(folder), Path(papers), results[kind, "charon"])
                    ours(kind, count, left, right, Path(papers), results[kind, "Ringfence"])
                print(
                    turn,
                    kind,
                    {who: round(results[kind, who].per_s) for who in ("charon", "Ringfence")},
                    file=sys.stderr,
                )
    lines = [
        "| exchange | charon, a second | Ringfence, a second | × charon | charon's responder, ms of CPU | ours |",
        "| --- |" + " ---: |" * 5,
    ]
    for kind, row in KINDS.items():
        one, other = results[kind, "charon"], results[kind, "Ringfence"]
        lines.append(
            f"| {row.name} | {one.per_s:.0f} | {other.per_s:.0f} | {other.per_s / one.per_s:.1f} "
            f"| {one.responder_ms:.2f} | {other.responder_ms:.2f} |"
        )
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--respond", help=argparse.SUPPRESS)
    parser.add_argument("--initiate", help=argparse.SUPPRESS)
    parser.add_argument("--papers", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    kind = KINDS.get(options.respond or options.initiate or "")
    papers = Papers(options.papers) if kind is not None and kind.certificates else None
    if options.respond and kind:
        asyncio.run(respond(kind, papers))
    if options.initiate and kind:
        asyncio.run(initiate(kind, options.count, papers))
        return 0
    missing = "" if CHARON.exists() else f"{CHARON} is missing: run tests/lab/install"
    if obstacle := missing or Lab.obstacle():
        print(f"exchanges.py: {obstacle}", file=sys.stderr)
        return 3
    os.environ.setdefault("PYTHONPATH", str(Path.cwd()))
    text = run(options.count, options.turns)
    print(text)
    if options.markdown:
        write_into(options.markdown, text, BEGIN)
    return 0


if __name__ == "__main__":
    sys.exit(main())
