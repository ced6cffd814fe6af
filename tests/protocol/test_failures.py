# SPDX-License-Identifier: Apache-2.0
"""What cannot be agreed on fails with its own reason at our side, within seconds, and leaves nothing behind."""

from dataclasses import replace

import pytest

from protocol.pairs import POLICY, A, B, assert_nothing_left, assert_one_pair, pair
from ringfence.audit import MainModeFailed, MessageIgnored, QuickModeFailed
from ringfence.crypto.suites import DhGroup, Hash
from ringfence.databases.admission import Admission, Pattern
from ringfence.databases.identity import Identity, IdentityKind
from ringfence.databases.pad import Ends, Pad
from ringfence.databases.proposal import IkeProposal
from ringfence.databases.sa import Mode
from ringfence.databases.spd import Spd
from ringfence.ike.effects import InstallInbound, InstallOutbound
from ringfence.net.address import AddressRange
from ringfence.net.flow import TCP, UDP
from ringfence.testing.hosts import AH_SHA256, ENTRY, ESP_CBC, FAST_MAIN, method
from ringfence.testing.network import path_between

MIRRORED = POLICY.mirrored()


def reasons(host, kind):
    return [event.reason for event in host.of(kind)]


def failed(host):
    """The only failure of the host's only acquire."""
    (failure,) = host.failures
    assert failure.entry == ENTRY
    assert len(failure.detail) > 20
    return failure.reason


def assert_no_traffic(both):
    for host in (both.a, both.b):
        kinds = [type(effect) for _, effect in host.timeline]
        assert InstallOutbound not in kinds
        assert InstallInbound not in kinds


def test_another_preshared_key():
    both = pair(POLICY, MIRRORED.with_(key=b"another key"))
    both.wish(both.a)
    both.run(5)
    assert failed(both.a) == "wrong-preshared-key"
    assert reasons(both.a, MainModeFailed) == ["wrong-preshared-key"]
    assert reasons(both.b, MainModeFailed) == ["wrong-preshared-key"]
    assert_no_traffic(both)
    assert_nothing_left(both.a)
    assert_nothing_left(both.b)


def test_another_preshared_key_and_silence():
    """Nobody tells us in clear what is wrong: the reason is silence, and the detail names the key."""
    both = pair(POLICY, MIRRORED.with_(key=b"another key"))
    both.network.passes = lambda datagram, path: not (datagram[18] == 5 and path.local.address == both.b.address)
    both.wish(both.a)
    both.run(60)
    assert failed(both.a) == "peer-silent"
    assert "pre-shared key" in both.a.failures[0].detail
    assert_nothing_left(both.a)
    assert_nothing_left(both.b)


@pytest.mark.parametrize("begins", ["a", "b"])
def test_another_identity_than_expected(begins):
    stranger = Identity(IdentityKind.FQDN, b"stranger.example")
    both = pair(POLICY.with_(remote_identity=stranger), MIRRORED)
    both.wish(getattr(both, begins))
    both.run(5)
    assert reasons(both.a, MainModeFailed) == ["wrong-identity"]
    assert "stranger.example" in both.a.of(MainModeFailed)[0].detail
    if begins == "a":
        assert failed(both.a) == "wrong-identity"
    else:
        assert failed(both.b) == "refused-by-peer"
        assert "INVALID-ID-INFORMATION" in both.b.failures[0].detail
    assert_no_traffic(both)
    assert_nothing_left(both.a)
    assert_nothing_left(both.b)


@pytest.mark.parametrize("begins", ["a", "b"])
def test_who_is_not_let_in(begins):
    only = (Admission(allow=(Pattern("*.corp.example"),)),)
    both = pair(POLICY.with_(admissions=only), MIRRORED.with_(local_identity=Identity.parse("bob.example")))
    both.wish(getattr(both, begins))
    both.run(5)
    assert reasons(both.a, MainModeFailed) == ["not-authorized"]
    assert 'bob.example, whom rule "lab" does not let in' in both.a.of(MainModeFailed)[0].detail
    assert failed(getattr(both, begins)) == ("not-authorized" if begins == "a" else "refused-by-peer")
    assert_no_traffic(both)
    assert_nothing_left(both.a)
    assert_nothing_left(both.b)


@pytest.mark.parametrize("begins", ["a", "b"])
def test_who_is_let_in_by_name(begins):
    only = (Admission(allow=(Pattern("*.corp.example"),)),)
    both = pair(POLICY.with_(admissions=only), MIRRORED.with_(local_identity=Identity.parse("bob.corp.example")))
    both.wish(getattr(both, begins))
    both.run(5)
    assert_one_pair(both)


def test_no_main_mode_proposal_in_common():
    both = pair(POLICY, MIRRORED.with_(main=(IkeProposal(FAST_MAIN.cipher, Hash.SHA1, DhGroup.MODP_2048),)))
    both.wish(both.a)
    both.run(5)
    assert failed(both.a) == "refused-by-peer"
    assert "NO-PROPOSAL-CHOSEN" in both.a.failures[0].detail
    assert reasons(both.b, MainModeFailed) == ["no-proposal-in-common"]
    detail = both.b.of(MainModeFailed)[0].detail
    assert "aes256-sha256-x25519" in detail
    assert "aes256-sha1-modp2048" in detail
    assert_nothing_left(both.a)
    assert_nothing_left(both.b)


QUICK = [
    ({"methods": (method(AH_SHA256),)}, "no-proposal-in-common", "NO-PROPOSAL-CHOSEN"),
    ({"methods": (method(ESP_CBC, AH_SHA256),)}, "no-proposal-in-common", "NO-PROPOSAL-CHOSEN"),
    ({"pfs": DhGroup.ECP_256}, "no-proposal-in-common", "NO-PROPOSAL-CHOSEN"),
    ({"mode": Mode.TUNNEL}, "no-proposal-in-common", "NO-PROPOSAL-CHOSEN"),
    ({"protocol": UDP}, "wrong-selectors", "INVALID-ID-INFORMATION"),
]


@pytest.mark.parametrize(("change", "reason", "notify"), QUICK)
def test_quick_modes_that_do_not_fit(change, reason, notify):
    both = pair(POLICY, MIRRORED.with_(**change))
    both.wish(both.a)
    both.run(5)
    assert failed(both.a) == "refused-by-peer"
    assert notify in both.a.failures[0].detail
    assert reasons(both.b, QuickModeFailed) == [reason]
    assert reasons(both.a, QuickModeFailed) == ["refused-by-peer"]
    assert_no_traffic(both)
    assert both.a.engine.child_sas() == ()
    assert len(both.a.engine.ike_sas()) == 1


def test_narrower_traffic_within_the_responders_rule():
    both = pair(POLICY.with_(protocol=TCP), MIRRORED)
    both.wish(both.a)
    both.run(2)
    a, b = assert_one_pair(both)
    assert a.selector.protocol == b.selector.protocol == TCP


def test_a_peer_that_is_not_there():
    both = pair()
    both.network.remove(both.b)
    both.wish(both.a)
    both.run(30)
    assert not both.a.failures
    both.run(10)
    assert failed(both.a) == "peer-silent"
    assert len(both.a.sent) == 5
    assert len(set(both.a.sent)) == 1
    assert_nothing_left(both.a)


def test_a_peer_whose_policy_does_not_know_us():
    both = pair(POLICY, MIRRORED.with_(remote="192.0.2.77"))
    both.wish(both.a)
    both.run(60)
    assert failed(both.a) == "peer-silent"
    assert set(reasons(both.b, MessageIgnored)) == {"no-policy-for-peer"}
    assert_nothing_left(both.b)


def test_who_may_not_begin():
    both = pair(POLICY.with_(initiate=False), MIRRORED)
    both.wish(both.a)
    assert failed(both.a) == "may-not-begin"
    both.wish(both.b)
    both.run(1)
    assert_one_pair(both)


def test_an_entry_that_the_policy_does_not_have():
    both = pair()
    both.network.acquire(both.a, "nothing", POLICY.flow())
    (failure,) = both.a.failures
    assert failure.reason == "no-policy"


def test_many_flows_wait_for_one_negotiation_and_all_are_told():
    both = pair()
    both.network.remove(both.b)
    flows = [POLICY.flow()._replace(protocol=TCP, source_port=port, destination_port=80) for port in range(5)]
    for flow in flows:
        both.network.acquire(both.a, ENTRY, flow)
    both.run(60)
    assert [failure.flow for failure in both.a.failures] == flows
    assert len(set(both.a.sent)) == 1


def test_a_policy_that_goes_away_takes_what_it_made():
    both = pair()
    both.wish(both.a)
    both.run(1)
    _, pad = POLICY.compiled()
    both.network.do(both.a, both.a.engine.apply(Spd(), pad, both.network.now))
    both.run(1)
    for host in (both.a, both.b):
        assert host.engine.child_sas() == ()
        assert len(host.engine.ike_sas()) == 1
        assert not host.inbound
    assert both.a.removed[0].why == "the policy has changed"


def test_a_policy_that_only_moved_in_its_file_changes_nothing():
    both = pair()
    both.wish(both.a)
    both.run(1)
    both.network.do(both.a, both.a.engine.apply(*POLICY.compiled(), both.network.now))
    both.run(1)
    assert_one_pair(both)


def test_more_peers_that_authenticate_alike_change_nothing():
    both = pair()
    both.wish(both.a)
    both.run(1)
    spd, pad = POLICY.compiled()
    (entry,) = pad
    more = replace(entry, ends=(*entry.ends, Ends(AddressRange.parse("198.51.100.0/24"))))
    both.network.do(both.a, both.a.engine.apply(spd, Pad((more,)), both.network.now))
    both.run(1)
    assert_one_pair(both)
    less = replace(entry, ends=(Ends(AddressRange.parse("198.51.100.0/24")),))
    both.network.do(both.a, both.a.engine.apply(spd, Pad((less,)), both.network.now))
    both.run(1)
    assert_nothing_left(both.b)


def test_another_key_in_the_policy_ends_what_the_old_one_made():
    both = pair()
    both.wish(both.a)
    both.run(1)
    both.network.do(both.a, both.a.engine.apply(*POLICY.with_(key=b"new").compiled(), both.network.now))
    both.run(1)
    assert_nothing_left(both.a)
    assert_nothing_left(both.b)


def test_a_policy_that_changes_during_a_negotiation():
    both = pair()
    both.wish(both.a)
    both.network.do(both.a, both.a.engine.apply(*POLICY.with_(key=b"new").compiled(), both.network.now))
    assert not both.a.failures, "the packet path decides anew on what waits, and asks again"
    assert_nothing_left(both.a)


def test_half_open_negotiations_are_limited():
    both = pair()
    both.network.passes = lambda _datagram, path: path.local.address != both.b.address
    for number in range(60):
        one = pair(POLICY, seed=f"flood {number}")
        one.wish(one.a)
        both.network.inject(one.a.sent[0], path_between(A, B))
    both.run(1)
    assert len(both.b.engine.ike_sas()) == 35
    assert reasons(both.b, MessageIgnored).count("too-many-half-open") == 25
    both.run(40)
    assert both.b.engine.ike_sas() == ()
