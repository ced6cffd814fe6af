# SPDX-License-Identifier: Apache-2.0
"""The sets of Group Policy objects as named terms of a policy.

Windows has a set for each phase of authentication, and a rule names two; here a set has both. So every pair that some
rule names becomes a set, called as the first one where that is possible. The sets under the reserved ids are those of
rules that name none: they stand in ``[global]``.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import NoReturn, TypeVar

from ringfence.databases.proposal import Limits, SecurityMethod
from ringfence.place import Place
from ringfence.policy.errors import BadWord
from ringfence.policy.methods import weak
from ringfence.policy.terms import (
    MAIN_MODE_LIFETIME_S,
    AuthSet,
    MainMode,
    MainModeCrypto,
    PskFile,
    QuickModeCrypto,
    SecondAuth,
)
from ringfence.transfer.base import KeyFiles
from ringfence.transfer.consec import with_one_key
from ringfence.transfer.grouppolicy import sets
from ringfence.transfer.grouppolicy.grammar import Said
from ringfence.transfer.grouppolicy.ours import is_ours
from ringfence.transfer.grouppolicy.report import Report
from ringfence.transfer.grouppolicy.sets import SetKind, SetSaid, is_default
from ringfence.transfer.grouppolicy.suites import (
    first_auth,
    is_for_others,
    main_mode_method,
    pfs_of,
    quick_mode_method,
    second_auth,
)

T = TypeVar("T")
MOST_MAIN_MINUTES = 2880
MOST_NAME = 90
"""Characters; a document takes 100."""


class Gone(Exception):
    """What a rule needs is not carried over; its text is a clause that says what."""


class Names:
    """Names that are given once each."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, wanted: str) -> str:
        """``wanted``, or with a number behind it if it is taken; no longer than a document takes it."""
        wanted = "".join(char if char.isprintable() else " " for char in wanted).strip()[:MOST_NAME] or "unnamed"
        name, number = wanted, 2
        while name.casefold() in self._taken:
            name, number = f"{wanted} ({number})", number + 1
        self._taken.add(name.casefold())
        return name


class Terms:
    """The sets of one registry."""

    def __init__(self, found: Iterable[SetSaid], report: Report, keys: KeyFiles) -> None:
        said = list(found)
        self.ours = {one.kind for one in said if is_ours(one)}
        """The kinds whose default set says what Ringfence does anyway."""
        self._sets = {(one.kind, one.id.lower()): one for one in said if not is_ours(one)}
        self._report = report
        self._keys = keys
        self._pairs: dict[tuple[str, str], AuthSet] = {}
        self._seconds: dict[str, tuple[SecondAuth, ...]] = {}
        self._main: dict[str, MainModeCrypto] = {}
        self._quick: dict[str, QuickModeCrypto] = {}
        self._names = {kind: Names() for kind in SetKind}
        self._broken: dict[str, str] = {}

    @property
    def auth_sets(self) -> tuple[AuthSet, ...]:
        """Those that were asked for."""
        return tuple(self._pairs.values())

    @property
    def main_mode_cryptos(self) -> tuple[MainModeCrypto, ...]:
        """Likewise."""
        return tuple(self._main.values())

    @property
    def quick_mode_cryptos(self) -> tuple[QuickModeCrypto, ...]:
        """Likewise."""
        return tuple(self._quick.values())

    def default(self, kind: SetKind) -> SetSaid | None:
        """The set of rules that name none, if there is one."""
        return self._sets.get((kind, sets.SHAPES[kind].default.lower()))

    def find(self, kind: SetKind, set_id: str) -> SetSaid | None:
        """The set of that id; None for the default one where there is none. Raises Gone."""
        found = self._sets.get((kind, set_id.lower()))
        if found is None and not is_default(kind, set_id):
            raise Gone(f"there is no {kind.value} {set_id}")
        return found

    def auth(self, first: SetSaid, second: SetSaid | None) -> str:
        """The name of the set of these two phases. Raises Gone."""
        key = first.id, second.id if second else ""
        if key not in self._pairs:
            ways = self._each(first, lambda one: first_auth(one, self._file(first), self._say(first)))
            more = self.second(second)
            ways, more = with_one_key(ways, more, partial(self._leave_part, first))
            title = first.title if second is None or second.title == first.title else f"{first.title} + {second.title}"
            name = self._names[SetKind.AUTH1].take(title)
            self._pairs[key] = AuthSet(name, ways, more, _described(first), self._place(first))
        return self._pairs[key].name

    def main_mode_auth(self, first: SetSaid) -> str:
        """The name of a set whose first phase is this one; main mode knows no second. Raises Gone."""
        known = next((pair for pair in self._pairs if pair[0] == first.id), None)
        return self._pairs[known].name if known is not None else self.auth(first, None)

    def second(self, found: SetSaid | None) -> tuple[SecondAuth, ...]:
        """The ways of a phase 2 set. Raises Gone."""
        if found is None:
            return ()
        if found.id not in self._seconds:
            self._seconds[found.id] = self._each(found, lambda one: second_auth(one, self._say(found)))
        return self._seconds[found.id]

    def main_mode(self, found: SetSaid) -> str:
        """The name of a set of main mode settings. Raises Gone."""
        if found.id not in self._main:
            minutes = found.head.one(sets.MAIN_MINUTES) or MAIN_MODE_LIFETIME_S // 60
            if minutes > MOST_MAIN_MINUTES:
                self._fail(found, f"main mode lives for {minutes} minutes, and Windows takes {MOST_MAIN_MINUTES - 1}")
            limits = Limits(minutes * 60)
            methods = self._each(found, lambda one: main_mode_method(one, limits))
            force, sessions = found.head.true(sets.FORCE_DH), found.head.one(sets.SESSIONS) or 0
            mode = MainMode(methods, minutes * 60, sessions, force_dh=force)
            name = self._names[found.kind].take(found.title)
            legacy = bool(weak(methods))
            self._main[found.id] = MainModeCrypto(name, mode, legacy, _described(found), self._place(found))
        return self._main[found.id].name

    def quick_mode(self, found: SetSaid) -> str:
        """The name of a set of quick mode settings. Raises Gone."""
        if found.id not in self._quick:
            methods = self._each(found, quick_mode_method)
            limits = {one.limits for one in methods}
            lifetime = methods[0].limits if len(limits) == 1 else None
            if lifetime is not None:
                methods = tuple(SecurityMethod(one.transforms, Limits(), one.encapsulate) for one in methods)
            try:
                pfs = pfs_of(found.head)
            except BadWord as error:
                self._fail(found, error.why)
            legacy = bool(weak([*methods, None if isinstance(pfs, bool) else pfs]))
            name = self._names[found.kind].take(found.title)
            described, place = _described(found), self._place(found)
            self._quick[found.id] = QuickModeCrypto(name, methods, lifetime, pfs, legacy, described, place)
        return self._quick[found.id].name

    def unused(self) -> None:
        """Sets that nobody asked for are kept, too."""
        for one in self._sets.values():
            try:
                self._keep(one)
            except Gone as error:
                self.leave(one, error)

    def leave(self, one: SetSaid, error: Gone) -> None:
        """Tells that a set is not carried over."""
        why = self._broken.get(one.key, str(error))
        self._report.leave(self._report.place(one.origin, one.key), f'{one.kind.value} "{one.title}"', why)

    def _keep(self, one: SetSaid) -> None:
        match one.kind:
            case SetKind.AUTH1:
                self.main_mode_auth(one)
            case SetKind.CRYPTO1:
                self.main_mode(one)
            case SetKind.CRYPTO2:
                self.quick_mode(one)
            case SetKind.AUTH2 if one.id not in self._seconds:
                self._note(one, f'{one.kind.value} "{one.title}"', "no rule names it")

    # -- what sets share

    def _each(self, found: SetSaid, read: Callable[[Said], T]) -> tuple[T, ...]:
        """The suites of a set that can be carried over. Raises Gone if none can."""
        if found.key in self._broken:
            self._fail(found, self._broken[found.key])
        items: list[T] = []
        for key, why in found.broken:
            self._report.leave(self._report.place(found.origin, key), f'a suite of "{found.title}"', why)
        for key, suite in found.suites:
            place, words = self._report.place(found.origin, key), f'a suite of "{found.title}"'
            if is_for_others(suite):
                self._report.note(place, words, "it is for later versions of Windows only")
                continue
            try:
                items.append(read(suite))
            except BadWord as error:
                self._report.leave(place, words, error.why, error.cure)
        if not items:
            self._fail(found, "nothing of it can be carried over")
        return tuple(dict.fromkeys(items))

    def _fail(self, found: SetSaid, why: str) -> NoReturn:
        self._broken[found.key] = why
        raise Gone(f'{found.kind.value} "{found.title}": {why}')

    def _file(self, found: SetSaid) -> Callable[[str], PskFile]:
        return lambda key: self._keys.file_for(key, found.title)

    def _say(self, found: SetSaid) -> Callable[[str], None]:
        return lambda why: self._note(found, f'{found.kind.value} "{found.title}"', why)

    def _note(self, found: SetSaid, words: str, why: str) -> None:
        self._report.note(self._report.place(found.origin, found.key), words, why)

    def _leave_part(self, found: SetSaid, what: str, why: str) -> None:
        self._report.leave(self._report.place(found.origin, found.key), f'{what} of "{found.title}"', why)

    def _place(self, found: SetSaid) -> Place:
        return Place(self._report.place(found.origin))


def _described(found: SetSaid) -> str:
    return found.head.one(sets.SET_DESCRIPTION) or ""
