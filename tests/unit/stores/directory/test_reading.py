# SPDX-License-Identifier: Apache-2.0
"""The default policies of Windows as a policy, and what becomes of objects that are broken."""

from dataclasses import replace

import pytest
from lab.ldif import default_policies

from ringfence.databases.proposal import Limits
from ringfence.databases.spd import Action
from ringfence.policy.compile import HostFacts, compile_policy
from ringfence.policy.defaults import CLASSIC_MAIN_MODE, CLASSIC_METHODS, DEFAULT_POLICIES, FILTER_ACTIONS, FILTER_LISTS
from ringfence.policy.errors import PolicyError, Severity
from ringfence.policy.model import Policy
from ringfence.policy.terms import Kerberos
from ringfence.policy.windows import DYNAMIC, Response
from ringfence.stores.directory import blobs
from ringfence.stores.directory.objects import Class, Entry
from ringfence.stores.directory.reading import read_policy
from ringfence.testing.directory import called, changed, without

ENTRIES = [Entry.of(dn, values) for dn, values in default_policies().items()]
SECURE = "Secure Server (Require Security)"
REQUIRE, PERMIT = (
    "ipsecNegotiationPolicy{7238523F-70FA-11D1-864C-14A300000000}",
    "ipsecNegotiationPolicy{7238523B-70FA-11D1-864C-14A300000000}",
)
POLICY = "ipsecPolicy{7238523C-70FA-11D1-864C-14A300000000}"
ALL_IP = "ipsecFilter{7238523A-70FA-11D1-864C-14A300000000}"
RULE, ISAKMP = (
    "ipsecNFA{7238523E-70FA-11D1-864C-14A300000000}",
    "ipsecISAKMPPolicy{7238523D-70FA-11D1-864C-14A300000000}",
)

CONTAINER = ",CN=IP Security,CN=System,DC=corp,DC=example"

WRONG_KIND = f"ipsecData of CN={ALL_IP}{CONTAINER}: no record of the kind that belongs here at octet 0"


def read(name: str, entries: list[Entry] = ENTRIES):
    return read_policy(called(entries, Class.POLICY, name).dn, entries)


def refusal(entries: list[Entry]) -> str:
    with pytest.raises(PolicyError) as refused:
        read(SECURE, entries)
    return "\n".join(str(one) for one in refused.value.findings if one.severity is Severity.ERROR)


@pytest.mark.parametrize("name", [*DEFAULT_POLICIES])
def test_the_default_policies_are_what_we_ship_but_for_todays_methods(name):
    found = read(name)
    ipsec = found.policy.ipsec
    assert ipsec is not None
    assert (ipsec.name, ipsec.poll_interval_s, ipsec.legacy) == (name, 180 * 60, True)
    bare = {(one.filter_list, one.filter_action, one.name) for one in ipsec.own_rules}
    assert bare == {(one.filter_list, one.filter_action, one.name) for one in DEFAULT_POLICIES[name]}
    for rule in ipsec.own_rules:
        assert (rule.auth, rule.tunnel, rule.enabled) == ((Kerberos(),), None, True)
    mode = ipsec.main_mode
    assert tuple(map(str, mode.methods)) == CLASSIC_MAIN_MODE
    assert (mode.lifetime_s, mode.sessions, mode.pfs) == (28_800, 0, False)
    assert {one.limits for one in mode.methods} == {Limits(seconds=28_800)}
    for action in found.policy.filter_actions:
        ours = FILTER_ACTIONS[action.name]
        assert action.methods == CLASSIC_METHODS.get(action.name, ())
        assert (action.response, action.pfs) == (ours.response, ours.pfs)
        if action.name != "Default Response":  # which holds no clear traffic up, whatever is stored
            assert (action.accept_unsecured, action.fallback_to_clear) == (
                ours.accept_unsecured,
                ours.fallback_to_clear,
            )
    for one in found.policy.filter_lists:
        bare_filters = tuple(replace(each, description="") for each in one.filters)
        assert bare_filters == FILTER_LISTS[one.name].filters[:1]
    assert not found.keys
    (warning,) = found.findings
    assert "too weak to protect anything for long" in warning.message


def test_origins_are_objects_of_the_directory():
    policy = read(SECURE).policy
    assert policy.ipsec is not None
    (rule,) = (one for one in policy.ipsec.own_rules if one.name == "Require Security")
    assert rule.place.told == f"{RULE} (directory store)"
    assert {str(one.place) for one in policy.filter_lists} == {ALL_IP, ALL_IP.replace("3A", "35")}


def verdicts(policy: Policy) -> set[Action]:
    """What happens to what this computer sends by TCP."""
    compiled = compile_policy(policy, HostFacts((b"\x0a\0\0\1",)), {})
    return {
        entry.action for entry in compiled.spd.entries if entry.selector.protocol is None and entry.origin.filter_list
    }


@pytest.mark.parametrize(
    "entries",
    [
        changed(ENTRIES, REQUIRE, ipsecData=b"broken"),
        changed(ENTRIES, REQUIRE, ipsecData=None),
        changed(ENTRIES, REQUIRE, ipsecNegotiationPolicyAction=b"{00000000-0000-0000-0000-000000000000}"),
        changed(ENTRIES, REQUIRE, ipsecData=blobs.encode_negotiation(blobs.Blob(blobs.NegotiationRecord(())))),
        changed(ENTRIES, RULE, ipsecNegotiationPolicyReference=b"CN=nobody"),
        changed(ENTRIES, RULE, ipsecNegotiationPolicyReference=None),
        without(ENTRIES, REQUIRE),
    ],
)
def test_a_rule_whose_action_is_not_known_blocks_and_the_others_hold(entries):
    found = read(SECURE, entries)
    assert found.policy.ipsec is not None
    (rule,) = (one for one in found.policy.ipsec.own_rules if one.name == "Require Security")
    (action,) = (one for one in found.policy.filter_actions if one.name == rule.filter_action)
    assert action.response is Response.BLOCK
    assert "Permit" in {one.name for one in found.policy.filter_actions}
    said = "\n".join(map(str, found.findings))
    assert f'rule "Require Security" (CN={RULE},CN=IP Security,CN=System,DC=corp,DC=example)' in said
    assert "it blocks" in said


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        (changed(ENTRIES, ALL_IP, ipsecData=b"x" * 30), WRONG_KIND),
        (without(ENTRIES, ALL_IP), "ipsecFilterReference of"),
        (changed(ENTRIES, RULE, ipsecData=b""), "wanted, 0 left at octet 0"),
        (changed(ENTRIES, RULE, ipsecFilterReference=None), "ipsecFilterReference, is missing"),
        (without(ENTRIES, RULE), "which is not there, or may not be read"),
        (changed(ENTRIES, ISAKMP, ipsecData=b"x"), f"ipsecData of CN={ISAKMP}"),
        (without(ENTRIES, ISAKMP), "ipsecISAKMPReference"),
        (changed(ENTRIES, POLICY, ipsecISAKMPReference=None), "ipsecISAKMPReference is missing"),
        (changed(ENTRIES, POLICY, ipsecNFAReference=None), "ipsecNFAReference names no rule"),
        (changed(ENTRIES, POLICY, ipsecData=None), "is missing"),
        (changed(ENTRIES, RULE, objectClass=b"ipsecFilter"), "which is no ipsecNFA"),
    ],
)  # fmt: skip
def test_a_policy_of_which_it_is_not_known_what_it_is_about_is_refused_by_name(entries, words):
    assert words in refusal(entries)


def test_a_policy_that_is_not_there():
    with pytest.raises(PolicyError, match="is not there, or may not be read"):
        read_policy("CN=ipsecPolicy{0}", ENTRIES)


def test_a_filter_that_means_nothing_known_refuses_the_policy_unless_its_rule_is_off():
    data = next(one for one in ENTRIES if one.name == ALL_IP).octets("ipsecData")
    assert data is not None
    wrong = changed(ENTRIES, ALL_IP, ipsecData=data.replace(bytes.fromhex("ffffffff"), bytes.fromhex("ff00ff00")))
    assert "filter 1, whose mask 255.0.255.0 is none of a network" in refusal(wrong)
    rule = next(one for one in ENTRIES if one.name == RULE).octets("ipsecData")
    assert rule is not None
    off = rule[:52] + bytes(4) + rule[56:]
    found = read(SECURE, changed(wrong, RULE, ipsecData=off))
    assert found.policy.ipsec is not None
    assert "Require Security" not in {one.name for one in found.policy.ipsec.own_rules}
    assert any("255.0.255.0" in str(one) for one in found.findings)


def test_what_blocks_reaches_the_databases():
    found = read(SECURE, without(ENTRIES, REQUIRE))
    assert found.policy.ipsec is not None
    rules = tuple(one for one in found.policy.ipsec.own_rules if one.filter_list != DYNAMIC)
    policy = replace(found.policy, ipsec=replace(found.policy.ipsec, own_rules=rules))
    assert verdicts(policy) == {Action.DISCARD}


def test_lists_and_actions_of_one_name_are_told_apart():
    other = next(one for one in ENTRIES if one.text("ipsecName") == "All ICMP Traffic")
    found = read(SECURE, changed(ENTRIES, other.name, ipsecName=b"All IP Traffic"))
    first, second = sorted(one.name for one in found.policy.filter_lists)
    assert first == "All IP Traffic"
    assert second in (f"All IP Traffic {other.guid}", f"All IP Traffic {called(ENTRIES, Class.FILTER, first).guid}")
