# SPDX-License-Identifier: Apache-2.0
"""Contracts out of what was agreed on; that both versions make right ones is in tests/protocol."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from ringfence.crypto.suites import Authenticator, Cipher, Encryption, Integrity
from ringfence.databases.admission import Admission, Pattern
from ringfence.databases.demand import Demand, Grant
from ringfence.databases.identity import Identity
from ringfence.databases.proposal import Protocol, Transform
from ringfence.databases.spd import Action
from ringfence.ike.agreement import check_demand, material_octets, processing_of
from ringfence.ike.errors import Reason, Refused
from ringfence.testing.hosts import HostPolicy

(ENTRY,) = HostPolicy("192.0.2.1", "192.0.2.2").compiled()[0]


@pytest.mark.parametrize(
    ("transform", "octets"),
    [
        (Transform(Protocol.ESP, Cipher(Encryption.AES_GCM_16, 256)), (36, 0)),
        (Transform(Protocol.ESP, Cipher(Encryption.AES_CCM_8, 128)), (19, 0)),
        (Transform(Protocol.ESP, Cipher(Encryption.AES_CTR, 192), Authenticator(Integrity.HMAC_SHA1_96)), (28, 20)),
        (Transform(Protocol.ESP, Cipher(Encryption.NULL, 0), Authenticator(Integrity.HMAC_SHA512_256)), (0, 64)),
        (Transform(Protocol.ESP, Cipher(Encryption.TRIPLE_DES, 192), Authenticator(Integrity.HMAC_MD5_96)), (24, 16)),
        (Transform(Protocol.AH, None, Authenticator(Integrity.AES_GMAC, 16)), (0, 20)),
    ],
)
def test_how_much_an_sa_takes(transform, octets):
    assert material_octets(transform) == octets


def test_an_entry_that_protects_nothing():
    assert processing_of(ENTRY) is ENTRY.processing
    with pytest.raises(Refused):
        processing_of(replace(ENTRY, action=Action.BYPASS, processing=None))


def ground(peer, names=()):
    return SimpleNamespace(peer=peer, names=names)


def test_whom_a_filter_permits_nothing():
    bob, carol = Identity.parse("bob.lab"), Identity.parse("carol.lab")
    only_bob = Demand((Grant("files", admission=Admission((Pattern("bob.lab"),))),))
    check_demand(ENTRY, ground(carol))
    check_demand(replace(ENTRY, demand=only_bob), ground(bob))
    check_demand(replace(ENTRY, demand=only_bob), ground(carol, (carol, bob)))
    with pytest.raises(Refused, match=r'carol\.lab, to whom "files" permits nothing') as refused:
        check_demand(replace(ENTRY, demand=only_bob), ground(carol))
    not_bob = Demand((Grant("files", admission=Admission(deny=(Pattern("bob.lab"),))),))
    with pytest.raises(Refused):
        check_demand(replace(ENTRY, demand=not_bob), ground(carol, (carol, bob)))
    assert refused.value.reason is Reason.NOT_AUTHORIZED
