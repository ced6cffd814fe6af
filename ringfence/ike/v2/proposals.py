# SPDX-License-Identifier: Apache-2.0
"""SA payloads of IKEv2 (RFC 7296 §3.3): our proposals as it says them, and the choice among a peer's.

Each of ours is a proposal of its own, so that a peer takes it as a whole. As in IKEv1 the responder's list decides: it
walks its own in order and takes the first that the peer offers. Lifetimes are nobody's business but each side's own.
One proposal has one protocol: what stacks ESP and AH cannot be said in IKEv2.

Further key exchanges have transform types of their own (RFC 9370 §2.2.1): a peer that does not know them passes over a
proposal that has them. So who begins offers those that go with the value it sends, with them and without, first.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ringfence.crypto import dh
from ringfence.crypto.suites import GMAC_V2, GROUPS, HASH, DhGroup, Encryption, Integrity, is_legacy
from ringfence.databases.pad import PadEntry
from ringfence.databases.proposal import IkeProposal, Protocol, SecurityMethod
from ringfence.databases.proposal import Transform as Algorithms
from ringfence.databases.spd import Processing
from ringfence.ike.errors import Aborted, Reason, Refused
from ringfence.ike.isakmp import Attribute
from ringfence.ike.v2.keys import integrity_of
from ringfence.ike.v2.numbers import ADDITIONAL, KEY_LENGTH, NONE, ProtocolId, TransformType
from ringfence.ike.v2.offers import compare_child, compare_ike
from ringfence.ike.v2.payloads import Proposal, SaPayload, Transform

SPI_OCTETS = 4
PROTOCOL_ID = {Protocol.AH: ProtocolId.AH, Protocol.ESP: ProtocolId.ESP}
MAY_BE_NOTHING = (TransformType.INTEGRITY, TransformType.GROUP, TransformType.ESN, *ADDITIONAL)
NOT_FOR_IKE = (Encryption.NULL, Encryption.NULL_AES_GMAC)

Says = dict[TransformType, Transform]
"""What a proposal must have, one of each type."""


# IKE SAs -----------------------------------------------------------------------------------------------------------


def _encryption(algorithms: Algorithms | IkeProposal) -> Transform | None:
    cipher = algorithms.cipher
    if cipher is None or cipher.row.ike_v2 is None:
        return None
    length = (Attribute(KEY_LENGTH, cipher.key_bits),) if cipher.row.sends_key_bits else ()
    return Transform(TransformType.ENCRYPTION, cipher.row.ike_v2, length)


def ike_says(proposal: IkeProposal) -> Says | None:
    """The transforms of a proposal; None where IKEv2 cannot say it, or the crypto library not do it."""
    if not all(map(dh.available, proposal.further)):
        return None
    encryption = None if proposal.cipher.algorithm in NOT_FOR_IKE else _encryption(proposal)
    if encryption is None:
        return None
    says = {TransformType.ENCRYPTION: encryption}
    says[TransformType.PRF] = Transform(TransformType.PRF, HASH[proposal.hash].prf_v2)
    integrity = integrity_of(proposal)
    if integrity is not None:
        says[TransformType.INTEGRITY] = Transform(TransformType.INTEGRITY, integrity.row.ike_v2 or NONE)
    return says | _exchanges((proposal.group, *proposal.further))


def _exchanges(groups: Sequence[DhGroup]) -> Says:
    """The first group, and further ones by types of their own."""
    kinds = (TransformType.GROUP, *ADDITIONAL)
    return {kind: Transform(kind, group.value) for kind, group in zip(kinds, groups, strict=False)}


def sayable(proposals: Iterable[IkeProposal]) -> tuple[IkeProposal, ...]:
    """Those that IKEv2 can say, of the first one's group first; raises Aborted where there is none."""
    found = tuple(each for each in proposals if ike_says(each) is not None)
    if not found:
        raise Aborted(Reason.NO_PROPOSAL, "none of our proposals for the IKE SA can be said in IKEv2")
    return tuple(sorted(found, key=lambda each: each.group is not found[0].group))


def offer_ike(proposals: Sequence[IkeProposal], spi: bytes = b"") -> SaPayload:
    """All of them, with the SPI of a successor."""
    said = [tuple((ike_says(each) or {}).values()) for each in proposals]
    return SaPayload(tuple(Proposal(number, ProtocolId.IKE, spi, one) for number, one in enumerate(said, 1)))


@dataclass(frozen=True, slots=True)
class IkeChoice:
    """A proposal for the IKE SA that both sides have."""

    proposal: IkeProposal
    entry: PadEntry
    answer: SaPayload
    spi: bytes
    """The peer's, of a successor."""


def choose_ike(offer: SaPayload, entries: Iterable[PadEntry], spi: bytes = b"", *, further: bool = True) -> IkeChoice:
    """The first proposal of our entries that the peer offers, answered with ``spi``; raises Refused.

    ``further`` tells whether the peer can do more than one key exchange here.
    """
    entries = tuple(entries)
    for entry in entries:
        for ours in entry.proposals:
            says = ike_says(ours) if further or not ours.further else None
            for theirs in offer.proposals if says else ():
                if theirs.protocol == ProtocolId.IKE and len(theirs.spi) == len(spi) and _fits(theirs, says or {}):
                    return IkeChoice(ours, entry, _answer(theirs, says or {}, spi), theirs.spi)
    offered = "; ".join(map(_words, offer.proposals))
    known = {each: says for entry in entries for each in entry.proposals if (says := ike_says(each)) is not None}
    what = f"no IKE proposal in common: the peer offers {offered}; we take {'; '.join(map(str, known))}"
    raise Refused(Reason.NO_PROPOSAL, what, comparison=compare_ike(offer, known))


def accepted_ike(offer: SaPayload, answer: SaPayload, proposals: Sequence[IkeProposal]) -> tuple[IkeProposal, bytes]:
    """Which of our proposals the peer took, and its SPI; raises Refused when it took none as it was."""
    taken = _only(answer, offer)
    return proposals[taken.number - 1], taken.spi


def _only(answer: SaPayload, offer: SaPayload) -> Proposal:
    """The proposal in an answer, which is one of the offer's; raises Refused."""
    taken = answer.proposals[0]
    if len(answer.proposals) == 1 and 1 <= taken.number <= len(offer.proposals):
        ours = offer.proposals[taken.number - 1]
        same = {(each.kind, each.number, each.attributes) for each in ours.transforms}
        said = {(each.kind, each.number, each.attributes) for each in taken.transforms if not _is_nothing(each)}
        if taken.protocol == ours.protocol and len(taken.spi) == len(ours.spi) and said == _counting(same):
            return taken
    raise Refused(Reason.CHANGED_PROPOSAL, f"the peer answers with {_words(taken)}, which we did not offer")


def _is_nothing(transform: Transform) -> bool:
    """Whether it says what its absence says as well."""
    return transform.kind in MAY_BE_NOTHING and not transform.number


def _counting(
    transforms: set[tuple[int, int, tuple[Attribute, ...]]],
) -> set[tuple[int, int, tuple[Attribute, ...]]]:
    return {each for each in transforms if not _is_nothing(Transform(*each))}


def _fits(theirs: Proposal, says: Says, free: frozenset[int] = frozenset()) -> bool:
    """Whether a proposal offers just that, and asks for nothing else; types in ``free`` are judged elsewhere."""
    for kind in {each.kind for each in theirs.transforms} - free:
        offered = [each for each in theirs.transforms if each.kind == kind]
        wanted = next((one for known, one in says.items() if known == kind), None)
        if wanted is None and not any(_is_nothing(each) for each in offered):
            return False
        if wanted is not None and wanted not in offered:
            return False
    kinds = {each.kind for each in theirs.transforms}
    return all(kind in kinds or kind in free or _is_nothing(one) for kind, one in says.items())


def _answer(theirs: Proposal, says: Says, spi: bytes) -> SaPayload:
    kinds = {each.kind for each in theirs.transforms}
    chosen = tuple(one for kind, one in says.items() if kind in kinds)
    chosen += tuple(Transform(kind, NONE) for kind in ADDITIONAL if kind in kinds and kind not in says)
    return SaPayload((Proposal(theirs.number, theirs.protocol, spi, chosen),))


# Child SAs ---------------------------------------------------------------------------------------------------------


def child_says(method: SecurityMethod) -> Says | None:
    """The transforms of a method, but for the group; None where IKEv2 cannot say it."""
    if len(method.transforms) != 1 or not method.encapsulate:
        return None
    (algorithms,) = method.transforms
    says: Says = {}
    if algorithms.cipher is not None:
        encryption = _encryption(algorithms)
        if encryption is None:
            return None
        says[TransformType.ENCRYPTION] = encryption
    if algorithms.authenticator is not None:
        number = algorithms.authenticator.row.ike_v2
        if algorithms.authenticator.algorithm is Integrity.AES_GMAC:
            number = GMAC_V2[algorithms.authenticator.key_octets * 8]
        if number is None:
            return None
        says[TransformType.INTEGRITY] = Transform(TransformType.INTEGRITY, number)
    says[TransformType.ESN] = Transform(TransformType.ESN, int(algorithms.esn))
    return says


def methods_for(processing: Processing) -> tuple[SecurityMethod, ...]:
    """The methods that IKEv2 can say; raises Refused where there is none."""
    found = tuple(each for each in processing.methods if child_says(each) is not None)
    if not found:
        what = "none of our security methods can be said in IKEv2, which does not stack ESP and AH"
        raise Refused(Reason.NO_PROPOSAL, what)
    return found


def protocols(methods: Iterable[SecurityMethod]) -> list[Protocol]:
    """Those that some method uses, in the order of their first use."""
    return list(dict.fromkeys(each.transforms[0].protocol for each in methods))


def offer_child(
    methods: Sequence[SecurityMethod], spis: Mapping[Protocol, int], groups: Sequence[DhGroup]
) -> SaPayload:
    """All of them, with key exchanges of their own where there are ``groups``."""
    found = []
    for number, method in enumerate(methods, 1):
        protocol = method.transforms[0].protocol
        says = (child_says(method) or {}) | _exchanges(groups)
        spi = spis[protocol].to_bytes(SPI_OCTETS)
        found.append(Proposal(number, PROTOCOL_ID[protocol], spi, tuple(says.values())))
    return SaPayload(tuple(found))


@dataclass(frozen=True, slots=True)
class ChildChoice:
    """A method that both sides want."""

    method: SecurityMethod
    groups: tuple[DhGroup, ...]
    """Of its own key exchanges."""
    answer: SaPayload
    spi: int
    """The peer's."""


FREE = frozenset({TransformType.GROUP.value, *ADDITIONAL})


def choose_child(offer: SaPayload, processing: Processing, spis: Mapping[Protocol, int], *, first: bool) -> ChildChoice:
    """The first of our methods that the peer offers; raises Refused.

    The ``first`` child SA of an IKE SA has no Diffie-Hellman exchange of its own, whatever the offer says (§1.2).
    """
    methods = methods_for(processing)
    for method in methods:
        protocol, says = method.transforms[0].protocol, child_says(method) or {}
        for theirs in offer.proposals:
            groups = () if first else _groups(theirs, processing)
            if not _is_child(theirs, protocol) or not _fits(theirs, says, FREE) or groups is None:
                continue
            answer = _answer(theirs, says | _exchanges(groups), spis[protocol].to_bytes(SPI_OCTETS))
            return ChildChoice(method, groups, answer, int.from_bytes(theirs.spi))
    offered = "; ".join(map(_words, offer.proposals))
    ours = "; ".join(map(str, methods))
    pfs = f" with PFS group {'+'.join(str(each.value) for each in wanted)}" if (wanted := processing.exchanges) else ""
    known = {method: (child_says(method) or {}) | _exchanges(processing.exchanges) for method in methods}
    what = f"no child SA proposal in common: the peer offers {offered}; we take {ours}{pfs}"
    raise Refused(Reason.NO_PROPOSAL, what, comparison=compare_child(offer, processing, known, first=first))


def _is_child(theirs: Proposal, protocol: Protocol) -> bool:
    usable = len(theirs.spi) == SPI_OCTETS and int.from_bytes(theirs.spi) != 0
    return theirs.protocol == PROTOCOL_ID[protocol] and usable


def _groups(theirs: Proposal, processing: Processing) -> tuple[DhGroup, ...] | None:
    """The groups to take; None where the policy and the proposal do not agree.

    Those that the policy names must be those; without any, a peer may ask for one that is not weak.
    """
    says = _exchanges(processing.exchanges)
    for kind in (TransformType.GROUP, *ADDITIONAL):
        offered = [each for each in theirs.transforms if each.kind == kind]
        wanted = says.get(kind)
        if wanted is not None and (wanted not in offered or not dh.available(DhGroup(wanted.number))):
            return None
        if wanted is None and offered and not any(map(_is_nothing, offered)):
            return _asked_for(offered) if kind is TransformType.GROUP else None
    return processing.exchanges


def _asked_for(offered: Sequence[Transform]) -> tuple[DhGroup, ...] | None:
    """A group that the peer may have where the policy names none."""
    numbers = {each.number for each in offered}
    known = (each for each in DhGroup if each.value in numbers and not is_legacy(each))
    found = next((each for each in known if not GROUPS[each].encapsulates), None)
    return None if found is None else (found,)


def accepted_child(
    offer: SaPayload, answer: SaPayload, methods: Sequence[SecurityMethod]
) -> tuple[SecurityMethod, int]:
    """Which of our methods the peer took, and its SPI; raises Refused when it took none as it was."""
    taken = _only(answer, offer)
    spi = int.from_bytes(taken.spi)
    if spi == 0:
        raise Refused(Reason.CHANGED_PROPOSAL, "the peer answers with the SPI 0")
    return methods[taken.number - 1], spi


def _words(proposal: Proposal) -> str:
    """For people: protocol, then types and numbers with key lengths."""
    protocol = next((each.name for each in ProtocolId if each == proposal.protocol), f"protocol {proposal.protocol}")
    return f"{protocol} " + "-".join(map(_word, proposal.transforms))


def _word(transform: Transform) -> str:
    kind = next((each.name.lower() for each in TransformType if each == transform.kind), f"type-{transform.kind}")
    length = next((f"/{each.as_number}" for each in transform.attributes if each.kind == KEY_LENGTH), "")
    return f"{kind}:{transform.number}{length}"
