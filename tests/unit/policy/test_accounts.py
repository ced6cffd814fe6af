# SPDX-License-Identifier: Apache-2.0
import pytest

from ringfence.crypto.certificate import parse_dn
from ringfence.databases.identity import Identity, IdentityKind
from ringfence.policy.accounts import Proving, pattern_of, read
from ringfence.policy.terms import Access


@pytest.mark.parametrize(
    "name",
    ["CORP\\Database Clients", "S-1-5-32-544", "CN=db1, DC", "clients", "O:LSD:(A;;CC;;;S-1-5-1)", "two words.x"],
)
def test_what_only_a_directory_knows(name: str) -> None:
    assert pattern_of(name) is None


@pytest.mark.parametrize(
    "name",
    [
        "*.corp.example",
        "10.0.0.0/8",
        "10.0.0.1",
        "fd00::/8",
        "keyid:00ff",
        "bob@corp.example",
        "CN=db1, DC=corp",
        "dn:3000",
        "2.5.4.3=db1",
    ],
)
def test_what_a_peer_can_prove_now(name: str) -> None:
    found = pattern_of(name)
    assert found is not None
    assert found.text == name


def test_lists_of_whom_some_can_prove_it() -> None:
    found = read(Access(computers=("*.corp.example", "CORP\\Clients")), Access(computers=("eve.corp.example",)))
    assert found.admission.admits(Identity.parse("bob.corp.example"))
    assert not found.admission.admits(Identity.parse("eve.corp.example"))
    assert (found.allowed, found.denied, found.users, found.nobody) == (("CORP\\Clients",), (), (), False)


@pytest.mark.parametrize("allow", [Access(computers=("CORP\\Clients",)), Access(users=("CORP\\alice",)),
                                   Access(computers=("*.corp.example",), users=("CORP\\alice",))])  # fmt: skip
def test_where_nobody_can_prove_it_nobody_is_let_in(allow: Access) -> None:
    found = read(allow, Access())
    assert found.nobody
    assert not found.admission.admits(Identity.parse("bob.corp.example"))


def test_whoever_is_denied_and_cannot_be_known_is_told() -> None:
    found = read(Access(), Access(computers=("CORP\\Guests",), users=("CORP\\eve",)))
    assert (found.denied, found.nobody) == (("CORP\\Guests", "CORP\\eve"), False)


def test_a_distinguished_name_is_known_by_its_attributes() -> None:
    found = read(Access(computers=("CN=DB1,  OU=Servers+O=Corp, DC=example",)), Access(computers=("dc=example",)))
    for text, admitted in (
        ("cn=db1,o=corp+ou=SERVERS,dc=Example", True), ("CN=db1,OU=Servers,O=Corp,DC=example", False),
        ("DC=example,OU=Servers+O=Corp,CN=db1", False), ("DC=example", False),
    ):  # fmt: skip
        assert found.admission.admits(Identity(IdentityKind.DN, parse_dn(text))) is admitted, text
    assert not found.admission.admits(Identity.parse("db1.corp.example"))
    assert (found.allowed, found.denied, found.nobody) == ((), (), False)
    octets = read(Access(computers=(f"dn:{parse_dn('CN=a').hex()}",)), Access())
    assert octets.admission.admits(Identity(IdentityKind.DN, parse_dn("cn=A")))


BOTH = Access(computers=("*.corp.example",), users=("alice", "CORP\\*"))
ALICE, BOB, HOST = (Identity.parse(one) for one in ("user:alice", "user:bob", "db1.corp.example"))


def test_users_who_prove_themselves_are_let_in_by_name() -> None:
    found = read(Access(users=("alice",)), Access(users=("eve",)), Proving.USERS)
    assert [found.admission.admits(one) for one in (ALICE, BOB)] == [True, False]
    assert not found.users
    assert not found.nobody
    assert not read(Access(), Access(users=("bob",)), Proving.USERS).admission.admits(BOB)


def test_a_list_of_computers_has_no_user_in_it() -> None:
    found = read(Access(computers=("*.corp.example",)), Access(), Proving.USERS)
    assert found.nobody
    assert not found.admission.admits(ALICE)
    assert not found.admission.admits(Identity.parse("user:db1.corp.example"))


def test_where_either_comes_in_each_list_is_about_its_own() -> None:
    found = read(BOTH, Access(), Proving.EITHER)
    assert [found.admission.admits(one) for one in (ALICE, BOB, HOST)] == [True, False, True]
    assert read(BOTH, Access(), Proving.USERS).allowed == ("*.corp.example",)
