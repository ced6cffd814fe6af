# SPDX-License-Identifier: Apache-2.0
"""Numbers of quick mode's transforms."""

import pytest

from ringfence.crypto.suites import Authenticator, Cipher, DhGroup, Encryption, Integrity
from ringfence.databases.proposal import Protocol, SecurityMethod, Transform
from ringfence.ike.v1.payloads import ProposalPayload, SaPayload
from ringfence.ike.v1.transforms import (
    QuickAttribute,
    by_number,
    can_say,
    group_fits,
    on_wire,
    quick_says,
    transform_id,
)

CBC = Transform(Protocol.ESP, Cipher(Encryption.AES_CBC, 128), Authenticator(Integrity.HMAC_SHA256_128), True)
AH = Transform(Protocol.AH, None, Authenticator(Integrity.AES_GMAC, 32))


def test_what_a_transform_says():
    assert transform_id(CBC) == 12
    assert dict(quick_says(CBC)) == {
        QuickAttribute.AUTHENTICATION: 5, QuickAttribute.KEY_LENGTH: 128, QuickAttribute.EXTENDED_SEQUENCE: 1,
    }  # fmt: skip
    assert (transform_id(AH), quick_says(AH)) == (13, [(QuickAttribute.AUTHENTICATION, 13)])


def test_what_ikev1_has_no_number_for():
    cmac = Transform(Protocol.AH, None, Authenticator(Integrity.AES_CMAC_96))
    assert not can_say(SecurityMethod((cmac,)))
    assert can_say(SecurityMethod((CBC, AH)))


def test_ah_comes_first():
    assert on_wire(SecurityMethod((CBC, AH))) == [AH, CBC]


def test_one_number_is_one_offer():
    first, second, third = (ProposalPayload(number, 3, b"", ()) for number in (1, 2, 1))
    assert by_number(SaPayload(1, 1, (first, second, third))) == [[first, third], [second]]


@pytest.mark.parametrize(
    ("offered", "wanted", "fits"),
    [(None, None, True), (19, None, True), (2, None, False), (99, None, False), (19, DhGroup.ECP_256, True),
     (None, DhGroup.ECP_256, False), (14, DhGroup.ECP_256, False)],
)  # fmt: skip
def test_groups(offered, wanted, fits):
    assert group_fits(offered, wanted) is fits
