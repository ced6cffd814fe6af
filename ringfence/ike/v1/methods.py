# SPDX-License-Identifier: Apache-2.0
"""SA payloads of quick mode (RFC 2407 §4.4, §4.5): security methods as proposals, and the choice among a peer's.

A method is one proposal number; with AH and ESP together, the number stands on two proposal payloads, AH's first. All
transforms carry the encapsulation mode, the lifetimes and, with a second Diffie-Hellman exchange, its group.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ringfence.crypto.suites import (
    GROUPS,
    DhGroup,
)
from ringfence.databases.comparison import compare
from ringfence.databases.proposal import Limits, Protocol, SecurityMethod, Transform
from ringfence.databases.sa import Mode
from ringfence.databases.spd import Processing
from ringfence.ike.errors import Reason, Refused
from ringfence.ike.lifetime import stricter
from ringfence.ike.v1.natt import ENCAPSULATION, Nat, encapsulation
from ringfence.ike.v1.negotiate import Meaning, life_attributes, listed, sa_payload
from ringfence.ike.v1.offers import described, offered_quick, own_quick
from ringfence.ike.v1.payloads import Attribute, ProposalPayload, SaPayload, TransformPayload
from ringfence.ike.v1.transforms import (
    PROTOCOL_ID,
    SPI_OCTETS,
    QuickAttribute,
    by_number,
    can_say,
    group_fits,
    on_wire,
    quick_meaning,
    quick_says,
    transform_id,
)


@dataclass(frozen=True, slots=True)
class Choice:
    """A method that both sides want."""

    method: SecurityMethod
    """With the stricter lifetimes of both sides."""
    group: DhGroup | None
    """Of the second Diffie-Hellman exchange."""
    answer: SaPayload
    spis: Mapping[Protocol, int]
    """The peer's."""


def offer_quick(processing: Processing, spis: Mapping[Protocol, int], nat: Nat | None = None) -> SaPayload:
    """Every method that IKEv1 can say, each a proposal of its own; raises Refused when there is none."""
    proposals = []
    for number, method in enumerate(filter(can_say, processing.methods), 1):
        for each in on_wire(method):
            attributes = tuple(_attributes(each, method.limits, processing, nat))
            payload = TransformPayload(1, transform_id(each) or 0, attributes)
            spi = spis[each.protocol].to_bytes(SPI_OCTETS)
            proposals.append(ProposalPayload(number, PROTOCOL_ID[each.protocol], spi, (payload,)))
    if not proposals:
        raise Refused(Reason.NO_PROPOSAL, "none of our security methods can be said in IKEv1")
    return sa_payload(proposals)


def _attributes(transform: Transform, limits: Limits, processing: Processing, nat: Nat | None) -> Iterable[Attribute]:
    yield from life_attributes(limits, QuickAttribute.LIFE_TYPE, QuickAttribute.LIFE_DURATION)
    if processing.pfs is not None:
        yield Attribute(QuickAttribute.GROUP, processing.pfs.value)
    yield Attribute(QuickAttribute.ENCAPSULATION, encapsulation(processing.mode, nat))
    for kind, number in quick_says(transform):
        yield Attribute(kind, number)


def protocols(processing: Processing) -> list[Protocol]:
    """Those that some method uses, in the order of their first use."""
    return list(dict.fromkeys(each.protocol for method in processing.methods for each in on_wire(method)))


# The responder's choice --------------------------------------------------------------------------------------------


def choose_quick(
    offer: SaPayload, processing: Processing, spis: Mapping[Protocol, int], nat: Nat | None = None
) -> Choice:
    """The first of our methods that the peer offers, answered with our SPIs; raises Refused."""
    for method in filter(can_say, processing.methods):
        for proposals in by_number(offer):
            choice = _match(method, proposals, processing, spis, nat)
            if choice is not None:
                return choice
    theirs, ours = offered_quick(offer), own_quick(processing, nat, offer)
    pfs = "" if processing.pfs is None else f" with PFS group {GROUPS[processing.pfs].word}"
    mode = f"{processing.mode.value} mode{'' if nat is None else ', in UDP because of NAT'}"
    raise Refused(
        Reason.NO_PROPOSAL,
        f"no quick mode proposal in common: the peer offers {listed(map(described, theirs))}; "
        f"we take {listed(processing.methods)}{pfs} in {mode}",
        comparison=compare("quick mode proposals", theirs, ours),
    )


def _match(
    method: SecurityMethod, proposals: Sequence[ProposalPayload], processing: Processing, spis: Mapping[Protocol, int],
    nat: Nat | None,
) -> Choice | None:  # fmt: skip
    wanted = {PROTOCOL_ID[each.protocol].value: each for each in method.transforms}
    if len(proposals) != len(wanted) or {each.protocol for each in proposals} != set(wanted):
        return None
    taken, groups, limits, theirs = [], set[int | None](), method.limits, {}
    for proposal in proposals:
        ours = wanted[proposal.protocol]
        spi = int.from_bytes(proposal.spi)
        transform = next((each for each in proposal.transforms if _fits(each, ours, processing, nat)), None)
        if transform is None or len(proposal.spi) != SPI_OCTETS or spi == 0:
            return None
        said = quick_meaning(transform)
        groups.add(said.get(QuickAttribute.GROUP))
        limits = stricter(limits, said.limits)
        theirs[ours.protocol] = spi
        our_spi = spis[ours.protocol].to_bytes(SPI_OCTETS)
        taken.append(replace(proposal, spi=our_spi, transforms=(transform,)))
    if len(groups) != 1:
        return None
    (group,) = groups
    agreed = replace(method, limits=limits)
    return Choice(agreed, None if group is None else DhGroup(group), sa_payload(taken), theirs)


def _fits(offered: TransformPayload, ours: Transform, processing: Processing, nat: Nat | None) -> bool:
    """Whether a transform says what ``ours`` does, in the mode and with the group that we can have."""
    said = quick_meaning(offered)
    mode = said.get(QuickAttribute.ENCAPSULATION)
    rest = {pair for pair in said.says if pair[0] not in (QuickAttribute.ENCAPSULATION, QuickAttribute.GROUP)}
    return (
        said.clear
        and said.id == transform_id(ours)
        and (mode or ENCAPSULATION[Mode.TRANSPORT]) == encapsulation(processing.mode, nat)
        and rest == set(quick_says(ours))
        and group_fits(said.get(QuickAttribute.GROUP), processing.pfs)
    )


# The initiator's check ---------------------------------------------------------------------------------------------


def accepted_quick(offer: SaPayload, answer: SaPayload, processing: Processing) -> Choice:
    """Which of our methods the peer took; raises Refused when it took none as it was."""
    taken = sorted(answer.proposals, key=lambda each: each.protocol)
    chosen = _meanings(taken)
    methods = list(filter(can_say, processing.methods))
    for method, proposals in zip(methods, by_number(offer), strict=True):
        if _meanings(proposals) == chosen and all(len(each.spi) == SPI_OCTETS for each in taken):
            order = on_wire(method)
            spis = {each.protocol: int.from_bytes(proposal.spi) for each, proposal in zip(order, taken, strict=True)}
            return Choice(method, processing.pfs, answer, spis)
    theirs = offered_quick(answer)
    raise Refused(
        Reason.CHANGED_PROPOSAL,
        f"the peer answered with {listed(map(described, theirs))}, which is none of our proposals as it was",
        comparison=compare("quick mode proposals", theirs, offered_quick(offer)),
    )


def _meanings(proposals: Sequence[ProposalPayload]) -> list[tuple[int, Meaning]] | None:
    """What a method says, protocol by protocol; None where something is not chosen yet."""
    if any(len(each.transforms) != 1 for each in proposals):
        return None
    return [(each.protocol, quick_meaning(each.transforms[0])) for each in proposals]
