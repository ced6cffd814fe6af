# SPDX-License-Identifier: Apache-2.0
"""Ciphers of ESP, prepared once per SA and direction.

Two families, for ESP uses them in two ways:

- a *combined mode* (``combined()``) encrypts and protects integrity in one step: AES-GCM (RFC 4106), AES-CCM
  (RFC 4309), ChaCha20-Poly1305 (RFC 7634), and NULL with AES-GMAC (RFC 4543), which only protects. Its nonce is a salt
  from the key material and the packet's IV. A nonce used twice under one key breaks it, so IVs come from the SA's
  sequence numbers.
- a *separate cipher* (``separate()``) only encrypts: AES-CBC (RFC 3602), AES-CTR (RFC 3686), NULL (RFC 2410), 3DES and
  DES. It is used with an integrity algorithm and never without.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from cryptography.hazmat.primitives.ciphers import BlockCipherAlgorithm, CipherContext
from cryptography.hazmat.primitives.ciphers import Cipher as BlockMode
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC, CTR, GCM

from ringfence.crypto.errors import BadIcv
from ringfence.crypto.legacy import triple_des
from ringfence.crypto.suites import Cipher, Encryption
from ringfence.secret import Secret

Crypt = Callable[[bytes, bytes, bytes], bytes]
"""From nonce, octets and associated data to octets; the ICV stands behind the ciphertext."""

CryptInto = Callable[[bytes, memoryview, memoryview, memoryview], int]
"""The same into octets that are there already, exactly as many as needed."""

GCM_ICV = 16


@dataclass(frozen=True, slots=True)
class Combined:
    """A combined mode with its key; ``encrypt`` and ``decrypt`` are the crypto library's own where it has them."""

    salt: bytes
    """In front of the 8 octets of IV it makes the nonce."""
    encrypt: Crypt
    decrypt: Crypt
    """Raises BadIcv."""
    decrypt_into: CryptInto | None
    """The same; None where the library has no such call."""


class Separate(Protocol):
    """A cipher with its key."""

    def encrypt(self, seed: bytes, plain: bytes) -> bytes:
        """IV and ciphertext of ``plain``, whole blocks; ``seed`` has the IV's length and is never used twice."""

    def decrypt(self, data: bytes) -> bytes:
        """The plain octets of IV and ciphertext; whole blocks, at least one of each."""


def combined(cipher: Cipher, key: Secret) -> Combined:
    """Prepare a combined mode; raises ValueError for a key of the wrong length."""
    material = _checked(cipher, key)
    key_octets = cipher.key_bits // 8
    secret, salt = material[:key_octets], material[key_octets:]
    icv = cipher.row.icv_octets
    mode: AESGCM | AESCCM | ChaCha20Poly1305 | _ShortGcm | _Gmac
    match cipher.algorithm:
        case Encryption.AES_GCM_16:
            mode = AESGCM(secret)
        case Encryption.AES_GCM_8 | Encryption.AES_GCM_12:
            mode = _ShortGcm(secret, icv)
        case Encryption.AES_CCM_8 | Encryption.AES_CCM_12 | Encryption.AES_CCM_16:
            mode = AESCCM(secret, icv)
        case Encryption.CHACHA20_POLY1305:
            mode = ChaCha20Poly1305(secret)
        case Encryption.NULL_AES_GMAC:
            mode = _Gmac(secret, len(salt))
        case algorithm:
            raise ValueError(f"{algorithm.value} is no combined mode")
    into = None if isinstance(mode, _ShortGcm | _Gmac) else mode.decrypt_into
    return Combined(salt, mode.encrypt, mode.decrypt, into)


def separate(cipher: Cipher, key: Secret, *, legacy: bool = False) -> Separate:
    """Prepare a cipher that goes with an integrity algorithm; raises ValueError (key length), LegacyRefused."""
    material = _checked(cipher, key)
    key_octets = cipher.key_bits // 8
    match cipher.algorithm:
        case Encryption.NULL:
            return _Null()
        case Encryption.AES_CBC:
            return _Cbc(AES(material))
        case Encryption.AES_CTR:
            return _Ctr(material[:key_octets], material[key_octets:])
        case Encryption.TRIPLE_DES | Encryption.DES:
            return _Cbc(triple_des(cipher.algorithm, material, legacy=legacy))
        case algorithm:
            raise ValueError(f"{algorithm.value} protects integrity by itself")


def _checked(cipher: Cipher, key: Secret) -> bytes:
    if len(key) != cipher.key_material_octets:
        raise ValueError(f"{cipher} takes {cipher.key_material_octets} octets of key and salt, not {len(key)}")
    return key.reveal()


class _ShortGcm:
    """AES-GCM with an ICV of 8 or 12 octets: the first of the full 16 (SP 800-38D §5.2.1.2)."""

    def __init__(self, key: bytes, icv_octets: int) -> None:
        self._whole = AESGCM(key)
        self._aes = AES(key)
        self._icv = icv_octets

    def encrypt(self, nonce: bytes, plain: bytes, aad: bytes) -> bytes:
        return self._whole.encrypt(nonce, plain, aad)[: self._icv - GCM_ICV]

    def decrypt(self, nonce: bytes, data: bytes, aad: bytes) -> bytes:
        mode = GCM(nonce, data[-self._icv :], min_tag_length=self._icv)
        context = BlockMode(self._aes, mode).decryptor()
        context.authenticate_additional_data(aad)
        plain = context.update(data[: -self._icv])
        context.finalize()
        return plain


class _Gmac:
    """NULL with AES-GMAC: everything is associated data, IV and plain octets too (RFC 4543 §3.3)."""

    def __init__(self, key: bytes, salt_octets: int) -> None:
        self._mode = AESGCM(key)
        self._salt = salt_octets

    def encrypt(self, nonce: bytes, plain: bytes, aad: bytes) -> bytes:
        return plain + self._mode.encrypt(nonce, b"", aad + nonce[self._salt :] + plain)

    def decrypt(self, nonce: bytes, data: bytes, aad: bytes) -> bytes:
        plain = data[:-GCM_ICV]
        self._mode.decrypt(nonce, data[-GCM_ICV:], aad + nonce[self._salt :] + plain)
        return plain


class _Null:
    """NULL encryption (RFC 2410)."""

    def encrypt(self, _seed: bytes, plain: bytes) -> bytes:
        return plain

    def decrypt(self, data: bytes) -> bytes:
        return data


class _Cbc:
    """A block cipher in CBC mode.

    A new context costs several times the encryption, so each direction keeps one for the SA's life. It chains from
    packet to packet: the random seed goes in as the first block, and what comes out for it is the IV, as random and
    unpredictable as the seed (RFC 3602 §3). Receiving, the IV goes in as a first block too, and what comes out for it
    is thrown away.
    """

    def __init__(self, algorithm: BlockCipherAlgorithm) -> None:
        self._block = algorithm.block_size // 8
        mode = BlockMode(algorithm, CBC(bytes(self._block)))
        self._out: CipherContext = mode.encryptor()
        self._in: CipherContext = mode.decryptor()

    def encrypt(self, seed: bytes, plain: bytes) -> bytes:
        return self._out.update(self._whole(seed + plain))

    def decrypt(self, data: bytes) -> bytes:
        return self._in.update(self._whole(data))[self._block :]

    def _whole(self, data: bytes) -> bytes:
        if len(data) % self._block:  # it would shift every later packet
            raise ValueError("CBC takes whole blocks")
        return data


class _Ctr:
    """AES-CTR: the counter block is salt, IV and a block counter that begins with 1 (RFC 3686 §4)."""

    IV = 8
    FIRST = (1).to_bytes(4)

    def __init__(self, key: bytes, salt: bytes) -> None:
        self._salt = salt
        self._stream = BlockMode(AES(key), CTR(bytes(16))).encryptor()

    def encrypt(self, seed: bytes, plain: bytes) -> bytes:
        self._stream.reset_nonce(self._salt + seed + self.FIRST)
        return seed + self._stream.update(plain)

    def decrypt(self, data: bytes) -> bytes:
        self._stream.reset_nonce(self._salt + data[: self.IV] + self.FIRST)
        return self._stream.update(data[self.IV :])


__all__ = ["BadIcv", "Combined", "Crypt", "CryptInto", "Separate", "combined", "separate"]
