# SPDX-License-Identifier: Apache-2.0
"""How exchanges of one IKE SA run (RFC 7296 §2.1 to §2.4): each is a request and its response, with a number.

A side asks one thing at a time and repeats it until it is answered; what else it has to ask waits. It answers requests
in the order of their numbers, and the last one again, with the same octets, when it comes again. Whoever asked in vain
knows that the peer is gone.

IKE_SA_INIT is not authenticated. A response that does not lead on leaves a doubt: unless a better one comes soon, the
exchange ends with that reason. Under the keys, whatever the peer says counts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ringfence.ike.effects import Answer, Effect, InstallInbound
from ringfence.ike.errors import Aborted, Ignored, IkeError, Reason, Refused
from ringfence.ike.exchange import Command, Consult, Do, Finished, Hear, Message, Protect, Say, Suppose, Traverse, Wait
from ringfence.ike.happening import Prepared
from ringfence.ike.header import Header
from ringfence.ike.payload import Payload
from ringfence.ike.v2.channel import is_response, words
from ringfence.ike.v2.fragment import NARROW_OCTETS, is_piece
from ringfence.ike.v2.informational import check_stays, told
from ringfence.ike.v2.keys import IkeKeys
from ringfence.ike.v2.numbers import Kind
from ringfence.ike.v2.payloads import NoncePayload
from ringfence.ike.v2.running import AnyRunning
from ringfence.ike.v2.stranger import refuse
from ringfence.ike.v2.voice import Datagrams, Shields, Voice
from ringfence.ike.window import digest
from ringfence.ike.world import World
from ringfence.net.address import Path

MOST_FOLLOWING = 8
"""Exchanges that a peer may leave half done."""
MOST_IDS = 0xFFFF_0000
"""Message ids that a side may use before the IKE SA must be replaced (§2.2)."""


ESTABLISHED = Kind.CREATE_CHILD_SA, Kind.INFORMATIONAL
"""Exchanges of an IKE SA that is made."""

AROUND_OCTETS = 64
"""Of headers around a message, and more."""
MANY_TIMES = 2
"""What is repeated so often may not have passed because it is too large."""


@dataclass(slots=True)
class _Answered:
    """Our last response."""

    key: bytes
    """Digest of the request; empty where that came in pieces."""
    kind: Kind
    said: Sequence[Payload]
    """Empty where it is so short that smaller pieces would not help."""
    datagrams: Datagrams
    shields: Shields
    """Of the request's time: what it leads to may be other keys."""
    again: int = 0
    """How often it was asked for again."""


class Dialogue:
    """Requests and responses of one IKE SA."""

    def __init__(
        self,
        voice: Voice,
        world: World,
        finish: Callable[[AnyRunning, object], None],
        fail: Callable[[AnyRunning, IkeError], None],
    ) -> None:
        self._voice = voice
        self._world = world
        self._finish = finish
        self._fail = fail
        self.elsewhere: Callable[[], Sequence[Path]] = tuple
        """By which other paths a request is tried that nobody answers."""
        self.arrived: Callable[[], None] = lambda: None
        """Hears of every response to a request."""
        self.current: AnyRunning | None = None
        """Our request that waits for its response."""
        self.waiting: list[AnyRunning] = []
        """What we have to ask next."""
        self.answering: AnyRunning | None = None
        """IKE_SA_INIT and IKE_AUTH that the peer began."""
        self._following: dict[bytes, AnyRunning] = {}
        """What else the peer began and goes on with, by the links that it has to name (RFC 9370 §2.2.4)."""
        self._next_id = 0
        self._expected = 0
        self._last: _Answered | None = None

    @property
    def spent(self) -> bool:
        """Whether its message ids are nearly used up."""
        return max(self._next_id, self._expected) >= MOST_IDS

    @property
    def next_timer(self) -> float | None:
        """When ``tick`` has something to do."""
        times = [each.next_timer for each in self._begun if each is not None]
        return min((when for when in times if when is not None), default=None)

    @property
    def _begun(self) -> tuple[AnyRunning | None, ...]:
        return self.answering, self.current, *self._following.values()

    @property
    def exchanges(self) -> tuple[AnyRunning, ...]:
        """All that are under way or wait."""
        return *(each for each in self._begun if each is not None), *self.waiting

    # Ours ----------------------------------------------------------------------------------------------------------

    def ask(self, running: AnyRunning) -> None:
        """Begin an exchange when those before it are over."""
        self.waiting.append(running)
        self.go_on()

    def go_on(self) -> None:
        """Begin the next exchange if none is under way."""
        while self.current is None and self.waiting:
            self.current = self.waiting.pop(0)
            self._advance(self.current, None)

    def drop(self, running: AnyRunning) -> None:
        """It is over."""
        running.stepper.close()
        if self.current is running:
            self.current = None
        elif self.answering is running:
            self.answering = None
        elif running in self.waiting:
            self.waiting.remove(running)
        else:
            self._following = {link: each for link, each in self._following.items() if each is not running}

    def say_now(self, kind: Kind, payloads: Sequence[Payload]) -> None:
        """Say something that nobody waits for an answer to, since the IKE SA is about to be forgotten."""
        self._voice.say(kind, self._next_id + (self.current is not None), payloads, response=False)

    def resend(self) -> None:
        """There is another connection: what waits for its answer may not have got through (RFC 9329 §6.2)."""
        running = self.current
        if running is not None and running.sent and running.repeater.due is not None:
            self._voice.send(running.wire, f"{running.sent_words} (again)", running.sent, response=False)

    def receive_response(self, header: Header, datagram: bytes) -> None:
        """Take a response; raises Ignored for one that nobody waits for."""
        running = self.current
        awaited = running is not None and header.message_id == running.message_id and header.exchange == running.wire
        awaited = awaited and running is not None and not running.ticket
        if running is None or not awaited:
            raise Ignored(Reason.UNEXPECTED, "a response to nothing that we asked")
        try:
            message = self._voice.open(header, datagram)
            running.check(message)
            if running.kind in ESTABLISHED:
                check_stays(message.chain)
        except Ignored:
            raise
        except IkeError as error:
            if running.kind is Kind.IKE_SA_INIT:
                self.doubt(running, error)
                raise
            self.fail(running, Aborted(error.reason, error.detail))
            return
        running.repeater.answered()
        running.doubt, running.doubt_ends = None, None
        self.arrived()
        if running.kind is Kind.IKE_SA_INIT:
            leads_on = message.chain.maybe(NoncePayload) is not None
            self._voice.responder_spi = message.header.responder_cookie if leads_on else bytes(8)
        else:
            self._next_id += 1
        self._advance(running, message)
        self.go_on()

    def receive_foreign(self) -> None:
        """A peer that does not speak IKEv2 answers in IKEv1, which proves nothing; raises Ignored."""
        if (running := self.current) is not None and running.kind is Kind.IKE_SA_INIT:
            self.doubt(running, Aborted(Reason.VERSION, "the peer answers in another version of IKE"))
        raise Ignored(Reason.VERSION, "a message in another version of IKE")

    def say_again(self) -> None:
        """Say what waits for its answer once more, since there is another path."""
        self.resend()
        if self.current is not None and self.current.repeater.due is not None:
            self.current.repeater.sent(self._world.env.now)

    def doubt(self, running: AnyRunning, error: IkeError) -> None:
        """Something that nobody authenticated says that IKE_SA_INIT comes to nothing."""
        if running.doubt is None and running.kind is Kind.IKE_SA_INIT:
            running.doubt, running.doubt_ends = error, self._world.env.now + self._world.settings.doubt_s
            running.repeater.answered()  # asked again, it would only say the same again

    # The peer's ----------------------------------------------------------------------------------------------------

    def is_duplicate(self, header: Header, datagram: bytes) -> bool:
        """Whether this very request was the last that came; then it is answered again."""
        last = self._last
        if last is None or is_response(header):
            return False
        if not is_piece(header):
            if digest(datagram) != last.key:
                return False
        elif header.message_id != self._expected - 1:
            return False
        elif self._voice.open_piece(datagram, last.shields).number != 1:
            return True  # who repeats a request in pieces is answered for the first of them (RFC 7383 §2.6.1)
        last.again += 1
        if last.again == MANY_TIMES and last.said:
            narrow = self._voice.made(
                last.kind, self._expected - 1, last.said, response=True, narrow=True, shields=last.shields
            )
            last.datagrams = max(last.datagrams, narrow, key=len)
        self._voice.send(last.kind, "(again)", last.datagrams, response=True)
        return True

    def request(self, header: Header, datagram: bytes) -> Message:
        """A new request; raises Ignored for any other, and Refused for what the peer did wrong under the keys."""
        if header.message_id != self._expected:
            raise Ignored(Reason.USED_MESSAGE_ID, f"request {header.message_id} where {self._expected} is the next")
        return self._voice.open(header, datagram)

    def answer(self, header: Header, datagram: bytes, payloads: Sequence[Payload]) -> None:
        """Respond to the request in hand."""
        kind = next(each for each in Kind if each == header.exchange)
        said = self._voice.say(kind, self._expected, payloads, response=True)
        self._expected += 1
        key = b"" if is_piece(header) else digest(datagram)
        large = sum(map(len, said)) > min(NARROW_OCTETS.values()) - AROUND_OCTETS
        self._last = _Answered(key, kind, tuple(payloads) if large else (), said, self._voice.shields)

    def serve(self, running: AnyRunning, message: Message, *, first: bool) -> None:
        """Let an exchange that the peer began go on with its request."""
        self._advance(running, None if first else message, message)

    def followed(self, link: bytes | None) -> AnyRunning | None:
        """What the peer goes on with by that link."""
        return None if link is None else self._following.pop(link, None)

    def forget_followed(self) -> None:
        """None of what the peer began comes to anything any more."""
        for running in self._following.values():
            running.stepper.close()
        self._following.clear()

    # Both ----------------------------------------------------------------------------------------------------------

    def answered(self, ticket: int, answer: Answer) -> None:
        """The host answers what an exchange asked; nothing, if the exchange is over."""
        running = next((one for one in (self.answering, self.current) if one and one.ticket == ticket), None)
        if running is None:
            return
        asked, running.ticket, running.asked = running.asked, 0, None
        self._voice.came_by = running.asked_by or self._voice.came_by
        self._advance(running, answer, asked)
        self.go_on()

    def _advance(
        self, running: AnyRunning, message: Message | Answer | None, asked: Message | None = None
    ) -> None:  # fmt: skip
        """Let an exchange go on until it waits or ends; ``asked`` is the peer's request that it answers."""
        try:
            if running.abandoned:
                raise Ignored(Reason.POLICY_CHANGED, "nobody waits for it any more")
            command = running.stepper.step(message)
            while not isinstance(command, Finished):
                if self._carry_out(running, command, asked):
                    return
                command = running.stepper.step()
        except IkeError as error:
            if asked is not None and running.kind is Kind.IKE_SA_INIT:
                for effect in refuse(asked.header, told(error), self._voice.came_by):
                    self._voice.emit(effect)
            elif asked is not None:
                self.answer(asked.header, asked.octets, told(error))
            self.fail(running, error)
            return
        self.drop(running)
        if not running.abandoned:
            self._finish(running, command.result)

    def _carry_out(self, running: AnyRunning, command: Command, asked: Message | None) -> bool:
        """Do what an exchange wants; whether it waits for a message then."""
        match command:
            case Say():
                self._say(running, command, asked)
                return command.wait is not Wait.NOT
            case Hear():
                self._hear(running, command)
                return True
            case Consult(question):
                running.ticket = self._world.next_ticket()
                running.asked, running.asked_by = asked, self._voice.came_by
                self._voice.emit(replace(question, ticket=running.ticket))
                return True
            case Do():
                self._perform(running, command.effect)
            case Protect(shield):
                self._protect(running, shield)
            case Suppose(error):
                running.doubt = error
            case Traverse(path, peer_moves):
                self._voice.path, self._voice.peer_moves = path, peer_moves
        return False

    def _say(self, running: AnyRunning, command: Say, asked: Message | None) -> None:
        if asked is not None:
            self.answer(asked.header, asked.octets, command.payloads)
            return
        running.message_id = self._next_id
        running.turn = None if command.kind is None else Kind(command.kind)
        running.check, running.sent_words = command.check, words(command.payloads)
        running.said = command.payloads
        running.sent = self._voice.say(running.wire, running.message_id, command.payloads, response=False)
        running.repeats = 0
        running.repeater.sent(self._world.env.now, once=self._voice.path.tcp)

    def _hear(self, running: AnyRunning, command: Hear) -> None:
        running.turn = Kind(command.kind)
        if command.link:
            self._following[command.link] = running
            running.life_ends = self._world.env.now + self._world.settings.half_open_s
            while len(self._following) > MOST_FOLLOWING:
                self.fail(next(iter(self._following.values())), _given_up("too many key exchanges are under way"))

    def _protect(self, running: AnyRunning, shield: object) -> None:
        if isinstance(shield, IkeKeys):
            self._voice.protect(shield)
            if running.initiator and running.kind is Kind.IKE_SA_INIT:
                self._next_id = 1
            running.kind = Kind.IKE_AUTH

    def _perform(self, running: AnyRunning, effect: Effect) -> None:
        if isinstance(effect, InstallInbound):
            running.child_id = effect.child.id
            self._voice.emit(Prepared(effect.child, running.wish))
        self._voice.emit(effect)

    def fail(self, running: AnyRunning, error: IkeError) -> None:
        """An exchange comes to nothing."""
        self.drop(running)
        if not running.abandoned:
            self._fail(running, error)

    def tick(self) -> None:
        """Repeat what is not answered, end what takes too long."""
        now = self._world.env.now
        for running in self._begun:
            if running is None:
                continue
            ends = min((when for when in (running.life_ends, running.doubt_ends) if when is not None), default=None)
            if ends is not None and ends <= now and running in self._following.values():
                self.fail(running, _given_up("the peer does not go on with its key exchange"))
            elif ends is not None and ends <= now:
                self.fail(running, running.doubt or Aborted(Reason.PEER_SILENT, running.silence()))
            elif running.repeater.due is not None and running.repeater.due <= now:
                self._repeat(running, now)

    def _repeat(self, running: AnyRunning, now: float) -> None:
        if running.repeater.again(now):
            running.repeats += 1
            if running.repeats == MANY_TIMES:
                narrow = self._voice.made(
                    running.wire, running.message_id, running.said, response=False, narrow=True
                )  # fmt: skip
                running.sent = max(running.sent, narrow, key=len)
            also = self.elsewhere() if running.repeats >= MANY_TIMES else ()
            self._voice.send(running.wire, f"{running.sent_words} (again)", running.sent, response=False, also=also)
            if running.wish is not None:
                running.wish.repeats += 1
        else:
            self.fail(running, running.doubt or Aborted(Reason.PEER_SILENT, running.silence()))


def _given_up(why: str) -> Refused:
    return Refused(Reason.COLLISION, why)
