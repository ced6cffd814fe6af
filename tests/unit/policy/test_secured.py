# SPDX-License-Identifier: Apache-2.0
"""Filters that permit what is secure, held against a reference that weighs statement by statement."""

from dataclasses import replace
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.databases.demand import Demand, Grant
from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action, Direction, Origin, SpdEntry
from ringfence.net.address import AddressRange, parse_address
from ringfence.net.flow import TCP, FlowKey
from ringfence.policy.compile import BUILT_IN, Compiled, HostFacts, compile_policy
from ringfence.policy.explain import parse_flow
from ringfence.policy.methods import parse_method
from ringfence.policy.model import (
    ANY,
    Address,
    Filter,
    Kind,
    Need,
    Policy,
    PskFile,
    Reading,
    Rule,
    Secure,
    Verb,
)
from ringfence.policy.secured import layers
from ringfence.policy.settle import encrypts
from ringfence.policy.terms import NOBODY, Access, Security
from ringfence.policy.traffic import parse_traffic
from ringfence.secret import Secret
from ringfence.testing.policies import compile_text, rule_text

ME = "10.0.0.1"
HOST = HostFacts((parse_address(ME),))
KEYS = {"test.psk": Secret(b"test.psk")}

LAB = rule_text("lab", with_='"10.0.0.0/24"', secure='"request"')
SMB = '[[filter]]\nname = "smb"\npermit = "tcp to 445"\ndirection = "in"\nsecure = "encrypted"\n'
SHUT = '[[filter]]\nname = "shut"\nblock = "tcp to 445"\nwith = "10.0.0.0/24"\ndirection = "in"\n'
BYPASS = SMB.replace("smb", "admins") + 'override-block = true\nallow = { computers = ["admin.example"] }\n'
ASKS = "in tcp 10.0.0.9:5000 -> 10.0.0.1:445"


def decides(found: Compiled, text: str) -> SpdEntry | None:
    flow, direction = parse_flow(text)
    return found.spd.outbound(flow) if direction is Direction.OUT else found.spd.inbound(flow)


def told(found: Compiled, text: str) -> str:
    """Such as ``protect by lab for smb``."""
    entry = decides(found, text)
    if entry is None:
        return "permit"
    if entry.demand is None:
        return f"{entry.action.value} by {entry.origin.rule}"
    rule = "nothing" if entry.demand.rule is None else entry.demand.rule.rule
    return f"{entry.action.value} by {rule} for {' '.join(one.filter for one in entry.demand.grants)}"


def test_a_rule_protects_it_and_the_rest_is_blocked() -> None:
    found = compile_text(LAB + SMB, ME)
    assert told(found, ASKS) == "protect by lab for smb"
    assert told(found, "out tcp 10.0.0.1:445 -> 10.0.0.9:5000") == "protect by lab for smb"
    assert told(found, "in tcp 192.0.2.9:5000 -> 10.0.0.1:445") == "block by nothing for smb"
    assert told(found, "in tcp 10.0.0.9:5000 -> 10.0.0.1:80") == "protect by lab"
    entry = decides(found, ASKS)
    assert entry is not None
    assert entry.processing is not None
    assert not entry.processing.clear_in
    assert not entry.processing.clear_out
    assert entry.peer == next(one.peer for one in found.spd if one.origin.rule == "lab" and one.demand is None)


def test_only_methods_that_suffice_are_agreed_on() -> None:
    lab = LAB + 'protect = ["ah sha256", "esp null-sha256", "esp aes256-gcm", "esp aes128-sha256 + ah sha256"]\n'
    expected = {
        "encrypted": ["esp aes256-gcm", "esp aes128-sha256 + ah sha256"],
        "negotiated": ["esp aes256-gcm", "esp aes128-sha256 + ah sha256"],
        "authenticated": ["ah sha256", "esp null-sha256", "esp aes256-gcm", "esp aes128-sha256 + ah sha256"],
        "no-encapsulation": ["ah sha256", "esp null-sha256", "esp aes256-gcm", "esp aes128-sha256 + ah sha256"],
    }
    for secure, methods in expected.items():
        entry = decides(compile_text(lab + SMB.replace("encrypted", secure), ME), ASKS)
        assert entry is not None
        assert entry.processing is not None
        assert [*map(str, entry.processing.methods)] == methods, secure
    found = compile_text(LAB + 'protect = ["esp null-sha256"]\n' + SMB, ME)
    assert told(found, ASKS) == "block by lab for smb", "the rule that decides does not encrypt"


def test_it_asks_of_a_more_specific_rule_and_yields_to_a_more_specific_filter() -> None:
    host = rule_text("host", with_='"10.0.0.9"', secure='"request"')
    exempt = rule_text("exempt", with_='"10.0.0.8"', secure='"none"').replace('auth = { psk-file = "test.psk" }\n', "")
    permit = '[[filter]]\nname = "open"\npermit = "tcp to 445"\nwith = "10.0.0.7"\ndirection = "in"\n'
    found = compile_text(LAB + SMB + host + exempt + permit, ME)
    assert told(found, ASKS) == "protect by host for smb"
    assert told(found, ASKS.replace("0.9:", "0.8:")) == "permit by exempt"
    assert told(found, ASKS.replace("0.9:", "0.7:")) == "permit by open"
    wide = compile_text(rule_text("printers", with_='"any"', secure='"none"').replace("auth", "#") + LAB + SMB, ME)
    assert told(wide, "in tcp 192.0.2.9:5000 -> 10.0.0.1:445") == "block by printers for smb"


def test_whom_it_allows_passes_a_block_and_a_block_alone_stays() -> None:
    found = compile_text(LAB + SHUT + BYPASS, ME)
    assert told(found, ASKS) == "protect by lab for admins"
    entry = decides(found, ASKS)
    assert entry is not None
    assert entry.demand is not None
    assert (entry.demand.overrides, entry.demand.basis) == (
        next(one.origin for one in found.spd if one.origin.rule == "shut"), "lab/10.0.0.1 <-> 10.0.0.0/24",
    )  # fmt: skip
    assert [one.origin.rule for one in found.spd if "445" in one.name] == ["admins", "shut"]
    assert told(found, "in tcp 192.0.2.9:5000 -> 10.0.0.1:445") == "permit", "what nothing blocks is as it was"
    assert compile_text(BYPASS, ME).spd.guards == (), "nor does it close anything tomorrow"
    secured = compile_text(LAB + SMB + BYPASS, ME)
    assert told(secured, ASKS) == "protect by lab for smb admins", "who may pass a block need not be as a filter asks"
    alone = compile_text(SHUT + BYPASS, ME)
    assert told(alone, ASKS) == "block by shut", "no rule protects it"


def test_filters_of_one_weight_are_alternatives() -> None:
    one = SMB + 'allow = { computers = ["a.example"] }\n'
    other = SMB.replace("smb", "cifs").replace("encrypted", "authenticated") + 'allow = { computers = ["b.example"] }\n'
    found = compile_text(LAB + one + other, ME)
    assert told(found, ASKS) == "protect by lab for cifs smb"
    assert told(found, "in tcp 192.0.2.9:5000 -> 10.0.0.1:445") == "block by nothing for cifs"
    past = compile_text(LAB + SHUT + BYPASS + BYPASS.replace("admins", "owners"), ME)
    assert told(past, ASKS) == "protect by lab for admins owners"


def test_multicast_cannot_be_secure() -> None:
    mdns = '[[filter]]\nname = "mdns"\npermit = "udp to 5353"\nsecure = "authenticated"\n'
    found = compile_text(rule_text("all", with_='"any"') + mdns, ME)
    entry = decides(found, "out udp 10.0.0.1:5353 -> 224.0.0.251:5353")
    assert entry is not None
    assert entry.action is Action.DISCARD
    assert told(found, "out udp 10.0.0.1:1 -> 224.0.0.251:1") == f"permit by {BUILT_IN}: multicast and broadcast"


def test_addresses_of_tomorrow_are_closed() -> None:
    assert [guard.origin.rule for guard in compile_text(SMB, ME).spd.guards] == ["smb", "smb"]


def test_layers_hold_all_filters_that_are_about_them() -> None:
    def entry(name: str, destination: str, protocol: int | None = None) -> SpdEntry:
        selector = Selector.between(ME, destination, protocol)
        return SpdEntry(name, selector, Action.DISCARD, Origin(name), demand=Demand((Grant(name),)))

    whole = replace(entry("whole", "10.0.0.0/24"), demand=None)
    some = [
        entry("a", "10.0.0.0/25"),
        entry("b", "10.0.0.0/24", TCP),
        entry("c", "10.0.0.64/26"),
        entry("d", "10.1.1.1"),
    ]
    found = layers(whole, some)
    for last, protocol in product((1, 65, 129), (6, 17)):
        flow = FlowKey(parse_address(ME), parse_address(f"10.0.0.{last}"), protocol, 1, 1)
        first = next((layer for layer in found if flow in layer.selector), None)
        about = [one.origin.rule for one in some if flow in one.selector]
        assert ([] if first is None else sorted(one.filter for one in first.grants)) == about


def test_traffic_that_is_shared_in_two_ways_is_for_all_who_share_it() -> None:
    def entry(name: str, protocol: int | None, directions: Direction) -> SpdEntry:
        selector = Selector.between(ME, "10.0.0.2", protocol)
        return SpdEntry(name, selector, Action.DISCARD, Origin(name), directions, demand=Demand((Grant(name),)))

    some = [entry("b", None, Direction.BOTH), entry("x", None, Direction.OUT), entry("y", TCP, Direction.OUT)]
    first = layers(some[0], some)[0]
    assert (first.selector.protocol, [one.filter for one in first.grants]) == (TCP, ["b", "y", "x"])


# The reference -----------------------------------------------------------------------------------------------------

REMOTES = [ANY, *((AddressRange.parse(text),) for text in ("10.0.0.2", "10.0.0.2-10.0.0.3", "10.0.0.0/24"))]
TRAFFIC = ["any", "tcp", "tcp to 80", "tcp 80", "tcp from 80"]
METHODS = [("esp aes256-gcm",), ("esp null-sha256",), ("esp null-sha256", "esp aes256-gcm")]
NEEDS = [(Need.NONE, Need.NONE), (Need.REQUEST, Need.REQUEST), (Need.REQUIRE, Need.REQUIRE), (Need.REQUIRE, Need.NONE)]


@st.composite
def rules(draw: st.DrawFn, name: str) -> Rule:
    secure = Secure(*draw(st.sampled_from(NEEDS)))
    return Rule(
        name, Kind.CUSTOM, remote=draw(remotes), traffic=(parse_traffic(draw(st.sampled_from(TRAFFIC))),),
        secure=secure, auth=() if secure.exempt else (PskFile("test.psk"),),
        protect=tuple(map(parse_method, draw(st.sampled_from(METHODS)))),
    )  # fmt: skip


remotes: st.SearchStrategy[tuple[Address, ...]] = st.sampled_from(REMOTES)


@st.composite
def filters(draw: st.DrawFn, name: str) -> Filter:
    secure = draw(st.none() | st.sampled_from(Security))
    override = secure is not None and draw(st.booleans())
    return Filter(
        name, draw(st.sampled_from(Verb)) if secure is None else Verb.PERMIT,
        (parse_traffic(draw(st.sampled_from(TRAFFIC))),), remote=draw(remotes),
        direction=draw(st.sampled_from(Reading)), mirrored=draw(st.booleans()), secure=secure, override_block=override,
        allow=Access((f"{name}.example",)) if secure is not None and draw(st.booleans()) else NOBODY,
    )  # fmt: skip


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    return Policy(
        tuple(draw(rules(name)) for name in draw(st.sampled_from(["", "m", "mn", "mnz"]))),
        tuple(draw(filters(name)) for name in draw(st.sampled_from(["a", "ax", "axy", "axyb"]))),
    )


FLOWS = [
    (FlowKey(parse_address(ME), parse_address(there), TCP, mine, theirs), way)
    for there, mine, theirs, way in product(("10.0.0.2", "10.0.0.3", "10.9.9.9"), (80, 81), (80, 81), Direction.BOTH)
]


class Slow:
    """What each statement alone says of a packet, and how they stand to each other."""

    def __init__(self, policy: Policy) -> None:
        self.items = [*policy]
        self.alone = {item.name: self._compiled(item) for item in self.items}

    def _compiled(self, item: Rule | Filter) -> list[SpdEntry]:
        if isinstance(item, Filter) and item.secure is not None:
            item = replace(item, verb=Verb.BLOCK, secure=None, override_block=False, allow=NOBODY)
        one = Policy((item,), ()) if isinstance(item, Rule) else Policy((), (item,))
        return [entry for entry in compile_policy(one, HOST, KEYS).spd if entry.origin.rule == item.name]

    def verdict(self, flow: FlowKey, way: Direction) -> tuple[object, ...]:
        about = [
            (self._key(item, entry), item, entry)
            for item in self.items
            for entry in self.alone[item.name]
            if flow in entry.selector and way in entry.directions
        ]
        past = {item.name for _, item, _ in about if isinstance(item, Filter) and item.override_block}
        ordered = [(item, entry) for _, item, entry in sorted(about, key=lambda one: one[0]) if item.name not in past]
        if not ordered:
            return (Action.BYPASS,)
        first, entry = ordered[0]
        protecting = next(((item, one) for item, one in ordered if isinstance(item, Rule)), None)
        asking = [(item, one) for item, one in ordered if isinstance(item, Filter) and item.secure is not None]
        if isinstance(first, Filter) and first.verb is Verb.BLOCK:
            return self._secured(past, protecting) if past else (Action.DISCARD,)
        if entry.action is Action.BYPASS:
            return (Action.BYPASS,)
        if not asking:
            return Action.PROTECT, first.name, frozenset[str](), entry.processing and entry.processing.methods
        most = asking[0][1].weight
        return self._secured({item.name for item, one in asking if one.weight == most} | past, protecting)

    def _key(self, item: Rule | Filter, entry: SpdEntry) -> tuple[object, ...]:
        secure = isinstance(item, Filter) and item.secure is not None
        rank = {Action.DISCARD: 1 if secure else 0, Action.PROTECT: 2, Action.BYPASS: 3}[entry.action]
        requires = 0
        if (one := entry.processing) is not None:
            ways = (Direction.IN, one.clear_in), (Direction.OUT, one.clear_out)
            requires = sum(way in entry.directions and not clear for way, clear in ways)
        return -entry.weight, rank, -requires, entry.name

    def _secured(self, names: set[str], protecting: tuple[Rule | Filter, SpdEntry] | None) -> tuple[object, ...]:
        if protecting is None or protecting[1].processing is None:
            return (Action.DISCARD,)
        rule, entry = protecting
        processing = entry.processing
        grants = [item for item in self.items if isinstance(item, Filter) and item.name in names]
        methods = [*(() if processing is None else processing.methods)]
        if any(one.secure in (Security.ENCRYPTED, Security.NEGOTIATED) for one in grants):
            methods = [m for m in methods if encrypts(m)] + [m for m in methods if not encrypts(m)]
        if all(one.secure in (Security.ENCRYPTED, Security.NEGOTIATED) for one in grants):
            methods = [m for m in methods if encrypts(m)]
        if not methods:
            return (Action.DISCARD,)
        return Action.PROTECT, rule.name, frozenset(names), tuple(methods)


def fast(found: Compiled, flow: FlowKey, way: Direction) -> tuple[object, ...]:
    entry = found.spd.outbound(flow) if way is Direction.OUT else found.spd.inbound(flow.reversed())
    if entry is None or entry.processing is None:
        return (Action.BYPASS if entry is None else entry.action,)
    demand = entry.demand
    if demand is None:
        return entry.action, entry.origin.rule, frozenset[str](), entry.processing.methods
    assert not entry.processing.clear_in
    assert not entry.processing.clear_out
    assert demand.rule is not None
    basis = found.spd.named(demand.basis)
    assert basis is not None
    assert flow in basis.selector
    assert (basis.origin, basis.peer) == (demand.rule, entry.peer)
    return entry.action, demand.rule.rule, frozenset(one.filter for one in demand.grants), entry.processing.methods


@settings(deadline=None, max_examples=300)
@given(policies())
def test_the_reference_decides_alike(policy: Policy) -> None:
    found, slow = compile_policy(policy, HOST, KEYS), Slow(policy)
    for flow, way in FLOWS:
        assert fast(found, flow, way) == slow.verdict(flow, way), (str(flow), way)


@settings(deadline=None, max_examples=100)
@given(policies())
def test_order_means_nothing(policy: Policy) -> None:
    turned = Policy(tuple(reversed(policy.rules)), tuple(reversed(policy.filters)))
    assert [*compile_policy(policy, HOST, KEYS).spd] == [*compile_policy(turned, HOST, KEYS).spd]
