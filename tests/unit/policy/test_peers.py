# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

from ringfence.databases.admission import Admission, Pattern
from ringfence.databases.eap import EapAuth, EapMethod, EapUser
from ringfence.databases.identity import Identity
from ringfence.databases.pad import Ends, Ppk, ThroughNat
from ringfence.databases.spd import Origin
from ringfence.net.address import AddressRange
from ringfence.policy.certificates import Wallet
from ringfence.policy.eap import EapFiles
from ringfence.policy.model import KeyModule, Kind, MainMode, PskFile, Rule
from ringfence.policy.peers import Peers, signs_weakly
from ringfence.policy.terms import Certificate, Eap, PpkFile, PskEncoding, Signing
from ringfence.secret import Secret

KEYS = PskFile("a"), PskFile("b")
RULE = Rule("r", Kind.ISOLATION, auth=KEYS)
NET, HOST = AddressRange.parse("10.0.0.0/8"), AddressRange.parse("10.0.0.1")


def test_a_rule_becomes_a_peer() -> None:
    peers = Peers({"a": Secret(b"1"), "b": Secret(b"2")})
    name, missing = peers.add(replace(RULE, initiate=False, keying=(KeyModule.IKEV1,)), KEYS, (), Origin("r"))
    assert (name, missing) == ("preshared key a or preshared key b", [])
    peers.widen(name, [Ends(HOST)])
    (entry,) = peers.pad()
    assert [(auth.key, auth.source) for auth in entry.auth] == [(Secret(b"1"), "a"), (Secret(b"2"), "b")]
    assert entry.proposals == MainMode().methods
    assert (entry.initiate, entry.nat_traversal, entry.quick_mode_limit) == (False, True, 0)


def test_the_narrowest_is_asked_first() -> None:
    peers = Peers({"a": Secret(b"1"), "b": Secret(b"2")})
    wide, _ = peers.add(RULE, KEYS, (), Origin("r"))
    named, _ = peers.add(replace(RULE, remote_identity=Identity.parse("bob.lab")), KEYS, (), Origin("s"))
    peers.widen(wide, [Ends(NET)])
    peers.widen(named, [Ends(HOST)])
    assert [entry.name for entry in peers.pad()] == [named, wide]
    assert named == f"{wide} as bob.lab"


def test_ranges_are_kept_once_and_missing_keys_told() -> None:
    peers = Peers({"a": Secret(b"1")})
    name, missing = peers.add(RULE, KEYS, (), Origin("r"))
    assert missing == ["b"]
    assert peers.add(RULE, KEYS, (), Origin("s")) == (name, ["b"])
    ours, other = AddressRange.parse("192.0.2.1"), AddressRange.parse("192.0.2.2")
    peers.widen(name, [Ends(NET, ours)])
    peers.widen(name, [Ends(HOST, ours), Ends(NET, ours), Ends(HOST, other)])
    (entry,) = peers.pad()
    assert entry.ends == (Ends(NET, ours), Ends(HOST, other))


def test_who_is_let_in_is_part_of_it() -> None:
    peers = Peers({"a": Secret(b"1"), "b": Secret(b"2")}, ThroughNat.NEVER)
    some = Admission(allow=(Pattern("*.corp.example"),))
    names = [peers.add(RULE, KEYS, admissions, Origin("r"))[0] for admissions in ((), (some,), (some,))]
    assert names[1] == names[2] != names[0]
    peers.widen(names[0], [Ends(NET)])
    peers.widen(names[1], [Ends(HOST)])
    only, all_ = peers.pad()
    assert (only.admits(Identity.parse("a.corp.example")), only.admits(Identity.parse("10.0.0.1"))) == (True, False)
    assert (only.names_nobody, all_.names_nobody, all_.through_nat) == (False, True, ThroughNat.NEVER)


def test_our_own_way_is_part_of_it_and_its_key_is_needed() -> None:
    peers = Peers({"a": Secret(b"1"), "b": Secret(b"2")})
    rule = replace(RULE, auth=KEYS[:1], keying=(KeyModule.IKEV2,))
    one, _ = peers.add(rule, KEYS[:1], (), Origin("r"))
    other, missing = peers.add(replace(rule, own_auth=(KEYS[1], PskFile("c"))), KEYS[:1], (), Origin("s"))
    assert (one == other, missing) == (False, ["c"])
    for name in (one, other):
        peers.widen(name, [Ends(HOST)])
    assert {tuple(way.source for way in entry.local_auth) for entry in peers.pad()} == {(), ("b",)}


def test_only_a_rule_for_weak_peers_of_ikev2_lets_rsa_sign_sha1() -> None:
    rsa, ecdsa = Certificate("CN=A"), Certificate("CN=A", Signing.ECDSA_P256)
    weak = replace(RULE, auth=(rsa,), legacy=True, keying=(KeyModule.IKEV1, KeyModule.IKEV2))
    assert signs_weakly(weak)
    assert signs_weakly(replace(weak, keying=()))
    for changes in ({"legacy": False}, {"keying": (KeyModule.IKEV1,)}, {"auth": (ecdsa,)}, {"auth": KEYS}):
        assert not signs_weakly(replace(weak, **changes))
    peers = Peers({"a": Secret(b"1")})
    for one in (weak, replace(weak, legacy=False)):
        name, _ = peers.add(one, KEYS, (), Origin("r"))
        peers.widen(name, [Ends(HOST)])
    assert {entry.sha1 for entry in peers.pad()} == {True, False}


def test_those_that_are_negotiated_otherwise_are_other_peers() -> None:
    peers = Peers({"a": Secret(b"1"), "b": Secret(b"2")})
    one, _ = peers.add(RULE, KEYS, (), Origin("r"))
    other, _ = peers.add(replace(RULE, keying=(KeyModule.IKEV2,)), KEYS, (), Origin("s"))
    assert one != other
    for name in (one, other):
        peers.widen(name, [Ends(HOST)])
    assert {entry.keying for entry in peers.pad()} == {(2, 1), (2,)}


def test_only_the_key_that_both_sides_prove_is_encoded_as_windows_does() -> None:
    peers = Peers({"a": Secret(b"ab"), "q": Secret(b"ab")}, psk_encoding=PskEncoding.UTF16)
    rule = replace(RULE, auth=KEYS[:1], ppk=PpkFile("q1", "q"))
    name, _ = peers.add(rule, KEYS[:1], (), Origin("r"))
    peers.widen(name, [Ends(HOST)])
    (entry,) = peers.pad()
    assert [auth.key for auth in entry.auth] == [Secret(b"a\0b\0")]
    assert entry.ppk is not None
    assert entry.ppk.key == Secret(b"ab")


def test_a_way_by_eap_has_what_its_files_hold() -> None:
    files = EapFiles({"p": Secret(b"hush")})
    peers = Peers({}, wallet=Wallet(eap=files))
    eap = Eap((EapMethod.MSCHAPV2,), user="alice", password_file="p")
    name, _ = peers.add(replace(RULE, auth=(eap,)), (eap,), (), Origin("r"))
    peers.widen(name, [Ends(HOST)])
    (entry,) = peers.pad()
    assert entry.auth == (EapAuth((EapMethod.MSCHAPV2,), user=EapUser("alice", Secret(b"hush"))),)
    assert entry.keying == (2,)


def test_a_postquantum_key_is_part_of_it_and_has_to_be_there() -> None:
    rule = replace(RULE, auth=KEYS[:1], ppk=PpkFile("q1", "q", required=False))
    peers = Peers({"a": Secret(b"1"), "q": Secret(b"2")})
    name, missing = peers.add(rule, KEYS[:1], (), Origin("r"))
    other, _ = peers.add(replace(rule, ppk=None), KEYS[:1], (), Origin("s"))
    assert (missing, name == other) == ([], False)
    assert [entry.ppk for entry in peers.pad()] == [Ppk("q1", Secret(b"2"), required=False), None]
    assert Peers({"a": Secret(b"1")}).add(rule, KEYS[:1], (), Origin("r"))[1] == ["q"]


def test_ikev2_offers_ml_kem_before_the_default_methods() -> None:
    peers, hybrid = Peers({"a": Secret(b"1")}), "aes256-sha256-x25519+mlkem768"
    for keying in ((KeyModule.IKEV1,), (KeyModule.IKEV2, KeyModule.IKEV1), (KeyModule.IKEV2,)):
        peers.add(replace(RULE, keying=keying), KEYS[:1], (), Origin("r"))
    first, *others = ([str(each) for each in entry.proposals] for entry in peers.pad())
    assert [each[0] for each in others] == [hybrid, hybrid]
    assert others[0][1:] == first
