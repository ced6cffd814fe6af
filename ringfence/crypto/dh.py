# SPDX-License-Identifier: Apache-2.0
"""Key exchanges of IKE: draw a key pair, and compute the secret shared with a peer.

``generate`` is the initiator's part, ``respond`` the responder's, which with ML-KEM (``kem``) is another one.

The primes of the MODP groups are computed, not copied: p = 2^b - 2^(b-64) - 1 + 2^64 (floor(2^(b-130) pi) + c), where
c is the smallest number that makes p and (p-1)/2 prime (RFC 2409 §6, RFC 3526). In such a group every value but 1 and
p-1 generates at least half of it, so a range check is all that a peer's value needs.

Private values come from the caller's ``random``, so that a seed repeats a whole exchange: the crypto library's own
generation is never used. It also computes no public value from a private one; sharing a secret with a peer whose value
is the generator does the same. On every load it tests a prime that it does not know; it knows those from 1536 bits on,
and below, where nobody is safe anyhow, ``pow`` is twenty times faster.
"""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.utils import CryptographyDeprecationWarning

from ringfence.crypto import kem
from ringfence.crypto.errors import BadPublicValue
from ringfence.crypto.suites import GROUPS, DhGroup, refuse_legacy
from ringfence.secret import Secret

with warnings.catch_warnings():
    # The library wants to drop these groups some day; the peers of IKEv1 will not.
    warnings.simplefilter("ignore", CryptographyDeprecationWarning)
    from cryptography.hazmat.primitives.asymmetric.dh import DHParameterNumbers, DHPrivateNumbers, DHPublicNumbers

Random = Callable[[int], bytes]

GENERATOR = 2
KNOWN_BITS = 1536
"""From this size on the library knows the primes."""


class KeyPair(ABC):
    """Our half of one exchange."""

    group: DhGroup
    public: bytes
    """As the KE payload carries it, always ``GROUPS[group].public_octets`` long."""

    def shared(self, peer_public: bytes) -> Secret:
        """The secret of both halves, of fixed length; raises BadPublicValue."""
        row = GROUPS[self.group]
        if len(peer_public) != (octets := row.answer_octets or row.public_octets):
            raise BadPublicValue(f"a value of {row.word} has {octets} octets")
        try:
            return Secret(self._shared(peer_public))
        except ValueError as error:
            raise BadPublicValue(f"no value of {GROUPS[self.group].word}") from error

    @abstractmethod
    def _shared(self, peer_public: bytes) -> bytes:
        """The secret; raises ValueError for a value outside the group."""

    def __repr__(self) -> str:
        return f"KeyPair({self.group.name})"


def generate(group: DhGroup, random: Random, *, legacy: bool = False) -> KeyPair:
    """A key pair whose private value is drawn from ``random``; raises LegacyRefused."""
    refuse_legacy(group, allowed=legacy)
    if GROUPS[group].encapsulates:
        return _MlKem(group, random(kem.SEED_OCTETS))
    if group is DhGroup.CURVE25519:
        return _Curve25519(random(32))
    if group in _CURVES:
        return _Ecp(group, _scalar(_CURVES[group], random))
    octets = _MODP[group].exponent_octets
    # The uppermost bit is set, so that how long a power takes tells nothing about the exponent's size.
    return _Modp(group, int.from_bytes(random(octets)) | 1 << octets * 8 - 1)


def respond(group: DhGroup, peer_public: bytes, random: Random, *, legacy: bool = False) -> tuple[bytes, Secret]:
    """What answers the value of who began, and the secret; raises BadPublicValue and LegacyRefused."""
    if not GROUPS[group].encapsulates:
        half = generate(group, random, legacy=legacy)
        return half.public, half.shared(peer_public)
    if len(peer_public) != GROUPS[group].public_octets:
        raise BadPublicValue(f"a value of {GROUPS[group].word} has {GROUPS[group].public_octets} octets")
    try:
        return kem.encapsulate(group, peer_public, random)
    except ValueError as error:
        raise BadPublicValue(f"no value of {GROUPS[group].word}") from error


def available(group: DhGroup) -> bool:
    """Whether it can be done here: a crypto library may lack the newest."""
    return not GROUPS[group].encapsulates or kem.available(group)


# MODP --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _ModpRow:
    bits: int
    correction: int
    """The number c of the formula."""
    exponent_octets: int
    """Twice the strength of the group, by the higher estimate of RFC 3526 §8."""


_MODP = {
    DhGroup.MODP_768: _ModpRow(768, 149686, 32),
    DhGroup.MODP_1024: _ModpRow(1024, 129093, 32),
    DhGroup.MODP_1536: _ModpRow(1536, 741804, 32),
    DhGroup.MODP_2048: _ModpRow(2048, 124476, 40),
    DhGroup.MODP_3072: _ModpRow(3072, 1690314, 53),
    DhGroup.MODP_4096: _ModpRow(4096, 240904, 60),
    DhGroup.MODP_6144: _ModpRow(6144, 929484, 68),
    DhGroup.MODP_8192: _ModpRow(8192, 4743158, 78),
}


@cache
def prime(group: DhGroup) -> int:
    """The prime of a MODP group."""
    row = _MODP[group]
    middle = _pi(row.bits - 130) + row.correction
    return (1 << row.bits) - (1 << row.bits - 64) - 1 + (middle << 64)


def _pi(bits: int) -> int:
    """floor(2^bits pi), by Machin's formula: pi = 16 arctan(1/5) - 4 arctan(1/239)."""
    spare = 64  # for what each division cuts off
    one = 1 << bits + spare
    return 4 * (4 * _arctan_of_inverse(5, one) - _arctan_of_inverse(239, one)) >> spare


def _arctan_of_inverse(x: int, one: int) -> int:
    power = total = one // x
    divisor, sign = 3, -1
    while power:
        power //= x * x
        total += sign * (power // divisor)
        divisor, sign = divisor + 2, -sign
    return total


class _Modp(KeyPair):
    def __init__(self, group: DhGroup, exponent: int) -> None:
        self.group = group
        self._prime = prime(group)
        self._power = self._prepared(exponent)
        self.public = self._power(GENERATOR)

    def _prepared(self, exponent: int) -> Callable[[int], bytes]:
        """The function from a value to its power, as octets of the prime's length."""
        octets = GROUPS[self.group].public_octets
        if octets * 8 < KNOWN_BITS:
            return lambda base: pow(base, exponent, self._prime).to_bytes(octets)
        numbers = DHParameterNumbers(self._prime, GENERATOR)
        key = DHPrivateNumbers(exponent, DHPublicNumbers(GENERATOR, numbers)).private_key()
        return lambda base: key.exchange(DHPublicNumbers(base, numbers).public_key()).rjust(octets, b"\0")

    def _shared(self, peer_public: bytes) -> bytes:
        value = int.from_bytes(peer_public)
        if not 1 < value < self._prime - 1:
            raise ValueError("outside 2 … p-2")
        return self._power(value)


# Elliptic curves ---------------------------------------------------------------------------------------------------

_CURVES: dict[DhGroup, ec.EllipticCurve] = {
    DhGroup.ECP_256: ec.SECP256R1(),
    DhGroup.ECP_384: ec.SECP384R1(),
    DhGroup.ECP_521: ec.SECP521R1(),
}


def _scalar(curve: ec.EllipticCurve, random: Random) -> int:
    """A number from 1 to the order less one, each as likely (FIPS 186-5 §A.2.2)."""
    order = curve.group_order
    bits = order.bit_length()
    while True:
        number = int.from_bytes(random((bits + 7) // 8)) & (1 << bits) - 1
        if 0 < number < order:
            return number


class _Ecp(KeyPair):
    """The value is x and y side by side, the secret is x alone (RFC 5903 §7, §9)."""

    def __init__(self, group: DhGroup, scalar: int) -> None:
        self.group = group
        self._curve = _CURVES[group]
        self._key = ec.derive_private_key(scalar, self._curve)
        self.public = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]

    def _shared(self, peer_public: bytes) -> bytes:
        point = ec.EllipticCurvePublicKey.from_encoded_point(self._curve, b"\x04" + peer_public)
        return self._key.exchange(ec.ECDH(), point)


class _Curve25519(KeyPair):
    """RFC 7748 §6.1; a secret of zeros is refused (RFC 8031 §3.1)."""

    group = DhGroup.CURVE25519

    def __init__(self, private: bytes) -> None:
        self._key = X25519PrivateKey.from_private_bytes(private)
        self.public = self._key.public_key().public_bytes_raw()

    def _shared(self, peer_public: bytes) -> bytes:
        return self._key.exchange(X25519PublicKey.from_public_bytes(peer_public))


# Key encapsulation -------------------------------------------------------------------------------------------------


class _MlKem(KeyPair):
    """The initiator's half: what comes back is a ciphertext; a wrong one yields a wrong secret (FIPS 203 §6.3)."""

    def __init__(self, group: DhGroup, seed: bytes) -> None:
        self.group = group
        self._key = kem.Decapsulator(group, seed)
        self.public = self._key.public

    def _shared(self, peer_public: bytes) -> bytes:
        return self._key.decapsulate(peer_public)
