# SPDX-License-Identifier: Apache-2.0
"""Quick crash detection (RFC 6290): who has lost its memory can prove that it has, without any memory.

Each side gives the other a token for each IKE SA, under its keys: a MAC of both SPIs and the peer's address by a secret
that outlives a crash (§5.2). Whoever then gets a protected message of an IKE SA that it does not know can make the
token again, and says it in clear; the other side compares it with the one that it was given, and ends that IKE SA at
once instead of asking for a long time.

Nobody hears the token of an IKE SA that is still there: it is said in clear only where no such IKE SA is known. A
stranger who asks for it from another address gets another one, and one of our SPIs is chance, so nobody can name a pair
that is used later.
"""

from ringfence.crypto.integrity import same
from ringfence.crypto.prf import Prf
from ringfence.crypto.suites import Hash
from ringfence.ike.payload import Chain
from ringfence.ike.v2.channel import Spis
from ringfence.ike.v2.keys import Ends
from ringfence.ike.v2.notifies import Notify
from ringfence.ike.v2.numbers import ProtocolId
from ringfence.ike.v2.payloads import NotifyPayload
from ringfence.net.address import Path
from ringfence.secret import Secret

LEAST_OCTETS, MOST_OCTETS = 16, 128
MOST_SAID = 4
"""Tokens of one message that are looked at."""


class Tokens:
    """The tokens that this host makes; none without a secret."""

    def __init__(self, secret: Secret | None) -> None:
        self._secret = secret
        self._prf = Prf(Hash.SHA256)

    def made(self, spis: Spis, remote: bytes) -> tuple[NotifyPayload, ...]:
        """That of an IKE SA with the peer at ``remote``, as it is said."""
        if self._secret is None or not all(map(any, spis)):
            return ()
        token = self._prf.mac(self._secret.reveal(), b"".join(spis) + remote)
        return (NotifyPayload(Notify.QUICK_CRASH_DETECTION, token, ProtocolId.IKE),)

    def of(self, ends: Ends, path: Path) -> tuple[NotifyPayload, ...]:
        """That of an IKE SA with these ends, with the peer of ``path``."""
        return self.made((ends.initiator_spi, ends.responder_spi), path.remote.address)


NO_TOKENS = Tokens(None)
"""Of a host without a secret."""


def given(*chains: Chain) -> bytes | None:
    """The token that a peer gives us under the keys, the last that it says."""
    said = [token for chain in chains for token in _said(chain)]
    return said[-1] if said else None


def stale(token: bytes | None) -> bytes | None:
    """What is left of the token of an IKE SA when another takes its place: that the peer makes them, and nothing else.

    Its maker forgets the old IKE SA, and then tells its token whoever asks.
    """
    return None if token is None else b""


def proves(chain: Chain, token: bytes | None) -> bool:
    """Whether a message in clear shows that its sender was given its IKE SA, and knows it no more."""
    denies = any(each.kind == Notify.INVALID_IKE_SPI for each in chain.all(NotifyPayload))
    return denies and token is not None and any(same(one, token) for one in _said(chain)[:MOST_SAID])


def _said(chain: Chain) -> list[bytes]:
    tokens = (each.data for each in chain.all(NotifyPayload) if each.kind == Notify.QUICK_CRASH_DETECTION)
    return [one for one in tokens if LEAST_OCTETS <= len(one) <= MOST_OCTETS]
