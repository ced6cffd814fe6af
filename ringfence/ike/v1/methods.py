# SPDX-License-Identifier: Apache-2.0
"""SA payloads of quick mode (RFC 2407 §4.4, §4.5): security methods as proposals, and the choice among a peer's.

A method is one proposal number; with AH and ESP together, the number stands on two proposal payloads, AH's first. All
transforms carry the encapsulation mode, the lifetimes and, with a second Diffie-Hellman exchange, its group.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from ringfence.crypto.suites import GMAC_V1, DhGroup, Integrity, is_legacy
from ringfence.databases.proposal import Limits, Protocol, SecurityMethod, Transform
from ringfence.databases.sa import Mode
from ringfence.databases.spd import Processing
from ringfence.ike.errors import Reason, Refused
from ringfence.ike.lifetime import stricter
from ringfence.ike.v1.natt import ENCAPSULATION, Nat, encapsulation
from ringfence.ike.v1.negotiate import Meaning, life_attributes, meaning, sa_payload
from ringfence.ike.v1.payloads import Attribute, ProposalPayload, ProtocolId, SaPayload, TransformPayload

SPI_OCTETS = 4


class QuickAttribute(IntEnum):
    """Attributes of phase 2 (RFC 2407 §4.5, RFC 4304)."""

    LIFE_TYPE = 1
    LIFE_DURATION = 2
    GROUP = 3
    ENCAPSULATION = 4
    AUTHENTICATION = 5
    KEY_LENGTH = 6
    EXTENDED_SEQUENCE = 11


PROTOCOL_ID = {Protocol.AH: ProtocolId.AH, Protocol.ESP: ProtocolId.ESP}


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


def quick_meaning(transform: TransformPayload) -> Meaning:
    """What a transform of phase 2 says."""
    return meaning(transform, QuickAttribute.LIFE_TYPE, QuickAttribute.LIFE_DURATION)


def transform_id(transform: Transform) -> int | None:
    """IKEv1's transform identifier; None where it has none."""
    if transform.cipher is not None:
        return transform.cipher.row.esp_v1
    authenticator = transform.authenticator
    if authenticator is None or authenticator.algorithm is not Integrity.AES_GMAC:
        return None if authenticator is None else authenticator.row.ah_v1
    return GMAC_V1[authenticator.key_octets * 8]


def _authentication(transform: Transform) -> int | None:
    authenticator = transform.authenticator
    if authenticator is None:
        return None
    if authenticator.algorithm is Integrity.AES_GMAC:
        return GMAC_V1[authenticator.key_octets * 8]
    return authenticator.row.attribute_v1


def quick_says(transform: Transform) -> list[tuple[int, int]]:
    """The attributes that name algorithms."""
    says: list[tuple[int, int]] = []
    if (authentication := _authentication(transform)) is not None:
        says.append((QuickAttribute.AUTHENTICATION, authentication))
    if transform.cipher is not None and transform.cipher.row.sends_key_bits:
        says.append((QuickAttribute.KEY_LENGTH, transform.cipher.key_bits))
    if transform.esn:
        says.append((QuickAttribute.EXTENDED_SEQUENCE, 1))
    return says


def can_say(method: SecurityMethod) -> bool:
    """Whether IKEv1 has a number for everything in it."""
    return all(
        transform_id(each) is not None and (each.authenticator is None or _authentication(each) is not None)
        for each in method.transforms
    )


def on_wire(method: SecurityMethod) -> list[Transform]:
    """A method's transforms in the order of their proposals: AH first."""
    return sorted(method.transforms, key=lambda each: PROTOCOL_ID[each.protocol])


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
        for proposals in _by_number(offer):
            choice = _match(method, proposals, processing, spis, nat)
            if choice is not None:
                return choice
    offered = "; ".join(" + ".join(map(_word, proposals)) for proposals in _by_number(offer))
    ours = "; ".join(map(str, processing.methods))
    pfs = "" if processing.pfs is None else f" with PFS group {processing.pfs.value}"
    mode = f"{processing.mode.value} mode{'' if nat is None else ', in UDP because of NAT'}"
    raise Refused(
        Reason.NO_PROPOSAL,
        f"no quick mode proposal in common: the peer offers {offered}; we take {ours}{pfs} in {mode}",
    )


def _by_number(offer: SaPayload) -> list[list[ProposalPayload]]:
    groups: dict[int, list[ProposalPayload]] = {}
    for proposal in offer.proposals:
        groups.setdefault(proposal.number, []).append(proposal)
    return list(groups.values())


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
        and _group_fits(said.get(QuickAttribute.GROUP), processing.pfs)
    )


def _group_fits(offered: int | None, wanted: DhGroup | None) -> bool:
    """A group that the policy names must be that one; without one, a peer may ask for any that is not weak."""
    if wanted is not None:
        return offered == wanted.value
    known = next((group for group in DhGroup if group.value == offered), None)
    return offered is None or (known is not None and not is_legacy(known))


# The initiator's check ---------------------------------------------------------------------------------------------


def accepted_quick(offer: SaPayload, answer: SaPayload, processing: Processing) -> Choice:
    """Which of our methods the peer took; raises Refused when it took none as it was."""
    taken = sorted(answer.proposals, key=lambda each: each.protocol)
    chosen = _meanings(taken)
    methods = list(filter(can_say, processing.methods))
    for method, proposals in zip(methods, _by_number(offer), strict=True):
        if _meanings(proposals) == chosen and all(len(each.spi) == SPI_OCTETS for each in taken):
            order = on_wire(method)
            spis = {each.protocol: int.from_bytes(proposal.spi) for each, proposal in zip(order, taken, strict=True)}
            return Choice(method, processing.pfs, answer, spis)
    words = " + ".join(map(_word, taken))
    raise Refused(Reason.CHANGED_PROPOSAL, f"the peer answered with {words}, which is none of our proposals as it was")


def _meanings(proposals: Sequence[ProposalPayload]) -> list[tuple[int, Meaning]] | None:
    """What a method says, protocol by protocol; None where something is not chosen yet."""
    if any(len(each.transforms) != 1 for each in proposals):
        return None
    return [(each.protocol, quick_meaning(each.transforms[0])) for each in proposals]


def _word(proposal: ProposalPayload) -> str:
    """A proposal in words, numbers where we have none."""
    name = {2: "ah", 3: "esp", 4: "ipcomp"}.get(proposal.protocol, f"protocol {proposal.protocol}")
    return f"{name} " + ("/".join(_transform_word(each) for each in proposal.transforms) or "without a transform")


def _transform_word(transform: TransformPayload) -> str:
    said = quick_meaning(transform)
    parts = [f"{transform.id}"]
    for kind, word in ((QuickAttribute.KEY_LENGTH, "key"), (QuickAttribute.AUTHENTICATION, "auth")):
        if (number := said.get(kind)) is not None:
            parts.append(f"{word} {number}")
    if (group := said.get(QuickAttribute.GROUP)) is not None:
        parts.append(f"group {group}")
    return f"({', '.join(parts)})"
