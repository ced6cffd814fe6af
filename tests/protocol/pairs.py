# SPDX-License-Identifier: Apache-2.0
"""Two hosts on a wire in memory, and what must be true of them in the end."""

from dataclasses import dataclass

from ringfence.databases.sa import ChildSa
from ringfence.databases.selector import Selector
from ringfence.datapath.esp import EspOpen, EspSeal, Opened
from ringfence.ike.engine import IkeEngine, IkeSettings
from ringfence.ike.lifetime import IkeState
from ringfence.net.address import format_address
from ringfence.testing.hosts import ENTRY, HostPolicy
from ringfence.testing.network import PERFECT, Link, MemoryHost, MemoryNetwork, path_between
from ringfence.testing.random import SeededRandom

A, B = "192.0.2.1", "192.0.2.2"
POLICY = HostPolicy(A, B)


@dataclass(slots=True)
class Pair:
    """Two hosts with policies that fit, or that a test makes misfit."""

    network: MemoryNetwork
    a: MemoryHost
    b: MemoryHost
    policy_a: HostPolicy
    policy_b: HostPolicy

    def wish(self, host: MemoryHost) -> None:
        """A packet of ``host`` wants protection."""
        policy = self.policy_a if host is self.a else self.policy_b
        self.network.acquire(host, ENTRY, policy.flow())

    def run(self, seconds: float) -> None:
        self.network.run(seconds)

    def restart(self, host: MemoryHost, seed: object = "again") -> MemoryHost:
        """A host loses all it had in memory, and comes back with its policy."""
        policy = self.policy_a if host is self.a else self.policy_b
        new = start(self.network, policy, seed)
        if host is self.a:
            self.a = new
        else:
            self.b = new
        return new

    def selectors(self) -> set[Selector]:
        """Of all contracts that the hosts send by, seen from a."""
        mine = {child.selector for child in self.a.outbound.values()}
        return mine | {child.selector.reversed() for child in self.b.outbound.values()}


def start(network: MemoryNetwork, policy: HostPolicy, seed: object, settings: IkeSettings | None = None) -> MemoryHost:
    """A host that follows ``policy``."""
    engine = IkeEngine(random=SeededRandom(f"{policy.local} {seed}"), settings=settings or IkeSettings())
    host = network.add(policy.local, engine)
    network.do(host, engine.apply(*policy.compiled(), network.now))
    return host


def pair(
    policy: HostPolicy = POLICY,
    other: HostPolicy | None = None,
    *,
    seed: object = 0,
    link: Link = PERFECT,
    settings: IkeSettings | None = None,
) -> Pair:
    """Two hosts, the other with the mirrored policy unless it has its own."""
    network = MemoryNetwork(str(seed), link)
    other = other or policy.mirrored()
    return Pair(network, start(network, policy, seed, settings), start(network, other, seed, settings), policy, other)


def talk(both: Pair) -> None:
    """Packets both ways: who has nothing to send by wishes it, and who gets what it cannot open says so."""
    for sender, receiver in ((both.a, both.b), (both.b, both.a)):
        child = sender.using()
        if child is None:
            both.wish(sender)
        elif receives(receiver, child) is None:
            sa = child.outbound[-1]
            path = path_between(format_address(receiver.address), format_address(sender.address))
            both.network.do(receiver, receiver.engine.unknown_spi(sa.protocol, sa.spi, path, both.network.now))


def keys(sas: tuple) -> list[tuple]:
    """All that makes two ends of an SA the same."""
    return [
        (sa.protocol, sa.spi, sa.mode, sa.source, sa.destination, sa.cipher, sa.cipher_key.reveal(), sa.authenticator,
         sa.authenticator_key.reveal(), sa.esn)
        for sa in sas
    ]  # fmt: skip


def receives(receiver: MemoryHost, child: ChildSa) -> ChildSa | None:
    """The contract by which ``receiver`` takes what is sent by ``child``."""
    return next((each for each in receiver.inbound.values() if keys(each.inbound) == keys(child.outbound)), None)


def assert_one_pair(pair: Pair, selector: Selector | None = None) -> tuple[ChildSa, ChildSa]:
    """Each host sends by one contract, the other receives by it, and it is the same contract both ways."""
    a, b = pair.a.using(selector), pair.b.using(selector.reversed() if selector else None)
    assert a is not None, "a sends by nothing"
    assert b is not None, "b sends by nothing"
    assert keys(a.outbound) == keys(b.inbound)
    assert keys(b.outbound) == keys(a.inbound)
    assert receives(pair.b, a) is b
    assert receives(pair.a, b) is a
    assert traffic(a, b)
    assert traffic(b, a)
    return a, b


def assert_nothing_left(host: MemoryHost) -> None:
    """Neither contracts nor IKE SAs nor deadlines."""
    assert not host.inbound
    assert not host.outbound
    assert host.engine.ike_sas() == ()
    assert host.engine.child_sas() == ()
    assert host.engine.next_timer() is None


def traffic(sender: ChildSa, receiver: ChildSa) -> bool:
    """Whether what one seals by the innermost SA, the other opens: the keys are really the same."""
    out, into = sender.outbound[0], receiver.inbound[0]
    if out.cipher is None:
        return out.authenticator_key == into.authenticator_key
    payload = b"\x08\0" + bytes(30)
    opened = EspOpen(into).open(EspSeal(out, SeededRandom("iv")).seal(1, payload))
    return isinstance(opened, Opened) and bytes(opened.payload) == payload


def assert_tidy(both: Pair) -> None:
    """One pair in use, nothing else that could be used, nothing under negotiation."""
    a, b = assert_one_pair(both)
    for host, child in ((both.a, a), (both.b, b)):
        assert list(host.inbound) == [child.id]
        assert list(host.outbound) == [child.id]
        assert not [info for info in host.engine.ike_sas() if info.state is IkeState.NEGOTIATING]
