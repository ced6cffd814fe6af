# SPDX-License-Identifier: Apache-2.0
"""Policies become objects that are read as the same policy; what a directory cannot say is named."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lab.ldif import default_policies

from ringfence.databases.proposal import Limits
from ringfence.net.address import parse_address
from ringfence.place import NOWHERE
from ringfence.policy.defaults import CLASSIC_ESP, CLASSIC_MAIN_MODE
from ringfence.policy.document import parse
from ringfence.policy.errors import PolicyError, Severity
from ringfence.policy.ipfilter import parse_filter
from ringfence.policy.lower import statements
from ringfence.policy.methods import parse_ike_proposal, parse_method
from ringfence.policy.model import Filter, Policy, Rule
from ringfence.policy.scope import Connection
from ringfence.policy.terms import Certificate, Kerberos, MainMode, PskFile
from ringfence.policy.windows import DYNAMIC, FilterAction, FilterList, IpsecPolicy, PolicyRule, Response
from ringfence.secret import Secret
from ringfence.stores.directory.changes import changes
from ringfence.stores.directory.objects import Catalogue, Class, Entry, broken
from ringfence.stores.directory.reading import DirectoryPolicy, read_policy
from ringfence.stores.directory.writing import Written, write_policy
from ringfence.testing.directory import called, carried_out

CONTAINER = "CN=IP Security,CN=System,DC=corp,DC=example"
ENTRIES = [Entry.of(dn, values) for dn, values in default_policies().items()]
KEYS = {"lab.psk": Secret("Öffne dich".encode()), "other.psk": Secret(b"other")}
FILTERS = (
    "me <-> any", "me icmp <-> any", "me tcp <-> 10.0.0.0/8:443", "me <-> dns-servers", "me udp -> any:1-99",
    "10.1.0.0/16 <-> 10.2.0.0/16", "2001:db8::/32 tcp <-> me", "me <-> 10.0.0.1-10.0.0.9",
)  # fmt: skip
LIMITS = (Limits(900, 100_000 << 10), Limits(3600), Limits(300, 1 << 20))


def guids(before: Sequence[Entry] = ENTRIES) -> Callable[[], str]:
    """GUIDs that no object has: what is written has more objects than what was there."""
    numbers = count(1000 * len(before))
    return lambda: f"{{00000000-0000-0000-0000-{next(numbers):012X}}}"


def written(policy: Policy, before: list[Entry]) -> tuple[Written, list[Entry]]:
    """The objects of the assigned policy, and the directory with them, references whole."""
    assert policy.ipsec is not None
    found = write_policy(policy, policy.ipsec, KEYS, CONTAINER, before, guids(before))
    after = carried_out(before, changes(before, found.policy, found.entries))
    assert list(broken(Catalogue(after))) == []
    return found, after


def bare(found: DirectoryPolicy) -> tuple[object, ...]:
    """What it means, with keys instead of names of their files."""
    ipsec = found.policy.ipsec
    assert ipsec is not None
    keys = {name: secret.reveal() for name, secret in found.keys.items()}
    rules = [
        replace(one, auth=tuple(keys.get(each.file) if isinstance(each, PskFile) else each for each in one.auth))  # type: ignore[misc]
        for one in ipsec.own_rules
    ]
    policy = found.policy
    lists = [(one.name, one.description, sorted(map(repr, one.filters))) for one in policy.filter_lists]
    return (
        replace(ipsec, own_rules=()), *map(told, (rules, policy.filter_actions, lists)),
    )  # fmt: skip


def told(some: Iterable[object]) -> list[str]:
    """Things as they read, without places and without GUIDs that tell two of one name apart."""
    return sorted(re.sub(r" \{[-0-9A-F]+\}", "", repr(unplaced(one))) for one in some)


def unplaced(one: object) -> object:
    return replace(one, places={}, place=NOWHERE) if hasattr(one, "place") else one  # type: ignore[type-var]


def few(items: Sequence[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(items), min_size=1, max_size=4, unique=True)


texts = st.text("abc äß😀", max_size=8).map(str.strip)
names = st.text("abcdefg", min_size=1, max_size=6)


@st.composite
def actions(draw: st.DrawFn, name: str) -> FilterAction:
    response = draw(st.sampled_from([Response.NEGOTIATE, *Response]))
    if response is not Response.NEGOTIATE:
        return FilterAction(name, response, description=draw(texts))
    words = (*CLASSIC_ESP, "ah sha1", "esp null-md5", "esp 3des-sha1 + ah md5")
    some = draw(
        st.lists(
            st.sampled_from([parse_method(word, limit) for word in words for limit in LIMITS]), min_size=1, max_size=4
        )
    )
    return FilterAction(
        name, methods=tuple(some), accept_unsecured=draw(st.booleans()), fallback_to_clear=draw(st.booleans()),
        pfs=draw(st.booleans()), description=draw(texts),
    )  # fmt: skip


auths = st.lists(
    st.sampled_from([
        Kerberos(), PskFile("lab.psk"), PskFile("other.psk"), Certificate("CN=Corp Root CA"),
        Certificate("O=Corp, CN=B", mapping=True), Certificate("O=Corp, CN=C", exclude_ca_name=True),
    ]), min_size=1, max_size=3, unique=True,
).map(tuple)  # fmt: skip


@st.composite
def policies(draw: st.DrawFn, title: str = "the policy") -> Policy:
    """IPsec policies that a directory can say."""
    lists = [
        FilterList(f"list {name}", tuple(map(parse_filter, draw(few(FILTERS)))), draw(texts))
        for name in draw(st.lists(names, min_size=1, max_size=3, unique=True))
    ]  # fmt: skip
    some = [draw(actions(f"action {name}")) for name in draw(st.lists(names, min_size=1, max_size=3, unique=True))]
    rules = [
        PolicyRule(
            draw(st.sampled_from(lists)).name, draw(st.sampled_from(some)).name, f"rule {name}", draw(auths), None,
            draw(st.sampled_from(Connection)), draw(st.booleans()), draw(texts),
        )
        for name in draw(st.lists(names, min_size=1, max_size=4, unique=True))
    ]  # fmt: skip
    negotiating = [one.name for one in some if one.response is Response.NEGOTIATE]
    if negotiating and draw(st.booleans()):
        rules.append(
            PolicyRule(DYNAMIC, draw(st.sampled_from(negotiating)), "", draw(auths), enabled=draw(st.booleans()))
        )
    seconds = draw(st.sampled_from([28_800, 60, 86_400]))
    words = draw(
        st.lists(st.sampled_from([*CLASSIC_MAIN_MODE, "3des-sha1-modp2048"]), min_size=1, max_size=4, unique=True)
    )
    mode = MainMode(
        tuple(parse_ike_proposal(word, Limits(seconds=seconds)) for word in words), seconds,
        draw(st.integers(0, 9)), draw(st.booleans()),
    )  # fmt: skip
    ipsec = IpsecPolicy(
        title,
        description=draw(texts),
        poll_interval_s=draw(st.integers(60, 604_800)),
        main_mode=mode,
        own_rules=tuple(rules),
    )
    return Policy(ipsec=ipsec, filter_lists=tuple(lists), filter_actions=tuple(some))


@settings(deadline=None, max_examples=40)
@given(policies())
def test_a_policy_is_read_as_it_was_written(policy):
    found, after = written(policy, ENTRIES)
    back = read_policy(found.policy.dn, after)
    assert policy.ipsec is not None
    ipsec = back.policy.ipsec
    assert ipsec is not None
    assert replace(ipsec, own_rules=(), legacy=False) == replace(policy.ipsec, own_rules=())
    rules = {one.name: one for one in ipsec.own_rules}
    lists = {one.name: one for one in back.policy.filter_lists}
    some = {one.name: one for one in back.policy.filter_actions}
    assert len(rules) == len(policy.ipsec.own_rules)
    for wanted in policy.ipsec.own_rules:
        rule = rules[wanted.name]
        keys = {
            one.file: secret.reveal()
            for one in rule.auth
            if isinstance(one, PskFile)
            for secret in [back.keys[one.file]]
        }
        auth = tuple(Secret(keys[one.file]) if isinstance(one, PskFile) else one for one in rule.auth)
        assert auth == tuple(KEYS[one.file] if isinstance(one, PskFile) else one for one in wanted.auth)
        assert (rule.connection, rule.enabled, rule.description) == (
            wanted.connection,
            wanted.enabled,
            wanted.description,
        )
        action = some[rule.filter_action]
        (said,) = (one for one in policy.filter_actions if one.name == wanted.filter_action)
        assert replace(action, name="", legacy=False) == replace(said, name="")
        if wanted.filter_list != DYNAMIC:
            (listed,) = (one for one in policy.filter_lists if one.name == wanted.filter_list)
            assert sorted(map(repr, lists[rule.filter_list].filters)) == sorted(map(repr, listed.filters))


@settings(deadline=None, max_examples=30)
@given(policies(), policies())
def test_a_policy_becomes_another_and_nothing_of_the_old_one_is_left(first, second):
    _, after = written(first, ENTRIES)
    found, again = written(second, after)
    alone = written(second, ENTRIES)
    assert bare(read_policy(found.policy.dn, again)) == bare(read_policy(alone[0].policy.dn, alone[1]))
    rules = [one for one in Catalogue(again).of_class(Class.NFA) if one.guid.startswith("{00000000-")]
    assert sorted(one.dn for one in rules) == sorted(found.policy.texts("ipsecNFAReference"))
    assert len(Catalogue(again).of_class(Class.ISAKMP)) == 4
    dn = found.policy.dn
    back = read_policy(dn, again)
    same = write_policy(back.policy, back.policy.ipsec, back.keys, CONTAINER, again, guids(again))  # type: ignore[arg-type]
    assert changes(again, same.policy, same.entries) == ()


@pytest.mark.parametrize(
    "name", ["Server (Request Security)", "Client (Respond Only)", "Secure Server (Require Security)"]
)
def test_default_policies_are_written_back_without_a_change(name):
    found = read_policy(called(ENTRIES, Class.POLICY, name).dn, ENTRIES)
    assert found.policy.ipsec is not None
    same = write_policy(found.policy, found.policy.ipsec, {}, CONTAINER, ENTRIES, guids())
    assert changes(ENTRIES, same.policy, same.entries) == ()
    assert same.findings == ()


def test_one_change_changes_one_object_and_the_policys_own():
    secure = called(ENTRIES, Class.POLICY, "Secure Server (Require Security)")
    found = read_policy(secure.dn, ENTRIES)
    ipsec = found.policy.ipsec
    assert ipsec is not None
    actions_ = tuple(
        replace(one, methods=one.methods[:3]) if one.name == "Require Security" else one
        for one in found.policy.filter_actions
    )
    policy = replace(found.policy, filter_actions=actions_)
    made = write_policy(policy, ipsec, {}, CONTAINER, ENTRIES, guids())
    todo = changes(ENTRIES, made.policy, made.entries)
    assert [(one.dn, [*one.values]) for one in todo] == [  # type: ignore[union-attr]
        (called(ENTRIES, Class.NEGOTIATION, "Require Security").dn, ["ipsecdata"]), (secure.dn, ["ipsecdata"]),
    ]  # fmt: skip
    old, new = (
        one.octets("ipsecData")
        for one in (called(ENTRIES, Class.NEGOTIATION, "Require Security"), *made.entries)
        if one.text("ipsecName") == "Require Security" and one.is_a(Class.NEGOTIATION)
    )
    assert old is not None
    assert new is not None
    assert new[24 : 24 + 240] == old[24 : 24 + 240], "methods that stay keep their left-over memory"


def test_what_others_use_too_is_left_alone():
    secure = called(ENTRIES, Class.POLICY, "Secure Server (Require Security)")
    found = read_policy(secure.dn, ENTRIES)
    assert found.policy.ipsec is not None
    lists = tuple(
        replace(one, filters=(*one.filters, parse_filter("me <-> 10.0.0.0/8")))
        for one in found.policy.filter_lists
        if one.name == "All IP Traffic"
    )
    others = tuple(one for one in found.policy.filter_lists if one.name != "All IP Traffic")
    made, after = written(replace(found.policy, filter_lists=(*lists, *others)), ENTRIES)
    shared = [one for one in Catalogue(after).of_class(Class.FILTER) if one.text("ipsecName") == "All IP Traffic"]
    assert len(shared) == 2
    back = read_policy(made.policy.dn, after)
    assert len(next(one for one in back.policy.filter_lists if one.name.startswith("All IP")).filters) == 2
    server = read_policy(called(ENTRIES, Class.POLICY, "Server (Request Security)").dn, after)
    assert bare(server) == bare(read_policy(called(ENTRIES, Class.POLICY, "Server (Request Security)").dn, ENTRIES))


def document(text: str) -> Policy:
    return parse(text, name="policy.toml")


TUNNEL = """
[policy]
legacy = true
auth = { psk-file = "lab.psk" }
main-mode = { methods = ["3des-sha1-modp2048"] }
[[policy.rule]]
name = "branch"
filter-list = "branch"
filter-action = "strong"
tunnel = { local = "192.0.2.1", remote = "198.51.100.7" }
[filter-list.branch]
filters = ["10.1.0.0/16 <-> 10.2.0.0/16"]
[filter-action.strong]
negotiate = ["esp 3des-sha1 every 1 h or 100 MB"]
legacy = true
"""


def test_a_tunnel_with_both_ends_is_two_rules_and_means_the_same():
    policy = document(TUNNEL)
    made, after = written(policy, ENTRIES)
    back = read_policy(made.policy.dn, after)
    assert back.policy.ipsec is not None
    assert {one.name: one.tunnel for one in back.policy.ipsec.own_rules} == {
        "branch (out)": parse_address("198.51.100.7"), "branch (in)": parse_address("192.0.2.1"),
    }  # fmt: skip
    (was,), (now,) = statements(policy), statements(back.policy)
    assert isinstance(was, Rule)
    assert isinstance(now, Rule)
    assert (was.local, was.remote, was.gateways, was.protect) == (now.local, now.remote, now.gateways, now.protect) or (
        was.remote, was.local) == (now.local, now.remote)  # fmt: skip
    assert not isinstance(now, Filter)


def refusal(text: str) -> str:
    policy = document(text)
    assert policy.ipsec is not None
    with pytest.raises(PolicyError) as refused:
        write_policy(policy, policy.ipsec, KEYS, CONTAINER, ENTRIES, guids())
    return "\n".join(str(one) for one in refused.value.findings if one.severity is Severity.ERROR)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"10.1.0.0/16 <-> 10.2.0.0/16"', '"me <-> local-subnet"', 'filter "me -> local-subnet", whose local-subnet'),
        ('"10.1.0.0/16 <-> 10.2.0.0/16"', '"me <-> www.corp.example"', "whose DNS name"),
        ('"3des-sha1-modp2048"', '"aes256-sha256-ecp256"', "main mode has no method"),
        ('"esp 3des-sha1 every 1 h or 100 MB"', '"esp aes256-gcm"', 'filter action "strong" has no method'),
        ('local = "192.0.2.1", ', "", "does not say the addresses of both its ends"),
        ('"lab.psk"', '"missing.psk"', "the key missing.psk is not there"),
        ('{ psk-file = "lab.psk" }', '{ certificate = "CN=CA", signing = "ecdsa-p256" }', "has no way to authenticate"),
    ],
)
def test_what_would_be_treated_otherwise_is_refused_by_name(old, new, words):
    text = TUNNEL.replace(old, new)
    assert text != TUNNEL
    assert words in refusal(text)


def test_what_only_loses_a_choice_is_a_warning():
    more = TUNNEL.replace("negotiate = [", 'negotiate = ["esp aes256-gcm", ').replace(
        "methods = [", 'methods = ["aes256-sha256-ecp256", '
    )
    policy = document(
        more.replace("auth = { psk", "no-default-exempt = 0\nauth = { psk")
        + '[[filter]]\nname = "no telnet"\nblock = "tcp to 23"\n'
    )
    made, _ = written(policy, ENTRIES)
    said = "\n".join(map(str, made.findings))
    for words in (
        "esp aes256-gcm is left out", "main mode method aes256-sha256-ecp256 is left out", "no-default-exempt",
        '"no telnet" is no part of an IPsec policy', "the key lab.psk stands in the directory",
    ):  # fmt: skip
        assert words in said
    assert "Öffne" not in said


def test_a_new_policy_is_as_windows_makes_them():
    made, after = written(document(TUNNEL), [])
    entry = Catalogue(after).get(made.policy.dn)
    assert entry is not None
    assert entry.name == f"ipsecPolicy{entry.text('ipsecID')}"
    assert (entry.text("ipsecDataType"), entry.octets("ipsecData")) == (
        "256",
        bytes.fromhex("632120224c4fd111863b00a0248d302104000000302a000000"),
    )
