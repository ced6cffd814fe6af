# SPDX-License-Identifier: Apache-2.0
"""The Encrypted payload's inside (RFC 7296 §3.14, RFC 5282): IV, ciphertext with its padding, ICV; for one direction.

With a combined mode, all before the IV is associated data, and the IV counts messages, since a nonce may not come
twice. With a cipher and an integrity algorithm, the ICV covers the whole message.
"""

from ringfence.crypto.cipher import Combined, Separate, combined, separate
from ringfence.crypto.errors import BadIcv
from ringfence.crypto.integrity import Icv, integrity, same
from ringfence.crypto.suites import Authenticator, Cipher, is_legacy
from ringfence.ike.errors import Ignored, Reason
from ringfence.secret import Secret

COUNTER_OCTETS = 8
_Mode = Combined | tuple[Separate, Icv]


class Protection:
    """Keys of one direction."""

    def __init__(
        self, cipher: Cipher, authenticator: Authenticator | None, cipher_key: Secret, integrity_key: Secret
    ) -> None:
        """Raises ValueError for keys of the wrong length."""
        self._row = cipher.row
        self._sealed = 0
        self._cipher, self._authenticator = cipher, authenticator
        self._cipher_key, self._integrity_key = cipher_key, integrity_key
        self._ready: _Mode | None = self._prepared()
        self.icv_octets = cipher.row.icv_octets if authenticator is None else authenticator.row.icv_octets

    def _prepared(self) -> _Mode:
        if self._authenticator is None:
            return combined(self._cipher, self._cipher_key)
        how = self._authenticator
        return (
            separate(self._cipher, self._cipher_key, legacy=is_legacy(self._cipher.algorithm)),
            integrity(how, self._integrity_key, legacy=is_legacy(how.algorithm)),
        )

    def _mode(self) -> _Mode:
        """For one message: what the crypto library keeps of a key is several times as large as the key."""
        ready, self._ready = self._ready, None
        return ready or self._prepared()

    def sealed_octets(self, plain: int) -> int:
        """How many octets become of so many."""
        block = self._row.block_octets
        return self._row.iv_octets + (plain // block + 1) * block + self.icv_octets

    def plain_octets(self, sealed: int) -> int:
        """How many octets become at most so many; the other way round."""
        block = self._row.block_octets
        return (sealed - self._row.iv_octets - self.icv_octets) // block * block - 1

    def seal(self, head: bytes, plain: bytes, seed: bytes) -> bytes:
        """``plain`` encrypted, to stand behind ``head``, the message up to here; ``seed`` has ``seed_octets``."""
        block = self._row.block_octets
        padding = -(len(plain) + 1) % block
        plain += bytes(padding) + bytes([padding])
        mode = self._mode()
        if isinstance(mode, Combined):
            self._sealed += 1
            iv = self._sealed.to_bytes(COUNTER_OCTETS)
            return iv + mode.encrypt(mode.salt + iv, plain, head)
        cipher, icv = mode
        sealed = cipher.encrypt(seed, plain)
        return sealed + icv(head + sealed)

    @property
    def seed_octets(self) -> int:
        """Random octets that ``seal`` wants."""
        return 0 if self._row.combined else self._row.iv_octets

    def open(self, head: bytes, sealed: bytes) -> bytes:
        """What was sealed; raises Ignored for anything else."""
        iv_octets, block = self._row.iv_octets, self._row.block_octets
        inner = len(sealed) - iv_octets - self.icv_octets
        if inner < 1 or inner % block:
            raise Ignored(Reason.MALFORMED, f"an encrypted payload of {len(sealed)} octets")
        mode = self._mode()
        if isinstance(mode, Combined):
            plain = self._open_combined(mode, head, sealed)
        else:
            plain = self._open_separate(*mode, head, sealed)
        padding = plain[-1] + 1
        if padding > len(plain):
            raise Ignored(Reason.MALFORMED, "an encrypted payload with more padding than octets")
        return plain[:-padding]

    def _open_combined(self, mode: Combined, head: bytes, sealed: bytes) -> bytes:
        iv, rest = sealed[: self._row.iv_octets], sealed[self._row.iv_octets :]
        try:
            return mode.decrypt(mode.salt + iv, rest, head)
        except BadIcv:
            raise _forged() from None

    def _open_separate(self, cipher: Separate, made: Icv, head: bytes, sealed: bytes) -> bytes:
        data, icv = sealed[: -self.icv_octets], sealed[-self.icv_octets :]
        if not same(made(head + data), icv):
            raise _forged()
        return cipher.decrypt(data)


def _forged() -> Ignored:
    return Ignored(Reason.UNDECIPHERABLE, "a message that is not protected by the keys of its IKE SA")
