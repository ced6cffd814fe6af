# SPDX-License-Identifier: Apache-2.0
"""SA payloads: our proposals as IKEv1 says them, and the choice among a peer's (RFC 2409 §5, appendix A).

A responder may only take a transform as it stands, so what goes back is the very payload that came, attributes in
their order and form. An initiator compares meanings: an answer whose attributes stand in another order is the same,
one that says anything else is refused. Whose list decides? The responder's: it walks its own methods in order and
takes the first that the peer offers, as Windows does.

A lifetime is no reason to refuse: each side uses the stricter of its own and the offered one.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from itertools import product

from ringfence.crypto.suites import ENCRYPTION, GROUPS, HASH, Cipher, DhGroup, is_legacy
from ringfence.databases.comparison import Terms, compare
from ringfence.databases.pad import PadEntry
from ringfence.databases.proposal import IkeProposal, Limits
from ringfence.ike.errors import Aborted, Reason
from ringfence.ike.lifetime import stricter
from ringfence.ike.v1.authentication import Authentication, methods_for, usable
from ringfence.ike.v1.payloads import (
    IDENTITY_ONLY,
    IPSEC_DOI,
    Attribute,
    ProposalPayload,
    ProtocolId,
    SaPayload,
    TransformPayload,
)

KEY_IKE = 1
"""The only transform of phase 1 (RFC 2407 §4.4.2)."""
KILOBYTE = 1024
MOST_SECONDS = 2**32 - 1


class MainAttribute(IntEnum):
    """Attributes of phase 1 (RFC 2409 appendix A)."""

    ENCRYPTION = 1
    HASH = 2
    AUTHENTICATION = 3
    GROUP = 4
    LIFE_TYPE = 11
    LIFE_DURATION = 12
    KEY_LENGTH = 14


ENCRYPTED, HASHED, EXCHANGED, PROVED = "encryption", "hash", "key exchange", "authentication"
"""The parts of a main mode proposal, for people."""
AUTHENTICATION_WORDS = {
    1: "preshared key",
    2: "DSS signature",
    3: "RSA signature",
    4: "RSA encryption",
    5: "revised RSA encryption",
    9: "ECDSA signature, P-256",
    10: "ECDSA signature, P-384",
    11: "ECDSA signature, P-521",
    65001: "Kerberos, or preshared key with XAUTH",
    65005: "RSA signature with XAUTH",
}
"""Methods of authentication; the last number means one thing to Windows and another to everybody else."""


class Life(IntEnum):
    """Kinds of lifetimes."""

    SECONDS = 1
    KILOBYTES = 2


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a transform says, however it says it."""

    id: int
    says: frozenset[tuple[int, int]]
    """Attributes but for lifetimes, as numbers."""
    lives: frozenset[tuple[int, int]]
    """Lifetimes by kind."""
    clear: bool = True
    """False when it says one thing twice, or something that nothing can be said about."""

    def get(self, kind: int) -> int | None:
        """The value of an attribute."""
        return next((number for name, number in self.says if name == kind), None)

    @property
    def limits(self) -> Limits:
        """The lifetimes."""
        lives = dict(self.lives)
        kilobytes = lives.get(Life.KILOBYTES)
        return Limits(lives.get(Life.SECONDS), None if kilobytes is None else kilobytes * KILOBYTE)


def meaning(transform: TransformPayload, life_type: int, life_duration: int) -> Meaning:
    """What ``transform`` says; a duration belongs to the type before it."""
    says: list[tuple[int, int]] = []
    lives: list[tuple[int, int]] = []
    kind: int | None = None
    clear = True
    for attribute in transform.attributes:
        number = attribute.as_number
        if attribute.kind == life_type:
            kind = number
        elif attribute.kind == life_duration:
            clear = clear and kind is not None
            lives.append((kind or 0, number))
            kind = None
        else:
            says.append((attribute.kind, number))
    for pairs in (says, lives):
        clear = clear and len({name for name, _ in pairs}) == len(pairs)
    return Meaning(transform.id, frozenset(says), frozenset(lives), clear and kind is None)


def life_attributes(limits: Limits, life_type: int, life_duration: int) -> Iterator[Attribute]:
    """Seconds and kilobytes, each behind its type, in four octets as Windows sends them."""
    if limits.seconds is not None:
        yield Attribute(life_type, Life.SECONDS)
        yield Attribute(life_duration, min(limits.seconds, MOST_SECONDS).to_bytes(4))
    if limits.octets is not None:
        yield Attribute(life_type, Life.KILOBYTES)
        yield Attribute(life_duration, min(max(limits.octets // KILOBYTE, 1), MOST_SECONDS).to_bytes(4))


def sa_payload(proposals: Iterable[ProposalPayload]) -> SaPayload:
    """An SA payload of these."""
    return SaPayload(IPSEC_DOI, IDENTITY_ONLY, tuple(proposals))


# Main mode ---------------------------------------------------------------------------------------------------------


def main_meaning(transform: TransformPayload) -> Meaning:
    """What a transform of phase 1 says."""
    return meaning(transform, MainAttribute.LIFE_TYPE, MainAttribute.LIFE_DURATION)


Methods = Sequence[Authentication]
BY_KEY: Methods = (Authentication.PRESHARED_KEY,)


def main_says(
    proposal: IkeProposal, method: Authentication = Authentication.PRESHARED_KEY
) -> list[tuple[int, int]]:  # fmt: skip
    """The attributes of a proposal, but for its lifetimes; none when IKEv1 cannot say it."""
    encryption = proposal.cipher.row.ike_v1
    if encryption is None or proposal.further:
        return []
    key = [(MainAttribute.KEY_LENGTH, proposal.cipher.key_bits)] if proposal.cipher.row.sends_key_bits else []
    return [
        (MainAttribute.ENCRYPTION, encryption),
        *key,
        (MainAttribute.HASH, HASH[proposal.hash].ike_v1),
        (MainAttribute.AUTHENTICATION, method),
        (MainAttribute.GROUP, proposal.group.value),
    ]


def offer_main(proposals: Sequence[IkeProposal], by: Methods = BY_KEY) -> SaPayload:
    """All of them by each method, as transforms of one proposal; raises Aborted when IKEv1 can say none of them."""
    transforms: list[TransformPayload] = []
    for method, proposal in product(by, proposals):
        says = main_says(proposal, method)
        if says:
            lives = life_attributes(proposal.limits, MainAttribute.LIFE_TYPE, MainAttribute.LIFE_DURATION)
            attributes = (*(Attribute(kind, number) for kind, number in says), *lives)
            transforms.append(TransformPayload(len(transforms) + 1, KEY_IKE, attributes))
    if not transforms:
        raise Aborted(Reason.NO_PROPOSAL, "none of our main mode proposals can be said in IKEv1")
    return sa_payload([ProposalPayload(1, ProtocolId.ISAKMP, b"", tuple(transforms))])


def accepted_main(offer: SaPayload, answer: SaPayload, proposals: Sequence[IkeProposal]) -> IkeProposal:
    """Which of our ``proposals`` the peer took; raises Aborted when it took none as it was."""
    if len(answer.proposals) != 1 or len(answer.proposals[0].transforms) != 1:
        raise Aborted(Reason.CHANGED_PROPOSAL, "the peer did not choose one of our main mode proposals")
    taken = main_meaning(answer.proposals[0].transforms[0])
    if not any(main_meaning(ours) == taken for ours in offer.proposals[0].transforms):
        raise Aborted(
            Reason.CHANGED_PROPOSAL,
            "the peer answered with a main mode proposal that we did not make",
            comparison=compare("main mode proposals", offered_main(answer), offered_main(offer)),
        )
    method = accepted_method(answer)
    return next(proposal for proposal in proposals if frozenset(main_says(proposal, method)) == taken.says)


def accepted_method(answer: SaPayload) -> Authentication:
    """By which method the sides prove themselves, after ``accepted_main`` has found the answer to be one of ours."""
    return Authentication(main_meaning(answer.proposals[0].transforms[0]).get(MainAttribute.AUTHENTICATION) or 0)


@dataclass(frozen=True, slots=True)
class MainChoice:
    """What a responder takes."""

    entry: PadEntry
    proposal: IkeProposal
    """With the stricter lifetimes of both sides."""
    answer: SaPayload
    method: Authentication = Authentication.PRESHARED_KEY


def choose_main(offer: SaPayload, entries: Sequence[PadEntry]) -> MainChoice:
    """The first of our proposals that the peer offers; raises Aborted."""
    if entries and not any(map(usable, entries)):
        raise Aborted(Reason.NO_CERTIFICATE, "this computer has no certificate of an authority that the policy names")
    for entry in entries:
        for method, proposal in product(methods_for(entry), entry.proposals):
            wanted = frozenset(main_says(proposal, method))
            for theirs in offer.proposals:
                if theirs.protocol != ProtocolId.ISAKMP or not wanted:
                    continue
                for transform in theirs.transforms:
                    offered = main_meaning(transform)
                    if offered.id == KEY_IKE and offered.clear and offered.says == wanted:
                        agreed = replace(proposal, limits=stricter(proposal.limits, offered.limits))
                        taken = replace(theirs, transforms=(transform,))
                        return MainChoice(entry, agreed, sa_payload([taken]), method)
    ours = [proposal for entry in entries for proposal in entry.proposals]
    by = tuple(dict.fromkeys(each for entry in entries for each in methods_for(entry)))
    raise Aborted(
        Reason.NO_PROPOSAL,
        f"no main mode proposal in common: the peer offers {describe_main(offer)}; we take {listed(ours)}",
        comparison=compare("main mode proposals", offered_main(offer), own_main(ours, by)),
    )


# Words -------------------------------------------------------------------------------------------------------------

SHOWN = 8
"""Proposals that a message names; of more it says how many."""


def listed(proposals: Iterable[object]) -> str:
    """The first of them in words, and how many more there are."""
    words = list(dict.fromkeys(map(str, proposals)))
    more = f" and {len(words) - SHOWN} more" if len(words) > SHOWN else ""
    return (", ".join(words[:SHOWN]) or "nothing") + more


def offered_main(offer: SaPayload) -> tuple[Terms, ...]:
    """What the peer offers for main mode."""
    return tuple(_terms(main_meaning(each)) for proposal in offer.proposals for each in proposal.transforms)


def own_main(proposals: Sequence[IkeProposal], by: Methods = BY_KEY) -> tuple[Terms, ...]:
    """What we take, as far as IKEv1 can say it."""
    return tuple(
        _terms(Meaning(KEY_IKE, frozenset(says), frozenset()))
        for method, each in product(by, proposals)
        if (says := main_says(each, method))
    )


def describe_main(offer: SaPayload) -> str:
    """A peer's proposals in words; numbers where we have none."""
    return listed([_described(each) for each in offered_main(offer)])


def _described(terms: Terms) -> str:
    word = "-".join(terms.get(what) for what in (ENCRYPTED, HASHED, EXCHANGED))
    auth = terms.get(PROVED)
    return word if auth == AUTHENTICATION_WORDS[Authentication.PRESHARED_KEY] else f"{word} with {auth}"


def _terms(offered: Meaning) -> Terms:
    """One transform, part by part."""
    cipher = _cipher(offered.get(MainAttribute.ENCRYPTION), offered.get(MainAttribute.KEY_LENGTH))
    number = offered.get(MainAttribute.HASH)
    hash_ = next((each for each, row in HASH.items() if row.ike_v1 == number), None)
    group = next((each for each in DhGroup if each.value == offered.get(MainAttribute.GROUP)), None)
    auth = offered.get(MainAttribute.AUTHENTICATION)
    parts = (
        (ENCRYPTED, str(cipher)),
        (HASHED, HASH[hash_].word if hash_ else f"hash {number}"),
        (EXCHANGED, GROUPS[group].word if group else f"group {offered.get(MainAttribute.GROUP)}"),
        (PROVED, AUTHENTICATION_WORDS.get(auth or 0, f"authentication method {auth}")),
    )
    if isinstance(cipher, str) or hash_ is None or group is None:
        return Terms(parts)
    weak = is_legacy(cipher.algorithm) or is_legacy(hash_) or is_legacy(group)
    return Terms(parts, "-".join(word for _, word in parts[:3]), weak)


def _cipher(number: int | None, bits: int | None) -> Cipher | str:
    algorithm = next(
        (each for each, row in ENCRYPTION.items() if row.ike_v1 is not None and row.ike_v1 == number), None
    )
    if algorithm is None:
        return f"encryption {number}"
    sizes = ENCRYPTION[algorithm].key_bits
    chosen = bits if ENCRYPTION[algorithm].sends_key_bits else sizes[0]
    return Cipher(algorithm, chosen) if chosen in sizes else f"{ENCRYPTION[algorithm].word} with a key of {bits} bits"
