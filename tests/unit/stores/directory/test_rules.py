# SPDX-License-Identifier: Apache-2.0
"""Rules of a directory: how both sides prove who they are, tunnels, kinds of connection, the default response."""

from dataclasses import replace

import pytest
from lab.ldif import default_policies

from ringfence.net.address import parse_address
from ringfence.policy.errors import PolicyError
from ringfence.policy.ipfilter import parse_filter
from ringfence.policy.scope import Connection
from ringfence.policy.terms import Certificate, Kerberos, PskFile
from ringfence.policy.windows import DYNAMIC, PolicyRule, Response
from ringfence.stores.directory import blobs
from ringfence.stores.directory.filters import blob_of
from ringfence.stores.directory.objects import Class, Entry
from ringfence.stores.directory.reading import DirectoryPolicy, read_policy
from ringfence.stores.directory.records import AuthMethod, NfaRecord, TunnelV6, text_octets
from ringfence.testing.directory import called, changed

ENTRIES = [Entry.of(dn, values) for dn, values in default_policies().items()]
SECURE = called(ENTRIES, Class.POLICY, "Secure Server (Require Security)")
RULE = "ipsecNFA{7238523E-70FA-11D1-864C-14A300000000}"
ICMP = "ipsecNFA{594272FD-071D-11D3-AD22-0060B0ECCA17}"
RESPONSE = "ipsecNFA{59319BF3-5EE3-11D2-ACE8-0060B0ECCA17}"
KERBEROS = AuthMethod(5, b"\0\0")
PLAIN = NfaRecord((KERBEROS,), 0xFFFFFFFD, b"\0\0", bytes(4), 0, 1, b"\0\0")


def read(record: NfaRecord, name: str = RULE, entries: list[Entry] = ENTRIES, **parts: object) -> DirectoryPolicy:
    blob = replace(blobs.NfaBlob(record), **parts)  # type: ignore[arg-type]
    return read_policy(SECURE.dn, changed(entries, name, ipsecData=blobs.encode_nfa(blob)))


def rule(found: DirectoryPolicy, name: str = "Require Security") -> PolicyRule:
    assert found.policy.ipsec is not None
    (one,) = (each for each in found.policy.ipsec.own_rules if each.name == name)
    return one


def test_ways_to_authenticate_in_their_order():
    auth = (AuthMethod(3, text_octets("O=Corp, CN=Root")), AuthMethod(1, text_octets("Open Sesame")), KERBEROS)
    found = read(replace(PLAIN, auth=auth), flags=(3, 0, 0))
    psk = PskFile("directory/1-require-security.psk")
    certificate = Certificate("O=Corp, CN=Root", mapping=True, exclude_ca_name=True)
    assert rule(found).auth == (certificate, psk, Kerberos())
    assert found.keys[psk.file].reveal() == b"Open Sesame"
    assert "Open Sesame" not in repr(found)


def test_unknown_ways_are_left_out_and_with_none_left_the_rule_blocks():
    found = read(replace(PLAIN, auth=(AuthMethod(9, b""), AuthMethod(1, b"\0"), KERBEROS)))
    assert rule(found).auth == (Kerberos(),)
    said = "\n".join(map(str, found.findings))
    assert "way to authenticate 1, whose kind 9" in said
    assert "way to authenticate 2, whose data is no text" in said
    found = read(replace(PLAIN, auth=()))
    actions = {one.name: one for one in found.policy.filter_actions}
    assert actions[rule(found).filter_action].response is Response.BLOCK
    found = read(replace(PLAIN, auth=()), ICMP)
    assert actions_of(found, "Permit unsecure ICMP packets to pass through.") is Response.PERMIT


def actions_of(found: DirectoryPolicy, name: str) -> Response:
    return {one.name: one.response for one in found.policy.filter_actions}[rule(found, name).filter_action]


@pytest.mark.parametrize(
    ("number", "connection"),
    [(0xFFFFFFFF, Connection.REMOTE_ACCESS), (0xFFFFFFFE, Connection.LAN), (0xFFFFFFFD, Connection.ALL)],
)
def test_kinds_of_connection(number, connection):
    assert rule(read(replace(PLAIN, interface=number))).connection is connection
    assert rule(read(replace(PLAIN, interface=number, is_active=0))).enabled is False


def test_an_unknown_kind_of_connection_refuses_the_policy():
    with pytest.raises(PolicyError, match="connections of kind 0x1"):
        read(replace(PLAIN, interface=1))


def tunnelled(entries: list[Entry], name: str, end: str, *words: str) -> list[Entry]:
    """The rule's own filter list with these filters, and the end of its tunnel."""
    address = parse_address(end)
    record = replace(PLAIN, is_tunnel=1, tunnel=address if len(address) == 4 else bytes(4))
    blob = blobs.NfaBlob(record, tunnel_v6=TunnelV6(address) if len(address) == 16 else None)
    (dn,) = next(one for one in entries if one.name == name).texts("ipsecFilterReference")
    filters = blob_of([(parse_filter(one), bytes(16)) for one in words])
    entries = changed(entries, name, ipsecData=blobs.encode_nfa(blob))
    return changed(entries, Entry(dn, {}).name, ipsecData=blobs.encode_filters(filters))


def two_rules() -> list[Entry]:
    """Both rules of the policy require security."""
    require = next(one for one in ENTRIES if one.name == RULE).octets("ipsecNegotiationPolicyReference")
    return changed(ENTRIES, ICMP, ipsecNegotiationPolicyReference=require)


@pytest.mark.parametrize(("here", "there"), [("192.0.2.1", "192.0.2.7"), ("2001:db8::1", "2001:db8::7")])
def test_a_tunnel_is_two_rules(here, there):
    entries = tunnelled(two_rules(), RULE, there, "10.1.0.0/16 -> 10.2.0.0/16")
    both = tunnelled(entries, ICMP, here, "10.2.0.0/16 -> 10.1.0.0/16")
    found = read_policy(SECURE.dn, both)
    assert rule(found).tunnel == parse_address(there)
    assert rule(found, "Permit unsecure ICMP packets to pass through.").tunnel == parse_address(here)
    alone = read_policy(SECURE.dn, entries)
    assert rule(alone).tunnel is None
    assert actions_of(alone, "Require Security") is Response.BLOCK
    assert any("one direction of a tunnel only" in str(one) for one in alone.findings)


def test_a_tunnel_without_an_address_blocks():
    found = read(replace(PLAIN, is_tunnel=1, tunnel_name=text_octets("gw.corp.example")))
    assert (rule(found).tunnel, actions_of(found, "Require Security")) == (None, Response.BLOCK)
    assert any("whose end has no address" in str(one) for one in found.findings)


def test_a_default_response_rule_that_cannot_be_served_is_off():
    found = read(replace(PLAIN, auth=()), RESPONSE)
    response = next(one for one in found.policy.ipsec.own_rules if one.filter_list == DYNAMIC)  # type: ignore[union-attr]
    assert not response.enabled
    assert any("default response rule" in str(one) for one in found.findings)
    assert next(one for one in read(PLAIN, RESPONSE).policy.ipsec.own_rules if one.filter_list == DYNAMIC).enabled  # type: ignore[union-attr]


def test_a_rule_with_two_filter_lists_is_two():
    (icmp,) = next(one for one in ENTRIES if one.name == ICMP).texts("ipsecFilterReference")
    entries = [
        Entry(one.dn, {**one.values, "ipsecfilterreference": (*one.values["ipsecfilterreference"], icmp.encode())})
        if one.name == RULE
        else one
        for one in ENTRIES
    ]
    found = read_policy(SECURE.dn, entries)
    assert rule(found, "Require Security").filter_list == "All ICMP Traffic"
    assert rule(found, "Require Security (All IP Traffic)").filter_list == "All IP Traffic"
