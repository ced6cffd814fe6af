# SPDX-License-Identifier: Apache-2.0
"""What Windows proves a password with: MS-CHAP version 2 (RFC 2759 §8) and the keys that come of it (RFC 3079 §3).

Its primitives, MD4 and DES, are broken: whoever watches an exchange can try all passwords in a day. So it is spoken
only inside what somebody else protects, such as an IKE SA whose gateway has proved itself by a certificate.
"""

import hashlib
import hmac
from dataclasses import dataclass

from Cryptodome.Hash import MD4
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from ringfence.crypto.legacy import triple_des
from ringfence.crypto.suites import Encryption
from ringfence.secret import Secret

CHALLENGE_OCTETS = 16
RESPONSE_OCTETS = 24
HASH_OCTETS = 16
KEY_OCTETS = 16

# The constants of RFC 2759 §8.7 and RFC 3079 §3.4.
SERVER_SIGNS = b"Magic server to client signing constant"
PADS = b"Pad to make it do more than one iteration"
MASTER = b"This is the MPPE Master Key"
CLIENT_SENDS = (
    b"On the client side, this is the send key; on the server side, it is the receive key."
)  # fmt: skip
SERVER_SENDS = (
    b"On the client side, this is the receive key; on the server side, it is the send key."
)  # fmt: skip
PAD_OCTETS = 40


def nt_hash(password: str) -> Secret:
    """The hash by which Windows keeps a password: MD4 of it as UTF-16 (RFC 2759 §8.3)."""
    return Secret(_md4(password.encode("utf-16-le")), exact=True)


@dataclass(frozen=True, slots=True)
class Challenges:
    """What both sides have said before the client answers."""

    authenticator: bytes
    """16 octets, the server's."""
    peer: bytes
    """16 octets, the client's."""
    user: bytes
    """The user's name; a domain before a backslash does not count."""

    @property
    def hash(self) -> bytes:
        """8 octets of both and the name (RFC 2759 §8.2)."""
        name = self.user.rpartition(b"\\")[2]
        return hashlib.sha1(self.peer + self.authenticator + name, usedforsecurity=False).digest()[:8]


def nt_response(challenges: Challenges, key: Secret) -> bytes:
    """The client's 24 octets that prove its password, of which ``key`` is the hash (RFC 2759 §8.1)."""
    padded = key.reveal().ljust(21, b"\0")
    return b"".join(_des(padded[at : at + 7], challenges.hash) for at in (0, 7, 14))


def authenticator_response(challenges: Challenges, key: Secret, response: bytes) -> str:
    """``S=`` and 40 hexadecimal digits, which prove that the server knows it, too (RFC 2759 §8.7)."""
    twice = _md4(key.reveal())
    first = hashlib.sha1(twice + response + SERVER_SIGNS, usedforsecurity=False).digest()
    second = hashlib.sha1(first + challenges.hash + PADS, usedforsecurity=False).digest()
    return f"S={second.hex().upper()}"


def same_text(one: str, other: str) -> bool:
    """Whether two proofs are one, in constant time."""
    return hmac.compare_digest(one.encode(), other.encode())


def session_key(key: Secret, response: bytes) -> Secret:
    """What both sides know afterwards and nobody else: 64 octets.

    The client's key for sending, then that for receiving, 16 octets each (RFC 3079 §3.3), and zeros.
    """
    twice = _md4(key.reveal())
    master = hashlib.sha1(twice + response + MASTER, usedforsecurity=False).digest()[:KEY_OCTETS]
    pads = bytes(PAD_OCTETS), b"\xf2" * PAD_OCTETS
    keys = (
        hashlib.sha1(master + pads[0] + magic + pads[1], usedforsecurity=False).digest()[:KEY_OCTETS]
        for magic in (CLIENT_SENDS, SERVER_SENDS)
    )
    return Secret(b"".join(keys).ljust(64, b"\0"), exact=True)


def _md4(octets: bytes) -> bytes:
    return MD4.new(octets).digest()  # noqa: S303 - the protocol has no other


def _des(seven: bytes, block: bytes) -> bytes:
    """One block under a key of 7 octets, whose bits are spread over 8 (RFC 2759 §8.6)."""
    bits = int.from_bytes(seven)
    key = bytes((bits >> shift & 0x7F) << 1 for shift in range(49, -1, -7))
    encryptor = Cipher(triple_des(Encryption.DES, key, legacy=True), modes.ECB()).encryptor()  # noqa: S305 - one block
    return encryptor.update(block) + encryptor.finalize()
