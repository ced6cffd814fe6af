# SPDX-License-Identifier: Apache-2.0
"""A second proof as far as it is no exchange; those are in tests/protocol/test_ikev2_second_proof.py."""

from dataclasses import replace

import pytest
from lab.authority import authority

from ringfence.crypto.certificate import Certificate
from ringfence.crypto.signature import KeyKind
from ringfence.databases.admission import Admission, Pattern
from ringfence.databases.certification import CertificateAuth, OwnCertificate
from ringfence.databases.eap import EapAuth, EapMethod, EapUser, Users
from ringfence.databases.identity import Identity, IdentityKind
from ringfence.databases.pad import PadEntry
from ringfence.databases.spd import Origin
from ringfence.ike.errors import Aborted, Reason
from ringfence.ike.payload import Chain, Decoded
from ringfence.ike.v2 import further
from ringfence.ike.v2.notifies import Notify
from ringfence.ike.v2.payloads import NotifyPayload

ROOT = authority()
CAROL = ROOT.issue("CN=carol,O=Lab", names=("carol@lab", "carol.lab"))
USER = EapAuth((EapMethod.MSCHAPV2,), None, EapUser("alice"))
GATE = EapAuth((EapMethod.MSCHAPV2,), None, None, Users("users"))
BY_CERTIFICATE = CertificateAuth("CN=Lab CA", KeyKind.P256, (ROOT.der,))
OWN = replace(BY_CERTIFICATE, own=(OwnCertificate("carol", (CAROL.der,)),))
ENTRY = PadEntry("peers", (), (), (), Origin("rule"))


def chain(*kinds):
    return Chain(tuple(Decoded(NotifyPayload(one), b"") for one in kinds))


ABLE = chain(Notify.MULTIPLE_AUTH_SUPPORTED)


def test_who_may_ask_announces_it():
    assert further.announcement([ENTRY, replace(ENTRY, second=(USER,))]) == ()
    for way in (GATE, BY_CERTIFICATE):
        [said] = further.announcement([ENTRY, replace(ENTRY, second=(way,))])
        assert said.kind == Notify.MULTIPLE_AUTH_SUPPORTED
    assert further.is_served(ABLE)
    assert not further.is_served(chain())
    assert further.follows(chain(Notify.ANOTHER_AUTH_FOLLOWS))


def test_how_our_user_proves_himself():
    wanting = replace(ENTRY, second=(BY_CERTIFICATE, GATE, USER, OWN))
    assert further.own_way(wanting, ABLE) == USER
    assert further.own_way(ENTRY, ABLE) is None
    assert further.own_way(replace(wanting, second_optional=True), chain()) is None


@pytest.mark.parametrize(("terms", "first", "reason"), [
    ({"second": (USER,)}, chain(), Reason.WRONG_METHOD),
    ({"second": (GATE, BY_CERTIFICATE)}, ABLE, Reason.NO_CERTIFICATE),
    ({"second": (USER,), "users": (Admission((Pattern("a", user=True),)),)}, ABLE, Reason.NOT_AUTHORIZED),
])  # fmt: skip
def test_and_why_nothing_is_begun(terms, first, reason):
    with pytest.raises(Aborted) as caught:
        further.own_way(replace(ENTRY, **terms), first)
    assert caught.value.reason is reason


def test_entries_that_want_as_much_as_the_peer_gives_come_first():
    one, two = ENTRY, replace(ENTRY, second=(GATE,))
    assert further.ordered((one, two), chain(Notify.ANOTHER_AUTH_FOLLOWS)) == (two, one)
    assert further.ordered((two, one), chain()) == (one, two)


def test_behind_eap_there_is_no_second_proof():
    further.check_alone(ENTRY)
    further.check_alone(replace(ENTRY, second=(GATE,), second_optional=True))
    with pytest.raises(Aborted):
        further.check_alone(replace(ENTRY, second=(GATE,)))


def test_a_user_is_called_by_each_name_of_his_certificate():
    names = {one.data.decode() for one in further.users_of(Certificate.read(CAROL.der))}
    assert names == {"carol", "carol@lab", "carol.lab", "CN=carol,O=Lab"}
    assert {one.kind for one in further.users_of(Certificate.read(CAROL.der))} == {IdentityKind.USER}
    assert Identity(IdentityKind.USER, b"carol") in further.users_of(Certificate.read(CAROL.der))
