# SPDX-License-Identifier: Apache-2.0
"""The keeper signs with what it holds, and judges by the time it knows."""

from lab.authority import DAY, NOW, authority

from ringfence.credentials.base import Keeper
from ringfence.credentials.keeper import LocalKeeper
from ringfence.crypto.certificate import Certificate
from ringfence.crypto.signature import KeyKind, PrivateKey, Scheme
from ringfence.databases.certification import CertificateAuth
from ringfence.ike.effects import Sign, Signed, Trusted, Unfit, Validate
from ringfence.ike.errors import Reason

ROOT = authority()
ALICE = ROOT.issue()
NAME = Certificate.read(ALICE.der).thumbprint()


def keeper(at=NOW) -> Keeper:
    made = LocalKeeper(lambda: at)
    made.hold({NAME: PrivateKey(ALICE.key)})
    return made


def test_it_signs_by_the_key_of_the_certificate():
    answer = keeper().answer(Sign(NAME, Scheme.ECDSA_HASH, bytes(32)))
    assert isinstance(answer, Signed)
    Certificate.read(ALICE.der).key.verify(Scheme.ECDSA_HASH, bytes(32), answer.signature)


def test_a_key_that_it_does_not_hold_or_that_cannot_sign_so_is_said():
    held = keeper()
    for question in (Sign("0" * 64, Scheme.ECDSA_HASH, bytes(32)), Sign(NAME, Scheme.RSA_HASH, bytes(32)),
                     Sign(NAME, Scheme.ECDSA_HASH, b"too short")):  # fmt: skip
        answer = held.answer(question)
        assert isinstance(answer, Unfit)
        assert answer.reason is Reason.NO_PRIVATE_KEY
    held.hold({})
    assert isinstance(held.answer(Sign(NAME, Scheme.ECDSA_HASH, bytes(32))), Unfit)


def test_it_judges_by_its_clock():
    way = CertificateAuth("CN=Lab CA", KeyKind.P256, (ROOT.der,))
    assert keeper().answer(Validate((ALICE.der,), (way,))) == Trusted(way)
    late = keeper(NOW + 9999 * DAY).answer(Validate((ALICE.der,), (way,)))
    assert isinstance(late, Unfit)
    assert late.reason is Reason.CERTIFICATE_EXPIRED
