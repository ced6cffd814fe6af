# SPDX-License-Identifier: Apache-2.0
"""Proposals in the words of strongSwan and Libreswan: ``aes256-sha256-modp2048``, ``aes_gcm256-null``, and back.

Both join algorithms by hyphens; Libreswan also knows ``;`` before the group and ``+`` between alternatives. A proposal
with several algorithms of one kind stands for all its combinations, but in IKEv1 strongSwan only offers the first ones.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import product

from ringfence.crypto.suites import (
    GROUPS,
    HASH,
    Authenticator,
    Cipher,
    DhGroup,
    Encryption,
    Hash,
    Integrity,
)
from ringfence.databases.proposal import IkeProposal, Limits, Protocol, SecurityMethod, Transform
from ringfence.policy.errors import BadWord
from ringfence.policy.methods import NO_LIMITS, parse_ike_proposal

BITS = (128, 192, 256)
ICV = {"8": 8, "12": 12, "16": 16, "64": 8, "96": 12, "128": 16, "": 16}
SLOT = {"a": 8, "b": 12, "c": 16}
GCM = {8: Encryption.AES_GCM_8, 12: Encryption.AES_GCM_12, 16: Encryption.AES_GCM_16}
CCM = {8: Encryption.AES_CCM_8, 12: Encryption.AES_CCM_12, 16: Encryption.AES_CCM_16}


def _ciphers() -> dict[str, Cipher]:
    words = {
        "aes": Cipher(Encryption.AES_CBC, 128), "3des": Cipher(Encryption.TRIPLE_DES, 192),
        "3des_cbc": Cipher(Encryption.TRIPLE_DES, 192), "des": Cipher(Encryption.DES, 64),
        "null": Cipher(Encryption.NULL, 0), "chacha20poly1305": Cipher(Encryption.CHACHA20_POLY1305, 256),
        "chacha20_poly1305": Cipher(Encryption.CHACHA20_POLY1305, 256),
        "aes_gcm": Cipher(Encryption.AES_GCM_16, 128), "aes_ccm": Cipher(Encryption.AES_CCM_16, 128),
        "aes_ctr": Cipher(Encryption.AES_CTR, 128),
    }  # fmt: skip
    for bits in BITS:
        for word in (f"aes{bits}", f"aes_cbc{bits}", f"aes_cbc_{bits}", f"aes_{bits}"):
            words[word] = Cipher(Encryption.AES_CBC, bits)
        for word in (f"aes{bits}ctr", f"aes_ctr{bits}", f"aes_ctr_{bits}"):
            words[word] = Cipher(Encryption.AES_CTR, bits)
        for word in (f"aes{bits}gmac", f"null_auth_aes_gmac{bits}", f"null_auth_aes_gmac_{bits}"):
            words[word] = Cipher(Encryption.NULL_AES_GMAC, bits)
        for mode, table in (("gcm", GCM), ("ccm", CCM)):
            for word, octets in ICV.items():
                words[f"aes{bits}{mode}{word}"] = Cipher(table[octets], bits)
            for slot, octets in SLOT.items():
                for word in (f"aes_{mode}_{slot}{bits}", f"aes_{mode}_{slot}_{bits}"):
                    words[word] = Cipher(table[octets], bits)
            for word in (f"aes_{mode}{bits}", f"aes_{mode}_{bits}"):
                words[word] = Cipher(table[16], bits)
    return words


CIPHERS = _ciphers()
INTEGRITIES = {
    "md5": Integrity.HMAC_MD5_96, "sha": Integrity.HMAC_SHA1_96, "sha1": Integrity.HMAC_SHA1_96,
    "sha256": Integrity.HMAC_SHA256_128, "sha2": Integrity.HMAC_SHA256_128, "sha2_256": Integrity.HMAC_SHA256_128,
    "sha384": Integrity.HMAC_SHA384_192, "sha2_384": Integrity.HMAC_SHA384_192,
    "sha512": Integrity.HMAC_SHA512_256, "sha2_512": Integrity.HMAC_SHA512_256,
    "aesxcbc": Integrity.AES_XCBC_96, "aes_xcbc": Integrity.AES_XCBC_96, "aescmac": Integrity.AES_CMAC_96,
    "aes_cmac": Integrity.AES_CMAC_96,
}  # fmt: skip
HASHES = {
    Integrity.HMAC_MD5_96: Hash.MD5, Integrity.HMAC_SHA1_96: Hash.SHA1, Integrity.HMAC_SHA256_128: Hash.SHA256,
    Integrity.HMAC_SHA384_192: Hash.SHA384, Integrity.HMAC_SHA512_256: Hash.SHA512,
}  # fmt: skip
DH = (
    {row.word: group for group, row in GROUPS.items() if not row.encapsulates}
    | {f"dh{group.value}": group for group, row in GROUPS.items() if not row.encapsulates}
    | {"curve25519": DhGroup.CURVE25519, "ecp_256": DhGroup.ECP_256, "ecp_384": DhGroup.ECP_384,
       "ecp_521": DhGroup.ECP_521}
)  # fmt: skip
PRFS = {f"prf{word}": HASHES[one] for word, one in INTEGRITIES.items() if one in HASHES}
FURTHER = DH | {row.word: group for group, row in GROUPS.items()}
KE = re.compile(r"ke([1-7])_(\w+)")
"""A further key exchange of IKEv2."""
SPLIT = re.compile(r"[-;]")


@dataclass(slots=True)
class Proposal:
    """The algorithms of one proposal, sorted by kind."""

    ciphers: list[Cipher] = field(default_factory=list)
    integrity: list[Integrity] = field(default_factory=list)
    prfs: list[Hash] = field(default_factory=list)
    groups: list[DhGroup | None] = field(default_factory=list)
    esn: list[bool] = field(default_factory=list)
    further: dict[int, list[DhGroup | None]] = field(default_factory=dict)
    """Further key exchanges by their places; None: there need not be one."""

    def strip(self) -> "Proposal":
        """The first of each kind."""
        return Proposal(
            self.ciphers[:1], self.integrity[:1], self.prfs[:1], self.groups[:1], self.esn[:1], self.further
        )


def parse_proposal(text: str) -> Proposal:
    """One proposal; raises BadWord."""
    found = Proposal()
    parts = [part.strip().lower() for part in SPLIT.split(text.strip().removesuffix("!"))]
    for number, part in enumerate(parts):
        for word in filter(None, (one.strip() for one in part.split("+"))):
            _sort(found, word, first=number == 0)
    return found


def _sort(found: Proposal, word: str, *, first: bool) -> None:
    if (ke := KE.fullmatch(word)) is not None:
        if ke[2] not in FURTHER and ke[2] != "none":
            raise BadWord(f'but Ringfence has no "{word}"')
        found.further.setdefault(int(ke[1]), []).append(FURTHER.get(ke[2]))
    elif word in ("esn", "noesn"):
        found.esn.append(word == "esn")
    elif word in PRFS:
        found.prfs.append(PRFS[word])
    elif word in INTEGRITIES:
        found.integrity.append(INTEGRITIES[word])
    elif word in DH:
        found.groups.append(DH[word])
    elif word in ("none", "null", "modpnone", "dh0") and not first:
        if word in ("modpnone", "none", "dh0"):
            found.groups.append(None)
    elif word in CIPHERS:
        found.ciphers.append(CIPHERS[word])
    else:
        raise BadWord(f'but Ringfence has no "{word}"')


def ike_proposals(text: str, limits: Limits, *, only_first: bool, group: DhGroup | None = None) -> list[IkeProposal]:
    """The main mode methods that a proposal stands for; ``group``: where it names none. Raises BadWord."""
    found = parse_proposal(text)
    if only_first:
        found = found.strip()
    groups = [one for one in found.groups if one is not None] or [one for one in (group,) if one is not None]
    combined = {cipher.row.combined for cipher in found.ciphers}
    if len(combined) > 1:
        raise BadWord("but it has combined modes beside others, which IKE keeps apart")
    if any(cipher.row.ike_v1 is None and (only_first or not cipher.row.combined) for cipher in found.ciphers):
        raise BadWord("but main mode has AES-CBC and 3DES only, and in IKEv2 combined modes")
    hashes = [HASHES[one] for one in found.integrity if one in HASHES]
    if True in combined:
        hashes = found.prfs or hashes
    elif len(hashes) != len(found.integrity) or any(prf not in hashes for prf in found.prfs):
        raise BadWord("but main mode has one hash for integrity and key derivation")
    if not (found.ciphers and hashes and groups):
        raise BadWord("but a main mode method has encryption, a hash and a group")
    places = [found.further[number] for number in sorted(found.further)]
    further = [tuple(each for each in one if each is not None) for one in product(*places)]
    made = (IkeProposal(*one, limits) for one in product(found.ciphers, hashes, groups))
    return [_further(one, more) for one, more in product(made, further)]


def _further(one: IkeProposal, further: tuple[DhGroup, ...]) -> IkeProposal:
    """With further key exchanges; raises BadWord for those that cannot be done here."""
    return parse_ike_proposal(str(replace(one, further=further)), one.limits) if further else one


def _check_one(found: Proposal) -> None:
    """Raise BadWord where contracts are to have several key exchanges of their own."""
    if any(None not in each for each in found.further.values()):
        why = "but contracts have several key exchanges only where main mode always has them"
        raise BadWord(why, cure="pfs = true repeats those of main mode.")


def esp_methods(text: str, *, only_first: bool) -> tuple[list[SecurityMethod], list[DhGroup | None]]:
    """The security methods of ESP that a proposal stands for, and its groups; raises BadWord."""
    found = parse_proposal(text)
    _check_one(found)
    if only_first:
        found = found.strip()
    made: list[Transform] = []
    for cipher, esn in product(found.ciphers, found.esn or [False]):
        if cipher.row.combined:
            made.append(Transform(Protocol.ESP, cipher, None, esn))
        else:
            made += [Transform(Protocol.ESP, cipher, Authenticator(one), esn) for one in found.integrity]
    if not made:
        raise BadWord("but ESP has encryption and integrity")
    return [SecurityMethod((one,), NO_LIMITS) for one in made], found.groups


def ah_methods(text: str, *, only_first: bool) -> tuple[list[SecurityMethod], list[DhGroup | None]]:
    """Likewise of AH."""
    found = parse_proposal(text)
    _check_one(found)
    if only_first:
        found = found.strip()
    gmac = [one for one in found.ciphers if one.algorithm is Encryption.NULL_AES_GMAC]
    if len(gmac) != len(found.ciphers):
        raise BadWord("but AH does not encrypt")
    whole = [Authenticator(one) for one in found.integrity]
    whole += [Authenticator(Integrity.AES_GMAC, one.key_bits // 8) for one in gmac]
    made = [Transform(Protocol.AH, None, one, esn) for one, esn in product(whole, found.esn or [False])]
    if not made:
        raise BadWord("but AH has integrity")
    return [SecurityMethod((one,), NO_LIMITS) for one in made], found.groups


# -- strongSwan's words for ours

CIPHER_WORDS = {
    Encryption.AES_CBC: "aes{}", Encryption.AES_CTR: "aes{}ctr", Encryption.AES_GCM_8: "aes{}gcm64",
    Encryption.AES_GCM_12: "aes{}gcm96", Encryption.AES_GCM_16: "aes{}gcm128", Encryption.AES_CCM_8: "aes{}ccm64",
    Encryption.AES_CCM_12: "aes{}ccm96", Encryption.AES_CCM_16: "aes{}ccm128", Encryption.NULL_AES_GMAC: "aes{}gmac",
    Encryption.NULL: "null", Encryption.TRIPLE_DES: "3des", Encryption.DES: "des",
    Encryption.CHACHA20_POLY1305: "chacha20poly1305",
}  # fmt: skip
INTEGRITY_WORDS = {
    Integrity.HMAC_MD5_96: "md5", Integrity.HMAC_SHA1_96: "sha1", Integrity.HMAC_SHA256_128: "sha256",
    Integrity.HMAC_SHA384_192: "sha384", Integrity.HMAC_SHA512_256: "sha512", Integrity.AES_XCBC_96: "aesxcbc",
    Integrity.AES_CMAC_96: "aescmac",
}  # fmt: skip


def ike_word(one: IkeProposal) -> str:
    """A main mode method as strongSwan writes it."""
    prf = "prf" if one.cipher.row.combined else ""
    words = _cipher_word(one.cipher), f"{prf}{HASH[one.hash].word}", GROUPS[one.group].word
    return "-".join((*words, *_further_words(one.further)))


def _further_words(further: tuple[DhGroup, ...]) -> list[str]:
    return [f"ke{number}_{GROUPS[each].word}" for number, each in enumerate(further, 1)]


def transform_word(one: Transform, group: DhGroup | None, further: tuple[DhGroup, ...] = ()) -> str:
    """The algorithms of an SA as strongSwan writes them."""
    words: list[str] = [] if one.cipher is None else [_cipher_word(one.cipher)]
    if one.authenticator is not None:
        gmac = one.authenticator.algorithm is Integrity.AES_GMAC
        words.append(f"aes{one.authenticator.key_octets * 8}gmac" if gmac
                     else INTEGRITY_WORDS[one.authenticator.algorithm])  # fmt: skip
    words += [] if group is None else [GROUPS[group].word, *_further_words(further)]
    return "-".join([*words, *(("esn",) if one.esn else ())])


def _cipher_word(cipher: Cipher) -> str:
    return CIPHER_WORDS[cipher.algorithm].format(cipher.key_bits)


def listing(texts: Iterable[str]) -> str:
    """Several values of one setting."""
    return ", ".join(texts)
