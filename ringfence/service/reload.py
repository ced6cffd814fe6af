# SPDX-License-Identifier: Apache-2.0
"""Keeps what runs in step with the documents: load, compile, plan, apply.

A change shows by the document or a key file, by SIGHUP, by the API, or by what words such as "me" and "dns-servers" and
DNS names stand for. An editor may write a file in several steps, so a changed document rests for a moment before it is
read. A document that is not correct changes nothing: it is refused, with the whole text of why, until it is mended.
Where there are several stores the others are followed all the same.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from ringfence.audit import NetworkChanged, PolicyApplied, PolicyRefused, PolicyWarning, ServiceFault
from ringfence.backends.names import NameBook
from ringfence.crypto.signature import PrivateKey
from ringfence.databases.packet_filter import PacketList
from ringfence.databases.pad import Pad, PadEntry
from ringfence.databases.spd import Home, Spd, SpdEntry
from ringfence.errors import IpsecError
from ringfence.policy.compile import Compiled, HostFacts, compile_policy
from ringfence.policy.errors import Finding, PolicyError
from ringfence.policy.model import Policy
from ringfence.policy.networks import moves
from ringfence.policy.plan import NO_ORIGIN, Plan, plan
from ringfence.policy.validate import validate
from ringfence.service.boot import ruleset
from ringfence.service.events import EventLog
from ringfence.stores.base import LoadedPolicy
from ringfence.stores.several import Stores


@dataclass(frozen=True, slots=True)
class Running:
    """The policy that is carried out."""

    loaded: LoadedPolicy
    compiled: Compiled
    facts: HostFacts
    applied_at: datetime


@dataclass(frozen=True, slots=True)
class Refused:
    """A document that was not applied."""

    at: datetime
    detail: str


Apply = Callable[[Spd, Pad], Awaitable[None]]
Keep = Callable[[str], object]
"""Raises an IpsecError when it cannot."""


class PolicyKeeper:
    """Follows the stores."""

    def __init__(
        self, store: Stores, facts: Callable[[], HostFacts], *, events: EventLog, today: Callable[[], datetime],
        names: NameBook | None = None, keep: Keep | None = None,
        hold: Callable[[Mapping[str, PrivateKey]], None] | None = None,
    ) -> None:  # fmt: skip
        """For each policy that is carried out, ``keep`` gets what holds before the next start, ``hold`` its keys."""
        self._keep = keep
        self._store = store
        self._facts = facts
        self._names = names or NameBook()
        self._hold = hold
        self._events = events
        self._today = today
        self._apply: Apply | None = None
        self._lock = asyncio.Lock()
        self._woken = asyncio.Event()
        self._warned: set[Finding] = set()
        self.running: Running | None = None
        self.refused: Refused | None = None
        self._prepared = self._prepare(store)

    @property
    def store(self) -> Stores:
        """What is followed."""
        return self._store

    @property
    def policy(self) -> Policy:
        """The running policy, or the one to start with."""
        return (self.running or self._prepared).loaded.policy

    @property
    def files(self) -> tuple[Path, ...]:
        """All that the running policy, or the one to start with, was read from."""
        return (self.running or self._prepared).loaded.files

    def _prepare(self, store: Stores) -> Running:
        """The policy as the stores have it now; raises an IpsecError when none has one that can hold."""
        loaded = store.load()
        while True:
            facts = replace(self._facts(), names=self._names.find(loaded.policy.host_names))
            try:
                compiled = compile_policy(loaded.policy, facts, loaded.keys, loaded.wallet)
                if compiled.refusals:
                    raise PolicyError(compiled.refusals)
            except PolicyError as error:
                loaded = store.without(error)
            else:
                return Running(loaded, compiled, facts, self._today())

    async def start(self, apply: Apply) -> None:
        """Carry out, by ``apply``, what was read when this object was made; raises what ``apply`` raises."""
        self._apply = apply
        await self._switch(self._prepared)
        self._store.accept()
        if (error := self._store.failure) is not None:
            self._refuse(error)

    async def reload(self) -> Plan:
        """Read the documents now; what they change. Raises an IpsecError when one is refused."""
        async with self._lock:
            try:
                coming = await self.prepare(self._store)
                done = await self._switch(coming)
                self._store.accept()
                if (failure := self._store.failure) is not None:
                    raise failure
            except IpsecError as error:
                self._refuse(error)
                raise
            self.refused = None
            return done

    async def prepare(self, store: Stores) -> Running:
        """The policy as ``store`` has it now, ready to be followed; raises an IpsecError, and changes nothing."""
        return await asyncio.to_thread(self._prepare, store)

    async def follow(self, store: Stores, coming: Running) -> Plan:
        """Follow ``store`` from now on, beginning with what was prepared from it; raises what ``apply`` raises."""
        async with self._lock:
            done = await self._switch(coming)
            store.accept()
            self._store = store
            self.refused = None if store.failure is None else Refused(self._today(), str(store.failure))
            return done

    async def go_back(self, store: Stores) -> None:
        """Follow ``store`` again, and carry out what it had before, whatever it has now, until it changes."""
        async with self._lock:
            loaded = await asyncio.to_thread(store.as_before, self._store)
            facts = replace(self._facts(), names=self._names.known(loaded.policy.host_names))
            compiled = compile_policy(loaded.policy, facts, loaded.keys, loaded.wallet)
            await self._switch(Running(loaded, compiled, facts, self._today()))
            store.accept()
            self._store, self.refused = store, None

    async def watch(self, every_s: float, rest_s: float) -> None:
        """Follow every change, for ever."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), every_s)
            self._woken.clear()
            try:
                if self._store.changed():
                    await asyncio.sleep(rest_s)
                    await self.try_reload()
                elif self.running is not None and self._has_moved(self.running):
                    await self._follow_addresses(self.running)
            except Exception as error:
                self._events.add(ServiceFault(during="a reload", detail=f"{type(error).__name__}: {error}"))

    @property
    def host_names(self) -> tuple[str, ...]:
        """The DNS names that the running policy names."""
        return () if self.running is None else self.running.loaded.policy.host_names

    def look(self) -> None:
        """Have ``watch`` look at once."""
        self._woken.set()

    async def try_reload(self) -> None:
        """Reload; a refusal is an event and no error. Before the start is over there is nothing to do."""
        if self.running is None:
            return
        try:
            await self.reload()
        except IpsecError:
            return

    def _has_moved(self, running: Running) -> bool:
        try:
            return self._facts_now(running) != running.facts
        except IpsecError:
            return False

    def _facts_now(self, running: Running) -> HostFacts:
        return replace(self._facts(), names=self._names.known(running.loaded.policy.host_names))

    async def _follow_addresses(self, running: Running) -> None:
        """Compile the running policy again, for the addresses that this computer has now."""
        async with self._lock:
            facts = self._facts_now(running)
            try:
                compiled = compile_policy(running.loaded.policy, facts, running.loaded.keys, running.loaded.wallet)
                await self._switch(Running(running.loaded, compiled, facts, self._today()))
            except IpsecError as error:
                self.running = Running(running.loaded, running.compiled, facts, running.applied_at)
                self._refuse(error)

    async def _switch(self, coming: Running) -> Plan:
        if self._apply is None:
            raise RuntimeError("a policy cannot be applied before the start")
        before = self.running
        change = plan(before.compiled if before else None, coming.compiled)
        name = coming.loaded.document_name
        if self._hold is not None:
            self._hold(coming.loaded.signers)
        if before is None or _meaning(before.compiled) != _meaning(coming.compiled):
            await self._apply(coming.compiled.spd, coming.compiled.pad)
            self.running = coming
            rules = len(coming.loaded.policy)
            self._events.add(PolicyApplied(document=name, rules=rules, changes=change.summary()))
        else:
            self.running = Running(coming.loaded, coming.compiled, coming.facts, before.applied_at)
            if change.boot is not None:
                rules = len(coming.loaded.policy)
                self._events.add(PolicyApplied(document=name, rules=rules, changes=change.summary()))
        if before is not None:
            for move in moves(before.compiled.situations, coming.compiled.situations):
                self._events.add(NetworkChanged(interface=move.name, profile=move.now, why=move.why, was=move.was))
        self._warn(name, (*coming.loaded.findings, *validate(coming.loaded.policy, coming.compiled)))
        if before is None or before.loaded.policy is not coming.loaded.policy:
            await self._keep_boot(coming)
        return change

    async def _keep_boot(self, running: Running) -> None:
        """Keep what holds before the next start; where that is not possible, all else goes on."""
        if self._keep is None:
            return
        try:
            self._keep(await asyncio.to_thread(ruleset, running.loaded.policy))
        except IpsecError as error:
            self._events.add(PolicyWarning(document=running.loaded.document_name, detail=str(error)))

    def _warn(self, document: str, findings: tuple[Finding, ...]) -> None:
        """Each warning once, as long as it stays true."""
        for finding in findings:
            if finding not in self._warned:
                self._events.add(PolicyWarning(document=document, detail=str(finding)))
        self._warned = set(findings)

    def _refuse(self, error: IpsecError) -> None:
        name = self.running.loaded.document_name if self.running else "the policy"
        if isinstance(error, PolicyError) and (place := error.findings[0].place):
            name = place.document
        self.refused = Refused(self._today(), str(error))
        self._events.add(PolicyRefused(document=name, detail=str(error)))


def _meaning(
    compiled: Compiled,
) -> tuple[list[SpdEntry], list[SpdEntry], list[PadEntry], tuple[bytes, ...], tuple[Home, ...], list[PacketList], bool]:
    """What a policy does, without the lines where it says so; the order of its entries is part of it."""
    return (
        [replace(entry, origin=NO_ORIGIN) for entry in compiled.spd],
        [replace(entry, origin=NO_ORIGIN) for entry in compiled.spd.guards],
        [replace(entry, origin=NO_ORIGIN) for entry in compiled.pad],
        compiled.pad.own,
        compiled.spd.homes,
        [replace(one, origin=NO_ORIGIN) for one in compiled.spd.packet_lists],
        compiled.spd.translated,
    )
