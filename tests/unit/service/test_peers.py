# SPDX-License-Identifier: Apache-2.0
"""The table of peers, from the events of their lives."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ringfence.audit import (
    Event,
    FellBackToClear,
    KeyingChanged,
    KeyingKept,
    MainModeEstablished,
    MainModeFailed,
    MessageExchanged,
    PeerDead,
    QuickModeEnded,
    QuickModeEstablished,
)
from ringfence.control.messages import Peer, PeerState
from ringfence.service.events import Recorded
from ringfence.service.peers import ROWS, PeerTable, host_part

START = datetime(2026, 11, 25, tzinfo=UTC)
PEER = "10.0.0.2"


def message(peer: str = PEER, number: int = 1) -> Event:
    return MessageExchanged(
        sent=True, peer=peer, exchange="main mode", number=number, payloads="SA", octets=1, encrypted=False
    )


def main_mode(peer: str = PEER) -> MainModeEstablished:
    return MainModeEstablished(
        ike_id=1, peer=peer, local_identity="a", remote_identity="bob", proposal="x", initiator=True, rule="lab",
        lifetime_s=None,
    )  # fmt: skip


def quick_mode(child: int, peer: str = PEER) -> Event:
    return QuickModeEstablished(
        child_id=child, ike_id=1, peer=peer, selector="", protection="", mode="", spi_in="", spi_out="", initiator=True,
        rule="lab", replaces=None, lifetime_s=None,
    )  # fmt: skip


def ended(child: int, peer: str = PEER) -> Event:
    return QuickModeEnded(child_id=child, peer=peer, selector="", why="")


def failed(peer: str = PEER) -> Event:
    return MainModeFailed(peer=peer, reason="peer-silent", detail="it does not answer", initiator=True, rule="lab")


def after(*events: Event, later: timedelta = timedelta()) -> list[Peer]:
    table = PeerTable()
    for number, event in enumerate(events):
        table(Recorded(number, START + timedelta(seconds=number), event))
    return table.rows(START + later)


def test_a_peer_becomes_protected() -> None:
    (negotiating,) = after(message())
    assert negotiating.state is PeerState.NEGOTIATING
    (peer,) = after(message(f"{PEER}:500"), main_mode(), quick_mode(1))
    assert (peer.address, peer.state, peer.identity, peer.rule) == (PEER, PeerState.PROTECTED, "bob", "lab")
    assert peer.since == START + timedelta(seconds=2)


def test_by_which_protocol_it_proved_itself_and_why_not_by_another() -> None:
    changed = KeyingChanged(peer=PEER, rule="lab", was="ikev2", now="ikev1", why="no answer")
    (peer,) = after(changed, main_mode(), quick_mode(1))
    assert (peer.keying, peer.detail) == ("ikev1", str(changed))
    (peer,) = after(changed, main_mode(), quick_mode(1), replace(main_mode(), keying="ikev2"))
    assert (peer.keying, peer.detail) == ("ikev2", "")
    (peer,) = after(changed, main_mode(), failed())
    assert peer.detail == "it does not answer", "a failure is said first"
    kept = KeyingKept(peer=PEER, rule="lab", keying="ikev2", instead="ikev1")
    (peer,) = after(failed(), kept)
    assert peer.detail == f"it does not answer; {kept}"


def test_a_dead_peer_fails_and_says_why() -> None:
    dead = PeerDead(peer=PEER, identity="bob", detail="it did not answer", children=1)
    (peer,) = after(quick_mode(1), ended(1), dead)
    assert (peer.state, peer.detail) == (PeerState.FAILING, "it did not answer")
    (peer,) = after(quick_mode(1), ended(1), dead, quick_mode(2))
    assert (peer.state, peer.detail) == (PeerState.PROTECTED, "")


def test_rekeying_keeps_it_protected_and_the_last_end_removes_it() -> None:
    (peer,) = after(quick_mode(1), quick_mode(2), ended(1))
    assert peer.state is PeerState.PROTECTED
    assert peer.since == START
    assert after(quick_mode(1), quick_mode(2), ended(1), ended(2)) == []


def test_failure_says_why_and_goes_after_an_hour() -> None:
    (peer,) = after(message(), failed())
    assert (peer.state, peer.detail) == (PeerState.FAILING, "it does not answer")
    assert after(failed(), later=timedelta(hours=2)) == []
    (peer,) = after(failed(), main_mode(), quick_mode(1), later=timedelta(hours=2))
    assert (peer.state, peer.detail) == (PeerState.PROTECTED, "")


def test_a_failed_rekey_does_not_make_a_protected_peer_fail() -> None:
    (peer,) = after(quick_mode(1), failed())
    assert peer.state is PeerState.PROTECTED


def test_fallback_keeps_the_reason() -> None:
    (peer,) = after(failed(), FellBackToClear(peer=PEER, rule="dns"))
    assert (peer.state, peer.detail, peer.rule) == (PeerState.CLEAR, "it does not answer", "dns")
    (peer,) = after(FellBackToClear(peer=PEER, rule="dns"))
    assert peer.detail


def test_a_peer_in_clear_stays_so_when_the_reason_becomes_known() -> None:
    (peer,) = after(message(), FellBackToClear(peer=PEER, rule="dns"), failed())
    assert (peer.state, peer.detail, peer.rule) == (PeerState.CLEAR, "it does not answer", "dns")
    (peer,) = after(FellBackToClear(peer=PEER, rule="dns"), main_mode(), quick_mode(1))
    assert peer.state is PeerState.PROTECTED


def test_who_only_talks_to_us_is_no_peer_yet() -> None:
    assert after(message(number=2)) == []


def test_strangers_push_no_protected_peer_out() -> None:
    rows = after(quick_mode(1), *(failed(f"10.1.{n >> 8}.{n & 255}") for n in range(ROWS + 10)))
    assert [row.address for row in rows if row.state is PeerState.PROTECTED] == [PEER]


def test_the_table_is_bounded() -> None:
    rows = after(*(failed(f"10.1.{n >> 8}.{n & 255}") for n in range(ROWS + 10)))
    assert len(rows) == ROWS


@pytest.mark.parametrize(
    ("peer", "host"),
    [
        ("10.0.0.1", "10.0.0.1"), ("10.0.0.1:500", "10.0.0.1"), ("[fd00::1]:500", "fd00::1"), ("fd00::1", "fd00::1"),
    ],
)  # fmt: skip
def test_the_port_is_no_part_of_a_peer(peer: str, host: str) -> None:
    assert host_part(peer) == host


def test_who_talks_in_clear_at_this_moment() -> None:
    table = PeerTable()
    table(Recorded(1, START, FellBackToClear(peer=PEER, rule="dns", why="it does not answer IKE")))
    assert table.detail(PEER) == "it does not answer IKE"
    assert table.detail("10.0.0.7") == ""
    assert [peer.state for peer in table.rows(START)] == [PeerState.CLEAR]
    assert table.rows(START, {}) == [], "that is over"
    other = {"10.0.0.1": ("web", START), PEER: ("dns", START)}
    assert [(peer.address, peer.rule) for peer in table.rows(START, other)] == [("10.0.0.1", "web"), (PEER, "dns")]
