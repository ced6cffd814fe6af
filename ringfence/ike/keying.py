# SPDX-License-Identifier: Apache-2.0
"""Which version of IKE is tried with a peer, when the next one is, and what a peer has spoken before.

A rule names versions in order. The first is begun with; a peer that has chosen nothing of it after a moment is tried
with the next one as well, beside it, so that nobody waits for the silence of a peer that speaks the other. What a peer
proves itself by counts. If that is not the first version, the first one gets a few seconds more, since perhaps only a
packet was lost: should it come through, it takes over. Else the change is told.

What can an attacker make of that? Who sees none of our packets: nothing, for an answer needs our SPI. Who can drop
them: make a peer look as if it spoke the later version only. So what a peer has proved itself by is remembered: one
that spoke the rule's first version within the hour is not begun with by a later one, however silent it is. A failed
proof, a wrong identity, a refused contract, or silence behind a first answer never lead to another version. For a
peer never heard of, only a rule with one version is safe from whoever sits in between; the event says that it happened.

IKEv2 has a second way to be tried, TCP, where a rule says so (RFC 9329 §5.1). It comes last and later, since it costs
speed; it is no less secure, so what was known of a peer does not keep it from being tried. A peer that came by it is
begun with by it again for a while, and UDP beside it.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from ringfence.audit import KeyingChanged, KeyingKept
from ringfence.databases.pad import PadEntry
from ringfence.databases.tcp import PORT
from ringfence.ike.association import IkeSa
from ringfence.ike.effects import Effect, Report
from ringfence.ike.errors import Reason
from ringfence.ike.header import NO_COOKIE
from ringfence.ike.info import IKE_PORT, peer_of
from ringfence.ike.lifetime import IkeState
from ringfence.ike.sessions import Clock, Due, Sessions
from ringfence.ike.wishes import Wish
from ringfence.ike.world import World
from ringfence.net.address import Endpoint, Path

UNSPOKEN = (Reason.PEER_SILENT, Reason.VERSION, Reason.NO_PROPOSAL, Reason.PEER_REFUSED)
"""What a peer that does not speak a version of IKE, or not with us, makes of our first message."""
FIRST_S = 3600.0
"""How long a peer is remembered that has proved itself by the first version of its rule."""
LATER_S = 600.0
"""Likewise by a later one: it is begun with by that, and the first is tried beside it."""
MOST_KEPT = 4096

Who = tuple[bytes, bytes]
"""Our address and the peer's."""


class Try(NamedTuple):
    """One way to begin."""

    version: int
    tcp: bool = False

    def __str__(self) -> str:
        return f"ikev{self.version}" + ("-tcp" if self.tcp else "")


BY_TCP = Try(2, tcp=True)
NEVER = (Try(0), 0.0)


class Keyings:
    """What is tried, and what is known of peers."""

    def __init__(
        self,
        world: World,
        timers: Clock,
        sessions: Sessions,
        emit: Callable[[Effect], None],
        begin: Callable[[IkeSa, Wish | None], None],
    ) -> None:
        self._world = world
        self._timers = timers
        self._sessions = sessions
        self._emit = emit
        self._begin = begin
        self._later: dict[int, tuple[Try, ...]] = {}
        """What comes after an IKE SA that is being tried, by its id."""
        self._why: OrderedDict[Who, str] = OrderedDict()
        """What became of the first version."""
        self._spoken: OrderedDict[Who, tuple[Try, float]] = OrderedDict()
        """By what a peer has proved itself last, and when."""

    def follow(self, *, changed: bool) -> None:
        """Where peers authenticate in another way than before, nothing that was known of them counts."""
        if changed:
            self._spoken.clear()
            self._why.clear()

    # Trying --------------------------------------------------------------------------------------------------------

    def begin(self, path: Path, entry: PadEntry, rule: str, wish: Wish | None = None) -> None:
        """Begin an IKE SA, by the version that promises most."""
        self._why.pop(_who(path), None)
        self._try(path, entry, rule, self._order(entry, path), wish)

    def _order(self, entry: PadEntry, path: Path) -> tuple[Try, ...]:
        """What to try, in order."""
        last = self._last(path, entry.keying)
        versions = entry.keying
        if last in versions:
            versions = last, *versions[: versions.index(last)]
        if entry.tcp is None or 2 not in versions:
            return tuple(map(Try, versions))
        if entry.tcp.only:
            return (BY_TCP,)
        by_udp = tuple(map(Try, versions))
        return (BY_TCP, *by_udp) if self._came_by_tcp(path) else (*by_udp, BY_TCP)

    def _last(self, path: Path, keying: tuple[int, ...]) -> int:
        """The version that the peer has proved itself by, as far as that is remembered; else 0."""
        (version, _), when = self._spoken.get(_who(path), NEVER)
        lasts = FIRST_S if keying[:1] == (version,) else LATER_S
        return version if self._world.env.now - when < lasts else 0

    def _came_by_tcp(self, path: Path) -> bool:
        """Whether TCP is what the peer was last reached by, a while ago at most."""
        (_, tcp), when = self._spoken.get(_who(path), NEVER)
        return tcp and self._world.env.now - when < LATER_S

    def _dialled(self, path: Path, entry: PadEntry) -> Path:
        port = entry.tcp.port if entry.tcp else PORT
        return self._world.connections.dialled(path.local.address, path.remote.address, port)

    def _try(self, path: Path, entry: PadEntry, rule: str, order: tuple[Try, ...], wish: Wish | None) -> None:
        if order[0].tcp:
            path = self._dialled(path, entry)
        elif path.tcp:
            path = Path(Endpoint(path.local.address, IKE_PORT), Endpoint(path.remote.address, IKE_PORT))
        session = self._sessions.new(path, None, (entry,), rule, order[0].version)
        if wish is not None:
            wish.ike_id = session.id
        if order[1:]:
            self._later[session.id] = order[1:]
            settings = self._world.settings
            moment = settings.beside_tcp_s if order[1].tcp else settings.beside_s
            self._timers.set((Due.NEXT_KEYING, session.id), self._world.env.now + moment)
        self._begin(session, wish)

    def due(self, ike_id: int) -> None:
        """An IKE SA has been tried for a moment: try the next version, too, unless the peer has chosen something."""
        session = self._sessions.get(ike_id)
        if session is None or session.state is not IkeState.NEGOTIATING:
            self._later.pop(ike_id, None)
        elif session.agreed is None and self._is_beside(session):
            self._sessions.forget(session)
        elif session.cookies[1] == NO_COOKIE:
            self._next(session)

    def _is_beside(self, session: IkeSa) -> bool:
        """Whether the peer has proved itself meanwhile, by another version."""
        return any(
            other.usable and _try_of(other) != _try_of(session) and other.serves(session.entry)
            for other in self._sessions.with_peer(session.path)
        )

    def _next(self, session: IkeSa) -> bool:
        """Try the version after an IKE SA's; whether there is one."""
        order = self._later.pop(session.id, ())
        entry = self._world.pad.named(session.entry.name)
        if not order or entry is None:
            return False
        wish = next((one for one in self._world.wishes if one.ike_id == session.id and not one.nonce), None)
        self._try(session.path, entry, session.rule, order, wish)
        return True

    def failed(self, session: IkeSa, reason: Reason, detail: str) -> bool:
        """One came to nothing; whether another version is under way instead."""
        self._timers.drop((Due.NEXT_KEYING, session.id))
        entry = self._world.pad.named(session.entry.name)
        if entry is None or not session.initiator:
            return False
        if entry.keying[:1] == (session.version,):
            _remember(self._why, _who(session.path), detail)
        unspoken = reason in UNSPOKEN and self._is_open(session, reason)
        if unspoken and self._next(session):
            return True
        self._later.pop(session.id, None)
        under_way = self._sessions.negotiating(session.path, entry)
        if under_way is None and unspoken:
            self._kept(session, entry)
        return under_way is not None

    def _is_open(self, session: IkeSa, reason: Reason) -> bool:
        """Whether its failure says nothing of what comes after it.

        Who has answered the first message speaks that version. Only another way to go on in it may be missing: TCP.
        """
        if session.cookies[1] == NO_COOKIE:
            return True
        order = self._later.pop(session.id, ())
        self._later[session.id] = tuple(one for one in order if one.version == session.version)
        return reason is Reason.PEER_SILENT

    def _kept(self, session: IkeSa, entry: PadEntry) -> None:
        """Say why no later version is tried."""
        later = [f"ikev{version}" for version in entry.keying[1:]]
        if later and self._last(session.path, entry.keying) == session.version == entry.keying[0]:
            kept = KeyingKept(
                peer=peer_of(session.path), rule=session.rule, keying=f"ikev{session.version}", instead=later[0]
            )
            self._emit(Report(kept))

    # Known ---------------------------------------------------------------------------------------------------------

    def established(self, session: IkeSa) -> None:
        """A peer has proved itself: what is tried beside that ends, and a later version than the first is told."""
        self._timers.drop((Due.NEXT_KEYING, session.id))
        self._later.pop(session.id, None)
        keying = session.entry.keying
        self._tell(session, keying)
        _remember(self._spoken, _who(session.path), (_try_of(session), self._world.env.now))
        for other in self._sessions.with_peer(session.path):
            if other is session or not session.serves(other.entry):
                continue
            if _try_of(other) == _try_of(session):
                self._retract(other, session)
            elif other.state is IkeState.NEGOTIATING and other.initiator:
                self._let_go(other, better=_rank(keying, other) < _rank(keying, session))
            elif other.initiator and _rank(keying, other) > _rank(keying, session):
                wait = 2 * self._world.settings.retire_s  # its contracts that are replaced end before
                self._timers.set((Due.RETIRE_IKE, other.id), self._world.env.now + wait)

    def _retract(self, other: IkeSa, session: IkeSa) -> None:
        """The peer's beginning was first: give ours up, if the peer has not answered it, which it may never have got.

        ``Sessions.retract`` does so in IKEv1.
        """
        begun = other.version == 2 and other.initiator and other.state is IkeState.NEGOTIATING
        if begun and not session.initiator and other.cookies[1] == NO_COOKIE and not session.peer_behind_nat:
            self._let_go(other, better=False)

    def _let_go(self, other: IkeSa, *, better: bool) -> None:
        """End what is tried beside one that is made: at once, or in a while where the policy would rather have it."""
        self._later.pop(other.id, None)
        if better:
            wait = self._world.settings.prefer_s
            self._timers.set((Due.NEXT_KEYING, other.id), self._world.env.now + wait)
        else:
            self._timers.drop((Due.NEXT_KEYING, other.id))
            self._sessions.forget(other)

    def _tell(self, session: IkeSa, keying: tuple[int, ...]) -> None:
        """Tell of a later version than the first."""
        if session.version == keying[0]:
            self._tell_of_tcp(session)
            return
        who, last = _who(session.path), self._last(session.path, keying)
        if session.initiator:
            why = self._why.get(who, f"the peer has not answered IKEv{keying[0]}")
        elif _place(keying, last) < _place(keying, session.version):
            why = f"the peer began so, though it has spoken IKEv{last} with this computer"
        else:
            return
        was = f"ikev{keying[0]}"
        changed = KeyingChanged(
            peer=peer_of(session.path), rule=session.rule, was=was, now=f"ikev{session.version}", why=why
        )
        self._emit(Report(changed))

    def _tell_of_tcp(self, session: IkeSa) -> None:
        """Tell of TCP where the rule would rather have UDP, if we came to that."""
        tcp = session.entry.tcp
        if session.path.tcp and session.initiator and tcp is not None and not tcp.only:
            why, was = "the peer has not answered by UDP", Try(session.version)
            now = str(_try_of(session))
            self._emit(
                Report(KeyingChanged(peer=peer_of(session.path), rule=session.rule, was=str(was), now=now, why=why))
            )


T = TypeVar("T")


def _remember(where: OrderedDict[Who, T], who: Who, what: T) -> None:
    where[who] = what
    where.move_to_end(who)
    if len(where) > MOST_KEPT:
        where.popitem(last=False)


def _try_of(session: IkeSa) -> Try:
    return Try(session.version, session.path.tcp)


def _rank(keying: tuple[int, ...], session: IkeSa) -> tuple[int, bool]:
    """The less, the rather the policy has it."""
    return _place(keying, session.version), session.path.tcp


def _who(path: Path) -> Who:
    return path.local.address, path.remote.address


def _place(keying: tuple[int, ...], version: int) -> int:
    """How far behind the first a version is; one that is not named comes last."""
    return keying.index(version) if version in keying else len(keying)
