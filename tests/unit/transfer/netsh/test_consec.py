# SPDX-License-Identifier: Apache-2.0
"""One rule of ``netsh advfirewall consec`` or ``mainmode``."""

import pytest

from ringfence.crypto.suites import DhGroup
from ringfence.databases.proposal import Limits
from ringfence.net.address import parse_address
from ringfence.policy.errors import BadWord
from ringfence.policy.gateways import Gateways
from ringfence.policy.model import Kind, Need, Secure
from ringfence.policy.scope import LinkKind, Profile, Scope
from ringfence.transfer.netsh.arguments import Refused
from ringfence.transfer.netsh.consec import Said, read_main_mode, read_mode, read_rule, read_scope, told
from ringfence.transfer.netsh.session import Session

BASE = {
    "name": "a",
    "endpoint1": "any",
    "endpoint2": "10.0.0.0/8",
    "action": "requireinrequestout",
    "auth1": "computerkerb",
}
TUNNEL = BASE | {"mode": "tunnel", "endpoint1": "10.1.0.0/16", "localtunnelendpoint": "192.0.2.1",
                 "remotetunnelendpoint": "any", "action": "requireinclearout"}  # fmt: skip


def test_a_rule() -> None:
    rule = read_rule(Session(), BASE | {"protocol": "TCP", "port2": "443", "enable": "no", "profile": "domain,private"})
    assert (rule.kind, rule.secure, rule.enabled) == (Kind.CUSTOM, Secure(Need.REQUIRE, Need.REQUEST), False)
    assert list(map(str, rule.traffic)) == ["tcp to 443"]
    assert rule.scope == Scope((Profile.DOMAIN, Profile.PRIVATE))


def test_a_tunnel() -> None:
    session = Session()
    rule = read_rule(session, TUNNEL | {"exemptipsecprotectedconnections": "yes", "applyauthz": "yes"})
    assert rule.gateways == Gateways(None, parse_address("192.0.2.1"))
    assert (rule.kind, rule.secure.outward, rule.exempt_protected, rule.authorize) == (
        Kind.TUNNEL,
        Need.NONE,
        True,
        True,
    )
    exempt = read_rule(Session(), TUNNEL | {"action": "noauthentication"})
    assert exempt.kind is Kind.EXEMPTION


@pytest.mark.parametrize(
    "said",
    [
        {"action": "x"}, {"action": "requireinclearout"}, {"profile": "home"}, {"interfacetype": "x"},
        {"qmpfs": "dhgroup24"},
        {"qmsecmethods": "x"}, {"auth1": "", "auth2": "userkerb"}, {"auth1": "x"},
        {"mode": "tunnel", "localtunnelendpoint": "x"}, {"mode": "tunnel", "port1": "5"},
        {"mode": "tunnel", "localtunnelendpoint": "10.0.0.1,fe80::1"}, {"endpoint2": "localsubnet4"},
        {"endpoint2": "x"}, {"protocol": "x"}, {"port1": "5"},
    ],
)  # fmt: skip
def test_refused(said: Said) -> None:
    with pytest.raises((Refused, BadWord)) as caught:
        read_rule(Session(), BASE | said)
    assert isinstance(caught.value, Refused | BadWord)
    assert told(caught.value)[0]


def test_quick_mode() -> None:
    session = Session()
    rule = read_rule(session, BASE | {"qmsecmethods": "esp:sha1-3des+5min+20480kb", "qmpfs": "dhgroup2"})
    assert (rule.lifetime, rule.protect[0].limits, rule.pfs, rule.legacy) == (
        Limits(300, 20480 << 10), Limits(), DhGroup.MODP_1024, True,
    )  # fmt: skip
    assert "3des, modp1024" in session.notes[0].why
    two = read_rule(Session(), BASE | {"qmsecmethods": "esp:sha1-aes128,ah:sha1+5min", "qmpfs": "mainmode"})
    assert (two.lifetime, two.pfs, two.protect[1].limits.seconds) == (None, True, 300)
    session = Session()
    assert read_rule(session, BASE | {"qmsecmethods": "default", "qmpfs": "dhgroup1"}).legacy
    assert session.methods_missing


def test_a_key_has_no_second_authentication() -> None:
    session = Session()
    rule = read_rule(session, BASE | {"auth1": "computerpsk", "auth1psk": "k", "auth2": "userkerb"})
    assert rule.second_auth == ()
    assert session.left_out
    proxy = Session()
    read_rule(proxy, BASE | {"auth1kerbproxyfqdn": "x"})
    assert proxy.left_out


def test_scope() -> None:
    assert read_scope({}) == Scope()
    assert read_scope({"profile": "public,private,domain", "interfacetype": "any"}) == Scope()
    assert read_scope({"interfacetype": "ras,LAN"}) == Scope((), (LinkKind.LAN, LinkKind.REMOTE_ACCESS))


def test_main_mode_rules() -> None:
    rule = read_main_mode(Session(), {
        "name": "m", "endpoint2": "10.0.0.0/8", "mmsecmethods": "dhgroup2:3des-sha1", "mmkeylifetime": "60min,5sess",
        "mmforcedh": "yes",
    })  # fmt: skip
    mode = rule.main_mode
    assert mode is not None
    assert (mode.lifetime_s, mode.sessions, mode.force_dh, rule.legacy) == (3600, 5, True, True)
    assert mode.methods[0].limits == Limits(3600)
    for said in ({"name": "m"}, {"name": "m", "auth1": "computerkerb", "profile": "home"}, {"mmkeylifetime": "x"}):
        with pytest.raises(Refused):
            read_main_mode(Session(), said)


def test_main_mode_settings_one_after_the_other() -> None:
    session = Session()
    first = read_mode(session, {"mmsecmethods": "ecdhp256:aes128-sha256"})
    second = read_mode(session, {"mmkeylifetime": "5000min"}, first)
    assert second is not None
    assert (second.lifetime_s, str(second.methods[0])) == (172_799, "aes128-sha256-ecp256")
    third = read_mode(session, {"mmsecmethods": "default"}, second)
    fourth = read_mode(session, {"mmkeylifetime": "notconfigured"}, third)
    assert fourth is not None
    assert fourth.lifetime_s == 28_800
    assert len(session.notes) == 1
    assert read_mode(session, {}) is None
