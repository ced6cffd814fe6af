# SPDX-License-Identifier: Apache-2.0
"""The store ``directory``: the policy that the domain assigns to this computer, asked for again and again.

Each time all is asked that decides, a handful of small searches, so that another assignment is noticed, too; the
objects of the policy are read only when the policy's own has another time of change ([MS-GPIPSEC] §3.2.5). A server
that fails is tried again after 1, 4, 25, then every 166 minutes; what was had last holds meanwhile, and at the start
the copy that was kept. When nothing is assigned any longer, the copy goes.
"""

import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from ringfence.place import Place
from ringfence.policy.errors import Finding, PolicyError, Severity
from ringfence.policy.model import Policy
from ringfence.policy.resultant import DIRECTORY, SetAside
from ringfence.policy.windows import POLL_INTERVAL_S
from ringfence.stores.base import LoadedPolicy
from ringfence.stores.directory.cache import Copy, forget, keep, kept
from ringfence.stores.directory.connection import Directory, Scope, Server, connected
from ringfence.stores.directory.errors import DirectoryFailed
from ringfence.stores.directory.grouppolicy import Decision, decide
from ringfence.stores.directory.objects import Catalogue, Entry, closure
from ringfence.stores.directory.reading import read_policy
from ringfence.stores.directory.situation import parent, root_of, situation_of
from ringfence.stores.errors import StoreError

ASSIGNMENT_S = 90 * 60
"""How often at least it is asked which policy counts: Group Policy's own interval."""
LONGEST_BACK_OFF_MIN = 166


@dataclass(frozen=True, slots=True)
class Membership:
    """Which computer of which domain this is."""

    server: Server
    computer: str
    """The name of its account: ``ALICE$``."""
    domain: str = ""
    """The DN of the domain; empty for the server's own."""


Connect = Callable[[Server], AbstractContextManager[Directory]]


class DirectoryStore:
    """The policy that a domain assigns to one computer."""

    def __init__(
        self, membership: Membership, document: str, folder: Path | None = None, *,
        addresses: Callable[[], Iterable[str]] = tuple, connect: Connect = connected,
        now: Callable[[], float] = time.monotonic, today: Callable[[], datetime] = datetime.now,
    ) -> None:  # fmt: skip
        """``document`` says the membership; ``folder``: where the last good copy is kept."""
        self._membership, self._document, self._folder = membership, document, folder
        self._addresses, self._connect, self._now, self._today = addresses, connect, now, today
        self._due: float | None = None
        self._wait_min = 0
        self._last: LoadedPolicy | None = None
        self._read: tuple[str, str] = ("", "")
        """The DN and the time of change of the policy that was read last."""
        self._last_at = ""

    def changed(self) -> bool:
        """Whether it is time to ask again."""
        return self._due is not None and self._now() >= self._due

    def load(self) -> LoadedPolicy:
        """The policy as the directory has it, else as it had it; raises PolicyError or StoreError."""
        try:
            with self._connect(self._membership.server) as directory:
                loaded = self._ask(directory)
        except DirectoryFailed as error:
            self._wait_min = min((self._wait_min + 1) ** 2, LONGEST_BACK_OFF_MIN)
            self._due = self._now() + 60 * self._wait_min
            return self._without(error, f"the directory does not answer: {error.message}")
        except PolicyError as error:
            self._due = self._now() + ASSIGNMENT_S
            if self._last is not None:
                raise
            return self._without(error, f"what the directory has now is refused: {error.message}")
        self._wait_min, self._last, self._last_at = 0, loaded, self._clock()
        return loaded

    def _ask(self, directory: Directory) -> LoadedPolicy:
        root = root_of(directory, self._membership.domain)
        decision = decide(situation_of(directory, root, self._membership.computer, self._addresses()))
        aside = tuple(set_aside(decision))
        if decision.winner is None:
            self._due, self._read = self._now() + ASSIGNMENT_S, ("", "")
            if self._folder is not None:
                forget(self._folder)
            return LoadedPolicy(Policy(name=self._document), {}, self._document, set_aside=aside)
        dn = decision.winner.policy
        stamp = [one.text("whenChanged") for one in directory.search(dn, Scope.BASE, attributes=("whenChanged",))]
        if self._last is not None and stamp and stamp[0] and self._read == (dn, stamp[0]):
            loaded = replace(self._last, set_aside=aside, note="")
        else:
            loaded = self._whole(directory, dn)
            by = f'GPO "{decision.winner.gpo}" at {decision.winner.link.at.dn}'
            loaded = replace(loaded, document_name=f'"{loaded.policy.name}" of {by}', set_aside=aside)
            self._read = (dn, stamp[0] if stamp else "")
        ipsec = loaded.policy.ipsec
        self._due = self._now() + min(ASSIGNMENT_S, POLL_INTERVAL_S if ipsec is None else ipsec.poll_interval_s)
        return loaded

    def _whole(self, directory: Directory, dn: str) -> LoadedPolicy:
        """All objects of the policy, read until none of them changed meanwhile."""
        entries = directory.search(parent(dn), Scope.ONE)
        loaded = self._loaded(dn, entries)
        if self._folder is not None:
            catalogue = Catalogue(entries)
            own = catalogue.get(dn)
            try:
                keep(self._folder, Copy(dn, () if own is None else closure(own, catalogue), self._clock()))
            except StoreError as error:
                unkept = Finding(error.message, Place(error.place), cure=error.cure, severity=Severity.WARNING)
                return replace(loaded, findings=(*loaded.findings, unkept))
        return loaded

    def _loaded(self, dn: str, entries: Iterable[Entry]) -> LoadedPolicy:
        found = read_policy(dn, entries)
        return LoadedPolicy(found.policy, found.keys, self._document, found.findings)

    def _without(self, error: StoreError | PolicyError, why: str) -> LoadedPolicy:
        """What was had last, or what was kept; raises ``error`` where there is neither."""
        if self._last is not None:
            return replace(self._last, note=f"copy of {self._last_at}; {why}")
        try:
            copy = None if self._folder is None else kept(self._folder)
        except StoreError as untrusted:
            raise DirectoryFailed(f"{why}. {untrusted.message}", place=untrusted.place) from error
        if copy is None or not copy.policy:
            raise error
        with suppress(PolicyError):
            return replace(self._loaded(copy.policy, copy.entries), note=f"copy of {copy.at}; {why}")
        raise error

    def _clock(self) -> str:
        return f"{self._today():%Y-%m-%d %H:%M}"


def set_aside(decision: Decision) -> Iterable[SetAside]:
    """The GPOs that do not count, as what a store says and does not hold."""
    winner = Place() if decision.winner is None else Place(f'GPO "{decision.winner.gpo}"', store=DIRECTORY)
    for one in decision.passed_over:
        what = f'policy "{one.policy_name}"' if one.policy_name else f'GPO "{one.gpo}"'
        place = Place(f'GPO "{one.gpo}" at {one.link.at.dn}', store=DIRECTORY)
        yield SetAside(what, place, DIRECTORY, one.why, winner)
