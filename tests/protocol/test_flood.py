# SPDX-License-Identifier: Apache-2.0
"""Ten thousand negotiations a second begin from forged addresses: honest peers are served, and nothing grows.

In both versions of IKE; whether the peer knows cookies of IKEv1 or not, the forged offers are like its own or each is
another. Who really is at many addresses can fill the table of half-open negotiations, and shuts nobody out.
"""

import pytest

from protocol.pairs import POLICY, Pair, assert_one_pair, pair, start
from ringfence.audit import FirstMessagesFlood
from ringfence.databases.pad import Pad
from ringfence.ike.effects import LogIkeV2Keys, Report, SendMessage
from ringfence.ike.engine import IkeEngine, IkeSettings
from ringfence.ike.flood import FloodLimits
from ringfence.ike.header import HEADER_OCTETS, Header
from ringfence.ike.v2.numbers import Kind
from ringfence.net.address import Endpoint, Path, parse_address
from ringfence.testing.hosts import ENTRY, HostPolicy
from ringfence.testing.network import Link, MemoryHost, MemoryNetwork, path_between
from ringfence.testing.random import SeededRandom

SERVER, HONEST = "192.0.2.2", "10.77.0.9"
LINK = Link((0.04, 0.04))
STEP_S = 0.005
PER_STEP = 50
"""Ten thousand a second."""
LIMITS = FloodLimits()


def server_policy(version: int) -> HostPolicy:
    """Anybody in 10.0.0.0/8 may begin."""
    return HostPolicy(SERVER, "10.0.0.0/8", keying=(version,), initiate=False)


def first_message(version: int, random: SeededRandom) -> bytes:
    engine = IkeEngine(random=random)
    policy = HostPolicy(HONEST, SERVER, keying=(version,))
    engine.apply(*policy.compiled(), 0.0)
    effects = engine.acquire(ENTRY, policy.flow(), 0.0)
    return next(effect.datagram for effect in effects if isinstance(effect, SendMessage))


def with_another_vendor(message: bytes, random: SeededRandom) -> bytes:
    """The same with a payload in front that no other message has: a vendor id, in either version."""
    kind = 13 if message[17] == 0x10 else 43
    octets = message[:16] + bytes([kind]) + message[17:HEADER_OCTETS] + message[16:17] + b"\0\0\x14" + random(16)
    octets += message[HEADER_OCTETS:]
    return octets[:24] + len(octets).to_bytes(4) + octets[28:]


class Flood:
    """Whoever sends first messages to one host, and throws its answers away."""

    def __init__(self, host: MemoryHost, message: bytes, *, always_others: bool = False) -> None:
        self.host, self.message, self.others = host, message, always_others
        self.random = SeededRandom("flood")
        self.sent = self.answered = 0
        self.told: list[FirstMessagesFlood] = []

    def send(self, count: int, now: float) -> None:
        for _ in range(count):
            message = self.random(8) + self.message[8:]
            message = with_another_vendor(message, self.random) if self.others else message
            path = Path(Endpoint(self.host.address, 500), Endpoint(b"\x0a" + self.random(3), 500))
            for effect in self.host.engine.receive(message, path, now):
                assert isinstance(effect, SendMessage | Report | LogIkeV2Keys)
                self.answered += isinstance(effect, SendMessage)
                if isinstance(effect, Report) and isinstance(effect.event, FirstMessagesFlood):
                    self.told.append(effect.event)
            self.sent += 1


def under_flood(network: MemoryNetwork, flood: Flood, seconds: float) -> None:
    for _ in range(round(seconds / STEP_S)):
        flood.send(PER_STEP, network.now)
        network.run(STEP_S)


def besieged(version: int, link: Link = LINK, settings: IkeSettings | None = None) -> Pair:
    network = MemoryNetwork("flood", link)
    server, honest = server_policy(version), HostPolicy(HONEST, SERVER, keying=(version,))
    return Pair(network, start(network, honest, 0), start(network, server, 0, settings), honest, server)


@pytest.fixture
def others(monkeypatch):
    """No one says that it knows cookies of IKEv1, as strangers' products do not."""
    monkeypatch.setattr("ringfence.ike.v1.firsts.KNOW_COOKIES", (b"nobody",))


def served(version: int, *, always_others: bool = False) -> tuple[Pair, Flood]:
    both = besieged(version)
    flood = Flood(both.b, first_message(version, SeededRandom("attacker")), always_others=always_others)
    under_flood(both.network, flood, 0.5)
    began = both.network.now
    both.wish(both.a)
    while both.a.using() is None and both.network.now < began + 1:
        under_flood(both.network, flood, STEP_S)
    assert both.network.now < began + 1, "the honest peer has to wait for a second and more"
    both.run(2)
    assert_one_pair(both)
    return both, flood


def assert_bounded(both: Pair) -> None:
    assert len(both.b.engine.ike_sas()) <= LIMITS.cookies_from + 1
    both.run(60)
    assert len(both.b.engine.ike_sas()) == 1, "of strangers nothing is left"


def test_ikev2_without_any_state_before_the_cookie():
    both, flood = served(2)
    assert flood.sent >= 5000
    assert flood.answered == flood.sent
    assert_bounded(both)


def test_ikev2_and_every_first_message_another():
    both, _ = served(2, always_others=True)
    assert_bounded(both)


def test_ikev1_whose_peers_know_cookies():
    both, _ = served(1)
    assert len(both.b.engine._doorway._firsts) == 0, "nothing at all is kept"
    demands = [each for each in both.a.sent if Header.decode(each[:HEADER_OCTETS]).responder_cookie != bytes(8)]
    assert demands[0][16:] == both.a.sent[0][16:], "our first message once more, with the cookie"
    assert_bounded(both)


def test_ikev1_whose_peers_know_nothing_of_cookies(others):
    both, flood = served(1)
    assert flood.answered == flood.sent
    assert len(both.b.engine._doorway._firsts) == flood.sent - LIMITS.cookies_from
    assert_bounded(both)


def test_ikev1_and_every_first_message_another(others):
    """An offer that somebody has gone on with before is known; all others share what is read per second."""
    both = besieged(1)
    flood = Flood(both.b, first_message(1, SeededRandom("attacker")))
    flood.send(LIMITS.cookies_from, 0.0)
    earlier = HostPolicy("10.77.0.8", SERVER)
    known = start(both.network, earlier, "earlier")
    both.network.acquire(known, ENTRY, earlier.flow())
    both.run(1)
    assert known.using() is not None
    flood.others = True
    under_flood(both.network, flood, 1.0)
    assert flood.answered < flood.sent / 2
    began = both.network.now
    both.wish(both.a)
    while both.a.using() is None and both.network.now < began + 1:
        under_flood(both.network, flood, STEP_S)
    assert both.network.now < began + 1
    offers = both.b.engine._doorway._firsts
    assert len(offers._seen) <= 1024


def test_first_messages_that_wait_are_bounded_in_number_and_time(others):
    both = besieged(1, settings=IkeSettings(flood=FloodLimits(firsts=300)))
    flood = Flood(both.b, first_message(1, SeededRandom("attacker")))
    flood.send(1000, 0.0)
    firsts = both.b.engine._doorway._firsts
    assert len(firsts) == 300
    both.run(40)
    flood.send(1, both.network.now)
    assert len(firsts) == 0, "by day they are forgotten"


def test_a_flood_is_told_once_and_not_by_message():
    both = besieged(2)
    flood = Flood(both.b, first_message(2, SeededRandom("attacker")))
    under_flood(both.network, flood, 0.5)
    (event,) = flood.told
    assert (event.count, event.half_open) == (1, LIMITS.cookies_from)


@pytest.mark.parametrize("version", [1, 2])
def test_a_table_full_of_real_addresses_shuts_nobody_out(version):
    """They bring every cookie back, and never prove who they are."""
    limits = FloodLimits(half_open=100)
    both = besieged(version, settings=IkeSettings(flood=limits))
    for number in range(400):
        policy = HostPolicy(f"10.1.{number >> 8}.{number & 255}", SERVER, keying=(version,), key=b"none that is right")
        robot = IkeEngine(random=SeededRandom(number))
        robot.apply(*policy.compiled(), 0.0)
        say(robot, robot.acquire(ENTRY, policy.flow(), 0.0), both)
    assert len(both.b.engine.ike_sas()) == limits.half_open
    both.wish(both.a)
    both.run(1)
    assert_one_pair(both)


def say(robot: IkeEngine, effects: list, both: Pair) -> None:
    """A robot says what is said in clear, and then no more."""
    now = both.network.now
    for _ in range(3):
        back = []
        for sent in [each for each in effects if isinstance(each, SendMessage) and in_clear(each.datagram)]:
            path = Path(sent.path.remote, sent.path.local)
            back += [each for each in both.b.engine.receive(sent.datagram, path, now) if isinstance(each, SendMessage)]
        effects = []
        for each in back:
            effects += robot.receive(each.datagram, Path(each.path.remote, each.path.local), now)


def in_clear(message: bytes) -> bool:
    header = Header.decode(message[:HEADER_OCTETS])
    return header.exchange == Kind.IKE_SA_INIT if header.major == 2 else not header.encrypted


def test_a_cookie_of_ikev1_is_good_for_its_message_alone():
    both = besieged(1)
    flood = Flood(both.b, message := first_message(1, SeededRandom("attacker")))
    flood.send(LIMITS.cookies_from, 0.0)
    engine, here, there = both.b.engine, path_between(SERVER, HONEST), path_between(SERVER, "10.77.0.10")
    (demand, *_) = [each for each in engine.receive(message, here, 0.0) if isinstance(each, SendMessage)]
    cookie = demand.datagram[-8:]
    assert len(engine.ike_sas()) == LIMITS.cookies_from

    def with_cookie(first: bytes, path: Path) -> int:
        engine.receive(first[:8] + cookie + first[16:], path, 0.0)
        return len(engine.ike_sas()) - LIMITS.cookies_from

    assert with_cookie(message, there) == 0
    assert with_cookie(b"whatever" + message[8:], here) == 0
    assert with_cookie(message, here) == 1
    assert with_cookie(message, here) == 1


def test_a_forged_demand_for_a_cookie_costs_a_message_at_most():
    both = pair(POLICY)
    forger = besieged(1)
    Flood(forger.b, first_message(1, SeededRandom("attacker"))).send(LIMITS.cookies_from, 0.0)
    forged: list[bool] = []

    def forge(datagram: bytes, path: Path) -> bool:
        if not forged:
            forged.append(True)
            demand = forger.b.engine.receive(datagram, path_between(SERVER, HONEST), 0.0)
            message = next(each.datagram for each in demand if isinstance(each, SendMessage))
            for _ in range(20):
                both.network.inject(message, Path(path.remote, path.local))
            return False
        return True

    both.network.passes = forge
    both.wish(both.a)
    both.run(30)
    assert_one_pair(both)
    asked = [each for each in both.a.sent if each[8:16] != bytes(8) and each[18] == 2 and each[16] == 1]
    assert len(asked) == 5


def test_a_policy_that_changes_while_first_messages_wait(others):
    """What was answered by the old policy begins by the new one."""
    both = besieged(1)
    flood = Flood(both.b, first_message(1, SeededRandom("attacker")))
    flood.send(LIMITS.cookies_from, 0.0)
    both.wish(both.a)
    both.run(0.05)
    spd, _ = server_policy(1).compiled()
    both.network.do(both.b, both.b.engine.apply(spd, Pad(()), both.network.now))
    both.run(0.5)
    assert both.a.using() is None
    assert not [info for info in both.b.engine.ike_sas() if info.path.remote.address == parse_address(HONEST)]
