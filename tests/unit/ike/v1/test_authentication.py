# SPDX-License-Identifier: Apache-2.0
"""Which number each way of a policy has in main mode (RFC 2409 appendix A, RFC 4754 §4)."""

from lab.authority import authority

from ringfence.crypto.prf import Prf
from ringfence.crypto.signature import KeyKind, Scheme
from ringfence.crypto.suites import Hash
from ringfence.databases.certification import CertificateAuth, OwnCertificate
from ringfence.databases.pad import PresharedKey
from ringfence.ike.v1.authentication import (
    Authentication,
    method_of,
    methods,
    prf_for,
    scheme_for,
    signing,
    usable,
)
from ringfence.secret import Secret
from ringfence.testing.hosts import HostPolicy

KEY = PresharedKey(Secret(b"key"))
RSA, OTHER_RSA = CertificateAuth("CN=a", KeyKind.RSA), CertificateAuth("CN=b", KeyKind.RSA)
P256, P384 = CertificateAuth("CN=a", KeyKind.P256), CertificateAuth("CN=a", KeyKind.P384)


def test_each_way_has_its_number():
    numbers = [method_of(one) for one in (KEY, RSA, P256, P384, CertificateAuth("CN=a", KeyKind.P521))]
    assert numbers == [1, 3, 9, 10, 11]
    assert method_of(CertificateAuth("CN=a", KeyKind.ED25519)) is None


def test_authorities_that_sign_alike_are_one_method():
    assert methods((RSA, KEY, OTHER_RSA, P256)) == (3, 1, 9)
    assert signing((RSA, KEY, OTHER_RSA, P256), Authentication.RSA_SIGNATURE) == (RSA, OTHER_RSA)


def test_a_way_without_a_certificate_of_ours_cannot_be_gone():
    root = authority()
    mine = CertificateAuth("CN=a", KeyKind.P256, (root.der,), (OwnCertificate("own", (root.issue().der,)),))
    _, pad = HostPolicy("192.0.2.1", "192.0.2.2", auth=(RSA, KEY, mine)).compiled()
    assert usable(pad.entries[0]) == (KEY, mine)


def test_the_curve_says_which_hash_is_signed():
    negotiated = Prf(Hash.SHA1)
    assert prf_for(Authentication.RSA_SIGNATURE, negotiated) is negotiated
    assert prf_for(Authentication.ECDSA_P256, negotiated).hash_name is Hash.SHA256
    assert prf_for(Authentication.ECDSA_P384, negotiated).hash_name is Hash.SHA384
    assert prf_for(Authentication.ECDSA_P521, negotiated).hash_name is Hash.SHA512
    assert scheme_for(Authentication.RSA_SIGNATURE) is Scheme.RSA_HASH
    assert scheme_for(Authentication.ECDSA_P384) is Scheme.ECDSA_HASH
