# SPDX-License-Identifier: Apache-2.0
"""Keys of IKEv2 (RFC 7296 §2.13 to §2.18): every formula once.

An exchange of Diffie-Hellman values and nonces yields SKEYSEED, and prf+ of it seven keys: ``d`` to derive child SAs
and successors, ``a`` and ``e`` of each side to protect messages, ``p`` of each side to prove identities.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from ringfence.crypto.prf import Prf
from ringfence.crypto.suites import HASH, Authenticator, is_legacy
from ringfence.databases.proposal import IkeProposal
from ringfence.ike.effects import LogIkeV2Keys
from ringfence.ike.v2.protection import Protection
from ringfence.secret import Secret

KEY_PAD = b"Key Pad for IKEv2"
RESUMPTION = b"Resumption"


@dataclass(frozen=True, slots=True)
class Ends:
    """What both sides put into their keys."""

    initiator_spi: bytes
    """8 octets."""
    responder_spi: bytes
    initiator_nonce: bytes
    responder_nonce: bytes

    @property
    def nonces(self) -> bytes:
        """Ni | Nr."""
        return self.initiator_nonce + self.responder_nonce

    @property
    def spis(self) -> bytes:
        """SPIi | SPIr."""
        return self.initiator_spi + self.responder_spi


@dataclass(frozen=True, slots=True)
class IkeKeys:
    """The keys of one IKE SA."""

    proposal: IkeProposal
    ends: Ends
    prf: Prf
    d: Secret
    ai: Secret
    ar: Secret
    ei: Secret
    er: Secret
    pi: Secret
    pr: Secret
    transcript: bytes = b""
    """What AUTH covers besides: the messages between IKE_SA_INIT and IKE_AUTH (RFC 9242 §3.3.2)."""

    def protection(self, *, initiator: bool) -> Protection:
        """What seals the messages of one side."""
        cipher, integrity = self.proposal.cipher, integrity_of(self.proposal)
        keys = (self.ei, self.ai) if initiator else (self.er, self.ar)
        return Protection(cipher, integrity, *keys)

    def signed(self, message: bytes, id_body: bytes, *, initiator: bool) -> bytes:
        """What a side proves with: its first message, the other's nonce, its identity, and what was between (§2.15)."""
        nonce, key = (self.ends.responder_nonce, self.pi) if initiator else (self.ends.initiator_nonce, self.pr)
        return message + nonce + self.prf.mac(key.reveal(), id_body) + self.transcript

    def proof(self, key: Secret, signed: bytes) -> bytes:
        """Proof of a pre-shared key."""
        return self.prf.mac(self.prf.mac(key.reveal(), KEY_PAD), signed)

    def child_material(
        self, secret: Secret | None, nonces: bytes, octets: int, further: Sequence[Secret] = ()
    ) -> bytes:
        """KEYMAT of a child SA (§2.17, RFC 9370 §2.2.4); the secrets are of its own key exchanges, if it has any."""
        fresh = b"" if secret is None else secret.reveal()
        return self.prf.plus(self.d.reveal(), fresh + nonces + _all(further), octets)

    def mixed(self, ppk: Secret) -> "IkeKeys":
        """With a postquantum preshared key in those that others come of, and that prove who one is (RFC 8784 §3)."""

        def mix(key: Secret) -> Secret:
            return Secret(self.prf.plus(ppk.reveal(), key.reveal(), self.prf.octets))

        return replace(self, d=mix(self.d), pi=mix(self.pi), pr=mix(self.pr))

    def mixed_whole(self, ppk: Secret) -> "IkeKeys":
        """All of them anew, of a postquantum preshared key and SK_d (RFC 9867 §3.3.1)."""
        return expand(self.proposal, self.prf.plus(ppk.reveal(), self.d.reveal(), self.prf.octets), self.ends, self.prf)

    def joined(self, secret: Secret) -> "IkeKeys":
        """What becomes of them by a further key exchange before IKE_AUTH (RFC 9370 §2.2.2)."""
        return derive(self.proposal, secret, self.ends, self)


def integrity_of(proposal: IkeProposal) -> Authenticator | None:
    """What protects messages; None where the cipher does."""
    return None if proposal.cipher.row.combined else Authenticator(HASH[proposal.hash].integrity)


def _all(secrets: Sequence[Secret]) -> bytes:
    return b"".join(each.reveal() for each in secrets)


def derive(
    proposal: IkeProposal, secret: Secret, ends: Ends, former: IkeKeys | None = None, further: Sequence[Secret] = ()
) -> IkeKeys:
    """All keys of an IKE SA, with those of its ``former`` one where it is rekeyed (§2.14, §2.18, RFC 9370 §2.2.4).

    A successor has the secrets of ``further`` key exchanges at once, others one after the other (``joined``).
    """
    prf = Prf(proposal.hash, legacy=is_legacy(proposal.hash))
    if former is None:
        seed = prf.mac(ends.nonces, secret.reveal())
    else:
        seed = former.prf.mac(former.d.reveal(), secret.reveal() + ends.nonces + _all(further))
    return expand(proposal, seed, ends, prf)


def expand(proposal: IkeProposal, seed: bytes, ends: Ends, prf: Prf) -> IkeKeys:
    """The seven keys that come of SKEYSEED (§2.14)."""
    integrity = integrity_of(proposal)
    a = integrity.key_material_octets if integrity else 0
    e = proposal.cipher.key_material_octets
    sizes = prf.octets, a, a, e, e, prf.octets, prf.octets
    material = prf.plus(seed, ends.nonces + ends.spis, sum(sizes))
    ends_at = [*accumulate(sizes)]
    d, ai, ar, ei, er, pi, pr = (Secret(material[end - size : end]) for end, size in zip(ends_at, sizes, strict=True))
    return IkeKeys(proposal, ends, prf, d, ai, ar, ei, er, pi, pr)


def resumed(proposal: IkeProposal, d: Secret, ends: Ends) -> IkeKeys:
    """All keys of an IKE SA that is resumed, of SK_d of the former one (RFC 5723 §5.1)."""
    prf = Prf(proposal.hash, legacy=is_legacy(proposal.hash))
    return expand(proposal, prf.mac(d.reveal(), RESUMPTION + ends.nonces), ends, prf)


def log_of(keys: IkeKeys) -> LogIkeV2Keys:
    """What decrypts an IKE SA."""
    ends, cipher = keys.ends, keys.proposal.cipher
    secrets = keys.ei, keys.er, keys.ai, keys.ar
    return LogIkeV2Keys(ends.initiator_spi, ends.responder_spi, cipher, integrity_of(keys.proposal), *secrets)
