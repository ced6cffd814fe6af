# SPDX-License-Identifier: Apache-2.0
"""Proposals of quick mode in words: what a peer offers beside what we take, for errors and ``ringfence why``."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice, product

from ringfence.crypto.suites import (
    ENCRYPTION,
    GMAC_V1,
    GROUPS,
    INTEGRITY,
    Authenticator,
    Cipher,
    DhGroup,
    Integrity,
    is_legacy,
)
from ringfence.databases.comparison import ANY, NONE, Terms
from ringfence.databases.proposal import SecurityMethod, Transform
from ringfence.databases.sa import Mode
from ringfence.databases.spd import Processing
from ringfence.ike.v1.natt import ENCAPSULATION, IN_UDP, Nat, encapsulation
from ringfence.ike.v1.negotiate import Meaning
from ringfence.ike.v1.payloads import ProposalPayload, ProtocolId, SaPayload
from ringfence.ike.v1.transforms import (
    PROTOCOL_ID,
    QuickAttribute,
    by_number,
    can_say,
    group_fits,
    on_wire,
    quick_meaning,
    quick_says,
    transform_id,
)

PROTOCOLS, ENCRYPTED, HASHED, HEADER, NUMBERS, PFS, MODE = (
    "protocol", "encryption", "integrity", "integrity of AH", "sequence numbers", "PFS group", "mode",
)  # fmt: skip
"""The parts of a quick mode proposal, for people."""
AUTHENTICATORS = {
    number: authenticator
    for algorithm, row in INTEGRITY.items()
    for octets in row.key_octets
    for authenticator in (Authenticator(algorithm, octets),)
    if (number := GMAC_V1[octets * 8] if algorithm is Integrity.AES_GMAC else row.attribute_v1) is not None
}


def offered_quick(offer: SaPayload) -> tuple[Terms, ...]:
    """What a peer offers, every combination of the transforms of one number."""
    return tuple(islice(chain.from_iterable(map(_combinations, by_number(offer))), MOST_TERMS))


MOST_TERMS = 256


def _combinations(proposals: Sequence[ProposalPayload]) -> Iterator[Terms]:
    empty = [each for each in proposals if not each.transforms]
    if empty:
        yield Terms(((PROTOCOLS, f"{_protocol_word(empty[0].protocol)} without a transform"),))
    for combination in product(*(each.transforms for each in proposals)):
        protocols_ = [each.protocol for each in proposals]
        yield _terms(list(zip(protocols_, map(quick_meaning, combination), strict=True)))


def _protocol_word(number: int) -> str:
    known = next((each.name.lower() for each in ProtocolId if each == number), "")
    return known or f"protocol {number}"


def own_quick(processing: Processing, nat: Nat | None, offer: SaPayload) -> tuple[Terms, ...]:
    """What we take; any group will do without one of our own, unless what is offered is weak."""
    weak = any(not group_fits(each, None) for each in _groups(offer))
    free = f"{NONE}, or one that is not weak" if weak else ANY
    found = []
    for method in filter(can_say, processing.methods):
        parts = {
            PROTOCOLS: " + ".join(each.protocol.name.lower() for each in on_wire(method)),
            **_algorithm_words([(PROTOCOL_ID[each.protocol], _said(each)) for each in on_wire(method)]),
            PFS: free if processing.pfs is None else GROUPS[processing.pfs].word,
            MODE: MODE_WORDS.get(encapsulation(processing.mode, nat), processing.mode.value),
        }
        weak_method = any(
            is_legacy(each.algorithm) for one in method.transforms for each in (one.cipher, one.authenticator) if each
        )
        found.append(Terms(tuple(parts.items()), str(method), weak_method))
    return tuple(found)


def described(terms: Terms) -> str:
    """A peer's proposal in words."""
    said = {what: "" if word == NONE else word for what, word in terms.parts}
    algorithms = "-".join(word for what in (ENCRYPTED, HASHED) if (word := said.get(what)))
    header = f"{'with ' if algorithms else ''}{said[HEADER]}" if said.get(HEADER) else ""
    esn = "esn" if said.get(NUMBERS) == ESN_WORDS[True] else ""
    group = f"PFS group {said[PFS]}" if said.get(PFS) else ""
    methods = " ".join(word for word in (said[PROTOCOLS], algorithms, header, esn) if word)
    return ", ".join(word for word in (methods, group, said.get(MODE)) if word)


MODE_WORDS = {1: "tunnel", 2: "transport"} | {
    number: f"{mode.value}, in UDP" for dialect in IN_UDP.values() for mode, number in dialect.items()
}
ESN_WORDS = {False: "32 bits", True: "64 bits"}


def _terms(proposals: Sequence[tuple[int, Meaning]]) -> Terms:
    groups = {said.get(QuickAttribute.GROUP) for _, said in proposals}
    modes = {said.get(QuickAttribute.ENCAPSULATION) or ENCAPSULATION[Mode.TRANSPORT] for _, said in proposals}
    parts = {
        PROTOCOLS: " + ".join(_protocol_word(number) for number, _ in proposals),
        **_algorithm_words(proposals),
        PFS: " and ".join(_group_word(each) for each in groups),
        MODE: " and ".join(MODE_WORDS.get(each, f"mode {each}") for each in modes),
    }
    found = _transforms(proposals)
    weak = any(
        is_legacy(each.algorithm) for one in found or () for each in (one.cipher, one.authenticator) if each is not None
    )
    return Terms(tuple(parts.items()), "" if found is None else str(SecurityMethod(found)), weak)


def _transforms(proposals: Sequence[tuple[int, Meaning]]) -> tuple[Transform, ...] | None:
    """What a policy document could say for them; None where it cannot."""
    found = []
    for number, said in proposals:
        cipher = None if number == ProtocolId.AH else _cipher(said)
        authenticator = AUTHENTICATORS.get(said.get(QuickAttribute.AUTHENTICATION) or 0)
        protocol = next((each for each, known in PROTOCOL_ID.items() if known == number), None)
        if protocol is None or isinstance(cipher, str):
            return None
        try:
            esn = said.get(QuickAttribute.EXTENDED_SEQUENCE) == 1
            found.append(Transform(protocol, cipher, None if cipher and cipher.row.combined else authenticator, esn))
        except ValueError:
            return None
    return tuple(sorted(found, key=lambda each: -PROTOCOL_ID[each.protocol]))


def _algorithm_words(proposals: Iterable[tuple[int, Meaning]]) -> dict[str, str]:
    words = {ENCRYPTED: NONE, HASHED: NONE, HEADER: NONE, NUMBERS: ESN_WORDS[False]}
    for number, said in proposals:
        authentication = said.get(QuickAttribute.AUTHENTICATION)
        integrity = NONE if authentication is None else str(AUTHENTICATORS.get(authentication, authentication))
        if number == ProtocolId.AH:
            words[HEADER] = integrity
        else:
            words[HASHED], words[ENCRYPTED] = integrity, str(_cipher(said))
        if said.get(QuickAttribute.EXTENDED_SEQUENCE) == 1:
            words[NUMBERS] = ESN_WORDS[True]
    return words


def _said(transform: Transform) -> Meaning:
    return Meaning(transform_id(transform) or 0, frozenset(quick_says(transform)), frozenset())


def _cipher(said: Meaning) -> Cipher | str:
    algorithm = next((each for each, row in ENCRYPTION.items() if row.esp_v1 == said.id), None)
    if algorithm is None:
        return f"transform {said.id}"
    row, bits = ENCRYPTION[algorithm], said.get(QuickAttribute.KEY_LENGTH)
    chosen = bits if row.sends_key_bits else row.key_bits[0]
    return Cipher(algorithm, chosen) if chosen in row.key_bits else f"{row.word} with a key of {bits} bits"


def _groups(offer: SaPayload) -> set[int | None]:
    return {
        quick_meaning(each).get(QuickAttribute.GROUP) for proposal in offer.proposals for each in proposal.transforms
    }


def _group_word(number: int | None) -> str:
    known = next((GROUPS[group].word for group in DhGroup if group.value == number), f"group {number}")
    return NONE if number is None else known
