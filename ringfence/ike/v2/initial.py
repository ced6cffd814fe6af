# SPDX-License-Identifier: Apache-2.0
"""IKE_SA_INIT and IKE_AUTH (RFC 7296 §1.2, §2.6, §2.7, §2.15): an IKE SA, and the first child SA with it.

    initiator                                            responder
    SA, KEi, Ni, N(NAT_DETECTION…)                    ->
                                                      <- SA, KEr, Nr, N(NAT_DETECTION…)
    { IDi [, IDr] [, CERT, …] [, CERTREQ], AUTH,
      SA, TSi, TSr }                                  ->
                                                      <- { IDr [, CERT, …], AUTH, SA, TSi, TSr }

A responder may ask for the same once more, with its cookie or with a value of another group. Nothing of that is
authenticated, so it is heard only a few times. What is in braces is protected; AUTH covers a side's whole first
message, so that nobody in between has changed it. The child SA may fail while the IKE SA is made.

The responder knows by IDi, and IDr where it is said, which entry of the policy the peer means. Who both sides are is
said in ``auth``.
"""

from dataclasses import dataclass, replace

from ringfence.crypto import dh
from ringfence.crypto.suites import DhGroup, is_legacy
from ringfence.databases.eap import EapAuth
from ringfence.databases.identity import Identity
from ringfence.databases.pad import PadEntry
from ringfence.databases.pool import Assignment
from ringfence.databases.proposal import IkeProposal, Protocol
from ringfence.ike.agreement import at_addresses, check_demand
from ringfence.ike.children import Children
from ringfence.ike.claims import in_words
from ringfence.ike.effects import InstallInbound
from ringfence.ike.errors import Aborted, IkeError, Reason, Refused
from ringfence.ike.exchange import (
    Env,
    Exchange,
    Message,
    conclude,
    perform,
    protect,
    request,
    traverse,
)
from ringfence.ike.payload import Chain, Payload
from ringfence.ike.through_nat import check_nat
from ringfence.ike.v2 import (
    announcing,
    authlife,
    crash,
    fragment,
    further,
    intermediate,
    mixing,
    mobike,
    natt,
    ppk,
    puzzles,
    redirect,
    resumption,
)
from ringfence.ike.v2.auth import Met, introduce, meet
from ringfence.ike.v2.begun import Begun
from ringfence.ike.v2.certificates import requests
from ringfence.ike.v2.channel import Frame, in_clear
from ringfence.ike.v2.child import Asked, Ground, Negotiated, Terms, Wanted, contract, grants
from ringfence.ike.v2.childless import begins_childless, check_childless, childless_announced
from ringfence.ike.v2.informational import check_stays, told
from ringfence.ike.v2.keyexchange import check_group, secret_of
from ringfence.ike.v2.keys import Ends, IkeKeys, derive, log_of
from ringfence.ike.v2.leading import goes_on, group_in
from ringfence.ike.v2.notifies import Notify
from ringfence.ike.v2.numbers import Kind
from ringfence.ike.v2.payloads import (
    KePayload,
    NoncePayload,
    NotifyPayload,
    SaPayload,
)
from ringfence.ike.v2.peers import Proved
from ringfence.ike.v2.proof import first_words, own_way
from ringfence.ike.v2.proposals import accepted_ike, choose_ike, offer_ike, sayable
from ringfence.ike.v2.refusals import refusal, refused_by_peer
from ringfence.ike.v2.setting import Setting
from ringfence.secret import Secret

NONCE_OCTETS = 32
MOST_BEGINNINGS = 5
"""First messages in all; more than one only because the responder asks for them."""
NO_SPI = bytes(8)


@dataclass(frozen=True, slots=True)
class Agreed:
    """What IKE_SA_INIT and IKE_AUTH come to."""

    keys: IkeKeys
    proved: Proved
    nat: natt.Nat | None = None
    first_contact: bool = False
    """Whether the peer says that it has nothing else with us."""
    child: Negotiated | None = None
    refused: IkeError | None = None
    """Why there is no child SA although one was asked for."""
    void: tuple[tuple[Protocol, int], ...] = ()
    """SPIs of ours that the peer believes in although there is no child SA."""
    limited_s: int | None = None
    """For how many seconds the responder takes our proof for good."""
    token: bytes | None = None
    """What the peer proves with that it has forgotten the IKE SA."""
    refers: bool = False
    """Whether the peer began it, and lets itself be sent to another gateway."""
    sends_us: bytes | None = None
    """The other gateway that the peer sends us to."""
    referred: bytes | None = None
    """The one that we have sent the peer to."""
    others: tuple[bytes, ...] | None = None
    """Where else the peer is; None unless both sides speak MOBIKE."""
    proof_ends: float | None = None
    """When the proof is over that was resumed; None where it is of now."""

    def succeeded(self, keys: IkeKeys) -> "Agreed":
        """The same of the successor of the IKE SA, which has ``keys``."""
        token = crash.stale(self.token)
        return Agreed(keys, self.proved, self.nat, refers=self.refers, token=token, proof_ends=self.proof_ends)

    @property
    def proposal(self) -> IkeProposal:
        """With our own lifetimes."""
        return self.keys.proposal

    @property
    def entry(self) -> PadEntry:
        """How the peer has authenticated."""
        return self.proved.entry

    @property
    def local(self) -> Identity:
        """Who we said we are."""
        return self.proved.local

    @property
    def remote(self) -> Identity:
        """Who the peer proved to be."""
        return self.proved.remote

    @property
    def proof(self) -> str:
        """By what it did so, for people."""
        words = in_words(self.proved.auth, self.proved.claim)
        return words if self.proof_ends is None else f"{words}, resumed"


# The initiator -----------------------------------------------------------------------------------------------------


def initiate(setting: Setting, wanted: Wanted | None, env: Env) -> Exchange[Agreed]:
    """Begin an IKE SA, with a child SA where one is wanted."""
    (entry,) = setting.entries
    own_way(entry, Chain(()))  # nothing is said where we have nothing to prove ourselves with
    former = yield from resumption.initiate(setting.tickets, entry, setting.elsewhere, setting.spis[0], env)
    begun = (yield from _initiate_init(setting, entry, env)) if former is None else former.begun
    keys, nat = begun.keys, begun.nat
    check_nat(entry, nat)
    path = yield from mobike.path_through(setting.path, begun.theirs.chain, nat, entry)
    early = (begun.early and entry.ppk) or None
    keys, mixed = yield from intermediate.initiate(keys, env, early)

    wanted = None if begins_childless(entry, begun.theirs.chain if former is None else None) else wanted
    asked, refused = _asked(wanted, nat, setting.children, env)
    child_payloads = () if asked is None else asked.payloads(())
    by_user = former is None and isinstance(own_way(entry, begun.theirs.chain), EapAuth)
    token = () if by_user else setting.tokens.of(keys.ends, setting.path)
    beside = *_contact(setting), *setting.assigning.ask(entry), *setting.tickets.asked(entry), *child_payloads, *token
    beside += mobike.offer(entry, setting.own, path)
    if former is None:
        chain, proved, keys = yield from introduce(entry, replace(begun, keys=keys, mixed=mixed), *beside)
    else:
        chain, proved = yield from resumption.introduce(former, entry, *beside)
    check_stays(chain)
    ends = None if former is None else former.ticket.until
    setting.tickets.keep(chain, keys, proved, ends)
    contact = says(chain, Notify.INITIAL_CONTACT) and not proved.is_stranger
    agreed = Agreed(
        keys, proved, nat, contact, limited_s=authlife.told(chain), token=crash.given(chain),
        others=mobike.agreed(chain, entry), proof_ends=ends,
    )  # fmt: skip
    if (to := setting.elsewhere.heard(chain, entry)) is not None:
        return replace(agreed, sends_us=to)
    try:
        given = setting.assigning.take(chain, entry)
    except Refused as error:
        given, refused, asked = (), refused or error, None
    for effect in given:
        yield from perform(effect)
    if asked is None or wanted is None:
        return replace(agreed, refused=refused)
    try:
        ground = Ground(
            setting.ike_id, keys, path, proved.remote, setting.children, nat, entry.unanswered_s, proved.names
        )
        child = _taken(chain, asked, ground, wanted, env, given[0].given if given else None)
    except Refused as error:
        void = tuple(asked.spis.items()) if chain.maybe(SaPayload) else ()
        return replace(agreed, refused=error, void=void)
    yield from perform(InstallInbound(child.child))
    return replace(agreed, child=child)


def _initiate_init(setting: Setting, entry: PadEntry, env: Env) -> Exchange[Begun]:
    proposals = sayable(entry.proposals)
    groups = tuple(dict.fromkeys(each.group for each in proposals))
    offer, nonce = offer_ike(proposals), NoncePayload(env.random(NONCE_OCTETS))
    half, cookie = _half(groups[0], env), tuple[Payload, ...]()
    spis = setting.spis[0], NO_SPI
    looks = (
        *(natt.marks(b"".join(spis), setting.path) if entry.nat_traversal else ()),
        *first_words(setting.entries),
        *fragment.announcement(setting.entries),
        *intermediate.offered(proposals, ppk=entry.ppk is not None),
        *ppk.announcement(setting.entries),
        *mixing.offered(setting.entries),
        *setting.elsewhere.offered(entry),
    )
    frame = Frame(spis, Kind.IKE_SA_INIT, 0, initiator=True, response=False)
    for _ in range(MOST_BEGINNINGS):  # bounded, for these answers are not authenticated
        said = (*cookie, offer, KePayload(half.group.value, half.public), nonce, *looks)
        reply = yield from request(*said, check=goes_on(offer, proposals, groups, setting, nonce.data))
        setting.elsewhere.check_first(reply.chain, entry, nonce.data)
        if (given := _said(reply.chain, Notify.COOKIE)) is not None:
            cookie = yield from puzzles.answered(given.data, reply.chain)
        elif (refused := _said(reply.chain, Notify.INVALID_KE_PAYLOAD)) is not None:
            half = _half(group_in(refused, groups) or groups[0], env)
        else:
            return (yield from _keyed(reply, half, nonce.data, in_clear(frame, said), offer, setting))
    raise Aborted(Reason.PEER_REFUSED, f"the peer has asked {MOST_BEGINNINGS} times for another first message")


def _keyed(
    reply: Message, half: dh.KeyPair, nonce: bytes, own: bytes, offer: SaPayload, setting: Setting
) -> Exchange[Begun]:
    """The keys that an answer to our first message leads to."""
    (entry,) = setting.entries
    chain = reply.chain
    proposal, _ = accepted_ike(offer, chain.one(SaPayload), sayable(entry.proposals))
    if proposal.group is not half.group:
        raise Aborted(Reason.CHANGED_PROPOSAL, "the peer takes a group of which it has no value")
    intermediate.check_served(proposal, chain)
    ends = Ends(setting.spis[0], reply.header.responder_cookie, nonce, chain.one(NoncePayload).data)
    keys = derive(proposal, secret_of(half, chain) or Secret(b""), ends)
    yield from protect(keys)
    yield from perform(log_of(keys))
    nat = natt.between(chain, ends.spis, setting.path, looks=entry.nat_traversal)
    early = entry.ppk is not None and mixing.is_said(chain) and intermediate.is_served(chain)
    return Begun(setting.ike_id, setting.path, keys, own, reply, nat, ends.spis, early)


def _half(group: DhGroup, env: Env) -> dh.KeyPair:
    return dh.generate(group, env.random, legacy=is_legacy(group))


def _said(chain: Chain, kind: Notify) -> NotifyPayload | None:
    return next((each for each in chain.all(NotifyPayload) if each.kind == kind), None)


def says(chain: Chain, kind: Notify) -> bool:
    """Whether a message has that notify."""
    return _said(chain, kind) is not None


def _asked(
    wanted: Wanted | None, nat: natt.Nat | None, children: Children, env: Env
) -> tuple[Asked | None, Refused | None]:
    """Our request for the first child SA, or why there is none."""
    if wanted is None:
        return None, None
    try:
        return Asked(wanted, nat, children, env), None
    except Refused as error:
        return None, error


def _taken(
    chain: Chain, asked: Asked, ground: Ground, wanted: Wanted, env: Env, given: Assignment | None
) -> Negotiated:  # fmt: skip
    """The child SA that the peer's answer grants; raises Refused."""
    if chain.maybe(SaPayload) is None:
        refused = refusal(chain)
        raise refused_by_peer(refused) if refused else Refused(Reason.PEER_REFUSED, "the peer grants no child SA")
    check_demand(wanted.entry, ground)
    method, shares, spi = asked.takes(chain, (), ground.path)
    shares = at_addresses(wanted.entry, shares, given)
    terms = Terms(wanted.entry, shares, method, asked.spis, spi, wanted.replaces)
    ends = ground.keys.ends
    return contract(ground, terms, (ends.initiator_nonce, ends.responder_nonce), None, env, initiator=True)


def _contact(setting: Setting) -> tuple[NotifyPayload, ...]:
    return (NotifyPayload(Notify.INITIAL_CONTACT),) if setting.first_contact() else ()


# The responder -----------------------------------------------------------------------------------------------------


def respond(first: Message, setting: Setting, env: Env) -> Exchange[Agreed]:
    """Answer IKE_SA_INIT and IKE_AUTH; ``first`` is the request of the former, or of IKE_SESSION_RESUME."""
    setting.elsewhere.refer_first(first.chain, setting.entries)
    if first.header.exchange == Kind.IKE_SESSION_RESUME:
        taken = yield from resumption.respond(first, setting.tickets, setting.entries, setting.spis, env)
        return (yield from _grant(first, setting, taken.met, taken.met.last.chain, taken.nat, env, taken.until))
    choice = choose_ike(first.chain.one(SaPayload), setting.entries, further=intermediate.is_served(first.chain))
    check_group(first.chain, choice.proposal.group)
    half = _half(choice.proposal.group, env)
    nonce = NoncePayload(env.random(NONCE_OCTETS))
    secret = secret_of(half, first.chain)
    ends = Ends(*setting.spis, first.chain.one(NoncePayload).data, nonce.data)
    looks: tuple[Payload, ...] = ()
    traverses = choice.entry.nat_traversal and says(first.chain, Notify.NAT_DETECTION_SOURCE_IP)
    nat = natt.between(first.chain, setting.spis[0] + NO_SPI, setting.path, looks=traverses)
    if traverses:
        looks = natt.marks(ends.spis, setting.path)
    if says(first.chain, Notify.IKEV2_FRAGMENTATION_SUPPORTED):
        looks += fragment.announcement(setting.entries)
    asks = requests([way for each in setting.entries for way in (*each.auth, *each.second)])
    early = mixing.granted(setting.entries, first.chain, intermediate=intermediate.is_served(first.chain))
    looks = *looks, *first_words(setting.entries), *intermediate.granted(choice.proposal, ppk=bool(early))
    looks += *(early or ppk.announcement(setting.entries, first.chain)), *further.announcement(setting.entries)
    looks += announcing.said(setting.entries, asks)
    looks += childless_announced()
    said = choice.answer, KePayload(half.group.value, half.public), nonce, *looks, *asks
    own_first = in_clear(Frame(setting.spis, Kind.IKE_SA_INIT, 0, initiator=False, response=True), said)
    keys = derive(choice.proposal, secret or Secret(b""), ends)
    yield from protect(keys)
    yield from perform(log_of(keys))
    if nat is not None:
        yield from traverse(setting.path, peer_moves=nat.remote)

    heard = yield from intermediate.respond(said, keys, setting.entries, env, ppk=bool(early))
    keys, chain, theirs = heard.keys, heard.message.chain, setting.spis[0] + NO_SPI
    begun = Begun(setting.ike_id, setting.path, keys, own_first, first, nat, theirs, bool(early), heard.mixed)
    met = yield from meet(heard.message, begun, heard.entries)
    return (yield from _grant(first, setting, met, chain, nat, env))


def _grant(
    first: Message, setting: Setting, met: Met, chain: Chain, nat: natt.Nat | None, env: Env, ends: float | None = None
) -> Exchange[Agreed]:
    """What a client that has proved who it is gets; ``chain`` is its first message of IKE_AUTH."""
    proved, entry, keys = met.proved, met.proved.entry, met.keys
    nonces = keys.ends.initiator_nonce, keys.ends.responder_nonce
    words = *met.words, *authlife.announced(entry, None if ends is None else int(ends - env.now))
    words = *words, *setting.tokens.of(keys.ends, setting.path), *setting.tickets.given(chain, keys, proved, ends)
    contact = says(chain, Notify.INITIAL_CONTACT) and not proved.is_stranger
    path = met.last.path or setting.path
    ground = Ground(setting.ike_id, keys, path, proved.remote, setting.children, nat, entry.unanswered_s, proved.names)
    words = *words, *mobike.answer(chain, entry, setting.own, path)
    agreed = Agreed(
        keys, proved, nat, contact, refers=redirect.is_served(first.chain), others=mobike.agreed(chain, entry),
        token=crash.given(chain, met.last.chain),
        proof_ends=ends,
    )  # fmt: skip
    if (referred := setting.elsewhere.referred(first.chain, entry)) is not None:
        yield from conclude(*words, *redirect.words(referred))
        return replace(agreed, referred=referred)
    try:
        given = setting.assigning.give(chain, proved, anew=contact)
        if chain.maybe(SaPayload) is None:
            yield from conclude(*words, *given)
            return agreed
        check_childless(entry, chain)
        granted = grants(chain, ground, setting.offered(proved), env, first=True)
    except Refused as error:
        yield from conclude(*words, *told(error))
        return replace(agreed, refused=error)
    child = contract(ground, granted.terms, nonces, None, env, initiator=False)
    yield from perform(InstallInbound(child.child))
    yield from conclude(*words, *given, *granted.answer)
    return replace(agreed, child=child)
