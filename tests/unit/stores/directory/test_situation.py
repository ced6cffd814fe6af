# SPDX-License-Identifier: Apache-2.0
"""What decides is found in the directory: account, groups, site, OUs, GPOs."""

import pytest

from ringfence.stores.directory.connection import SD_FLAGS
from ringfence.stores.directory.errors import DirectoryFailed
from ringfence.stores.directory.grouppolicy import pointer
from ringfence.stores.directory.objects import Entry
from ringfence.stores.directory.situation import Root, parent, root_of, site_of, situation_of
from ringfence.testing.directory import MemoryDirectory

BASE, CONFIGURATION = "DC=corp,DC=example", "CN=Configuration,DC=corp,DC=example"
OU = f"OU=lab,{BASE}"
SID = bytes.fromhex("01050000000000051500000001000000020000000300000050040000")
GROUP = bytes.fromhex("01050000000000051500000001000000020000000300000003020000")
SITE = f"CN=Branch,CN=Sites,{CONFIGURATION}"


def gpo(name: str) -> str:
    return f"CN={{{name}}},CN=Policies,CN=System,{BASE}"


def link(name: str) -> bytes:
    return f"[LDAP://{gpo(name)};0]".encode()


def subnet(name: str, site: str) -> Entry:
    dn = f"CN={name},CN=Subnets,CN=Sites,{CONFIGURATION}"
    return Entry.of(dn, {"objectClass": [b"subnet"], "cn": [name.encode()], "siteObject": [site.encode()]})


ROOT = Entry.of("", {
    "defaultNamingContext": [BASE.encode()], "configurationNamingContext": [CONFIGURATION.encode()],
    "supportedControl": [b"1.2", SD_FLAGS.encode()],
})  # fmt: skip
ACCOUNT = Entry.of(
    f"CN=alice,CN=things,{OU}", {"sAMAccountName": [b"ALICE$"], "objectSid": [SID], "tokenGroups": [GROUP]}
)
ENTRIES = [
    ROOT, ACCOUNT,
    Entry.of(BASE, {"objectClass": [b"top", b"domainDNS"], "gPLink": [link("1")]}),
    Entry.of(OU, {"objectClass": [b"organizationalUnit"], "gPLink": [link("2") + link("1")]}),
    Entry.of(f"CN=things,{OU}", {"objectClass": [b"container"], "gPLink": [link("9")]}),
    Entry.of(SITE, {"objectClass": [b"site"], "gPLink": [link("3")]}),
    *(subnet(*one) for one in (("10.0.0.0/8", "CN=Other"), ("10.1.0.0/16", SITE), ("odd", SITE))),
    *(Entry.of(gpo(one), {"displayName": [one.encode()], "nTSecurityDescriptor": [b"x"]}) for one in "1239"),
    *(Entry.of(pointer(gpo(one)), {"ipsecName": [one.encode()]}) for one in "12"),
]  # fmt: skip


def test_a_server_says_what_it_is():
    assert root_of(MemoryDirectory(ENTRIES)) == Root(BASE, CONFIGURATION, True)
    assert root_of(MemoryDirectory([Entry.of("", {"namingContexts": [BASE.encode()]})])) == Root(BASE, "", False)
    assert root_of(MemoryDirectory([]), "DC=x").domain == "DC=x"
    with pytest.raises(DirectoryFailed, match="which domain"):
        root_of(MemoryDirectory([]))


def test_all_that_decides_is_found():
    found = situation_of(MemoryDirectory(ENTRIES), Root(BASE, CONFIGURATION, True), "alice$", ["10.1.2.3"])
    assert [one.dn for one in found.path] == [SITE, BASE, OU], "containers have no links"
    assert found.sids == {"S-1-1-0", "S-1-5-11", "S-1-5-21-1-2-3-1104", "S-1-5-21-1-2-3-515"}
    assert sorted(one.name for one in found.objects) == ["IPSEC", "IPSEC", "{1}", "{2}", "{3}"]
    first = found.objects.get(gpo("1"))
    assert first is not None
    assert first.octets("nTSecurityDescriptor") == b"x"


def test_an_address_in_no_network_of_a_site_has_none():
    found = situation_of(
        MemoryDirectory(ENTRIES), Root(BASE, CONFIGURATION, True), "ALICE$", ["192.0.2.1", "2001:db8::1"]
    )
    assert [one.dn for one in found.path] == [BASE, OU]
    assert [
        one.dn for one in situation_of(MemoryDirectory(ENTRIES), Root(BASE, "", True), "ALICE$", ["10.1.2.3"]).path
    ] == [BASE, OU]


def test_the_smallest_network_names_the_site():
    subnets = [one for one in ENTRIES if "CN=Subnets" in one.dn]
    assert [site_of(subnets, [one]) for one in ("10.1.0.1", "10.2.0.1", "11.0.0.1")] == [SITE, "CN=Other", ""]


def test_an_account_has_to_be_there_once():
    with pytest.raises(DirectoryFailed, match=r"no account called BOB\$"):
        situation_of(MemoryDirectory(ENTRIES), Root(BASE, "", True), "BOB$")
    twice = Entry.of(f"CN=other,{BASE}", ACCOUNT.values)
    with pytest.raises(DirectoryFailed, match="2 accounts"):
        situation_of(MemoryDirectory([*ENTRIES, twice]), Root(BASE, "", True), "ALICE$")
    broken = [Entry(one.dn, {**one.values, "objectsid": (b"x",)}) if one is ACCOUNT else one for one in ENTRIES]
    with pytest.raises(DirectoryFailed, match="groups of"):
        situation_of(MemoryDirectory(broken), Root(BASE, "", True), "ALICE$")


def test_names_are_asked_for_literally():
    asked: list[str] = []

    class Listening(MemoryDirectory):
        def search(self, base, scope, query="(objectClass=*)", attributes=(), *, security=False):  # type: ignore[no-untyped-def]
            asked.append(query)
            return super().search(base, scope, query, attributes, security=security)

    with pytest.raises(DirectoryFailed):
        situation_of(Listening(ENTRIES), Root(BASE, "", True), "*)(cn=\\")
    assert asked == [r"(sAMAccountName=\2a\29\28cn=\5c)"]


def test_what_an_object_is_in():
    assert [parent(ACCOUNT.dn), parent(r"CN=a\,b,DC=c"), parent("DC=c")] == [f"CN=things,{OU}", "DC=c", ""]
