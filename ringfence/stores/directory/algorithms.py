# SPDX-License-Identifier: Apache-2.0
"""Security methods of both modes as stored policies number them, both ways ([MS-GPIPSEC] §2.2.1.2.1, §2.2.1.4.1).

Windows: stored policies number ESP's ciphers 1 DES and 3 3DES, as main mode does; the specification's table (1 null, 2
DES, 3 3DES) would have "Require Security" offer no encryption as its third choice. 2 is nowhere stored, and is read as
DES. An offer without algorithms is no method, but the mark of "allow unsecured communication".

What is written back unchanged keeps its octets, left-over memory and all; new methods have zeros there.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ringfence.crypto.suites import Authenticator, Cipher, DhGroup, Encryption, Hash, Integrity
from ringfence.databases.proposal import IkeProposal, Limits, Protocol, SecurityMethod, Transform
from ringfence.policy.errors import BadWord
from ringfence.policy.terms import MAIN_MODE_LIFETIME_S
from ringfence.stores.directory.records import IsakmpRecord, KeyExchange, Offer, Slot

TRIPLE_DES, DES, NULL = Cipher(Encryption.TRIPLE_DES, 192), Cipher(Encryption.DES, 64), Cipher(Encryption.NULL, 0)
MD5, SHA1 = Authenticator(Integrity.HMAC_MD5_96), Authenticator(Integrity.HMAC_SHA1_96)

ESP_CIPHERS: Mapping[int, Cipher] = {0: NULL, 1: DES, 2: DES, 3: TRIPLE_DES}
AUTHENTICATORS: Mapping[int, Authenticator] = {1: MD5, 2: SHA1}
IKE_CIPHERS: Mapping[int, Cipher] = {1: DES, 2: TRIPLE_DES, 3: TRIPLE_DES}
HASHES: Mapping[int, Hash] = {1: Hash.MD5, 2: Hash.SHA1}
GROUPS: Mapping[int, DhGroup] = {1: DhGroup.MODP_768, 2: DhGroup.MODP_1024, 0x10000001: DhGroup.MODP_2048}
OVERRIDING: Mapping[int, tuple[Cipher, Hash]] = {
    1: (DES, Hash.MD5), 2: (DES, Hash.SHA1), 3: (TRIPLE_DES, Hash.MD5), 4: (TRIPLE_DES, Hash.SHA1),
}  # fmt: skip
"""Codes of main mode's methods with 2048 bits."""
AH, ESP = 1, 2
CIPHER_CODES = {NULL: 0, DES: 1, TRIPLE_DES: 3}
AUTHENTICATOR_CODES = {value: code for code, value in AUTHENTICATORS.items()}
HASH_CODES = {value: code for code, value in HASHES.items()}
GROUP_CODES = {value: code for code, value in GROUPS.items()}

DEFAULT_S, DEFAULT_KB = 3600, 100_000
"""What Windows takes where 0 is stored."""
NO_LIMIT_KB = 0x7FFFFFFF
"""The most that Windows' consoles take: in effect no limit."""
USED_SIZES = bytes.fromhex("4000000008000000")
"""Key length and rounds of every slot that Windows writes; nobody reads them."""
UNUSED_SLOT = Slot(0, 0, 0, bytes(8))
FALLBACK = Offer(0, 0, 0, 0, 0, (UNUSED_SLOT,) * 3)
"""The mark of "allow unsecured communication with computers that have no IPsec"."""
ONLY = "IPsec policies of a directory know"
ALGORITHMS = f"{ONLY} DES and 3DES, MD5 and SHA-1 only"


def method_of(offer: Offer) -> SecurityMethod:
    """The method of an offer that has algorithms; raises BadWord where it is none that can be served."""
    if offer.count > len(offer.slots):
        raise BadWord(f"which has {offer.count} algorithms, and there is room for {len(offer.slots)}")
    transforms = sorted(map(_transform, offer.slots[: offer.count]), key=lambda one: one.protocol.value)
    protocols = [one.protocol for one in transforms]
    if len(set(protocols)) != len(protocols):
        raise BadWord("which has two algorithms for the same")
    kilobytes = offer.lifetime_kb or DEFAULT_KB
    octets = None if kilobytes >= NO_LIMIT_KB else kilobytes << 10
    return SecurityMethod(tuple(transforms), Limits(offer.lifetime_s or DEFAULT_S, octets))


def _transform(slot: Slot) -> Transform:
    if slot.protocol == AH:
        if slot.algorithm not in AUTHENTICATORS:
            raise BadWord(f"whose AH algorithm {slot.algorithm} is unknown")
        return Transform(Protocol.AH, None, AUTHENTICATORS[slot.algorithm])
    if slot.protocol != ESP:
        raise BadWord(f"whose protocol {slot.protocol} is neither AH (1) nor ESP (2)")
    if slot.algorithm not in ESP_CIPHERS:
        raise BadWord(f"whose ESP encryption {slot.algorithm} is unknown")
    if slot.integrity not in AUTHENTICATORS:
        what = f"{slot.integrity} is unknown" if slot.integrity else "is missing, and encryption alone protects nothing"
        raise BadWord(f"whose ESP integrity {what}")
    return Transform(Protocol.ESP, ESP_CIPHERS[slot.algorithm], AUTHENTICATORS[slot.integrity])


def offer_of(method: SecurityMethod, *, pfs: bool) -> Offer:
    """The offer of a method; raises BadWord where a directory's policy cannot say it."""
    if not method.encapsulate:
        raise BadWord(f"{ONLY} no null encapsulation")
    # Windows: AH stands before ESP where there are both, as it does in the packet.
    slots = tuple(map(_slot, sorted(method.transforms, key=lambda one: -one.protocol.value)))
    filled = slots + (UNUSED_SLOT,) * (3 - len(slots))
    seconds, kilobytes = _limits(method.limits)
    return Offer(seconds, kilobytes, 0, int(pfs), len(slots), filled)


def _slot(one: Transform) -> Slot:
    if one.esn:
        raise BadWord(f"{ONLY} no extended sequence numbers")
    if one.authenticator not in AUTHENTICATOR_CODES:
        raise BadWord(ALGORITHMS)
    code = AUTHENTICATOR_CODES[one.authenticator]
    if one.cipher is None:
        return Slot(code, 0, AH, USED_SIZES)
    if one.cipher not in CIPHER_CODES:
        raise BadWord(ALGORITHMS)
    return Slot(CIPHER_CODES[one.cipher], code, ESP, USED_SIZES)


def _limits(limits: Limits) -> tuple[int, int]:
    if limits.packets is not None:
        raise BadWord(f"{ONLY} no limit by packets")
    if not limits.seconds:
        raise BadWord(f"{ONLY} no method without a limit in time")
    if limits.octets is None:
        return limits.seconds, NO_LIMIT_KB
    kilobytes, rest = divmod(limits.octets, 1 << 10)
    if rest or not 0 < kilobytes < NO_LIMIT_KB:
        raise BadWord(f"{ONLY} limits in whole kilobytes")
    return limits.seconds, kilobytes


def offers_of(methods: Iterable[SecurityMethod], *, pfs: bool, before: tuple[Offer, ...] = ()) -> tuple[Offer, ...]:
    """The offers of all methods; those that stood there ``before`` keep their octets. Raises BadWord."""
    known: dict[tuple[SecurityMethod, bool], Offer] = {}
    for offer in before:
        if offer.count:
            try:
                known.setdefault((method_of(offer), bool(offer.pfs)), offer)
            except BadWord:
                continue
    return tuple(known.get((method, pfs)) or offer_of(method, pfs=pfs) for method in methods)


def fallback_of(before: tuple[Offer, ...]) -> Offer:
    """The mark of fallback to clear, with the octets that it had ``before``."""
    return next((offer for offer in before if not offer.count), FALLBACK)


def proposals_of(record: IsakmpRecord) -> tuple[list[IkeProposal], list[str]]:
    """The methods of main mode in order of preference, and what is wrong with each of the others."""
    found, wrong = list[IkeProposal](), list[str]()
    for number, code in enumerate(record.new_dh, 1):
        if code in OVERRIDING:
            found.append(_strong(code, record))
        elif code:
            wrong.append(f"2048-bit method {number}, whose code {code} is unknown")
    for number, method in enumerate(record.methods, 1):
        try:
            found.append(proposal_of(method, record))
        except BadWord as error:
            wrong.append(f"method {number}, {error.why}")
    return found, wrong


def _strong(code: int, record: IsakmpRecord) -> IkeProposal:
    cipher, hash_ = OVERRIDING[code]
    return IkeProposal(cipher, hash_, DhGroup.MODP_2048, Limits(record.lifetime_s or MAIN_MODE_LIFETIME_S))


def proposal_of(method: KeyExchange, record: IsakmpRecord) -> IkeProposal:
    """One method of main mode; raises BadWord where it is none that can be served."""
    if method.overriding in OVERRIDING:
        return _strong(method.overriding, record)
    for what, value, known in (
        ("encryption", method.encryption, IKE_CIPHERS), ("hash", method.hash, HASHES), ("group", method.group, GROUPS),
    ):  # fmt: skip
        if value not in known:
            raise BadWord(f"whose {what} {value} is unknown")
    # Windows: the method's own lifetime counts before that of all methods.
    seconds = method.lifetime_s or record.lifetime_s or MAIN_MODE_LIFETIME_S
    return IkeProposal(IKE_CIPHERS[method.encryption], HASHES[method.hash], GROUPS[method.group], Limits(seconds))


def key_exchange_of(proposal: IkeProposal, sessions: int) -> KeyExchange:
    """One method of main mode as it is stored; raises BadWord where a directory's policy cannot say it."""
    if proposal.further:
        raise BadWord(f"{ONLY} one key exchange in a method")
    if proposal.cipher not in CIPHER_CODES or proposal.cipher == NULL or proposal.hash not in HASH_CODES:
        raise BadWord(ALGORITHMS)
    if proposal.group not in GROUP_CODES:
        raise BadWord(f"{ONLY} the groups modp768, modp1024 and modp2048 only")
    return KeyExchange(
        bytes(4), CIPHER_CODES[proposal.cipher], bytes(8), HASH_CODES[proposal.hash], bytes(8), bytes(8), 0, bytes(7),
        GROUP_CODES[proposal.group], sessions, 0, proposal.limits.seconds or MAIN_MODE_LIFETIME_S, 0,
    )  # fmt: skip


def key_exchanges_of(
    proposals: Iterable[IkeProposal], sessions: int, before: IsakmpRecord | None
) -> tuple[KeyExchange, ...]:
    """All methods as they are stored; those that stood there ``before`` keep their octets. Raises BadWord."""
    known: dict[IkeProposal, KeyExchange] = {}
    for method in () if before is None else before.methods:
        if method.overriding not in OVERRIDING:
            try:
                known.setdefault(proposal_of(method, before), method)  # type: ignore[arg-type]
            except BadWord:
                continue
    made = []
    for proposal in proposals:
        new = key_exchange_of(proposal, sessions)
        old = known.get(proposal)
        made.append(new if old is None else replace(old, quick_modes=sessions))
    return tuple(made)
