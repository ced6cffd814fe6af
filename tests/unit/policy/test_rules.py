# SPDX-License-Identifier: Apache-2.0
"""What a rule says: every setting, and every mistake with the sentence and the place that a person reads."""

import pytest

from ringfence.crypto.suites import DhGroup
from ringfence.databases.identity import Identity
from ringfence.databases.proposal import Limits
from ringfence.databases.sa import DfPolicy, TunnelOptions
from ringfence.net.address import AddressRange, parse_address
from ringfence.policy.document import parse
from ringfence.policy.errors import PolicyError
from ringfence.policy.gateways import Gateways
from ringfence.policy.model import (
    Certificate,
    Kerberos,
    KeyModule,
    Keyword,
    Kind,
    Need,
    Rule,
    Secure,
)
from ringfence.policy.terms import Access, Anonymous, PpkFile, UserKerberos
from ringfence.policy.write import canonical
from ringfence.testing.policies import rule_text


def rule(text: str) -> Rule:
    (found,) = parse(text, name="policy.toml").rules
    return found


def mistakes(text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        parse(text, name="policy.toml")
    return [str(finding) for finding in caught.value.findings]


def test_each_side_may_prove_itself_in_its_own_way() -> None:
    text = rule_text("lab", with_='"10.77.0.0/24"', auth='{ certificate = "CN=A" }', keying='["ikev2"]')
    found = rule(text + 'own-auth = [{ psk-file = "k" }, { certificate = "CN=B", signing = "ed25519" }]\n')
    assert list(map(str, found.own_auth)) == ["preshared key k", "certificate CN=B"]
    assert parse(canonical(parse(text, name="p")), name="p") == parse(text, name="p")
    (wrong,) = mistakes(text + 'own-auth = "kerberos"\n')
    assert "own-auth names no key and no certificate" in wrong
    (wrong,) = mistakes(
        rule_text("lab", with_='"10.77.0.0/24"', own_auth='{ psk-file = "k" }', keying='["ikev2", "ikev1"]')
    )
    assert "own-auth is for IKEv2 alone" in wrong


def test_every_setting_of_a_rule() -> None:
    found = rule("""
[[rule]]
name = "all"
description = "for the test"
enabled = false
local = { networks = ["me", "10.1.0.0/16"], gateway = "me" }
remote = { networks = "10.2.0.0/16, 10.3.0.1-10.3.0.9", gateway = "198.51.100.7" }
traffic = ["tcp to 1433", "udp 53"]
secure = { in = "require", out = "request" }
auth = ["kerberos", { certificate = "CN=A" }]
second-auth = ["user-kerberos", "anonymous"]
allow = { computers = "*.corp.example", users = ["CORP\\\\alice"] }
deny = { computers = ["db9.corp.example"] }
exempt-protected = true
authorize = true
keying = ["ikev2", "ikev1"]
protect = ["esp aes256-gcm esn", "esp 3des-sha1 + ah sha1 every 15 min or 1 GB"]
lifetime = { time = "30 min", data = "100 MB", packets = 1000000 }
pfs = "ecp256"
main-mode = { methods = "aes256-sha384-ecp384", lifetime = "120 min", sessions = 3, pfs = true }
identity = { local = "alice.lab", remote = "keyid:0a" }
replay-window = 1024
tfc = 1400
tunnel = { ttl = 32, df = "set", dscp = 46, ecn = false }
nat-traversal = false
initiate = false
legacy = true
""")
    assert (found.description, found.enabled, found.legacy) == ("for the test", False, True)
    assert found.local == (Keyword.ME, AddressRange.parse("10.1.0.0/16"))
    assert found.remote == (AddressRange.parse("10.2.0.0/16"), AddressRange.parse("10.3.0.1-10.3.0.9"))
    assert found.gateways == Gateways(parse_address("198.51.100.7"), None)
    assert list(map(str, found.traffic)) == ["tcp to 1433", "udp 53"]
    assert found.secure == Secure(Need.REQUIRE, Need.REQUEST)
    assert found.auth == (Kerberos(), Certificate("CN=A"))
    assert found.second_auth == (UserKerberos(), Anonymous())
    assert (found.allow, found.deny) == (
        Access(("*.corp.example",), ("CORP\\alice",)), Access(("db9.corp.example",))
    )  # fmt: skip
    assert (found.exempt_protected, found.authorize) == (True, True)
    assert found.keying == (KeyModule.IKEV2, KeyModule.IKEV1)
    assert list(map(str, found.protect)) == ["esp aes256-gcm esn", "esp 3des-sha1 + ah sha1"]
    assert found.lifetime == Limits(1800, 100 << 20, 1_000_000)
    assert [method.limits for method in found.protect] == [Limits(), Limits(900, 1 << 30)]
    assert found.pfs is DhGroup.ECP_256
    assert (str(found.main_mode.methods[0]), found.main_mode.methods[0].limits) == (
        "aes256-sha384-ecp384",
        Limits(7200),
    )
    assert (found.main_mode.lifetime_s, found.main_mode.sessions, found.main_mode.pfs) == (7200, 3, True)
    assert (found.local_identity, found.remote_identity) == (Identity.parse("alice.lab"), Identity.parse("keyid:0a"))
    assert (found.replay_window, found.tfc_octets, found.nat_traversal, found.initiate) == (1024, 1400, False, False)
    assert found.tunnel == TunnelOptions(32, DfPolicy.SET, copy_dscp=False, dscp=46, ecn=False)


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ({}, Kind.ISOLATION),
        ({"with_": '"10.0.0.1"'}, Kind.ISOLATION),
        ({"between": '["me", "10.0.0.1"]'}, Kind.SERVER_TO_SERVER),
        ({"between": '["me", "10.0.0.1"]', "kind": '"isolation"'}, Kind.ISOLATION),
        ({"with_": '"10.0.0.1"', "kind": '"custom"'}, Kind.CUSTOM),
        ({"with_": '"10.0.0.1"', "kind": '"server-to-server"'}, Kind.SERVER_TO_SERVER),
        ({"traffic": '"tcp to 80"'}, Kind.CUSTOM),
        ({"secure": '"request"', "pfs": "true"}, Kind.ISOLATION),
    ],
)
def test_the_kind_follows_and_may_be_said(settings: dict[str, str], kind: Kind) -> None:
    assert rule(rule_text(**settings)).kind is kind


def test_an_exemption_needs_no_authentication() -> None:
    found = rule('[[rule]]\nname = "printers"\nwith = "10.0.0.9"\nsecure = "none"\n')
    assert (found.kind, found.auth) == (Kind.EXEMPTION, ())


def test_pfs_is_a_group_or_that_of_main_mode() -> None:
    assert rule(rule_text(pfs="true")).pfs is True
    assert rule(rule_text(pfs="false")).pfs is False
    assert rule(rule_text()).pfs is None
    assert rule(rule_text(lifetime='"10 min"')).lifetime == Limits(600)
    assert rule(rule_text(lifetime="{ data = 0 }")).lifetime == Limits(3600)


@pytest.mark.parametrize(
    ("settings", "sentence", "marked"),
    [
        ({"with_": '"10.0.0.0/33"'}, 'with is "10.0.0.0/33", which is neither a network nor a range', '"10.0.0.0/33"'),
        ({"with_": '"10.0.0.9-10.0.0.1"'}, "neither a network nor a range", '"10.0.0.9-10.0.0.1"'),
        ({"with_": '["10.0.0.1", "10.0.0"]'}, 'with[2] is "10.0.0", which is not an IP address', '"10.0.0"'),
        ({"with_": '"server"'}, "neither an address nor a word that stands for some", '"server"'),
        ({"remote": '{ gateway = "gw.corp" }'}, "is a name and not an IP address", '"gw.corp"'),
        ({"with_": '"fe80::1%eth0"'}, "cannot name an interface yet", '"fe80::1%eth0"'),
        ({"with_": "7"}, "with is 7, but has to be a text or a list of texts", "7"),
        ({"with_": "[]"}, "with is an empty list", "[]"),
        ({"with_": '"me"', "between": '["me", "any"]'}, '"with" and "between"', '["me", "any"]'),
        ({"between": '"me"'}, 'between is "me", but has to be a list of two ends', '"me"'),
        ({"between": '["me", "10.0.0.300"]'}, 'between is "10.0.0.300"', '["me", "10.0.0.300"]'),
        ({"local": '"10.0.0.1"', "remote": '"fd00::1"'}, "IPv4 at one end and of IPv6", "[[rule]]"),
        ({"local": '{ gateway = "10.0.0.1" }'}, "remote has no gateway", "[[rule]]"),
        ({"remote": '{ gateway = "me" }'}, "cannot be this computer", '"me"'),
        ({"remote": '{ gateway = "127.0.0.1" }'}, "is this computer's loopback", '"127.0.0.1"'),
        ({"remote": '{ gateway = "10.0.0.1" }', "local": '{ gateway = "fd00::1" }'}, "different families", ""),
        ({"secure": '"required"'}, 'secure is "required", but has to be "none", "request" or "require"', '"required"'),
        ({"secure": "true"}, "secure is true, but has to be a text", "true"),
        ({"secure": '{ in = "require" }'}, 'secure does not say "out"', '{ in = "require" }'),
        ({"secure": '{ in = "require", out = "no" }'}, 'secure.out is "no"', '"no"'),
        ({"auth": '["ntlm", { psk-file = "a" }]'}, "auth names both a preshared key and NTLM", ""),
        ({"second_auth": '"user-ntlm"'}, "second-auth cannot follow a preshared key", '"user-ntlm"'),
        ({"auth_set": '"a"'}, "auth stands beside auth-set, which takes its place", '{ psk-file = "test.psk" }'),
        ({"quick_mode_crypto": '"a"', "pfs": "true"}, "pfs stands beside quick-mode-crypto", "true"),
        ({"quick_mode_crypto": '"a"'}, 'quick-mode-crypto is "a", and there is no such quick mode crypto', '"a"'),
        ({"allow": "{}"}, "allow names nobody", "{}"),
        ({"allow": '{ computers = [""] }'}, "which is no name", '""'),
        ({"authorize": "true"}, "authorize has no use without a gateway", "true"),
        ({"secure": '"none"', "deny": '{ users = "a" }'}, "deny has no use in an exemption", '{ users = "a" }'),
        ({"keying": '"ike"'}, 'keying is "ike", but has to be "ikev1"', '"ike"'),
        ({"protect": '"none sha256"'}, "protect names null encapsulation only", '"none sha256"'),
        (
            {"protect": '["none sha256", "esp null-sha256"]', "pfs": "true"},
            "pfs cannot be with null encapsulation",
            "true",
        ),
        (
            {"protect": '["none sha256", "esp aes256-gcm"]', "remote": '{ gateway = "10.0.0.1" }'},
            "which a tunnel cannot have",
            '["none sha256", "esp aes256-gcm"]',
        ),
        (
            {"auth": '[{ psk-file = "a" }, { psk-file = "b", certificate = "CN=x" }]'},
            "auth[2] says both psk-file and certificate",
            '{ psk-file = "b", certificate = "CN=x" }',
        ),
        ({"auth": '"letmein"'}, "auth names no way to authenticate", '"letmein"'),
        ({"auth": '{ psk = "x" }'}, 'there is no setting "auth.psk"', ""),
        ({"auth": "{}"}, "auth does not say psk-file", "{}"),
        ({"auth": "[]"}, "auth is an empty list", "[]"),
        ({"auth": '{ psk-file = "" }'}, "auth.psk-file is empty", '""'),
        ({"secure": '"none"'}, "auth has no use in an exemption", '{ psk-file = "test.psk" }'),
        ({"protect": '"esp aes256-gmc"'}, 'protect is "esp aes256-gmc", but ESP has no suite', '"esp aes256-gmc"'),
        ({"protect": '["esp des-md5"]'}, "protect names des, md5, too weak", '["esp des-md5"]'),
        ({"pfs": '"modp1024"'}, "pfs names modp1024, too weak", '"modp1024"'),
        ({"pfs": '"dh99"'}, "no Diffie-Hellman group", '"dh99"'),
        ({"main_mode": '{ methods = "3des-sha1-modp1024" }'}, "main-mode.methods names 3des, modp1024, too weak", ""),
        ({"main_mode": '{ methods = "aes" }'}, 'main-mode.methods is "aes", which is no main mode method', '"aes"'),
        ({"main_mode": "{ lifetime = 0 }"}, "main-mode.lifetime has to end", "0"),
        ({"main_mode": "5"}, "main-mode is 5, but has to be a table", "5"),
        ({"lifetime": '{ time = "60" }'}, 'lifetime.time is "60", which has no unit', '"60"'),
        ({"lifetime": '{ time = "1 s" }'}, "lifetime.time is out of range", '"1 s"'),
        ({"lifetime": '{ data = "1 KB" }'}, "lifetime.data is out of range", '"1 KB"'),
        ({"lifetime": '{ time = 0, data = "1 GB" }'}, "lifetime has to end by time at least", ""),
        ({"lifetime": '"1 s"'}, "lifetime is out of range", '"1 s"'),
        ({"lifetime": "60"}, "lifetime is 60, but has to be a text or a table", "60"),
        ({"replay_window": "7"}, "replay-window is 7, but has to be 0 or between 32 and 4096", "7"),
        ({"replay_window": "5000"}, "replay-window is 5000, but has to lie between 0 and 4096", "5000"),
        ({"replay_window": "true"}, "replay-window is true, but has to be a number", "true"),
        ({"tfc": "100"}, "pads packets in tunnels only", "100"),
        ({"tunnel": "{ ttl = 5 }"}, "tunnel has no use without a gateway", "{ ttl = 5 }"),
        ({"tunnel": "{ dscp = 64 }"}, "tunnel.dscp is 64, but has to lie between 0 and 63", "64"),
        ({"kind": '"tunnel"'}, 'kind is "tunnel", but the rule names no gateway', '"tunnel"'),
        ({"kind": '"isolation"', "traffic": '"tcp"'}, "the rule names its traffic, which makes it", '"isolation"'),
        ({"kind": '"isolatoin"'}, 'Did you mean "isolation"?', '"isolatoin"'),
        ({"identity": '{ remote = "CN=Bob" }'}, "distinguished names in words are not supported yet", '"CN=Bob"'),
        ({"identity": '{ remote = "a b" }'}, "which is no identity", '"a b"'),
        ({"identity": '{ remote = "dn:" }'}, "which is empty", '"dn:"'),
        ({"profiles": '["home"]'}, 'profiles[1] is "home", but has to be', '"home"'),
        ({"connection": '"lan"'}, "connection is known but not supported yet", "connection"),
        ({"protekt": '"x"'}, 'there is no setting "protekt"', "protekt"),
        ({"traffic": '"tcp to http"'}, '"http" is neither a port', '"tcp to http"'),
        ({"enabled": '"yes"'}, 'enabled is "yes", but has to be true or false', '"yes"'),
    ],
)
def test_mistakes_in_a_rule(settings: dict[str, str], sentence: str, marked: str) -> None:
    found = mistakes(rule_text("r", **settings))
    (text,) = [one for one in found if sentence in one]
    assert text.startswith("policy.toml:")
    assert ': rule "r": ' in text
    lines = text.splitlines()
    if marked:
        start = lines[2].index("^")
        assert lines[1][start : start + lines[2].count("^")] == marked


def test_a_postquantum_key_is_for_ikev2() -> None:
    text = rule_text("lab", with_='"10.77.0.0/24"', ppk='{ id = "q1", file = "q.ppk" }', keying='["ikev2"]')
    assert rule(text).ppk == PpkFile("q1", "q.ppk")
    assert parse(text, name="p").key_files[-1] == "q.ppk"
    assert [place.line for _, place in parse(text, name="p").naming("q.ppk")] != []
    (wrong,) = mistakes(text.replace('["ikev2"]', '["ikev2", "ikev1"]'))
    assert "ppk is for IKEv2 alone" in wrong


def test_methods_may_have_several_key_exchanges() -> None:
    hybrid = '{ methods = "aes256-sha256-x25519+mlkem768" }'
    text = rule_text("lab", with_='"10.77.0.0/24"', main_mode=hybrid, keying='["ikev2"]')
    assert rule(text).main_mode is not None
    mixed = hybrid.replace(
        '"aes256-sha256-x25519+mlkem768"', '["aes256-sha256-x25519+mlkem768", "aes256-sha256-x25519"]'
    )
    assert rule(rule_text("lab", with_='"10.77.0.0/24"', main_mode=mixed)).main_mode is not None


def test_main_modes_are_resumed_where_ikev2_is_spoken() -> None:
    text = rule_text("lab", with_='"10.77.0.0/24"', resumption="true", keying='["ikev2", "ikev1"]')
    assert rule(text).resumption
    assert rule(text.replace('keying = ["ikev2", "ikev1"]', "")).resumption
    (wrong,) = mistakes(text.replace('["ikev2", "ikev1"]', '["ikev1"]'))
    assert "resumption is for IKEv2 alone" in wrong
