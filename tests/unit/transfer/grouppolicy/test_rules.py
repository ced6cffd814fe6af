# SPDX-License-Identifier: Apache-2.0
"""Rules of Group Policy objects, one thing at a time."""

from ipaddress import ip_address

import pytest
from unit.transfer.grouppolicy.objects import registry

from ringfence.policy.model import ANY, ME, KeyModule, Keyword, Kind, Need, Rule, Secure
from ringfence.policy.scope import LinkKind, Profile, Scope
from ringfence.policy.terms import Access, Kerberos, UserKerberos
from ringfence.transfer.base import Imported
from ringfence.transfer.grouppolicy.importing import read_registry
from ringfence.transfer.grouppolicy.sets import SHAPES, SetKind

DEFAULTS = f"Auth1Set={SHAPES[SetKind.AUTH1].default}|Crypto2Set={SHAPES[SetKind.CRYPTO2].default}|"
USERS = {
    "Phase2AuthenticationSets\\{2}": {"Name": "users"},
    "Phase2AuthenticationSets\\{2}\\0000": {"Method": "UserKerb"},
}
LAB = {"Phase1AuthenticationSets\\{1}": {"Name": "lab"},
       "Phase1AuthenticationSets\\{1}\\0000": {"Method": "MachineKerb"}}  # fmt: skip


def imported(text: str, sets: dict[str, dict[str, str]] | None = None, key: str = "ConSecRules") -> Imported:
    return read_registry(registry({key: {"{id}": text}, **(sets or {})}), "x.pol")


def rule(text: str, sets: dict[str, dict[str, str]] | None = None) -> Rule:
    found = imported(f"v2.20|Action=Secure|Active=TRUE|Name=n|{text}{DEFAULTS}", sets)
    assert not found.left_out
    (one,) = found.policy.rules
    return one


def why(text: str) -> str:
    found = imported(f"v2.20|Active=TRUE|{text}", LAB)
    assert not found.policy.rules
    (left,) = found.left_out
    assert left.place == "gpo:ConSecRules\\{id}"
    return left.why


@pytest.mark.parametrize(
    ("action", "secure"),
    [
        ("Secure", Secure(Need.REQUIRE, Need.REQUIRE)),
        ("SecureServer", Secure(Need.REQUIRE, Need.REQUEST)),
        ("Boundary", Secure(Need.REQUEST, Need.REQUEST)),
        ("DoNotSecure", Secure(Need.NONE, Need.NONE)),
    ],
)
def test_each_action(action: str, secure: Secure) -> None:
    (one,) = imported(f"v2.0|Action={action}|Active=TRUE|Name=n|{DEFAULTS}").policy.rules
    assert one.secure == secure


def test_absent_active_is_off() -> None:
    (one,) = imported(f"v2.0|Action=Secure|Name=n|{DEFAULTS}").policy.rules
    assert not one.enabled


def test_ends_ports_scope_and_modules() -> None:
    one = rule("EP1_4=10.1.0.1|EP2_4=10.2.0.0/16|EP2_4=DNS|Protocol=6|EP2Port=443|EP2Port2_10=1-9|Profile=Domain|"
               "Profile=Private|IFType=Wireless|KeyMod=IkeV1|KeyMod=IkeV2|Desc=about|"
               "TransportMachineAuthzSDDL=D:(A;;CC;;;S-1-5-21-9)|TransportUserAuthzSDDL=D:(D;;CC;;;S-1-5-21-8)|"
               )  # fmt: skip
    assert [str(each) for each in one.local] == ["10.1.0.1"]
    assert [str(each) for each in one.remote] == ["10.2.0.0/16", "Keyword.DNS_SERVERS"]
    assert one.either_end
    assert [str(each) for each in one.traffic] == ["tcp to 443", "tcp to 1-9"]
    assert one.scope == Scope((Profile.DOMAIN, Profile.PRIVATE), (LinkKind.WIRELESS,))
    assert one.keying == (KeyModule.IKEV1, KeyModule.IKEV2)
    assert (one.allow, one.deny) == (Access(("S-1-5-21-9",)), Access(users=("S-1-5-21-8",)))
    assert (one.kind, one.description, str(one.place)) == (Kind.CUSTOM, "about", "gpo")


def test_all_profiles_and_links_are_no_limit() -> None:
    words = "Profile=Domain|Profile=Private|Profile=Public|IFType=Lan|IFType=Wireless|IFType=RemoteAccess|"
    assert rule(words).scope.everywhere


def test_servers_are_at_the_other_end() -> None:
    one = rule("EP2_4=DefaultGateway|EP2_6=DefaultGateway|")
    assert (one.local, one.remote, one.either_end) == (ME, (Keyword.DEFAULT_GATEWAY,), False)


def test_default_authentication_is_the_computers_account() -> None:
    found = imported(f"v2.0|Action=Secure|Active=TRUE|Name=n|{DEFAULTS}")
    assert found.policy.settings.auth == (Kerberos(),)
    assert [note.words for note in found.notes] == [
        "rules with the default authentication",
        "rules with the default quick mode",
    ]


def test_a_second_phase_of_its_own_behind_the_default_first() -> None:
    one = rule("Auth2Set={2}|", USERS)
    assert (one.auth, one.second_auth, one.auth_set) == ((Kerberos(),), (UserKerberos(),), "")


def test_no_second_phase_where_the_default_has_one() -> None:
    default = SHAPES[SetKind.AUTH2].default
    one = rule("", {**LAB, "Phase1AuthenticationSets": {SHAPES[SetKind.AUTH1].default: "{1}"}, **USERS,
                    "Phase2AuthenticationSets": {default: "{2}"}})  # fmt: skip
    assert one.auth_set.startswith("lab")
    both = rule(f"Auth2Set={default}|", {**LAB, "Phase1AuthenticationSets": {SHAPES[SetKind.AUTH1].default: "{1}"},
                                         **USERS, "Phase2AuthenticationSets": {default: "{2}"}})  # fmt: skip
    assert both.auth_set == ""


def test_tunnels() -> None:
    ends = "EP1_4=10.1.0.0/16|EP2_4=10.2.0.0/16|"
    dynamic = rule(
        f"{ends}LTunnel4_2=192.0.2.1|RTunnel4_2=198.51.100.7|SecureInClearOut=TRUE|ByPassTunnel=TRUE|Authz=TRUE|"
    )
    static = rule(f"{ends}RTunnel4=192.0.2.1|LTunnel4=198.51.100.7|")
    several = rule(f"{ends}RTunEndpts4=198.51.100.7|LTunnel4_2=192.0.2.1|")
    for one in (dynamic, static, several):
        assert one.gateways is not None
        assert one.gateways.local == ip_address("192.0.2.1").packed
        assert one.gateways.remote == ip_address("198.51.100.7").packed
        assert one.kind is Kind.TUNNEL
        assert not one.either_end
    assert dynamic.secure == Secure(Need.REQUIRE, Need.NONE)
    assert (dynamic.exempt_protected, dynamic.authorize) == (True, True)
    assert (static.secure, static.exempt_protected) == (Secure(), False)
    anybody = rule(f"{ends}LTunnel4_2=192.0.2.1|RTunnel4_2=0.0.0.0|")
    assert anybody.gateways is not None
    assert anybody.gateways.remote is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"Action=Secure|{DEFAULTS}", "it has no name"),
        (f"Name=ALL|Action=Secure|{DEFAULTS}", "it has no name"),
        (f"Name=n|{DEFAULTS}", "it has no Action"),
        ("Name=n|Action=Secure|Auth1Set={1}|", "it names no Crypto2Set"),
        (f"Name=n|Action=Secure|Crypto2Set={SHAPES[SetKind.CRYPTO2].default}|", "it names no Auth1Set"),
        (f"Name=n|Action=Secure|Auth2Set={{7}}|{DEFAULTS}", "there is no phase 2 authentication set {7}"),
        (f"Name=n|Action=Secure|EP2_4=IntrAnet|{DEFAULTS}", "networks that are not known here"),
        (f"Name=n|Action=Secure|EP1_4=10.0.0.1|EP2_6=::1|{DEFAULTS}", "one of its ends is of IPv4"),
        (f"Name=n|Action=Secure|EP2Port=1|{DEFAULTS}", "ports go with tcp or udp only"),
        (f"Name=n|Action=Secure|IF={{01234567-0123-0123-0123-0123456789ab}}|{DEFAULTS}", "a GUID that Windows gave"),
        (f"Name=n|Action=Secure|Authz=TRUE|{DEFAULTS}", "its Authz is for tunnels"),
        (f"Name=n|Action=DoNotSecure|RTunnel4_2=192.0.2.1|{DEFAULTS}", "protects nothing"),
        (f"Name=n|Action=Boundary|RTunnel4_2=192.0.2.1|{DEFAULTS}", "a tunnel's Action is Secure"),
        (f"Name=n|Action=Secure|Protocol=6|RTunnel4_2=192.0.2.1|{DEFAULTS}", "a tunnel is for all protocols"),
        (f"Name=n|Action=Secure|RTunnelFqdn=vpn.example|{DEFAULTS}", "and no name"),
        (f"Name=n|Action=Secure|RTunEndpts4=10.0.0.0/8|{DEFAULTS}", "no single address"),
        (f"Name=n|Action=Secure|RTunEndpts4=10.0.0.1|RTunEndpts4=10.0.0.2|{DEFAULTS}", "2 addresses of one end"),
        (f"Name=n|Action=Secure|RTunnel4_2=10.0.0.1|LTunnel6_2=::1|{DEFAULTS}", "one end of its tunnel is of IPv4"),
        (f"Name=n|Action=Secure|RTunnel4_2=10.0.0.1|TransportUserAuthzSDDL=D:(A;;CC;;;S-1-1)|{DEFAULTS}",
         "for rules without a tunnel"),
        (f"Name=n|Action=Secure|TransportUserAuthzSDDL=everybody|{DEFAULTS}", "no list of accounts"),
    ],
)  # fmt: skip
def test_what_cannot_be_carried_is_told(text: str, said: str) -> None:
    assert said in why(text)


def test_one_broken_rule_does_not_take_the_others_with_it() -> None:
    found = read_registry(registry({"ConSecRules": {
        "{1}": "no rule at all", "{2}": f"v2.0|Action=Secure|Active=TRUE|Name=good|{DEFAULTS}", "{3}": 7,
        "a|b": f"v2.0|Action=Secure|Name=id|{DEFAULTS}", "{4}": "v2.0|Name=named|Protocol=x|",
    }}), "x.pol")  # fmt: skip
    assert [one.name for one in found.policy.rules] == ["good"]
    assert [left.words for left in found.left_out] == ["rule {1}", "rule {3}", 'rule "id"', 'rule "named"']


@pytest.mark.parametrize(
    ("field", "ours"),
    [
        ("SkipVer=2.29|", True), ("SkipVer=2.30|", False), ("Platform=2:10:0|", True), ("Platform=2:6:1|", False),
        ("Platform=2:6:1|Platform2=GTEQ|", True), ("Platform=2:6:1|Platform=2:10:0|", True),
        ("Platform=2:11:0|Platform2=GTEQ|", False), ("Platform=1:4:0|Platform2=GTEQ|", False),
    ],
)  # fmt: skip
def test_rules_for_other_systems_are_passed_over(field: str, ours: bool) -> None:
    found = imported(f"v2.20|Action=Secure|Active=TRUE|Name=n|{field}{DEFAULTS}")
    assert bool(found.policy.rules) is ours
    assert not found.left_out
    assert ours or 'rule "n"' in {note.words for note in found.notes}


def test_what_means_nothing_here_is_noted() -> None:
    words = "KeyManagerDictate=TRUE|KeyManagerNotify=TRUE|FwdLifetime=90|SecurityRealmEnabled=TRUE|Soon=1|"
    notes = imported(f"v2.20|Action=Secure|Active=TRUE|Name=n|{words}{DEFAULTS}").notes
    told = " ".join(note.why for note in notes)
    for word in ("KeyManagerDictate", "KeyManagerNotify", "FwdLifetime", "SecurityRealmEnabled", "Soon (1)"):
        assert word in told


def test_main_mode_rules() -> None:
    found = imported("v2.10|Active=TRUE|Name=m|EP2_4=10.0.0.1|Auth1Set={1}|Profile=Domain|", LAB, "MainModeRules")
    (one,) = found.policy.main_modes
    assert (one.name, one.auth_set, one.main_mode_crypto, one.local) == ("m", "lab", "", ANY)
    assert one.scope == Scope((Profile.DOMAIN,))
    (left,) = imported("v2.10|Active=TRUE|Name=m|EP2_4=10.0.0.1|", LAB, "MainModeRules").left_out
    assert left.why == "it names no set of its own, and so changes nothing"


def test_two_of_one_name() -> None:
    text = f"v2.0|Action=Secure|Active=TRUE|Name=n|{DEFAULTS}"
    found = read_registry(registry({"ConSecRules": {"{1}": text, "{2}": text}}), "x.pol")
    assert [one.name for one in found.policy.rules] == ["n", "n (2)"]
    assert any('it is called "n (2)"' in note.why for note in found.notes)


def test_a_rule_of_windows_11_with_the_default_sets() -> None:
    ids = "Auth1Set={0}3}}|Auth2Set={0}4}}|Crypto2Set={0}2}}|".format("{E5A5D32A-4BCE-4e4d-B07F-4AB1BA7E5FE")
    found = imported(f"v2.33|Action=SecureServer|Name=Auth|Desc=|Active=TRUE|{ids}")
    (one,) = found.policy.rules
    assert (one.name, one.secure, one.enabled) == ("Auth", Secure(Need.REQUIRE, Need.REQUEST), True)
    assert found.policy.settings.auth == (Kerberos(),)
    assert not found.left_out
