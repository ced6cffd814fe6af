# SPDX-License-Identifier: Apache-2.0
"""From a wish to a contract: which IKE SA to use, when to make one, when to give up.

A wish waits while the peer negotiates the same (its message is authentic, so that is no stranger's trick), or while a
main mode is under way. An IKE SA under which the peer does not answer may be one that only we still have: the wish is
tried once more with a new main mode before it is given up.

Who began a main mode did so for a quick mode of its own. Ours, sent at once behind the last message of that main mode,
could overtake it, and a peer that decrypts a quick mode too early spoils its IV for good (strongSwan does). So the
responder leaves the initiator a moment. What a peer could not read is begun once more, after a moment and under another
message id.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from ringfence.databases.identity import Identity
from ringfence.databases.pool import Assigned
from ringfence.databases.sa import Share
from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action, Processing, SpdEntry
from ringfence.ike.association import IkeSa, Renewable
from ringfence.ike.children import Record
from ringfence.ike.effects import AcquireFailed, Effect
from ringfence.ike.errors import Reason, Refused
from ringfence.ike.happening import QuickFailed
from ringfence.ike.info import peer_of
from ringfence.ike.keying import Keyings
from ringfence.ike.lifetime import ChildEvent, ChildState, IkeEvent, IkeState
from ringfence.ike.sessions import Clock, Due, Sessions, Take
from ringfence.ike.siblings import siblings
from ringfence.ike.v1.main_mode import NONCE_OCTETS
from ringfence.ike.wishes import Wish, key_of, path_for, sayable
from ringfence.ike.world import World
from ringfence.net.address import AddressRange, Path, format_address
from ringfence.net.flow import FlowKey

MOST_POSTPONED = 8
"""A peer may say so often that it cannot negotiate something now."""
SUSPICION_S = 30.0
"""Unauthenticated signs make us begin a main mode with a peer no more often than this."""


class Pursuit:
    """Everything that this host wants negotiated."""

    def __init__(
        self, world: World, timers: Clock, sessions: Sessions, take: Take, emit: Callable[[Effect], None]
    ) -> None:
        self._world = world
        self._timers = timers
        self._sessions = sessions
        self._take = take
        self._emit = emit
        self.keyings = Keyings(world, timers, sessions, emit, self.begin_main)
        self._suspected: dict[bytes, float] = {}

    # Wishes --------------------------------------------------------------------------------------------------------

    def acquire(self, name: str, flow: FlowKey) -> None:
        """A packet of ``flow`` waits for protection by the entry ``name``."""
        try:
            entry, processing = self._protecting(name)
            path = self._world.redirects.onward(entry.peer, path_for(processing, flow))
            selector = sayable(entry, processing, flow)
            selector = self._at_address(entry, selector, flow)
        except Refused as error:
            if not self._world.children.is_awaited(name, flow):
                self._emit(AcquireFailed(name, flow, error.reason.value, error.detail))
            return
        newest = self._world.children.newest(key_of(path, selector))
        if newest is not None and newest.state is ChildState.AGREED:
            return  # it is about to be used
        self._want(entry, selector, path, None if newest is None else newest.child.id, flow)

    def renew(self, record: Record) -> None:
        """Negotiate a successor."""
        entry = self._world.spd.named(record.child.entry)
        if entry is None or self._world.children.newest(record.key) is not record:
            return
        if record.state is ChildState.AGREED:
            self._timers.set((Due.RENEW, record.child.id), self._world.env.now + self._world.settings.switch_s)
            return
        record.happen(ChildEvent.REKEY_BEGUN)
        self._want(entry, record.child.selector, record.path, record.child.id, None, record.child.more)

    def want(self, entry: SpdEntry, selector: Selector, path: Path) -> None:
        """Negotiate a contract though no packet waits for it."""
        self._want(entry, selector, path, None, None)

    def is_wanted(self, selector: Selector, path: Path) -> bool:
        """Whether that is under way."""
        return self._world.wishes.get(key_of(path, selector)) is not None

    def _at_address(self, entry: SpdEntry, selector: Selector, flow: FlowKey) -> Selector:
        """For an entry whose address a peer gives us: what of it is about the one that we have; raises Refused for a
        packet from another.
        """
        processing = entry.processing
        given = self._world.assignments.by(entry.peer)
        if processing is None or processing.assigned is not Assigned.OURS or given is None:
            return selector
        address = given.of_family(len(flow.source))
        if flow.source != address:
            ours = "no address of that family" if address is None else format_address(address)
            what = f"it comes from {format_address(flow.source)}, and the peer has given us {ours}"
            raise Refused(Reason.NO_ADDRESS, what)
        return replace(selector, source=AddressRange.host(address))

    def _protecting(self, name: str) -> tuple[SpdEntry, Processing]:
        entry = self._world.spd.named(name)
        if entry is None or entry.action is not Action.PROTECT or entry.processing is None:
            raise Refused(Reason.NO_POLICY, f'the policy has no entry "{name}" that protects anything')
        return entry, entry.processing

    def _want(
        self, entry: SpdEntry, selector: Selector, path: Path, replaces: int | None, flow: FlowKey | None,
        more: tuple[Share, ...] | None = None,
    ) -> None:  # fmt: skip
        wish = self._world.wishes.get(key_of(path, selector))
        known = wish is not None
        if wish is None:
            wish = Wish(
                entry, selector, path, replaces, more=siblings(self._world.spd, entry) if more is None else more
            )
        if flow is not None:
            wish.add(flow, self._world.settings.most_waiting)
        if not known:
            self._world.wishes.add(wish)
            self.pursue(wish)

    # On ------------------------------------------------------------------------------------------------------------

    def pursue(self, wish: Wish) -> None:
        """Do what brings a wish nearer."""
        wish.nonce, wish.ike_id, wish.waits_for = b"", None, None
        entry = self._world.pad.named(wish.entry.peer)
        if entry is None:
            self.give_up(wish, Reason.NO_POLICY, f'the policy does not say how "{wish.entry.peer}" authenticates')
            return
        larval = next((each for each in self._world.children.competing(wish.key) if _by_peer(each)), None)
        if larval is None and wish.anew is not None:
            self._pursue_anew(wish, wish.anew.heir)
            return
        session = self._renewed_under(wish) or self._sessions.best(wish.path, entry, self._renewed_with(wish))
        if session is not None and wish.is_between_hosts and session.path.remote.address != wish.path.remote.address:
            session = None  # who is somewhere else now is not that host any more
        under_way = self._sessions.negotiating(wish.path, entry)
        if larval is not None:
            wish.waits_for = larval.child.id
        elif session is not None:
            self._begin_quick_or_wait(session, wish)
        elif under_way is not None:
            wish.ike_id = under_way.id
        elif entry.initiate:
            self.keyings.begin(wish.path, entry, wish.entry.origin.rule, wish)
        else:
            self.give_up(wish, Reason.MAY_NOT_BEGIN, f"the policy lets only {peer_of(wish.path)} begin")

    def _pursue_anew(self, wish: Wish, heir: int) -> None:
        """Make it under that IKE SA alone, which is to replace another."""
        session = self._sessions.get(heir)
        if session is not None and session.usable:
            wish.ike_id = heir
            self._begin_quick(session, wish)
        elif session is not None and session.state is IkeState.NEGOTIATING:
            wish.ike_id = heir
        else:
            self.give_up(wish, Reason.PEER_SILENT, "both sides have not proved again who they are")

    def _renewed_with(self, wish: Wish) -> Identity | None:
        """Who has the contract that a wish renews."""
        record = None if wish.replaces is None else self._world.children.get(wish.replaces)
        return None if record is None else record.child.peer

    def _renewed_under(self, wish: Wish) -> IkeSa | None:
        """The IKE SA of IKEv2 that a contract to renew belongs to: under it alone it can be rekeyed."""
        record = None if wish.replaces is None else self._world.children.get(wish.replaces)
        session = None if record is None else self._sessions.get(record.ike_id)
        return session if session is not None and session.version != 1 and session.usable else None

    def begin_main(self, session: IkeSa, wish: Wish | None = None) -> None:
        """Begin an IKE SA."""
        first_contact = partial(self._sessions.is_first_contact, session.path)
        self._take(session, session.begin(wish, first_contact=first_contact))

    def _begin_quick_or_wait(self, session: IkeSa, wish: Wish) -> None:
        wish.ike_id = session.id
        until = (session.made_at or 0.0) + self._world.settings.moment_s
        if (
            session.version == 1
            and not session.initiator
            and not session.peer_began_quick
            and self._world.env.now < until
        ):
            self._timers.set((Due.WISHES, session.id), until)
        else:
            self._begin_quick(session, wish)

    def _begin_quick(self, session: IkeSa, wish: Wish) -> None:
        wish.nonce, wish.order, wish.repeats = self._world.env.random(NONCE_OCTETS), self._world.next_order(), 0
        wish.may_insist = session.peer_is_ours
        self._take(session, session.begin_quick(wish))
        limit = 1 if session.entry.master_key_pfs else session.entry.quick_mode_limit
        if limit and session.quick_modes >= limit and session.usable:
            session.happen(IkeEvent.USED_UP)

    def give_up(self, wish: Wish, reason: Reason, detail: str) -> None:
        """Say that there is nothing for those who wait."""
        self._world.wishes.remove(wish)
        for flow in wish.flows:
            self._emit(AcquireFailed(wish.entry.name, flow, reason.value, detail))
        record = None if wish.replaces is None else self._world.children.get(wish.replaces)
        if record is not None and record.state is ChildState.REKEYING:
            record.happen(ChildEvent.REKEY_FAILED)
            self._timers.set((Due.RENEW, record.child.id), self._world.env.now + self._world.settings.retry_s)

    # What happens --------------------------------------------------------------------------------------------------

    def come_due(self, due: Due, ike_id: int) -> None:
        """Wishes have waited under an IKE SA, or for one, for a moment."""
        if due is Due.WISHES:
            self.go_on(ike_id)
        else:
            self.keyings.due(ike_id)

    def go_on(self, ike_id: int) -> None:
        """Wishes have waited for a moment under an IKE SA, which may be gone by now."""
        for wish in self._world.wishes:
            if wish.ike_id == ike_id and not wish.nonce and wish.waits_for is None:
                self.pursue(wish)

    def peer_began(self, record: Record) -> None:
        """The peer negotiates what we may want too: its exchange goes on, ours ends unless nobody hears it."""
        if self._timers.when((Due.WISHES, record.ike_id)) is not None:
            self._timers.set((Due.WISHES, record.ike_id), self._world.env.now)
        wish = self._world.wishes.get(record.key)
        if wish is None or record.initiator or (wish.nonce and not wish.insists):
            return
        self.abandon(wish)
        wish.waits_for = record.child.id

    def abandon(self, wish: Wish) -> None:
        """Give up the quick mode that we have under way for a wish."""
        session = self._sessions.get(wish.ike_id)
        if wish.nonce and session is not None:
            session.abandon_quick(wish)
        wish.nonce = b""

    def agreed(self, record: Record, ours: Wish | None = None) -> None:
        """A contract fulfils whoever wished it; ``ours`` even if the peer has granted less than that."""
        wish = ours if ours is not None and ours in self._world.wishes else self._world.wishes.get(record.key)
        if wish is not None:
            if wish.may_insist:  # else the peer has answered ours as well, and waits for its end
                self.abandon(wish)
            self._world.wishes.remove(wish)
            self._tell_strays(wish, record)
        self._fulfil(record)

    def _fulfil(self, record: Record) -> None:
        """It carries what others wait for, too."""
        for other in self._world.wishes:
            if other.replaces is None and not other.nonce and any(
                one.entry == other.entry.name and all(flow in one.selector for flow in other.flows)
                for one in record.child.more
            ):  # fmt: skip
                self._world.wishes.remove(other)

    def _tell_strays(self, wish: Wish, record: Record) -> None:
        """Packets that waited for an address of ours do not have it, and never will."""
        if wish.entry.processing is None or wish.entry.processing.assigned is not Assigned.OURS:
            return
        for flow in wish.flows:
            if not record.child.carries(flow):
                what = f"it was sent before the peer gave us {record.child.selector.source}"
                self._emit(AcquireFailed(wish.entry.name, flow, Reason.NO_ADDRESS.value, what))

    def ended(self, record: Record | None) -> None:
        """What the peer was negotiating came to nothing, if there is such: now it is our turn."""
        wish = None if record is None else self._world.wishes.get(record.key)
        if wish is not None and record is not None and wish.waits_for == record.child.id:
            self.pursue(wish)

    def quick_failed(self, session: IkeSa, failed: QuickFailed) -> None:
        """A quick mode of ours came to nothing."""
        wish = failed.wish
        if wish is None or wish not in self._world.wishes:
            return
        if failed.reason is Reason.PEER_SILENT and not wish.peer_was_silent:
            wish.peer_was_silent = True
            self._sessions.end(
                session, IkeEvent.DELETED, "the peer does not answer under it", tell=False, reason=Reason.PEER_SILENT
            )
            self.pursue(wish)
        elif _was_too_much(wish, failed.reason):
            wish.alone = True
            self.pursue(wish)
        elif failed.reason is Reason.COLLISION and session.version != 1 and wish.postponed < MOST_POSTPONED:
            wish.nonce, wish.postponed = b"", wish.postponed + 1
            self._timers.set((Due.WISHES, session.id), self._world.env.now + self._world.settings.moment_s)
        elif failed.reason is Reason.PEER_UNREADING and not wish.was_unread:
            wish.nonce, wish.was_unread = b"", True
            self._timers.set((Due.WISHES, session.id), self._world.env.now + self._world.settings.moment_s)
        elif failed.reason is Reason.PEER_DELETED:
            self.pursue(wish)
        else:
            self.give_up(wish, failed.reason, failed.detail)

    def established(self, session: IkeSa) -> None:
        """There is an IKE SA for those who wait."""
        self._sessions.retract(session)
        self.keyings.established(session)
        for wish in self._world.wishes:
            same = wish.path.remote.address == session.path.remote.address
            if same and not wish.nonce and wish.waits_for is None and wish in self._world.wishes:
                self.pursue(wish)

    def main_failed(self, session: IkeSa, reason: Reason, detail: str) -> None:
        """A main mode of ours came to nothing."""
        if session.initiator:
            self._world.redirects.failed(session.entry.name, session.path)
        goes_on = self.keyings.failed(session, reason, detail)
        for wish in self._world.wishes:
            if wish.ike_id == session.id and not wish.nonce:
                if goes_on or self._has_another(wish):
                    self.pursue(wish)
                else:
                    self.give_up(wish, reason, detail)
        for other in self._sessions.with_peer(session.path):
            if other.usable and self._timers.when((Due.RENEW_IKE, other.id)) is None:
                retry = self._world.env.now + self._world.settings.retry_s
                self._timers.set((Due.RENEW_IKE, other.id), retry)

    def _has_another(self, wish: Wish) -> bool:
        """Whether there is another IKE SA for it."""
        entry = self._world.pad.named(wish.entry.peer)
        return entry is not None and self._sessions.best(wish.path, entry) is not None

    def renew_ike(self, session: IkeSa) -> None:
        """Rekey it (IKEv2), or begin a new main mode with the same peer, if this one still serves anything."""
        if isinstance(session, Renewable):
            if session.usable and self._world.children.of(session.id):
                self._take(session, session.succeed())
            return
        entry = self._world.pad.named(session.entry.name)
        wanted = session.usable and bool(self._world.children.of(session.id))
        if wanted and entry and entry.initiate and self._sessions.negotiating(session.path, entry) is None:
            self.keyings.begin(session.path, entry, session.rule)

    def suspect(self, session: IkeSa) -> None:
        """Somebody says that the peer knows nothing of this IKE SA. A new main mode tells whether that is true."""
        if self._may_suspect(session.path):
            self._find_out(session)

    def _find_out(self, session: IkeSa) -> None:
        """Whether the peer still has an IKE SA."""
        if isinstance(session, Renewable):
            self._take(session, session.probe())
        else:
            self.renew_ike(session)

    def suspect_child(self, record: Record) -> None:
        """Somebody says that the peer knows nothing of this contract; likewise."""
        if not self._may_suspect(record.path):
            return
        session = self._sessions.get(record.ike_id)
        if session is not None:
            self._find_out(session)
        else:
            self.renew(record)

    def _may_suspect(self, path: Path) -> bool:
        """Not again so soon, for anybody can say so."""
        now = self._world.env.now
        self._suspected = {key: when for key, when in self._suspected.items() if now - when < SUSPICION_S}
        if path.remote.address in self._suspected:
            return False
        self._suspected[path.remote.address] = now
        return True


def _was_too_much(wish: Wish, reason: Reason) -> bool:
    """Whether a peer may grant part of what it refuses: it takes one pair of selectors, or knows not of the rest."""
    several = reason is Reason.WRONG_SELECTORS and bool(wish.more)
    return not wish.alone and (several or reason is Reason.SINGLE_PAIR)


def _by_peer(record: Record) -> bool:
    return record.state is ChildState.LARVAL and not record.initiator
