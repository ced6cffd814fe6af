# SPDX-License-Identifier: Apache-2.0
"""Every order in which messages of two hosts and an attacker can arrive, state by state.

Two hosts know a key. The attacker is on the wire: at the address of either there is also one of his engines, which
knows everything but the key. Each message may be delivered to the host that it is for, to the attacker in its place, or
back to who sent it, as if the other had said it; as often as one likes, at once, later or never; and time may pass.

An engine cannot be copied, so a state is the list of steps that lead to it, played anew. What two states have in common
for an engine, their shape, is all that decides what may follow, so of states with the same shape one is followed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from protocol.pairs import A, B, keys
from ringfence.audit import MainModeEstablished, MessageExchanged, MessageIgnored, QuickModeEstablished
from ringfence.ike.effects import Effect, InstallInbound, InstallOutbound, RemoveChild, Report, SendMessage
from ringfence.ike.engine import IkeEngine
from ringfence.net.address import Path
from ringfence.testing.hosts import ENTRY, HostPolicy
from ringfence.testing.network import MemoryHost
from ringfence.testing.random import SeededRandom

HONEST = ("a", "b")
AT = {"a": A, "b": B, "x": A, "y": B}
"""Where each is: x is the attacker in the place of a, y in that of b."""
ACROSS = {A: ("b", "y"), B: ("a", "x")}
"""Who is at the other address."""
TICK, RENEW, RENEW_IKE = -1, -2, -3
PATIENCE_S = 60.0

Step = tuple[int, str]
"""Which message, and who gets it; or what else happens: time passes until somebody has to do something, or somebody
renews what it has."""
Steps = tuple[Step, ...]


@dataclass(slots=True)
class Sent:
    """A message on the wire."""

    datagram: bytes
    path: Path
    """The sender's."""
    sender: str
    got: set[str] = field(default_factory=set)
    counted: set[str] = field(default_factory=set)
    """Who took it for what it is; who only got it may do so when it comes again, as after a collision."""


class Wire:
    """The four, and all that they have said."""

    def __init__(self, start: "Start") -> None:
        policy = start.policy
        self.now = 0.0
        self.sent = [Sent(each.datagram, each.path, each.sender) for each in start.old]
        self.hosts: dict[str, MemoryHost] = {}
        self.policies: dict[str, HostPolicy] = {}
        for name, address in AT.items():
            one = policy if address == A else policy.mirrored()
            if name not in HONEST:
                one = one.with_(key=start.guess)
            engine = IkeEngine(random=SeededRandom(f"{start.seed} {name}"))
            self.policies[name], self.hosts[name] = one, MemoryHost(bytes(map(int, address.split("."))), engine)
            self.perform(name, engine.apply(*one.compiled(), 0.0))
        for name in start.wishes:
            host = self.hosts[name]
            self.perform(name, host.engine.acquire(ENTRY, self.policies[name].flow(), 0.0))

    def perform(self, name: str, effects: list[Effect]) -> None:
        for effect in effects:
            message = self.hosts[name].perform(effect, self.now)
            if isinstance(message, SendMessage) and all(message.datagram != each.datagram for each in self.sent):
                self.sent.append(Sent(message.datagram, message.path, name))

    def steps(self) -> Iterator[Step]:
        """What may happen next."""
        for number, sent in enumerate(self.sent):
            for receiver in (*ACROSS[AT[sent.sender]], *((sent.sender,) if sent.sender in HONEST else ())):
                yield number, receiver
        if any(host.engine.next_timer() is not None for host in self.hosts.values()):
            yield TICK, ""

    def take(self, step: Step) -> None:
        """Let it happen; raises AssertionError where it must not."""
        number, receiver = step
        if number < 0:
            self._do(number, receiver)
            return
        sent = self.sent[number]
        path = Path(sent.path.remote, sent.path.local) if receiver != sent.sender else sent.path
        effects = self.hosts[receiver].engine.receive(sent.datagram, path, self.now)
        if receiver in sent.counted:
            assert not [each for each in effects if changes(each)], f"message {number} counts twice for {receiver}"
        sent.got.add(receiver)
        if counts(effects):
            sent.counted.add(receiver)
        self.perform(receiver, effects)

    def _do(self, what: int, name: str) -> None:
        if what == TICK:
            self._wait()
            return
        host = self.hosts[name]
        engine, child = host.engine, host.using()
        if what == RENEW and child is not None:
            self.perform(name, engine.rekey_child(child.id, self.now, "explored"))
        elif what == RENEW_IKE:
            engine._world.env.now = self.now
            for session in [each for each in engine._sessions if each.usable][:1]:
                engine._pursuit.renew_ike(session)
            self.perform(name, engine._done())

    def _wait(self) -> None:
        times = [when for host in self.hosts.values() if (when := host.engine.next_timer()) is not None]
        if not times or min(times) > self.now + PATIENCE_S:
            return
        self.now = max(self.now, min(times))
        for name, host in self.hosts.items():
            self.perform(name, host.engine.tick(self.now))

    def check(self) -> None:
        """Nobody has anything with the attacker, and what one of the two has, the other has agreed to."""
        for name in ("x", "y"):
            assert not self.hosts[name].outbound, "the attacker has a contract"
            assert not self.hosts[name].of(MainModeEstablished), "the attacker has an IKE SA"
        for name, other in (HONEST, HONEST[::-1]):
            mine, theirs = self.hosts[name], self.hosts[other]
            prepared = [
                keys(effect.child.inbound) for _, effect in theirs.timeline if isinstance(effect, InstallInbound)
            ]
            for child in mine.outbound.values():
                agreed = keys(child.outbound) in prepared or self._is_early(name, child.id)
                assert agreed, f"{name} sends by what {other} has not agreed to"
            for event in mine.of(MainModeEstablished):
                assert event.remote_identity == AT[other]
            if mine.of(MainModeEstablished):
                known = {each.key for each in theirs.keys} | {(each.ei, each.er) for each in theirs.logged}
                own = {each.key for each in mine.keys} | {(each.ei, each.er) for each in mine.logged}
                assert known & own, f"{name} has an IKE SA with somebody who is not {other}"

    def _is_early(self, name: str, child_id: int) -> bool:
        """Whether it was granted by a responder of IKEv2, which may send by it before its answer has arrived."""
        engine = self.hosts[name].engine
        record = engine._world.children.get(child_id)
        session = record and engine._sessions.get(record.ike_id)
        return bool(session) and session.version == 2 and not record.initiator

    def shape(self) -> tuple:
        """What decides what may follow: where each exchange of each host is, and which messages each has had."""
        engines = tuple((name, *sorted(map(_session, host.engine._sessions)), _children(host))
                        for name, host in self.hosts.items())  # fmt: skip
        return engines, tuple((each.sender, tuple(sorted(each.got))) for each in self.sent)

    def over(self) -> bool:
        """Whether both of the two have what they wanted."""
        return all(self.hosts[name].outbound for name in HONEST)


def counts(effects: Sequence[Effect]) -> bool:
    """Whether a message was heard, and not ignored all the same."""
    events = [effect.event for effect in effects if isinstance(effect, Report)]
    heard = any(isinstance(event, MessageExchanged) and not event.sent for event in events)
    return heard and not any(isinstance(event, MessageIgnored) for event in events)


def changes(effect: Effect) -> bool:
    """Whether it is more than an answer."""
    made = isinstance(effect, Report) and isinstance(effect.event, MainModeEstablished | QuickModeEstablished)
    return made or isinstance(effect, InstallInbound | InstallOutbound | RemoveChild)


def _session(session) -> tuple:
    talk = session._talk
    if session.version == 1:
        under_way = talk.main.number if talk.main else 0, tuple(sorted(each.number for each in talk.quick.values()))
    else:
        kinds = tuple(str(each.kind) for each in talk.exchanges)
        under_way = talk._next_id, talk._expected, kinds
    return session.version, session.state.name, session.initiator, under_way


def _children(host: MemoryHost) -> tuple:
    return len(host.inbound), len(host.outbound), len(host.removed)


@dataclass(frozen=True, slots=True)
class Start:
    """What a play begins with."""

    policy: HostPolicy
    wishes: tuple[str, ...] = ("a",)
    seed: str = "exploring"
    guess: bytes = b"what the attacker hopes"
    """The attacker's key."""
    old: tuple[Sent, ...] = ()
    """Messages of a life before, under the same key."""


def played(start: Start, steps: Steps) -> Wire:
    """The state that these steps lead to."""
    wire = Wire(start)
    for step in steps:
        wire.take(step)
    return wire


def life(start: Start, *events: Step) -> Steps:
    """The steps of a life without any attacker: all that is said arrives, and then comes the next of ``events``."""
    steps, left = list[Step](), list(events)
    while True:
        wire = played(start, tuple(steps))
        late = [
            (number, ACROSS[AT[sent.sender]][0])
            for number, sent in enumerate(wire.sent)
            if number >= len(start.old) and sent.sender in HONEST and not sent.got & set(HONEST)
        ]
        if late:
            steps.append(late[0])
        elif left:
            steps.append(left.pop(0))
        else:
            return tuple(steps)


def with_a_past(start: Start, *events: Step) -> Start:
    """The same, and everything that was said in a life before."""
    before = replace(start, seed="before")
    return replace(start, old=tuple(played(before, life(before, *events)).sent))


@dataclass(slots=True)
class Explored:
    """What was seen."""

    states: int = 0
    plays: int = 0
    over: int = 0
    """States in which both have their contract."""
    deepest: int = 0
    whole: bool = True
    """Whether nothing was left out within the depth."""


def explore(start: Start, begins: Sequence[Steps] = ((),), *, depth: int, most: int) -> Explored:
    """All states up to a depth behind each of ``begins``, or as many as ``most`` plays lead to, shallow ones first."""
    found, seen = Explored(), set()
    front = [*begins]
    for level in range(depth):
        behind: list[Steps] = []
        for steps in front:
            for step in tuple(played(start, steps).steps()):
                if found.plays >= most:
                    found.whole = False
                    return found
                wire = played(start, (*steps, step))
                found.plays += 1
                wire.check()
                shape = wire.shape()
                if shape in seen:
                    continue
                seen.add(shape)
                found.states += 1
                found.over += wire.over()
                found.deepest = level + 1
                behind.append((*steps, step))
        front = behind
    return found
