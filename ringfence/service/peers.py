# SPDX-License-Identifier: Apache-2.0
"""How this host gets on with each other computer, read off the events: protected, in clear, negotiating, failing.

A row stays as long as it says something: until the last SA with the peer ended of itself. A peer that fails or fell
back to clear stays until it succeeds, or for an hour. The table is bounded; the row that changed longest ago goes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ringfence.audit import (
    FellBackToClear,
    KeyingChanged,
    KeyingKept,
    MainModeEstablished,
    MainModeFailed,
    MessageExchanged,
    PeerDead,
    QuickModeEnded,
    QuickModeEstablished,
    QuickModeFailed,
)
from ringfence.control.messages import Peer, PeerState
from ringfence.service.events import Recorded

ROWS = 4096
TROUBLE_LASTS = timedelta(hours=1)
NEGOTIATING_LASTS = timedelta(minutes=2)


Soft = tuple[str, datetime]
"""Traffic in clear for want of an SA: its rule, and since when."""


@dataclass(slots=True)
class _Row:
    state: PeerState
    since: datetime
    identity: str = ""
    rule: str = ""
    keying: str = ""
    detail: str = ""
    note: str = ""
    """That it speaks another protocol than its rule prefers."""
    noted: str = ""
    """The protocol that this is about."""
    children: set[int] = field(default_factory=set)


class PeerTable:
    """A sink of the event log."""

    def __init__(self) -> None:
        self._rows: dict[str, _Row] = {}

    def __call__(self, recorded: Recorded) -> None:
        """Learn from an event."""
        at = recorded.at
        match recorded.event:
            case MainModeEstablished(peer=peer, remote_identity=identity, keying=keying):
                row = self._row(peer, at)
                row.identity, row.keying = identity, keying
                row.note = row.note if keying == row.noted else ""
            case KeyingChanged(peer=peer, now=now):
                row = self._row(peer, at)
                row.note, row.noted = str(recorded.event), now
            case QuickModeEstablished(peer=peer, child_id=child, rule=rule):
                row = self._set(peer, PeerState.PROTECTED, at, "", rule)
                row.children.add(child)
            case QuickModeEnded(peer=peer, child_id=child):
                self._ended(peer, child, at)
            case (
                MainModeFailed(peer=peer, detail=detail, rule=rule)
                | QuickModeFailed(peer=peer, detail=detail, rule=rule)
            ):
                self._failed(peer, at, detail, rule)
            case KeyingKept(peer=peer):
                row = self._row(peer, at)
                row.detail = f"{row.detail}; {recorded.event}" if row.detail else str(recorded.event)
            case PeerDead(peer=peer, detail=detail):
                self._failed(peer, at, detail, self._row(peer, at).rule)
            case FellBackToClear(peer=peer, rule=rule, why=why):
                detail = self._row(peer, at).detail or why or "no security could be agreed on yet"
                self._set(peer, PeerState.CLEAR, at, detail, rule)
            case MessageExchanged(peer=peer, exchange="main mode", sent=True, number=number) if number % 2:
                self._row(peer, at)  # we begin; whoever begins with us is a stranger until he has proved himself
            case _:
                pass

    def rows(self, now: datetime, soft: Mapping[str, Soft] | None = None) -> list[Peer]:
        """What is worth saying now; ``soft`` says with whom we talk in clear at this moment, None: not known."""
        self._forget(now)
        shown = {
            address: Peer(
                address=address, state=row.state, identity=row.identity, rule=row.rule, since=row.since,
                keying=row.keying, detail=row.detail or row.note,
            )
            for address, row in self._rows.items()
            if soft is None or row.state is not PeerState.CLEAR or address in soft
        }  # fmt: skip
        for address, (rule, since) in (soft or {}).items():
            shown.setdefault(address, Peer(address=address, state=PeerState.CLEAR, rule=rule, since=since))
        return [peer for _, peer in sorted(shown.items())]

    def detail(self, address: str) -> str:
        """Why there is no SA with ``address``, as far as it is known."""
        return self._rows[address].detail if address in self._rows else ""

    def _row(self, peer: str, at: datetime) -> _Row:
        address = host_part(peer)
        if address not in self._rows:
            if len(self._rows) >= ROWS:
                idle = (address for address, row in self._rows.items() if not row.children)
                del self._rows[next(idle, next(iter(self._rows)))]
            self._rows[address] = _Row(PeerState.NEGOTIATING, at)
        return self._rows[address]

    def _set(self, peer: str, state: PeerState, at: datetime, detail: str, rule: str) -> _Row:
        row = self._row(peer, at)
        if row.state is not state:
            row.state, row.since = state, at
        row.detail, row.rule = detail, rule or row.rule
        address = host_part(peer)
        self._rows[address] = self._rows.pop(address)  # newest last
        return row

    def _failed(self, peer: str, at: datetime, detail: str, rule: str) -> None:
        row = self._row(peer, at)
        if row.state is PeerState.CLEAR:
            row.detail = detail  # it goes on in clear; now we know why
        elif not row.children:
            self._set(peer, PeerState.FAILING, at, detail, rule)

    def _ended(self, peer: str, child: int, at: datetime) -> None:
        row = self._row(peer, at)
        row.children.discard(child)
        if not row.children:
            del self._rows[host_part(peer)]

    def _forget(self, now: datetime) -> None:
        for address, row in list(self._rows.items()):
            patience = NEGOTIATING_LASTS if row.state is PeerState.NEGOTIATING else TROUBLE_LASTS
            if not row.children and now - row.since > patience:
                del self._rows[address]


def host_part(peer: str) -> str:
    """``10.0.0.1`` of ``10.0.0.1``, ``10.0.0.1:500`` and likewise IPv6 with brackets."""
    if peer.startswith("["):
        return peer[1:].partition("]")[0]
    return peer.partition(":")[0] if peer.count(":") == 1 else peer
