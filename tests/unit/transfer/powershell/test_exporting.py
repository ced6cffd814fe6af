# SPDX-License-Identifier: Apache-2.0
"""Policies as scripts, and back again."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringfence.crypto.suites import DhGroup
from ringfence.databases.proposal import Limits
from ringfence.net.address import AddressRange, PortRange
from ringfence.net.flow import TCP, UDP
from ringfence.policy.document import parse
from ringfence.policy.gateways import Gateways
from ringfence.policy.lower import statements
from ringfence.policy.methods import parse_ike_proposal, parse_method, weak
from ringfence.policy.model import ANY, ME, Address, KeyModule, Kind, MainModeRule, Need, Policy, Rule, Secure
from ringfence.policy.scope import LinkKind, Profile, Scope
from ringfence.policy.terms import (
    Access,
    Anonymous,
    Auth,
    AuthorityKind,
    AuthSet,
    Certificate,
    CrlCheck,
    Exempt,
    GlobalSettings,
    Holder,
    Kerberos,
    MainMode,
    MainModeCrypto,
    NameKind,
    Ntlm,
    PskEncoding,
    PskFile,
    QuickModeCrypto,
    SecondAuth,
    Signing,
    ThroughNat,
    UserKerberos,
    UserNtlm,
)
from ringfence.policy.traffic import ANY_TRAFFIC, Traffic
from ringfence.policy.write import canonical
from ringfence.transfer.base import key_file_text
from ringfence.transfer.consec import kind_of, weighed
from ringfence.transfer.powershell.exporting import write_script
from ringfence.transfer.powershell.importing import read_script

KEYS = {"k.psk": key_file_text("it's \u2019 a $key`")}
NAMES = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=12).filter(
    lambda name: (
        name.strip() == name
        and name.isprintable()
        and name.lower() not in ("all", "default", "none")
        and not set(name) & set("*?[]")
    )
)
CERTIFICATES = st.builds(
    Certificate, st.sampled_from(["CN=A, O='x'", "DC=b"]), st.just(Signing.RSA), st.sampled_from(AuthorityKind),
    mapping=st.booleans(), exclude_ca_name=st.booleans(), eku=st.sampled_from([(), ("1.2.3", "1.2.4")]),
    name_kind=st.just(NameKind.DNS), name=st.just("x.example"), hash=st.sampled_from(["", "ab" * 20]),
)  # fmt: skip
FIRST: st.SearchStrategy[tuple[Auth, ...]] = st.one_of(
    st.just((PskFile("k.psk"),)),
    st.tuples(CERTIFICATES),
    st.lists(st.sampled_from([Kerberos(), Ntlm(), Anonymous()]), min_size=1, unique=True).map(tuple),
)
SECOND: st.SearchStrategy[tuple[SecondAuth, ...]] = st.one_of(
    st.just(()),
    st.just((UserKerberos(), Anonymous())),
    st.just((UserNtlm(),)),
    st.just((Certificate("CN=U", holder=Holder.USER),)),
    st.just((Certificate("CN=H", health=True),)),
)
MAIN = ["aes256-sha384-ecp384", "aes128-sha256-ecp256", "3des-md5-modp768", "aes192-sha1-modp2048", "des-sha1-modp1024"]
QUICK = [
    "esp aes256-gcm",
    "esp 3des-sha1",
    "esp aes128-sha256 + ah sha1",
    "ah md5",
    "esp null-aes128-gmac",
    "esp null-sha1",
]
LIMITS = st.builds(
    Limits, st.integers(5, 2879).map(lambda minutes: minutes * 60), st.sampled_from([None, 20480 << 10, 100_000 << 10])
)
SCOPES = [Scope(), Scope((Profile.DOMAIN, Profile.PUBLIC)), Scope((), (LinkKind.WIRELESS,))]
ENDS = ["10.0.0.0/8", "10.1.2.3", "192.0.2.1-192.0.2.9", "2001:db8::/32"]


def ranges(*texts: str) -> tuple[Address, ...]:
    return tuple(map(AddressRange.parse, texts))


@st.composite
def quick_modes(draw: st.DrawFn, name: str) -> QuickModeCrypto:
    words = draw(st.lists(st.sampled_from(QUICK), min_size=1, unique=True))
    pfs = draw(st.sampled_from([False, True, DhGroup.MODP_2048, DhGroup.ECP_384, DhGroup.MODP_768]))
    lifetimes = draw(st.lists(LIMITS, min_size=len(words), max_size=len(words)))
    alike = len(set(lifetimes)) == 1
    methods = tuple(
        parse_method(word, Limits() if alike else limits) for word, limits in zip(words, lifetimes, strict=True)
    )
    legacy = bool(weak([*methods, pfs if isinstance(pfs, DhGroup) else None]))
    return QuickModeCrypto(
        name, methods, lifetimes[0] if alike else None, pfs, legacy, draw(st.sampled_from(["", "d"]))
    )


@st.composite
def main_modes(draw: st.DrawFn, name: str) -> MainModeCrypto:
    lifetime = draw(st.integers(1, 2879)) * 60
    words = draw(st.lists(st.sampled_from(MAIN), min_size=1, unique=True))
    methods = tuple(parse_ike_proposal(word, Limits(lifetime)) for word in words)
    mode = MainMode(methods, lifetime, draw(st.integers(0, 2_147_483_647)), force_dh=draw(st.booleans()))
    return MainModeCrypto(name, mode, bool(weak(methods)), draw(st.sampled_from(["", "it's"])))


@st.composite
def rules(draw: st.DrawFn, name: str, auth_sets: list[str], quick: list[str]) -> Rule:
    exempt = draw(st.booleans())
    tunnel = not exempt and draw(st.booleans())
    secure = draw(st.sampled_from([Secure(Need.REQUIRE, Need.REQUEST), Secure(), Secure(Need.REQUEST, Need.REQUEST)]))
    ends = draw(st.lists(st.sampled_from(ENDS[:3]), min_size=1, unique=True))
    remote = ranges(*ends)
    local: tuple[Address, ...] = draw(st.sampled_from([ANY, ranges("10.9.0.0/16")]))
    either = not tunnel
    if not tunnel and draw(st.booleans()):
        local, remote, either = ME, ANY, False
    traffic = ANY_TRAFFIC
    if not tunnel and draw(st.booleans()):
        port = PortRange.one(draw(st.integers(1, 65535)))
        traffic = Traffic(draw(st.sampled_from([TCP, UDP])), receiver_ports=port, either=local == ME)
    rule = Rule(
        name, Kind.ISOLATION, local, remote, either, (traffic,), Secure(Need.NONE, Need.NONE) if exempt else secure,
        auth_set="" if exempt else draw(st.sampled_from(["", *auth_sets])),
        quick_mode_crypto="" if exempt else draw(st.sampled_from(["", *quick])),
        allow=Access(draw(st.sampled_from([(), ("S-1-5-21-1",)]))) if not exempt else Access(),
        keying=() if exempt else draw(st.sampled_from([(), (KeyModule.IKEV1,), (KeyModule.IKEV2,)])),
        scope=draw(st.sampled_from(SCOPES)),
        enabled=draw(st.booleans()), description=draw(st.sampled_from(["", "what\u2019s it"])),
    )  # fmt: skip
    if tunnel:
        gateways = Gateways(bytes([192, 0, 2, 1]), draw(st.sampled_from([None, bytes([192, 0, 2, 9])])))
        rule = replace(rule, gateways=gateways, exempt_protected=draw(st.booleans()), authorize=draw(st.booleans()))
    return replace(rule, kind=kind_of(rule))


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """What both can say: sets by name, a default one of each kind."""
    names = draw(st.lists(NAMES, min_size=9, max_size=9, unique_by=str.casefold))
    seconds = [(), draw(SECOND), draw(SECOND)]
    firsts = [draw(FIRST) for _ in seconds]
    auth = [
        AuthSet(name, first, () if isinstance(first[0], PskFile) else second, draw(st.sampled_from(["", "d"])))
        for name, first, second in zip(names, firsts, seconds, strict=False)
    ]
    main = [draw(main_modes(name)) for name in names[3:5]]
    quick = [draw(quick_modes(name)) for name in names[5:7]]
    found = tuple(draw(rules(name, [one.name for one in auth[1:]], [quick[1].name])) for name in names[7:9])
    rule = MainModeRule(
        names[0],
        ME,
        ANY,
        auth_set=draw(st.sampled_from(["", auth[1].name])),
        main_mode_crypto=main[1].name,
        scope=Scope(draw(st.sampled_from([(), (Profile.DOMAIN,), (Profile.DOMAIN, Profile.PUBLIC)]))),
    )
    said = GlobalSettings(
        exempt=tuple(one for one in Exempt if draw(st.booleans())),
        idle_s=draw(st.integers(300, 3600)), psk_encoding=draw(st.sampled_from(PskEncoding)),
        crl_check=draw(st.sampled_from(CrlCheck)), through_nat=draw(st.sampled_from(ThroughNat)),
        auth_set=auth[0].name, main_mode_crypto=main[0].name, quick_mode_crypto=quick[0].name,
        local_rules=draw(st.booleans()), tunnel_allow=draw(st.sampled_from([Access(), Access((), ("S-1-5-21-7",))])),
        transport_deny=draw(st.sampled_from([Access(), Access(("BA",))])),
    )  # fmt: skip
    return Policy(
        rules=weighed(found), settings=said, main_modes=(rule,), auth_sets=tuple(auth),
        main_mode_cryptos=tuple(main), quick_mode_cryptos=tuple(quick),
    )  # fmt: skip


def sorted_sets(policy: Policy) -> Policy:
    return replace(
        policy,
        auth_sets=tuple(sorted(policy.auth_sets, key=lambda one: one.name)),
        main_mode_cryptos=tuple(sorted(policy.main_mode_cryptos, key=lambda one: one.name)),
        quick_mode_cryptos=tuple(sorted(policy.quick_mode_cryptos, key=lambda one: one.name)),
    )


def renamed(policy: Policy, file: str) -> Policy:
    return parse(canonical(policy).replace(file, "k.psk"), name="p.toml") if file else policy


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(policies())
def test_out_and_in_again(policy: Policy) -> None:
    exported = write_script(policy, KEYS)
    assert not exported.left_out
    again = read_script(exported.text, "x.ps1")
    assert not again.left_out, exported.text
    assert not again.notes
    assert list(again.secrets.values()) in ([], list(KEYS.values()))
    (file,) = again.policy.key_files or ("",)
    assert sorted_sets(renamed(again.policy, file)) == sorted_sets(policy), exported.text


@pytest.mark.parametrize("path", sorted(Path("tests/vectors/powershell").glob("*.toml")), ids=lambda path: path.stem)
def test_documents_that_came_from_scripts_mean_the_same_again(path: Path) -> None:
    policy = parse(path.read_text(), name=path.name)
    exported = write_script(policy, {file: key_file_text("x") for file in policy.key_files})
    again = read_script(exported.text, "x.ps1")
    assert not again.left_out
    by_name = {one.words for one in exported.left_out if "by their SIDs" in one.why}
    said = [one for one in statements(policy) if f'filter "{one.name}"' not in by_name]
    assert by_name <= {'filter "Allow Encrypted Telnet to Members"', "tunnel-authorization"}
    for one, other in zip(said, statements(again.policy), strict=True):
        if isinstance(one, Rule) and isinstance(other, Rule):
            strip = {"auth_set": "", "quick_mode_crypto": "", "main_mode": None, "lifetime": None, "auth": ()}
            assert replace(one, **strip) == replace(other, **strip)
            assert len(one.auth) == len(other.auth)


def text(document: str) -> tuple[str, list[str]]:
    exported = write_script(parse(document, name="p.toml"), {})
    return exported.text, [f"{one.words}: {one.why}" for one in exported.left_out]


def test_what_is_said_inline_has_sets_of_its_own() -> None:
    script, left = text(
        '[[rule]]\nname = "A"\nauth = "kerberos"\nsecond-auth = "user-kerberos"\nprotect = "esp aes256-gcm"\n'
        'main-mode.methods = "aes256-sha384-ecp384"\nmain-mode.lifetime = "60 min"\n'
    )
    assert not left
    for words in (
        "$auth1 = New-NetIPsecPhase1AuthSet -DisplayName 'A'", "$second1 = New-NetIPsecPhase2AuthSet -DisplayName 'A'",
        "$quick1 = New-NetIPsecQuickModeCryptoSet -DisplayName 'A'", "New-NetIPsecMainModeRule -DisplayName 'A'",
        "-MainModeCryptoSet $main2.Name", "-QuickModeCryptoSet $quick1.Name",
    ):  # fmt: skip
        assert words in script.replace("`\n    ", "")


def test_our_own_defaults_are_written_where_windows_would_have_weak_ones() -> None:
    script, left = text('[[rule]]\nname = "A"\nauth = "kerberos"\n')
    assert not left
    assert "New-NetIPsecQuickModeCryptoSet -DisplayName 'Default' -Group $group -Default -Proposal @(" in script
    assert "DH20" in script


def test_what_cannot_be_said_stands_in_the_head() -> None:
    script, left = text(
        '[[rule]]\nname = "A"\nauth = "kerberos"\nreplay-window = 128\nkeying = ["ikev1", "ikev2"]\n'
        '[[rule]]\nname = "B"\nauth = "kerberos"\nwith = "b.example"\n'
        '[[rule]]\nname = "C"\nauth = "kerberos"\nmain-mode.lifetime = "90 s"\n'
        '[[filter]]\nname = "D"\nblock = "tcp 23"\n[[filter]]\nname = "E"\npermit = "tcp to 22"\n'
        "[global]\nrequire-encryption = true\n"
        '[main-mode-crypto."M"]\npfs = true\nmethods = "aes256-sha384-ecp384"\n'
        '[main-mode-crypto."N"]\nmethods = "aes256-sha256-x25519"\n'
        '[auth-set."P"]\nfirst = { psk-file = "p.psk" }\n'
        '[profile.domain]\nnetworks = "10.0.0.0/8"\n'
    )
    assert [one.partition(":")[0] for one in left] == [
        'rule "A", replay-window', 'rule "A", keying', 'rule "B"', 'rule "C"', 'filter "D"', "p.psk",
        'main mode crypto "M", pfs', '"N"', 'main mode crypto "N"', "profile", "require-encryption",
    ]  # fmt: skip
    assert '# Left out: p.toml:1: rule "A", keying: Windows takes one protocol or its default' in script
    assert "New-NetIPsecRule -DisplayName 'E' -Group $group -InboundSecurity None -OutboundSecurity None" in script


def test_an_ipsec_policy_is_written_as_the_rules_that_it_comes_to() -> None:
    script, left = text(
        '[policy]\nname = "Lab"\n[[policy.rule]]\nfilter-list = "L"\nfilter-action = "S"\n'
        'auth = "kerberos"\n[[policy.rule]]\nfilter-list = "All ICMP Traffic"\nfilter-action = "Permit"\n'
        '[filter-action."S"]\nnegotiate = "esp aes256-gcm"\n'
        '[filter-list."L"]\nfilters = ["me tcp <-> 10.0.0.0/8", "me -> 10.9.0.9"]\n'
    )
    assert script.count("New-NetIPsecRule") == 3
    assert "-RemoteAddress '10.0.0.0/8' -Protocol TCP" in script.replace("`\n    ", "")
    assert ["one direction only" in one for one in left] == [True]


def test_what_holds_at_boot_is_left_out_by_name() -> None:
    exported = write_script(parse('[boot]\nmode = "block"\n', name="p.toml"), {})
    assert [(one.place, one.words) for one in exported.left_out] == [("p.toml:1", "boot")]
