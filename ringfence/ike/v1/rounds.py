# SPDX-License-Identifier: Apache-2.0
"""Questions and answers between main mode and quick mode: who the user is (XAUTH), and which address he has.

    gateway                                      client
    { REQUEST(name, password) }           ->
                                          <-     { REPLY(name, password) }
    { SET(status) }                       ->
                                          <-     { ACK(status) }
                                          <-     { REQUEST(address, name servers …) }
    { REPLY(address …) }                  ->

Each pair of lines is an exchange, under the keys of the main mode: whoever asks repeats until there is an answer.
As long as a user has to prove himself, there is no IKE SA yet: no contract can be agreed on, nothing else is told or
believed, and it ends if that takes too long. A wrong password ends it, so each guess costs a main mode. Whoever has
passed is the user from then on, for the policy, for contracts and for his address; the group's key or certificate
alone is nobody.
"""

from collections.abc import Callable
from dataclasses import replace

from ringfence.databases.identity import Identity, IdentityKind
from ringfence.databases.pool import Assigned
from ringfence.ike.errors import Aborted, Ignored, Reason, Refused
from ringfence.ike.exchange import Exchange, Message, Stepper, request
from ringfence.ike.header import Exchange as Kind
from ringfence.ike.header import Header
from ringfence.ike.rules import Role
from ringfence.ike.v1 import informational, modeconfig
from ringfence.ike.v1.conversation import Conversation
from ringfence.ike.v1.keys import MainKeys
from ringfence.ike.v1.main_mode import Agreed
from ringfence.ike.v1.payloads import AttributesPayload
from ringfence.ike.v1.rules import TRANSACTION
from ringfence.ike.v1.running import Running
from ringfence.ike.v1.speaker import Speaker
from ringfence.ike.v2.configuration import Wishes, given_by
from ringfence.ike.world import World

V4 = 4
"""Octets."""


def ask(keys: MainKeys, message_id: int, question: AttributesPayload) -> Exchange[AttributesPayload]:
    """Ask, and return the answer."""

    def check(message: Message) -> None:
        informational.check(keys, message)

    reply = yield from request(*informational.protected(keys, message_id, question), check=check)
    return reply.chain.one(AttributesPayload)


class Rounds:
    """Those of one IKE SA."""

    def __init__(
        self, ike_id: int, voice: Speaker, talk: Conversation, world: World, done: Callable[[Agreed], None]
    ) -> None:
        """``done`` is called when nothing is left that has to be known before there is an IKE SA."""
        self._id = ike_id
        self._voice = voice
        self._talk = talk
        self._world = world
        self._done = done
        self._made: Agreed | None = None
        """What is known so far; None while there is none, and again once all is."""
        self._initiator = False
        self._passed: bool | None = None
        """Whether the peer's user is who he says; None while that is not known."""

    def begin(self, made: Agreed, *, initiator: bool) -> None:
        """The two computers have proved themselves."""
        self._made, self._initiator = made, initiator
        entry = made.entry
        if entry.xauth is None:
            self._go_on(made)
        elif not initiator and entry.xauth.users is not None:
            self._ask(modeconfig.ask_user())
        elif not initiator or entry.xauth.user is None:
            what = "knows no users" if not initiator else "does not say as which user"
            self._fail(Aborted(Reason.NO_POLICY, f"a user has to prove himself, and the policy {what}"))

    def _go_on(self, made: Agreed) -> None:
        """Nobody has to prove anything more."""
        asks = made.entry.asks if self._initiator else None
        question = None
        if asks is not None:
            question = modeconfig.ask_address(asks, self._world.assignments.last(made.entry.name))
        if question is None:
            self._finish(made)
        else:
            self._made = made
            self._ask(question)

    def _finish(self, made: Agreed) -> None:
        self._made = None
        self._done(made)

    def _fail(self, error: Aborted) -> None:
        if self._talk.main is not None:
            self._talk.fail(self._talk.main, error, tell=True)

    # What we ask ---------------------------------------------------------------------------------------------------

    def _ask(self, question: AttributesPayload) -> None:
        message_id = self._voice.new_message_id()
        stepper = Stepper(ask(self._talk.keys(), message_id, question))
        running = Running(
            Kind.TRANSACTION, Role.INITIATOR, message_id, stepper, TRANSACTION, self._world.settings.patience
        )
        running.iv = self._voice.phase2_iv(message_id)
        self._talk.quick[message_id] = running
        self._talk.advance(running, None)

    def answered(self, told: AttributesPayload) -> None:
        """The peer has answered what we asked last."""
        made = self._made
        if made is None:
            return
        if self._initiator:
            self._take_address(made, told)
        elif self._passed is None:
            self._judge(made, told)
        elif self._passed:
            self._finish(made)
        else:
            self._fail(Aborted(Reason.WRONG_USER, "the user's name or password is wrong"))

    def _judge(self, made: Agreed, told: AttributesPayload) -> None:
        """Whether the user is who he says."""
        users = made.entry.xauth.users if made.entry.xauth else None
        name = "" if users is None else modeconfig.is_user(told, users)
        self._passed = bool(name)
        if name:
            user = Identity(IdentityKind.USER, name.encode())
            self._made = replace(made, remote=user, names=(user, *(made.names or (made.remote,))))
        self._ask(modeconfig.status(passed=self._passed))

    def _take_address(self, made: Agreed, told: AttributesPayload) -> None:
        asks = made.entry.asks
        try:
            if asks is not None:
                given = given_by(modeconfig.pairs(told), replace(asks, families=(V4,)))
                self._voice.emit(self._world.assignments.assign(self._id, made.entry.name, given))
        except Refused as error:
            self._fail(Aborted(error.reason, error.detail))
        else:
            self._finish(made)

    # What the peer asks --------------------------------------------------------------------------------------------

    def receive(self, header: Header, datagram: bytes, made: Agreed | None) -> None:
        """Take a question of the peer's, or an answer; raises IkeError for what is none."""
        running = self._talk.quick.get(header.message_id)
        if running is not None and running.kind is Kind.TRANSACTION:
            self._talk.take(running, header, datagram)
            return
        if header.message_id in self._voice.ids:
            raise Ignored(Reason.USED_MESSAGE_ID, "a question of mode config that has come before")
        iv = self._voice.phase2_iv(header.message_id)
        message, iv = self._talk.open(TRANSACTION[0], header, datagram, iv)
        informational.check(self._talk.keys(), message)
        asked = message.chain.one(AttributesPayload)
        reply = self._reply(asked, self._made or made)
        self._voice.ids.take(header.message_id)
        self._voice.heard_information(message.chain, datagram, encrypted=True, kind=Kind.TRANSACTION)
        answer = informational.protected(self._talk.keys(), header.message_id, reply)
        self._voice.acknowledge(datagram, header.message_id, iv, answer, Kind.TRANSACTION)
        self._heed(asked)

    def _reply(self, asked: AttributesPayload, made: Agreed | None) -> AttributesPayload:
        """What is said to a question; raises Ignored for one that is not for now."""
        if made is None:
            raise Ignored(Reason.UNEXPECTED, "a question of mode config before both sides have proved themselves")
        xauth = made.entry.xauth
        if modeconfig.asks_user(asked):
            if not self._initiator or xauth is None or xauth.user is None or self._made is None:
                raise Ignored(Reason.UNEXPECTED, "a peer asks for a user and a password, which no rule would tell it")
            told = modeconfig.tell_user(asked, xauth.user)
            if told is None:
                self._fail(Aborted(Reason.NO_POLICY, "the peer asks the user for more than a password"))
                raise Ignored(Reason.UNEXPECTED, "a peer asks the user for more than a password")
            return told
        if asked.kind == modeconfig.Form.SET:
            return modeconfig.acknowledgement(asked)
        if asked.kind != modeconfig.Form.REQUEST or self._made is not None or self._initiator:
            raise Ignored(Reason.UNEXPECTED, "a question of mode config that is not for now")
        return self._give(asked, made)

    def _heed(self, asked: AttributesPayload) -> None:
        """What a peer sets counts only while we wait for its word about our user."""
        passed, made = modeconfig.status_of(asked), self._made
        if passed is None or made is None or not self._initiator or made.entry.xauth is None:
            return
        if passed:
            self._go_on(made)
        else:
            self._fail(Aborted(Reason.WRONG_USER, "the peer does not let our user in"))

    def _give(self, asked: AttributesPayload, made: Agreed) -> AttributesPayload:
        """An address of the pool that the policy has for this peer."""
        pool, leases = made.entry.pool, self._world.assignments.leases
        wishes, leased = Wishes(modeconfig.pairs(asked)), leases.held(self._id)
        if pool is not None and V4 in wishes.families and not leased and pool.has_family(V4):
            address = leases.lease(pool, made.remote, V4, self._id, wanted=wishes.address(V4), anew=made.first_contact)
            leased = () if address is None else (address,)
        protected = (
            entry.selector.source
            for entry in self._world.spd
            if entry.peer == made.entry.name and entry.processing and entry.processing.assigned is Assigned.THEIRS
        )
        return modeconfig.give_address(asked, pool, leased, protected)
