# SPDX-License-Identifier: Apache-2.0
"""What both sides ask of each other under an IKE SA (RFC 7296 §1.3, §1.4, §2.8, §2.25).

Exchanges cross. A child SA that both rekey at once is rekeyed twice, and so is an IKE SA; of the two results the one
with the lowest nonce is given up, by who made it. What is being ended is not rekeyed, and while an IKE SA is rekeyed
nothing is negotiated under it: a peer that asks is told to try again later.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ringfence.databases.proposal import Protocol
from ringfence.ike.errors import Aborted, Ignored, IkeError, Reason, Refused
from ringfence.ike.exchange import Message, Stepper
from ringfence.ike.happening import (
    FirstContact,
    Inherits,
    Left,
    Limited,
    Lost,
    PeerDeleted,
    PeerDeletedIke,
    Referred,
    SentElsewhere,
    Succeeded,
    SuccessionFailed,
)
from ringfence.ike.header import Header
from ringfence.ike.lifetime import ChildState
from ringfence.ike.payload import Chain, Payload
from ringfence.ike.v2 import authlife, child, configuration, crash, informational, redirect, rekey
from ringfence.ike.v2.dialogue import Dialogue
from ringfence.ike.v2.initial import Agreed, says
from ringfence.ike.v2.keyexchange import link_of, unknown_link
from ringfence.ike.v2.notifies import Answered, Notify
from ringfence.ike.v2.numbers import IN_CLEAR, Kind
from ringfence.ike.v2.payloads import NotifyPayload, TsInitiatorPayload
from ringfence.ike.v2.peers import Proved
from ringfence.ike.v2.proposals import PROTOCOL_ID
from ringfence.ike.v2.resumption import Resumption
from ringfence.ike.v2.running import AnyRunning, Running
from ringfence.ike.v2.voice import Voice
from ringfence.ike.wishes import Wish
from ringfence.ike.world import World

if TYPE_CHECKING:
    from ringfence.ike.v2.session import Session


class Requests:
    """Those of one IKE SA, either way."""

    def __init__(self, session: "Session", voice: Voice, talk: Dialogue, world: World) -> None:
        self._session = session
        self._voice = voice
        self._talk = talk
        self._world = world
        self._rival: rekey.Successor | None = None
        """What the peer has rekeyed the IKE SA to while we did so."""
        self._superseded = False
        self._unsaid: tuple[tuple[Protocol, int], ...] = ()

    # Ours ----------------------------------------------------------------------------------------------------------

    @property
    def succeeding(self) -> bool:
        """Whether the IKE SA is being rekeyed, or has been."""
        return self._superseded or self._rekeys

    @property
    def _rekeys(self) -> bool:
        """Whether we are rekeying it."""
        return any(running.rekeys_ike and running.initiator for running in self._talk.exchanges)

    def wanted(self, wish: Wish) -> child.Wanted:
        """What a wish asks for; what it is to replace may be gone meanwhile."""
        record = None if wish.replaces is None else self._world.children.get(wish.replaces)
        ours = record is not None and record.ike_id == self._session.id
        old = (record.child.inbound[0].protocol, record.child.inbound[0].spi) if record and ours else None
        flow = wish.flows[0] if wish.flows else None
        given = self._world.assignments.of(self._session.id)
        return child.Wanted(
            wish.entry,
            wish.selector,
            wish.nonce,
            None if wish.alone else flow,
            wish.replaces if ours else None,
            old,
            given,
            () if wish.alone else wish.more,
        )

    def ask_child(self, wish: Wish) -> None:
        """Negotiate a child SA."""
        exchange = child.initiate(self._ground(), self.wanted(wish), self._world.env)
        running = Running(Kind.CREATE_CHILD_SA, Stepper(exchange), self._world.settings.patience)
        running.wish = wish
        self._talk.ask(running)

    def ask_successor(self) -> None:
        """Rekey the IKE SA."""
        made = self._made()
        exchange = rekey.initiate(made.keys, made.entry, self._world.env)
        running = Running(Kind.CREATE_CHILD_SA, Stepper(exchange), self._world.settings.patience)
        running.rekeys_ike = True
        self._talk.ask(running)

    def delete_ike(self, *, hurries: bool) -> None:
        """Tell the peer that the IKE SA is gone; once and out of turn where there is no time."""
        if hurries and self._talk.current is not None:
            self._talk.say_now(Kind.INFORMATIONAL, (informational.delete_ike(),))
            return
        self._session.closing = True
        self.inform(informational.delete_ike(), last=True)

    def delete_children(self, spis: Sequence[tuple[Protocol, int]]) -> None:
        """Tell the peer that these inbound SAs of ours are gone."""
        self.inform(*informational.delete_children(spis), deletes=tuple(spis))

    def unsaid(self) -> tuple[tuple[Protocol, int], ...]:
        """What a superseded IKE SA has not told of inbound SAs that are gone, once."""
        found, self._unsaid = self._unsaid, ()
        return found

    def inform(
        self, *payloads: Payload, last: bool = False, deletes: tuple[tuple[Protocol, int], ...] = ()
    ) -> None:  # fmt: skip
        """Tell the peer something, and see that it has heard it; nothing at all asks whether it is alive."""
        exchange = informational.tell(*payloads)
        running = Running(Kind.INFORMATIONAL, Stepper(exchange), self._world.settings.patience)
        running.last, running.deletes = last, deletes
        self._talk.ask(running)

    @property
    def elsewhere(self) -> redirect.Elsewhere:
        """Where one side sends the other."""
        return redirect.Elsewhere(self._world.redirects, self._session.path, self._world.env)

    def tickets(self, *, anew: bool) -> Resumption:
        """By which it may be resumed; ``anew``: who both sides are is to be proved anew."""
        return Resumption(self._world.tickets, self._session.id, self._session.path, self._world.env, anew)

    def refer(self, to: bytes) -> None:
        """Send the peer to another gateway."""
        self.inform(*redirect.words(to))
        self._voice.emit(Referred(to))

    def announce(self) -> None:
        """Say something new, unless that is to come anyway: what is said again moves no peer to another connection."""
        if self._session.made is not None and not self._session.closing and not self._talk.waiting:
            self.inform()

    def remind(self) -> None:
        """Give a peer another token that has given us one (RFC 6290 §4.4)."""
        if self._made().token is not None:
            token = self._world.tokens.made(self._voice.spis, self._voice.path.remote.address)
            if token:
                self.inform(*token)

    def ask_alive(self, tries: int) -> None:
        """Ask whether the peer is there, so often."""
        patience = replace(self._world.settings.patience, tries=tries)
        exchange = informational.tell(*self._session.moving.looks())
        self._talk.ask(Running(Kind.INFORMATIONAL, Stepper(exchange), patience, probes=True))

    def informed(self, chain: Chain) -> None:
        """The peer has answered what we told it; what it deleted in turn is gone here already."""
        for protocol, spi in informational.deleted(chain):
            self._voice.emit(PeerDeleted(protocol, (spi,)))
        self._session.moving.looked(chain)

    def _made(self) -> Agreed:
        if self._session.made is None:
            raise Ignored(Reason.UNEXPECTED, "a request under an IKE SA that is not made yet")
        return self._session.made

    def _ground(self) -> child.Ground:
        made, children = self._made(), self._world.children
        return child.Ground(
            self._session.id,
            made.keys,
            self._voice.path,
            made.remote,
            children,
            made.nat,
            made.entry.unanswered_s,
            made.proved.names,
            self._session.home,
        )

    # The peer's ----------------------------------------------------------------------------------------------------

    def receive(self, header: Header, datagram: bytes) -> None:
        """Take a request; raises Ignored for one that changes nothing."""
        try:
            message = self._talk.request(header, datagram)
        except Refused as error:
            self._malformed(header, datagram, error)
            raise
        beginning = self._talk.answering
        if beginning is not None and beginning.ticket:
            raise Ignored(Reason.UNEXPECTED, "a request while the last one is not answered yet")
        if self._voice.follow():
            self._talk.resend()
        if beginning is not None:
            if header.exchange == Kind.INFORMATIONAL and informational.deletes_ike(message.chain):
                self._given_up(beginning, header, datagram)
                return
            if header.exchange != beginning.wire:
                raise Ignored(Reason.UNEXPECTED, "a request before the peer has authenticated itself")
            self._talk.serve(beginning, Message(header, message.chain, datagram, self._voice.path), first=False)
            return
        self._made()
        match header.exchange:
            case Kind.CREATE_CHILD_SA:
                self._take_creation(message)
            case Kind.INFORMATIONAL:
                self._take_information(message)
            case Kind.IKE_FOLLOWUP_KE:
                self._take_followup(message)
            case _:
                raise Ignored(Reason.UNEXPECTED, "IKE_AUTH under an IKE SA that is made")

    def _given_up(self, beginning: AnyRunning, header: Header, datagram: bytes) -> None:
        """The peer does not go on with IKE_AUTH."""
        self._talk.answer(header, datagram, ())
        what = "the peer gives up before both sides have proved who they are"
        self._talk.fail(beginning, beginning.doubt or Aborted(Reason.PEER_REFUSED, what))

    def _malformed(self, header: Header, datagram: bytes, error: Refused) -> None:
        """An authentic message makes no sense: say so; the IKE SA cannot be trusted to work (§2.21.3)."""
        if header.exchange in IN_CLEAR:
            return
        self._talk.answer(header, datagram, informational.told(error))
        beginning = self._talk.answering
        if beginning is not None:
            self._talk.fail(beginning, error)
        elif not isinstance(error, Answered):
            self._voice.emit(Lost(error.reason, error.detail))

    def _take_creation(self, message: Message) -> None:
        rekeys_ike = message.chain.maybe(TsInitiatorPayload) is None
        if (refused := self._not_now(rekeys_ike=rekeys_ike)) is not None:
            self._talk.answer(message.header, message.octets, informational.told(refused))
            raise refused
        made, patience = self._made(), self._world.settings.patience
        if rekeys_ike:
            succession = rekey.respond(message, made.keys, made.entry, self._world.env)
            running = Running(Kind.CREATE_CHILD_SA, Stepper(succession), patience, initiator=False, rekeys_ike=True)
            self._talk.serve(running, message, first=True)
            return
        self._session.peer_began_quick = True
        exchange = child.respond(message, self._ground(), self.offered(made.proved), self._world.env)
        self._talk.serve(
            Running(Kind.CREATE_CHILD_SA, Stepper(exchange), patience, initiator=False), message, first=True
        )

    def _take_followup(self, message: Message) -> None:
        running = self._talk.followed(link_of(message.chain))
        if running is None:
            unknown = unknown_link()
            self._talk.answer(message.header, message.octets, informational.told(unknown))
            raise unknown
        self._talk.serve(running, message, first=False)

    def _not_now(self, *, rekeys_ike: bool) -> Refused | None:
        """Why something cannot be negotiated now (§2.25)."""
        current = self._talk.current
        negotiates = current is not None and current.kind is Kind.CREATE_CHILD_SA
        if self._session.closing or self._superseded:
            return Refused(Reason.COLLISION, "the IKE SA is about to end")
        if self._session.moving.is_unproven:
            return Refused(Reason.COLLISION, "the peer has yet to show that it is where it says")
        if rekeys_ike and negotiates and current is not None and not current.rekeys_ike:
            return Refused(Reason.COLLISION, "a child SA is being negotiated under the IKE SA that is to be rekeyed")
        if rekeys_ike and current is not None and current.deletes:
            return Refused(Reason.COLLISION, "a child SA is being deleted under the IKE SA that is to be rekeyed")
        if not rekeys_ike and (self._rival is not None or (negotiates and current is not None and current.rekeys_ike)):
            return Refused(Reason.COLLISION, "the IKE SA is being rekeyed")
        return None

    def offered(self, proved: Proved) -> child.Offered:
        """What a child SA with a peer that has proved that may be."""
        path = self._session.home

        def replaces(chain: Chain) -> int | None:
            named = next((each for each in chain.all(NotifyPayload) if each.kind == Notify.REKEY_SA), None)
            return None if named is None else self._rekeyed(named)

        entries = self._world.protected_with(lambda entry: proved.satisfies(entry, path))
        return child.Offered(entries, replaces, self._world.assignments.leases.held(self._session.id))

    def _rekeyed(self, named: NotifyPayload) -> int:
        """The child SA that a peer rekeys, by the SPI that it receives by; raises Refused."""
        protocol = next((each for each in Protocol if PROTOCOL_ID[each] == named.protocol), None)
        spi = int.from_bytes(named.spi)
        record = protocol and self._world.children.sent_under(self._session.id, protocol, spi)
        if not record and protocol and self._closes(protocol, spi):
            raise Refused(Reason.COLLISION, "the peer rekeys a child SA that we are about to delete")
        if not record:
            about = named.protocol, named.spi
            raise Answered(
                Reason.WRONG_SELECTORS, "the peer rekeys a child SA that we do not have", Notify.CHILD_SA_NOT_FOUND,
                about=about,
            )  # fmt: skip
        if record.state is ChildState.RETIRING:
            raise Refused(Reason.COLLISION, "the peer rekeys a child SA that has a successor and is about to end")
        return record.child.id

    def _closes(self, protocol: Protocol, spi: int) -> bool:
        """Whether the peer is being told that a child SA is gone that we sent by that SPI."""
        ours = self._world.children.was_received_by(self._voice.path.remote.address, protocol, spi)
        return any(ours in running.deletes for running in self._talk.exchanges)

    def _take_information(self, message: Message) -> None:
        chain, answer = message.chain, list[Payload]()
        ends = informational.deletes_ike(chain)
        gone = [] if ends else [*informational.deleted(chain)]
        ours = []
        for protocol, spi in gone:
            record = self._world.children.sent_under(self._session.id, protocol, spi)
            if record is not None:
                ours += [(sa.protocol, sa.spi) for sa in record.child.inbound]
        answer += informational.delete_children(ours)
        answer += configuration.informed(chain)
        answer += self._session.moving.take(chain)
        self._talk.answer(message.header, message.octets, answer)
        self._session.moving.taken()
        for protocol, spi in gone:
            self._voice.emit(PeerDeleted(protocol, (spi,)))
        if (token := crash.given(chain)) is not None and not ends:
            self._session.made = replace(self._made(), token=token)
        if (seconds := authlife.told(chain)) is not None and not ends:
            self._voice.emit(Limited(seconds))
        if ends:
            self._end()
        elif (to := self.elsewhere.heard(chain, self._made().entry)) is not None:
            self._voice.emit(SentElsewhere(to))
        elif says(chain, Notify.INITIAL_CONTACT) and not self._made().proved.is_stranger:
            self._voice.emit(FirstContact())

    def _end(self) -> None:
        """The peer has ended the IKE SA, perhaps because its successor counts; then we need not end it as well."""
        if self._session.closing:
            for running in [each for each in self._talk.exchanges if each.last]:
                self._talk.drop(running)
            self._voice.emit(Left())
            return
        if self._rival is not None:
            self._voice.emit(Inherits(self._rival.keys.ends.spis))
            self._rival = None
        self._voice.emit(PeerDeletedIke(b"".join(self._voice.spis)))

    # The successor -------------------------------------------------------------------------------------------------

    def succeeded(self, made: rekey.Successor) -> None:
        """The IKE SA has been rekeyed, by us or by the peer."""
        rival = self._rival
        if not made.initiator:
            if self._rekeys:
                self._rival = made
                self._voice.emit(Succeeded(made, inherits=False))
            else:
                self._supersede()
                self._voice.emit(Succeeded(made, inherits=True))
            return
        self._supersede()
        self._rival = None
        loses = rival is not None and made.lowest < rival.lowest
        self._voice.emit(Succeeded(made, inherits=not loses, closes=loses))
        if loses and rival is not None:
            self._voice.emit(Inherits(rival.keys.ends.spis))

    def not_succeeded(self, error: IkeError) -> None:
        """Our rekeying came to nothing; the peer's counts, if there is one."""
        if self._rival is not None:
            self._supersede()
            self._voice.emit(Inherits(self._rival.keys.ends.spis))
            self._rival = None
        elif not isinstance(error, Aborted):
            self._voice.emit(SuccessionFailed(error.reason, error.detail))

    def forget_denied(self, running: AnyRunning, error: IkeError) -> None:
        """The peer does not have the child SA that we wanted to rekey: nor do we, then."""
        replaces = running.wish.replaces if running.wish else None
        record = None if replaces is None else self._world.children.get(replaces)
        if isinstance(error, Refused) and error.reason is Reason.PEER_DELETED and record is not None:
            for sa in record.child.outbound:
                self._voice.emit(PeerDeleted(sa.protocol, (sa.spi,)))

    def _supersede(self) -> None:
        self._superseded = True
        self._talk.forget_followed()
        for running in [each for each in self._talk.waiting if each.deletes]:
            self._talk.drop(running)
            self._unsaid += running.deletes
