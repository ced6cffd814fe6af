# SPDX-License-Identifier: Apache-2.0
"""One IKE SA of IKEv2: its beginning, its child SAs, its successor, its end.

Unlike in IKEv1 its child SAs end with it, unless a successor takes them over. One that is to end goes on for a moment,
until the peer has heard so.
"""

from collections.abc import Callable, Sequence

from ringfence.databases.pad import PadEntry
from ringfence.databases.proposal import Protocol
from ringfence.ike.association import IkeSa
from ringfence.ike.effects import Answer
from ringfence.ike.errors import Aborted, IkeError, Reason
from ringfence.ike.exchange import Exchange, Message, Stepper
from ringfence.ike.happening import (
    Agreed,
    Confirmed,
    Established,
    Left,
    Limited,
    Lost,
    MainFailed,
    Output,
    PeerSilent,
    QuickFailed,
    Referred,
    SentElsewhere,
)
from ringfence.ike.header import Header
from ringfence.ike.lifetime import IKE_SA_LIFE, IkeEvent, IkeState, after
from ringfence.ike.v2 import child, informational, initial, rekey, reports
from ringfence.ike.v2.assigning import Assigning
from ringfence.ike.v2.channel import Spis, is_response
from ringfence.ike.v2.dialogue import Dialogue
from ringfence.ike.v2.mobike import Proven, Updated
from ringfence.ike.v2.moving import Moving, Placed
from ringfence.ike.v2.notifies import Answered
from ringfence.ike.v2.numbers import Kind
from ringfence.ike.v2.proof import Disbelieved
from ringfence.ike.v2.redial import Redial
from ringfence.ike.v2.redirect import SentAway
from ringfence.ike.v2.requests import Requests
from ringfence.ike.v2.running import AnyRunning, Running
from ringfence.ike.v2.setting import Setting
from ringfence.ike.v2.stranger import sign_of_loss
from ringfence.ike.v2.voice import Voice
from ringfence.ike.wishes import Wish
from ringfence.ike.world import World
from ringfence.net.address import Path


class Session(Placed):
    """One IKE SA."""

    version = 2
    retractable = False
    """Nothing is taken back: the peer may be about to answer."""
    peer_is_ours = False
    """Nothing here depends on who made the peer."""

    def __init__(
        self, ike_id: int, path: Path, spis: Spis, entries: tuple[PadEntry, ...], world: World, *, initiator: bool
    ) -> None:
        self.id = ike_id
        self.born = path
        self.initiator = initiator
        self.entries = entries
        """How the peer may authenticate."""
        self.state = IkeState.NEGOTIATING
        self.made: initial.Agreed | None = None
        self.began_at = world.env.now
        self.made_at: float | None = None
        self.confirmed = False
        """Whether the peer is known to have it too."""
        self.quick_modes = 0
        self.peer_began_quick = False
        self.closing = False
        """Whether we have told the peer that it ends, and wait until it has heard so."""
        self._hurries = False
        self._world = world
        self._voice = Voice(path, spis, world.env, initiator=initiator)
        self._voice.joins = any(entry.fragmentation for entry in entries)
        self._talk = Dialogue(self._voice, world, self._finish, self._fail)
        self.moving = Moving(self, self._voice, self._talk, world)
        self._requests = Requests(self, self._voice, self._talk, world)
        self._redial = Redial(self._voice, self._talk, self._requests, world)

    # What the engine sees ------------------------------------------------------------------------------------------

    @property
    def cookies(self) -> Spis:
        """The initiator's and the responder's SPI."""
        return self._voice.spis

    @property
    def rule(self) -> str:
        """The policy's rule that it is made for, for people; empty where it may be any of several."""
        return self._voice.rule

    @rule.setter
    def rule(self, rule: str) -> None:
        self._voice.rule = rule

    @property
    def agreed(self) -> initial.Agreed | None:
        """None until both sides have proved who they are."""
        return self.made

    @property
    def entry(self) -> PadEntry:
        """How the peer has authenticated, or should."""
        return self.made.entry if self.made else self.entries[0]

    @property
    def usable(self) -> bool:
        """Whether a child SA can be negotiated under it."""
        return self.state is IkeState.ESTABLISHED and not self.closing and not self._talk.spent

    @property
    def busy(self) -> bool:
        """Whether an exchange is under way."""
        return bool(self._talk.exchanges)

    @property
    def peer_behind_nat(self) -> bool:
        """Whether others may be at the peer's address."""
        return self.made is not None and self.made.nat is not None and self.made.nat.remote

    @property
    def voice(self) -> Voice:
        """For its successor."""
        return self._voice

    @property
    def next_timer(self) -> float | None:
        """When ``tick`` has something to do."""
        return self._redial.sooner(self._talk.next_timer)

    def hears(self, path: Path) -> bool:
        """Whether messages of it may come by ``path``."""
        return self._voice.hears(path)

    def happen(self, event: IkeEvent) -> None:
        """Move on in its life."""
        self.state = after(IKE_SA_LIFE, self.state, event)

    def serves(self, entry: PadEntry | None) -> bool:
        """Whether what the peer has proved is what ``entry`` wants proved."""
        if entry is None or self.made is None or not self.made.proved.satisfies(entry, self.home):
            return False
        return entry.asks is None or self._world.assignments.of(self.id) is not None

    # Entries -------------------------------------------------------------------------------------------------------

    def begin(self, wish: Wish | None, *, first_contact: Callable[[], bool]) -> list[Output]:
        """Begin IKE_SA_INIT, and ask for a child SA with IKE_AUTH."""
        setting = self._setting(first_contact, anew=wish is not None and wish.anew is not None)
        wanted = None if wish is None else self._requests.wanted(wish)
        running = self._new(Kind.IKE_SA_INIT, initial.initiate(setting, wanted, self._world.env))
        running.wish = wish
        self._talk.ask(running)
        return self._voice.drain()

    def answer(self, header: Header, datagram: bytes, *, first_contact: Callable[[], bool]) -> list[Output]:
        """Answer IKE_SA_INIT; raises IkeError for what is none, or what comes to nothing at once."""
        message = self._talk.request(header, datagram)
        running = self._new(Kind.IKE_SA_INIT, initial.respond(message, self._setting(first_contact), self._world.env))
        running.initiator = False
        running.life_ends = self._world.env.now + self._world.settings.half_open_s
        self._talk.answering = running
        self._talk.serve(running, message, first=True)
        return self._voice.drain()

    def receive(self, header: Header, datagram: bytes, path: Path) -> list[Output]:
        """Take a message with this SA's SPIs; never raises for what is in it."""
        self._voice.came_by = path
        self._redial.heard()
        try:
            if header.major != self.version:
                self._talk.receive_foreign()
            elif is_response(header):
                self._talk.receive_response(header, datagram)
            elif not self._talk.is_duplicate(header, datagram):
                self._requests.receive(header, datagram)
        except IkeError as error:
            self._voice.report_ignored(error)
            if self.made is not None and (sign := sign_of_loss(header, datagram, self.made.token)) is not None:
                self._voice.emit(sign)
        return self._voice.drain()

    def begin_quick(self, wish: Wish) -> list[Output]:
        """Negotiate a child SA for ``wish``, whose nonce is drawn."""
        self.quick_modes += 1
        self._requests.ask_child(wish)
        return self._voice.drain()

    def abandon_quick(self, wish: Wish) -> None:
        """Forget that ``wish`` waits for it; what was asked cannot be taken back."""
        for running in self._talk.exchanges:
            if running.wish is wish and running in self._talk.waiting:
                self._talk.drop(running)

    def succeed(self) -> list[Output]:
        """Rekey the IKE SA itself."""
        if self.usable and not self._requests.succeeding:
            self._requests.ask_successor()
        return self._voice.drain()

    @property
    def refers(self) -> bool:
        """Whether the peer is a client that lets itself be sent to another gateway."""
        return self.usable and self.made is not None and self.made.refers

    def refer(self, to: bytes) -> list[Output]:
        """Send it there."""
        self._requests.refer(to)
        return self._voice.drain()

    def remind(self) -> list[Output]:
        """Give the peer another token, if it has given us one."""
        self._requests.remind()
        return self._voice.drain()

    def unsaid(self) -> tuple[tuple[Protocol, int], ...]:
        """The inbound SAs of which nobody has been told yet that they are gone; the successor will do that."""
        return self._requests.unsaid()

    def probe(self) -> list[Output]:
        """Ask whether the peer is alive and has this IKE SA (§2.4)."""
        if self.made is not None and not self.busy:
            self._requests.inform()
        return self._voice.drain()

    @property
    def answers_probes(self) -> bool:
        """Everybody does who speaks IKEv2."""
        return self.made is not None

    def ask_alive(self, tries: int) -> list[Output]:
        """Ask whether the peer is there; any request that is under way asks as well."""
        if self.made is not None and not self.busy:
            self._requests.ask_alive(tries)
        return self._voice.drain()

    def is_alive(self) -> list[Output]:
        """Nothing is to be done about that: what was asked is answered all the same."""
        return []

    def delete(self, spis: Sequence[tuple[Protocol, int]], *, itself: bool = False) -> list[Output]:
        """Tell the peer that inbound SAs of ours, or this IKE SA itself, are gone."""
        if self.made is not None and not self.closing:
            if itself:
                self._requests.delete_ike(hurries=self._hurries)
            elif spis:
                self._requests.delete_children(spis)
        return self._voice.drain()

    def heard_from(self, path: Path) -> list[Output]:
        """An authentic packet came by ``path``."""
        self._voice.came_by = path
        if self._voice.follow(packet=True):
            self._talk.resend()
        return self._voice.drain()

    def end_exchanges(self, reason: Reason, detail: str) -> list[Output]:
        """Give up everything under way but the news that it ends."""
        self._hurries = reason is Reason.SHUT_DOWN
        for running in self._talk.exchanges:
            if running.last or running.abandoned:
                continue
            if self.made is not None and running is self._talk.current:
                running.abandoned = True
            else:
                self._talk.drop(running)
            self._fail(running, Aborted(reason, detail), died=True)
        return self._voice.drain()

    def answered(self, ticket: int, answer: Answer) -> list[Output]:
        """The host answers a question of an exchange."""
        self._talk.answered(ticket, answer)
        return self._voice.drain()

    def tick(self) -> list[Output]:
        """Repeat what is not answered, end what takes too long."""
        self._redial.tick()
        self._talk.tick()
        self._talk.go_on()
        return self._voice.drain()

    def disconnected(self) -> list[Output]:
        """The TCP connection that its messages went by is gone, or never came about."""
        if self.state is not IkeState.GONE or self.closing:
            self._redial.lost()
        return self._voice.drain()

    def inherit(self, former: IkeSa, made: rekey.Successor) -> list[Output]:
        """Be the successor of another IKE SA."""
        old = former.agreed
        if isinstance(old, initial.Agreed):
            self.made = old.succeeded(made.keys)
        self._voice.protect(made.keys)
        if isinstance(former, Session):
            self._voice.go_on(former.voice)
            self.moving.inherit(former.moving)
        self.made_at, self.confirmed = self._world.env.now, True
        self.happen(IkeEvent.AUTHENTICATED)
        if self.made is not None:
            self._report_made(self.made)
        return self._voice.drain()

    # Exchanges -----------------------------------------------------------------------------------------------------

    def _setting(self, first_contact: Callable[[], bool], *, anew: bool = False) -> Setting:
        world, asks, own = self._world, self._requests, (self.id, self.path, self.entries, self.cookies)
        given = asks.offered, Assigning(self.id, self.path, world), asks.elsewhere, asks.tickets(anew=anew)
        return Setting(*own, first_contact, world.children, *given, world.pad.own, world.tokens)

    def _new(self, kind: Kind, exchange: Exchange[initial.Agreed]) -> Running[initial.Agreed]:
        return Running(kind, Stepper(exchange), self._world.settings.patience)

    # Ends ----------------------------------------------------------------------------------------------------------

    def _finish(self, running: AnyRunning, result: object) -> None:
        match result:
            case initial.Agreed():
                self._established(running, result)
            case child.Negotiated():
                self._voice.emit(Agreed(result.child, running.wish, result.lowest))
            case rekey.Successor():
                self._requests.succeeded(result)
            case Updated() | Proven():
                self.moving.answered(result)
            case Message() if running.last:
                self._voice.emit(Left())
            case Message():
                self._requests.informed(result.chain)

    def _established(self, running: AnyRunning, made: initial.Agreed) -> None:
        self.made, self.made_at = made, self._world.env.now
        self.moving.begin(made.others)
        self.rule = self.rule or self._world.only_rule(made.entry)
        self.happen(IkeEvent.AUTHENTICATED)
        self._report_made(made)
        self.confirmed = True
        if made.sends_us is not None:
            self._voice.emit(SentElsewhere(made.sends_us))
            return
        if made.child is not None:
            self._voice.emit(Agreed(made.child.child, running.wish, made.child.lowest))
        if made.refused is not None:
            self._voice.report(reports.child_failed(self._voice.path, running, made.refused))
            self._voice.emit(QuickFailed(made.refused.reason, made.refused.detail, running.wish, None))
        self._voice.emit(Established(made.first_contact))
        if made.limited_s is not None:
            self._voice.emit(Limited(made.limited_s))
        self._voice.emit(Confirmed())
        if made.referred is not None:
            self._voice.emit(Referred(made.referred))
        if made.refused is not None and made.refused.reason is Reason.NO_ADDRESS and self.entry.asks is not None:
            self._voice.emit(Lost(Reason.NO_ADDRESS, made.refused.detail))  # it is good for nothing
        elif made.void:
            self._requests.inform(*informational.delete_children(made.void))

    def _report_made(self, made: initial.Agreed) -> None:
        event = reports.established(self.id, self._voice.path, made, self.rule, initiator=self.initiator)
        self._voice.report(event)

    def _fail(self, running: AnyRunning, error: IkeError, *, died: bool = False) -> None:
        """An exchange comes to nothing; ``died``: because the IKE SA is gone."""
        if running.last:
            self._voice.emit(Left())
            return
        if self.made is None:
            self._fail_beginning(running, error)
            return
        if running.kind is Kind.CREATE_CHILD_SA and not running.rekeys_ike:
            self._requests.forget_denied(running, error)
            self._voice.report(reports.child_failed(self._voice.path, running, error))
            self._voice.emit(QuickFailed(error.reason, error.detail, running.wish, running.child_id))
        if died:
            return
        if running.rekeys_ike and running.initiator:
            self._requests.not_succeeded(error)
        if running.probes and error.reason is Reason.PEER_SILENT:
            self._voice.emit(PeerSilent(error.detail))
        elif isinstance(error, Aborted):  # the peer is gone, or says under the keys what no peer may say
            self._voice.emit(Lost(error.reason, error.detail))

    def _fail_beginning(self, running: AnyRunning, error: IkeError) -> None:
        if not running.initiator and isinstance(error, Answered):
            self._voice.emit(MainFailed(error.reason, error.detail))  # the peer is asked to begin anew
            return
        if isinstance(error, SentAway):
            self._voice.emit(SentElsewhere(error.to))
            return
        if isinstance(error, Disbelieved):
            self._talk.say_now(Kind.INFORMATIONAL, informational.disbelieve())
        self._voice.report(reports.failed(self._voice.path, running, error, self.rule))
        self._voice.emit(MainFailed(error.reason, error.detail))
