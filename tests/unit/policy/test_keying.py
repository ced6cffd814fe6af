# SPDX-License-Identifier: Apache-2.0
"""Which versions of IKE a rule means."""

from dataclasses import replace

import pytest

from ringfence.databases.eap import EapMethod
from ringfence.databases.tcp import Tcp, TcpUse
from ringfence.policy.compile import compile_policy
from ringfence.policy.document import parse
from ringfence.policy.gateways import Gateways
from ringfence.policy.host import HostFacts
from ringfence.policy.keying import default, versions
from ringfence.policy.methods import parse_ike_proposal, parse_method
from ringfence.policy.model import KeyModule, Kind, MainMode, PskFile, Rule
from ringfence.policy.rawkeys import PublicKeys
from ringfence.policy.settle import Settler
from ringfence.policy.terms import Anonymous, Auth, Certificate, Eap, Kerberos, PpkFile, Signing, Xauth
from ringfence.policy.write import canonical, effective
from ringfence.secret import Secret
from ringfence.testing.policies import rule_text

KEYS = PskFile("a"), PskFile("b")
RULE = Rule("r", Kind.ISOLATION, auth=KEYS)
V1, V2, AUTHIP = KeyModule.IKEV1, KeyModule.IKEV2, KeyModule.AUTHIP
PUBLIC = PublicKeys((("", "bob.pub"),), "alice.key")
EAP = Eap((EapMethod.MSCHAPV2,))
RSA, ECDSA, EDWARDS = (Certificate("CN=A", one) for one in (Signing.RSA, Signing.ECDSA_P256, Signing.ED25519))
GCM, HYBRID, USUAL = map(
    parse_ike_proposal, ("aes256-gcm-sha256-ecp256", "aes256-sha256-x25519+mlkem768", "aes256-sha256-ecp256")
)


def test_what_is_named_is_followed_in_its_order() -> None:
    assert versions(replace(RULE, keying=(V1,)), KEYS) == (1,)
    assert versions(replace(RULE, keying=(V1, V2)), KEYS) == (1, 2)
    assert versions(replace(RULE, keying=(AUTHIP, V2)), KEYS) == (2,)
    assert versions(replace(RULE, keying=(V2, V1)), (RSA,)) == (2, 1)


@pytest.mark.parametrize(
    ("auth", "order"),
    [
        (KEYS, (2, 1)),
        ((ECDSA, *KEYS), (2, 1)),
        ((RSA,), (1,)),
        ((*KEYS, RSA), (1,)),
        ((Kerberos(),), (1,)),
        ((Anonymous(),), (1,)),
        ((Kerberos(), *KEYS), (2, 1)),
        ((EDWARDS,), (2,)),
        ((EDWARDS, *KEYS), (2, 1)),
        ((EAP,), (2,)),
        ((PUBLIC, EDWARDS), (2,)),
        ((PUBLIC, *KEYS), (2, 1)),
        ((EAP, *KEYS), (2, 1)),
    ],
)
def test_what_is_not_named_depends_on_who_proves_what(auth: tuple[Auth, ...], order: tuple[int, ...]) -> None:
    assert versions(replace(RULE, auth=auth), auth) == order


def test_weak_signatures_of_ikev2_have_to_be_allowed() -> None:
    assert default(replace(RULE, auth=(RSA,))) == ((V1,), "auth")
    assert default(replace(RULE, auth=(RSA,), legacy=True)) == ((V2, V1), "")


@pytest.mark.parametrize(
    ("mode", "order", "why"),
    [
        (MainMode(), (V2, V1), ""),
        (MainMode(aggressive=True), (V1,), "main-mode.aggressive"),
        (MainMode(xauth=Xauth(user="alice")), (V1,), "main-mode.xauth"),
        (MainMode(pfs=True), (V1,), "main-mode.pfs"),
        (MainMode(sessions=2), (V1,), "main-mode.sessions"),
        (MainMode((GCM,)), (V2,), "main-mode.methods"),
        (MainMode((HYBRID,)), (V2,), "main-mode.methods"),
        (MainMode((GCM, HYBRID, USUAL)), (V2, V1), ""),
    ],
)
def test_what_only_one_has(mode: MainMode, order: tuple[KeyModule, ...], why: str) -> None:
    assert default(replace(RULE, main_mode=mode)) == (order, why)


def test_stacked_protocols_own_ways_and_postquantum_keys() -> None:
    methods = tuple(map(parse_method, ("esp aes256-gcm", "esp aes256-sha256 + ah sha256")))
    assert default(replace(RULE, protect=methods)) == ((V1,), "protect")
    assert default(replace(RULE, protect=methods[:1])) == ((V2, V1), "")
    assert default(replace(RULE, own_auth=KEYS)) == ((V2,), "own-auth")
    assert default(replace(RULE, ppk=PpkFile("q", "q"))) == ((V2,), "ppk")
    assert default(replace(RULE, tcp=Tcp(TcpUse.ONLY))) == ((V2,), "tcp")
    assert default(replace(RULE, tcp=Tcp(TcpUse.FALLBACK))) == ((V2, V1), "")
    sent = Gateways(None, send_to=bytes([192, 0, 2, 9]))
    assert default(replace(RULE, gateways=sent)) == ((V2,), "gateways that send clients to others")


def test_methods_that_ikev1_cannot_say_are_not_tried_by_it() -> None:
    rule = replace(RULE, keying=(V2, V1), main_mode=MainMode((GCM,)))
    assert versions(rule, KEYS) == (2,)


DOCUMENT = """
[policy]
name = "old"
[[policy.rule]]
filter-list = "All IP Traffic"
filter-action = "Require Security"
auth = { psk-file = "a" }
[filter-list."All IP Traffic"]
filters = ["me <-> 192.0.2.0/24"]
[filter-action."Require Security"]
negotiate = ["esp aes256-gcm"]
"""


def test_an_ipsec_policy_is_negotiated_by_ikev1_as_on_windows() -> None:
    facts = HostFacts((bytes([192, 0, 2, 1]),))
    compiled = compile_policy(parse(DOCUMENT, name="p.toml"), facts, {"a": Secret(b"0123456789abcdef")})
    assert {entry.keying for entry in compiled.pad} == {(1,)}


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("", '# keying = ["ikev2", "ikev1"]  # default'),
        ("main-mode.aggressive = true\n", '# keying = "ikev1"  # follows from main-mode.aggressive'),
        ('keying = "ikev1"\n', 'keying = "ikev1"  # line 4'),
    ],
)
def test_what_follows_is_shown_and_not_written(more: str, told: str) -> None:
    policy = parse(rule_text("lab") + more, name="p.toml")
    lines = [" ".join(line.split()) for line in effective(policy).splitlines()]
    assert " ".join(told.split()) in lines
    again = parse(effective(policy), name="e")
    assert [one.keying for one in again.rules] == [one.keying for one in policy.rules]
    assert ("keying" in canonical(policy)) == ("keying" in more)
    (rule,) = policy.rules
    assert Settler(policy).rule(rule).keying == rule.keying
