# SPDX-License-Identifier: Apache-2.0
"""Keys of IKEv2 (RFC 7296 §2.13 to §2.18): every formula once.

An exchange of Diffie-Hellman values and nonces yields SKEYSEED, and prf+ of it seven keys: ``d`` to derive child SAs
and successors, ``a`` and ``e`` of each side to protect messages, ``p`` of each side to prove identities.
"""

from dataclasses import dataclass

from ringfence.crypto.prf import Prf
from ringfence.crypto.suites import HASH, Authenticator, is_legacy
from ringfence.databases.proposal import IkeProposal
from ringfence.ike.v2.protection import Protection
from ringfence.secret import Secret

KEY_PAD = b"Key Pad for IKEv2"


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

    def protection(self, *, initiator: bool) -> Protection:
        """What seals the messages of one side."""
        cipher, integrity = self.proposal.cipher, integrity_of(self.proposal)
        keys = (self.ei, self.ai) if initiator else (self.er, self.ar)
        return Protection(cipher, integrity, *keys)

    def signed(self, message: bytes, id_body: bytes, *, initiator: bool) -> bytes:
        """What a side proves with: its first message, the other's nonce, its identity (§2.15)."""
        nonce, key = (self.ends.responder_nonce, self.pi) if initiator else (self.ends.initiator_nonce, self.pr)
        return message + nonce + self.prf.mac(key.reveal(), id_body)

    def proof(self, key: Secret, signed: bytes) -> bytes:
        """Proof of a pre-shared key."""
        return self.prf.mac(self.prf.mac(key.reveal(), KEY_PAD), signed)

    def child_material(self, secret: Secret | None, nonces: bytes, octets: int) -> bytes:
        """KEYMAT of a child SA (§2.17); ``secret`` is of its own Diffie-Hellman exchange, where there is one."""
        fresh = b"" if secret is None else secret.reveal()
        return self.prf.plus(self.d.reveal(), fresh + nonces, octets)


def integrity_of(proposal: IkeProposal) -> Authenticator | None:
    """What protects messages; None where the cipher does."""
    return None if proposal.cipher.row.combined else Authenticator(HASH[proposal.hash].integrity)


def derive(proposal: IkeProposal, secret: Secret, ends: Ends, former: IkeKeys | None = None) -> IkeKeys:
    """All keys of an IKE SA, with those of its ``former`` one where it is rekeyed (§2.14, §2.18)."""
    prf = Prf(proposal.hash, legacy=is_legacy(proposal.hash))
    if former is None:
        seed = prf.mac(ends.nonces, secret.reveal())
    else:
        seed = former.prf.mac(former.d.reveal(), secret.reveal() + ends.nonces)
    integrity = integrity_of(proposal)
    a = integrity.key_material_octets if integrity else 0
    e = proposal.cipher.key_material_octets
    sizes = prf.octets, a, a, e, e, prf.octets, prf.octets
    material = prf.plus(seed, ends.nonces + ends.spis, sum(sizes))
    keys: list[Secret] = []
    for size in sizes:
        keys.append(Secret(material[:size]))
        material = material[size:]
    return IkeKeys(proposal, ends, prf, *keys)
