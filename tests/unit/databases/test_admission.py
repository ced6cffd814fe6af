# SPDX-License-Identifier: Apache-2.0
import pytest

from ringfence.databases.admission import Admission, Pattern
from ringfence.databases.identity import Identity
from ringfence.net.address import AddressRange

ALICE = Identity.parse("alice.corp.example")


@pytest.mark.parametrize(
    ("text", "identity", "fits"),
    [
        ("alice.corp.example", "ALICE.corp.example.", True),
        ("*.corp.example", "alice.corp.example", True),
        ("*.corp.example", "corp.example", False),
        ("*.corp.example", "alice.corp.example.org", False),
        ("[ab]lice.corp.example", "alice.corp.example", False),
        ("*@corp.example", "alice@corp.example", True),
        ("*", "keyid:00ff", False),
    ],
)
def test_names_with_stars(text: str, identity: str, fits: bool) -> None:
    assert Pattern(text).fits(Identity.parse(identity)) is fits


def test_addresses_and_octets() -> None:
    network = Pattern("10.0.0.0/8", addresses=AddressRange.parse("10.0.0.0/8"))
    assert network.fits(Identity.parse("10.1.2.3"))
    assert not network.fits(Identity.parse("192.0.2.1"))
    assert not network.fits(ALICE)
    key = Identity.parse("keyid:00ff")
    assert Pattern("keyid:00ff", identity=key).fits(key)
    assert not Pattern("keyid:00ff", identity=key).fits(ALICE)


def test_who_is_denied_is_kept_out_even_if_allowed() -> None:
    everybody, corp, alice = Admission(), (Pattern("*.corp.example"),), (Pattern("alice.corp.example"),)
    assert everybody.admits(ALICE)
    assert Admission(allow=corp).admits(ALICE)
    assert not Admission(allow=corp).admits(Identity.parse("alice.example"))
    assert not Admission(allow=corp, deny=alice).admits(ALICE)
    assert not Admission(deny=alice).admits(ALICE)


def test_users_and_computers_of_one_name_are_not_the_same() -> None:
    user, computer = Identity.parse("user:db1.corp.example"), Identity.parse("db1.corp.example")
    for_users, for_computers = Pattern("*.corp.example", user=True), Pattern("*.corp.example")
    assert [for_users.fits(one) for one in (user, computer)] == [True, False]
    assert [for_computers.fits(one) for one in (user, computer)] == [False, True]
    address = Pattern("10.0.0.0/8", addresses=AddressRange.parse("10.0.0.0/8"))
    assert not address.fits(Identity.parse("user:10.0.0.1"))
    assert not Pattern("keyid:00ff", identity=Identity.parse("keyid:00ff")).fits(Identity.parse("user:keyid:00ff"))
    assert Pattern("CORP\\*", user=True).fits(Identity.parse("user:corp\\Alice"))
