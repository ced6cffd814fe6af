# SPDX-License-Identifier: Apache-2.0
"""A router's bad manners: it loses packets, repeats them and lets others overtake, as often as it is told to.

::

    rough(router, "--lose", "0.02", "--repeat", "0.01", "--delay", "0.05")

makes a router of ``testing.namespaces`` so. Not every kernel has netem; this needs none: what the router forwards is
led to a TUN device, from there through ``Manners``, and out again by a raw socket. The same seed plays the same chances
again.
"""

import argparse
import heapq
import itertools
import random
import select
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass

from ringfence.backends.raw import RawSockets
from ringfence.backends.tun import Tun
from ringfence.testing.namespaces import Host

DEVICE, TABLE, PRIORITY, MARK = "rough0", 4399, 4299, 0x5247
LATE_SECONDS = 0.02
MOST_WAITING = 10_000


@dataclass(frozen=True, slots=True)
class Manners:
    """Chances from 0 to 1, for each packet by itself."""

    lose: float = 0.0
    repeat: float = 0.0
    delay: float = 0.0
    """By up to ``LATE_SECONDS``, so that later packets overtake."""


class Rough:
    """Packets that wait for their time; gives them back when it comes."""

    def __init__(self, manners: Manners, seed: int) -> None:
        self._manners = manners
        self._chance = random.Random(seed)  # noqa: S311  (it plays a bad network, no keys come of it)
        self._order = itertools.count()
        self._waiting: list[tuple[float, int, bytes]] = []

    def take(self, packets: Sequence[bytes], now: float) -> None:
        """These arrive."""
        manners, chance = self._manners, self._chance
        for packet in packets:
            if chance.random() < manners.lose:
                continue
            for _ in range(2 if chance.random() < manners.repeat else 1):
                late = chance.random() * LATE_SECONDS if chance.random() < manners.delay else 0.0
                if len(self._waiting) < MOST_WAITING:
                    heapq.heappush(self._waiting, (now + late, next(self._order), packet))

    def due(self, now: float) -> list[bytes]:
        """These go on."""
        gone = []
        while self._waiting and self._waiting[0][0] <= now:
            gone.append(heapq.heappop(self._waiting)[2])
        return gone

    def next_timer(self) -> float | None:
        """When the next one goes on."""
        return self._waiting[0][0] if self._waiting else None


def rough(router: Host, *options: str) -> None:
    """Make a router rough until its lab ends; returns when it is."""
    words = router.python("-m", "ringfence.testing.rough", *options)
    process = router.spawn(*words, stdout=subprocess.PIPE)
    if process.stdout is None or process.stdout.readline() != "ready\n":
        raise OSError("the router did not become rough")
    for interface in range(router.interfaces):
        for family in ("-4", "-6"):
            router.run(
                "ip", family, "rule", "add", "iif", f"eth{interface}", "lookup", str(TABLE), "priority", str(PRIORITY)
            )
    for family in ("-4", "-6"):
        router.run("ip", family, "route", "add", "default", "dev", DEVICE, "table", str(TABLE))


def main() -> None:
    """Run in the router."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("lose", "repeat", "delay"):
        parser.add_argument(f"--{name}", type=float, default=0.0, metavar="CHANCE")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    device, raw = Tun(DEVICE), RawSockets(MARK, receive=False)
    subprocess.run(["ip", "link", "set", DEVICE, "up"], check=True)  # noqa: S603, S607
    print("ready", flush=True)  # noqa: T201  (whoever started us waits for this)
    path = Rough(Manners(chosen.lose, chosen.repeat, chosen.delay), chosen.seed)
    while True:
        due = path.next_timer()
        wait = None if due is None else max(0.0, due - time.monotonic())
        if select.select([device], [], [], wait)[0]:
            path.take(device.read(), time.monotonic())
        raw.send(path.due(time.monotonic()))


if __name__ == "__main__":
    main()
