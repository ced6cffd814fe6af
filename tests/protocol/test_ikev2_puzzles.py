# SPDX-License-Identifier: Apache-2.0
"""A responder under siege and its clients: who solves its puzzle is served, who cannot is served at leisure."""

import pytest
from lab.authority import NOW

from protocol.pairs import POLICY, assert_one_pair, pair
from protocol.test_ikev2_resumption import cut
from ringfence.audit import MessageExchanged, MessageIgnored
from ringfence.credentials.keeper import LocalKeeper
from ringfence.ike.effects import Solved
from ringfence.ike.flood import FloodLimits
from ringfence.ike.settings import IkeSettings
from ringfence.ike.v2 import puzzles

V2 = POLICY.with_(keying=(2,), resumption=True)


@pytest.fixture
def both(monkeypatch):
    found = pair(V2, settings=IkeSettings(flood=FloodLimits(cookies_from=0, puzzles_from=0, unsolved_per_s=1.0)))
    found.a.keeper = LocalKeeper(lambda: NOW)
    return found


def said(host):
    return [one.payloads for one in host.of(MessageExchanged)]


def test_who_solves_it_comes_in(both):
    both.wish(both.a)
    both.run(5)
    words = said(both.a)
    assert words[1] == "N(COOKIE) N(PUZZLE)"
    assert words[2].startswith("N(COOKIE) PS SA KE NONCE")
    assert_one_pair(both)


def test_so_does_who_resumes(both):
    both.wish(both.a)
    both.run(5)
    cut(both)
    both.wish(both.a)
    both.run(5)
    assert any(one.startswith("N(COOKIE) PS NONCE N(TICKET_OPAQUE)") for one in said(both.a))
    assert_one_pair(both)


def spend(both):
    """Others that solve nothing have had their places."""
    while both.b.engine._world.unsolved.take(both.network.now):
        pass


def test_who_cannot_waits_for_a_place(both, monkeypatch):
    monkeypatch.setattr(puzzles, "demanded", lambda _chain: None)
    spend(both)
    both.wish(both.a)
    both.run(0.5)
    assert any("puzzle is not solved" in each.detail for each in both.b.of(MessageIgnored))
    assert both.b.engine.ike_sas() == ()
    both.run(30)
    assert_one_pair(both)


def test_a_wrong_solution_is_none(both, monkeypatch):
    both.a.keeper.answer = lambda _question: Solved(bytes(16))
    spend(both)
    both.wish(both.a)
    both.run(0.5)
    assert any("puzzle is not solved" in each.detail for each in both.b.of(MessageIgnored))


def test_nobody_chooses_how_hard_his_puzzle_is(both):
    """The level stands in the cookie, and the cookie is a MAC over it."""
    spend(both)
    easier = []

    def passes(datagram, path):
        if path.local.address == both.a.address and datagram[16] == 41 and not easier:
            bent = bytearray(datagram)
            at = 28 + 8
            assert bent[at] >= 8
            bent[at] = 0
            easier.append(bytes(bent))
            both.network.inject(easier[0], path)
        return path.local.address != both.a.address or not easier

    both.network.passes = passes
    both.wish(both.a)
    both.run(0.3)
    assert easier
    assert both.b.engine.ike_sas() == ()
    both.network.passes = lambda _datagram, _path: True
    both.run(30)
    assert_one_pair(both)
