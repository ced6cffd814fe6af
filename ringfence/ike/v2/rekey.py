# SPDX-License-Identifier: Apache-2.0
"""A successor of an IKE SA (RFC 7296 §1.3.2, §2.18): new keys and SPIs, the same two peers, the same child SAs.

initiator               responder
{ SA, Ni, KEi }      ->
<- { SA, Nr, KEr }
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ringfence.crypto import dh
from ringfence.crypto.suites import DhGroup, is_legacy
from ringfence.databases.pad import PadEntry
from ringfence.databases.proposal import IkeProposal
from ringfence.ike.effects import LogIkeV2Keys
from ringfence.ike.errors import Reason, Refused
from ringfence.ike.exchange import Env, Exchange, Message, conclude, perform, request
from ringfence.ike.v2.child import check_group, ke_of, refusal, refused_by_peer, secret_of
from ringfence.ike.v2.initial import log_of
from ringfence.ike.v2.keys import Ends, IkeKeys, derive
from ringfence.ike.v2.payloads import NoncePayload, SaPayload
from ringfence.ike.v2.proposals import accepted_ike, choose_ike, offer_ike, sayable
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
    """Rekey an IKE SA; raises Refused. The group of the present keys comes first, for the peer had it."""
    proposals = _with_first(sayable(entry.proposals), former.proposal)
    group = proposals[0].group
    spi, nonce = new_spi(env), NoncePayload(env.random(NONCE_OCTETS))
    half = dh.generate(group, env.random, legacy=is_legacy(group))
    offer = offer_ike(_of_group(proposals, group), spi)
    reply = (yield from request(offer, nonce, *ke_of(half))).chain
    if (refused := refusal(reply)) is not None and reply.maybe(SaPayload) is None:
        raise refused_by_peer(refused)
    proposal, theirs = accepted_ike(offer, reply.one(SaPayload), _of_group(proposals, group))
    _check_spi(theirs)
    ends = Ends(spi, theirs, nonce.data, reply.one(NoncePayload).data)
    keys = derive(proposal, secret_of(half, reply) or Secret(b""), ends, former)
    yield from perform(_log(keys))
    return Successor(keys, initiator=True, lowest=min(ends.initiator_nonce, ends.responder_nonce))


def respond(first: Message, former: IkeKeys, entry: PadEntry, env: Env) -> Exchange[Successor]:
    """Answer a rekeying; raises Refused."""
    spi = new_spi(env)
    choice = choose_ike(first.chain.one(SaPayload), (entry,), spi)
    _check_spi(choice.spi)
    check_group(first.chain, choice.proposal.group)
    group = choice.proposal.group
    half = dh.generate(group, env.random, legacy=is_legacy(group))
    nonce = NoncePayload(env.random(NONCE_OCTETS))
    ends = Ends(choice.spi, spi, first.chain.one(NoncePayload).data, nonce.data)
    keys = derive(choice.proposal, secret_of(half, first.chain) or Secret(b""), ends, former)
    yield from perform(_log(keys))
    yield from conclude(choice.answer, nonce, *ke_of(half))
    return Successor(keys, initiator=False, lowest=min(ends.initiator_nonce, ends.responder_nonce))


def _log(keys: IkeKeys) -> LogIkeV2Keys:
    return log_of(keys)


def _check_spi(spi: bytes) -> None:
    if not any(spi):
        raise Refused(Reason.CHANGED_PROPOSAL, "the peer chose the SPI 0 for the successor of the IKE SA")


def _with_first(proposals: Sequence[IkeProposal], first: IkeProposal) -> tuple[IkeProposal, ...]:
    return tuple(sorted(proposals, key=lambda each: each.group is not first.group))


def _of_group(proposals: Sequence[IkeProposal], group: DhGroup) -> tuple[IkeProposal, ...]:
    """Only those that our value fits, so that no second request is needed."""
    return tuple(each for each in proposals if each.group is group)
