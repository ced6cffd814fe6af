# SPDX-License-Identifier: Apache-2.0
"""The cipher of IKEv1 messages: a block cipher in CBC mode that the exchange hands its IVs (RFC 2409 appendix B).

Whole blocks go in and come out. Padding is no part of it: IKEv1 finds the end of a message by its payloads' lengths.
"""

from cryptography.hazmat.primitives.ciphers import Cipher as BlockMode
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from ringfence.crypto.legacy import is_weak_des, triple_des
from ringfence.crypto.suites import Cipher, Encryption


class IkeCipher:
    """AES, 3DES or DES with a key; raises ValueError (key length, weak key, another algorithm), LegacyRefused."""

    __slots__ = ("_algorithm", "block")

    def __init__(self, cipher: Cipher, key: bytes, *, legacy: bool = False) -> None:
        if cipher.row.ike_v1 is None:
            raise ValueError(f"IKEv1 has no {cipher}")
        if len(key) * 8 != cipher.key_bits:
            raise ValueError(f"{cipher} takes {cipher.key_bits // 8} octets of key, not {len(key)}")
        self._algorithm = (
            AES(key) if cipher.algorithm is Encryption.AES_CBC else triple_des(cipher.algorithm, key, legacy=legacy)
        )
        if cipher.algorithm is Encryption.DES and is_weak_des(key):
            raise ValueError("a weak key of DES")
        self.block = cipher.row.block_octets
        """Octets of a block, and of an IV."""

    def encrypt(self, iv: bytes, plain: bytes) -> bytes:
        """Encrypt whole blocks; raises ValueError for anything else."""
        context = BlockMode(self._algorithm, CBC(iv)).encryptor()
        return context.update(plain) + context.finalize()

    def decrypt(self, iv: bytes, data: bytes) -> bytes:
        """Decrypt whole blocks; raises ValueError for anything else."""
        context = BlockMode(self._algorithm, CBC(iv)).decryptor()
        return context.update(data) + context.finalize()
