# SPDX-License-Identifier: Apache-2.0
"""Policies as scripts of netsh, and back again."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringfence.crypto.suites import DhGroup
from ringfence.databases.proposal import Limits
from ringfence.net.address import AddressRange, PortRange, parse_address
from ringfence.net.flow import ICMP, TCP, UDP
from ringfence.policy.document import parse
from ringfence.policy.gateways import Gateways
from ringfence.policy.methods import parse_ike_proposal, parse_method, weak
from ringfence.policy.model import (
    ANY,
    ME,
    Address,
    Filter,
    HostName,
    Keyword,
    Kind,
    MainModeRule,
    Need,
    Policy,
    Reading,
    Rule,
    Secure,
    Verb,
)
from ringfence.policy.scope import LinkKind, Profile, Scope
from ringfence.policy.terms import (
    Access,
    Anonymous,
    Auth,
    AuthorityKind,
    Certificate,
    CrlCheck,
    Exempt,
    GlobalSettings,
    Holder,
    Kerberos,
    MainMode,
    NameKind,
    Ntlm,
    PskFile,
    SecondAuth,
    Security,
    Signing,
    ThroughNat,
    UserKerberos,
    UserNtlm,
)
from ringfence.policy.traffic import ANY_TRAFFIC, Traffic
from ringfence.policy.windows import (
    DYNAMIC,
    Connection,
    DefaultExempt,
    FilterAction,
    FilterList,
    IpFilter,
    IpsecPolicy,
    PolicyRule,
    Response,
)
from ringfence.policy.write import canonical
from ringfence.transfer.base import key_file_text
from ringfence.transfer.consec import ends_of, kind_of, weighed
from ringfence.transfer.netsh.authentication import SIGNINGS
from ringfence.transfer.netsh.exporting import write_script
from ringfence.transfer.netsh.importing import read_script

KEY = "it's a %key% & more^"
TEXTS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=10).filter(
    lambda text: (
        '"' not in text and not text.endswith("\\") and text.isprintable() and text.lower() not in ("all", "new")
    )
)
NAMES = st.lists(TEXTS, min_size=1, max_size=2).map(" ".join).filter(lambda name: name != DYNAMIC)
HOSTS: st.SearchStrategy[Address] = st.sampled_from([
    AddressRange.parse("10.0.0.9"), AddressRange.parse("10.1.0.0/16"), AddressRange.parse("10.2.0.1-10.2.0.7"),
])  # fmt: skip
SIX: st.SearchStrategy[Address] = st.sampled_from([AddressRange.parse("2001:db8::/32"), AddressRange.parse("fd00::1")])
SERVERS: st.SearchStrategy[Address] = st.sampled_from(
    [Keyword.DNS_SERVERS, Keyword.DEFAULT_GATEWAY, Keyword.WINS_SERVERS]
)
PORTS = st.one_of(st.just(PortRange()), st.integers(1, 65535).map(PortRange.one))
TRAFFIC = st.one_of(
    st.just(ANY_TRAFFIC), st.sampled_from([Traffic(ICMP), Traffic(47), Traffic(255)]),
    st.builds(Traffic, st.sampled_from([TCP, UDP]), PORTS, PORTS),
)  # fmt: skip
PAIRS: st.SearchStrategy[tuple[Address, Address]] = st.one_of(
    st.tuples(st.just(Keyword.ME), st.one_of(HOSTS, SIX, SERVERS)),
    st.tuples(st.just(Keyword.ME), st.sampled_from([Keyword.ANY, HostName("a.example")])),
    st.tuples(HOSTS, st.one_of(HOSTS, st.just(Keyword.ANY))), st.tuples(SIX, st.just(Keyword.ME)),
)  # fmt: skip
FILTERS = st.builds(
    lambda pair, traffic, mirrored, text: IpFilter(*pair, traffic, mirrored, text), PAIRS, TRAFFIC, st.booleans(),
    st.one_of(st.just(""), NAMES),
)  # fmt: skip
LIMITS = st.builds(Limits, st.sampled_from([300, 3600, 7201]), st.sampled_from([None, 20_480 << 10, 100_000 << 10]))
CLASSIC = ["esp 3des-sha1", "esp des-md5", "ah md5", "esp null-sha1 + ah sha1", "esp 3des-md5 + ah sha1"]
OFFERS = st.lists(st.builds(parse_method, st.sampled_from(CLASSIC), LIMITS), min_size=1, max_size=3, unique=True).map(
    tuple
)
FIRST: st.SearchStrategy[tuple[Auth, ...]] = st.sampled_from([
    (), (PskFile("k.psk"),), (Kerberos(), PskFile("k.psk")), (Certificate('CN=A, O="x y"', mapping=True), Kerberos()),
])  # fmt: skip


@st.composite
def ipsec_policies(draw: st.DrawFn) -> Policy:
    names = draw(st.lists(NAMES, min_size=7, max_size=7, unique_by=str.lower))
    lists = tuple(
        FilterList(
            name,
            tuple(draw(st.lists(FILTERS, min_size=1, max_size=3, unique_by=lambda one: replace(one, description="")))),
        )
        for name in names[:2]
    )
    offers = draw(OFFERS)
    lifetime = offers[0].limits if len({one.limits for one in offers}) == 1 else FilterAction("").lifetime
    actions = (
        FilterAction(names[0], Response.NEGOTIATE, offers, lifetime, draw(st.booleans()), draw(st.booleans()),
                     draw(st.booleans()), bool(weak(offers)), draw(st.one_of(st.just(""), NAMES))),
        FilterAction(names[1], draw(st.sampled_from([Response.PERMIT, Response.BLOCK]))),
    )  # fmt: skip
    rules = tuple(
        PolicyRule(lists[number % 2].name, actions[number // 2].name, names[2 + number], draw(FIRST), None,
                   draw(st.sampled_from(Connection)), draw(st.booleans()), draw(st.one_of(st.just(""), NAMES)))
        for number in range(draw(st.integers(1, 3)))
    )  # fmt: skip
    seconds = draw(st.integers(1, 2879)) * 60
    words = draw(st.lists(st.sampled_from(["3des-sha1-modp2048", "des-md5-modp768"]), min_size=1, unique=True))
    mode = MainMode(tuple(parse_ike_proposal(word, Limits(seconds)) for word in words), seconds,
                    draw(st.integers(0, 9)), draw(st.booleans()))  # fmt: skip
    policy = IpsecPolicy(
        names[5], "", draw(st.one_of(st.just(""), NAMES)), 60 * draw(st.integers(1, 999)), mode, (), rules,
        exempt=draw(st.sampled_from(DefaultExempt)), legacy=bool(weak(mode.methods)),
    )  # fmt: skip
    other = replace(policy, name=names[6], own_rules=rules[:1], exempt=DefaultExempt.IKE)
    return Policy(
        ipsec=policy, unassigned=(other,) if draw(st.booleans()) else (), filter_lists=lists, filter_actions=actions
    )


def round_trip(policy: Policy) -> None:
    """The policy is a document, and as a script it is the same."""
    assert parse(canonical(policy), name="x") == policy
    exported = write_script(policy, {"k.psk": key_file_text(KEY)})
    assert exported.left_out == ()
    again = read_script(exported.text, "x")
    assert again.left_out == (), exported.text
    files = dict(zip(again.policy.key_files, policy.key_files, strict=True))
    assert set(again.secrets.values()) <= {key_file_text(KEY)}
    text = canonical(again.policy)
    for new, old in files.items():
        text = text.replace(f'"{new}"', f'"{old}"')
    assert text == canonical(policy), exported.text
    assert parse(text, name="x") == policy, exported.text


@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
@given(ipsec_policies())
def test_ipsec_policies_come_back(policy: Policy) -> None:
    round_trip(policy)


CERTIFICATES = st.builds(
    Certificate, st.sampled_from(["CN=A, O='x'", 'CN="b, c"']), st.sampled_from([*SIGNINGS.values()]),
    st.sampled_from(AuthorityKind),
    mapping=st.booleans(), exclude_ca_name=st.booleans(), health=st.booleans(),
    eku=st.sampled_from([(), ("1.2.3", "1.2.4")]),
    name_kind=st.sampled_from(NameKind), name=st.just("x.example"), hash=st.sampled_from(["", "ab" * 20]),
)  # fmt: skip
FIRST_AUTH: st.SearchStrategy[tuple[Auth, ...]] = st.one_of(
    st.just((PskFile("k.psk"),)), st.tuples(CERTIFICATES),
    st.lists(st.sampled_from([Kerberos(), Ntlm(), Anonymous()]), min_size=1, unique=True).map(tuple),
)  # fmt: skip
SECOND_AUTH: st.SearchStrategy[tuple[SecondAuth, ...]] = st.sampled_from([
    (), (UserKerberos(), Anonymous()), (UserNtlm(),), (Certificate("CN=U", holder=Holder.USER),),
    (Certificate("CN=H", health=True, signing=Signing.ECDSA_P384),),
])  # fmt: skip
ENDPOINTS: st.SearchStrategy[tuple[Address, ...]] = st.one_of(
    st.just(ANY), st.lists(HOSTS, min_size=1, max_size=2, unique=True).map(tuple), st.just((Keyword.DNS_SERVERS,))
)
QUICK = ["esp aes256-gcm", "esp aes128-sha256", "esp null-sha1", "ah sha256", "esp aes192-sha1 + ah sha1",
         "ah aes128-gmac",         "esp null-aes256-gmac", "esp 3des-md5"]  # fmt: skip
MAIN = ["aes256-sha384-ecp384", "aes128-sha256-ecp256", "3des-md5-modp768", "aes192-sha1-modp2048"]
WHOLE_LIMITS = st.builds(Limits, st.sampled_from([300, 3600]), st.sampled_from([None, 20_480 << 10, 100_000 << 10]))
SECURES = [Secure(Need.REQUIRE, Need.REQUEST), Secure(Need.REQUEST, Need.REQUEST), Secure(Need.REQUIRE, Need.REQUIRE)]


def main_modes(draw: st.DrawFn) -> MainMode:
    seconds = draw(st.integers(1, 2879)) * 60
    words = draw(st.lists(st.sampled_from(MAIN), min_size=1, unique=True))
    methods = tuple(parse_ike_proposal(word, Limits(seconds)) for word in words)
    return MainMode(methods, seconds, draw(st.integers(0, 9)), force_dh=draw(st.booleans()))


SCOPES = st.builds(
    lambda profiles, links: Scope(
        tuple(one for one in Profile if one in profiles), tuple(one for one in LinkKind if one in links)
    ),
    st.sets(st.sampled_from(Profile), max_size=2), st.sets(st.sampled_from(LinkKind), max_size=2),
)  # fmt: skip


@st.composite
def rules(draw: st.DrawFn, name: str) -> Rule:
    common = Rule(name, Kind.ISOLATION, scope=draw(SCOPES), enabled=draw(st.booleans()),
                  description=draw(st.one_of(st.just(""), NAMES)))  # fmt: skip
    ends = ends_of(draw(ENDPOINTS), draw(ENDPOINTS))
    one = replace(common, local=ends.local, remote=ends.remote, either_end=ends.either_end)
    kind = draw(st.sampled_from(["exempt", "transport", "tunnel"]))
    if kind == "tunnel":
        one = replace(
            one, local=draw(HOSTS.map(lambda one: (one,))), remote=draw(ENDPOINTS), either_end=False,
            gateways=Gateways(draw(st.sampled_from([None, parse_address("192.0.2.1")])),
                              draw(st.sampled_from([None, parse_address("198.51.100.1")]))),
            secure=draw(st.sampled_from([*SECURES, Secure(Need.REQUIRE, Need.NONE)])),
            exempt_protected=draw(st.booleans()), authorize=draw(st.booleans()),
        )  # fmt: skip
    else:
        traffic = draw(TRAFFIC)
        both = ends.local == ME and ends.remote == ANY
        if (
            both
            and traffic.protocol in (TCP, UDP)
            and not (traffic.sender_ports.is_any and traffic.receiver_ports.is_any)
        ):
            traffic = Traffic(traffic.protocol, PortRange(), PortRange.one(443), either=True)
        one = replace(one, traffic=(traffic,), secure=draw(st.sampled_from(SECURES)))
    if kind == "exempt":
        one = replace(one, secure=Secure(Need.NONE, Need.NONE))
        return replace(one, kind=kind_of(one))
    auth = draw(FIRST_AUTH)
    limits = draw(WHOLE_LIMITS)
    protect = tuple(parse_method(word) for word in draw(st.lists(st.sampled_from(QUICK), min_size=1, unique=True)))
    pfs = draw(st.sampled_from([False, True, DhGroup.MODP_2048, DhGroup.ECP_384, DhGroup.MODP_1024]))
    if kind == "transport" and draw(st.booleans()):
        pfs, protect = False, (parse_method("none sha256"), *protect)
    one = replace(
        one, auth=auth, second_auth=() if PskFile("k.psk") in auth else draw(SECOND_AUTH), protect=protect,
        lifetime=limits, pfs=pfs, legacy=bool(weak([*protect, None if isinstance(pfs, bool) else pfs])),
    )  # fmt: skip
    return replace(one, kind=kind_of(one))


BLOCKED = st.one_of(
    st.sampled_from([ANY_TRAFFIC, Traffic(ICMP), Traffic(47)]),
    st.builds(Traffic, st.sampled_from([TCP, UDP]), PORTS, st.integers(1, 65535).map(PortRange.one)),
)


@st.composite
def secured(draw: st.DrawFn, name: str) -> Filter:
    direction = draw(st.sampled_from([Reading.IN, Reading.OUT]))
    some = [one for one in Security if direction is Reading.IN or one is not Security.NEGOTIATED]
    allow, deny = (draw(st.sampled_from([Access(), Access(("S-1-5-21-1",), ("S-1-5-21-2",))])) for _ in range(2))
    override = draw(st.booleans()) and (direction is Reading.OUT or bool(allow))
    traffic = draw(BLOCKED)
    anywhere = override or not traffic.receiver_ports.is_any
    return Filter(
        name, Verb.PERMIT, (traffic,), remote=ANY if anywhere else (AddressRange.parse("10.0.0.0/8"),),
        direction=direction, mirrored=not override, secure=draw(st.sampled_from(some)), override_block=override,
        allow=allow, deny=deny, scope=draw(SCOPES),
    )  # fmt: skip


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    names = draw(st.lists(NAMES, min_size=6, max_size=6, unique_by=str.lower))
    mode = main_modes(draw)
    made = GlobalSettings(
        exempt=tuple(one for one in Exempt if one in draw(st.sets(st.sampled_from(Exempt)))),
        idle_s=60 * draw(st.integers(5, 60)), crl_check=draw(st.sampled_from(CrlCheck)),
        through_nat=draw(st.sampled_from(ThroughNat)), main_mode=mode, legacy=bool(weak(mode.methods)),
        tunnel_allow=draw(st.sampled_from([Access(), Access(("S-1-5-21-1",), ("S-1-5-21-2",))])),
        transport_deny=draw(st.sampled_from([Access(), Access((), ("S-1-5-21-3",))])),
    )  # fmt: skip
    own = main_modes(draw)
    ends = ends_of(draw(ENDPOINTS), draw(ENDPOINTS))
    main_mode = MainModeRule(names[4], ends.local, ends.remote, ends.either_end, draw(FIRST_AUTH), main_mode=own,
                             legacy=bool(weak(own.methods)), scope=Scope(draw(SCOPES).profiles))  # fmt: skip
    blocked = Filter(
        names[3], Verb.BLOCK, (draw(BLOCKED),), remote=(draw(HOSTS),), mirrored=False, scope=draw(SCOPES),
        direction=draw(st.sampled_from([Reading.IN, Reading.OUT])),
    )  # fmt: skip
    found = tuple(draw(rules(name)) for name in names[: draw(st.integers(1, 3))])
    filters = (blocked, draw(secured(names[5])))
    return Policy(rules=weighed(found), filters=filters, settings=made, main_modes=(main_mode,))


@settings(deadline=None, max_examples=250, suppress_health_check=list(HealthCheck))
@given(policies())
def test_rules_come_back(policy: Policy) -> None:
    round_trip(policy)


@pytest.mark.parametrize("path", sorted(Path("tests/vectors/netsh").glob("*.cmd")), ids=lambda path: path.stem)
def test_what_was_brought_along_can_be_given_away(path: Path) -> None:
    imported = read_script(path.read_text(), path.name)
    again = read_script(write_script(imported.policy, imported.secrets).text, "x")
    assert again.policy.ipsec is None or imported.policy.ipsec is not None
    assert len(again.policy.rules) <= len(imported.policy.rules)
    assert all("answers" in one.why for one in again.left_out)
