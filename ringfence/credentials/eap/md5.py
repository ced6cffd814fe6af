# SPDX-License-Identifier: Apache-2.0
"""MD5-Challenge (RFC 3748 §5.4): the peer hashes its password with a challenge. No key comes of it.

authenticator                          peer
challenge, name                 ->
                                <-     MD5(identifier | password | challenge), name
"""

import hashlib
import hmac
from collections.abc import Callable

from ringfence.credentials.eap.errors import BadPacket, Denied
from ringfence.credentials.eap.method import PeerDialogue, Reply, ServerDialogue
from ringfence.secret import Secret

CHALLENGE_OCTETS = 16
HASH_OCTETS = 16


def _hash(identifier: int, password: Secret, challenge: bytes) -> bytes:
    octets = bytes((identifier,)) + password.reveal() + challenge
    return hashlib.md5(octets, usedforsecurity=False).digest()


def _value(data: bytes) -> bytes:
    if not data or len(data) <= data[0]:
        raise BadPacket("an MD5 challenge or its answer is cut short")
    return data[1 : 1 + data[0]]


def answer(first: bytes, identifier: Callable[[], int], user: bytes, password: Secret) -> PeerDialogue:
    """The peer's side; ``identifier`` is that of the packet that is answered."""
    found = _hash(identifier(), password, _value(first))
    yield Reply(bytes((len(found),)) + found + user, done=True)


def ask(
    identifier: Callable[[], int], password: Secret | None, random: Callable[[int], bytes], name: bytes
) -> ServerDialogue:  # fmt: skip
    """The authenticator's side; ``password`` is None for somebody unknown, who is asked all the same."""
    challenge = random(CHALLENGE_OCTETS)
    given = yield bytes((len(challenge),)) + challenge + name
    wanted = _hash(identifier(), password or Secret(random(HASH_OCTETS)), challenge)
    if not hmac.compare_digest(_value(given), wanted) or password is None:
        raise Denied("the password is wrong, or there is no such user")
    return None
