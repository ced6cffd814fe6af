# SPDX-License-Identifier: Apache-2.0
"""RFC 4754 §8, RFC 8032 §7, RFC 7427 appendix A, and openssl's view of what IKEv1 signs."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from lab.authority import new_key, rsa_key

from ringfence.crypto.errors import BadKey, BadSignature, KeyMisfit
from ringfence.crypto.signature import SCHEMES, KeyKind, PrivateKey, PublicKey, Scheme, generic, scheme_of

KINDS = [kind.value for kind in KeyKind]


def info(key):
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def number(text: str) -> int:
    return int(text.replace(" ", ""), 16)


CURVES = {  # RFC 4754 §8.1, §8.2: public point and the signature of "abc"
    "256": (ec.SECP256R1(), 32,
        "2442A5CC 0ECD015F A3CA31DC 8E2BBC70 BF42D60C BCA20085 E0822CB0 4235E970",
        "6FC98BD7 E50211A4 A27102FA 3549DF79 EBCB4BF2 46B80945 CDDFE7D5 09BBFD7D",
        "CB28E099 9B9C7715 FD0A80D8 E47A7707 9716CBBF 917DD72E 97566EA1 C066957C",
        "86FA3BB4 E26CAD5B F90B7F81 899256CE 7594BB1E A0C89212 748BFF3B 3D5B0315"),
    "384": (ec.SECP384R1(), 48,
        "96281BF8 DD5E0525 CA049C04 8D345D30 82968D10 FEDF5C5A CA0C64E6 465A97EA 5CE10C9D FEC21797 41571072 1F437922",
        "447688BA 94708EB6 E2E4D59F 6AB6D7ED FF9301D2 49FE49C3 3096655F 5D502FAD 3D383B91 C5E7EDAA 2B714CC9 9D5743CA",
        "FB017B91 4E291494 32D8BAC2 9A514640 B46F53DD AB2C6994 8084E293 0F1C8F7E 08E07C9C 63F2D21A 07DCB56A 6AF56EB3",
        "B263A130 5E057F98 4D38726A 1B468741 09F417BC A112674C 528262A4 0A629AF1 CBB9F516 CE0FA7D2 FF630863 A00E8B9F"),
}  # fmt: skip


@pytest.mark.parametrize("name", CURVES)
def test_the_signatures_of_rfc_4754_are_verified(name):
    curve, octets, x, y, r, s = CURVES[name]
    key = PublicKey(info(ec.EllipticCurvePublicNumbers(number(x), number(y), curve).public_key()))
    signature = number(r).to_bytes(octets) + number(s).to_bytes(octets)
    key.verify(Scheme.ECDSA, b"abc", signature)
    with pytest.raises(BadSignature):
        key.verify(Scheme.ECDSA, b"abd", signature)
    with pytest.raises(BadSignature):
        key.verify(Scheme.ECDSA, b"abc", signature[:-1])


def test_the_signature_of_rfc_8032_is_made():
    """§7.1 TEST 2."""
    secret = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
    key = ed25519.Ed25519PrivateKey.from_private_bytes(secret)
    made = PrivateKey(key).sign(Scheme.ED25519, b"\x72")
    assert made.hex().startswith("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da")
    PublicKey(info(key.public_key())).verify(Scheme.ED25519, b"\x72", made)


def test_rsa_in_ikev1_holds_the_hash_and_nothing_else():
    """RFC 2409 §5.1: encrypted in PKCS #1 form, 00 01 ff … 00 and the bare hash."""
    key, hash_ = rsa_key(0), bytes(range(20))
    made = PrivateKey(key).sign(Scheme.RSA_HASH, hash_)
    numbers = key.public_key().public_numbers()
    block = pow(int.from_bytes(made), numbers.e, numbers.n).to_bytes(256)
    assert block == b"\0\1" + b"\xff" * (256 - 23) + b"\0" + hash_
    PublicKey(info(key.public_key())).verify(Scheme.RSA_HASH, hash_, made)
    with pytest.raises(BadSignature):
        PublicKey(info(key.public_key())).verify(Scheme.RSA_HASH, bytes(20), made)
    with_digest_info = PrivateKey(key).sign(Scheme.RSA_SHA1, b"text")
    with pytest.raises(BadSignature):
        PublicKey(info(key.public_key())).verify(Scheme.RSA_HASH, hash_, with_digest_info)


def test_algorithm_identifiers_are_those_of_rfc_7427():
    """Appendix A."""
    named = {
        Scheme.RSA_SHA256: "300d06092a864886f70d01010b0500",
        Scheme.RSA_SHA512: "300d06092a864886f70d01010d0500",
        Scheme.ECDSA_SHA256: "300a06082a8648ce3d040302",
        Scheme.ECDSA_SHA384: "300a06082a8648ce3d040303",
        Scheme.PSS_SHA256: "304106092a864886f70d01010a3034a00f300d06096086480165030402010500"
        "a11c301a06092a864886f70d010108300d06096086480165030402010500a203020120",
        Scheme.ED25519: "300506032b6570",
        Scheme.ED448: "300506032b6571",
    }
    for scheme, octets in named.items():
        assert SCHEMES[scheme].identifier.hex() == octets
        assert scheme_of(bytes.fromhex(octets)) is scheme
    assert scheme_of(b"") is None
    assert scheme_of(b"\x30\0") is None


@pytest.mark.parametrize("kind", KINDS)
def test_every_scheme_for_a_key_signs_what_it_verifies_and_no_other_key_does(kind):
    private, other = new_key(kind, 0), new_key(kind, 1)
    ours, key, stranger = PrivateKey(private), PublicKey(info(private.public_key())), other.public_key()
    assert ours.kind.value == key.kind.value == kind
    assert ours.public_info == info(private.public_key())
    served = [scheme for scheme, row in SCHEMES.items() if ours.kind in row.keys]
    assert served
    octets = {"ecdsa-p384": 48, "ecdsa-p521": 64}.get(kind, 32)
    for scheme in SCHEMES:
        if scheme not in served:
            with pytest.raises(KeyMisfit):
                ours.sign(scheme, b"x")
            with pytest.raises(KeyMisfit):
                key.verify(scheme, b"x", b"y")
            continue
        made = ours.sign(scheme, bytes(octets))
        key.verify(scheme, bytes(octets), made)
        with pytest.raises(BadSignature):
            PublicKey(info(stranger)).verify(scheme, bytes(octets), made)
        with pytest.raises(BadSignature):
            key.verify(scheme, bytes(octets - 1) + b"\1", made)
        with pytest.raises(BadSignature):
            key.verify(scheme, bytes(octets), b"")


def test_pss_has_a_salt_of_the_hashs_length():
    key = rsa_key(0)
    from cryptography.hazmat.primitives import hashes

    made = PrivateKey(key).sign(Scheme.PSS_SHA256, b"abc")
    key.public_key().verify(made, b"abc", padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    short = key.sign(b"abc", padding.PSS(padding.MGF1(hashes.SHA256()), 20), hashes.SHA256())
    with pytest.raises(BadSignature):
        PublicKey(info(key.public_key())).verify(Scheme.PSS_SHA256, b"abc", short)


def test_what_a_peer_can_verify_is_chosen_best_first():
    assert generic(KeyKind.RSA, [2, 3])[:2] == (Scheme.PSS_SHA256, Scheme.PSS_SHA384)
    assert generic(KeyKind.P384, [2, 3, 4])[0] is Scheme.ECDSA_SHA384
    assert generic(KeyKind.P256, [1]) == ()
    assert generic(KeyKind.ED25519, [5]) == (Scheme.ED25519,)
    assert generic(KeyKind.ED448, [2, 5]) == (Scheme.ED448,)


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_keys_are_read_in_all_forms(form, encoding):
    key = new_key("ecdsa-p256")
    assert PrivateKey.load(key.private_bytes(encoding, form, NoEncryption())).public_info == info(key.public_key())


def test_what_is_no_key_says_so():
    for octets in (b"", b"nonsense", b"-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n"):
        with pytest.raises(BadKey):
            PrivateKey.load(octets)
    with pytest.raises(BadKey):
        PublicKey(b"\x30\0")
    with pytest.raises(BadKey, match="not served"):
        PublicKey(info(ec.generate_private_key(ec.SECP256K1()).public_key()))


def test_an_encrypted_key_needs_its_password(tmp_path):
    from lab.authority import authority

    octets = authority().key_pem(b"lab")
    assert PrivateKey.load(octets, b"lab").kind is KeyKind.P256
    with pytest.raises(BadKey, match="encrypted"):
        PrivateKey.load(octets)
    with pytest.raises(BadKey, match="password is wrong"):
        PrivateKey.load(octets, b"bad")
    with pytest.raises(BadKey, match="not encrypted"):
        PrivateKey.load(authority().key_pem(), b"lab")


def test_a_private_key_is_never_shown():
    import pickle

    key = PrivateKey(new_key("ed25519"))
    assert repr(key) == "PrivateKey(ed25519)"
    with pytest.raises(TypeError):
        pickle.dumps(key)
