# SPDX-License-Identifier: Apache-2.0
"""RFC 2409's formulas against published vectors and against each other.

Vectors: NIST's CAVS for SP 800-135, IKEv1 and SHA-1: with a pre-shared key as Libreswan carries it (programs/cavp), and
with signatures.
"""

import hmac
from dataclasses import replace

from ringfence.crypto.prf import Prf
from ringfence.crypto.suites import Cipher, DhGroup, Encryption, Hash
from ringfence.databases.proposal import IkeProposal
from ringfence.ike.v1.keys import Shared, derive, derive_signed, skeyid_psk, skeyids, whole_blocks
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


def test_the_vector_with_signatures():
    shared = replace(
        SHARED,
        initiator_cookie=bytes.fromhex("382e5c8b0a3fa307"),
        responder_cookie=bytes.fromhex("ba4b7616700a2413"),
        initiator_nonce=bytes.fromhex("ced5635da6796075"),
        responder_nonce=bytes.fromhex("6244b427712fb776"),
        secret=Secret(
            bytes.fromhex(
                "2a2e0bbe8da3657a83f3d35826e49e2d38e557e912a1b9e6c30c63577b3eab715466202862027f2c26f3090743555579"
                "611771db0b92bef93834432a3a7762fc8a0f4889fd281d6082770d10a40d7bad61e832f041e620d6787e7f62ab2861dd"
                "fbe272e0d9d3cdec5f1bbf750e24b8b32d6d714968ad69ce5086c32ad2742ebc"
            )
        ),
    )
    made = derive_signed(IkeProposal(Cipher(Encryption.AES_CBC, 128), Hash.SHA1, DhGroup.MODP_1024), shared)
    assert made.skeyid.reveal().hex() == "dc37ac99de6dcfbd1ee74af7fb36f9b4b0a7829d"
    assert made.d.reveal().hex() == "486293ed547adb562cefdaf43d3d8457b196f2b6"
    assert made.a.reveal().hex() == "f4053b5ca07e59bb41b8f401037ca90b72b3917e"
    assert made.e.reveal().hex() == "49a1d53a80fb77e663552964fbbcb450"


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
