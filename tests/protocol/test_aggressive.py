# SPDX-License-Identifier: Apache-2.0
"""Aggressive mode between two hosts: every way to authenticate, NAT, and everything that must not come of it."""

from dataclasses import replace

import pytest
from lab.authority import authority

from protocol.pairs import POLICY, assert_one_pair, assert_tidy, pair, start
from protocol.test_certificates import BOB, ROOT, meet, own, way
from ringfence.audit import MainModeEstablished, MainModeFailed, MessageExchanged
from ringfence.crypto.signature import KeyKind
from ringfence.crypto.suites import DhGroup
from ringfence.databases.identity import Identity
from ringfence.ike.header import HEADER_OCTETS, Exchange, Flags, Header
from ringfence.testing.hosts import ENTRY, FAST_MAIN, HostPolicy
from ringfence.testing.nat import MemoryNat
from ringfence.testing.network import MemoryNetwork

AGGRESSIVE = POLICY.with_(aggressive=True)


def begun(policy=AGGRESSIVE, other=None, seconds=2, **kwargs):
    both = pair(policy, other, **kwargs)
    both.wish(both.a)
    both.run(seconds)
    return both


def said(host, exchange="aggressive mode"):
    return [event for event in host.of(MessageExchanged) if event.exchange == exchange]


def test_three_messages_and_a_contract():
    both = begun()
    assert_tidy(both)
    first, second, third = said(both.a)
    assert first.payloads.startswith("SA KE NONCE ID VID")
    assert second.payloads.startswith("SA KE NONCE ID HASH NAT-D NAT-D")
    assert third.payloads == "HASH NAT-D NAT-D N(INITIAL-CONTACT)"
    assert [one.encrypted for one in said(both.a)] == [False, False, True]
    assert [one.encrypted for one in said(both.b)] == [False, False, True]
    assert not said(both.a, "main mode")
    assert [len(host.of(MainModeEstablished)) for host in (both.a, both.b)] == [1, 1]


def test_who_allows_it_takes_main_mode_as_well():
    both = begun(POLICY, POLICY.mirrored().with_(aggressive=True))
    assert_one_pair(both)
    assert said(both.b, "main mode")


def test_who_does_not_allow_it_says_so_and_nothing_comes_of_it():
    both = begun(AGGRESSIVE, POLICY.mirrored(), seconds=10)
    assert both.a.using() is None
    assert not both.b.of(MainModeEstablished)
    (refused,) = both.b.of(MainModeFailed)[:1]
    assert "which no rule for it allows" in refused.detail
    (failed,) = both.a.of(MainModeFailed)[:1]
    assert failed.detail == "the peer refuses: UNSUPPORTED-EXCHANGE-TYPE"
    assert not [one for one in said(both.b) if one.sent and one.number == 2], "nothing to guess a key by"


def test_another_key_is_known_at_once_by_who_began():
    both = begun(AGGRESSIVE, AGGRESSIVE.mirrored().with_(key=b"another key"), seconds=40)
    assert both.a.using() is None
    (failed,) = both.a.of(MainModeFailed)[:1]
    assert failed.reason == "wrong-preshared-key"
    assert not both.a.of(MainModeEstablished)
    assert not both.b.of(MainModeEstablished)


def test_the_key_is_chosen_by_who_asks():
    """Two rules for the same address have keys of their own, which main mode cannot tell apart."""
    one, two = (AGGRESSIVE.with_(local_identity=Identity.parse(name), key=name.encode())
                for name in ("@one.example", "@two.example"))  # fmt: skip
    for mine in (one, two):
        both = pair(mine, one.mirrored())
        (spd, pad), (_, more) = one.mirrored().compiled(), two.mirrored().compiled()
        entries = (*pad.entries, replace(more.entries[0], name="second"))
        both.network.do(both.b, both.b.engine.apply(spd, replace(pad, entries=entries), 0.0))
        both.wish(both.a)
        both.run(2)
        (made,) = both.b.of(MainModeEstablished)
        assert made.remote_identity == str(mine.local_identity)


def test_the_wrong_name_with_the_right_key():
    liar = AGGRESSIVE.with_(local_identity=Identity.parse("@liar.example"))
    both = begun(liar, AGGRESSIVE.mirrored(), seconds=10)
    assert both.b.of(MainModeFailed)[0].reason == "wrong-identity"
    assert not both.b.of(MainModeEstablished)


@pytest.mark.parametrize(("kind", "signing"), [("rsa", KeyKind.RSA), ("ecdsa-p256", KeyKind.P256)])
def test_signatures(kind, signing):
    alice, bob = ROOT.issue(kind=kind, number=1), ROOT.issue("CN=bob,O=Lab", kind=kind, number=2)
    ways = (way(own(alice), signing=signing),), (way(own(bob), signing=signing),)
    both = meet(*ways, alice=alice, bob=bob, policy=AGGRESSIVE, other=AGGRESSIVE.mirrored())
    assert_one_pair(both)
    (made,) = both.b.of(MainModeEstablished)
    assert made.remote_identity == "CN=alice,O=Lab"
    _, second, third = said(both.a)
    assert second.payloads.startswith("SA KE NONCE ID CERT SIG CR")
    assert third.payloads.startswith("CERT SIG")


def test_a_certificate_of_another_authority():
    alice = authority("CN=Nobody's CA").issue()
    both = meet((way(own(alice)),), (way(own(BOB)),), alice=alice, policy=AGGRESSIVE, other=AGGRESSIVE.mirrored())
    assert both.a.using() is None
    assert both.b.of(MainModeFailed)[0].reason == "untrusted-authority"
    assert not both.b.of(MainModeEstablished)


def test_only_what_has_the_first_group_is_offered():
    slow = replace(FAST_MAIN, group=DhGroup.ECP_256)
    both = begun(AGGRESSIVE.with_(main=(FAST_MAIN, slow)), AGGRESSIVE.mirrored().with_(main=(slow,)), seconds=10)
    assert both.a.using() is None
    assert both.b.of(MainModeFailed)[0].reason == "no-proposal-in-common"
    both = begun(AGGRESSIVE.with_(main=(slow, FAST_MAIN)), AGGRESSIVE.mirrored().with_(main=(FAST_MAIN, slow)))
    assert both.a.engine.ike_sas()[0].proposal.group is DhGroup.ECP_256


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_lost_message_is_asked_for(lost):
    both = pair(AGGRESSIVE)
    both.network.passes = lambda _datagram, _path: len(both.network.seen) != lost + 1
    both.wish(both.a)
    both.run(10)
    assert_one_pair(both)


def test_behind_nat_the_third_message_goes_by_port_4500():
    inner, outer, server = "192.168.1.2", "198.51.100.1", "192.0.2.2"
    network = MemoryNetwork()
    network.nats.append(MemoryNat(outer, [inner]))
    client, serves = (each.with_(aggressive=True) for each in (HostPolicy(inner, server), HostPolicy(server, outer)))
    ours, theirs = start(network, client, 0), start(network, serves, 0)
    network.acquire(ours, ENTRY, client.flow())
    network.run(2)
    assert [path.local.port for _, path, _ in network.seen] == [500, 500, *[4500] * 4]
    assert ours.using().outbound[0].spi == theirs.using().inbound[0].spi
    assert theirs.using().peer == Identity.parse(inner)
    (session,) = theirs.engine.ike_sas()
    assert session.path.remote.port not in (500, 4500)


def test_both_begin_at_once():
    both = pair(AGGRESSIVE)
    both.wish(both.a)
    both.wish(both.b)
    both.run(40)
    assert_one_pair(both)


def test_a_third_message_in_clear_is_taken():
    """RFC 2409 leaves that to the sender."""
    both = pair(AGGRESSIVE)
    clear = []

    def passes(datagram, path):
        header = Header.decode(datagram[:HEADER_OCTETS])
        if header.exchange == Exchange.AGGRESSIVE and Flags.ENCRYPTED in header.flags and not clear:
            (session,) = both.a.engine._sessions
            keys = session.agreed.keys
            octets = keys.cipher.decrypt(keys.first_iv, datagram[HEADER_OCTETS:])
            clear.append(replace(header, flags=Flags(0)).over(_unpadded(header.next_payload, octets)))
            both.network.inject(clear[0], path)
            return False
        return header.exchange != Exchange.QUICK

    both.network.passes = passes
    both.wish(both.a)
    both.run(0.5)
    assert len(both.b.of(MainModeEstablished)) == 1
    assert [one.encrypted for one in said(both.b)] == [False, False, False]


def _unpadded(first, octets):
    at, number = 0, first
    while number:
        number, octets_here = octets[at], int.from_bytes(octets[at + 2 : at + 4])
        at += octets_here
    return octets[:at]


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("place", [-1, 30, 60, 100])
def test_a_bent_message_makes_no_ike_sa_with_anybody_else(number, place):
    """It is repeated, and comes whole then, or the negotiation fails: none lasts that only one side has."""
    both = pair(AGGRESSIVE)

    def passes(datagram, path):
        if len(both.network.seen) != number:
            return True
        bent = bytearray(datagram)
        bent[min(place, len(bent) - 1) if place > 0 else place] ^= 1
        both.network.inject(bytes(bent), path)
        return False

    both.network.passes = passes
    both.wish(both.a)
    both.run(60)
    if both.a.using() is None:
        both.wish(both.a)
        both.run(10)
    assert_one_pair(both)
