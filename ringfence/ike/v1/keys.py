# SPDX-License-Identifier: Apache-2.0
"""Keys, hashes and IVs of IKEv1 (RFC 2409 §5, appendix B): every formula once.

``_b`` is a payload's body without its generic header. A main mode yields SKEYID and from it three keys: ``d`` to derive
the keys of quick modes, ``a`` to authenticate messages, ``e`` to encrypt them.
"""

from dataclasses import dataclass

from ringfence.crypto.ikecipher import IkeCipher
from ringfence.crypto.prf import Prf
from ringfence.crypto.suites import is_legacy
from ringfence.databases.proposal import IkeProposal
from ringfence.secret import Secret


@dataclass(frozen=True, slots=True)
class Shared:
    """What both sides of a main mode have seen or computed."""

    initiator_cookie: bytes
    responder_cookie: bytes
    initiator_public: bytes
    responder_public: bytes
    initiator_nonce: bytes
    responder_nonce: bytes
    secret: Secret
    """g^xy."""


@dataclass(frozen=True, slots=True)
class MainKeys:
    """The keys of one main mode."""

    prf: Prf
    cipher: IkeCipher
    skeyid: Secret
    d: Secret
    a: Secret
    e: Secret
    """The cipher's key, already of its length."""
    first_iv: bytes
    """Of message 5 in main mode."""
    shared: Shared

    signed: bool = False
    """Whether signatures prove the sides, rather than a key that both know."""

    def proof(self, sa_body: bytes, id_body: bytes, *, initiator: bool, prf: Prf | None = None) -> bytes:
        """HASH_I or HASH_R: who shows it knows the pre-shared key, or it is what is signed (RFC 2409 §5).

        ``prf`` where it is not the negotiated one.
        """
        s = self.shared
        publics = (s.initiator_public, s.responder_public)
        cookies = (s.initiator_cookie, s.responder_cookie)
        if not initiator:
            publics, cookies = publics[::-1], cookies[::-1]
        return (prf or self.prf).mac(self.skeyid.reveal(), b"".join((*publics, *cookies, sa_body, id_body)))

    def phase2_iv(self, last_block: bytes, message_id: int) -> bytes:
        """The first IV of a quick mode or informational exchange."""
        return self.prf.hash(last_block + message_id.to_bytes(4))[: self.cipher.block]

    def phase2_hash(self, message_id: int, nonces: bytes, rest: bytes) -> bytes:
        """HASH(1) and HASH(2) of quick mode, and HASH(1) of informational exchanges."""
        return self.prf.mac(self.a.reveal(), message_id.to_bytes(4) + nonces + rest)

    def acknowledging_hash(self, message_id: int, nonce: bytes, rest: bytes) -> bytes:
        """HASH(2) of a delete that is answered, whose sender's ``nonce`` comes first ([MS-IKEE] §3.8)."""
        return self.prf.mac(self.a.reveal(), nonce + message_id.to_bytes(4) + rest)

    def quick_hash_3(self, message_id: int, nonces: bytes) -> bytes:
        """HASH(3) of quick mode."""
        return self.prf.mac(self.a.reveal(), b"\0" + message_id.to_bytes(4) + nonces)

    def connected(self, message_id: int, rest: bytes) -> bytes:
        """The other HASH that a fourth message of quick mode may have, if it has one."""
        return self.prf.mac(self.a.reveal(), b"\0" + message_id.to_bytes(4) + rest)

    def keymat(self, protocol: int, spi: bytes, nonces: bytes, secret: Secret | None, octets: int) -> bytes:
        """Keys of one SA (RFC 2409 §5.5); ``secret`` is the second DH exchange's, where there is one."""
        fresh = b"" if secret is None else secret.reveal()
        return self.prf.expand_v1(self.d.reveal(), fresh + bytes([protocol]) + spi + nonces, octets)


def skeyid_psk(prf: Prf, key: Secret, initiator_nonce: bytes, responder_nonce: bytes) -> Secret:
    """SKEYID with a pre-shared key."""
    return Secret(prf.mac(key.reveal(), initiator_nonce + responder_nonce))


def skeyids(prf: Prf, skeyid: Secret, shared: Shared) -> tuple[Secret, Secret, Secret]:
    """SKEYID_d, SKEYID_a and SKEYID_e."""
    tail = shared.secret.reveal() + shared.initiator_cookie + shared.responder_cookie
    keys: list[Secret] = []
    last = b""
    for number in range(3):
        last = prf.mac(skeyid.reveal(), last + tail + bytes([number]))
        keys.append(Secret(last))
    return keys[0], keys[1], keys[2]


def derive(proposal: IkeProposal, key: Secret, shared: Shared) -> MainKeys:
    """All keys of a main mode with a pre-shared key."""
    prf = Prf(proposal.hash, legacy=is_legacy(proposal.hash))
    skeyid = skeyid_psk(prf, key, shared.initiator_nonce, shared.responder_nonce)
    return _derive(proposal, prf, skeyid, shared, signed=False)


def derive_signed(proposal: IkeProposal, shared: Shared) -> MainKeys:
    """All keys of a main mode that signatures prove."""
    prf = Prf(proposal.hash, legacy=is_legacy(proposal.hash))
    return _derive(proposal, prf, skeyid_signed(prf, shared), shared, signed=True)


def skeyid_signed(prf: Prf, shared: Shared) -> Secret:
    """SKEYID with signatures: prf(Ni_b | Nr_b, g^xy)."""
    return Secret(prf.mac(shared.initiator_nonce + shared.responder_nonce, shared.secret.reveal()))


def _derive(proposal: IkeProposal, prf: Prf, skeyid: Secret, shared: Shared, *, signed: bool) -> MainKeys:
    d, a, e = skeyids(prf, skeyid, shared)
    stretched = prf.stretch_v1(e.reveal(), proposal.cipher.key_bits // 8)
    cipher = IkeCipher(proposal.cipher, stretched, legacy=is_legacy(proposal.cipher.algorithm))
    first_iv = prf.hash(shared.initiator_public + shared.responder_public)[: cipher.block]
    return MainKeys(prf, cipher, skeyid, d, a, Secret(stretched), first_iv, shared, signed)


def whole_blocks(octets: bytes, block: int) -> bytes:
    """``octets`` padded with zeros to the cipher's block."""
    return octets + bytes(-len(octets) % block)
