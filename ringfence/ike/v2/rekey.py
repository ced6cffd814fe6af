# SPDX-License-Identifier: Apache-2.0
"""A successor of an IKE SA (RFC 7296 §1.3.2, §2.18): new keys and SPIs, the same two peers, the same child SAs.

initiator               responder
{ SA, Ni, KEi }      ->
<- { SA, Nr, KEr }
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ringfence.crypto.suites import DhGroup
from ringfence.databases.pad import PadEntry
from ringfence.databases.proposal import IkeProposal
from ringfence.ike.errors import Reason, Refused
from ringfence.ike.exchange import Env, Exchange, Message, conclude, perform, request
from ringfence.ike.v2.keyexchange import answer_further, ask_further, check_group, half_of, ke_of, secret_of
from ringfence.ike.v2.keys import Ends, IkeKeys, derive, log_of
from ringfence.ike.v2.payloads import NoncePayload, SaPayload
from ringfence.ike.v2.proposals import accepted_ike, choose_ike, offer_ike, sayable
from ringfence.ike.v2.refusals import refusal, refused_by_peer
from ringfence.secret import Secret

NONCE_OCTETS = 32
SPI_OCTETS = 8


@dataclass(frozen=True, slots=True)
class Successor:
    """What a rekeying comes to."""

    keys: IkeKeys
    initiator: bool
    """Whether we began the rekeying: it is we who began the successor."""
    lowest: bytes
    """The lesser nonce of the exchange: of two that cross, the one with the lowest is given up (§2.8.2)."""

    @property
    def spis(self) -> tuple[bytes, bytes]:
        """The initiator's and the responder's."""
        return self.keys.ends.initiator_spi, self.keys.ends.responder_spi


def new_spi(env: Env) -> bytes:
    """One that is not zero; 8 random octets do not come twice."""
    while not any(spi := env.random(SPI_OCTETS)):
        pass
    return spi


def initiate(former: IkeKeys, entry: PadEntry, env: Env) -> Exchange[Successor]:
    """Rekey an IKE SA; raises Refused. The key exchanges of the present keys come first, for the peer had them."""
    proposals = _with_first(sayable(entry.proposals), former.proposal)
    group = proposals[0].group
    spi, nonce = new_spi(env), NoncePayload(env.random(NONCE_OCTETS))
    half = half_of(group, env)
    offer = offer_ike(_of_group(proposals, group), spi)
    reply = (yield from request(offer, nonce, *ke_of(half))).chain
    if (refused := refusal(reply)) is not None and reply.maybe(SaPayload) is None:
        raise refused_by_peer(refused)
    proposal, theirs = accepted_ike(offer, reply.one(SaPayload), _of_group(proposals, group))
    _check_spi(theirs)
    ends = Ends(spi, theirs, nonce.data, reply.one(NoncePayload).data)
    secret = secret_of(half, reply) or Secret(b"")
    further = yield from ask_further(proposal.further, reply, env)
    keys = derive(proposal, secret, ends, former, further)
    yield from perform(log_of(keys))
    return Successor(keys, initiator=True, lowest=min(ends.initiator_nonce, ends.responder_nonce))


def respond(first: Message, former: IkeKeys, entry: PadEntry, env: Env) -> Exchange[Successor]:
    """Answer a rekeying; raises Refused."""
    spi = new_spi(env)
    choice = choose_ike(first.chain.one(SaPayload), (entry,), spi)
    _check_spi(choice.spi)
    check_group(first.chain, choice.proposal.group)
    half = half_of(choice.proposal.group, env)
    nonce = NoncePayload(env.random(NONCE_OCTETS))
    ends = Ends(choice.spi, spi, first.chain.one(NoncePayload).data, nonce.data)
    secret = secret_of(half, first.chain) or Secret(b"")
    said = choice.answer, nonce, *ke_of(half)
    said, further = yield from answer_further(choice.proposal.further, said, env)
    keys = derive(choice.proposal, secret, ends, former, further)
    yield from perform(log_of(keys))
    yield from conclude(*said)
    return Successor(keys, initiator=False, lowest=min(ends.initiator_nonce, ends.responder_nonce))


def _check_spi(spi: bytes) -> None:
    if not any(spi):
        raise Refused(Reason.CHANGED_PROPOSAL, "the peer chose the SPI 0 for the successor of the IKE SA")


def _with_first(proposals: Sequence[IkeProposal], first: IkeProposal) -> tuple[IkeProposal, ...]:
    def distance(each: IkeProposal) -> tuple[bool, bool]:
        return each.group is not first.group, each.further != first.further

    return tuple(sorted(proposals, key=distance))


def _of_group(proposals: Sequence[IkeProposal], group: DhGroup) -> tuple[IkeProposal, ...]:
    """Only those that our value fits, so that no second request is needed."""
    return tuple(each for each in proposals if each.group is group)
