# SPDX-License-Identifier: Apache-2.0
"""Contracts, policies and pairs of packet paths for tests.

``make_child`` makes the contract of one host, ``mirrored`` what its peer holds, and ``joined`` two packet paths that
hold them: what one sends the other takes.

    left, right = joined(make_child(GCM, mode=Mode.TUNNEL))
    (sent,) = left.outbound([packet], 0.0)
    (got,) = right.inbound(sent.packets, 0.0)       # Deliver((packet,), child)
"""

from collections.abc import Callable
from dataclasses import replace
from random import Random

from ringfence.crypto.suites import Encryption
from ringfence.databases.proposal import Limits, SecurityMethod, Transform
from ringfence.databases.sa import NO_LIMITS, ChildSa, Mode, Sa, TunnelOptions
from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action, Direction, Origin, Processing, Spd, SpdEntry
from ringfence.datapath.engine import DataPath
from ringfence.datapath.limits import PathLimits
from ringfence.net.address import Endpoint, Path, format_address
from ringfence.testing.associations import esp_suite, make_sa

ENTRY = "rule"
NO_TUNNEL = TunnelOptions()


def make_child(
    *suites: Transform,
    mode: Mode | tuple[Mode, ...] = Mode.TRANSPORT,
    local: str = "192.0.2.1",
    remote: str = "192.0.2.2",
    selector: Selector | None = None,
    number: int = 1,
    entry: str = ENTRY,
    udp: bool = False,
    tunnel: TunnelOptions = NO_TUNNEL,
    soft: Limits = NO_LIMITS,
    hard: Limits = NO_LIMITS,
    replay_window: int = 64,
    tfc_octets: int = 0,
    align_64: bool = False,
) -> ChildSa:
    """A contract of the host ``local`` with ``remote``, its SAs of ``suites``, innermost first.

    ``mode`` may be one for each. Without a ``selector`` it serves all traffic between the two in transport mode, and
    in tunnel mode all traffic of their address family. SPIs and keys follow from ``number``: 0xNN01 outward, 0xNN81
    inward, and so on.
    """
    modes = mode if isinstance(mode, tuple) else (mode,) * len(suites)

    def side(source: str, destination: str, first_spi: int) -> tuple[Sa, ...]:
        return tuple(
            replace(
                make_sa(
                    suite,
                    spi=0x100 * (number + 1) + first_spi + place,
                    mode=one,
                    source=source,
                    destination=destination,
                    seed=f"{number} {source} {place}",
                    replay_window=replay_window,
                    tfc_octets=tfc_octets,
                    align_64=align_64,
                ),
                tunnel=tunnel,
            )
            for place, (suite, one) in enumerate(zip(suites, modes, strict=True))
        )

    outbound, inbound = side(local, remote, 1), side(remote, local, 0x81)
    if udp:
        ends = Endpoint(outbound[0].source, 4500), Endpoint(outbound[0].destination, 4500)
        outbound, inbound = (
            (*sas[:-1], replace(sas[-1], encapsulation=Path(*ends))) for sas in (outbound, inbound)
        )  # fmt: skip
    if selector is None:
        everything = "0.0.0.0/0" if "." in local else "::/0"
        selector = (
            Selector.between(everything, everything) if modes[0] is Mode.TUNNEL else Selector.between(local, remote)
        )
    return ChildSa(number, 0, entry, selector, outbound, inbound, hard, soft)


def mirrored(child: ChildSa) -> ChildSa:
    """The same contract as the peer holds it."""

    def turned(sa: Sa) -> Sa:
        path = sa.encapsulation
        return sa if path is None else replace(sa, encapsulation=Path(path.remote, path.local))

    return replace(
        child,
        selector=child.selector.reversed(),
        outbound=tuple(map(turned, child.inbound)),
        inbound=tuple(map(turned, child.outbound)),
    )


def make_entry(
    selector: Selector,
    *,
    name: str = ENTRY,
    action: Action = Action.PROTECT,
    mode: Mode = Mode.TRANSPORT,
    clear_in: bool = False,
    clear_out: bool = False,
    directions: Direction = Direction.BOTH,
) -> SpdEntry:
    """An entry for what ``selector`` holds, from this host outward."""
    methods = (SecurityMethod((esp_suite(Encryption.AES_GCM_16),)),)
    processing = Processing(methods, mode, clear_in=clear_in, clear_out=clear_out)
    return SpdEntry(
        name, selector, action, Origin(name), directions, processing if action is Action.PROTECT else None
    )  # fmt: skip


def entry_for(child: ChildSa, *, clear_in: bool = False, clear_out: bool = False) -> SpdEntry:
    """An entry that ``child`` serves."""
    return make_entry(
        child.selector, name=child.entry, mode=child.mode, clear_in=clear_in, clear_out=clear_out
    )  # fmt: skip


def seeded(seed: int = 1) -> Callable[[int], bytes]:
    """Random octets that repeat."""
    return Random(seed).randbytes  # noqa: S311 - for tests


def make_path(*children: ChildSa, limits: PathLimits | None = None, seed: int = 1, now: float = 0.0) -> DataPath:
    """A packet path with these contracts in force, and an entry for each name that they serve."""
    path = DataPath(random=seeded(seed), limits=limits)
    path.apply(Spd(tuple({child.entry: entry_for(child) for child in children}.values())), now)
    for child in children:
        path.install_inbound(child, now)
        path.install_outbound(child, now)
    return path


def joined(*children: ChildSa, limits: PathLimits | None = None) -> tuple[DataPath, DataPath]:
    """The packet paths of two hosts: the one that has ``children``, and its peer."""
    return make_path(*children, limits=limits), make_path(*map(mirrored, children), limits=limits, seed=2)


def describe(child: ChildSa) -> str:
    """A short name for a test's parameter."""
    parts = [f"{sa.protocol.name.lower()} {sa.mode.value}" for sa in child.outbound]
    return " + ".join(parts) + (" in udp" if child.outbound[-1].encapsulation else "") + " to " + format_address(
        child.outbound[-1].destination
    )  # fmt: skip
