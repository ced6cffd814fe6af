# SPDX-License-Identifier: Apache-2.0
"""The Linux kernel as the other end of AH and ESP with manual keys, in every combination that it has.

One guest has the SAs and policies of all cases at once; each case has addresses of its own on our side. Whatever our
packet path says to it must be answered, whatever it says must be understood, nothing may go in clear, and at the end
none of its error counters may have moved.
"""

import subprocess
from collections import Counter
from contextlib import contextmanager, suppress
from random import Random

import pytest
from lab.guest import LAB, Guest, eventually
from lab.kernel_cases import COMMON, INNER_THEIRS, Case, cases, child_of
from lab.wire import WireHost, ip_packet
from lab.xfrm import policies, state

from ringfence.databases.proposal import SecurityMethod
from ringfence.databases.sa import ChildSa, Mode
from ringfence.databases.spd import Action, Origin, Processing, Spd, SpdEntry
from ringfence.datapath.engine import DataPath
from ringfence.datapath.limits import PathLimits
from ringfence.datapath.verdict import Drop

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]

OUR_SIZES = (0, 1, 67, 1300, 1399, 4000)
"""Octets of data in our pings; the largest are sent as fragments."""
THEIR_SIZES = (8, 61, 1351, 5000)


def entry_of(child: ChildSa, case: Case) -> SpdEntry:
    tunnel = child.outbound[0] if case.mode.value == "tunnel" else None
    processing = Processing(
        (SecurityMethod(case.transforms),),
        case.mode,
        tunnel_local=tunnel.source if tunnel else None,
        tunnel_remote=tunnel.destination if tunnel else None,
    )
    return SpdEntry(
        child.entry, child.selector, Action.PROTECT, Origin(case.name), processing=processing, peer="manual"
    )


def start_at(host: WireHost, child: ChildSa, first: int) -> None:
    """Let our numbers begin behind ``first``, as the kernel's do."""
    contract = host.engine._state.contracts[child.id]
    for counter in contract.outlet.counters:
        counter.last = first
    for inlet in contract.inlets:
        inlet.opens.window.top = first


@contextmanager
def wired(guest: Guest, chosen: list[Case]):
    """Guest and host with the SAs of all these cases."""
    children = [child_of(case, number) for number, case in enumerate(chosen)]
    lines = []
    for number, (case, child) in enumerate(zip(chosen, children, strict=True), 1):
        mixed = case.inner != case.outer
        lines += [state(sa, number, first=case.first, mixed=mixed) for sa in (*child.outbound, *child.inbound)]
        lines += policies(child, number)
    (guest.share / "batch").write_text("\n".join(lines) + "\n")
    guest.run("ip", "-batch", "/share/batch")
    guest.script(f"""
        set -e
        ip address replace {INNER_THEIRS[4]}/32 dev lo
        ip address replace {INNER_THEIRS[6]}/128 dev lo
        ip route replace 10.78.0.0/16 via 10.77.0.1
        ip route replace 10.79.0.0/16 via 10.77.0.1 src {INNER_THEIRS[4]}
        ip route replace fd78::/64 via fd77::1
        ip route replace fd79::/64 via fd77::1 src {INNER_THEIRS[6]}
        ping -c 1 -W 2 10.77.0.1 >/dev/null
        ping -c 1 -W 2 fd77::1 >/dev/null
    """)
    host = WireHost(guest, DataPath(random=Random(7).randbytes, limits=PathLimits(replies_per_second=10**6)))
    try:
        spd = Spd(tuple(entry_of(child, case) for case, child in zip(chosen, children, strict=True)))
        host.apply(spd, children)
        for case, child in zip(chosen, children, strict=True):
            if case.first:
                start_at(host, child, case.first)
        yield host, children
    finally:
        host.close()
        guest.forget()


def we_ask(host: WireHost, chosen: list[Case], children: list[ChildSa]) -> list[str]:
    """Ping through every contract, in every size; what was not answered."""
    lost = []
    for case, child in zip(chosen, children, strict=True):
        wanted = {octets: host.ping(child, octets) for octets in OUR_SIZES}
        if not host.run(5, set(wanted.values())):
            sizes = [octets for octets, number in wanted.items() if number not in host.pongs]
            lost.append(f"{case.name}: no answer to pings of {sizes} octets")
    return lost


def they_ask(guest: Guest, host: WireHost, chosen: list[Case], children: list[ChildSa]) -> list[str]:
    """Datagrams from the guest through every contract, in every size, that we echo; what it missed."""
    lines, about = [], []
    for case, child in zip(chosen, children, strict=True):
        for octets in THEIR_SIZES:
            lines.append(f"{child.selector.destination} {child.selector.source} {octets}")
            about.append(f"{case.name}: no echo of {octets} octets came back")
    (guest.share / "ask").write_text("\n".join(lines) + "\n")
    words = [LAB / "uml-host", "exec", guest.name, "--", LAB / "guest-udp", "ask", "/share/ask"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        with suppress(subprocess.TimeoutExpired):
            while process.poll() is None:
                host.run(0.2)
        missed, _ = process.communicate()
    assert process.returncode == 0
    return [about[int(number)] for number in missed.split()]


def test_every_combination(linux_guest):
    chosen = [*cases()]
    with wired(linux_guest, chosen) as (host, children):
        findings = we_ask(host, chosen, children) + they_ask(linux_guest, host, chosen, children)
        findings += [f"dropped by us: {one}" for one in host.drops]
        findings += [f"in clear on the wire: {packet.hex()}" for packet in host.clear[:5]]
        findings += [f"the kernel counts {errors}" for errors in [linux_guest.xfrm_errors()] if errors]
        assert not findings, "\n".join(findings)
        for case, child in zip(chosen, children, strict=True):
            statistics = host.engine.statistics(child.id)
            assert statistics.packets_in >= len(OUR_SIZES) + len(THEIR_SIZES), case.name


@pytest.mark.parametrize("case", [Case(one, Mode.TRANSPORT, 4, 4) for one in COMMON], ids=lambda case: case.name)
def test_the_kernel_drops_what_was_bent_or_replayed(linux_guest, case):
    before = Counter(linux_guest.xfrm_errors())
    with wired(linux_guest, [case]) as (host, [child]):
        assert host.run(2, {host.ping(child, 100)})
        [good] = host.sent[child.id]
        host.transmit(good)
        contract = host.engine._state.contracts[child.id]
        packet = ip_packet(child.selector.source.first, child.selector.destination.first, 1, b"")
        [fresh] = contract.outlet.seal_many([packet])
        host.transmit(fresh[:-1] + bytes((fresh[-1] ^ 1,)))
        eventually(lambda: sum(linux_guest.xfrm_errors().values()) >= before.total() + 2)
        assert Counter(linux_guest.xfrm_errors()) - before == {"XfrmInStateSeqError": 1, "XfrmInStateProtoError": 1}


@pytest.mark.parametrize("case", [Case(one, Mode.TUNNEL, 6, 4) for one in COMMON], ids=lambda case: case.name)
def test_we_drop_what_was_bent_or_replayed(linux_guest, case):
    with wired(linux_guest, [case]) as (host, [child]):
        pongs, receive = [], host.engine.inbound
        host.engine.inbound = lambda packets, now: pongs.extend(packets) or []
        host.ping(child, 100)
        host.run(0.5)
        host.engine.inbound = receive
        [pong] = pongs
        bent = pong[:-1] + bytes((pong[-1] ^ 1,))
        verdicts = host.engine.inbound([bent, pong, pong, bent], 0)
        assert [getattr(verdict, "reason", "fine") for verdict in verdicts] == [
            Drop.BAD_ICV, "fine", Drop.REPLAYED, Drop.REPLAYED,
        ]  # fmt: skip
        assert host.engine.counters.dropped[Drop.REPLAYED] == 2
