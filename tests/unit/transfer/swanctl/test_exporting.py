# SPDX-License-Identifier: Apache-2.0
"""Policies as swanctl.conf, and back again."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringfence.crypto.suites import DhGroup
from ringfence.databases.identity import Identity
from ringfence.databases.proposal import Limits
from ringfence.databases.sa import DfPolicy, TunnelOptions
from ringfence.net.address import AddressRange
from ringfence.policy.document import parse
from ringfence.policy.gateways import Gateways
from ringfence.policy.lower import statements
from ringfence.policy.methods import parse_ike_proposal, parse_method, weak
from ringfence.policy.model import ANY, ME, Address, Filter, HostName, KeyModule, Kind, Policy, Rule, Verb
from ringfence.policy.scope import Device, Scope
from ringfence.policy.terms import Certificate, MainMode, PskFile
from ringfence.policy.traffic import ANY_TRAFFIC, parse_traffic
from ringfence.transfer.base import key_text
from ringfence.transfer.consec import kind_of
from ringfence.transfer.swanctl.exporting import PLACEHOLDER, write_conf
from ringfence.transfer.swanctl.importing import read_conf

KEYS = {"lab.psk": key_text(b'it\'s a "key" \\'), "raw.psk": key_text(b"\xff\x00\x01")}
ADDRESSES = [AddressRange.parse(one) for one in ("10.1.0.0/16", "192.0.2.7", "192.0.2.1-192.0.2.9", "2001:db8::/32")]
TRAFFIC = [ANY_TRAFFIC, *map(parse_traffic, ("tcp to 80", "udp from 53", "icmp echo-request", "protocol 47", "tcp"))]
METHODS = ["esp aes256-gcm", "esp aes128-sha256", "esp 3des-md5", "esp null-sha1", "esp aes128-ccm-12 esn"]
IKE = ["aes256-sha384-ecp384", "3des-md5-modp1024", "aes128-sha1-modp2048", "aes192-sha512-x25519"]
IDENTITIES = [None, *map(Identity.parse, ("moon.example.org", "a@example.org", "keyid:ff00", "dn:3000", "10.9.9.9"))]
LIMITS = st.builds(
    Limits,
    st.integers(5, 172_799),
    st.sampled_from([None, 1 << 16, 1 << 40]),
    st.sampled_from([None, 1000, 99_999]),
)


@st.composite
def ends(draw: st.DrawFn) -> tuple[Address, ...]:
    return tuple(draw(st.lists(st.sampled_from(ADDRESSES[:3]), min_size=1, max_size=2, unique=True)))


ENDS = st.one_of(ends(), st.just(ANY))


@st.composite
def rules(draw: st.DrawFn, name: str) -> Rule:
    lifetime, main = draw(LIMITS), draw(st.integers(10, 172_799))
    words = [draw(st.lists(st.sampled_from(METHODS), min_size=1, unique=True)), ["ah sha256", "ah aes128-gmac"]]
    protect = tuple(parse_method(one, Limits()) for one in draw(st.sampled_from(words)))
    methods = tuple(
        parse_ike_proposal(one, Limits(main)) for one in draw(st.lists(st.sampled_from(IKE), min_size=1, unique=True))
    )
    pfs = draw(st.sampled_from([False, DhGroup.MODP_2048, DhGroup.CURVE25519]))
    certificate = draw(st.booleans())
    file, *peers = ("lab.psk", *IDENTITIES[1:3]) if name == "lab" else ("raw.psk", *IDENTITIES[3:5])
    rule = Rule(
        name, Kind.ISOLATION, draw(st.sampled_from([ME, (ADDRESSES[1],)])),
        draw(st.one_of(ends(), st.sampled_from([ANY, (HostName("db.example.org"),)]))),
        traffic=(draw(st.sampled_from(TRAFFIC)),),
        auth=(Certificate("C=CH, CN=Root") if certificate else PskFile(file),),
        protect=protect, lifetime=lifetime, pfs=pfs, main_mode=MainMode(methods, main),
        keying=draw(st.sampled_from([(KeyModule.IKEV1,), (KeyModule.IKEV2,)])),
        local_identity=draw(st.sampled_from([None, IDENTITIES[5]])), remote_identity=draw(st.sampled_from(peers)),
        replay_window=draw(st.sampled_from([0, 32, 64, 4096])), initiate=draw(st.booleans()),
        scope=draw(st.sampled_from([Scope(), Scope((), (Device("eth1"),))])),
        legacy=bool(weak([*protect, *methods])),
    )  # fmt: skip
    if draw(st.booleans()):
        gateways = Gateways(draw(st.sampled_from([None, bytes([192, 0, 2, 2])])), draw(
            st.sampled_from([None, bytes([192, 0, 2, 1])])))  # fmt: skip
        options = TunnelOptions(df=draw(st.sampled_from([DfPolicy.COPY, DfPolicy.CLEAR])), ecn=draw(st.booleans()))
        local, remote = draw(st.one_of(ends(), st.just(ANY))), draw(st.one_of(ends(), st.just(ANY)))
        rule = replace(
            rule, local=local, remote=remote, gateways=gateways, tunnel=options, tfc_octets=draw(st.integers(0, 65535)),
            initiate=rule.initiate and gateways.remote is not None,
        )  # fmt: skip
    return replace(rule, kind=kind_of(rule))


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """What swanctl.conf can say."""
    filters = [
        Filter(f"without-ipsec/f{verb.value}", verb, (draw(st.sampled_from(TRAFFIC)),), ME, draw(ENDS)) for verb in Verb
    ]
    return Policy(rules=(draw(rules("lab")), draw(rules("b-2"))), filters=tuple(filters))


def plain(policy: Policy) -> Policy:
    """With the names that its filters have in the file."""
    names = {one.name: one.name.partition("/")[2] for one in policy.filters}
    return replace(policy, filters=tuple(replace(one, name=names[one.name]) for one in policy.filters))


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(policies())
def test_out_and_in_again(policy: Policy) -> None:
    exported = write_conf(plain(policy), KEYS)
    assert not exported.left_out
    again = read_conf(exported.text, "x.conf")
    assert statements(again.policy) == statements(policy)
    assert not again.left_out
    assert again.secrets == {file: KEYS[file] for file in policy.key_files}


def left(text: str, *, keys: bool = True) -> list[str]:
    found = write_conf(parse(text, name="p.toml"), {"lab.psk": "x\n"} if keys else {})
    return [f"{one.words}: {one.why}" for one in found.left_out]


RULE = '[[rule]]\nname = "lab"\nwith = "192.0.2.2"\nauth = { psk-file = "lab.psk" }\n'


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ('secure = "request"', "negotiates as soon as it is loaded"),
        ("enabled = false", "it is switched off"),
        ('protect = ["esp aes256-sha256 + ah sha256"]', "not both on one packet"),
        ('protect = ["esp aes256-gcm", "ah sha256"]', "strongSwan then has ESP only"),
        ('protect = ["esp aes256-gcm every 900 s", "esp aes128-gcm every 600 s"]', "has one for all methods"),
        ('allow = { computers = ["*.example.org"] }', "does not ask who may use it"),
        ('profiles = ["domain"]', "it always holds"),
        ('interfaces = ["wireless"]', "it holds on all"),
        ("nat-traversal = false", "always looks for NAT"),
        ("main-mode.sessions = 1", "does not count"),
        ('keying = ["authip"]', "AuthIP"),
    ],
)
def test_what_strongswan_cannot_say(more: str, why: str) -> None:
    (one,) = left(RULE + more)
    assert why in one


def test_other_things_that_are_left_out() -> None:
    assert (
        "which end this computer is"
        in left(RULE.replace('with = "192.0.2.2"', 'between = ["10.0.0.1", "10.0.0.2"]'))[0]
    )
    assert "no other proof" in left(RULE.replace('{ psk-file = "lab.psk" }', '"kerberos"'))[0]
    assert "one way" in left(RULE.replace('{ psk-file = "lab.psk" }', '["kerberos", { psk-file = "lab.psk" }]'))[0]
    assert "does not know" in left(RULE.replace("192.0.2.2", "dns-servers"))[0]
    assert "strongSwan's names are plainer: the-lab" in left(RULE.replace('"lab"', '"The Lab"'))[0]
    assert PLACEHOLDER in left(RULE, keys=False)[0]
    assert left('[global]\nidle-time = "10 min"\n' + RULE) == [
        "global, idle-time: strongSwan says it elsewhere, or not at all"
    ]  # fmt: skip
    assert "one end" in left('[[filter]]\nname = "f"\nblock = "tcp to 23"\nmirrored = false\n')[0]


def test_keys_that_cannot_be_told_apart() -> None:
    other = RULE.replace('"lab"', '"b"').replace("192.0.2.2", "10.0.0.0/8").replace("lab.psk", "b.psk")
    third = other.replace('"b"', '"c"').replace("b.psk", "c.psk").replace("10.", "11.")
    found = write_conf(parse(RULE + other + third, name="p.toml"), {one: one for one in ("lab.psk", "b.psk", "c.psk")})
    assert [str(one) for one in found.left_out] == [
        'p.toml:9: rule "c", c.psk: strongSwan cannot tell whose key it is, and would take b.psk\nSay identity.remote.'
    ]


def test_defaults_are_written_out() -> None:
    text = write_conf(parse(RULE, name="p.toml"), {"lab.psk": "x\n"}).text
    assert "version = 0" in text
    assert "esp_proposals = aes256gcm128, aes128gcm128, aes256-sha256" in text
    assert 'secret = "x"' in text


def test_what_holds_at_boot_is_left_out_by_name() -> None:
    exported = write_conf(parse('[boot]\nmode = "block"\n', name="p.toml"), {})
    assert ("p.toml:1", "[boot]") in [(one.place, one.words) for one in exported.left_out]
