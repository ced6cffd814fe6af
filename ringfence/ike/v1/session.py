# SPDX-License-Identifier: Apache-2.0
"""One IKE SA of IKEv1: its main mode, its quick modes, its informational messages.

What happened in an entry comes out as a list of effects for the host and happenings for the engine, in order.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from ringfence.audit import MainModeEstablished
from ringfence.databases.pad import PadEntry
from ringfence.databases.proposal import Limits, Protocol
from ringfence.databases.sa import ChildSa
from ringfence.databases.selector import Selector
from ringfence.ike.effects import Answer
from ringfence.ike.errors import Aborted, Ignored, IkeError, Reason
from ringfence.ike.exchange import Stepper
from ringfence.ike.happening import Agreed, Confirmed, Established, Left, Output
from ringfence.ike.header import Exchange as Kind
from ringfence.ike.header import Header
from ringfence.ike.lifetime import IKE_SA_LIFE, IkeEvent, IkeState, after, stricter
from ringfence.ike.rules import Role
from ringfence.ike.v1 import beginning, informational, main_mode, quick_mode
from ringfence.ike.v1.commits import Commits
from ringfence.ike.v1.conversation import Conversation
from ringfence.ike.v1.farewells import Farewells
from ringfence.ike.v1.fragment import FRAGMENT
from ringfence.ike.v1.hearing import Hearing
from ringfence.ike.v1.payloads import AttributesPayload, SaPayload
from ringfence.ike.v1.probe import Probe
from ringfence.ike.v1.rounds import Rounds
from ringfence.ike.v1.rules import QUICK_MODE
from ringfence.ike.v1.running import AnyRunning, Running
from ringfence.ike.v1.speaker import Speaker
from ringfence.ike.v1.vendors import Vendor
from ringfence.ike.wishes import Wish, key_of
from ringfence.ike.world import World
from ringfence.net.address import Path


class Session:
    """One IKE SA."""

    version = 1

    def __init__(
        self,
        ike_id: int,
        path: Path,
        cookies: tuple[bytes, bytes],
        entries: tuple[PadEntry, ...],
        world: World,
        *,
        initiator: bool,
    ) -> None:
        self.id = ike_id
        self.born = path
        self.initiator = initiator
        self.entries = entries
        """How the peer may authenticate."""
        self.state = IkeState.NEGOTIATING
        self.agreed: main_mode.Agreed | None = None
        self.began_at = world.env.now
        self.made_at: float | None = None
        self.confirmed = False
        """Whether the peer is known to have it too."""
        self.quick_modes = 0
        """Begun by us."""
        self.peer_began_quick = False
        self._world = world
        self._voice = Speaker(path, cookies, world.env, world.clear_notifies)
        self._talk = Conversation(self._voice, world, self._finish)
        self._voice.joins = any(entry.fragmentation for entry in entries)
        self._probe = Probe(self._voice, world.env)
        self._commits = Commits(self._voice, self._talk)
        self._farewells = Farewells(self._voice, self._talk)
        self._rounds = Rounds(ike_id, self._voice, self._talk, world, self._established)
        self._hearing = Hearing(self._voice, self._talk, self._probe, self._confirm)

    # What the engine sees ------------------------------------------------------------------------------------------

    @property
    def cookies(self) -> tuple[bytes, bytes]:
        """The initiator's and the responder's."""
        return self._voice.cookies

    @property
    def path(self) -> Path:
        """Between which ends its messages go now."""
        return self._voice.path

    def hears(self, path: Path) -> bool:
        """Whether messages of it may come by ``path``."""
        return self._voice.hears(path)

    @property
    def home(self) -> Path:
        """Likewise: nothing moves."""
        return self.path

    @property
    def rule(self) -> str:
        """The policy's rule that it is made for, for people; empty where it may be any of several."""
        return self._voice.rule

    @rule.setter
    def rule(self, rule: str) -> None:
        self._voice.rule = rule

    @property
    def entry(self) -> PadEntry:
        """How the peer has authenticated, or should."""
        return self.agreed.entry if self.agreed else self.entries[0]

    @property
    def usable(self) -> bool:
        """Whether a quick mode can begin under it."""
        return self.state is IkeState.ESTABLISHED and not self._voice.ids.spent

    @property
    def next_timer(self) -> float | None:
        """When ``tick`` has something to do."""
        talk = self._talk
        times = [each.next_timer for each in talk.quick.values()] + ([talk.main.next_timer] if talk.main else [])
        times += [self._probe.due, self._farewells.next_timer]
        return min((when for when in times if when is not None), default=None)

    @property
    def busy(self) -> bool:
        """Whether an exchange is under way."""
        return self._talk.main is not None or bool(self._talk.quick) or len(self._farewells) > 0

    @property
    def retractable(self) -> bool:
        """Whether the peer has nothing without it: it is ours, and we have not said yet who we are."""
        return beginning.retractable(self._talk.main)

    @property
    def peer_behind_nat(self) -> bool:
        """Whether others may be at the peer's address."""
        return self.agreed is not None and self.agreed.nat is not None and self.agreed.nat.remote

    @property
    def peer_is_ours(self) -> bool:
        """Whether the peer is a Ringfence: it can receive by what it has answered before it is confirmed, and decides
        as we do which of two quick modes goes on.
        """
        return self.agreed is not None and Vendor.RINGFENCE in self.agreed.vendors

    def happen(self, event: IkeEvent) -> None:
        """Move on in its life."""
        self.state = after(IKE_SA_LIFE, self.state, event)

    def serves(self, entry: PadEntry | None) -> bool:
        """Whether what the peer has proved is what ``entry`` wants proved."""
        if entry is None or self.agreed is None or not main_mode.satisfies(self.agreed, entry, self.path):
            return False
        return entry.asks is None or self._world.assignments.of(self.id) is not None

    # Entries -------------------------------------------------------------------------------------------------------

    def begin(self, wish: Wish | None = None, *, first_contact: Callable[[], bool]) -> list[Output]:
        """Begin main or aggressive mode; what it is for comes behind it, in a quick mode."""
        del wish
        setting = self._setting(first_contact=first_contact)
        running = self._talk.main = beginning.begin(setting, self._world.env, self._world.settings.patience)
        self._talk.advance(running, None)
        return self._voice.drain()

    def answer(self, header: Header, datagram: bytes, *, first_contact: Callable[[], bool]) -> list[Output]:
        """Answer message 1 of such a one; raises IkeError for what is none."""
        setting, patience = self._setting(first_contact=first_contact), self._world.settings.patience
        running, message = beginning.answer(header, datagram, setting, self._world.env, patience)
        self._talk.main = running
        running.life_ends = self._world.env.now + self._world.settings.half_open_s
        self._talk.accept(running, message, datagram, b"", first=True)
        return self._voice.drain()

    def receive(self, header: Header, datagram: bytes, path: Path) -> list[Output]:
        """Take a message with this SA's cookies; never raises for what is in it."""
        self._voice.came_by = path
        try:
            if header.next_payload == FRAGMENT:
                header, datagram = self._voice.join(header, datagram)
            if datagram and not self._talk.is_duplicate(datagram):
                self._receive(header, datagram)
        except IkeError as error:
            self._voice.report_ignored(error)
        return self._left()

    def begin_quick(self, wish: Wish) -> list[Output]:
        """Begin a quick mode for ``wish``, whose nonce is drawn."""
        message_id = self._voice.new_message_id()
        wanted = quick_mode.Wanted(wish.entry, wish.selector, wish.nonce, wish.replaces)
        exchange = quick_mode.initiate(self._ground(message_id), wanted, self._world.env)
        running = self._new_quick(Stepper(exchange), Role.INITIATOR, message_id)
        running.wish = wish
        self.quick_modes += 1
        self._talk.advance(running, None)
        return self._voice.drain()

    def abandon_quick(self, wish: Wish) -> None:
        """Give up our quick mode for ``wish``, for the peer's goes on."""
        for message_id, running in list(self._talk.quick.items()):
            if running.wish is wish:
                running.stepper.close()
                del self._talk.quick[message_id]

    def delete(self, spis: Sequence[tuple[Protocol, int]], *, itself: bool = False) -> list[Output]:
        """Tell the peer that inbound SAs of ours, or this IKE SA itself, are gone."""
        if self.agreed is not None:
            self._farewells.tell(
                informational.delete_children(spis), [informational.delete_ike(*self.cookies)] if itself else [],
                reliably=Vendor.RELIABLE_DELETE in self.agreed.vendors,
            )  # fmt: skip
        return self._voice.drain()

    @property
    def answers_probes(self) -> bool:
        """Whether the peer says that it answers who asks whether it is there."""
        return self.agreed is not None and Vendor.DPD in self.agreed.vendors

    def ask_alive(self, tries: int) -> list[Output]:
        """Ask the peer whether it is there, unless that is being asked; ``PeerSilent`` if it never answers."""
        self._probe.ask(replace(self._world.settings.patience, tries=tries))
        return self._voice.drain()

    def is_alive(self) -> list[Output]:
        """There was another sign of life."""
        self._probe.answered()
        return self._voice.drain()

    def heard_from(self, path: Path) -> list[Output]:
        """An authentic packet came by ``path``."""
        self._voice.came_by = path
        self._voice.follow()
        return self._voice.drain()

    def end_exchanges(self, reason: Reason, detail: str) -> list[Output]:
        """Give up everything under way."""
        for running in list(self._talk.quick.values()):
            self._talk.fail(running, Aborted(reason, detail))
        if self._talk.main is not None:
            self._talk.fail(self._talk.main, Aborted(reason, detail))
        return self._voice.drain()

    def answered(self, ticket: int, answer: Answer) -> list[Output]:
        """The host answers what an exchange asked."""
        self._talk.answered(ticket, answer)
        return self._voice.drain()

    def tick(self) -> list[Output]:
        """Repeat what is not answered, end what takes too long."""
        self._talk.tick()
        self._probe.tick()
        self._farewells.tick()
        return self._left()

    def _left(self) -> list[Output]:
        return [*self._voice.drain(), *([Left()] if self.state is IkeState.GONE and not self.busy else [])]

    # Exchanges -----------------------------------------------------------------------------------------------------

    def _setting(self, *, first_contact: Callable[[], bool]) -> main_mode.Setting:
        return main_mode.Setting(self.path, self.entries, *self.cookies, first_contact)

    def _new_quick(self, stepper: Stepper[ChildSa], role: Role, message_id: int) -> Running[ChildSa]:
        patience = self._world.settings.patience
        running = Running(Kind.QUICK, role, message_id, stepper, QUICK_MODE[:3], patience)
        running.iv = self._voice.phase2_iv(message_id)
        self._talk.quick[message_id] = running
        return running

    def _agreed(self) -> main_mode.Agreed:
        if self.agreed is None:
            raise Ignored(Reason.UNEXPECTED, "a message that belongs behind main mode, which is not over")
        return self.agreed

    def _ground(self, message_id: int) -> quick_mode.Ground:
        made, assignments = self._agreed(), self._world.assignments
        return quick_mode.Ground(
            self.id, made.keys, self.path, made.remote, message_id, self._world.children, made.nat,
            made.entry.unanswered_s, assignments.of(self.id), assignments.leases.held(self.id),
            made.names if made.certificate else (), Vendor.CLUSTER in made.vendors,
        )  # fmt: skip

    def _contest(self) -> quick_mode.Contest:
        world, path, peer = self._world, self.path, self._agreed().remote

        def our_nonce(selector: Selector) -> bytes | None:
            return world.our_nonce(key_of(path, selector))

        def replaces(selector: Selector) -> int | None:
            return world.in_use(key_of(path, selector), peer)

        return quick_mode.Contest(world.protected_with(self.serves), our_nonce, replaces)

    def shorten(self, limits: Limits) -> None:
        """The peer, which answered, keeps it for less."""
        made = self._agreed()
        kept = stricter(made.proposal.limits, limits)
        self.agreed = replace(made, proposal=replace(made.proposal, limits=kept))

    def _finish(self, running: AnyRunning, result: object) -> None:
        match result:
            case main_mode.Agreed():
                self._rounds.begin(result, initiator=self.initiator)
            case AttributesPayload():
                self._talk.quick.pop(running.message_id, None)
                self._rounds.answered(result)
            case ChildSa():
                self._talk.quick.pop(running.message_id, None)
                self._voice.emit(Agreed(result, running.wish, connects=running.committed))
                if running.committed:
                    self._commits.add(running, result.id)

    def _established(self, made: main_mode.Agreed) -> None:
        self._talk.main = None
        self.agreed = made = made.by(self._voice.path)
        self.made_at = self._world.env.now
        self.rule = self.rule or self._world.only_rule(made.entry)
        self.happen(IkeEvent.AUTHENTICATED)
        event = MainModeEstablished(
            ike_id=self.id, peer=self._voice.peer, local_identity=str(made.local), remote_identity=str(made.remote),
            proposal=str(made.proposal), initiator=self.initiator, rule=self.rule,
            lifetime_s=made.proposal.limits.seconds,
        )  # fmt: skip
        self._voice.report(event)
        self.confirmed = self.initiator
        self._voice.wear(made.proposal.limits.octets)
        self._voice.emit(Established(made.first_contact))

    def _confirm(self) -> None:
        """An authentic message has come under the finished SA."""
        self._voice.follow()
        if self.agreed is not None and not self.confirmed:
            self.confirmed = True
            self._voice.emit(Confirmed())

    # Messages ------------------------------------------------------------------------------------------------------

    def _receive(self, header: Header, datagram: bytes) -> None:
        for waiting in (self._commits, self._farewells):
            if header.message_id in waiting:
                waiting.receive(header, datagram)
                return
        if self.state is IkeState.GONE:
            raise Ignored(Reason.UNEXPECTED, "a message of an IKE SA that has ended")
        match header.exchange:
            case Kind.MAIN | Kind.AGGRESSIVE:
                self._receive_main(header, datagram)
            case Kind.QUICK:
                self._receive_quick(header, datagram)
            case Kind.TRANSACTION:
                self._rounds.receive(header, datagram, self.agreed)
            case Kind.INFORMATIONAL:
                self._hearing.receive(header, datagram)
            case _:
                raise Ignored(Reason.EXCHANGE_TYPE, f"exchange type {header.exchange:d} is not served here")

    def _receive_main(self, header: Header, datagram: bytes) -> None:
        running = self._talk.main
        again = not self.initiator and header.responder_cookie != self.cookies[1]
        if running is None or header.message_id or again or header.exchange != running.kind:
            raise Ignored(Reason.UNEXPECTED, "a main mode message that nobody waits for")
        try:
            self._talk.take(running, header, datagram)
        except IkeError as error:
            if self._talk.main is not running:
                raise
            error = beginning.unreadable(running, header, error)
            self._talk.doubt(error, tell=True)
            raise error from None

    def _receive_quick(self, header: Header, datagram: bytes) -> None:
        running = self._talk.quick.get(header.message_id)
        if running is not None:
            self._talk.take(running, header, datagram)
            self._confirm()
            return
        ground = self._ground(header.message_id)
        if header.message_id in self._voice.ids:
            raise Ignored(Reason.USED_MESSAGE_ID, "a quick mode message of an exchange that is over")
        iv = self._voice.phase2_iv(header.message_id)
        message, iv = self._talk.open(QUICK_MODE[0], header, datagram, iv)
        quick_mode.authentic(ground)(message)
        self._confirm()
        ground, contest = self._ground(header.message_id), self._contest()
        exchange = quick_mode.respond(message, ground, contest, self._world.env)
        running = self._new_quick(Stepper(exchange), Role.RESPONDER, header.message_id)
        running.peer_spi = (first := message.chain.one(SaPayload).proposals[0]).protocol, first.spi
        try:
            self._talk.accept(running, message, datagram, iv, first=True)
        except Ignored:
            self._talk.quick.pop(header.message_id, None)
            raise
        self._voice.ids.take(header.message_id)
        self.peer_began_quick = True
