# SPDX-License-Identifier: Apache-2.0
"""What is written is read again, for every policy that can be said."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.databases.identity import Identity, IdentityKind
from ringfence.databases.proposal import Limits, SecurityMethod
from ringfence.databases.sa import DfPolicy, TunnelOptions
from ringfence.databases.tcp import Tcp, TcpUse
from ringfence.net.address import ANY_PORT, AddressRange, PortRange
from ringfence.policy.difference import difference
from ringfence.policy.document import parse
from ringfence.policy.gateways import Gateways
from ringfence.policy.lower import statements
from ringfence.policy.methods import AH_WORDS, ESP_WORDS, GROUP_WORDS, IKE_WORDS, parse_ike_proposal, parse_method
from ringfence.policy.model import (
    ANY,
    ME,
    Address,
    Filter,
    Kerberos,
    KeyModule,
    Keyword,
    Kind,
    MainMode,
    MainModeRule,
    Need,
    Policy,
    PpkFile,
    PskFile,
    Reading,
    Rule,
    Secure,
    Verb,
)
from ringfence.policy.networks import Known, Profiles
from ringfence.policy.scope import Device, LinkKind, Profile, Scope
from ringfence.policy.settle import Settler
from ringfence.policy.terms import (
    Access,
    Anonymous,
    Auth,
    AuthorityKind,
    AuthSet,
    Certificate,
    Criteria,
    CrlCheck,
    DeadPeer,
    Exempt,
    GlobalSettings,
    Holder,
    MainModeCrypto,
    Masqueraded,
    NameKind,
    Ntlm,
    PskEncoding,
    QuickModeCrypto,
    SecondAuth,
    Security,
    Signing,
    ThroughNat,
    UserKerberos,
    UserNtlm,
)
from ringfence.policy.traffic import ANY_TRAFFIC, Traffic
from ringfence.policy.write import canonical, effective
from ringfence.policy.write import settings as settings_of


def in_order(known: list[Known]) -> tuple[Known, ...]:
    """As a document has them: those of each profile together."""
    return tuple(one for profile in Profile for one in known if one.profile is profile)


@st.composite
def ranges(draw: st.DrawFn, octets: int | None = None) -> AddressRange:
    size = octets or draw(st.sampled_from([4, 16]))
    ends = sorted(draw(st.tuples(st.binary(min_size=size, max_size=size), st.binary(min_size=size, max_size=size))))
    return AddressRange(*ends) if draw(st.booleans()) else AddressRange.host(ends[0])


def addresses(octets: int) -> st.SearchStrategy[tuple[Address, ...]]:
    return st.lists(st.sampled_from(Keyword) | ranges(octets), min_size=1, max_size=3).map(tuple)


def one_of(words: object) -> st.SearchStrategy[str]:
    return st.sampled_from(sorted(words))  # type: ignore[call-overload]


names = st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" "), min_size=1, max_size=20).filter(str.strip)
traffic = st.one_of(
    st.just((ANY_TRAFFIC,)),
    st.lists(
        st.builds(lambda p, a, b: Traffic(p, ANY_PORT, PortRange(min(a, b), max(a, b))),
                  st.sampled_from([6, 17]), st.integers(0, 65535), st.integers(0, 65535)),
        min_size=1, max_size=3,
    ).map(tuple),
)  # fmt: skip
oids = st.sampled_from(["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.8.2.2"])
certificates = st.builds(
    Certificate, names, st.sampled_from(Signing), st.sampled_from(AuthorityKind), st.just(Holder.COMPUTER),
    st.booleans(), st.booleans(), st.booleans(), st.lists(oids, min_size=1, max_size=2, unique=True).map(tuple),
    st.sampled_from(NameKind), names.map(str.strip), st.binary(min_size=20, max_size=20).map(bytes.hex), st.booleans(),
    st.sampled_from(Criteria),
)  # fmt: skip
firsts = st.lists(
    st.builds(PskFile, names) | st.sampled_from([Kerberos(), Anonymous()]), min_size=1, max_size=2, unique_by=type
) | st.lists(certificates | st.just(Ntlm()), min_size=1, max_size=1)
users = st.lists(
    st.sampled_from([UserKerberos(), UserNtlm(), Anonymous()])
    | certificates.map(lambda one: replace(one, holder=Holder.USER, health=False, exclude_ca_name=False)),
    min_size=1, max_size=3, unique_by=type,
).filter(lambda found: found != [Anonymous()])  # fmt: skip
healths = certificates.map(lambda one: [replace(one, health=True, exclude_ca_name=False)])


@st.composite
def proofs(draw: st.DrawFn) -> tuple[tuple[Auth, ...], tuple[SecondAuth, ...]]:
    first = draw(firsts)
    second = [] if any(isinstance(one, PskFile) for one in first) else draw(st.just([]) | users | healths)
    return tuple(first), tuple(second)


words = [f"esp {word}" for word in ESP_WORDS] + [f"ah {word}" for word in AH_WORDS]
accounts = st.sampled_from(["*.corp.example", "CORP\\Servers", "10.0.0.0/8", "S-1-5-21-1"])
accesses = st.builds(Access, st.lists(accounts, max_size=2).map(tuple), st.lists(accounts, max_size=2).map(tuple))
limits = st.builds(
    Limits, st.integers(5, 172_799), st.none() | st.integers(1 << 16, 1 << 50), st.none() | st.integers(1000, 1 << 60)
)
identities = st.one_of(
    st.none(),
    st.binary(min_size=4, max_size=4).map(Identity.of_address),
    st.binary(min_size=1, max_size=9).map(lambda data: Identity(IdentityKind.KEY_ID, data)),
    st.binary(min_size=1, max_size=9).map(lambda data: Identity(IdentityKind.DN, data)),
    st.sampled_from(["alice.lab", "10.0.0.1", "keyid:0", "dn:00"]).map(
        lambda s: Identity(IdentityKind.FQDN, s.encode())
    ),
    st.just(Identity(IdentityKind.USER_FQDN, b"alice@lab")),
)


links = st.sampled_from(LinkKind) | st.sampled_from(["eth0", "wg*"]).map(Device)
scopes = st.builds(
    Scope,
    st.sets(st.sampled_from(Profile), max_size=2).map(lambda some: tuple(one for one in Profile if one in some)),
    st.lists(links, max_size=3, unique=True).filter(lambda some: not set(some) >= set(LinkKind)).map(tuple),
)
known = st.builds(
    Known,
    st.sampled_from(Profile),
    st.lists(ranges(), min_size=1, max_size=2).map(tuple),
    st.lists(ranges(), max_size=2).map(tuple),
    st.lists(links, max_size=2).map(tuple),
    st.lists(st.sampled_from(["corp.example", "lan"]), max_size=2).map(tuple),
)
networks = st.builds(Profiles, st.lists(known, max_size=4).map(in_order), st.sampled_from(Profile))


@st.composite
def ends(draw: st.DrawFn) -> tuple[tuple[Address, ...], tuple[Address, ...], bool]:
    octets = draw(st.sampled_from([4, 16]))
    local, remote = draw(addresses(octets)), draw(addresses(octets))
    either = draw(st.booleans()) and Keyword.ME not in (*local, *remote)
    return (ME if draw(st.booleans()) and not either else local), remote, either


own_limits = st.builds(Limits, st.integers(5, 172_799), st.none() | st.integers(1 << 16, 1 << 50))


@st.composite
def methods(draw: st.DrawFn) -> tuple[SecurityMethod, ...]:
    chosen = draw(st.lists(one_of(words), max_size=3))
    return tuple(parse_method(word, draw(st.just(Limits()) | own_limits)) for word in chosen)


@st.composite
def main_modes(draw: st.DrawFn) -> MainMode:
    seconds = draw(st.integers(10, 172_799))
    chosen = draw(st.lists(one_of(IKE_WORDS), min_size=1, max_size=3))
    return MainMode(
        tuple(parse_ike_proposal(word, Limits(seconds)) for word in chosen),
        seconds, draw(st.integers(0, 9)), draw(st.booleans()), draw(st.booleans()),
    )  # fmt: skip


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    local, remote, either = draw(ends())
    tunnel = not either and draw(st.booleans())
    exempt = not tunnel and draw(st.booleans())
    by_set, crypto = draw(st.booleans()), draw(st.booleans())
    first, second = draw(proofs())
    keying = tuple(draw(st.lists(st.sampled_from(KeyModule), max_size=2, unique=True)))
    alone = not exempt and keying == (KeyModule.IKEV2,)
    ppk = draw(st.builds(PpkFile, names, names, st.just(False))) if alone and draw(st.booleans()) else None
    needs = draw(st.tuples(st.sampled_from(Need), st.sampled_from(Need)).filter(lambda pair: set(pair) != {Need.NONE}))
    rule = Rule(
        name=draw(names),
        kind=Kind.CUSTOM,
        local=local,
        remote=remote,
        either_end=either,
        traffic=draw(traffic),
        secure=Secure(Need.NONE, Need.NONE) if exempt else Secure(*needs),
        auth=() if exempt or by_set else first,
        second_auth=() if exempt or by_set else second,
        auth_set="both" if by_set and not exempt else "",
        protect=() if crypto else draw(methods()),
        lifetime=None if crypto else draw(st.none() | limits),
        pfs=None if crypto else draw(st.none() | st.booleans() | st.sampled_from(list(GROUP_WORDS.values()))),
        quick_mode_crypto="quick" if crypto else "",
        main_mode=draw(st.none() | main_modes()),
        allow=Access() if exempt else draw(accesses),
        deny=Access() if exempt else draw(accesses),
        exempt_protected=tunnel and draw(st.booleans()),
        authorize=tunnel and draw(st.booleans()),
        keying=keying,
        local_identity=draw(identities),
        remote_identity=draw(identities),
        gateways=draw(st.builds(
            Gateways, st.none() | st.just(b"\x0a\0\0\x01"), st.none() | st.just(b"\x0a\0\0\x02")
        )) if tunnel else None,
        tunnel=draw(st.builds(TunnelOptions, st.integers(1, 255), st.sampled_from(DfPolicy), st.just(False),
                              st.integers(0, 63), st.booleans())) if tunnel else TunnelOptions(),
        ppk=ppk,
        tcp=draw(st.none() | st.builds(Tcp, st.sampled_from(TcpUse), st.integers(1, 49151))) if alone else None,
        replay_window=draw(st.just(0) | st.integers(32, 4096)),
        tfc_octets=draw(st.integers(0, 65535)) if tunnel else 0,
        nat_traversal=draw(st.booleans()),
        initiate=draw(st.booleans()),
        legacy=True,
        enabled=draw(st.booleans()),
        description=draw(st.text(max_size=10)),
        scope=draw(scopes),
    )  # fmt: skip
    return replace(rule, kind=draw(st.sampled_from(kinds_of(rule))))


def kinds_of(rule: Rule) -> list[Kind]:
    if rule.gateways:
        return [Kind.TUNNEL]
    if rule.secure.exempt:
        return [Kind.EXEMPTION]
    if rule.traffic != (ANY_TRAFFIC,):
        return [Kind.CUSTOM]
    return [Kind.CUSTOM, Kind.ISOLATION, Kind.SERVER_TO_SERVER]


@st.composite
def filters(draw: st.DrawFn) -> Filter:
    local, remote, either = draw(ends())
    secure = draw(st.none() | st.sampled_from(Security))
    allow, deny = (draw(accesses) if secure else Access() for _ in range(2))
    direction = draw(st.sampled_from(Reading))
    override = secure is not None and (direction is Reading.OUT or bool(allow.computers)) and draw(st.booleans())
    return Filter(
        draw(names), draw(st.sampled_from(Verb)) if secure is None else Verb.PERMIT, draw(traffic), local, remote,
        either, direction, draw(st.booleans()), secure, override, allow, deny, draw(st.booleans()),
        draw(st.text(max_size=10)), scope=draw(scopes),
    )  # fmt: skip


@st.composite
def globals_(draw: st.DrawFn) -> GlobalSettings:
    first, second = draw(proofs())
    by_set, crypto, main_set = draw(st.booleans()), draw(st.booleans()), draw(st.booleans())
    exempt = draw(st.lists(st.sampled_from(Exempt), unique=True))
    return GlobalSettings(
        tuple(one for one in Exempt if one in exempt), draw(st.integers(300, 3600)),
        draw(st.sampled_from(PskEncoding)), draw(st.sampled_from(CrlCheck)), draw(st.sampled_from(ThroughNat)),
        draw(st.sampled_from(Masqueraded)),
        draw(st.none() | st.builds(DeadPeer, st.integers(1, 3600), st.integers(1, 20))), draw(st.booleans()),
        () if by_set else first, () if by_set else second, "both" if by_set else "",
        () if crypto else draw(methods()), None if crypto else draw(st.none() | limits),
        False if crypto else draw(st.booleans() | st.sampled_from(list(GROUP_WORDS.values()))),
        "quick" if crypto else "",
        None if main_set else draw(st.none() | main_modes()), "main" if main_set else "",
        False, draw(st.booleans()),
        draw(accesses), draw(accesses), draw(accesses), draw(accesses), True,
    )  # fmt: skip


@st.composite
def main_mode_rules(draw: st.DrawFn) -> MainModeRule:
    local, remote, either = draw(ends())
    by_set, main_set = draw(st.booleans()), draw(st.booleans())
    first, _ = draw(proofs())
    return MainModeRule(
        draw(names), local, remote, either, () if by_set else first, "both" if by_set else "",
        None if main_set else draw(st.none() | main_modes()), "main" if main_set else "", True,
        draw(scopes), draw(st.booleans()), draw(st.text(max_size=10)),
    )  # fmt: skip


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    items = draw(st.lists(rules() | filters(), max_size=4, unique_by=lambda item: item.name))
    first, second = draw(proofs())
    pfs = draw(st.booleans() | st.sampled_from(list(GROUP_WORDS.values())))
    return Policy(
        tuple(one for one in items if isinstance(one, Rule)),
        tuple(one for one in items if isinstance(one, Filter)),
        profiles=draw(networks),
        settings=draw(st.builds(GlobalSettings) | globals_()),
        main_modes=tuple(draw(st.lists(main_mode_rules(), max_size=2, unique_by=lambda one: one.name))),
        auth_sets=(AuthSet("both", first, second, draw(st.text(max_size=10))),),
        main_mode_cryptos=(MainModeCrypto("main", draw(main_modes()), True, draw(st.text(max_size=10))),),
        quick_mode_cryptos=(
            QuickModeCrypto("quick", draw(methods()), draw(st.none() | limits), pfs, True, draw(st.text(max_size=10))),
        ),
    )  # fmt: skip


def is_sayable(policy: Policy) -> bool:
    """Not a second authentication of ``[global]`` behind a rule's preshared key."""
    settler = Settler(policy)
    terms = [settler.terms(rule) for rule in policy.rules if not rule.secure.exempt]
    return not any(one.second_auth and any(isinstance(each, PskFile) for each in one.auth) for one in terms)


@settings(deadline=None, max_examples=150)
@given(policies().filter(is_sayable))
def test_both_forms_are_read_as_the_same_policy(policy: Policy) -> None:
    assert parse(canonical(policy), name="c") == policy
    again = parse(effective(policy), name="e")
    assert statements(again) == statements(policy)
    assert [Settler(again).main_mode(one) for one in again.main_modes] == [
        Settler(policy).main_mode(one) for one in policy.main_modes
    ]
    assert (again.auth_sets, again.main_mode_cryptos) == (policy.auth_sets, policy.main_mode_cryptos)
    assert difference(policy, again) == ()


FIVE_LINES = """\
[[rule]]
name   = "lab is isolated"
with   = "10.77.0.0/24"
secure = "require"
auth   = { psk-file = "lab.psk" }
"""


def test_the_canonical_form_says_no_defaults() -> None:
    assert canonical(parse(FIVE_LINES, name="policy.toml")) == (
        '[[rule]]\nname = "lab is isolated"\nwith = "10.77.0.0/24"\nauth = { psk-file = "lab.psk" }\n'
    )
    assert canonical(Policy()) == effective(Policy()) == ""


def test_the_effective_form_says_where_each_value_comes_from() -> None:
    lines = effective(parse(FIVE_LINES, name="policy.toml")).splitlines()
    found = {" ".join(line.partition("#")[0].split()): line.partition("#")[2].strip() for line in lines}
    assert found["[[rule]]"] == "policy.toml:1"
    assert found['with = "10.77.0.0/24"'] == "line 3"
    assert found['secure = "require"'] == "line 4"
    assert found['kind = "isolation"'] == "follows from the rule"
    assert found['lifetime.time = "60 min"'] == "default"
    assert found['main-mode.lifetime = "480 min"'] == "default"


@pytest.mark.parametrize("setting", ["traffic", "protect", "pfs", "replay-window", "main-mode.methods", "legacy"])
def test_every_setting_is_there(setting: str) -> None:
    (rule,) = parse(FIVE_LINES, name="policy.toml").rules
    assert setting in [one.name for one in settings_of(rule)]


def test_remote_any_is_a_default() -> None:
    (rule,) = parse('[[rule]]\nname = "a"\nauth = { psk-file = "k" }\n', name="p").rules
    assert rule.remote == ANY
    assert "with" not in canonical(Policy((rule,)))
