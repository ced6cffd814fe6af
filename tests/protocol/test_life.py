# SPDX-License-Identifier: Apache-2.0
"""Renewal without a gap, deletion, restart, disappearance: what happens to contracts after they are made."""

import pytest

from protocol.pairs import POLICY, assert_nothing_left, assert_one_pair, pair, receives
from ringfence.audit import MainModeEnded, MainModeEstablished, MessageExchanged, QuickModeEnded, QuickModeEstablished
from ringfence.databases.proposal import Limits
from ringfence.databases.spd import Spd
from ringfence.ike.lifetime import IkeState
from ringfence.ike.v1.notifies import Notify
from ringfence.testing.hosts import AH_SHA256, ENTRY, ESP_CBC, ESP_GCM, FAST_MAIN, method


def established(policy=POLICY, other=None, **kwargs):
    both = pair(policy, other, **kwargs)
    both.wish(both.a)
    both.run(2)
    assert_one_pair(both)
    return both


def each_moment(both, seconds, step=0.05):
    """Let time pass, and look at both hosts often: whatever one sends by, the other receives by."""
    for _ in range(int(seconds / step)):
        both.run(step)
        for sender, receiver in ((both.a, both.b), (both.b, both.a)):
            child = sender.using()
            assert child is not None, f"nothing to send by at {both.network.now:.2f} s"
            assert receives(receiver, child) is not None, f"a packet is lost at {both.network.now:.2f} s"


@pytest.mark.parametrize("transforms", [(ESP_GCM,), (ESP_CBC, AH_SHA256)])
def test_renewal_leaves_no_gap(transforms):
    both = established(POLICY.with_(methods=(method(*transforms, seconds=60),)))
    first = both.a.using()
    each_moment(both, 200)
    a, _ = assert_one_pair(both)
    assert a.replaces is not None
    assert a.id > first.id + 2
    assert len(both.a.engine.child_sas()) <= 2
    replaced = [event.replaces for event in both.a.of(QuickModeEstablished)]
    assert replaced == [None, *range(1, len(replaced))]
    assert all(event.why == "replaced by its successor" for event in both.a.of(QuickModeEnded))
    assert len(both.a.of(MainModeEstablished)) == 1


def test_renewal_by_octets_is_asked_for_by_the_data_path():
    both = established()
    old = both.b.using()
    both.network.do(both.b, both.b.engine.rekey_child(old.id, both.network.now, "octets"))
    both.network.do(both.b, both.b.engine.rekey_child(old.id, both.network.now, "octets"))
    both.run(2)
    a, b = assert_one_pair(both)
    assert b.replaces == old.id
    assert len(both.b.of(QuickModeEstablished)) == 2
    both.run(11)
    assert len(both.b.inbound) == len(both.a.inbound) == 1
    assert a.outbound == b.inbound


def test_the_stricter_lifetime_counts_and_the_responder_says_so():
    short = method(ESP_GCM, seconds=600, octets=50 * 1024)
    both = established(POLICY, POLICY.mirrored().with_(methods=(short,)))
    for host in (both.a, both.b):
        assert host.using().hard == Limits(600, 50 * 1024)
        assert 400 < host.using().soft.seconds < 580
    (second,) = [event for event in both.a.of(MessageExchanged) if event.exchange == "quick mode" and event.number == 2]
    assert second.payloads == "HASH SA NONCE ID ID N(RESPONDER-LIFETIME)"
    assert both.a.using().soft.seconds < both.b.using().soft.seconds


def test_main_mode_is_renewed_and_contracts_move_to_the_new_one():
    main = FAST_MAIN.__class__(FAST_MAIN.cipher, FAST_MAIN.hash, FAST_MAIN.group, Limits(seconds=100))
    both = established(POLICY.with_(main=(main,)))
    each_moment(both, 95)
    for host in (both.a, both.b):
        (info,) = host.engine.ike_sas()
        assert info.id == 2
        assert info.children == (1,)
        assert len(host.of(QuickModeEstablished)) == 1
        assert [event.why for event in host.of(MainModeEnded)] in (
            ["replaced by a newer one"], ["deleted by the peer"],
        )  # fmt: skip
    each_moment(both, 500, 1)
    assert_one_pair(both)


def test_a_main_mode_that_expires_leaves_its_contracts_and_the_next_renewal_makes_a_new_one():
    main = FAST_MAIN.__class__(FAST_MAIN.cipher, FAST_MAIN.hash, FAST_MAIN.group, Limits(seconds=50))
    both = established(POLICY.with_(main=(main,), initiate=True), POLICY.mirrored().with_(main=(main,)))
    cut = both.network.now + 75
    both.network.passes = lambda _datagram, _path: both.network.now > cut
    both.run(74)
    assert both.a.engine.ike_sas() == both.b.engine.ike_sas() == ()
    assert_one_pair(both)
    both.run(20)
    both.network.do(both.a, both.a.engine.rekey_child(both.a.using().id, both.network.now, "octets"))
    both.run(2)
    a, _ = assert_one_pair(both)
    assert a.replaces == 1
    assert both.a.engine.ike_sas()[0].children == both.b.engine.ike_sas()[0].children == (1, 2)
    both.run(12)
    assert both.a.of(QuickModeEnded)[-1].why == "replaced by its successor"
    assert both.b.of(QuickModeEnded)[-1].why == "deleted by the peer"


def test_one_quick_mode_per_main_mode():
    policy = POLICY.with_(master_key_pfs=True, methods=(method(ESP_GCM, seconds=100),))
    both = established(policy)
    each_moment(both, 95)
    assert len(both.a.of(MainModeEstablished)) == 2
    a, _ = assert_one_pair(both)
    assert a.replaces == 1
    assert a.ike_id == 2


def test_so_many_quick_modes_per_main_mode():
    policy = POLICY.with_(quick_mode_limit=2, methods=(method(ESP_GCM, seconds=100),))
    both = established(policy, POLICY.mirrored().with_(methods=policy.methods))
    each_moment(both, 260)
    made = [(event.child_id, event.ike_id) for event in both.a.of(QuickModeEstablished)]
    assert made[:4] == [(1, 1), (2, 1), (3, 2), (4, 2)]


def test_expiry_when_renewal_is_impossible():
    both = established(POLICY.with_(methods=(method(ESP_GCM, seconds=60),)))
    both.network.remove(both.b)
    both.run(59)
    assert len(both.a.engine.child_sas()) <= 1
    both.run(100)
    assert not both.a.inbound
    assert not both.a.outbound
    assert both.a.of(QuickModeEnded)[-1].why == "its lifetime is over"


def test_deletion_reaches_the_peer():
    both = established(POLICY.with_(methods=(method(ESP_CBC, AH_SHA256),)))
    both.network.do(both.a, both.a.engine.delete_child(both.a.using().id, both.network.now, "somebody said so"))
    both.run(1)
    for host in (both.a, both.b):
        assert not host.inbound
        assert not host.outbound
        assert len(host.engine.ike_sas()) == 1
    assert [event.why for event in both.a.of(QuickModeEnded)] == ["somebody said so"]
    assert [event.why for event in both.b.of(QuickModeEnded)] == ["deleted by the peer"]
    both.wish(both.b)
    both.run(1)
    assert_one_pair(both)


def test_deletion_of_a_main_mode_takes_its_contracts():
    both = established()
    both.network.do(both.a, both.a.engine.delete_ike(1, both.network.now, "somebody said so"))
    both.run(1)
    assert_nothing_left(both.a)
    assert_nothing_left(both.b)


def test_a_restarted_peer_that_begins_is_believed_once_authenticated():
    both = established()
    both.restart(both.b)
    both.wish(both.b)
    both.run(1)
    assert_one_pair(both)
    assert [event.why for event in both.a.of(QuickModeEnded)] == ["the peer has begun anew"]
    assert [event.why for event in both.a.of(MainModeEnded)] == ["the peer has begun anew"]
    assert len(both.a.engine.ike_sas()) == len(both.b.engine.ike_sas()) == 1


def test_a_restarted_peer_that_only_answers_is_found_out():
    both = established()
    both.restart(both.b)
    both.network.do(both.a, both.a.engine.rekey_child(both.a.using().id, both.network.now, "octets"))
    both.run(2)
    a, _ = assert_one_pair(both)
    assert len(both.a.inbound) == 1
    assert len(both.a.engine.ike_sas()) == 1
    assert a.selector == POLICY.selector


def test_a_peer_that_is_silent_under_an_old_main_mode_gets_a_new_one():
    both = established()
    both.restart(both.b)
    both.network.passes = lambda datagram, _path: not (datagram[18] == 5 and datagram[19] == 0)
    both.network.do(both.a, both.a.engine.rekey_child(both.a.using().id, both.network.now, "octets"))
    both.run(45)
    assert_one_pair(both)
    assert len(both.a.engine.ike_sas()) == 1


def test_forged_notifies_in_clear_end_nothing():
    both = established()
    (info,) = both.a.engine.ike_sas()
    from ringfence.ike.header import Exchange
    from ringfence.ike.v1.channel import seal
    from ringfence.ike.v1.payloads import DeletePayload, NotifyPayload
    from ringfence.testing.network import path_between

    cookies = info.initiator_cookie, info.responder_cookie
    forged = [NotifyPayload(1, 1, b"".join(cookies), kind) for kind in Notify]
    forged.append(DeletePayload(1, 1, (b"".join(cookies),)))
    for number, payload in enumerate(forged, 1):
        datagram, _ = seal(cookies, Exchange.INFORMATIONAL, number, (payload,), None, b"")
        both.network.inject(datagram, path_between(POLICY.remote, POLICY.local))
        both.run(3)
    assert_one_pair(both)
    assert both.a.engine.ike_sas()[0].state is not IkeState.GONE
    assert not both.a.of(QuickModeEnded)


def test_forged_notifies_in_clear_do_not_end_a_negotiation():
    from ringfence.ike.header import Exchange
    from ringfence.ike.v1.channel import seal
    from ringfence.ike.v1.payloads import NotifyPayload
    from ringfence.testing.network import path_between

    both = pair()
    both.wish(both.a)
    cookies = both.a.engine.ike_sas()[0].initiator_cookie, bytes(8)
    notify = NotifyPayload(1, 1, b"", Notify.NO_PROPOSAL_CHOSEN)
    datagram, _ = seal(cookies, Exchange.INFORMATIONAL, 7, (notify,), None, b"")
    both.network.do(both.a, both.a.engine.receive(datagram, path_between(POLICY.local, POLICY.remote), 0.0))
    both.run(3)
    assert_one_pair(both)


def test_several_quick_modes_under_one_main_mode():
    from dataclasses import replace

    both = pair()
    for host, policy in ((both.a, both.policy_a), (both.b, both.policy_b)):
        spd, pad = policy.compiled()
        (entry,) = spd
        entries = tuple(
            replace(entry, name=f"lab {protocol}", selector=replace(entry.selector, protocol=protocol))
            for protocol in (1, 6, 17)
        )
        both.network.do(host, host.engine.apply(Spd(entries), pad, 0.0))
    for protocol in (1, 6, 17):
        flow = POLICY.flow()._replace(protocol=protocol)
        both.network.acquire(both.a, f"lab {protocol}", flow)
    both.run(2)
    assert len(both.a.of(MainModeEstablished)) == 1
    assert len(both.selectors()) == 3
    for selector in both.selectors():
        assert_one_pair(both, selector)
    assert {child.entry for child in both.b.outbound.values()} == {"lab 1", "lab 6", "lab 17"}
    assert ENTRY not in {child.entry for child in both.a.outbound.values()}
