# SPDX-License-Identifier: Apache-2.0
"""What Group Policy objects say for the whole computer."""

import pytest
from unit.transfer.grouppolicy.objects import Values, registry

from ringfence.policy.terms import Access, CrlCheck, Exempt, PskEncoding, ThroughNat
from ringfence.transfer.base import Imported
from ringfence.transfer.grouppolicy.importing import read_registry
from ringfence.transfer.grouppolicy.settings import IPSEC_MERGE, PROFILES


def imported(values: Values) -> Imported:
    return read_registry(registry(values), "x.pol")


def test_global_values() -> None:
    said = imported({"": {
        "saidltime": 3600, "PresharedKeyEncoding": 0, "IPsecExempt": 6, "StrongCRLCheck": 2, "IPsecThroughNAT": 1,
        "IPsecTransportRemoteUserAuthorizationList": "D:(D;;CC;;;S-1-5-21-1)",
    }}).policy.settings  # fmt: skip
    assert said.idle_s == 3600
    assert said.psk_encoding is PskEncoding.UTF16
    assert said.exempt == (Exempt.ICMP, Exempt.ROUTER_DISCOVERY)
    assert said.crl_check is CrlCheck.STRICT
    assert said.through_nat is ThroughNat.SERVER
    assert said.transport_deny == Access(users=("S-1-5-21-1",))
    names = {"idle-time", "psk-encoding", "exempt", "crl-check", "nat", "transport-authorization"}
    assert set(said.places) == names
    assert {str(place) for place in said.places.values()} == {"gpo"}


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("SAIdlTime", 299, "it is 299"),
        ("SAIdlTime", "300", "it is no number"),
        ("StrongCRLCheck", 3, "it is 3"),
        ("IPsecExempt", 16, "it is 16"),
        ("PresharedKeyEncoding", 2, "it is 2"),
        ("IPsecThroughNAT", 3, "it is 3"),
        ("IPsecTunnelRemoteMachineAuthorizationList", "all", "no list of accounts"),
    ],
)
def test_what_windows_does_not_take(name: str, value: str | int, why: str) -> None:
    found = imported({"": {name: value}})
    (left,) = found.left_out
    assert left.place == f"gpo:{name}"
    assert why in left.why
    assert not found.policy.settings.places


def test_rules_of_the_computer_itself() -> None:
    off = imported({profile: {IPSEC_MERGE: 0} for profile in PROFILES})
    assert off.policy.settings.local_rules is False
    assert str(off.policy.settings.places["local-rules"]) == "gpo"
    some = imported({"DomainProfile": {IPSEC_MERGE: 0}, "PublicProfile": {IPSEC_MERGE: 1}})
    assert some.policy.settings.local_rules
    (left,) = some.left_out
    assert "it is said of domain networks only" in left.why
    assert imported({profile: {IPSEC_MERGE: 1} for profile in PROFILES}).policy.settings.local_rules


def test_what_is_about_the_firewall() -> None:
    found = imported({
        "PublicProfile": {"DefaultInboundAction": 1, "DefaultOutboundAction": 0, "EnableFirewall": 1,
                          "AllowLocalPolicyMerge": 0},
    })  # fmt: skip
    assert [left.words for left in found.left_out] == ["DefaultInboundAction", "AllowLocalPolicyMerge = 0"]
    assert [note.words for note in found.notes] == ["DefaultOutboundAction, EnableFirewall"]


def test_what_means_nothing_here() -> None:
    found = imported({"": {"PolicyVersion": 0x21E, "EnablePacketQueue": 1, "Tomorrow": 1}})
    assert [(note.words, note.why) for note in found.notes] == [
        ("EnablePacketQueue", "this computer spreads its load by itself"),
        ("Tomorrow", "it is not known here"),
    ]
