# SPDX-License-Identifier: Apache-2.0
"""Pools of addresses, and the two ends of a tunnel that have theirs by assignment."""

import pytest

from ringfence.databases.identity import Identity
from ringfence.databases.pad import PadEntry
from ringfence.databases.pool import Asks, Assigned
from ringfence.databases.spd import Spd
from ringfence.net.address import AddressRange, parse_address
from ringfence.policy.compile import Compiled, compile_policy
from ringfence.policy.document import parse
from ringfence.policy.errors import PolicyError
from ringfence.policy.host import HostFacts
from ringfence.policy.networks import Interface
from ringfence.policy.write import canonical, effective
from ringfence.secret import Secret

POOL = """
[pool.people]
addresses = ["10.9.0.0/24", "fd00:9::/112"]
except    = "10.9.0.1-10.9.0.9"
fixed     = { "alice@corp.example" = ["10.8.0.20", "fd00:9::20"] }
dns       = "10.1.0.53"
wins      = "10.1.0.54"
domains   = ["corp.example", "lab.example"]
"""
GATEWAY = """
[[rule]]
name   = "people"
keying = "ikev2"
local  = { networks = ["10.1.0.0/16"], gateway = "192.0.2.1" }
remote = { gateway = "any", pool = "people" }
auth   = { psk-file = "people.psk" }
"""
WARRIOR = """
[[rule]]
name   = "office"
keying = "ikev2"
local  = { address = "assigned" }
remote = { networks = "10.1.0.0/16", gateway = "192.0.2.1" }
auth   = { psk-file = "people.psk" }
"""
KEYS = {"people.psk": Secret(b"between people")}


def compiled(text: str, *own: str, interfaces: tuple[Interface, ...] = ()) -> Compiled:
    facts = HostFacts(tuple(map(parse_address, own or ("192.0.2.9",))), interfaces=interfaces)
    return compile_policy(parse(text, name="policy.toml"), facts, KEYS)


def names(spd: Spd, rule: str) -> list[str]:
    return [one.name for one in spd if one.origin.rule == rule]


def only(pad: object) -> PadEntry:
    (entry,) = pad if isinstance(pad, list) else list(pad)  # type: ignore[call-overload]
    return entry


def wrong(text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        parse(text, name="policy.toml")
    return [one.message for one in caught.value.findings]


def test_a_gateway_protects_whoever_has_an_address_of_its_pool() -> None:
    found = compiled(POOL + GATEWAY, "192.0.2.1")
    assert names(found.spd, "people") == [
        "people/10.1.0.0/16 <-> 10.8.0.20", "people/10.1.0.0/16 <-> 10.9.0.0/24",
    ]  # fmt: skip
    processing = next(one.processing for one in found.spd if one.origin.rule == "people")
    assert processing is not None
    assert processing.assigned is Assigned.THEIRS
    pool = only(found.pad).pool
    assert pool is not None
    assert pool.ranges == (AddressRange.parse("10.9.0.0/24"), AddressRange.parse("fd00:9::/112"))
    assert pool.excluded == (AddressRange.parse("10.9.0.1-10.9.0.9"),)
    assert pool.fixed_for(Identity.parse("alice@corp.example"), 4) == parse_address("10.8.0.20")
    assert (pool.dns, pool.wins) == ((parse_address("10.1.0.53"),), (parse_address("10.1.0.54"),))
    assert pool.domains == ("corp.example", "lab.example")


def test_a_road_warrior_protects_whatever_address_it_gets() -> None:
    found = compiled(WARRIOR)
    assert names(found.spd, "office") == ["office/0.0.0.0/0 <-> 10.1.0.0/16"]
    (processing,) = (one.processing for one in found.spd if one.origin.rule == "office")
    assert processing is not None
    assert processing.assigned is Assigned.OURS
    assert processing.tunnel_local == parse_address("192.0.2.9")
    assert only(found.pad).asks == Asks((4,))


def test_a_road_warrior_may_say_what_it_would_like() -> None:
    said = WARRIOR.replace('"assigned"', '["10.9.0.7", "fd00:9::7"], dns = false').replace(
        '"10.1.0.0/16", g', '"any", g'
    )
    asks = only(compiled(said).pad).asks
    assert asks == Asks((4, 6), (parse_address("10.9.0.7"), parse_address("fd00:9::7")), dns=False)
    assert only(compiled(WARRIOR.replace('"assigned"', '"assigned", domains = "corp.example"')).pad).asks == Asks(
        (4,), domains=("corp.example",)
    )


def test_of_several_addresses_the_one_with_a_way_out_begins() -> None:
    lan = Interface("eth0", addresses=(parse_address("172.16.0.1"),))
    wlan = Interface("wlan0", addresses=(parse_address("172.17.0.1"),), gateways=(parse_address("172.17.0.254"),))
    found = compiled(WARRIOR, "172.16.0.1", "172.17.0.1", interfaces=(lan, wlan))
    assert [one.processing.tunnel_local for one in found.spd if one.processing] == [parse_address("172.17.0.1")]
    found = compiled(WARRIOR, "172.16.0.1", "172.17.0.1", interfaces=(lan,))
    assert [one.processing.tunnel_local for one in found.spd if one.processing] == [parse_address("172.16.0.1")]


def test_an_offline_road_warrior_still_protects() -> None:
    found = compiled(WARRIOR, "fd77::1")
    assert [one.processing.tunnel_local for one in found.spd if one.processing] == [None]


def test_written_and_read_again_it_is_the_same() -> None:
    policy = parse(POOL + GATEWAY + WARRIOR.replace('"assigned"', '"10.9.0.7", domains = "corp.example"'), name="x")
    assert parse(canonical(policy), name="x") == policy
    whole = parse(effective(policy), name="x")
    assert whole.pools == policy.pools
    assert [one.gateways for one in whole.rules] == [one.gateways for one in policy.rules]


def test_addresses_are_agreed_on_by_either_version_of_ike() -> None:
    for text in (POOL + GATEWAY, WARRIOR):
        for keying in ("", 'keying = "ikev1"', 'keying = "ikev2"'):
            found = compiled(text.replace('keying = "ikev2"', keying), "192.0.2.1")
            assert found.refusals == ()
            assert {one.processing.assigned is not None for one in found.spd if one.processing} == {True}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (POOL.replace("addresses =", "range ="), "addresses is missing"),
        (POOL.replace('"10.1.0.54"', '"fd00::1"'), "wins names an address of IPv6"),
        (POOL.replace('"10.9.0.0/24"', '"dns-servers"'), "but a pool has addresses of its own"),
        (POOL.replace('"10.9.0.0/24"', '"fd00:9::1", "10.9.0.0/24"'), "names some addresses twice"),
        (POOL.replace('dns       = "10.1.0.53"', ""), "but dns does not say whom"),
        (POOL.replace('"corp.example",', '"corp example",'), "which is no DNS suffix"),
        (POOL.replace('"fd00:9::20"]', '"10.8.0.21"]'), "has several addresses of one family"),
        (POOL.replace("] }", '], "bob.example" = "10.8.0.20" }'), 'which is that of "alice@corp.example" already'),
        (GATEWAY, 'is "people", and there is no such pool'),
        (POOL + GATEWAY.replace('"any", ', '"any", networks = "10.2.0.0/16", '), "networks stands beside pool"),
        (WARRIOR.replace("local  = { ", 'local = { networks = "10.2.0.0/16", '), "networks stands beside address"),
        (WARRIOR.replace('"assigned"', '"given"'), "which is"),
        (WARRIOR.replace('address = "assigned"', 'gateway = "192.0.2.9", dns = false'), "dns has no use"),
        (WARRIOR.replace('"assigned"', '"assigned", dns = false, domains = "a.b"'), "has no use beside dns = false"),
        (POOL + WARRIOR.replace("remote = {", 'remote = { pool = "people",'), "pool cannot be"),
        (WARRIOR.replace(', gateway = "192.0.2.1"', ""), "has no use without a gateway"),
    ],
)
def test_what_is_wrong_is_told(text: str, message: str) -> None:
    assert any(message in one for one in wrong(text)), wrong(text)


def test_no_other_tunnel_begins_at_an_address_that_was_given() -> None:
    text = """
[[rule]]
name   = "branch"
local  = { networks = "10.3.0.0/16" }
remote = { networks = "10.2.0.0/16", gateway = "198.51.100.7" }
auth   = { psk-file = "people.psk" }
"""
    own, given = parse_address("192.0.2.9"), parse_address("10.9.0.7")
    facts = HostFacts((given, own), assigned=(given,))
    found = compile_policy(parse(text + WARRIOR, name="policy.toml"), facts, KEYS)
    assert {one.processing.tunnel_local for one in found.spd if one.processing} == {own}
