# SPDX-License-Identifier: Apache-2.0
"""Every algorithm once: its numbers in each protocol, its sizes, its names.

The tables are the only place where an algorithm's wire number, key size or ICV size stands. Members are the neutral
names that policies, IKE engines and the packet path share; rows tell how each protocol says them.

Numbers: IANA registries "IPSEC ESP Transform Identifiers", "IPSEC AH Transform Identifiers" and "Authentication
Algorithm" of the ISAKMP registry, "Encryption/Hash Algorithm" and "Group Description" of the IKE registry, and
"Internet Key Exchange Version 2 Parameters".
"""

from dataclasses import dataclass
from enum import Enum

from ringfence.errors import LegacyRefused


class Encryption(Enum):
    """Encryption algorithms, combined modes among them."""

    NULL = "null"
    AES_CBC = "aes-cbc"
    AES_CTR = "aes-ctr"
    AES_GCM_8 = "aes-gcm-8"
    AES_GCM_12 = "aes-gcm-12"
    AES_GCM_16 = "aes-gcm-16"
    AES_CCM_8 = "aes-ccm-8"
    AES_CCM_12 = "aes-ccm-12"
    AES_CCM_16 = "aes-ccm-16"
    NULL_AES_GMAC = "null-aes-gmac"
    CHACHA20_POLY1305 = "chacha20-poly1305"
    TRIPLE_DES = "3des-cbc"
    DES = "des-cbc"


class Integrity(Enum):
    """Integrity algorithms of ESP and AH."""

    HMAC_MD5_96 = "hmac-md5-96"
    HMAC_SHA1_96 = "hmac-sha1-96"
    HMAC_SHA256_128 = "hmac-sha256-128"
    HMAC_SHA384_192 = "hmac-sha384-192"
    HMAC_SHA512_256 = "hmac-sha512-256"
    AES_XCBC_96 = "aes-xcbc-96"
    AES_CMAC_96 = "aes-cmac-96"
    AES_GMAC = "aes-gmac"


class Hash(Enum):
    """Hash functions of IKE; the HMAC over each is a PRF (RFC 2409 §4, RFC 4868)."""

    MD5 = "md5"
    SHA1 = "sha1"
    SHA256 = "sha256"
    SHA384 = "sha384"
    SHA512 = "sha512"


class DhGroup(Enum):
    """Diffie-Hellman groups, and what else makes a secret; the value is the IANA number, in IKEv1 as in IKEv2.

    The last three are key encapsulation mechanisms, which IKEv2 alone knows (draft-ietf-ipsecme-ikev2-mlkem).
    """

    MODP_768 = 1
    MODP_1024 = 2
    MODP_1536 = 5
    MODP_2048 = 14
    MODP_3072 = 15
    MODP_4096 = 16
    MODP_6144 = 17
    MODP_8192 = 18
    ECP_256 = 19
    ECP_384 = 20
    ECP_521 = 21
    CURVE25519 = 31
    ML_KEM_512 = 35
    ML_KEM_768 = 36
    ML_KEM_1024 = 37


@dataclass(frozen=True, slots=True)
class EncryptionRow:
    """What one encryption algorithm is, and what each protocol calls it."""

    word: str
    """The name in policies, without the key size: ``aes-gcm`` in ``aes256-gcm``."""
    key_bits: tuple[int, ...]
    """Key sizes that may be chosen, the expert's default first; (0,) for no key."""
    block_octets: int
    """Padding granularity before ESP's own 4-octet rule."""
    iv_octets: int
    """Octets of IV in front of the ciphertext in ESP."""
    salt_octets: int = 0
    """Octets of key material behind the key that never go on the wire (RFC 4106 §8.1)."""
    icv_octets: int = 0
    """ICV of a combined mode; 0 for others."""
    esp_v1: int | None = None
    """ESP transform identifier in IKEv1 (RFC 2407 §4.4.4)."""
    ike_v1: int | None = None
    """Encryption algorithm in IKEv1 phase 1 (RFC 2409 appendix A)."""
    ike_v2: int | None = None
    """IKEv2 transform type 1."""
    sends_key_bits: bool = True
    """Whether IKE carries a key length attribute."""
    legacy: bool = False

    @property
    def combined(self) -> bool:
        """Whether it also protects integrity, so that no integrity algorithm goes with it."""
        return self.icv_octets > 0


ENCRYPTION: dict[Encryption, EncryptionRow] = {
    Encryption.NULL: EncryptionRow("null", (0,), 1, 0, esp_v1=11, ike_v2=11, sends_key_bits=False),
    Encryption.AES_CBC: EncryptionRow("aes", (256, 128, 192), 16, 16, esp_v1=12, ike_v1=7, ike_v2=12),
    Encryption.AES_CTR: EncryptionRow("aes-ctr", (256, 128, 192), 1, 8, 4, esp_v1=13, ike_v2=13),
    Encryption.AES_CCM_8: EncryptionRow("aes-ccm-8", (256, 128, 192), 1, 8, 3, 8, 14, ike_v2=14),
    Encryption.AES_CCM_12: EncryptionRow("aes-ccm-12", (256, 128, 192), 1, 8, 3, 12, 15, ike_v2=15),
    Encryption.AES_CCM_16: EncryptionRow("aes-ccm", (256, 128, 192), 1, 8, 3, 16, 16, ike_v2=16),
    Encryption.AES_GCM_8: EncryptionRow("aes-gcm-8", (256, 128, 192), 1, 8, 4, 8, 18, ike_v2=18),
    Encryption.AES_GCM_12: EncryptionRow("aes-gcm-12", (256, 128, 192), 1, 8, 4, 12, 19, ike_v2=19),
    Encryption.AES_GCM_16: EncryptionRow("aes-gcm", (256, 128, 192), 1, 8, 4, 16, 20, ike_v2=20),
    Encryption.NULL_AES_GMAC: EncryptionRow("null-aes-gmac", (256, 128, 192), 1, 8, 4, 16, 23, ike_v2=21),
    Encryption.CHACHA20_POLY1305: EncryptionRow(
        # IKEv1 has no number of its own for it; 28 is what deployed peers use there.
        "chacha20-poly1305", (256,), 1, 8, 4, 16, 28, ike_v2=28, sends_key_bits=False
    ),
    Encryption.TRIPLE_DES: EncryptionRow(
        "3des", (192,), 8, 8, esp_v1=3, ike_v1=5, ike_v2=3, sends_key_bits=False, legacy=True
    ),
    Encryption.DES: EncryptionRow("des", (64,), 8, 8, esp_v1=2, ike_v1=1, ike_v2=2, sends_key_bits=False, legacy=True),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class IntegrityRow:
    """What one integrity algorithm is, and what each protocol calls it."""

    word: str
    key_octets: tuple[int, ...]
    """Key sizes; more than one only where the key size is negotiated."""
    icv_octets: int
    attribute_v1: int | None
    """IKEv1 "authentication algorithm" attribute, in ESP and AH (RFC 2407 §4.5)."""
    ah_v1: int | None
    """AH transform identifier in IKEv1 (RFC 2407 §4.4.3)."""
    ike_v2: int | None
    """IKEv2 transform type 3."""
    salt_octets: int = 0
    iv_octets: int = 0
    """Octets of IV that AH carries in front of the ICV (RFC 4543 §4)."""
    legacy: bool = False


INTEGRITY: dict[Integrity, IntegrityRow] = {
    Integrity.HMAC_MD5_96: IntegrityRow("md5", (16,), 12, 1, 2, 1, legacy=True),
    Integrity.HMAC_SHA1_96: IntegrityRow("sha1", (20,), 12, 2, 3, 2),
    Integrity.HMAC_SHA256_128: IntegrityRow("sha256", (32,), 16, 5, 5, 12),
    Integrity.HMAC_SHA384_192: IntegrityRow("sha384", (48,), 24, 6, 6, 13),
    Integrity.HMAC_SHA512_256: IntegrityRow("sha512", (64,), 32, 7, 7, 14),
    Integrity.AES_XCBC_96: IntegrityRow("aes-xcbc", (16,), 12, 9, 9, 5),
    Integrity.AES_CMAC_96: IntegrityRow("aes-cmac", (16,), 12, None, None, 8),
    # IKEv1 names GMAC by key size: 11, 12, 13 (RFC 4543 §9); see GMAC_V1.
    Integrity.AES_GMAC: IntegrityRow("aes-gmac", (32, 16, 24), 16, None, None, None, 4, 8),
}

GMAC_V1 = {128: 11, 192: 12, 256: 13}
"""Key bits of AES-GMAC in AH -> transform identifier and authentication attribute of IKEv1 (RFC 4543 §9)."""
GMAC_V2 = {128: 9, 192: 10, 256: 11}
"""Key bits of AES-GMAC in AH -> IKEv2 integrity transform."""


@dataclass(frozen=True, slots=True)
class HashRow:
    """What one hash is, and IKE's numbers for it (RFC 2409 appendix A, RFC 7296 §3.3.2)."""

    word: str
    octets: int
    ike_v1: int
    prf_v2: int
    """IKEv2 transform type 2: HMAC of it."""
    integrity: Integrity
    """The same HMAC, cut short: what protects messages of IKEv2 beside a cipher that does not."""
    legacy: bool = False


HASH: dict[Hash, HashRow] = {
    Hash.MD5: HashRow("md5", 16, 1, 1, Integrity.HMAC_MD5_96, legacy=True),
    Hash.SHA1: HashRow("sha1", 20, 2, 2, Integrity.HMAC_SHA1_96),
    Hash.SHA256: HashRow("sha256", 32, 4, 5, Integrity.HMAC_SHA256_128),
    Hash.SHA384: HashRow("sha384", 48, 5, 6, Integrity.HMAC_SHA384_192),
    Hash.SHA512: HashRow("sha512", 64, 6, 7, Integrity.HMAC_SHA512_256),
}


@dataclass(frozen=True, slots=True)
class GroupRow:
    """What one group is."""

    word: str
    public_octets: int
    """Octets of the KE payload's data."""
    legacy: bool = False
    answer_octets: int = 0
    """Octets of the responder's data, where it answers with something else than such a value: a ciphertext."""

    @property
    def encapsulates(self) -> bool:
        """Whether the responder draws the secret and returns it encrypted to the initiator's value (FIPS 203)."""
        return self.answer_octets > 0


GROUPS: dict[DhGroup, GroupRow] = {
    DhGroup.MODP_768: GroupRow("modp768", 96, legacy=True),
    DhGroup.MODP_1024: GroupRow("modp1024", 128, legacy=True),
    DhGroup.MODP_1536: GroupRow("modp1536", 192, legacy=True),
    DhGroup.MODP_2048: GroupRow("modp2048", 256),
    DhGroup.MODP_3072: GroupRow("modp3072", 384),
    DhGroup.MODP_4096: GroupRow("modp4096", 512),
    DhGroup.MODP_6144: GroupRow("modp6144", 768),
    DhGroup.MODP_8192: GroupRow("modp8192", 1024),
    DhGroup.ECP_256: GroupRow("ecp256", 64),
    DhGroup.ECP_384: GroupRow("ecp384", 96),
    DhGroup.ECP_521: GroupRow("ecp521", 132),
    DhGroup.CURVE25519: GroupRow("x25519", 32),
    DhGroup.ML_KEM_512: GroupRow("mlkem512", 800, answer_octets=768),
    DhGroup.ML_KEM_768: GroupRow("mlkem768", 1184, answer_octets=1088),
    DhGroup.ML_KEM_1024: GroupRow("mlkem1024", 1568, answer_octets=1568),
}


@dataclass(frozen=True, slots=True)
class Cipher:
    """An encryption algorithm with its key size chosen."""

    algorithm: Encryption
    key_bits: int
    """Size of the key proper, without salt; 0 for NULL."""

    def __post_init__(self) -> None:
        if self.key_bits not in ENCRYPTION[self.algorithm].key_bits:
            raise ValueError(f"{self.algorithm.value} has no key of {self.key_bits} bits")

    @property
    def row(self) -> EncryptionRow:
        """The algorithm's row."""
        return ENCRYPTION[self.algorithm]

    @property
    def key_material_octets(self) -> int:
        """Octets to take from the key material: key and salt."""
        return self.key_bits // 8 + self.row.salt_octets

    def __str__(self) -> str:
        """As policies say it: ``aes256-gcm``, ``aes128``, ``3des``."""
        word = self.row.word
        return word.replace("aes", f"aes{self.key_bits}", 1) if "aes" in word else word


@dataclass(frozen=True, slots=True)
class Authenticator:
    """An integrity algorithm with its key size chosen."""

    algorithm: Integrity
    key_octets: int = 0
    """Octets of the key proper, without salt; 0 at construction takes the algorithm's first."""

    def __post_init__(self) -> None:
        sizes = self.row.key_octets
        if not self.key_octets:
            object.__setattr__(self, "key_octets", sizes[0])
        elif self.key_octets not in sizes:
            raise ValueError(f"{self.algorithm.value} has no key of {self.key_octets} octets")

    @property
    def row(self) -> IntegrityRow:
        """The algorithm's row."""
        return INTEGRITY[self.algorithm]

    @property
    def key_material_octets(self) -> int:
        """Octets to take from the key material: key and salt."""
        return self.key_octets + self.row.salt_octets

    def __str__(self) -> str:
        """As policies say it: ``sha256``, ``aes256-gmac``."""
        if self.algorithm is Integrity.AES_GMAC:
            return f"aes{self.key_octets * 8}-gmac"
        return self.row.word


READABLE = (Encryption.NULL, Encryption.NULL_AES_GMAC)
"""What hides nothing."""

Algorithm = Encryption | Integrity | Hash | DhGroup


def is_legacy(algorithm: Algorithm) -> bool:
    """Whether ``algorithm`` is too weak to be used unless a policy says ``legacy = true``."""
    match algorithm:
        case Encryption():
            return ENCRYPTION[algorithm].legacy
        case Integrity():
            return INTEGRITY[algorithm].legacy
        case Hash():
            return HASH[algorithm].legacy
        case DhGroup():
            return GROUPS[algorithm].legacy


def refuse_legacy(algorithm: Algorithm, *, allowed: bool) -> None:
    """Raise LegacyRefused when ``algorithm`` is weak and not ``allowed``."""
    if is_legacy(algorithm) and not allowed:
        name = algorithm.name.lower().replace("_", "-") if isinstance(algorithm, DhGroup) else algorithm.value
        raise LegacyRefused(f"{name} is too weak to protect anything", cure="Say legacy = true where it is named.")
