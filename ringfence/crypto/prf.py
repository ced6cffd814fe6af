# SPDX-License-Identifier: Apache-2.0
"""The pseudo-random function of IKE, HMAC of the negotiated hash (RFC 2409 §4), and what it expands to."""

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC

from ringfence.crypto import legacy as weak
from ringfence.crypto.suites import HASH, Hash, refuse_legacy

_HASHES: dict[Hash, hashes.HashAlgorithm] = {
    Hash.SHA1: hashes.SHA1(),  # noqa: S303 - HMAC and key derivation do not rest on collisions
    Hash.SHA256: hashes.SHA256(),
    Hash.SHA384: hashes.SHA384(),
    Hash.SHA512: hashes.SHA512(),
}


class Prf:
    """A hash, its HMAC, and key material made of it; raises LegacyRefused."""

    __slots__ = ("_algorithm", "hash_name", "octets")

    def __init__(self, name: Hash, *, legacy: bool = False) -> None:
        refuse_legacy(name, allowed=legacy)
        self._algorithm = weak.md5(legacy=legacy) if name is Hash.MD5 else _HASHES[name]
        self.hash_name = name
        self.octets = HASH[name].octets
        """Length of every hash and every MAC."""

    def hash(self, data: bytes) -> bytes:
        """The hash of ``data``."""
        state = hashes.Hash(self._algorithm)
        state.update(data)
        return state.finalize()

    def mac(self, key: bytes, data: bytes) -> bytes:
        """prf(key, data)."""
        state = HMAC(key, self._algorithm)
        state.update(data)
        return state.finalize()

    def expand_v1(self, key: bytes, seed: bytes, octets: int) -> bytes:
        """KEYMAT: K1 = prf(key, seed), K2 = prf(key, K1 | seed), … (RFC 2409 §5.5)."""
        block = material = self.mac(key, seed)
        while len(material) < octets:
            block = self.mac(key, block + seed)
            material += block
        return material[:octets]

    def stretch_v1(self, key: bytes, octets: int) -> bytes:
        """A cipher key from SKEYID_e: its first octets, or K1 = prf(key, 0), K2 = prf(key, K1), … (RFC 2409 app. B)."""
        if len(key) >= octets:
            return key[:octets]
        block = material = self.mac(key, b"\0")
        while len(material) < octets:
            block = self.mac(key, block)
            material += block
        return material[:octets]

    def plus(self, key: bytes, seed: bytes, octets: int) -> bytes:
        """prf+: T1 = prf(key, seed | 1), T2 = prf(key, T1 | seed | 2), … (RFC 7296 §2.13); at most 255 of them."""
        if octets > 255 * self.octets:
            raise ValueError(f"prf+ gives {255 * self.octets} octets at most")
        block = material = b""
        number = 0
        while len(material) < octets:
            number += 1
            block = self.mac(key, block + seed + bytes([number]))
            material += block
        return material[:octets]
