# SPDX-License-Identifier: Apache-2.0
"""How policies of 10, 1,000 and 10,000 rules compare: to read, to compile, to find a flow's entry among.

    python bench/policy.py                    a table
    python bench/policy.py --markdown FILE    the same, written into FILE between its two marks

The rules are of all kinds (hosts, networks, ranges, tunnels, ports), and their places are drawn at random with a seed;
flows are drawn from what the rules are about, one for each look-up. Look-ups of all sizes are measured in turns, so
that a busy machine slows all of them alike; each number is the best of several turns.
"""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from random import Random

from datapath import best, write_into

from ringfence.backends.filter import ruleset
from ringfence.backends.routes import Host, HostRoute, Link, wanted
from ringfence.databases.spd import Spd
from ringfence.datapath.engine import DataPath
from ringfence.net.address import AddressRange, PortRange, parse_address
from ringfence.net.flow import TCP, FlowKey
from ringfence.net.ip import build
from ringfence.policy.compile import Compiled, HostFacts, compile_policy
from ringfence.policy.document import parse
from ringfence.policy.model import Policy
from ringfence.policy.validate import validate
from ringfence.secret import Secret

SIZES = (10, 1000, 10_000)
FLOWS = 512
BEGIN = "<!-- bench/policy.py -->"
ME = parse_address("10.0.0.1")
KEYS = {f"{number}.psk": Secret(b"key %d" % number) for number in range(50)}


def document(rules: int) -> str:
    """A policy of so many statements."""
    chance = Random(1)
    return "\n".join(_statement(number, chance) for number in range(rules))


def _statement(number: int, chance: Random) -> str:
    net = f"10.{chance.randrange(256)}.{chance.randrange(256)}"
    auth = f'auth = {{ psk-file = "{number % 50}.psk" }}'
    name = f'name = "{number}"'
    match number % 10:
        case 0 | 1 | 2 | 3:
            return f'[[rule]]\n{name}\nwith = "{net}.{chance.randrange(256)}"\n{auth}\n'
        case 4 | 5:
            return f'[[rule]]\n{name}\nwith = "{net}.0/24"\nsecure = "request"\n{auth}\n'
        case 6:
            return f'[[filter]]\n{name}\nblock = "tcp to {chance.randrange(1, 65536)}"\n'
        case 7:
            return f'[[filter]]\n{name}\nwith = "{net}.0/24"\npermit = "udp {chance.randrange(1, 65536)}"\n'
        case 8:
            first, last = chance.randrange(100), chance.randrange(100, 256)
            return f'[[filter]]\n{name}\nwith = "{net}.{first}-{net}.{last}"\npermit = "tcp to 8000-8099"\n'
        case _:
            inside = f"172.{chance.randrange(16, 32)}.{chance.randrange(256)}.0/24"
            remote = f'{{ networks = ["{inside}"], gateway = "192.0.2.{chance.randrange(1, 255)}" }}'
            return f'[[rule]]\n{name}\nlocal = "10.0.0.0/8"\nremote = {remote}\n{auth}\n'


def flows(spd: Spd) -> list[FlowKey]:
    """Flows that some entries are about."""
    chance = Random(2)

    def address(addresses: AddressRange) -> bytes:
        first, last = int.from_bytes(addresses.first), int.from_bytes(addresses.last)
        return chance.randint(first, last).to_bytes(len(addresses.first))

    def port(ports: PortRange) -> int:
        return chance.randint(ports.first, ports.last)

    written = [entry.selector for entry in spd if entry.origin.place and entry.selector.source.version == 4]
    chosen = [chance.choice(written) for _ in range(FLOWS)]
    return [
        FlowKey(
            address(cube.source), address(cube.destination), cube.protocol or TCP,
            port(cube.source_ports), port(cube.destination_ports),
        )
        for cube in chosen
    ]  # fmt: skip


@dataclass
class Row:
    """One size of policy; seconds."""

    rules: int
    entries: int
    parse: float
    compile: float
    check: float
    filter: float
    routes: float
    index: float
    outbound: float = 0.0
    inbound: float = 0.0
    known: float = 0.0


def once(work: Callable[[], object], turns: int) -> float:
    """The processor's time, which others on the machine do not change."""
    least = float("inf")
    for _ in range(turns):
        begin = time.process_time()
        work()
        least = min(least, time.process_time() - begin)
    return least


def compiled(policy: Policy) -> Compiled:
    return compile_policy(policy, HostFacts((ME,)), KEYS)


def measure(rules: int, turns: int) -> tuple[Row, Spd]:
    text = document(rules)
    policy = parse(text, name="bench.toml")
    found = compiled(policy)
    spd = found.spd
    host = Host((Link(2, "eth0", 1500, (ME,)),), (HostRoute(ip_network("0.0.0.0/0"), 2, ME),))
    flow = FlowKey(bytes(4), bytes(4), TCP, 1, 1)
    row = Row(
        rules,
        len(spd),
        once(lambda: parse(text, name="bench.toml"), turns),
        once(lambda: compiled(policy), turns),
        once(lambda: validate(policy, found), turns),
        once(lambda: ruleset(spd), turns),
        once(lambda: wanted(spd, host), turns),
        once(lambda: (again := Spd(spd.entries)).outbound(flow) or again.inbound(flow), turns),
    )
    return row, spd


def look_ups(spds: list[Spd], turns: int) -> list[tuple[float, float, float]]:
    """For each: seconds of a new flow's look-up outward and inward, and of a known flow's packet in the packet path."""
    works: list[tuple[Callable[[], object], Callable[[object], object]]] = []
    for spd in spds:
        some = flows(spd)
        works.append((lambda spd=spd, some=some: (spd.outbound, some), _call))  # type: ignore[misc]
        turned = [flow.reversed() for flow in some]
        works.append((lambda spd=spd, turned=turned: (spd.inbound, turned), _call))  # type: ignore[misc]
        works.append(_known(spd))
    seconds = [one / FLOWS for one in best(turns, *works)]
    return [(seconds[at], seconds[at + 1], seconds[at + 2]) for at in range(0, len(seconds), 3)]


def _call(given: object) -> None:
    find, some = given  # type: ignore[misc]
    for flow in some:
        find(flow)


def _known(spd: Spd) -> tuple[Callable[[], object], Callable[[object], object]]:
    """Packets of flows that the packet path knows, one at a time; all of them are permitted."""
    path = DataPath(random=Random(3).randbytes)
    path.apply(spd, 0.0)
    ports = b"\xc0\0\xd0\0"
    packets = [build(ME, (0xC6336400 + number % 256).to_bytes(4), TCP, ports + bytes(20)) for number in range(FLOWS)]
    path.outbound(packets, 0.0)

    def send(given: object) -> None:
        for packet in given:  # type: ignore[attr-defined]
            path.outbound((packet,), 0.0)

    return lambda: packets, send


HEADINGS = ("rules", "entries", "read", "compile", "check", "nftables text", "routes", "index",
            "new flow out", "new flow in", "× 10 rules", "known flow", "× 10 rules")  # fmt: skip


def table(rows: list[Row]) -> str:
    """As markdown; times in milliseconds and, for packets, microseconds."""
    first = rows[0]
    lines = [HEADINGS]
    for row in rows:
        thousandths = (row.parse, row.compile, row.check, row.filter, row.routes, row.index)
        new = (row.outbound + row.inbound) / (first.outbound + first.inbound)
        lines.append((
            f"{row.rules:,}", f"{row.entries:,}", *(f"{1e3 * one:,.1f} ms" for one in thousandths),
            f"{1e6 * row.outbound:.2f} µs", f"{1e6 * row.inbound:.2f} µs", f"{new:.1f}",
            f"{1e6 * row.known:.2f} µs", f"{row.known / first.known:.1f}",
        ))  # fmt: skip
    widths = [max(len(line[place]) for line in lines) for place in range(len(HEADINGS))]
    texts = ["| " + " | ".join(w.rjust(width) for w, width in zip(line, widths, strict=True)) + " |" for line in lines]
    rule = "|" + "|".join("-" * (width + 1) + ":" for width in widths) + "|"
    return "\n".join([texts[0], rule, *texts[1:]])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    begin = time.perf_counter()
    measured = [measure(size, options.turns) for size in SIZES]
    rows = [row for row, _ in measured]
    found = look_ups([spd for _, spd in measured], 10 * options.turns)
    for row, times in zip(rows, found, strict=True):
        row.outbound, row.inbound, row.known = times
    text = table(rows)
    print(text)
    print(f"{time.perf_counter() - begin:.0f} s in all", file=sys.stderr)
    if options.markdown:
        write_into(options.markdown, text, BEGIN)
    return 0


if __name__ == "__main__":
    sys.exit(main())
