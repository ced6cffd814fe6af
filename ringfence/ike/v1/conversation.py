# SPDX-License-Identifier: Apache-2.0
"""How exchanges of one IKE SA run: from a message's octets to the exchange that waits for it, and back.

A message passes duplicates, decryption, its rule and the exchange's own check. One that fails on that way changes
nothing, except that a main mode remembers the doubt: unless something better comes soon, it ends with that reason. So a
forged message cannot end a negotiation that would succeed, and an honest failure is known within seconds.
"""

from collections.abc import Callable
from dataclasses import replace

from ringfence.audit import MainModeFailed, QuickModeFailed
from ringfence.databases.sa import ChildSa
from ringfence.ike.effects import Answer, Effect, InstallInbound
from ringfence.ike.errors import Aborted, Ignored, IkeError, Reason
from ringfence.ike.exchange import Consult, Do, Finished, Message, Protect, Say, Traverse, Wait
from ringfence.ike.happening import MainFailed, Prepared, QuickFailed
from ringfence.ike.header import COOKIE_OCTETS, Flags, Header
from ringfence.ike.header import Exchange as Kind
from ringfence.ike.rules import MessageRule
from ringfence.ike.v1 import informational, main_mode
from ringfence.ike.v1.channel import open_clear, open_encrypted
from ringfence.ike.v1.keys import MainKeys
from ringfence.ike.v1.notifies import NOTIFY_OF, UNREADING, Notify
from ringfence.ike.v1.payloads import IPSEC_DOI, AttributesPayload, NotifyPayload, ProtocolId, SaPayload
from ringfence.ike.v1.rules import FIRST_MODES, Proof
from ringfence.ike.v1.running import AnyRunning, Running
from ringfence.ike.v1.speaker import Speaker
from ringfence.ike.v1.vendors import Vendor, recognised
from ringfence.ike.window import digest
from ringfence.ike.world import World


class Conversation:
    """The exchanges under way under one IKE SA."""

    def __init__(self, voice: Speaker, world: World, finish: Callable[[AnyRunning, object], None]) -> None:
        self._voice = voice
        self._world = world
        self._finish = finish
        self.main: Running[main_mode.Agreed] | None = None
        self.quick: dict[int, Running[ChildSa] | Running[AttributesPayload]] = {}
        """Those behind it: quick modes, and questions of mode config."""

    # In ------------------------------------------------------------------------------------------------------------

    def is_duplicate(self, datagram: bytes) -> bool:
        """Whether this very message has been answered; then it is answered again."""
        answers, key = self._voice.answers, digest(datagram)
        if key not in answers:
            return False
        if (again := answers[key]) is not None:
            self._voice.transmit(again, again=True)
        return True

    def keys(self) -> MainKeys:
        """Raises Ignored while there are none."""
        if self._voice.keys is None:
            raise Ignored(Reason.UNEXPECTED, "an encrypted message before there are keys")
        return self._voice.keys

    def open(self, rule: MessageRule | None, header: Header, datagram: bytes, iv: bytes) -> tuple[Message, bytes]:
        """The message that ``rule`` describes, and the next IV; raises IkeError for any other."""
        if rule is None:
            raise Ignored(Reason.UNEXPECTED, "a message that nobody waits for")
        if rule.encrypted is not None and header.encrypted != rule.encrypted:
            how = "in clear" if rule.encrypted else "encrypted"
            raise Ignored(Reason.UNPROTECTED, f"{rule.name} came {how}")
        if header.encrypted:
            chain, iv = open_encrypted(header, datagram, self.keys(), iv)
        else:
            chain = open_clear(header, datagram)
        rule.check(chain, encrypted=header.encrypted)
        return Message(header, chain, path=self._voice.came_by), iv

    def take(self, running: AnyRunning, header: Header, datagram: bytes) -> None:
        """Take a message to its exchange; raises IkeError for one that is not its next."""
        iv = self._voice.last_block if running.makes_ike_sa else running.iv
        rule = running.next_rule()
        if rule is not None and rule.sender is running.role:
            rule = None
        message, iv = self.open(rule, header, datagram, iv)
        running.check(message)
        self.accept(running, message, datagram, iv)

    def accept(self, running: AnyRunning, message: Message, datagram: bytes, iv: bytes, *, first: bool = False) -> None:
        """Go on with a message; ``first`` is the one that the exchange was begun with."""
        running.number += 1
        running.repeater.answered()
        running.doubt, running.doubt_ends = None, None
        if iv:
            self._voice.take_iv(running, iv)
        if message.header.encrypted:
            self._voice.follow()
        if running.makes_ike_sa and running.initiator:
            self._voice.responder_cookie = message.header.responder_cookie
        if running.makes_ike_sa and Vendor.FRAGMENTATION in recognised(message.chain):
            self._voice.peer_joins = True
        running.committed = running.committed or Flags.COMMIT in message.header.flags
        self._voice.heard(running, running.number, message.chain, datagram)
        running.heard = digest(datagram)
        self._go_on(running, None if first else message)

    def _go_on(self, running: AnyRunning, message: Message | Answer | None) -> None:
        before = running.sent
        self.advance(running, message)
        self._voice.answers.add(running.heard, running.sent if running.sent is not before else None)

    def answered(self, ticket: int, answer: Answer) -> None:
        """The host answers what an exchange asked; nothing, if the exchange is over."""
        running = next((one for one in (self.main, *self.quick.values()) if one and one.ticket == ticket), None)
        if running is not None:
            running.ticket = 0
            self._go_on(running, answer)

    # On ------------------------------------------------------------------------------------------------------------

    def advance(self, running: AnyRunning, message: Message | Answer | None) -> None:
        """Let an exchange go on until it waits or ends; raises Ignored when it does not even begin."""
        try:
            command = running.stepper.step(message)
            while not isinstance(command, Finished):
                match command:
                    case Say():
                        self._say(running, command)
                        if command.wait is not Wait.NOT:
                            return
                    case Consult(question):
                        running.ticket = self._world.next_ticket()
                        self._voice.emit(replace(question, ticket=running.ticket))
                        return
                    case Do():
                        self._perform(running, command.effect)
                    case Protect(shield):
                        self._protect(running, shield)
                    case Traverse(path, peer_moves):
                        self._voice.traverse(path, peer_moves=peer_moves)
                command = running.stepper.step()
        except Ignored:
            raise
        except IkeError as error:
            self.fail(running, error, tell=True)
            return
        self._finish(running, command.result)

    def _say(self, running: AnyRunning, command: Say) -> None:
        self._voice.say(running, command.payloads)
        running.check = command.check
        running.own_spis |= {each.spi for sa in command.payloads if isinstance(sa, SaPayload) for each in sa.proposals}
        if command.wait is Wait.INSIST:
            running.repeater.sent(self._world.env.now)

    def _protect(self, running: AnyRunning, shield: object) -> None:
        if isinstance(shield, MainKeys):
            self._voice.keys, self._voice.last_block = shield, shield.first_iv
            if shield.signed:
                running.rules = FIRST_MODES[running.kind][Proof.SIGNATURE]

    def _perform(self, running: AnyRunning, effect: Effect) -> None:
        if isinstance(effect, InstallInbound):
            running.child_id = effect.child.id
            self._voice.emit(Prepared(effect.child, running.wish))
        self._voice.emit(effect)

    def tick(self) -> None:
        """Repeat what is not answered, end what takes too long."""
        now = self._world.env.now
        for running in list(self.quick.values()):
            self._repeat(running, now)
        if (main := self.main) is None:
            return
        if main.deadline is not None and main.deadline <= now:
            self.fail(main, main.doubt or Aborted(Reason.PEER_SILENT, main.silence()))
        else:
            self._repeat(main, now)

    def _repeat(self, running: AnyRunning, now: float) -> None:
        if running.repeater.due is None or running.repeater.due > now:
            return
        if running.repeater.again(now):
            self._voice.say_again(running)
            if running.wish is not None:
                running.wish.repeats += 1
        else:
            self.fail(running, running.doubt or Aborted(Reason.PEER_SILENT, running.silence()))

    # Out -----------------------------------------------------------------------------------------------------------

    def doubt(self, error: IkeError, *, tell: bool) -> None:
        """Something that nobody authenticated says that main mode comes to nothing."""
        main = self.main
        if main is None or main.doubt is not None:
            return
        main.doubt, main.doubt_ends = error, self._world.env.now + self._world.settings.doubt_s
        if error.reason is Reason.PEER_REFUSED:
            main.repeater.answered()  # asked again, it would only say the same again
        if tell:
            self._tell_in_clear(error)

    def begin_with(self, cookie: bytes) -> None:
        """The peer wants our first message once more, with its cookie in the header ([MS-IKEE] §3.9).

        Nobody has authenticated that, so what we repeat by ourselves stays the message without.
        """
        main = self.main
        if main is not None and main.initiator and main.number == 1 and main.cookies_left:
            main.cookies_left -= 1
            before, behind = main.sent[:COOKIE_OCTETS], main.sent[2 * COOKIE_OCTETS :]
            self._voice.transmit(before + cookie + behind)

    def refused(self, notify: NotifyPayload) -> None:
        """The peer says under the keys that something failed: main mode, our quick mode with its SPI, or our oldest."""
        ours = [running for running in self.quick.values() if running.initiator]
        named = [running for running in ours if notify.spi and notify.spi in running.own_spis]
        running: AnyRunning | None = self.main or next(iter(named or ours), None)
        if running is None:
            return
        name = informational.name_of(notify.kind)
        if running.kind is Kind.QUICK and notify.kind in UNREADING:
            self.fail(running, Aborted(Reason.PEER_UNREADING, f"the peer could not read it: {name}"))
        else:
            self.fail(running, Aborted(Reason.PEER_REFUSED, f"the peer refuses: {name}"))

    def fail(self, running: AnyRunning, error: IkeError, *, tell: bool = False) -> None:
        """An exchange comes to nothing; ``tell`` the peer why."""
        running.stepper.close()
        if running.makes_ike_sa:
            self._fail_main(running, error, tell=tell)
        elif running.kind is Kind.TRANSACTION:
            self.quick.pop(running.message_id, None)
            if self.main is not None:
                self.fail(self.main, error, tell=tell)
        else:
            self._fail_quick(running, error, tell=tell)

    def _fail_main(self, running: AnyRunning, error: IkeError, *, tell: bool) -> None:
        self.main = None
        proved = running.number >= running.shown
        if tell and proved:
            self._tell(error, (ProtocolId.ISAKMP, b"".join(self._voice.cookies)))
            if running.initiator:  # the responder thinks that it has an IKE SA
                self._voice.inform(informational.delete_ike(*self._voice.cookies))
        elif tell and running.number:
            self._tell_in_clear(error)
        self._voice.report(
            MainModeFailed(
                peer=self._voice.peer,
                reason=error.reason.value,
                detail=error.detail,
                initiator=running.initiator,
                rule=self._voice.rule,
                comparison=error.comparison,
            )
        )
        self._voice.emit(MainFailed(error.reason, error.detail))

    def _fail_quick(self, running: AnyRunning, error: IkeError, *, tell: bool) -> None:
        self.quick.pop(running.message_id, None)
        if tell and running.number:
            self._tell(error, running.peer_spi)
        self._voice.report(
            QuickModeFailed(
                peer=self._voice.peer,
                reason=error.reason.value,
                detail=error.detail,
                initiator=running.initiator,
                rule=running.wish.entry.origin.rule if running.wish else "",
                comparison=error.comparison,
            )
        )
        self._voice.emit(QuickFailed(error.reason, error.detail, running.wish, running.child_id))

    def _tell(self, error: IkeError, about: tuple[int, bytes]) -> None:
        if (kind := NOTIFY_OF[error.reason]) is not None:
            self._voice.inform(NotifyPayload(IPSEC_DOI, *about, kind))

    def _tell_in_clear(self, error: IkeError) -> None:
        kind: Notify | None = NOTIFY_OF[error.reason]
        if kind is not None:
            spi = b"".join(self._voice.cookies)
            self._voice.inform_in_clear(NotifyPayload(IPSEC_DOI, ProtocolId.ISAKMP, spi, kind))
