# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

from ringfence.databases.identity import Identity
from ringfence.databases.spd import Origin
from ringfence.net.address import AddressRange
from ringfence.policy.model import Kind, MainMode, PskFile, Rule
from ringfence.policy.peers import Peers
from ringfence.secret import Secret

KEYS = PskFile("a"), PskFile("b")
RULE = Rule("r", Kind.ISOLATION, auth=KEYS)
NET, HOST = AddressRange.parse("10.0.0.0/8"), AddressRange.parse("10.0.0.1")


def test_a_rule_becomes_a_peer() -> None:
    peers = Peers({"a": Secret(b"1"), "b": Secret(b"2")})
    assert peers.add(replace(RULE, initiate=False), KEYS, [HOST], Origin("r")) == (
        "preshared key a or preshared key b",
        [],
    )
    (entry,) = peers.pad()
    assert [(auth.key, auth.source) for auth in entry.auth] == [(Secret(b"1"), "a"), (Secret(b"2"), "b")]
    assert entry.proposals == MainMode().methods
    assert (entry.initiate, entry.nat_traversal, entry.quick_mode_limit) == (False, True, 0)


def test_the_narrowest_is_asked_first() -> None:
    peers = Peers({"a": Secret(b"1"), "b": Secret(b"2")})
    wide, _ = peers.add(RULE, KEYS, [NET], Origin("r"))
    named, _ = peers.add(replace(RULE, remote_identity=Identity.parse("bob.lab")), KEYS, [HOST], Origin("s"))
    assert [entry.name for entry in peers.pad()] == [named, wide]
    assert named == f"{wide} as bob.lab"


def test_ranges_are_kept_once_and_missing_keys_told() -> None:
    peers = Peers({"a": Secret(b"1")})
    name, missing = peers.add(RULE, KEYS, [NET], Origin("r"))
    assert missing == ["b"]
    assert peers.add(RULE, KEYS, [HOST, NET], Origin("s")) == (name, ["b"])
    (entry,) = peers.pad()
    assert entry.remote == (NET,)
