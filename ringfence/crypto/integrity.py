# SPDX-License-Identifier: Apache-2.0
"""Integrity algorithms of ESP and AH, prepared once per SA and direction.

``integrity()`` gives a function from octets to their ICV, already cut to the algorithm's length. Whatever can be
computed from the key alone is computed there: a packet costs a copy of a prepared state and the hash of itself.
Comparing an ICV is ``same()``, in constant time.

AES-XCBC-MAC is ours, over the library's AES (RFC 3566): CBC-MAC whose last block is masked with one of two keys.
"""

from collections.abc import Callable
from hmac import compare_digest

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher as BlockMode
from cryptography.hazmat.primitives.ciphers import CipherContext
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC, ECB
from cryptography.hazmat.primitives.cmac import CMAC
from cryptography.hazmat.primitives.hmac import HMAC

from ringfence.crypto import legacy as weak
from ringfence.crypto.suites import Authenticator, Integrity
from ringfence.errors import NotSupported
from ringfence.secret import Secret

Icv = Callable[[bytes], bytes]
"""From the octets to protect to the ICV, ``icv_octets`` long."""

Gmac = Callable[[bytes, bytes], bytes]
"""From an IV of 8 octets and the octets to protect to the ICV of 16 octets (RFC 4543)."""

AES_BLOCK = 16

same = compare_digest

_HASHES: dict[Integrity, Callable[[], hashes.HashAlgorithm]] = {
    Integrity.HMAC_SHA1_96: hashes.SHA1,
    Integrity.HMAC_SHA256_128: hashes.SHA256,
    Integrity.HMAC_SHA384_192: hashes.SHA384,
    Integrity.HMAC_SHA512_256: hashes.SHA512,
}


def integrity(authenticator: Authenticator, key: Secret, *, legacy: bool = False) -> Icv:
    """Prepare ``authenticator``; raises ValueError for a key of the wrong length, LegacyRefused, NotSupported.

    NotSupported is for AES-GMAC, whose ICV also depends on an IV: see ``gmac()``.
    """
    material = _checked(authenticator, key)
    octets = authenticator.row.icv_octets
    match authenticator.algorithm:
        case Integrity.AES_XCBC_96:
            return _Xcbc(material, octets).icv
        case Integrity.AES_CMAC_96:
            return _cmac(material, octets)
        case Integrity.AES_GMAC:
            raise NotSupported("AES-GMAC needs an IV: in ESP it goes by null-aes-gmac")
        case Integrity.HMAC_MD5_96:
            return _hmac(weak.md5(legacy=legacy), material, octets)
        case algorithm:
            return _hmac(_HASHES[algorithm](), material, octets)


def gmac(authenticator: Authenticator, key: Secret) -> Gmac:
    """Prepare AES-GMAC for AH (RFC 4543 §4): the key's last 4 octets are the salt; raises ValueError."""
    material = _checked(authenticator, key)
    salt = material[authenticator.key_octets :]
    encrypt = AESGCM(material[: authenticator.key_octets]).encrypt

    def icv(iv: bytes, data: bytes) -> bytes:
        return encrypt(salt + iv, b"", data)

    return icv


def _checked(authenticator: Authenticator, key: Secret) -> bytes:
    if len(key) != authenticator.key_material_octets:
        raise ValueError(f"{authenticator} takes {authenticator.key_material_octets} octets of key, not {len(key)}")
    return key.reveal()


def _hmac(algorithm: hashes.HashAlgorithm, key: bytes, octets: int) -> Icv:
    """HMAC with the key's two blocks already hashed (RFC 2104 §4)."""
    copy = HMAC(key, algorithm).copy

    def icv(data: bytes) -> bytes:
        state = copy()
        state.update(data)
        return state.finalize()[:octets]

    return icv


def _cmac(key: bytes, octets: int) -> Icv:
    """AES-CMAC cut short (RFC 4494)."""
    copy = CMAC(AES(key)).copy

    def icv(data: bytes) -> bytes:
        state = copy()
        state.update(data)
        return state.finalize()[:octets]

    return icv


class _Xcbc:
    """AES-XCBC-MAC cut short (RFC 3566 §4).

    A new CBC context costs three times the packet, so one is kept: its chaining value is the last block it put out,
    and mixing that into a message's first block makes it begin anew from zero.
    """

    def __init__(self, key: bytes, octets: int) -> None:
        derive = BlockMode(AES(key), ECB()).encryptor()  # noqa: S305 - three single blocks, as the RFC derives its keys
        key_1, self._whole, self._padded = (derive.update(bytes([number]) * AES_BLOCK) for number in (1, 2, 3))
        self._cbc: CipherContext = BlockMode(AES(key_1), CBC(bytes(AES_BLOCK))).encryptor()
        self._chain = bytes(AES_BLOCK)
        self._octets = octets

    def icv(self, data: bytes) -> bytes:
        rest = len(data) % AES_BLOCK
        if rest or not data:
            data += b"\x80".ljust(AES_BLOCK - rest, b"\0")
            mask = self._padded
        else:
            mask = self._whole
        masked = data[:-AES_BLOCK] + _xor(data[-AES_BLOCK:], mask)
        blocks = self._cbc.update(_xor(masked[:AES_BLOCK], self._chain) + masked[AES_BLOCK:])
        self._chain = blocks[-AES_BLOCK:]
        return self._chain[: self._octets]


def _xor(left: bytes, right: bytes) -> bytes:
    return (int.from_bytes(left) ^ int.from_bytes(right)).to_bytes(len(left))
