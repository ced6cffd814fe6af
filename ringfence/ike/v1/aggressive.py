# SPDX-License-Identifier: Apache-2.0
"""Aggressive mode (RFC 2409 §5.1, §5.4): main mode in three messages, for peers that can do nothing else.

    initiator                                    responder
    SA, KE, Ni, IDii, vendor ids          ->
                                          <-     SA with one transform, KE, Nr, IDir, proof [, CR] [, NAT-D, NAT-D],
                                                 vendor ids
    { proof [, NAT-D, NAT-D]
      [, INITIAL-CONTACT] }               ->

Both say in clear who they are. With a pre-shared key that is not all: the responder's proof can be read by everybody
who asks, and tells at home which guess at the key is right. So it is spoken only where the policy says so. In return
the responder knows who asks before it needs a key, and chooses the key by that name.

The last message may come in clear or encrypted; ours is encrypted. All proposals have one group, that of the KE
payload. Who sends the last message has seen by the NAT-D payloads of the second whether there is NAT, and goes on by
port 4500 then; its own are about the ends that this message has. Nobody answers it, so the responder repeats its own
until it comes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ringfence.crypto import dh
from ringfence.crypto.suites import is_legacy
from ringfence.databases.pad import Auth, PadEntry
from ringfence.databases.proposal import IkeProposal
from ringfence.ike.claims import check_identity
from ringfence.ike.effects import LogIkeKey
from ringfence.ike.errors import Aborted, Reason
from ringfence.ike.exchange import Env, Exchange, Message, conclude, perform, protect, request, traverse
from ringfence.ike.lifetime import stricter
from ringfence.ike.payload import Chain
from ringfence.ike.through_nat import check_nat
from ringfence.ike.v1 import keys as k
from ringfence.ike.v1 import natt
from ringfence.ike.v1.authentication import Authentication, methods_for, usable
from ringfence.ike.v1.identities import main_id
from ringfence.ike.v1.lifetimes import said
from ringfence.ike.v1.main_mode import (
    NONCE_OCTETS,
    Agreed,
    Look,
    Setting,
    contact,
    entries_that_fit,
    own_vendors,
    says_first_contact,
    secret_of,
    shorter_life,
    takes_one_of,
)
from ringfence.ike.v1.negotiate import accepted_main, choose_main, offer_main
from ringfence.ike.v1.payloads import IdPayload, KePayload, NoncePayload, SaPayload, VendorPayload
from ringfence.ike.v1.proofs import Proof, Said, proof_for
from ringfence.ike.v1.vendors import recognised

PROOF = 3
"""The message in which the initiator proves who it is; before it the responder has nothing."""


@dataclass(frozen=True, slots=True)
class Own:
    """What an initiator says first."""

    offered: tuple[IkeProposal, ...]
    half: dh.KeyPair
    nonce: NoncePayload


def way(entry: PadEntry) -> tuple[Authentication, tuple[Auth, ...]]:
    """The one method that we begin by, and the ways that it stands for: who we are depends on it. Raises Aborted."""
    offered = usable(entry)
    found = methods_for(entry)
    if not found:
        raise Aborted(Reason.NO_CERTIFICATE, f"this computer has none for {' or '.join(map(str, entry.auth))}")
    return found[0], offered


def of_one_group(proposals: Sequence[IkeProposal]) -> tuple[IkeProposal, ...]:
    """Those with the group of the first."""
    return tuple(one for one in proposals if one.group is proposals[0].group)


def initiate(setting: Setting, env: Env) -> Exchange[Agreed]:
    """Begin an aggressive mode."""
    (entry,) = setting.entries
    method, offered = way(entry)
    proof = proof_for(method, offered)
    proposals = of_one_group(entry.proposals)
    offer = offer_main(proposals, (method,))
    serves = entry.nat_traversal and natt.serves(setting.path)
    group = proposals[0].group
    half = dh.generate(group, env.random, legacy=is_legacy(group))
    own = Own(proposals, half, NoncePayload(env.random(NONCE_OCTETS)))
    mine = main_id(proof.own_name(entry, setting.path))
    vendors = *own_vendors(entry, first=setting.first_contact()), *natt.offered(serves=serves)
    reply = _Answer(setting, own, proof, offer)
    first = offer, KePayload(own.half.public), own.nonce, mine, *proof.requests(), *vendors
    second = yield from request(*first, check=reply.check)

    keys = reply.keys(second)
    proposal = accepted_main(offer, second.chain.one(SaPayload), proposals)
    yield from protect(keys)
    yield from perform(LogIkeKey(setting.initiator_cookie, keys.e))
    cookies = setting.initiator_cookie + second.header.responder_cookie
    look = Look(natt.common(second.chain, serves=serves), proposal, cookies, setting.path)
    look.at(second.chain)
    check_nat(entry, look.nat)
    claim = proof.claim(second.chain)
    inner = look.is_inner(claim.identity)
    check_identity(entry, claim, setting.path, inner=inner)
    auth = yield from proof.judge(claim, offered)
    path = setting.path
    if look.nat is not None:
        path = natt.floated(setting.path)
        yield from traverse(path, peer_moves=look.nat.remote)
    shown = yield from proof.show(entry, setting.path, keys, Said(offer.encode(), True, Chain(())))
    _, *rest = shown.payloads
    yield from conclude(*rest, *look.payloads(path), *contact(setting, keys))
    proposal = replace(proposal, limits=stricter(proposal.limits, said(second.chain, main=True)))
    return Agreed(
        keys, proposal, entry, shown.identity, claim.identity, recognised(second.chain), False, look.nat, inner,
        auth, claim.names, claim.certificate,
    )  # fmt: skip


class _Answer:
    """What makes message 2 an answer: it takes a proposal of ours, and its proof is right."""

    def __init__(self, setting: Setting, own: Own, proof: Proof, offer: SaPayload) -> None:
        self._setting = setting
        self._own = own
        self._proof = proof
        self._offer = offer
        self._takes = takes_one_of(offer, replace(setting.entries[0], proposals=own.offered))

    def check(self, message: Message) -> None:
        """Raise IkeError for what is none."""
        self._takes(message)
        self._proof.check(self.keys(message), self._offer.encode(), initiator=False)(message)

    def keys(self, message: Message) -> k.MainKeys:
        """Those that it leads to; raises Aborted."""
        chain = message.chain
        proposal = accepted_main(self._offer, chain.one(SaPayload), self._own.offered)
        shared = k.Shared(
            initiator_cookie=self._setting.initiator_cookie,
            responder_cookie=message.header.responder_cookie,
            initiator_public=self._own.half.public,
            responder_public=chain.one(KePayload).public,
            initiator_nonce=self._own.nonce.data,
            responder_nonce=chain.one(NoncePayload).data,
            secret=secret_of(self._own.half, chain.one(KePayload)),
        )
        return self._proof.derive(proposal, shared)


def respond(first: Message, setting: Setting, env: Env) -> Exchange[Agreed]:
    """Answer an aggressive mode; ``first`` is message 1."""
    setting = replace(setting, entries=_allowed(first, setting))
    choice = choose_main(first.chain.one(SaPayload), setting.entries)
    proposal, entry = choice.proposal, choice.entry
    proof = proof_for(choice.method, usable(entry), setting.entries)
    common = natt.common(first.chain, serves=entry.nat_traversal and natt.serves(setting.path))
    half = dh.generate(proposal.group, env.random, legacy=is_legacy(proposal.group))
    nonce = NoncePayload(env.random(NONCE_OCTETS))
    shared = k.Shared(
        initiator_cookie=setting.initiator_cookie,
        responder_cookie=setting.responder_cookie,
        initiator_public=first.chain.one(KePayload).public,
        responder_public=half.public,
        initiator_nonce=first.chain.one(NoncePayload).data,
        responder_nonce=nonce.data,
        secret=secret_of(half, first.chain.one(KePayload)),
    )
    keys = proof.derive(proposal, shared)
    yield from protect(keys)
    yield from perform(LogIkeKey(setting.initiator_cookie, keys.e))
    cookies = setting.initiator_cookie + setting.responder_cookie
    look = Look(common, proposal, cookies, setting.path)
    if common is not None:
        yield from traverse(setting.path, peer_moves=False)

    sa_body = first.chain.body(SaPayload)
    shown = yield from proof.show(entry, setting.path, keys, Said(sa_body, False, first.chain))
    mine, *rest = shown.payloads
    vendors = *own_vendors(entry), *((VendorPayload(common),) if common else ())
    second = choice.answer, KePayload(half.public), nonce, mine, *rest, *proof.requests(), *look.payloads(), *vendors
    check = proof.check(keys, sa_body, initiator=True)
    last = yield from request(*second, *shorter_life(choice, cookies), check=_with_id(first, check))
    look.at(last.chain, last.path)
    if look.nat is not None:
        yield from traverse(last.path or setting.path, peer_moves=look.nat.remote)
    claim = proof.claim(_whole(first, last))
    inner = look.is_inner(claim.identity)
    fitting = [one for one in entries_that_fit(claim, choice, proof, setting, inner=inner) if one.aggressive]
    ways = dict.fromkeys(each for one in fitting for each in proof.ways(one))
    auth = yield from proof.judge(claim, tuple(ways))
    entry = next(one for one in fitting if auth in proof.ways(one))
    known = recognised(first.chain) | recognised(last.chain)
    contacted = last.header.encrypted and says_first_contact(last)
    return Agreed(
        keys, proposal, entry, shown.identity, claim.identity, known, contacted, look.nat, inner,
        auth, claim.names, claim.certificate,
    )  # fmt: skip


def _allowed(first: Message, setting: Setting) -> tuple[PadEntry, ...]:
    """Entries that take aggressive mode: those first that are for who says to ask. Raises Aborted for none."""
    found = [one for one in setting.entries if one.aggressive]
    if not found:
        raise Aborted(Reason.EXCHANGE_TYPE, "a peer begins with aggressive mode, which no rule for it allows")
    claimed = first.chain.one(IdPayload)

    def is_for(entry: PadEntry) -> bool:
        """By what it calls itself alone; whether that is so, its proof tells."""
        return entry.remote_identity is not None and main_id(entry.remote_identity).data == claimed.data

    return tuple(sorted(found, key=lambda entry: not is_for(entry)))


def _whole(first: Message, last: Message) -> Chain:
    """What a peer says of itself, in both of its messages."""
    identity = [item for item in first.chain.items if isinstance(item.payload, IdPayload)]
    return Chain((*identity, *last.chain.items))


def _with_id(first: Message, check: Callable[[Message], None]) -> Callable[[Message], None]:
    return lambda last: check(replace(last, chain=_whole(first, last)))
