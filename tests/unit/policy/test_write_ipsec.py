# SPDX-License-Identifier: Apache-2.0
"""Every IPsec policy that can be said is written and read again."""

from collections.abc import Callable
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.databases.proposal import Limits
from ringfence.net.address import AddressRange, PortRange, parse_address
from ringfence.policy.defaults import DEFAULT_POLICIES, inherited
from ringfence.policy.document import parse
from ringfence.policy.gateways import Gateways
from ringfence.policy.ipsec import SETTINGS
from ringfence.policy.methods import AH_WORDS, ESP_WORDS, GROUP_WORDS, IKE_WORDS, parse_ike_proposal, parse_method
from ringfence.policy.model import (
    Address,
    Auth,
    Certificate,
    HostName,
    Kerberos,
    Keyword,
    MainMode,
    Policy,
    PskFile,
)
from ringfence.policy.scope import Connection
from ringfence.policy.traffic import Traffic, parse_traffic
from ringfence.policy.windows import (
    DefaultExempt,
    FilterAction,
    FilterList,
    IpFilter,
    IpsecPolicy,
    PolicyRule,
    Response,
)
from ringfence.policy.write import canonical, effective
from ringfence.policy.write_ipsec import implied, sections

T = TypeVar("T")
names = st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" "), min_size=1, max_size=12).filter(
    lambda name: bool(name.strip())
)
texts = st.text(max_size=8)
auth = st.lists(
    st.one_of(names.map(PskFile), st.just(Kerberos()), names.map(Certificate)), max_size=2
).map(lambda found: tuple[Auth, ...](found))  # fmt: skip
places: st.SearchStrategy[Address] = st.sampled_from(
    [Keyword.ANY, Keyword.DEFAULT_GATEWAY, AddressRange.parse("10.0.0.0/8"), HostName("a.corp")]
)
traffic = st.sampled_from(
    [Traffic(), Traffic(47), parse_traffic("tcp to 80"), Traffic(17, PortRange(1, 9)), parse_traffic("icmp")]
)
filters = st.builds(IpFilter, st.just(Keyword.ME) | places, places, traffic, st.booleans(), texts)
lists = st.lists(filters, min_size=1, max_size=4).map(tuple)
seconds = st.integers(5, 172_799)
data = st.none() | st.integers(1 << 16, 1 << 50)
WORDS = sorted([f"esp {word}" for word in ESP_WORDS] + [f"ah {word}" for word in AH_WORDS])
main_modes = st.builds(
    lambda words, s, sessions, pfs: MainMode(
        tuple(parse_ike_proposal(word, Limits(seconds=s)) for word in words), s, sessions, pfs
    ),
    st.lists(st.sampled_from(sorted(IKE_WORDS)), min_size=1, max_size=2), st.integers(10, 172_799), st.integers(0, 9),
    st.booleans(),
)  # fmt: skip
tunnels = st.none() | st.builds(
    Gateways, st.just(parse_address("10.0.0.1")), st.none() | st.just(parse_address("10.0.0.2"))
)


@st.composite
def actions(draw: st.DrawFn, name: str) -> FilterAction:
    if draw(st.booleans()):
        return FilterAction(
            name, draw(st.sampled_from([Response.PERMIT, Response.BLOCK])), description=draw(texts)
        )  # fmt: skip
    lifetime = Limits(draw(seconds), draw(data), draw(st.none() | st.integers(1000, 1 << 60)))
    methods = tuple(
        parse_method(word, lifetime if draw(st.booleans()) else Limits(draw(seconds), draw(data)))
        for word in draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=3))
    )
    return FilterAction(
        name, Response.NEGOTIATE, methods, lifetime, draw(st.booleans()), draw(st.booleans()),
        draw(st.booleans() | st.sampled_from(list(GROUP_WORDS.values()))), True, draw(texts),
    )  # fmt: skip


def unique(draw: st.DrawFn, least: int, make: Callable[[str], T]) -> tuple[T, ...]:
    return tuple(make(name) for name in draw(st.lists(names, min_size=least, max_size=3, unique=True)))


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Policies with one IPsec policy or several, of which one is assigned or none."""
    filter_lists = unique(draw, 1, lambda name: FilterList(name, draw(lists), draw(texts)))
    filter_actions = unique(draw, 1, lambda name: draw(actions(name)))
    negotiating = {one.name for one in filter_actions if one.response is Response.NEGOTIATE}

    def rule(name: str) -> PolicyRule:
        action = draw(st.sampled_from(filter_actions)).name
        return PolicyRule(
            draw(st.sampled_from(filter_lists)).name, action, name, draw(auth),
            draw(tunnels) if action in negotiating else None, draw(st.sampled_from(Connection)), draw(st.booleans()),
            draw(texts),
        )  # fmt: skip

    def ipsec(name: str) -> IpsecPolicy:
        rules = unique(draw, 1, rule)
        based_on = draw(st.sampled_from(["", *DEFAULT_POLICIES]))
        taken = {one.title for found in DEFAULT_POLICIES.values() for one in found}
        rules = tuple(one for one in rules if one.title not in taken) or (rule("a name that is free"),)
        return IpsecPolicy(
            name, based_on, draw(texts), draw(st.integers(60, 604_800)), draw(main_modes), draw(auth),
            rules, inherited(based_on, rules), draw(st.sampled_from(DefaultExempt)), True,
        )  # fmt: skip

    called = draw(st.lists(names.filter(lambda name: name not in SETTINGS), max_size=3, unique=True)) or [""]
    found = [ipsec(name) for name in called]
    assigned = draw(st.sampled_from([*found, None]))
    return Policy(
        ipsec=assigned, unassigned=tuple(one for one in found if one is not assigned), filter_lists=filter_lists,
        filter_actions=filter_actions,
    )  # fmt: skip


@settings(deadline=None, max_examples=150)
@given(policies())
def test_both_forms_are_read_as_the_same_policy(policy: Policy) -> None:
    assert parse(canonical(policy), name="c") == policy
    assert parse(effective(policy), name="e") == policy
    assert canonical(parse(effective(policy), name="e")) == canonical(policy)


SHORT = """\
[policy]
based-on = "Secure Server (Require Security)"
auth = { psk-file = "lab.psk" }
"""


def test_the_canonical_form_says_no_defaults() -> None:
    assert canonical(parse(SHORT, name="p")) == SHORT


def test_the_effective_form_shows_what_is_implied() -> None:
    lines = effective(parse(SHORT, name="p.toml")).splitlines()
    found = {" ".join(line.partition(" #")[0].split()): line.partition(" #")[2].strip() for line in lines}
    assert found["[policy]"] == "p.toml:1"
    assert found['auth = { psk-file = "lab.psk" }'] == "line 3"
    assert found['poll-interval = "180 min"'] == "default"
    for line in (
        '# of "Secure Server (Require Security)"',
        '# filter-list = "All ICMP Traffic"',
        '# [filter-list."All IP Traffic"]',
        '# filters = ["me <-> any"]',
        '# [filter-action."Require Security"]',
        "# accept-unsecured = true",
    ):
        assert line in lines


def test_lists_and_actions_of_the_document_are_not_implied() -> None:
    own = SHORT + '[filter-list."All IP Traffic"]\nfilters = ["me <-> 10.0.0.0/8"]\n'
    heads = [section.head for _, section in implied(parse(own, name="p"))]
    assert '[filter-list."All IP Traffic"]' not in heads
    assert '[filter-list."All ICMP Traffic"]' in heads
    assert [section.head for section in sections(parse(own, name="p"))][-1] == '[filter-list."All IP Traffic"]'
    assert list(sections(Policy())) == list(implied(Policy())) == []
