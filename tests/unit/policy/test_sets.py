# SPDX-License-Identifier: Apache-2.0
"""[global], sets of terms and main mode rules: every setting, and every mistake with its sentence."""

import pytest

from ringfence.crypto.suites import DhGroup
from ringfence.databases.proposal import Limits
from ringfence.net.address import AddressRange
from ringfence.policy.document import parse
from ringfence.policy.errors import PolicyError
from ringfence.policy.terms import (
    Access,
    Certificate,
    CrlCheck,
    DeadPeer,
    Exempt,
    GlobalSettings,
    Kerberos,
    Masqueraded,
    PskEncoding,
    PskFile,
    ThroughNat,
    UserNtlm,
)
from ringfence.policy.write import canonical

GLOBAL = """
[global]
exempt = ["dhcp", "icmp"]
idle-time = "10 min"
psk-encoding = "utf-16"
crl-check = "strict"
nat = "server"
masqueraded = "clear"
dead-peer = { after = "20 s", tries = 3 }
fragmentation = false
auth = "kerberos"
second-auth = "user-ntlm"
protect = ["esp aes256-gcm", "none sha256"]
lifetime = { time = "20 min", data = "1 GB" }
main-mode.methods = "aes256-sha384-ecp384"
main-mode.lifetime = "60 min"
main-mode.sessions = 4
main-mode.force-dh = true
main-mode.reauthenticate = "90 min"
require-encryption = true
local-rules = false
tunnel-authorization = { computers = "*.corp.example", deny = { users = "mallory@corp.example" } }
transport-authorization = { users = ["alice@corp.example"] }
legacy = true
"""


def test_every_global_setting() -> None:
    found = parse(GLOBAL, name="p").settings
    assert found.exempt == (Exempt.ICMP, Exempt.DHCP)
    assert (found.idle_s, found.psk_encoding, found.crl_check) == (600, PskEncoding.UTF16, CrlCheck.STRICT)
    assert found.masqueraded is Masqueraded.CLEAR
    assert (found.through_nat, found.auth, found.second_auth) == (ThroughNat.SERVER, (Kerberos(),), (UserNtlm(),))
    assert (found.dead_peer, found.fragmentation) == (DeadPeer(20, 3), False)
    assert list(map(str, found.protect)) == ["esp aes256-gcm", "none sha256"]
    assert (found.lifetime, found.pfs) == (Limits(1200, 1 << 30), False)
    assert found.main_mode is not None
    assert (found.main_mode.lifetime_s, found.main_mode.sessions, found.main_mode.force_dh) == (3600, 4, True)
    assert found.main_mode.reauthenticate_s == 5400
    assert (found.require_encryption, found.local_rules, found.legacy) == (True, False, True)
    assert (found.tunnel_allow, found.tunnel_deny) == (
        Access(("*.corp.example",)),
        Access((), ("mallory@corp.example",)),
    )
    assert (found.transport_allow, found.transport_deny) == (Access((), ("alice@corp.example",)), Access())
    assert (found.place.line, found.places["idle-time"].line) == (2, 4)


def test_nothing_said_is_as_on_windows() -> None:
    assert parse("", name="p").settings == parse("[global]\n", name="p").settings == GlobalSettings()
    assert parse("", name="p").settings.exempt == (Exempt.NEIGHBOR_DISCOVERY, Exempt.DHCP)
    assert parse("[global]\nexempt = []\n", name="p").settings.exempt == ()


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ('"never"', None),
        ("{}", DeadPeer(30, 5)),
        ("{ tries = 1 }", DeadPeer(30, 1)),
        ('{ after = "60 min" }', DeadPeer(3600, 5)),
    ],
)
def test_when_a_peer_is_dead(said: str, found: DeadPeer | None) -> None:
    text = f"[global]\ndead-peer = {said}\n"
    policy = parse(text, name="p")
    assert policy.settings.dead_peer == found
    assert parse(canonical(policy), name="p").settings == policy.settings


def test_sets_of_terms() -> None:
    policy = parse("""
[auth-set.a]
description = "those of the domain"
first = ["kerberos", { certificate = "CN=A" }]
second = "user-ntlm"
[main-mode-crypto."m 1"]
methods = "3des-sha1-modp1024"
lifetime = "10 min"
legacy = true
[quick-mode-crypto.q]
protect = "esp aes128-sha1 every 15 min or 100 MB"
pfs = true
""", name="p")  # fmt: skip
    (auth_set,), (main,), (quick,) = policy.auth_sets, policy.main_mode_cryptos, policy.quick_mode_cryptos
    assert (auth_set.name, auth_set.description) == ("a", "those of the domain")
    assert (auth_set.first, auth_set.second) == ((Kerberos(), Certificate("CN=A")), (UserNtlm(),))
    assert (main.name, str(main.mode.methods[0]), main.mode.lifetime_s) == ("m 1", "3des-sha1-modp1024", 600)
    assert (quick.protect[0].limits, quick.lifetime, quick.pfs) == (Limits(900, 100 << 20), None, True)
    assert quick.place.line == 10


def test_main_mode_rules() -> None:
    policy = parse("""
[[main-mode]]
name = "old server"
with = "10.0.0.9"
auth = { psk-file = "old.psk" }
methods = "3des-sha1-modp1024"
sessions = 2
legacy = true
[[main-mode]]
name = "all others"
enabled = false
between = ["10.1.0.0/16", "10.2.0.0/16"]
main-mode-crypto = "m"
[main-mode-crypto.m]
""", name="p")  # fmt: skip
    first, second = policy.main_modes
    assert (first.name, first.remote, first.auth) == (
        "old server", (AddressRange.parse("10.0.0.9"),), (PskFile("old.psk"),),
    )  # fmt: skip
    assert first.main_mode is not None
    assert (first.main_mode.sessions, first.main_mode.methods[0].group) == (2, DhGroup.MODP_1024)
    assert (second.either_end, second.enabled, second.main_mode, second.main_mode_crypto) == (True, False, None, "m")
    assert policy.key_files == ("old.psk",)
    assert [where for where, _ in policy.naming("old.psk")] == ['main mode rule "old server"']


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[global]\nexempt = ["arp"]', 'global: exempt[1] is "arp", but has to be "neighbor-discovery"'),
        ('[global]\nexempt = "none"', 'exempt is "none", which is no kind of traffic'),
        ('[global]\nexempt = "none"', "Write [] if rules"),
        ('[global]\nexempt = "routerdiscovery"', 'Did you mean "router-discovery"?'),
        ('[global]\npsk-encoding = "none"', 'Did you mean "utf-16"?'),
        ('[global]\ncrl-check = "RequireCrlCheck"', 'Did you mean "strict"?'),
        ('[global]\nnat = "serverandclientbehindnat"', 'Did you mean "both"?'),
        ('[global]\nidle-time = "4 min"', "global: idle-time is out of range: from 5 min to 60 min"),
        ('[global]\nidle-time = "61 min"', "global: idle-time is out of range"),
        ('[global]\npsk-encoding = "latin-1"', 'psk-encoding is "latin-1"'),
        ("[global]\ncrl-check = 2", "crl-check is 2, but has to be a text"),
        ('[global]\nnat = "always"', 'nat is "always", but has to be "never"'),
        ('[global]\ndead-peer = "later"', 'dead-peer is "later", but has to be a table or "never"'),
        ('[global]\ndead-peer = { after = "0 s" }', "dead-peer.after is out of range: from 1 s to 60 min"),
        ('[global]\ndead-peer = { after = "61 min" }', "dead-peer.after is out of range"),
        ("[global]\ndead-peer = { tries = 21 }", "dead-peer.tries is 21, but has to lie between 1 and 20"),
        ("[global]\ndead-peer = { retries = 2 }", 'there is no setting "dead-peer.retries"'),
        ('[global]\nauth-set = "x"', 'auth-set is "x", and there is no such auth set'),
        ('[global]\nauth = "kerberos"\nauth-set = "x"', "auth stands beside auth-set"),
        ('[global]\nquick-mode-crypto = "q"\nlifetime = "9 min"', "lifetime stands beside quick-mode-crypto"),
        ('[global]\nmain-mode-crypto = "q"\nmain-mode = {}', "main-mode stands beside main-mode-crypto"),
        ('[global]\nprotect = "esp des-md5"', "protect names des, md5, too weak"),
        ('[global]\nprotect = "none sha256"', "protect names null encapsulation only"),
        ('[global]\npfs = true\nprotect = ["none sha256", "ah sha256"]', "pfs cannot be with null encapsulation"),
        ('[global]\nmain-mode = { methods = "des-md5-modp768" }', "main-mode.methods names des, md5, modp768"),
        ("[global]\ntunnel-authorization = {}", "tunnel-authorization names nobody"),
        ('[global]\nauth = { psk-file = "k" }\nsecond-auth = "user-ntlm"', "second-auth cannot follow a preshared key"),
        ('[global]\nidle = "5 min"', 'there is no setting "idle"'),
        ("[[global]]", "global has to be a single table"),
        ("[auth-set.a]", 'auth set "a": names no first authentication'),
        ('[auth-set.a]\nfirst = { psk-file = "k" }\nsecond = "user-ntlm"', "second cannot follow a preshared key"),
        ('[auth-set.a]\nfirst = "kerberos"\nthird = 1', 'there is no setting "third"'),
        ("[auth-set]\na = 1", "a is 1, but has to be a table"),
        ('[main-mode-crypto.m]\nmethods = "des-md5-modp768"', 'main mode crypto "m": methods names des, md5, modp768'),
        ("[main-mode-crypto.m]\nlifetime = 0", "lifetime has to end"),
        ('[quick-mode-crypto.q]\nprotect = "esp des-md5"', "protect names des, md5"),
        ('[quick-mode-crypto.q]\npfs = "modp768"', "pfs names modp768"),
        ('[quick-mode-crypto.q]\nprotect = "none sha256"', "protect names null encapsulation only"),
        ('[quick-mode-crypto.q]\nprotect = "esp aes128-gcm every 1 s"', "its lifetime needs a time"),
        ("[[main-mode]]\n", "main mode rule number 1: has no name"),
        ('[[main-mode]]\nname = "m"', 'main mode rule "m": says nothing of main mode'),
        ('[[main-mode]]\nname = "m"\nauth-set = "x"', 'auth-set is "x", and there is no such'),
        ('[[main-mode]]\nname = "m"\nmain-mode-crypto = "x"\nsessions = 1', "sessions stands beside main-mode-crypto"),
        ('[[main-mode]]\nname = "m"\nmethods = "des-md5-modp768"', "methods names des, md5, modp768"),
        (
            '[[main-mode]]\nname = "m"\nsessions = 1\nremote = { gateway = "10.0.0.1" }',
            "names a gateway, but main mode",
        ),
        ('[[main-mode]]\nname = "m"\nsessions = 1\n[[main-mode]]\nname = "m"\nsessions = 1', "is already taken"),
        ('[main-mode]\nname = "m"', "main-mode has to be written with double brackets"),
    ],
)
def test_mistakes(text: str, sentence: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse(text + "\n", name="policy.toml")
    assert sentence in str(caught.value)
    assert "policy.toml:" in str(caught.value)
