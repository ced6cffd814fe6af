# SPDX-License-Identifier: Apache-2.0
"""The order of changes: at no moment does a reference lead nowhere, and what others use stays."""

import pytest
from lab.ldif import default_policies

from ringfence.stores.directory.changes import Add, Replace, Touch, changes, deletion
from ringfence.stores.directory.errors import StillReferenced
from ringfence.stores.directory.objects import Catalogue, Class, Entry, broken, closure
from ringfence.testing.directory import called, carried_out

ENTRIES = [Entry.of(dn, values) for dn, values in default_policies().items()]
SECURE = called(ENTRIES, Class.POLICY, "Secure Server (Require Security)")
BELONGING = closure(SECURE, Catalogue(ENTRIES))
ELSEWHERE = [one for one in ENTRIES if one not in BELONGING]


def test_a_new_policy_comes_object_by_object_and_its_own_references_last():
    todo = changes(ELSEWHERE, SECURE, BELONGING)
    assert [type(one) for one in todo] == [Add] * 10 + [Replace] * 4
    assert isinstance(todo[0], Add)
    assert (todo[0].dn, todo[-1].dn) == (SECURE.dn, SECURE.dn)
    assert not {"ipsecnfareference", "ipsecisakmpreference"} & set(todo[0].values)
    assert set(todo[-1].values) == {"ipsecnfareference", "ipsecisakmpreference"}  # type: ignore[union-attr]
    assert {(one.dn, *one.values.items()) for one in carried_out(ELSEWHERE, todo)} == {
        (one.dn, *one.values.items()) for one in ENTRIES
    }


def test_nothing_new_is_nothing_to_do():
    assert changes(ENTRIES, SECURE, BELONGING) == ()


def test_a_change_of_a_filter_list_is_seen_by_whoever_asks_for_the_policy():
    changed = [
        Entry(one.dn, {**one.values, "ipsecname": (b"other",)}) if one.is_a(Class.FILTER) else one for one in BELONGING
    ]
    todo = changes(ENTRIES, SECURE, changed)
    assert [one.dn for one in todo][-1] == SECURE.dn
    assert len(todo) == 3
    assert todo[-1] == Touch(SECURE.dn, {"ipsecdata": SECURE.values["ipsecdata"]})


def test_a_policy_goes_with_its_rules_and_what_others_use_stays():
    todo = deletion(ENTRIES, SECURE.dn)
    after = carried_out(ENTRIES, todo)
    assert list(broken(Catalogue(after))) == []
    gone = {one.dn for one in ENTRIES} - {one.dn for one in after}
    assert len(gone) == 6, "the policy, key exchange settings, three rules, the action of the default response"
    assert {one.text("ipsecName") for one in after if one.is_a(Class.NEGOTIATION)} >= {"Permit", "Require Security"}
    for number in range(len(todo)):
        halfway = Catalogue(carried_out(ENTRIES, todo[: number + 1]))
        nowhere = {what.partition(" names ")[0] for _, what in broken(halfway) if "no such object" in what}
        assert nowhere <= {"ipsecOwnersReference"}, "what is read from the policy downward is there"
    assert deletion(after, SECURE.dn) == ()


def test_an_assigned_policy_is_not_deleted():
    gpo = "CN=IPSEC,CN=Windows,CN=Microsoft,CN=Machine,CN={1},CN=Policies,CN=System,DC=corp,DC=example"
    assigned = Entry.of(gpo, {"objectClass": [b"ipsecPolicy"], "ipsecOwnersReference": [SECURE.dn.encode()]})
    with pytest.raises(StillReferenced, match="is in use by CN=IPSEC") as refused:
        deletion([*ENTRIES, assigned], SECURE.dn)
    assert "Take the assignment off" in str(refused.value)
