# SPDX-License-Identifier: Apache-2.0
"""Every formula of RFC 7296 §2.13 to §2.18: a published vector, and each computed once more by the standard library."""

import hmac
import tomllib
from pathlib import Path

import pytest

from ringfence.crypto.suites import Authenticator, Cipher, DhGroup, Encryption, Hash, Integrity
from ringfence.databases.proposal import IkeProposal
from ringfence.ike.v2.keys import Ends, derive, integrity_of
from ringfence.secret import Secret

CBC = IkeProposal(Cipher(Encryption.AES_CBC, 256), Hash.SHA256, DhGroup.CURVE25519)
GCM = IkeProposal(Cipher(Encryption.AES_GCM_16, 128), Hash.SHA384, DhGroup.ECP_384)
ENDS = Ends(b"initiato", b"responde", b"i" * 32, b"r" * 24)
SECRET = Secret(b"the shared secret")
VECTOR = {
    name: bytes.fromhex(digits)
    for name, digits in tomllib.loads((Path(__file__).parents[3] / "vectors/ikev2-kdf.toml").read_text()).items()
}


def prf(hash_, key, data):
    return hmac.digest(key, data, hash_)


def prf_plus(hash_, key, seed, octets):
    out = last = b""
    for number in range(1, 256):
        if len(out) >= octets:
            break
        last = prf(hash_, key, last + seed + bytes([number]))
        out += last
    return out[:octets]


def cut(material, *sizes):
    for size in sizes:
        yield material[:size]
        material = material[size:]


@pytest.mark.parametrize(
    ("proposal", "hash_", "sizes"),
    [(CBC, "sha256", (32, 32, 32, 32, 32, 32, 32)), (GCM, "sha384", (48, 0, 0, 20, 20, 48, 48))],
    ids=["cbc", "gcm"],
)
def test_seven_keys(proposal, hash_, sizes):
    seed = prf(hash_, b"i" * 32 + b"r" * 24, b"the shared secret")
    wanted = prf_plus(hash_, seed, b"i" * 32 + b"r" * 24 + b"initiato" + b"responde", sum(sizes))
    keys = derive(proposal, SECRET, ENDS)
    found = [each.reveal() for each in (keys.d, keys.ai, keys.ar, keys.ei, keys.er, keys.pi, keys.pr)]
    assert found == [*cut(wanted, *sizes)]


def test_a_successor_takes_the_former_d():
    former = derive(CBC, SECRET, ENDS)
    ends = Ends(b"newfirst", b"newsecnd", b"j" * 32, b"s" * 32)
    keys = derive(GCM, Secret(b"fresh"), ends, former)
    seed = prf("sha256", former.d.reveal(), b"fresh" + b"j" * 32 + b"s" * 32)
    assert keys.d.reveal() == prf_plus("sha384", seed, b"j" * 32 + b"s" * 32 + b"newfirstnewsecnd", 48)


def test_the_published_vector():
    proposal = IkeProposal(Cipher(Encryption.AES_CBC, 128), Hash.SHA1, DhGroup.CURVE25519)
    nonces = VECTOR["initiator-nonce"] + VECTOR["responder-nonce"]
    spis = VECTOR["initiator-spi"] + VECTOR["responder-spi"]
    ends = Ends(spis[:8], spis[8:], nonces[:8], nonces[8:])
    keys = derive(proposal, Secret(VECTOR["secret"]), ends)
    found = b"".join(getattr(keys, name).reveal() for name in ("d", "ai", "ar", "ei", "er", "pi", "pr"))
    assert found == VECTOR["keys"]
    fresh = Secret(VECTOR["fresh-secret"])
    assert keys.child_material(None, nonces, 132) == VECTOR["child"]
    assert keys.child_material(fresh, nonces, 132) == VECTOR["child-with-secret"]
    successor = derive(proposal, fresh, ends, keys)
    assert successor.d.reveal() == prf_plus("sha1", VECTOR["successor-seed"], nonces + spis, 20)


def test_proof_of_a_shared_key():
    keys = derive(CBC, SECRET, ENDS)
    signed = keys.signed(b"message", b"identity", initiator=True)
    assert signed == b"message" + b"r" * 24 + prf("sha256", keys.pi.reveal(), b"identity")
    assert keys.signed(b"m", b"i", initiator=False) == b"m" + b"i" * 32 + prf("sha256", keys.pr.reveal(), b"i")
    padded = prf("sha256", b"key", b"Key Pad for IKEv2")
    assert keys.proof(Secret(b"key"), signed) == prf("sha256", padded, signed)


def test_material_of_child_sas():
    keys = derive(CBC, SECRET, ENDS)
    assert keys.child_material(None, b"nonces", 100) == prf_plus("sha256", keys.d.reveal(), b"nonces", 100)
    assert keys.child_material(Secret(b"s"), b"n", 70) == prf_plus("sha256", keys.d.reveal(), b"sn", 70)


def test_sizes():
    assert integrity_of(GCM) is None
    assert integrity_of(CBC) == Authenticator(Integrity.HMAC_SHA256_128)


def test_the_two_sides_have_each_others_keys():
    keys = derive(CBC, SECRET, ENDS)
    sealed = keys.protection(initiator=True).seal(b"head", b"plain", bytes(16))
    assert keys.protection(initiator=True).open(b"head", sealed) == b"plain"


def test_further_secrets():
    """RFC 9370 §2.2.2 and §2.2.4."""
    keys = derive(CBC, SECRET, ENDS)
    nonces, spis = b"i" * 32 + b"r" * 24, b"initiatoresponde"
    seed = prf("sha256", keys.d.reveal(), b"second" + nonces)
    assert keys.joined(Secret(b"second")).d.reveal() == prf_plus("sha256", seed, nonces + spis, 32)
    seed = prf("sha256", keys.d.reveal(), b"one" + nonces + b"two" + b"three")
    successor = derive(CBC, Secret(b"one"), ENDS, keys, (Secret(b"two"), Secret(b"three")))
    assert successor.d.reveal() == prf_plus("sha256", seed, nonces + spis, 32)
    material = keys.child_material(Secret(b"one"), b"n", 70, (Secret(b"two"), Secret(b"three")))
    assert material == prf_plus("sha256", keys.d.reveal(), b"onentwothree", 70)


def test_a_postquantum_key_is_mixed_in():
    """RFC 8784 §3: SK_d, SK_pi and SK_pr, and no other."""
    keys = derive(CBC, SECRET, ENDS)
    mixed = keys.mixed(Secret(b"postquantum"))
    for name in ("d", "pi", "pr"):
        assert getattr(mixed, name).reveal() == prf("sha256", b"postquantum", getattr(keys, name).reveal() + b"\1")
    for name in ("ei", "er", "ai", "ar", "ends", "proposal"):
        assert getattr(mixed, name) == getattr(keys, name)
