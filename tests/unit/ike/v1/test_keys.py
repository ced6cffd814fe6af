# SPDX-License-Identifier: Apache-2.0
"""RFC 2409's formulas against a published vector and against each other.

Vector: NIST CAVS 800-135, IKEv1 with a pre-shared key and SHA-1, as Libreswan carries it (programs/cavp).
"""

import hmac

from ringfence.crypto.prf import Prf
from ringfence.crypto.suites import Cipher, DhGroup, Encryption, Hash
from ringfence.databases.proposal import IkeProposal
from ringfence.ike.v1.keys import Shared, derive, skeyid_psk, skeyids, whole_blocks
from ringfence.secret import Secret

SECRET = bytes.fromhex("739003ba2c11c982946c65e26acf661fbf8ebb78011a9fead79efa12fe3e71cc")
SHARED = Shared(
    initiator_cookie=bytes.fromhex("83d374c30b3b5082"),
    responder_cookie=bytes.fromhex("5afc0da06c728029"),
    initiator_public=b"initiator's value",
    responder_public=b"responder's value",
    initiator_nonce=bytes.fromhex("b9a2d0e922dc66dd"),
    responder_nonce=bytes.fromhex("2130166863b5ddef"),
    secret=Secret(SECRET),
)
KEY = Secret(b"\x75")


def test_skeyid_vector():
    prf = Prf(Hash.SHA1)
    skeyid = skeyid_psk(prf, KEY, SHARED.initiator_nonce, SHARED.responder_nonce)
    assert skeyid.reveal().hex() == "62b04d112877e442fc3282fc37c076997718a0b9"
    d, a, e = skeyids(prf, skeyid, SHARED)
    assert d.reveal().hex() == "369e5aad1bdb5faf6a3d929d500cdc236710a9ab"
    assert a.reveal().hex() == "588e957d8d790d093b3a39f121473473af78e9bb"
    assert e.reveal().hex() == "cd74b0c048219db81384d3fda8f6cda51e398a2b"


def keys(cipher=Cipher(Encryption.AES_CBC, 128), name=Hash.SHA1):  # noqa: B008
    return derive(IkeProposal(cipher, name, DhGroup.MODP_2048), KEY, SHARED)


def mac(key, data):
    return hmac.digest(key.reveal(), data, "sha1")


def test_a_cipher_key_is_cut_or_stretched():
    assert keys().e.reveal().hex() == "cd74b0c048219db81384d3fda8f6cda5"
    long = keys(Cipher(Encryption.AES_CBC, 256)).e.reveal()
    first = hmac.digest(bytes.fromhex("cd74b0c048219db81384d3fda8f6cda51e398a2b"), b"\0", "sha1")
    assert long == (first + hmac.digest(bytes.fromhex("cd74b0c048219db81384d3fda8f6cda51e398a2b"), first, "sha1"))[:32]


def test_proofs_are_each_sides_own():
    made = keys()
    mine = mac(made.skeyid, b"initiator's valueresponder's value" + SHARED.initiator_cookie + SHARED.responder_cookie
               + b"SA" + b"ID")  # fmt: skip
    assert made.proof(b"SA", b"ID", initiator=True) == mine
    theirs = mac(made.skeyid, b"responder's valueinitiator's value" + SHARED.responder_cookie + SHARED.initiator_cookie
                 + b"SA" + b"ID")  # fmt: skip
    assert made.proof(b"SA", b"ID", initiator=False) == theirs


def test_phase_2_hashes_and_ivs():
    made = keys()
    number = b"\0\0\1\2"
    assert made.phase2_hash(0x102, b"nonce", b"rest") == mac(made.a, number + b"noncerest")
    assert made.quick_hash_3(0x102, b"nonces") == mac(made.a, b"\0" + number + b"nonces")
    assert made.first_iv == made.prf.hash(b"initiator's valueresponder's value")[:16]
    assert made.phase2_iv(b"last", 0x102) == made.prf.hash(b"last" + number)[:16]


def test_key_material_of_an_sa_is_its_own():
    made = keys()
    spi = bytes.fromhex("00001001")
    first = mac(made.d, b"\x03" + spi + b"nonces")
    assert made.keymat(3, spi, b"nonces", None, 36) == (first + mac(made.d, first + b"\x03" + spi + b"nonces"))[:36]
    fresh = mac(made.d, b"g^xy" + b"\x02" + spi + b"nonces")
    assert made.keymat(2, spi, b"nonces", Secret(b"g^xy"), 20) == fresh


def test_padding():
    assert whole_blocks(b"x" * 16, 16) == b"x" * 16
    assert whole_blocks(b"x" * 17, 16) == b"x" * 17 + bytes(15)
