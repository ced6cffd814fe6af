# SPDX-License-Identifier: Apache-2.0
"""Two engines exchange certificates that make messages long, over links that lose large packets (RFC 7383)."""

from dataclasses import replace

import pytest

from protocol.pairs import assert_one_pair
from protocol.test_certificates import ALICE, BOB, ROOT, own, way
from protocol.test_ikev2_certificates import V2, meet2
from ringfence.audit import MainModeEstablished, MessageExchanged, MessageIgnored
from ringfence.crypto.suites import DhGroup
from ringfence.databases.proposal import Limits
from ringfence.ike.v2.numbers import Kind
from ringfence.ike.v2.payloads import FRAGMENT
from ringfence.net.address import Path
from ringfence.testing.hosts import FAST_MAIN
from ringfence.testing.network import Link

MIDDLE = ROOT.issue("CN=Middle CA,O=A name that is as long as names of authorities are", ca=True)
LOW = MIDDLE.issue("CN=Low CA,O=A name that is as long as names of authorities are", ca=True)
LONG = LOW.issue("CN=bob", names=tuple(f"host-{number}.of-some-length.lab" for number in range(40)))
WAYS = (way(own(ALICE)),), (way(own(LONG, LOW, MIDDLE)),)
AROUND = 20 + 8 + 4


def narrow(octets):
    """A link that loses packets larger than that."""
    return lambda datagram, _path: len(datagram) + AROUND <= octets


def is_piece(datagram):
    return datagram[16] == FRAGMENT


@pytest.mark.parametrize("begins", ["a", "b"])
@pytest.mark.parametrize("mtu", [1280, 576])
def test_a_chain_of_three_passes_a_narrow_link(begins, mtu):
    """At 1,280 octets at once; at fewer when it has been repeated, in either direction."""
    both = meet2(*WAYS, bob=LONG, begin=False)
    both.network.passes = narrow(mtu)
    both.wish(both.a if begins == "a" else both.b)
    both.run(60)
    assert_one_pair(both)
    assert any(is_piece(datagram) for datagram in both.b.sent)
    assert any("fragments)" in event.payloads for event in both.b.of(MessageExchanged))
    if mtu == 1280:
        assert not any("(again)" in event.payloads for host in (both.a, both.b) for event in host.of(MessageExchanged))
    assert not both.a.of(MessageIgnored)


def test_without_it_nothing_passes():
    both = meet2(*WAYS, bob=LONG, policy=V2.with_(fragmentation=False), begin=False)
    both.network.passes = narrow(1280)
    both.wish(both.a)
    both.run(60)
    assert not any(is_piece(datagram) for host in (both.a, both.b) for datagram in host.sent)
    assert both.a.using() is None


def test_loss_doubling_and_disorder():
    for seed in range(4):
        link = Link((0.01, 0.3), loss=0.15, double=0.3)
        both = meet2(*WAYS, bob=LONG, link=link, seconds=180 + seed)
        assert both.a.using() is not None
        assert both.b.using() is not None


def test_an_answer_in_pieces_is_said_again_for_the_first_of_a_repeated_request():
    both = meet2((way(own(LONG, LOW, MIDDLE)),), (way(own(BOB)),), alice=LONG)
    assert_one_pair(both)
    asked = [datagram for datagram in both.a.sent if is_piece(datagram)]
    assert len(asked) > 1
    path = next(path for _, path, datagram in both.network.seen if datagram == asked[0])
    path = Path(path.remote, path.local)
    before, made = len(both.b.sent), both.b.of(MainModeEstablished)
    for datagram in asked:
        both.network.do(both.b, both.b.engine.receive(datagram, path, both.network.now))
    assert len(both.b.sent) == before + 1
    assert both.b.of(MainModeEstablished) == made
    forged = asked[0][:-1] + bytes([asked[0][-1] ^ 1])
    both.network.do(both.b, both.b.engine.receive(forged, path, both.network.now))
    assert len(both.b.sent) == before + 1


def test_pieces_nobody_asked_for_are_kept_nowhere():
    """Somebody who has no keys fills nothing, and ends nothing."""
    both = meet2(*WAYS, bob=LONG, begin=False)
    spoiled = []

    def forging(datagram, path):
        if is_piece(datagram) and len(spoiled) < 50:
            for number in range(4):
                changed = bytearray(datagram)
                changed[32 + number] ^= 1
                spoiled.append((bytes(changed), Path(path.remote, path.local)))
        return True

    both.network.passes = forging
    both.wish(both.a)
    for _ in range(20):
        both.run(0.2)
        for datagram, path in spoiled:
            host = both.a if path.local.address == both.a.address else both.b
            both.network.do(host, host.engine.receive(datagram, path, both.network.now))
    assert spoiled
    assert_one_pair(both)


def test_a_successor_goes_on_so():
    short = (replace(FAST_MAIN, limits=Limits(seconds=60)),)
    both = meet2(*WAYS, bob=LONG, policy=V2.with_(main=short), other=V2.with_(main=short).mirrored(), seconds=120)
    assert_one_pair(both)
    for host in (both.a, both.b):
        assert len(host.of(MainModeEstablished)) > 1
        assert all(session.voice.peer_joins for session in host.engine._sessions)


def test_key_exchanges_in_pieces_are_answered_again_though_the_keys_have_changed():
    """ML-KEM's values are longer than a packet; the answer to one leads to other keys, and may be lost."""
    main = (replace(FAST_MAIN, further=(DhGroup.ML_KEM_1024,)),)
    both = meet2(*WAYS, bob=LONG, policy=V2.with_(main=main), other=V2.with_(main=main).mirrored(), begin=False)
    lost = []

    def passes(datagram, path):
        loses = path.local.address == both.b.address and datagram[18] == Kind.IKE_INTERMEDIATE and len(lost) < 9
        if loses:
            lost.append(datagram)
        return not loses

    both.network.passes = passes
    both.wish(both.a)
    both.run(60)
    assert any(is_piece(datagram) for datagram in lost)
    assert_one_pair(both)
