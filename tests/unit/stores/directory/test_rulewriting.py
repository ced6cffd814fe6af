# SPDX-License-Identifier: Apache-2.0
"""Octets of one rule: what says the same stays, parts of newer systems among it."""

from dataclasses import replace

from ringfence.net.address import parse_address
from ringfence.place import NOWHERE
from ringfence.policy.model import Gateways
from ringfence.policy.scope import Connection
from ringfence.policy.terms import Certificate, Kerberos, Ntlm, PskFile
from ringfence.policy.windows import DYNAMIC, FilterList, IpsecPolicy, PolicyRule
from ringfence.secret import Secret
from ringfence.stores.directory.blobs import NfaBlob, decode_nfa, encode_nfa
from ringfence.stores.directory.records import AuthMethod, NfaRecord, TunnelV6, text_octets
from ringfence.stores.directory.rulewriting import Half, RuleWriting, halves

RULE = PolicyRule("all", "permit", "one", (Kerberos(),))
KERBEROS = AuthMethod(5, b"\0\0")
PLAIN = bytes.fromhex(
    "00acbb118d49d111863900a0248d3021 2a000000 01000000 05000000 02000000 0000 fdffffff 02000000 0000 00000000"
    "00000000 01000000 02000000 0000 00"
)
"""As Windows 2000 has all its rules."""


class Said:
    """What is said of what is written."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.errors: list[str] = []

    def blob(self, rule: PolicyRule, old: NfaBlob | None = None, tunnel: bytes | None = None) -> NfaBlob:
        writing = RuleWriting(
            IpsecPolicy(auth=(Kerberos(),)), {"k": Secret(b"key"), "raw": Secret(b"\xff")},
            warn=lambda _, what: self.warnings.append(what), complain=lambda _, what: self.errors.append(what),
        )  # fmt: skip
        return writing.blob(Half(rule, rule.name, FilterList("all"), tunnel), old)


def test_a_new_rule_is_as_windows_2000_writes_it():
    assert encode_nfa(Said().blob(RULE)) == PLAIN
    assert encode_nfa(Said().blob(replace(RULE, auth=()))) == PLAIN, "the policy's own way"


def test_what_says_the_same_keeps_its_octets():
    old = NfaBlob(
        NfaRecord((KERBEROS,), 0xFFFFFFFD, b"", bytes(4), 0, 7, text_octets("x")), flags=(0,), flags_zero=9, after=b"?!"
    )
    assert Said().blob(RULE, old) == old
    off = Said().blob(replace(RULE, enabled=False, connection=Connection.LAN), old)
    assert off == replace(old, record=replace(old.record, is_active=0, interface=0xFFFFFFFE))


def test_certificates_have_their_flags_behind_the_record():
    auth = (Certificate("CN=A", mapping=True), Certificate("CN=B", exclude_ca_name=True), PskFile("k"))
    said = Said()
    blob = decode_nfa(encode_nfa(said.blob(replace(RULE, auth=auth))))
    assert blob.flags == (1, 2, 0)
    assert blob.alternate is not None
    assert blob.alternate.auth == blob.record.auth
    assert len(said.warnings) == 1
    assert "the key k stands in the directory" in said.warnings[0]
    again = Said().blob(RULE, blob)
    assert (again.flags, again.alternate, again.record.auth) == (None, None, (KERBEROS,))


def test_ways_that_cannot_be_said():
    said = Said()
    said.blob(replace(RULE, auth=(Ntlm(), Kerberos())))
    assert (len(said.warnings), said.errors) == (1, [])
    said.blob(replace(RULE, auth=(PskFile("raw"),)))
    said.blob(replace(RULE, auth=(PskFile("none"),)))
    assert ["is no text" in said.errors[0], "has no way" in said.errors[1], "is not there" in said.errors[2]] == [
        True
    ] * 3


def test_ends_of_tunnels():
    four, six = parse_address("192.0.2.1"), parse_address("2001:db8::1")
    blob = Said().blob(RULE, tunnel=four)
    assert (blob.record.is_tunnel, blob.record.tunnel, blob.tunnel_v6) == (1, four, None)
    blob = Said().blob(RULE, blob, six)
    assert (blob.record.is_tunnel, blob.record.tunnel, blob.tunnel_v6) == (1, bytes(4), TunnelV6(six))
    assert Said().blob(RULE, blob, six) == blob
    assert Said().blob(RULE, blob).record.is_tunnel == 0


def test_which_rules_a_policy_comes_to():
    said = list[str]()
    rules = (
        PolicyRule(DYNAMIC, "response"), replace(RULE, name="all: permit"), PolicyRule("none", "permit"),
        replace(RULE, tunnel=Gateways(parse_address("192.0.2.1"))),
    )  # fmt: skip
    found = halves(IpsecPolicy(own_rules=rules), {"all": FilterList("all")}, lambda _, what: said.append(what))
    assert [(one.name, one.filters.name) for one in found] == [("", DYNAMIC), ("", "all")]
    assert said[0] == 'there is no filter list "none"'
    assert "addresses of both its ends" in said[1]
    assert RULE.place == NOWHERE
