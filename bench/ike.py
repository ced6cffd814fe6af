# SPDX-License-Identifier: Apache-2.0
"""How fast IKE is: Diffie-Hellman per group, whole negotiations, and what an SA costs in memory.

    python bench/ike.py                    tables
    python bench/ike.py --markdown FILE    the same, written into FILE between their two marks
    python bench/ike.py --quick            shorter

A negotiation is a main mode and a quick mode, nine messages, between two engines of one process and on one core: what
is measured is both hosts' work and no network. Each number is the best of several turns.
"""

import argparse
import gc
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ringfence.crypto import dh
from ringfence.crypto.suites import GROUPS, Cipher, DhGroup, Encryption, Hash
from ringfence.databases.proposal import IkeProposal
from ringfence.ike.effects import SendMessage
from ringfence.ike.engine import IkeEngine
from ringfence.ike.sessions import Due
from ringfence.net.address import Path as WirePath
from ringfence.net.flow import FlowKey
from ringfence.testing.hosts import AES_256, ENTRY, FAST_MAIN, HostPolicy

sys.path.insert(0, str(Path(__file__).parent))
from datapath import write_into
from resident import resident_kib

BEGIN = "<!-- bench/ike.py -->"
NEGOTIATED = (
    DhGroup.CURVE25519, DhGroup.ECP_256, DhGroup.ECP_384, DhGroup.MODP_2048, DhGroup.MODP_3072, DhGroup.MODP_4096,
)  # fmt: skip
CROWD = 20_000
WHOLE = {
    1: IkeProposal(AES_256, Hash.SHA256, DhGroup.ECP_256),
    2: IkeProposal(Cipher(Encryption.AES_GCM_16, 256), Hash.SHA256, DhGroup.CURVE25519),
}
"""What is negotiated where the memory is measured."""


def best(turns: int, work: Callable[[], object]) -> float:
    """The least seconds that ``work`` took."""
    least = float("inf")
    for _ in range(turns):
        begin = time.perf_counter()
        work()
        least = min(least, time.perf_counter() - begin)
    return least


def hosts(policy: HostPolicy) -> tuple[IkeEngine, IkeEngine]:
    """Two that have nothing with each other yet."""
    pair = IkeEngine(random=os.urandom), IkeEngine(random=os.urandom)
    for engine, each in zip(pair, (policy, policy.mirrored()), strict=True):
        engine.apply(*each.compiled(), 0.0)
    return pair


def negotiate(policy: HostPolicy, pair: tuple[IkeEngine, IkeEngine], flow: FlowKey | None = None) -> int:
    """From the packet that waits to a pair of SAs; the number of messages."""
    effects, turn, count = pair[0].acquire(ENTRY, flow or policy.flow(), 0.0), 0, 0
    while messages := [each for each in effects if isinstance(each, SendMessage)]:
        turn = 1 - turn
        effects = []
        for message in messages:
            count += 1
            path = WirePath(message.path.remote, message.path.local)
            effects += pair[turn].receive(message.datagram, path, 0.0)
    return count


def group_rows(turns: int) -> list[tuple[str, ...]]:
    """Milliseconds per group: to make a half, and to share a secret."""
    rows = []
    for group in [each for each in DhGroup if not GROUPS[each].word.startswith("mlkem")]:
        peer = dh.generate(group, os.urandom, legacy=True)

        def make(group: DhGroup = group) -> dh.KeyPair:
            return dh.generate(group, os.urandom, legacy=True)

        ours = make()
        made, shared = best(turns, make), best(turns, lambda ours=ours, peer=peer: ours.shared(peer.public))
        rows.append((GROUPS[group].word, f"{made * 1e3:.2f}", f"{shared * 1e3:.2f}", f"{1 / (made + shared):.0f}"))
    return rows


def negotiation_rows(turns: int) -> list[tuple[str, ...]]:
    """Negotiations a second, both hosts on one core, and milliseconds without Diffie-Hellman."""
    rows = []
    for group in NEGOTIATED:
        policy = HostPolicy("192.0.2.1", "192.0.2.2", main=(replace(FAST_MAIN, group=group),))
        least = float("inf")
        for _ in range(turns):
            pair = hosts(policy)
            begin = time.perf_counter()
            messages = negotiate(policy, pair)
            least = min(least, time.perf_counter() - begin)
            if messages != 9 or not all(engine.child_sas() for engine in pair):
                raise RuntimeError("nothing came of a negotiation")
        rows.append((GROUPS[group].word, f"{least * 1e3:.2f}", f"{1 / least:.0f}"))
    return rows


def crowd_row(version: int, count: int) -> tuple[str, ...]:
    """So many IKE SAs with a contract each, all made at once: what one takes, and when they are to be renewed.

    Both ends are in this process, so there are twice as many.
    """
    policy = HostPolicy("10.79.0.0/16", "10.78.0.0/16", keying=(version,), main=(WHOLE[version],))
    pair = hosts(policy)
    gc.collect()
    before, begin = resident_kib(), time.perf_counter()
    for number in range(count):
        place = bytes((number >> 8, number & 255))
        negotiate(policy, pair, policy.flow()._replace(source=b"\x0a\x4f" + place, destination=b"\x0a\x4e" + place))
    took = time.perf_counter() - begin
    if any(len(engine.child_sas()) != count for engine in pair):
        raise RuntimeError("nothing came of some negotiations")
    gc.collect()
    kib = (resident_kib() - before) / count / 2
    timers = pair[0]._timers._due  # noqa: SLF001 - nobody but the engine needs to know
    due = Counter(int(when // 60) for (what, _), (when, _) in timers.items() if what in (Due.RENEW, Due.RENEW_IKE))
    busiest = max(due.values(), default=0)
    return (
        f"IKEv{version}", f"{count:,}", f"{kib:.1f}", f"{took:.0f}", f"{len(due)}", f"{busiest / count:.1%}",
    )  # fmt: skip


def crowd_alone(version: int, count: int) -> tuple[str, ...]:
    """The same in a process that has had no memory before."""
    words = [sys.executable, str(Path(__file__)), "--crowd", str(version), "--count", str(count)]
    return tuple(subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip().split("|"))


def table(headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """As markdown, which people can read as well."""
    widths = [max(len(line[place]) for line in (headings, *rows)) for place in range(len(headings))]

    def line(words: tuple[str, ...]) -> str:
        first, *rest = zip(words, widths, strict=True)
        return "| " + " | ".join([first[0].ljust(first[1]), *(word.rjust(width) for word, width in rest)]) + " |"

    rule = "|" + "|".join("-" * (width + 1) + ("-" if not place else ":") for place, width in enumerate(widths)) + "|"
    return "\n".join([line(headings), rule, *map(line, rows)])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--crowd", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--count", type=int, default=CROWD)
    options = parser.parse_args()
    if options.crowd:
        print(*crowd_row(options.crowd, options.count), sep="|")
        return 0
    turns = 5 if options.quick else 50
    groups = table(("group", "make a half, ms", "share, ms", "exchanges a second"), group_rows(turns))
    negotiations = table(("group", "both hosts, ms", "negotiations a second"), negotiation_rows(turns))
    crowd = [crowd_alone(version, 500 if options.quick else options.count) for version in (2, 1)]
    memory = table(
        ("", "IKE SAs", "KiB for each with its contract", "made in, s", "minutes of renewals", "in the busiest"), crowd
    )
    text = f"{negotiations}\n\n{memory}\n\n{groups}"
    print(text)
    if options.markdown:
        write_into(options.markdown, text, BEGIN)
    return 0


if __name__ == "__main__":
    sys.exit(main())
