# SPDX-License-Identifier: Apache-2.0
"""Another policy, by hand: what it would change, whether it would lock out the one who asks, and a way back.

A policy that is applied on probation must be confirmed in time, or the one before comes back by itself. Whoever has
locked himself out cannot confirm; so he only has to wait. What comes back is what was last meant to stay, however many
policies were tried since. The document that is applied is the one that is followed from now on.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from ringfence.audit import PolicyConfirmed, PolicyOnProbation, PolicyRolledBack, ServiceFault
from ringfence.control.errors import BadRequest, NotThere, Refused
from ringfence.databases.spd import Direction
from ringfence.net.flow import FlowKey
from ringfence.policy.errors import BadWord
from ringfence.policy.explain import parse_flow
from ringfence.policy.lockout import ended
from ringfence.policy.plan import Plan, plan
from ringfence.policy.resultant import DYNAMIC
from ringfence.service.events import EventLog
from ringfence.service.reload import PolicyKeeper, Running
from ringfence.stores.dynamic import DynamicStore
from ringfence.stores.several import Stores


@dataclass(slots=True)
class _Probation:
    before: Running
    """What comes back."""
    store: Stores
    """Where that came from."""
    until: datetime
    timer: asyncio.TimerHandle


class Stage:
    """Applies policies on demand."""

    def __init__(
        self, keeper: PolicyKeeper, open_store: Callable[[Stores, Path], Stores], *, secured: Callable[[FlowKey], bool],
        events: EventLog, today: Callable[[], datetime],
    ) -> None:  # fmt: skip
        """``open_store`` gives stores with another document; ``secured`` tells whether there is an SA for a flow."""
        self._keeper = keeper
        self._open = open_store
        self._secured = secured
        self._events = events
        self._today = today
        self._probation: _Probation | None = None
        self._lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def confirm_by(self) -> datetime | None:
        """Until when the running policy must be confirmed; None when it need not be."""
        return None if self._probation is None else self._probation.until

    async def plan(self, document: Path) -> Plan:
        """What applying ``document`` would change; raises an IpsecError when it is not correct."""
        coming = await self._keeper.prepare(self._open(self._keeper.store, document))
        running = self._keeper.running
        return plan(running.compiled if running else None, coming.compiled)

    async def apply(
        self, document: Path, *, sessions: tuple[str, ...] = (), confirm_within_s: float | None = None,
        force: bool = False,
    ) -> Plan:  # fmt: skip
        """Follow ``document`` from now on; raises Refused when that would end one of ``sessions``, and IpsecError.

        ``sessions`` are packets in words, as ``explain`` has them. A policy on probation may end them.
        """
        async with self._lock:
            before, store = self._keeper.running, self._keeper.store
            if before is None:
                raise NotThere("There is no policy yet; the service is starting.")
            coming_store = self._open(store, document)
            coming = await self._keeper.prepare(coming_store)
            if not force and confirm_within_s is None:
                cure = (
                    f"Add an exemption, or try it for a minute:  ringfence apply {document.name} --confirm-within 60s"
                )
                self._refuse_lockout(coming, sessions, cure)
            change = await self._keeper.follow(coming_store, coming)
            if self._probation is not None:
                before, store = self._probation.before, self._probation.store
                self._end_probation()
            if change and confirm_within_s is not None:
                self._begin_probation(before, store, confirm_within_s)
            return change

    @property
    def dynamic(self) -> DynamicStore:
        """The rules that hold until the service stops."""
        found = self._keeper.store.store(DYNAMIC)
        return found if isinstance(found, DynamicStore) else DynamicStore(folder=Path("/"))

    async def change_dynamic(
        self, text: str, revision: int, *, sessions: tuple[str, ...] = (), force: bool = False
    ) -> Plan:
        """Have other rules until the service stops, as long as those that they replace are of this ``revision``.

        Raises Refused if they are not, or if it would end one of ``sessions``; and IpsecError.
        """
        async with self._lock:
            before = self.dynamic
            if before.revision != revision:
                raise Refused(
                    "Somebody else has changed the dynamic rules meanwhile.", cure="Look again, and try again."
                )
            stores = self._keeper.store.replaced(DYNAMIC, before.changed_to(text))
            coming = await self._keeper.prepare(stores)
            if not force:
                self._refuse_lockout(coming, sessions, "Exempt it first, or force it if you mean it.")
            return await self._keeper.follow(stores, coming)

    def confirm(self) -> str:
        """Let the running policy stay, and say so; raises NotThere when nothing waits for that."""
        if self._probation is None or self._keeper.running is None:
            raise NotThere("There is nothing to confirm.", cure="The policy in force stays as it is.")
        self._end_probation()
        name = self._keeper.running.loaded.document_name
        self._events.add(PolicyConfirmed(document=name))
        return f"Confirmed: {name} stays."

    def stop(self) -> None:
        """Nothing comes back after this."""
        self._end_probation()

    def _refuse_lockout(self, coming: Running, sessions: tuple[str, ...], cure: str) -> None:
        lost = next(ended(coming.compiled, map(_session, sessions), self._secured), None)
        if lost is not None:
            raise Refused(f"This would end your own session: {lost}.", cure=cure)

    def _begin_probation(self, before: Running, store: Stores, seconds: float) -> None:
        timer = asyncio.get_running_loop().call_later(seconds, self._over)
        until = self._today() + timedelta(seconds=seconds)
        self._probation = _Probation(before, store, until, timer)
        running = self._keeper.running
        name = running.loaded.document_name if running else ""
        self._events.add(PolicyOnProbation(document=name, seconds=round(seconds)))

    def _end_probation(self) -> None:
        if self._probation is not None:
            self._probation.timer.cancel()
            self._probation = None

    def _over(self) -> None:
        task = asyncio.get_running_loop().create_task(self._roll_back())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _roll_back(self) -> None:
        async with self._lock:
            probation, tried = self._probation, self._keeper.running
            if probation is None or tried is None:
                return  # confirmed while we waited
            self._probation = None
            name = tried.loaded.document_name
            try:
                await self._keeper.go_back(probation.store)
            except Exception as error:
                detail = f"{name} stays in force: {type(error).__name__}: {error}"
                self._events.add(ServiceFault(during="going back to the policy before", detail=detail))
                return
            self._events.add(PolicyRolledBack(document=name, back_to=probation.before.loaded.document_name))


def _session(text: str) -> FlowKey:
    """A connection in words, from this computer outward."""
    try:
        flow, direction = parse_flow(text)
    except BadWord as error:
        raise BadRequest(f'The session is "{text}", {error.why}.', cure=error.cure) from error
    return flow.reversed() if direction is Direction.IN else flow
