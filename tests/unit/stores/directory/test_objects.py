# SPDX-License-Identifier: Apache-2.0
"""Names and references as they compare in a directory."""

from lab.ldif import default_policies

from ringfence.stores.directory.objects import Catalogue, Class, Entry, below, broken, closure, key, parts

ENTRIES = [Entry.of(dn, values) for dn, values in default_policies().items()]


def test_names_compare_without_regard_to_case_and_spaces():
    assert key("CN=IP Security, CN = System,DC=Corp,DC=example") == key("cn=ip security,cn=system,dc=corp;dc=EXAMPLE")
    assert parts(r"CN=a\,b,DC=c") == [r"cn=a\,b", "dc=c"]
    assert parts(r"CN=a\\,DC=c") == [r"cn=a\\", "dc=c"]
    assert parts("") == []
    assert below("OU=Lab,DC=corp,DC=example", "dc=corp,dc=example")
    assert below("dc=corp", "DC=corp")
    assert not below("DC=corp", "OU=Lab,DC=corp")
    assert not below("OU=Lab,DC=xcorp", "DC=corp")


def test_what_an_object_says():
    entry = Entry.of(
        "CN=ipsecNFA{1A},CN=IP Security", {"ipsecName": [b"a", b"b"], "objectClass": [b"top", b"ipsecNfa"]}
    )
    assert (entry.name, entry.guid, entry.text("IPSECNAME"), entry.texts("ipsecName")) == (
        "ipsecNFA{1A}",
        "{1A}",
        "a",
        ("a", "b"),
    )
    assert entry.is_a(Class.NFA)
    assert not entry.is_a(Class.POLICY)
    assert entry.octets("ipsecData") is None
    assert (str(entry.place), entry.place.store) == ("ipsecNFA{1A}", "directory")
    assert Entry.of("CN=IPSEC,CN=Windows", {"ipsecID": [b"{2}"]}).guid == "{2}"


def test_a_policy_and_all_that_belongs_to_it():
    catalogue = Catalogue(ENTRIES)
    sizes = [len(closure(policy, catalogue)) for policy in catalogue.of_class(Class.POLICY)]
    assert sizes == [10, 4, 10]


def test_references_of_windows_are_whole_and_broken_ones_are_named():
    assert list(broken(Catalogue(ENTRIES))) == []
    gone = next(one for one in ENTRIES if one.is_a(Class.FILTER))
    rule = next(one for one in ENTRIES if one.dn == gone.texts("ipsecOwnersReference")[0])
    found = list(broken(Catalogue(one for one in ENTRIES if one is not gone)))
    assert (rule, f"ipsecFilterReference names {gone.dn}, and there is no such object") in found
    assert len(found) == 2
    alone = Entry(gone.dn, {**gone.values, "ipsecownersreference": ()})
    found = list(broken(Catalogue([*(one for one in ENTRIES if one is not gone), alone])))
    assert all("does not name it" in what for _, what in found)
    assert len(found) == 2
    policy = next(one for one in ENTRIES if one.is_a(Class.POLICY))
    strange = Entry(gone.dn, {**gone.values, "ipsecownersreference": (policy.dn.encode(), b"CN=nobody")})
    said = [
        what
        for entry, what in broken(Catalogue([*(one for one in ENTRIES if one is not gone), strange]))
        if entry is strange
    ]
    assert said == [
        f"ipsecOwnersReference names {policy.name}, which does not refer to it",
        "ipsecOwnersReference names CN=nobody, and there is no such object",
    ]
