# SPDX-License-Identifier: Apache-2.0
"""An IKE SA is resumed, without a key exchange and without a new proof of who both sides are (RFC 5723).

    client                                          gateway
    IKE_AUTH { …, N(TICKET_REQUEST) }            ->
                                                 <- { …, N(TICKET_LT_OPAQUE: seconds, ticket) }
    …                                               (whatever cuts them off)
    IKE_SESSION_RESUME Ni, N(TICKET_OPAQUE)      ->
                                                 <- Nr, or N(TICKET_NACK)
    { IDi, [IDr,] AUTH, SA, TSi, TSr }           ->
                                                 <- { IDr, AUTH, SA, TSi, TSr }

The keys come of SK_d of the former IKE SA and of both nonces; AUTH is a MAC by SK_pi and SK_pr of what AUTH covers
always. Libreswan's is about the first message alone, and is answered alike: the keys come of both nonces, and the
names are those of the ticket in any case. Who proves that has the former keys; who it is says the ticket, and IDi and
IDr have to be those of then. The policy of now is asked all the same: whether it has an entry that wants what was
proved, and whether the certificate is still trusted. A ticket is spent when somebody has proved that it is his: so
nobody can take it from its owner by repeating what he saw of it. If it does not serve, the client begins as ever, in
the same breath.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ringfence.crypto.integrity import same
from ringfence.databases.certification import CertificateAuth
from ringfence.databases.pad import PadEntry
from ringfence.ike.claims import judge
from ringfence.ike.errors import Aborted, Reason
from ringfence.ike.exchange import Check, Env, Exchange, Message, answer, perform, protect, request, traverse
from ringfence.ike.payload import Chain, Payload
from ringfence.ike.v2 import fragment, natt, puzzles, redirect
from ringfence.ike.v2.auth import Met
from ringfence.ike.v2.begun import Begun
from ringfence.ike.v2.channel import Frame, in_clear
from ringfence.ike.v2.keys import Ends, IkeKeys, log_of, resumed
from ringfence.ike.v2.notifies import Answered, Notify
from ringfence.ike.v2.numbers import AuthMethod, Kind
from ringfence.ike.v2.payloads import (
    AuthPayload,
    IdInitiatorPayload,
    IdResponderPayload,
    NoncePayload,
    NotifyPayload,
)
from ringfence.ike.v2.peers import Proved, identity_of, initiator_id, responder_id
from ringfence.ike.v2.tickets import LEAST_S, Ticket, Tickets
from ringfence.net.address import Path

NONCE_OCTETS = 32
LIFETIME_OCTETS = 4
NO_SPI = bytes(8)
REQUEST = NotifyPayload(Notify.TICKET_REQUEST)


@dataclass(frozen=True, slots=True)
class Resumption:
    """What one IKE SA has to do with tickets."""

    tickets: Tickets
    ike_id: int
    path: Path
    env: Env
    anew: bool = False
    """Whether who both sides are has to be proved anew."""

    def held(self, entry: PadEntry) -> Ticket | None:
        """The ticket that we begin with."""
        found = self.tickets.take(entry.name, self.path, self.env.now)
        usable = found is not None and entry.resumption and not self.anew and found.proved.satisfies(entry, self.path)
        return found if usable else None

    def asked(self, entry: PadEntry) -> tuple[NotifyPayload, ...]:
        """What IKE_AUTH says where we want a ticket."""
        return (REQUEST,) if entry.resumption else ()

    def keep(self, chain: Chain, keys: IkeKeys, proved: Proved, ends: float | None) -> None:
        """The peer's answer may have a ticket; ``ends`` is when the proof that counts is over."""
        said = next((one.data for one in chain.all(NotifyPayload) if one.kind == Notify.TICKET_LT_OPAQUE), b"")
        if not proved.entry.resumption or len(said) <= LIFETIME_OCTETS or proved.is_stranger:
            return
        until = self.env.now + int.from_bytes(said[:LIFETIME_OCTETS])
        until = until if ends is None else min(until, ends)
        ticket = Ticket(said[LIFETIME_OCTETS:], keys.d, keys.proposal, proved, until, self.ike_id)
        self.tickets.hold(ticket, self.path)

    def given(self, first: Chain, keys: IkeKeys, proved: Proved, ends: float | None) -> tuple[NotifyPayload, ...]:
        """The ticket for a client that asks for one in ``first``, where the policy has it."""
        asks = any(one.kind == Notify.TICKET_REQUEST for one in first.all(NotifyPayload))
        if not asks or not proved.entry.resumption or proved.is_stranger or proved.second is not None:
            return ()
        until = proof_ends(proved, self.env.now, ends)
        if until is None or until - self.env.now < LEAST_S:
            return ()
        ticket = Ticket(b"", keys.d, keys.proposal, proved, until, self.ike_id)
        name = self.tickets.give(ticket, self.env.random)
        seconds = int(until - self.env.now).to_bytes(LIFETIME_OCTETS)
        return (NotifyPayload(Notify.TICKET_LT_OPAQUE, seconds + name),)


def proof_ends(proved: Proved, now: float, ends: float | None) -> float | None:
    """When a proof of now is over, or an older one that ``ends`` then; None for never."""
    if ends is not None:
        return ends
    limits = proved.proposal.limits.seconds, proved.entry.reauthenticate_s
    seconds = min((one for one in limits if one is not None), default=None)
    return None if seconds is None else now + seconds


@dataclass(frozen=True, slots=True)
class Resumed:
    """What IKE_SESSION_RESUME comes to, for a client."""

    begun: Begun
    ticket: Ticket


# The client --------------------------------------------------------------------------------------------------------


def initiate(
    tickets: Resumption, entry: PadEntry, elsewhere: redirect.Elsewhere, spi: bytes, env: Env
) -> Exchange[Resumed | None]:
    """Resume by the ticket that we hold; None where we hold none, or the peer does not take it."""
    ticket = tickets.held(entry)
    if ticket is None:
        return None
    path, nonce = tickets.path, NoncePayload(env.random(NONCE_OCTETS))
    looks = (
        *(natt.marks(spi + NO_SPI, path) if entry.nat_traversal else ()),
        *fragment.announcement((entry,)),
        *elsewhere.offered(entry),
    )
    words = nonce, NotifyPayload(Notify.TICKET_OPAQUE, ticket.octets), *looks
    said, reply = yield from _ask(words, _goes_on(elsewhere, entry, nonce.data))
    elsewhere.check_first(reply.chain, entry, nonce.data)
    if reply.chain.maybe(NoncePayload) is None:
        return None
    ends = Ends(spi, reply.header.responder_cookie, nonce.data, reply.chain.one(NoncePayload).data)
    keys = resumed(ticket.proposal, ticket.d, ends)
    yield from protect(keys)
    yield from perform(log_of(keys))
    frame = Frame((spi, NO_SPI), Kind.IKE_SESSION_RESUME, 0, initiator=True, response=False)
    nat = natt.found(reply.chain, ends.spis, path) if entry.nat_traversal else None
    begun = Begun(tickets.ike_id, path, keys, in_clear(frame, said), reply, nat, ends.spis)
    return Resumed(begun, ticket)


def _ask(words: tuple[Payload, ...], check: Check) -> Exchange[tuple[tuple[Payload, ...], Message]]:
    """What was said in the end, for a cookie may be demanded once, and the answer."""
    reply = yield from request(*words, kind=Kind.IKE_SESSION_RESUME, check=check)
    demanded = next((one for one in reply.chain.all(NotifyPayload) if one.kind == Notify.COOKIE), None)
    if demanded is None:
        return words, reply
    words = *(yield from puzzles.answered(demanded.data, reply.chain)), *words
    return words, (yield from request(*words, kind=Kind.IKE_SESSION_RESUME, check=check))


def _goes_on(elsewhere: redirect.Elsewhere, entry: PadEntry, nonce: bytes) -> Check:
    """An answer that nobody authenticated: it sends us on, leads on, or makes us begin as ever."""

    def check(message: Message) -> None:
        elsewhere.sends_on(message.chain, entry, nonce)

    return check


def introduce(found: Resumed, entry: PadEntry, *beside: Payload) -> Exchange[tuple[Chain, Proved]]:
    """IKE_AUTH: show that we have the former keys, and that the peer has; raises Aborted."""
    begun, former = found.begun, found.ticket.proved
    mine, theirs = initiator_id(former.local), responder_id(former.remote)
    proof = _proof(begun.keys, begun.signed_by_us(mine), initiator=True)
    chain = (yield from request(mine, theirs, proof, *beside)).chain
    payload, shown = chain.maybe(IdResponderPayload), chain.maybe(AuthPayload)
    if payload is None or shown is None:
        raise Aborted(Reason.TICKET, "the peer takes our ticket, and then does not let us in")
    if identity_of(payload) != former.remote:
        raise Aborted(Reason.TICKET, f"who resumes calls itself {identity_of(payload)}, and was {former.remote} before")
    _check(shown, _proof(begun.keys, begun.said(chain, payload).signed, initiator=False))
    return chain, replace(former, entry=entry)


def _proof(keys: IkeKeys, signed: bytes, *, initiator: bool) -> AuthPayload:
    """By the keys of the resumed IKE SA (§5.1)."""
    key = keys.pi if initiator else keys.pr
    return AuthPayload(AuthMethod.SHARED_KEY, keys.prf.mac(key.reveal(), signed))


def _is(shown: AuthPayload, wanted: AuthPayload) -> bool:
    return shown.method == AuthMethod.SHARED_KEY and same(shown.data, wanted.data)


def _check(shown: AuthPayload, wanted: AuthPayload) -> None:
    if not _is(shown, wanted):
        raise Aborted(Reason.WRONG_KEY, "the peer does not have the keys of the IKE SA that is to be resumed")


# The gateway -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Taken:
    """A client that has come back."""

    met: Met
    nat: natt.Nat | None
    until: float


def respond(
    first: Message, tickets: Resumption, entries: Sequence[PadEntry], spis: tuple[bytes, bytes], env: Env
) -> Exchange[Taken]:
    """Answer IKE_SESSION_RESUME, and hear IKE_AUTH; raises Answered for a ticket that does not serve, and Aborted."""
    opaque = [one.data for one in first.chain.all(NotifyPayload) if one.kind == Notify.TICKET_OPAQUE]
    name = opaque[0] if len(opaque) == 1 else b""
    ticket = tickets.tickets.find(name, env.now)
    entry = None if ticket is None else _entry(ticket, entries, tickets.path)
    if ticket is None or entry is None:
        what = "a ticket that was never given, is over or has been used"
        if ticket is not None:
            what = f"the policy lets {ticket.proved.remote} in no longer as it was let in"
        raise Answered(Reason.TICKET, what, Notify.TICKET_NACK)
    nonce, path = NoncePayload(env.random(NONCE_OCTETS)), tickets.path
    ends = Ends(*spis, first.chain.one(NoncePayload).data, nonce.data)
    looks: tuple[Payload, ...] = ()
    nat = None
    kinds = {one.kind for one in first.chain.all(NotifyPayload)}
    if entry.nat_traversal and Notify.NAT_DETECTION_SOURCE_IP in kinds:
        nat = natt.found(first.chain, spis[0] + NO_SPI, path)
        looks = natt.marks(ends.spis, path)
    if Notify.IKEV2_FRAGMENTATION_SUPPORTED in kinds:
        looks = *looks, *fragment.announcement((entry,))
    said = nonce, *looks
    own = in_clear(Frame(spis, Kind.IKE_SESSION_RESUME, 0, initiator=False, response=True), said)
    keys = resumed(ticket.proposal, ticket.d, ends)
    yield from protect(keys)
    yield from perform(log_of(keys))
    if nat is not None:
        yield from traverse(path, peer_moves=nat.remote)
    message = yield from answer(*said)
    begun = Begun(tickets.ike_id, path, keys, own, first, nat, spis[0] + NO_SPI)
    proved, words = yield from _meet(message, begun, replace(ticket.proved, entry=entry))
    if tickets.tickets.spend(name) is not ticket:
        raise Aborted(Reason.TICKET, "the ticket has been used meanwhile")
    return Taken(Met(proved, words, message, keys), nat, ticket.until)


def _entry(ticket: Ticket, entries: Sequence[PadEntry], path: Path) -> PadEntry | None:
    """By which entry of the policy of now who has the ticket may come in: that of then, if it still wants the same."""
    fitting = [one for one in entries if one.resumption and ticket.proved.satisfies(one, path)]
    return next((one for one in fitting if one.name == ticket.proved.entry.name), next(iter(fitting), None))


def _meet(message: Message, begun: Begun, former: Proved) -> Exchange[tuple[Proved, tuple[Payload, ...]]]:
    chain = message.chain
    payload, asked = chain.maybe(IdInitiatorPayload), chain.maybe(IdResponderPayload)
    shown = chain.maybe(AuthPayload)
    if payload is None or shown is None:
        raise Aborted(Reason.PAYLOAD_MISSING, "who resumes does not say who it is, or does not prove it")
    if identity_of(payload) != former.remote or (asked is not None and identity_of(asked) != former.local):
        raise Aborted(Reason.TICKET, f"who resumes calls itself {identity_of(payload)}, and was {former.remote} before")
    brief = _is(shown, _proof(begun.keys, begun.theirs.octets, initiator=True))
    if not brief:
        _check(shown, _proof(begun.keys, begun.said(chain, payload).signed, initiator=True))
    if isinstance(former.auth, CertificateAuth) and former.claim.chain:
        yield from judge(former.claim, (former.auth,))
    mine = responder_id(former.local)
    return former, (mine, _proof(begun.keys, begun.own if brief else begun.signed_by_us(mine), initiator=False))
