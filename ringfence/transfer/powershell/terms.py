# SPDX-License-Identifier: Apache-2.0
"""The sets that a script ended up with, as named terms of a policy.

Windows has a set for each phase of authentication, and a rule names two; here a set has both. So every pair that some
rule names becomes a set, called as the first one where that is possible. The sets that are made with ``-Default`` stand
in ``[global]``.
"""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from ringfence.databases.proposal import Limits, SecurityMethod
from ringfence.policy.errors import BadWord
from ringfence.policy.methods import weak
from ringfence.policy.terms import AuthSet, MainMode, MainModeCrypto, PskFile, QuickModeCrypto, SecondAuth
from ringfence.transfer.base import KeyFiles
from ringfence.transfer.consec import MORE_KEYS, with_one_key
from ringfence.transfer.powershell.algorithms import MAIN_MODE_MINUTES, group_of, main_mode_method, quick_mode_method
from ringfence.transfer.powershell.auth import first_auth, second_auth
from ringfence.transfer.powershell.report import Report
from ringfence.transfer.powershell.session import Session
from ringfence.transfer.powershell.values import DEFAULT_NAMES, Kind, Thing, items_of, text_of

T = TypeVar("T")


class Gone(Exception):
    """What an object needs is not carried over; its text is a clause that says what."""


def check(thing: Thing) -> None:
    """Raises Gone if a line changes the object in a way that is not known."""
    if thing.doubt:
        raise Gone(f"what line {thing.doubt} makes of it is not known")


class Names:
    """Names that are given once each."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, wanted: str) -> str:
        """``wanted``, or with a number behind it if it is taken."""
        wanted = "".join(char if char.isprintable() else " " for char in wanted).strip() or "unnamed"
        name, number = wanted, 2
        while name.casefold() in self._taken:
            name, number = f"{wanted} ({number})", number + 1
        self._taken.add(name.casefold())
        return name


class Terms:
    """The sets of one session."""

    def __init__(self, session: Session, report: Report, keys: KeyFiles) -> None:
        self._session = session
        self._report = report
        self._keys = keys
        self._pairs: dict[tuple[str, str], AuthSet] = {}
        self._names = {kind: Names() for kind in DEFAULT_NAMES}
        self._cryptos: dict[str, MainModeCrypto | QuickModeCrypto] = {}
        self._broken: dict[int, str] = {}
        self._second: set[int] = set()

    @property
    def auth_sets(self) -> tuple[AuthSet, ...]:
        """Those that were asked for."""
        return tuple(self._pairs.values())

    @property
    def main_mode_cryptos(self) -> tuple[MainModeCrypto, ...]:
        """Likewise."""
        return tuple(one for one in self._cryptos.values() if isinstance(one, MainModeCrypto))

    @property
    def quick_mode_cryptos(self) -> tuple[QuickModeCrypto, ...]:
        """Likewise."""
        return tuple(one for one in self._cryptos.values() if isinstance(one, QuickModeCrypto))

    def default(self, kind: Kind) -> Thing | None:
        """The set that rules without one have, if the script makes it."""
        return next((one for one in self._session.of(kind) if one.name == DEFAULT_NAMES[kind]), None)

    def used(self, thing: Thing) -> bool:
        """Whether a set was asked for."""
        names = (*self._cryptos, *(name for pair in self._pairs for name in pair))
        return thing.name in names or thing.number in self._second

    def find(self, kind: Kind, said: str, owner: Thing) -> Thing | None:
        """The set that ``owner`` names; None for the default one. Raises Gone."""
        if said.lower() in ("", "default", "none") or said == DEFAULT_NAMES[kind]:
            return None
        sets = self._session.of(kind)
        for same_store in (True, False):
            for one in sets:
                if one.name.lower() == said.lower() and (one.store == owner.store or not same_store):
                    return one
        titled = [one for one in sets if one.title.lower() == said.lower()]
        if len(titled) == 1:
            why = "a set is known by its Name; the one of this DisplayName is meant"
            self._report.note(owner.line, f'-{_short(kind)} "{said}"', why)
            return titled[0]
        raise Gone(f'the script makes no {_short(kind)} "{said}", so what it is is not known here')

    def auth(self, first: Thing | None, second: Thing | None) -> str:
        """The name of the set of these two phases, of which the first is needed. Raises Gone."""
        if first is None:
            raise Gone("it names no first authentication")
        key = first.name, second.name if second else ""
        if key not in self._pairs:
            ways = self._each(first, lambda one: first_auth(one, self._file(first), self._say(one)))
            more = self.second(second)
            ways, more = with_one_key(ways, more, partial(self._leave_part, first))
            title = first.title if second is None or second.title == first.title else f"{first.title} + {second.title}"
            description = text_of(first.values.get("Description"))
            self._pairs[key] = AuthSet(self._names[Kind.PHASE1].take(title), ways, more, description)
        return self._pairs[key].name

    def _leave_part(self, thing: Thing, what: str, why: str) -> None:
        between = "of" if what == MORE_KEYS else "beside"
        self._report.leave(thing.line, f'{what} {between} "{thing.title}"', why)

    def main_mode_auth(self, first: Thing) -> str:
        """The name of a set whose first phase is this one; main mode knows no second. Raises Gone."""
        known = next((pair for pair in self._pairs if pair[0] == first.name), None)
        return self._pairs[known].name if known is not None else self.auth(first, None)

    def second(self, thing: Thing | None) -> tuple[SecondAuth, ...]:
        """The ways of a phase 2 set. Raises Gone."""
        if thing is None:
            return ()
        self._second.add(thing.number)
        return self._each(thing, lambda one: second_auth(one, self._say(one)))

    def _file(self, thing: Thing) -> Callable[[str], PskFile]:
        return lambda key: self._keys.file_for(key, thing.title)

    def _say(self, thing: Thing) -> Callable[[str], None]:
        return lambda why: self._report.note(thing.line, thing.kind.value, why)

    def _each(self, thing: Thing, read: Callable[[Thing], T]) -> tuple[T, ...]:
        """The proposals of a set that can be carried over. Raises Gone if none can."""
        check(thing)
        if thing.number in self._broken:
            raise Gone(self._broken[thing.number])
        found: list[T] = []
        for one in items_of(thing.values.get("Proposal")):
            if isinstance(one, Thing):
                try:
                    found.append(read(one))
                except BadWord as error:
                    self._report.leave(one.line, f'a proposal of "{thing.title}"', error.why, error.cure)
        if not found:
            self._broken[thing.number] = f'{_short(thing.kind)} "{thing.title}" has nothing that can be carried over'
            raise Gone(self._broken[thing.number])
        return tuple(dict.fromkeys(found))

    def main_mode(self, thing: Thing) -> str:
        """The name of a set of main mode settings. Raises Gone."""
        if thing.name not in self._cryptos:
            minutes = int(text_of(thing.values.get("MaxMinutes")) or 0) or MAIN_MODE_MINUTES
            limits = Limits(minutes * 60)
            methods = self._each(thing, lambda one: main_mode_method(one, limits))
            sessions = int(text_of(thing.values.get("MaxSessions")) or 0)
            force = bool(thing.values.get("ForceDiffieHellman"))
            mode = MainMode(methods, minutes * 60, sessions, force_dh=force)
            name = self._names[thing.kind].take(thing.title)
            description = text_of(thing.values.get("Description"))
            self._cryptos[thing.name] = MainModeCrypto(name, mode, bool(weak(methods)), description)
        return self._cryptos[thing.name].name

    def quick_mode(self, thing: Thing) -> str:
        """The name of a set of quick mode settings. Raises Gone."""
        if thing.name not in self._cryptos:
            methods = self._each(thing, quick_mode_method)
            limits = {one.limits for one in methods}
            lifetime = methods[0].limits if len(limits) == 1 else None
            if lifetime is not None:
                methods = tuple(SecurityMethod(one.transforms, Limits(), one.encapsulate) for one in methods)
            word = text_of(thing.values.get("PerfectForwardSecrecyGroup", "None"))
            pfs = word == "SameAsMainMode"
            try:
                group = group_of(word) if word not in ("None", "SameAsMainMode") else None
            except BadWord as error:
                self._broken[thing.number] = why = f'QuickModeCryptoSet "{thing.title}": {error.why}'
                raise Gone(why) from error
            legacy = bool(weak([*methods, group]))
            name = self._names[thing.kind].take(thing.title)
            description = text_of(thing.values.get("Description"))
            crypto = QuickModeCrypto(name, methods, lifetime, group or pfs, legacy, description)
            self._cryptos[thing.name] = crypto
        return self._cryptos[thing.name].name


def _short(kind: Kind) -> str:
    return kind.value.removeprefix("NetIPsec")
