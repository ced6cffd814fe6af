# SPDX-License-Identifier: Apache-2.0
"""IKE SAs that go on by other addresses (RFC 4555), and the contracts under them.

A change of this host's addresses comes with a policy that has been compiled for them. Before anything ends by it, the
IKE SAs that may move do so: to the address where the tunnels of the policy begin now, or to any that the policy lets
their peer negotiate with. Until there is one they wait, for as long as their peer is not given up for dead.

Contracts in tunnel mode go along with their IKE SA: keys, SPIs, sequence numbers and windows stay, addresses and
encapsulation become others. In transport mode the addresses are those of the traffic: such contracts end (§1.2).
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from ringfence.audit import SaMoved
from ringfence.databases.proposal import Protocol
from ringfence.databases.sa import ChildSa, Mode, Sa
from ringfence.ike.association import IkeSa, keying_of
from ringfence.ike.children import Record
from ringfence.ike.contracts import Contracts
from ringfence.ike.effects import Effect, InstallInbound, InstallOutbound, Report
from ringfence.ike.happening import Moved, Relocated
from ringfence.ike.info import peer_of
from ringfence.ike.sessions import Clock, Sessions, Take
from ringfence.ike.through_nat import Nat
from ringfence.ike.v2.session import Session
from ringfence.ike.world import World
from ringfence.net.address import Path, format_address

ELSEWHERE = "one of its ends has another address now"


def is_mobile(session: IkeSa) -> bool:
    """Whether both sides and the policy let an IKE SA move."""
    return isinstance(session, Session) and session.moving.may


class Mobility:
    """Carries that out."""

    def __init__(
        self, world: World, timers: Clock, sessions: Sessions, take: Take, emit: Callable[[Effect], None],
        contracts: Contracts,
    ) -> None:  # fmt: skip
        del timers  # each IKE SA has its own
        self._world, self._sessions, self._contracts = world, sessions, contracts
        self._take, self._emit = take, emit

    def may_move(self, ike_id: int | None) -> bool:
        """Whether an IKE SA may go on by other addresses of ours."""
        session = self._sessions.get(ike_id)
        return session is not None and is_mobile(session)

    def follow(self, before: tuple[bytes, ...]) -> None:
        """This host may have other addresses than ``before``."""
        own = self._world.pad.own
        for session in self._sessions:
            if not isinstance(session, Session) or not session.moving.may:
                continue
            local = self._wanted(session)
            if local is not None and local != session.path.local.address:
                self._take(session, session.moving.go(local))
            elif _said(session, own) != _said(session, before):
                self._take(session, session.moving.announce())

    def _wanted(self, session: Session) -> bytes | None:
        """From which address of ours an IKE SA should go on; None where there is none now."""
        own, here, entry = self._world.pad.own, session.path, self._world.pad.named(session.entry.name)
        if entry is None:
            return None
        ends = (self._world.spd.named(record.child.entry) for record in self._world.children.of(session.id))
        named = (one.processing.tunnel_local for one in ends if one is not None and one.processing is not None)
        remotes = here.remote.address, session.home.remote.address
        fitting = [
            one
            for one in (*(one for one in named if one is not None), here.local.address, *own)
            if one in own and any(len(one) == len(remote) and entry.serves(remote, one) for remote in remotes)
        ]
        if not session.moving.leads and here.local.address in fitting:
            return here.local.address  # whoever decides goes on using it
        return next(iter(fitting), None)

    def happen(self, session: IkeSa, happening: Moved | Relocated) -> None:
        """An IKE SA goes by another port of its peer, or by other addresses."""
        if isinstance(happening, Moved):
            self._contracts.follow(session)
        else:
            self._relocated(session, happening)

    def _relocated(self, session: IkeSa, happening: Relocated) -> None:
        self._sessions.relist(session)
        self._move_wishes(session)
        if not happening.contracts or session.agreed is None:
            return
        nat = session.made.nat if isinstance(session, Session) and session.made is not None else None
        moved = 0
        for record in sorted(self._world.children.of(session.id), key=lambda one: one.order):
            moved += self._move(session, record, nat)
        if happening.was is not None and happening.was != session.path:
            self._report(session, happening.was, moved)

    def _move_wishes(self, session: IkeSa) -> None:
        """What is wanted of the same peer is wanted from there."""
        for wish in self._world.wishes:
            if wish.ike_id == session.id and wish.path != session.home:
                self._world.wishes.remove(wish)
                wish.path = session.home
                if self._world.wishes.get(wish.key) is None:
                    self._world.wishes.add(wish)

    def _move(self, session: IkeSa, record: Record, nat: Nat | None) -> bool:
        """Whether a contract has gone along."""
        path, before = session.path, record.at
        same_ends = (path.local.address, path.remote.address) == (before.local.address, before.remote.address)
        if record.child.mode is not Mode.TUNNEL and not same_ends:
            self._contracts.end(record.child.id, ELSEWHERE, tell=True)
            return False
        child = moved_child(record.child, path, nat)
        self._world.children.relocate(record, session.home, path, child)
        self._emit(InstallInbound(child))
        if self._contracts.carries(record):
            self._emit(InstallOutbound(child))
        return True

    def _report(self, session: IkeSa, was: Path, children: int) -> None:
        now = session.path
        event = SaMoved(
            ike_id=session.id, peer=peer_of(now), was=_words(was), now=_words(now), children=children,
            keying=keying_of(session),
        )  # fmt: skip
        self._emit(Report(event))


def _words(path: Path) -> str:
    return f"{format_address(path.local.address)} <-> {peer_of(path)}"


def _said(session: Session, own: Iterable[bytes]) -> list[bytes]:
    """What of our addresses a peer is told."""
    return [one for one in own if session.entry.serves_from(one)]


def moved_child(child: ChildSa, path: Path, nat: Nat | None) -> ChildSa:
    """A contract between other ends; through NAT its outermost SA goes in UDP."""
    local, remote = path.local.address, path.remote.address
    return replace(
        child,
        outbound=_moved(child.outbound, local, remote, path, nat),
        inbound=_moved(child.inbound, remote, local, path, nat),
    )


def _moved(sas: tuple[Sa, ...], source: bytes, destination: bytes, path: Path, nat: Nat | None) -> tuple[Sa, ...]:
    moved = [replace(sa, source=source, destination=destination) for sa in sas]
    in_udp = nat is not None and moved[-1].protocol is Protocol.ESP
    moved[-1] = replace(
        moved[-1], encapsulation=path if in_udp else None, keepalive=nat is not None and nat.local
    )  # fmt: skip
    return tuple(moved)
