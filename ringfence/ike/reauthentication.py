# SPDX-License-Identifier: Apache-2.0
"""Both sides prove again who they are, and no packet is lost by it (RFC 7296 §2.8.3, RFC 4478).

Rekeying an IKE SA of IKEv2 proves nothing anew. So the policy may say how old a proof may be, and a responder may tell
the initiator so. In time a whole new IKE SA is begun beside the old one, and all contracts are made anew under it; what
goes by the old ones then goes by the new ones, as with any renewal. Only then is the old IKE SA deleted. If the peer
does not agree, the old one goes on and it is tried again, until its time is over.

Whoever began an IKE SA proves itself again at 70 to 80 % of that time. Who answered waits longer, and begins itself
only where that proves the same: not with users who prove themselves by EAP, nor with those who have an address of a
pool.
"""

from ringfence.databases.eap import EapAuth
from ringfence.databases.pad import PadEntry
from ringfence.databases.pool import Assigned
from ringfence.databases.proposal import Limits
from ringfence.ike.association import IkeSa
from ringfence.ike.children import Record
from ringfence.ike.contracts import COLLISION_S
from ringfence.ike.due import Clock, Due
from ringfence.ike.errors import Reason
from ringfence.ike.lifetime import IkeEvent, IkeState, soft_limits
from ringfence.ike.pursuit import Pursuit
from ringfence.ike.sessions import Sessions
from ringfence.ike.wishes import Anew, Wish
from ringfence.ike.world import World

LEAST_S = 2
"""However often a peer wants it, not sooner than that."""
QUIET_S = 1.5 * COLLISION_S
"""After the peer has made a contract: it may have heard of that later than we."""
LATE = "nobody has proved anew in time who they are"


class Reauthentication:
    """Sees that proofs do not get too old."""

    def __init__(self, world: World, timers: Clock, sessions: Sessions, pursuit: Pursuit) -> None:
        self._world, self._timers, self._sessions, self._pursuit = world, timers, sessions, pursuit

    def established(self, session: IkeSa) -> None:
        """The peer has proved who it is."""
        seconds, made = session.entry.reauthenticate_s, session.agreed
        if made is not None and made.proof_ends is not None:
            seconds = max(LEAST_S, int(made.proof_ends - self._world.env.now))
        if session.version != 1 and seconds is not None:
            self.limited(session, seconds)
            self._timers.set((Due.UNPROVED, session.id), self._world.env.now + seconds)

    def limited(self, session: IkeSa, seconds: int) -> None:
        """That has to be proved again before ``seconds`` are over."""
        soft = soft_limits(Limits(seconds=seconds), self._world.env.random, initiator=session.initiator).seconds
        known = self._timers.when((Due.REAUTHENTICATE, session.id))
        at = self._world.env.now + max(soft or 0, LEAST_S)
        self._timers.set((Due.REAUTHENTICATE, session.id), at if known is None else min(known, at))

    def come_due(self, due: Due, session: IkeSa) -> None:
        """It is time, or too late."""
        if due is Due.UNPROVED:
            self._sessions.end(session, IkeEvent.EXPIRED, LATE, tell=True, reason=Reason.EXPIRED)
            return
        entry = self._world.pad.named(session.entry.name)
        if entry is None or not session.usable or not _may_begin(session, entry):
            return
        records = self._left(session, self._heir_of(session))
        if session.busy or any(self._world.wishes.get(record.key) for record in records):
            self._again(session, self._world.settings.moment_s)
        elif (wait_s := self._quiet(session, records)) > 0:
            self._again(session, wait_s)
        elif records:
            self._begin(session, entry, records)

    def _quiet(self, session: IkeSa, records: list[Record]) -> float:
        """How long to wait until the peer does not take what it began itself for begun at the same time as ours."""
        now, ends = self._world.env.now, self._timers.when((Due.UNPROVED, session.id))
        began = max((record.made_at for record in records if not record.initiator), default=None)
        until = now if began is None else began + QUIET_S
        return until - now if ends is None or until + self._world.settings.retry_s < ends else 0.0

    def _again(self, session: IkeSa, wait_s: float) -> None:
        self._timers.set((Due.REAUTHENTICATE, session.id), self._world.env.now + wait_s)

    def _heir_of(self, session: IkeSa) -> IkeSa | None:
        """The new IKE SA of an attempt that has come to something, but not to everything."""
        known = next((one for one in self._world.anew if one.old == session.id), None)
        return None if known is None else self._sessions.get(known.heir)

    def _begin(self, old: IkeSa, entry: PadEntry, records: list[Record]) -> None:
        heir = self._heir_of(old)
        new = heir or self._sessions.new(old.path, None, (entry,), old.rule, old.version)
        self._world.anew = [one for one in self._world.anew if one.old != old.id]
        attempt = Anew(old.id, new.id)
        self._world.anew.append(attempt)
        for record in records:
            wish = self._wish(record, attempt)
            if wish is not None and self._world.wishes.get(wish.key) is None:
                self._world.wishes.add(wish)
                attempt.wishes.append(wish)
                wish.ike_id = new.id
        if heir is None:
            self._pursuit.begin_main(new, attempt.wishes[0] if attempt.wishes else None)
        else:
            for wish in attempt.wishes:
                self._pursuit.pursue(wish)

    def _wish(self, record: Record, attempt: Anew) -> Wish | None:
        """A wish for the same contract; for all that its entry is about where the address may be another then."""
        entry = self._world.spd.named(record.child.entry)
        if entry is None:
            return None
        given = entry.processing is not None and entry.processing.assigned is Assigned.OURS
        selector = entry.selector if given else record.child.selector
        return Wish(entry, selector, record.path, record.child.id, more=record.child.more, anew=attempt)

    def look(self) -> None:
        """Whether what is under way has come to its end."""
        for one in tuple(self._world.anew):
            old, heir = self._sessions.get(one.old), self._sessions.get(one.heir)
            if any(wish in self._world.wishes for wish in one.wishes) or _is_begun(heir):
                continue
            if old is None or heir is None:
                self._world.anew.remove(one)
            if old is None or not old.usable:
                continue
            if heir is not None and not self._left(old, heir):
                self._world.anew.remove(one)
                self._retire(old)
                if not any(record.in_use for record in self._world.children.of(heir.id)):
                    self._retire(heir)  # the peer did the same at once, and that counts
            elif self._timers.when((Due.REAUTHENTICATE, old.id)) is None:
                self._again(old, self._world.settings.retry_s)

    def _left(self, old: IkeSa, heir: IkeSa | None) -> list[Record]:
        """The contracts of an IKE SA that another one has not got, too."""
        made = () if heir is None else self._world.children.of(heir.id)
        return [
            record
            for record in self._world.children.of(old.id)
            if record.in_use and not any(each.in_use and self._replaces(each, record) for each in made)
        ]

    def _replaces(self, one: Record, other: Record) -> bool:
        entry = self._world.spd.named(other.child.entry)
        given = entry is not None and entry.processing is not None and entry.processing.assigned is Assigned.OURS
        return one.key == other.key or (given and one.child.serves(other.child.entry))

    def _retire(self, old: IkeSa) -> None:
        """What it spoke for is replaced, and has received for long enough when it is deleted."""
        settings = self._world.settings
        old.happen(IkeEvent.REPLACED)
        for due in Due.RENEW_IKE, Due.REAUTHENTICATE, Due.UNPROVED:
            self._timers.drop((due, old.id))
        self._timers.set((Due.RETIRE_IKE, old.id), self._world.env.now + settings.retire_s + settings.commit_s)


def _is_begun(session: IkeSa | None) -> bool:
    return session is not None and session.state is IkeState.NEGOTIATING


def _may_begin(session: IkeSa, entry: PadEntry) -> bool:
    """Whether it is for us to begin: who is let in by a conversation, or has an address of ours, does so itself."""
    lets_in = any(isinstance(one, EapAuth) and one.directory is not None for one in entry.auth)
    return entry.initiate and (session.initiator or not (lets_in or entry.pool is not None))
