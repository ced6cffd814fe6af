# SPDX-License-Identifier: Apache-2.0
"""Security methods in words: ``esp aes256-gcm``, ``esp aes256-sha256 + ah sha1``; main mode ``aes256-sha256-ecp256``.

In IKEv2 main mode may exchange more than one key, ``aes256-sha256-x25519+mlkem768``, and have a combined mode, where
the hash makes keys alone: ``aes256-gcm-sha384-ecp384``.

The words are those of the tables in ``crypto.suites``; hyphens inside a suite may be left out (``aes256gcm``).
"""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import TypeVar

from ringfence.crypto.dh import available
from ringfence.crypto.suites import (
    ENCRYPTION,
    GROUPS,
    HASH,
    INTEGRITY,
    Algorithm,
    Authenticator,
    Cipher,
    DhGroup,
    Encryption,
    Integrity,
    is_legacy,
)
from ringfence.databases.proposal import IkeProposal, Limits, Protocol, SecurityMethod, Transform
from ringfence.policy.errors import BadWord

T = TypeVar("T")
NO_LIMITS = Limits()

CIPHERS = tuple(Cipher(algorithm, bits) for algorithm, row in ENCRYPTION.items() for bits in row.key_bits)
AUTHENTICATORS = tuple(
    Authenticator(algorithm, size) for algorithm, row in INTEGRITY.items() for size in row.key_octets
)

QUICK_MODE_DEFAULT = ("esp aes256-gcm", "esp aes128-gcm", "esp aes256-sha256")
"""What strongSwan, Libreswan and Windows since 2012 all have, strongest first."""
INTEGRITY_ONLY = ("esp null-sha256", "esp null-sha1")
"""What Windows calls integrity only: ESP without encryption."""
MAIN_MODE_DEFAULT = (
    "aes256-sha256-ecp256", "aes256-sha256-x25519", "aes256-sha384-ecp384", "aes128-sha256-ecp256",
    "aes256-sha256-modp2048", "aes128-sha256-modp2048",
)  # fmt: skip
"""Elliptic curves first for their speed; Windows knows the ECP groups, and everybody MODP-2048."""
IKEV2_DEFAULT = "aes256-sha256-x25519+mlkem768"
"""What IKEv2 offers before these, since it can: a key exchange that no quantum computer breaks, beside one as ever."""


def _key(word: str) -> str:
    return word.replace("-", "")


def _ah_words() -> dict[str, Transform]:
    return {str(one): Transform(Protocol.AH, authenticator=one) for one in AUTHENTICATORS}


def _esp_words() -> dict[str, Transform]:
    words = {str(cipher): Transform(Protocol.ESP, cipher) for cipher in CIPHERS if cipher.row.combined}
    for cipher in CIPHERS:
        if not cipher.row.combined:
            words |= {
                f"{cipher}-{one}": Transform(Protocol.ESP, cipher, one)
                for one in AUTHENTICATORS
                if one.algorithm is not Integrity.AES_GMAC
            }
    return words


def _is_for_ikev2(cipher: Cipher) -> bool:
    """Whether it is a combined mode that protects messages of IKEv2, and encrypts; the hash then makes keys alone."""
    return cipher.row.combined and cipher.row.ike_v2 is not None and cipher.algorithm is not Encryption.NULL_AES_GMAC


def _ike_words() -> dict[str, IkeProposal]:
    proposals = (
        IkeProposal(cipher, hash_, group)
        for cipher in CIPHERS
        if cipher.row.ike_v1 is not None or _is_for_ikev2(cipher)
        for hash_ in HASH
        for group in GROUP_WORDS.values()
    )
    return {str(proposal): proposal for proposal in proposals}


GROUP_WORDS = {row.word: group for group, row in GROUPS.items() if not row.encapsulates}
FURTHER_WORDS = {row.word: group for group, row in GROUPS.items()}
"""What may be exchanged besides: ML-KEM never comes first or alone."""
MOST_FURTHER = 7
"""Key exchanges besides the first (RFC 9370 §2.2.1)."""
ESP_WORDS, AH_WORDS, IKE_WORDS = _esp_words(), _ah_words(), _ike_words()
ALIASES = {"gcm16": "gcm", "ccm16": "ccm", "sha2256": "sha256", "sha2384": "sha384", "sha2512": "sha512"}

NULL_WORDS = {word: value for word, value in ESP_WORDS.items() if word.startswith("null-")}

_NULL = {_key(word.removeprefix("null-")): value for word, value in NULL_WORDS.items()}
_ESP = {_key(word): value for word, value in ESP_WORDS.items()}
_AH = {_key(word): value for word, value in AH_WORDS.items()}
_IKE = {_key(word): value for word, value in IKE_WORDS.items()}


def parse_method(text: str, limits: Limits = NO_LIMITS) -> SecurityMethod:
    """One security method of quick mode, perhaps of null encapsulation; raises BadWord."""
    if text.lower().split()[:1] == ["none"]:
        return SecurityMethod((_null(text.lower().split()[1:]),), limits, encapsulate=False)
    transforms = tuple(_transform(part.split()) for part in text.lower().split("+"))
    protocols = [transform.protocol for transform in transforms]
    if protocols not in ([Protocol.ESP], [Protocol.AH], [Protocol.ESP, Protocol.AH]):
        raise BadWord(
            "but a method is ESP, AH, or ESP with AH around it", cure='Such as "esp aes256-sha256 + ah sha256".'
        )
    return SecurityMethod(transforms, limits)


def _null(words: list[str]) -> Transform:
    """What proves the first packet where the others travel as they are."""
    transform = _lookup("".join(words), _NULL)
    if transform is None or len(words) != 1:
        known = [word.removeprefix("null-") for word in NULL_WORDS]
        raise BadWord(
            "but null encapsulation has one integrity algorithm",
            cure=_nearest("".join(words), known) if words else 'Write it as "none sha256".',
        )
    return transform


def _transform(words: list[str]) -> Transform:
    esn = words[-1:] == ["esn"]
    protocol, suite = (words[:-1] if esn else words)[:1], (words[:-1] if esn else words)[1:]
    table, known = {"esp": (_ESP, ESP_WORDS), "ah": (_AH, AH_WORDS)}.get("".join(protocol), ({}, {}))
    if not known:
        raise BadWord("which does not begin with esp or ah", cure='Write it as "esp aes256-gcm" or "ah sha256".')
    word = "".join(suite)
    if len(suite) != 1:
        raise BadWord("which is not understood", cure=f'Write it as "{protocol[0]} {next(iter(known))}".')
    transform = _lookup(word, table)
    if transform is None:
        raise BadWord(f'but {protocol[0].upper()} has no suite "{word}"', cure=_nearest(word, known))
    return Transform(transform.protocol, transform.cipher, transform.authenticator, esn)


def parse_ike_proposal(text: str, limits: Limits = NO_LIMITS) -> IkeProposal:
    """One main mode security method; raises BadWord."""
    word, *further = (part.strip() for part in text.lower().split("+"))
    found = _lookup(word, _IKE)
    if found is None:
        raise BadWord(
            "which is no main mode method: encryption, hash and group, joined by hyphens",
            cure=_nearest(word, IKE_WORDS),
        )
    return IkeProposal(found.cipher, found.hash, found.group, limits, _further(found.group, further))


def _further(first: DhGroup, words: list[str]) -> tuple[DhGroup, ...]:
    """Key exchanges besides the first; raises BadWord."""
    for word in words:
        if word not in FURTHER_WORDS:
            raise BadWord(f'but "{word}" is no key exchange', cure=f"Such as {', '.join(FURTHER_WORDS)}.")
    found = tuple(FURTHER_WORDS[word] for word in words)
    if len({first, *found}) != 1 + len(found) or len(found) > MOST_FURTHER:
        raise BadWord(f"but a method has up to {MOST_FURTHER} further key exchanges, each once")
    for group in found:
        if not available(group):
            raise BadWord(
                f"but the crypto library of this computer has no {GROUPS[group].word}",
                cure="Install a newer one, or take mlkem768.",
            )
    return found


def in_ikev2(methods: tuple[IkeProposal, ...]) -> tuple[IkeProposal, ...]:
    """Methods of main mode with what IKEv2 offers before the default ones, where these are meant."""
    default = tuple(map(str, methods[: len(MAIN_MODE_DEFAULT)])) == MAIN_MODE_DEFAULT
    if not default or not available(DhGroup.ML_KEM_768):
        return methods
    return parse_ike_proposal(IKEV2_DEFAULT, methods[0].limits), *methods


def for_pfs(methods: Sequence[IkeProposal]) -> IkeProposal:
    """The method whose key exchanges quick mode repeats where the policy says ``pfs = true``.

    That is the first with a single one, which any peer can do; where main mode has further ones always, the first.
    """
    return next((each for each in methods if not each.further), methods[0])


def parse_group(text: str) -> DhGroup:
    """A Diffie-Hellman group; raises BadWord."""
    group = GROUP_WORDS.get(text.lower().strip())
    if group is None:
        raise BadWord("which is no Diffie-Hellman group", cure=f"The groups are {', '.join(GROUP_WORDS)}.")
    return group


def weak(parts: Iterable[SecurityMethod | IkeProposal | DhGroup | None]) -> tuple[str, ...]:
    """The words of those algorithms in ``parts`` that only serve with ``legacy = true``, each once."""
    found: dict[str, None] = {}
    for part in parts:
        for algorithm in _algorithms(part):
            if is_legacy(algorithm):
                found[_word(algorithm)] = None
    return tuple(found)


def _algorithms(part: SecurityMethod | IkeProposal | DhGroup | None) -> Iterable[Algorithm]:
    match part:
        case SecurityMethod():
            for transform in part.transforms:
                yield from (one.algorithm for one in (transform.cipher, transform.authenticator) if one is not None)
        case IkeProposal():
            yield from (part.cipher.algorithm, part.hash, part.group)
            yield from part.further
        case DhGroup():
            yield part
        case None:
            return


def _word(algorithm: Algorithm) -> str:
    match algorithm:
        case Encryption():
            return ENCRYPTION[algorithm].word
        case Integrity():
            return INTEGRITY[algorithm].word
        case DhGroup():
            return GROUPS[algorithm].word
        case _:
            return HASH[algorithm].word


def _lookup(word: str, table: dict[str, T]) -> T | None:
    key = _key(word)
    for alias, meant in ALIASES.items():
        key = key.replace(alias, meant)
    return table.get(key)


def _nearest(word: str, known: Iterable[str]) -> str:
    close = get_close_matches(word, list(known), 3, 0.5)
    return f"Did you mean {' or '.join(close)}?" if close else f"Such as {next(iter(known))}."
