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
import sys
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ringfence.crypto import dh
from ringfence.crypto.suites import GROUPS, DhGroup
from ringfence.ike.effects import SendMessage
from ringfence.ike.engine import IkeEngine
from ringfence.net.address import Path as WirePath
from ringfence.testing.hosts import ENTRY, FAST_MAIN, HostPolicy

sys.path.insert(0, str(Path(__file__).parent))
from datapath import write_into

BEGIN = "<!-- bench/ike.py -->"
NEGOTIATED = (
    DhGroup.CURVE25519, DhGroup.ECP_256, DhGroup.ECP_384, DhGroup.MODP_2048, DhGroup.MODP_3072, DhGroup.MODP_4096,
)  # fmt: skip


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


def negotiate(policy: HostPolicy, pair: tuple[IkeEngine, IkeEngine]) -> int:
    """From the packet that waits to a pair of SAs; the number of messages."""
    effects, turn, count = pair[0].acquire(ENTRY, policy.flow(), 0.0), 0, 0
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
    for group in DhGroup:
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


def memory_kib(count: int) -> float:
    """What one host keeps of each peer after a negotiation."""
    policies = [
        HostPolicy(f"10.{number >> 8}.{number & 255}.1", f"10.{number >> 8}.{number & 255}.2")
        for number in range(count)
    ]
    pairs = [hosts(policy) for policy in policies]
    negotiate(policies[0], pairs[0])
    gc.collect()
    tracemalloc.start()
    for policy, pair in zip(policies[1:], pairs[1:], strict=True):
        negotiate(policy, pair)
    gc.collect()
    octets, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return octets / 1024 / (count - 1) / 2


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
    options = parser.parse_args()
    turns = 5 if options.quick else 50
    groups = table(("group", "make a half, ms", "share, ms", "exchanges a second"), group_rows(turns))
    negotiations = table(("group", "both hosts, ms", "negotiations a second"), negotiation_rows(turns))
    memory = f"One IKE SA with its contract takes {memory_kib(20 if options.quick else 200):.0f} KiB."
    text = f"{negotiations}\n\n{memory}\n\n{groups}"
    print(text)
    if options.markdown:
        write_into(options.markdown, text, BEGIN)
    return 0


if __name__ == "__main__":
    sys.exit(main())
