# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import pytest

from ringfence.crypto.suites import Encryption, Integrity
from ringfence.databases.admission import Admission, Pattern
from ringfence.databases.demand import Demand, Grant, Lack
from ringfence.databases.identity import Identity
from ringfence.testing.associations import AH_SUITES, esp_suite
from ringfence.testing.contracts import make_child

ALICE, BOB = Identity.parse("alice.example"), Identity.parse("bob.example")
ONLY_ALICE = Admission((Pattern("alice.example"),))
GCM, NULL = esp_suite(Encryption.AES_GCM_16), esp_suite(Encryption.NULL, Integrity.HMAC_SHA256_128)
SECRET, READABLE = make_child(GCM), make_child(NULL)


@pytest.mark.parametrize(
    ("grants", "alice", "alice_readable", "bob"),
    [
        ([Grant("f")], None, None, None),
        ([Grant("f", encrypted=True)], None, Lack.ENCRYPTION, None),
        ([Grant("f", admission=ONLY_ALICE)], None, None, Lack.AUTHORITY),
        ([Grant("f", encrypted=True, admission=ONLY_ALICE)], None, Lack.ENCRYPTION, Lack.AUTHORITY),
        ([Grant("f", encrypted=True, admission=ONLY_ALICE), Grant("g")], None, None, None),
        ([Grant("f", admission=ONLY_ALICE), Grant("g", encrypted=True)], None, None, None),
    ],
)
def test_what_suffices(grants: list[Grant], alice: Lack | None, alice_readable: Lack | None, bob: Lack | None) -> None:
    demand = Demand(tuple(grants))
    for inward in (True, False):
        assert demand.lack(replace(SECRET, peer=ALICE), inward=inward) is alice
        assert demand.lack(replace(READABLE, peer=ALICE), inward=inward) is alice_readable
        assert demand.lack(replace(SECRET, peer=BOB), inward=inward) is bob
    assert demand.admits(ALICE)
    assert demand.admits(BOB) is (bob is None)


def test_what_is_negotiated_comes_in_readable_and_leaves_encrypted() -> None:
    demand = Demand((Grant("f", encrypted=True, begins_readable=True, admission=ONLY_ALICE),))
    alice = replace(READABLE, peer=ALICE)
    assert (demand.lack(alice, inward=True), demand.lack(alice, inward=False)) == (None, Lack.ENCRYPTION)
    assert demand.lack(replace(READABLE, peer=BOB), inward=True) is Lack.AUTHORITY
    assert demand.lack(replace(SECRET, peer=ALICE), inward=False) is None


def test_of_whom_nothing_is_known_is_nobody_in_particular() -> None:
    not_bob = Admission(deny=(Pattern("bob.example"),))
    assert Demand((Grant("f"),)).lack(SECRET, inward=True) is None
    for some in (ONLY_ALICE, not_bob):
        assert Demand((Grant("f", admission=some),)).lack(SECRET, inward=True) is Lack.AUTHORITY
        assert not Demand((Grant("f", admission=some),)).admits()
    either = Demand((Grant("f", encrypted=True), Grant("g", admission=ONLY_ALICE)))
    assert either.lack(READABLE, inward=True) is Lack.ENCRYPTION


def test_all_names_that_a_certificate_proves_are_asked() -> None:
    """Whatever of them the peer calls itself: to let in, one will do; to keep out, too."""
    both = replace(SECRET, peer=BOB, names=(BOB, ALICE))
    assert Demand((Grant("f", admission=ONLY_ALICE),)).lack(both, inward=True) is None
    not_alice = Admission(deny=(Pattern("alice.example"),))
    assert Demand((Grant("f", admission=not_alice),)).lack(both, inward=True) is Lack.AUTHORITY
    assert Demand((Grant("f", admission=ONLY_ALICE),)).admits(BOB, ALICE)
    assert not Demand((Grant("f", admission=not_alice),)).admits(BOB, ALICE)


def test_a_bundle_is_encrypted_if_one_of_it_is() -> None:
    assert make_child(GCM, AH_SUITES[2]).encrypted
    assert not make_child(NULL, AH_SUITES[2]).encrypted
    assert not make_child(AH_SUITES[2]).encrypted
    assert not replace(SECRET, inbound=READABLE.inbound).encrypted
