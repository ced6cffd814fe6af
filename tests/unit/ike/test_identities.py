# SPDX-License-Identifier: Apache-2.0
"""Who somebody is, whatever version of IKE says so."""

from dataclasses import replace

import pytest

from ringfence.databases.identity import Identity, IdentityKind
from ringfence.ike.errors import Aborted
from ringfence.ike.identities import claimed, local_identity, same_identity, wanted_identity
from ringfence.testing.hosts import HostPolicy
from ringfence.testing.network import path_between

(ENTRY,) = HostPolicy("192.0.2.1", "192.0.2.2").compiled()[1]
PATH = path_between("192.0.2.1", "192.0.2.2")


def test_names_compare_without_case_and_others_exactly():
    def of(kind, data):
        return Identity(kind, data)

    assert same_identity(of(IdentityKind.FQDN, b"Host"), of(IdentityKind.FQDN, b"hoST"))
    assert same_identity(of(IdentityKind.USER_FQDN, b"A@b"), of(IdentityKind.USER_FQDN, b"a@B"))
    assert not same_identity(of(IdentityKind.FQDN, b"a"), of(IdentityKind.USER_FQDN, b"a"))
    assert not same_identity(of(IdentityKind.KEY_ID, b"A"), of(IdentityKind.KEY_ID, b"a"))


def test_distinguished_names_compare_by_their_attributes():
    one, other = Identity.parse("dn:300c310a300806035504030c0141"), Identity.parse("dn:300c310a30080603550403130161")
    assert one.data != other.data, "UTF-8 and a capital letter, or a printable string and a small one"
    assert same_identity(one, other)
    assert not same_identity(one, Identity.parse("dn:300c310a300806035504030c0142"))


@pytest.mark.parametrize(("kind", "data"), [(200, b"x"), (IdentityKind.FQDN.value, b""),
                                            (IdentityKind.IPV4_ADDRESS.value, bytes(5))])  # fmt: skip
def test_what_nobody_can_be(kind, data):
    with pytest.raises(Aborted):
        claimed(kind, data)


def test_without_a_word_in_the_policy_the_addresses_are_meant():
    assert local_identity(ENTRY, PATH) == Identity.parse("192.0.2.1")
    assert wanted_identity(ENTRY, PATH) == Identity.parse("192.0.2.2")
    bob = Identity.parse("bob.lab")
    named = replace(ENTRY, local_identity=bob, remote_identity=bob)
    assert local_identity(named, PATH) == wanted_identity(named, PATH) == bob
