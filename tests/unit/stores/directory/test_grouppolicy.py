# SPDX-License-Identifier: Apache-2.0
"""Which GPO's policy counts: order, enforcement, blocked inheritance, and every filter, each with its reason."""

from struct import pack

import pytest

from ringfence.stores.directory.acl import APPLY_GROUP_POLICY, AUTHENTICATED
from ringfence.stores.directory.grouppolicy import EXTENSION, Decision, Situation, decide, links, pointer, precedence
from ringfence.stores.directory.objects import Catalogue, Entry

BASE = "DC=corp,DC=example"
EVERYBODY_MAY = (
    bytes([1, 0]) + pack("<HIIII", 0x8004, 0, 0, 0, 20) + bytes([4, 0]) + pack("<HHH", 48, 1, 0)
    + bytes([5, 0]) + pack("<HII", 40, 0x100, 1) + APPLY_GROUP_POLICY.bytes_le
    + bytes([1, 1, 0, 0, 0, 0, 0, 5]) + pack("<I", 11)
)  # fmt: skip
NOBODY_MAY = EVERYBODY_MAY[:-4] + pack("<I", 7)


def gpo_dn(name: str) -> str:
    return f"CN={{{name}}},CN=Policies,CN=System,{BASE}"


def gpo(name: str, **values: bytes) -> list[Entry]:
    """A GPO with a policy of its own name."""
    said = {
        "displayName": name.encode(), "flags": b"0", "versionNumber": b"1",
        "gPCMachineExtensionNames": f"[{EXTENSION}]".encode(),
        "nTSecurityDescriptor": EVERYBODY_MAY,
    } | values  # fmt: skip
    return [
        Entry.of(gpo_dn(name), {one: [value] for one, value in said.items() if value}),
        Entry.of(pointer(gpo_dn(name)), {
            "objectClass": [b"ipsecPolicy"], "ipsecName": [f"policy {name}".encode()],
            "ipsecOwnersReference": [f"CN=ipsecPolicy{{{name}}},CN=IP Security,CN=System,{BASE}".encode()],
        }),
    ]  # fmt: skip


def at(dn: str, *linked: str, block: bool = False) -> Entry:
    """A site, domain or OU with links: ``a``, ``!b`` (enforced), ``-c`` (disabled)."""
    options = {"!": 2, "-": 1}
    text = "".join(f"[LDAP://{gpo_dn(one.lstrip('!-'))};{options.get(one[0], 0)}]" for one in linked)
    return Entry.of(dn, {"gPLink": [text.encode()], "gPOptions": [b"1" if block else b"0"]})


def ordered(*path: Entry) -> list[str]:
    return [one.gpo[4] for one in precedence(path)[0]]


SITE, DOMAIN, OUTER, INNER = "CN=Site", BASE, f"OU=outer,{BASE}", f"OU=inner,OU=outer,{BASE}"


def test_links_are_read_from_the_left():
    found = list(links(at(DOMAIN, "a", "!b", "-c")))
    assert [(one.gpo, one.enforced, one.disabled) for one in found] == [
        (gpo_dn("a"), False, False), (gpo_dn("b"), True, False), (gpo_dn("c"), False, True),
    ]  # fmt: skip
    assert list(links(Entry.of(DOMAIN, {"gPLink": [b" "]}))) == []
    assert list(links(Entry.of(DOMAIN, {}))) == []


def test_site_domain_and_ous_count_in_this_order_the_last_link_most():
    assert ordered(at(SITE, "a", "b"), at(DOMAIN, "c"), at(OUTER, "d"), at(INNER, "e", "f")) == list("abcdef")


def test_enforced_links_count_most_and_those_above_more_than_those_below():
    assert ordered(at(SITE, "!a"), at(DOMAIN, "!b", "c", "!d"), at(INNER, "!e", "f")) == list("cfebda")


def test_blocked_inheritance_lets_through_what_is_enforced():
    path = at(SITE, "a"), at(DOMAIN, "b", "!c"), at(OUTER, "d"), at(INNER, "e", block=True)
    assert ordered(*path) == list("ec")
    assert [(link.gpo[4], by.dn) for link, by in precedence(path)[1]] == [(one, INNER) for one in "abd"]


def decided(
    *path: Entry, gpos: list[Entry], sids: tuple[str, ...] = (AUTHENTICATED,), has_acls: bool = True
) -> Decision:
    return decide(Situation(path, Catalogue(gpos), sids, has_acls))


def test_the_last_one_has_its_way_and_the_others_hear_why():
    found = decided(at(DOMAIN, "a"), at(OUTER, "b"), at(INNER, "-c"), gpos=[*gpo("a"), *gpo("b"), *gpo("c")])
    assert found.winner is not None
    assert (found.winner.gpo, found.winner.policy_name, found.winner.link.at.dn) == ("b", "policy b", OUTER)
    assert found.winner.policy == f"CN=ipsecPolicy{{b}},CN=IP Security,CN=System,{BASE}"
    assert [(one.gpo, one.policy_name, one.why) for one in found.passed_over] == [
        ("c", "policy c", "its link is disabled"),
        ("a", "policy a", '"b" counts after it, and IPsec policies do not merge'),
    ]


def test_blocked_ones_are_named_too():
    found = decided(at(DOMAIN, "a"), at(OUTER, block=True), gpos=gpo("a"))
    assert found.winner is None
    assert [(one.gpo, one.why) for one in found.passed_over] == [("a", f"{OUTER} blocks inheritance")]


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"flags": b"2"}, "its settings for computers are switched off"),
        ({"flags": b"3"}, "its settings for computers are switched off"),
        ({"gPCWQLFilter": b"[corp.example;{1};0]"}, "it has a WMI filter, which is not evaluated here"),
        ({"nTSecurityDescriptor": NOBODY_MAY}, "security filtering"),
        ({"nTSecurityDescriptor": b"broken"}, "security filtering"),
        ({"nTSecurityDescriptor": b""}, "security filtering"),
        ({"versionNumber": b"65536"}, "it is empty"),
        ({"gPCMachineExtensionNames": b"[{35378EAC-683F-11D2-A89A-00C04FBBCFA2}]"}, "it names no IPsec extension"),
    ],
)
def test_filters_of_a_gpo(changed, why):
    found = decided(at(DOMAIN, "a", "b"), gpos=[*gpo("a"), *gpo("b", **changed)])
    assert found.winner is not None
    assert found.winner.gpo == "a"
    (passed,) = found.passed_over
    assert passed.why.startswith(why)


@pytest.mark.parametrize(
    "changed", [{"flags": b"1"}, {"flags": b""}, {"gPCWQLFilter": b" "}, {"versionNumber": b"65537"}]
)
def test_what_does_not_filter(changed):
    found = decided(at(DOMAIN, "a"), gpos=gpo("a", **changed))
    assert found.winner is not None


def test_a_server_without_access_control_lists_shows_what_counts():
    bare = gpo("a", nTSecurityDescriptor=b"")
    assert decided(at(DOMAIN, "a"), gpos=bare).winner is None
    assert decided(at(DOMAIN, "a"), gpos=bare, has_acls=False).winner is not None


def test_gpos_that_are_not_there_or_assign_nothing_are_passed_over():
    found = decided(at(DOMAIN, "a", "b", "c"), gpos=[*gpo("a"), gpo("b")[0]])
    assert found.winner is not None
    assert [(one.gpo, one.why) for one in found.passed_over] == [
        (gpo_dn("c"), "it is not there, or this computer may not read it"), ("b", "it assigns no IPsec policy"),
    ]  # fmt: skip


def test_who_is_in_no_group_of_the_list_gets_nothing():
    assert decided(at(DOMAIN, "a"), gpos=gpo("a"), sids=("S-1-5-21-1-2-3-1104",)).winner is None
