# SPDX-License-Identifier: Apache-2.0
"""The store ``group-policy``: what the Group Policy objects that count for this computer say, taken together.

Which objects those are, and in which order, is for whoever gives them: a folder, or what is linked to the computer's
account. They are applied to one registry, so the rules of all of them come together, and of two of one id that of the
object with higher precedence holds; the other is set aside with the object's name. Every rule keeps its object as its
place. An object that cannot be read fails the whole store, so that what it had last stays in force; a rule that is
wrong is named, and the others hold.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol, TypeVar

from ringfence.place import Place
from ringfence.policy.errors import Finding, PolicyError, Severity
from ringfence.policy.model import Filter, MainModeRule, Policy, Rule
from ringfence.policy.resultant import SetAside
from ringfence.policy.terms import AuthSet, MainModeCrypto, PskFile, QuickModeCrypto
from ringfence.secret import Secret
from ringfence.stores.base import LoadedPolicy
from ringfence.stores.errors import StoreError
from ringfence.stores.file import NO_KEY
from ringfence.stores.files import Stamp, stamp
from ringfence.stores.grouppolicy.objects import ObjectFile, objects_in
from ringfence.transfer.base import Imported, ImportFailed, LeftOut, key_of_file
from ringfence.transfer.grouppolicy import preg
from ringfence.transfer.grouppolicy.importing import Source, read_registry
from ringfence.transfer.grouppolicy.registry import Overridden, Registry
from ringfence.transfer.grouppolicy.rules import title_of
from ringfence.transfer.grouppolicy.sets import BASE
from ringfence.wire import DecodeError

KEYS = "registry.pol:"
"""What the names of keys begin with that are in no file."""
RULES = {"consecrules": "rule", "mainmoderules": "main mode rule", "firewallrules": "rule of the firewall"}
P = TypeVar("P", Rule, Filter, MainModeRule, AuthSet, MainModeCrypto, QuickModeCrypto)


class Objects(Protocol):
    """Where Group Policy objects come from."""

    @property
    def name(self) -> str:
        """What people call it."""

    def read(self) -> Sequence[Source]:
        """Those that count, the one with the lowest precedence first; raises StoreError. May wait."""

    def changed(self) -> bool:
        """Whether ``read`` would give something else than last time, as far as can be told at once."""


class Folder:
    """Objects in a folder, or the file of one."""

    def __init__(self, path: Path, name: str = "") -> None:
        self._path = path
        self.name = name or str(path)
        self._seen: dict[Path, Stamp] | None = None

    def read(self) -> Sequence[Source]:
        """Those that are there now; raises StoreError."""
        self._seen = self._stamps()
        return [one.read() for one in objects_in(self._path)]

    def changed(self) -> bool:
        """Whether one came, went, or is another than when they were read."""
        return self._seen is None or self._seen != self._stamps()

    def _stamps(self) -> dict[Path, Stamp]:
        try:
            found: list[ObjectFile] = objects_in(self._path)
        except StoreError:
            return {}
        return {one.path: stamp(one.path) for one in found}


class GroupPolicyStore:
    """What Group Policy objects say, as one policy."""

    def __init__(self, objects: Objects, *, store: str = "", keyless: bool = False) -> None:
        """``store`` is told where there are several; ``keyless``: for questions that no key answers."""
        self._objects = objects
        self._store = store
        self._keyless = keyless

    def load(self) -> LoadedPolicy:
        """The policy as the objects are now; raises PolicyError or StoreError."""
        registry = Registry()
        for source in self._objects.read():
            try:
                registry.apply(preg.decode(source.octets), source.name)
            except DecodeError as error:
                raise StoreError(f"registry.pol cannot be read: {error}", place=source.name) from error
        try:
            found = read_registry(registry, self._objects.name)
        except ImportFailed as error:
            raise PolicyError(replace(one, place=self._place(one.place)) for one in error.findings) from error
        policy = self._placed(found.policy)
        keys = dict(self._keys(found))
        return LoadedPolicy(
            policy,
            keys,
            self._objects.name,
            tuple(map(self._finding, found.left_out)),
            set_aside=tuple(self._set_aside(registry)),
        )

    def changed(self) -> bool:
        """Whether the objects are others than at the last load."""
        return self._objects.changed()

    def _keys(self, found: Imported) -> Iterator[tuple[str, Secret]]:
        for file, text in found.secrets.items():
            key = key_of_file(text)
            if key is not None:
                yield f"{KEYS}{file}", NO_KEY if self._keyless else Secret(key.encode())

    def _finding(self, left: LeftOut) -> Finding:
        place = Place(left.place, store=self._store)
        return Finding(f"{left.words}: {left.why}.", place, left.words, cure=left.cure, severity=Severity.WARNING)

    def _place(self, place: Place) -> Place:
        return replace(place, store=self._store)

    def _set_aside(self, registry: Registry) -> Iterator[SetAside]:
        """What one object says and another with higher precedence says otherwise."""
        base = f"{BASE}\\".lower()
        for lost in registry.overridden:
            if lost.entry.origin != lost.by.origin and lost.entry.path.lower().startswith(base):
                why = f'the Group Policy object "{lost.by.origin}" has precedence'
                loser, winner = (Place(one.origin, store=self._store) for one in (lost.entry, lost.by))
                yield SetAside(_what(lost, len(base)), loser, self._store, why, winner)

    def _placed(self, policy: Policy) -> Policy:
        """With places that name the store, and keys that are in no file of another store."""
        settings = policy.settings
        places = {name: self._place(place) for name, place in settings.places.items()}
        return replace(
            policy,
            name=self._objects.name,
            rules=self._all(policy.rules),
            filters=self._all(policy.filters),
            main_modes=self._all(policy.main_modes),
            auth_sets=tuple(map(_keyed, self._all(policy.auth_sets))),
            main_mode_cryptos=self._all(policy.main_mode_cryptos),
            quick_mode_cryptos=self._all(policy.quick_mode_cryptos),
            settings=replace(settings, places=places, place=self._place(settings.place)),
        )

    def _all(self, items: tuple[P, ...]) -> tuple[P, ...]:
        return tuple(replace(one, place=self._place(one.place)) for one in items)


def _what(lost: Overridden, base: int) -> str:
    key = lost.entry.instruction.key[base:]
    kind = RULES.get(key.lower())
    return f"{kind} {title_of(lost.entry)}" if kind is not None else lost.entry.path[base:]


def _keyed(found: AuthSet) -> AuthSet:
    first = tuple(PskFile(f"{KEYS}{one.file}") if isinstance(one, PskFile) else one for one in found.first)
    return replace(found, first=first)


def open_folder(path: Path, *, store: str = "", keyless: bool = False) -> GroupPolicyStore:
    """The store of the objects in a folder."""
    return GroupPolicyStore(Folder(path, str(path.absolute())), store=store, keyless=keyless)
