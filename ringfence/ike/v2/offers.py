# SPDX-License-Identifier: Apache-2.0
"""Proposals of IKEv2 in words: what a peer offers beside what we take, for errors and ``ringfence why``.

The parts have the names that those of IKEv1 have, so that a person reads of both alike.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice

from ringfence.crypto.suites import (
    ENCRYPTION,
    GMAC_V2,
    GROUPS,
    HASH,
    INTEGRITY,
    Authenticator,
    Cipher,
    DhGroup,
    Integrity,
    is_legacy,
)
from ringfence.databases.comparison import ANY, NONE, Comparison, Terms, compare
from ringfence.databases.proposal import IkeProposal, Protocol, SecurityMethod, exchanges_text
from ringfence.databases.proposal import Transform as Algorithms
from ringfence.databases.spd import Processing
from ringfence.ike.v2.keys import integrity_of
from ringfence.ike.v2.numbers import ADDITIONAL, KEY_LENGTH, ProtocolId, TransformType
from ringfence.ike.v2.payloads import Proposal, SaPayload, Transform

ENCRYPTED, HASHED, INTEGRITY_OF, EXCHANGED = "encryption", "hash", "integrity", "key exchange"
PROTOCOL, NUMBERS, PFS = "protocol", "sequence numbers", "PFS group"
"""The parts, for people."""
ESN_WORDS = {0: "32 bits", 1: "64 bits"}
MOST_TERMS = 256
AUTHENTICATORS = {
    number: authenticator
    for algorithm, row in INTEGRITY.items()
    for octets in row.key_octets
    for authenticator in (Authenticator(algorithm, octets),)
    if (number := GMAC_V2[octets * 8] if algorithm is Integrity.AES_GMAC else row.ike_v2) is not None
}
Chosen = dict[int, Transform]
"""One transform of each type that a proposal has."""
Says = Mapping[TransformType, Transform]
"""What one of our proposals must have, one of each type."""
Reading = Callable[[Proposal, Chosen], Terms]


def compare_ike(offer: SaPayload, ours: Mapping[IkeProposal, Says]) -> Comparison:
    """A peer's proposals for the IKE SA beside ours, with the transforms that say them."""
    theirs = _offered(offer, _ike_terms, ours.values())
    return compare("IKE proposals", theirs, [_own_ike(each) for each in ours])


def compare_child(
    offer: SaPayload, processing: Processing, methods: Mapping[SecurityMethod, Says], *, first: bool
) -> Comparison:
    """A peer's proposals for a child SA beside ours; the ``first`` has no key exchange, whatever is offered."""
    theirs = _offered(offer, lambda proposal, chosen: _child_terms(proposal, chosen, first=first), methods.values())
    return compare("child SA proposals", theirs, [_own_child(each, processing, first=first) for each in methods])


def _offered(offer: SaPayload, terms: Reading, ours: Iterable[Says]) -> list[Terms]:
    wanted = list(ours)
    found = ((proposal, chosen) for proposal in offer.proposals for chosen in _choices(proposal, wanted))
    return list(dict.fromkeys(terms(*each) for each in islice(found, MOST_TERMS)))


def _choices(proposal: Proposal, wanted: Sequence[Says]) -> Iterator[Chosen]:
    """Of all choices that a proposal leaves, the nearest to each of ours, and enough others to name every transform.

    All together would be more than anybody could look at.
    """
    kinds: dict[int, list[Transform]] = {}
    for each in proposal.transforms:
        kinds.setdefault(each.kind, []).append(each)
    for says in wanted:
        asked = {int(kind): one for kind, one in says.items()}
        yield {kind: found if (found := asked.get(kind)) in some else some[0] for kind, some in kinds.items()}
    for number in range(max(map(len, kinds.values()), default=1)):
        yield {kind: some[min(number, len(some) - 1)] for kind, some in kinds.items()}


# The IKE SA --------------------------------------------------------------------------------------------------------


def _own_ike(ours: IkeProposal) -> Terms:
    integrity = integrity_of(ours)
    parts = (
        (ENCRYPTED, str(ours.cipher)),
        (HASHED, HASH[ours.hash].word),
        (INTEGRITY_OF, NONE if integrity is None else str(integrity)),
        (EXCHANGED, exchanges_text(ours.group, *ours.further)),
    )
    weak = is_legacy(ours.cipher.algorithm) or is_legacy(ours.hash) or is_legacy(ours.group)
    return Terms(parts, str(ours), weak)


def _ike_terms(_proposal: Proposal, chosen: Chosen) -> Terms:
    cipher, number = _cipher(chosen), _number(chosen, TransformType.PRF)
    hash_ = next((each for each, row in HASH.items() if row.prf_v2 == number), None)
    groups = _groups(chosen)
    parts = (
        (ENCRYPTED, NONE if cipher is None else str(cipher)),
        (HASHED, HASH[hash_].word if hash_ else f"prf {number}"),
        (INTEGRITY_OF, _integrity(chosen)),
        (EXCHANGED, _exchanges(groups)),
    )
    known = [each for each in groups if isinstance(each, DhGroup)]
    if not isinstance(cipher, Cipher) or hash_ is None or not known or len(known) != len(groups):
        return Terms(parts)
    said = IkeProposal(cipher, hash_, known[0], further=tuple(known[1:]))
    own = _own_ike(said)
    return Terms(parts, own.word if own.parts == parts else "", own.weak)


# Child SAs ---------------------------------------------------------------------------------------------------------


def _own_child(method: SecurityMethod, processing: Processing, *, first: bool) -> Terms:
    (algorithms,) = method.transforms
    cipher, authenticator = algorithms.cipher, algorithms.authenticator
    parts = [
        (PROTOCOL, algorithms.protocol.name.lower()),
        (ENCRYPTED, NONE if cipher is None else str(cipher)),
        (INTEGRITY_OF, NONE if authenticator is None else str(authenticator)),
        (NUMBERS, ESN_WORDS[algorithms.esn]),
    ]
    if not first:
        parts.append((PFS, exchanges_text(*processing.exchanges) or ANY))
    return Terms(tuple(parts), str(method), _is_weak(algorithms))


def _child_terms(proposal: Proposal, chosen: Chosen, *, first: bool) -> Terms:
    protocol = next((each for each in (Protocol.AH, Protocol.ESP) if ProtocolId[each.name] == proposal.protocol), None)
    cipher, esn = _cipher(chosen), _number(chosen, TransformType.ESN)
    parts = [
        (PROTOCOL, f"protocol {proposal.protocol}" if protocol is None else protocol.name.lower()),
        (ENCRYPTED, NONE if cipher is None else str(cipher)),
        (INTEGRITY_OF, _integrity(chosen)),
        (NUMBERS, ESN_WORDS.get(esn, f"form {esn}")),
    ]
    if not first:
        parts.append((PFS, _exchanges(_groups(chosen))))
    algorithms = _algorithms(protocol, cipher, chosen, esn=esn == 1)
    if algorithms is None:
        return Terms(tuple(parts))
    return Terms(tuple(parts), str(SecurityMethod((algorithms,))), _is_weak(algorithms))


def _algorithms(
    protocol: Protocol | None, cipher: Cipher | str | None, chosen: Chosen, *, esn: bool
) -> Algorithms | None:
    """What a policy document could say for it; None where it cannot."""
    number = _number(chosen, TransformType.INTEGRITY)
    authenticator = AUTHENTICATORS.get(number)
    if protocol is None or isinstance(cipher, str) or (number and authenticator is None):
        return None
    try:
        return Algorithms(protocol, cipher, authenticator, esn)
    except ValueError:
        return None


def _is_weak(algorithms: Algorithms) -> bool:
    return any(is_legacy(each.algorithm) for each in (algorithms.cipher, algorithms.authenticator) if each is not None)


# Numbers -----------------------------------------------------------------------------------------------------------


def _number(chosen: Chosen, kind: int) -> int:
    """Of the transform of a type; 0 for none."""
    found = chosen.get(kind)
    return 0 if found is None else found.number


def _cipher(chosen: Chosen) -> Cipher | str | None:
    found = chosen.get(TransformType.ENCRYPTION)
    if found is None:
        return None
    algorithm = next((each for each, row in ENCRYPTION.items() if row.ike_v2 == found.number), None)
    if algorithm is None:
        return f"encryption {found.number}"
    row = ENCRYPTION[algorithm]
    said = next((each.as_number for each in found.attributes if each.kind == KEY_LENGTH), None)
    bits = said if row.sends_key_bits else row.key_bits[0]
    return Cipher(algorithm, bits) if bits in row.key_bits else f"{row.word} with a key of {bits} bits"


def _integrity(chosen: Chosen) -> str:
    number = _number(chosen, TransformType.INTEGRITY)
    return NONE if not number else str(AUTHENTICATORS.get(number, f"integrity {number}"))


def _groups(chosen: Chosen) -> list[DhGroup | str]:
    numbers = [_number(chosen, kind) for kind in (TransformType.GROUP, *ADDITIONAL)]
    known = {each.value: each for each in DhGroup}
    return [known.get(number, f"group {number}") for number in numbers if number]


def _exchanges(groups: Sequence[DhGroup | str]) -> str:
    return "+".join(GROUPS[each].word if isinstance(each, DhGroup) else each for each in groups) or NONE
