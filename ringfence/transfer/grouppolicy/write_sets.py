# SPDX-License-Identifier: Apache-2.0
"""Terms of a policy as sets of a Group Policy object, each made once.

Ids are made of what a set is called, so that the same policy gives the same file. A default set stands under an id of
its own, and the parent key says which; rules name the reserved id ([MS-GPFAS] §2.2.4, §2.2.5). A way or a method that
Windows does not have is left out of its set, and named; a set that has none left cannot be written, nor what needs it.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar
from uuid import UUID, uuid5

from ringfence.crypto.suites import DhGroup
from ringfence.databases.proposal import SecurityMethod
from ringfence.place import Place
from ringfence.policy.errors import BadWord
from ringfence.policy.terms import Auth, MainMode, SecondAuth
from ringfence.transfer.base import key_of_file
from ringfence.transfer.grouppolicy import sets
from ringfence.transfer.grouppolicy.grammar import write
from ringfence.transfer.grouppolicy.preg import Instruction, sz
from ringfence.transfer.grouppolicy.sets import BASE, SHAPES, SetKind
from ringfence.transfer.grouppolicy.tokens import V2_10
from ringfence.transfer.grouppolicy.write_suites import (
    Fields,
    first_fields,
    main_mode_fields,
    pfs_field,
    quick_mode_fields,
    second_fields,
)
from ringfence.transfer.powershell.writing import Left

T = TypeVar("T")
OURS = UUID("6d0f3f0a-7c53-5d0e-9a3d-2f6a4b1c8e57")
"""The name space of ids that are made of names."""
GROUP = "Ringfence"
MOST_MINUTES = 2879


def made_id(kind: str, name: str) -> str:
    """The id of something that is called so."""
    return f"{{{str(uuid5(OURS, f'{kind}:{name}')).upper()}}}"


def plain(text: str) -> str:
    """A description as it may stand in a rule."""
    return text.replace("|", "/")


class Sets:
    """The sets of one object."""

    def __init__(self, keys: Mapping[str, str], left: Left) -> None:
        self.instructions: list[Instruction] = []
        self._keys = keys
        self._left = left
        self._made: dict[tuple[SetKind, str, object, bool], str] = {}
        self._ids: set[str] = set()

    def first(
        self, title: str, ways: tuple[Auth, ...], place: Place, description: str = "", *, default: bool = False
    ) -> str:
        """The id of the phase 1 set of these ways. Raises BadWord."""
        return self._set(SetKind.AUTH1, title, (ways, description), [], description, default,
                         lambda: self._each(title, ways, place, lambda one: first_fields(one, self._key)))  # fmt: skip

    def second(self, title: str, ways: tuple[SecondAuth, ...], place: Place, *, default: bool = False) -> str:
        """Likewise of phase 2."""
        return self._set(SetKind.AUTH2, title, ways, [], "", default,
                         lambda: self._each(title, ways, place, second_fields))  # fmt: skip

    def main_mode(
        self, title: str, mode: MainMode, place: Place, description: str = "", *, default: bool = False
    ) -> str:
        """The id of the set of main mode settings. Raises BadWord."""
        minutes, rest = divmod(mode.lifetime_s, 60)
        if rest or not 0 < minutes <= MOST_MINUTES:
            raise BadWord("its main mode lives for a time that Windows does not take", cure="Say 1 to 2879 min.")
        for said, what in ((mode.aggressive, "aggressive mode"), (mode.xauth, "XAUTH")):
            if said:
                raise BadWord(f"it speaks {what}, which Windows does not", cure="Use AuthIP or IKEv2 there.")
        about = [sets.MAIN_MINUTES.say(minutes), sets.SESSIONS.say(1 if mode.pfs else mode.sessions)]
        about += [sets.FORCE_DH.say(True)] if mode.force_dh else []
        return self._set(SetKind.CRYPTO1, title, (mode, description), about, description, default,
                         lambda: self._each(title, mode.methods, place, main_mode_fields))  # fmt: skip

    def quick_mode(
        self, title: str, methods: tuple[SecurityMethod, ...], pfs: DhGroup | bool, place: Place,
        description: str = "", *, default: bool = False,
    ) -> str:  # fmt: skip
        """The id of the set of quick mode settings; each method has its lifetime. Raises BadWord."""
        return self._set(SetKind.CRYPTO2, title, (methods, pfs, description), [pfs_field(pfs)], description, default,
                         lambda: self._each(title, methods, place, quick_mode_fields))  # fmt: skip

    def has(self, kind: SetKind, title: str) -> bool:
        """Whether there is a set that is called so."""
        return any(key[:2] == (kind, title) for key in self._made)

    def _set(
        self, kind: SetKind, title: str, key: object, about: Fields, description: str, default: bool,
        suites: Callable[[], list[Fields]],
    ) -> str:  # fmt: skip
        known = self._made.get((kind, title, key, default))
        if known is not None:
            return known
        found = suites()
        if not found:
            raise BadWord(f'of "{title}" nothing is left that Windows has')
        shape, set_id = SHAPES[kind], self._fresh(kind, f"default {title}" if default else title)
        if default:
            self.instructions.append(sz(f"{BASE}\\{shape.keys[0]}", shape.default, set_id))
        version = max([V2_10, *(write(V2_10, shape.suite, one).version for one in found)])
        head = [sets.SET_VERSION.say(version), sets.SET_NAME.say(title), sets.SET_GROUP.say(GROUP), *about]
        head += [sets.SET_DESCRIPTION.say(description)] if description else []
        self._say(f"{shape.keys[0]}\\{set_id}", head)
        for number, one in enumerate(found):
            self._say(f"{shape.keys[0]}\\{set_id}\\{number:04}", one)
        self._made[kind, title, key, default] = shape.default if default else set_id
        return self._made[kind, title, key, default]

    def _fresh(self, kind: SetKind, title: str) -> str:
        found, number = made_id(kind.value, title), 2
        while found in self._ids:
            found, number = made_id(kind.value, f"{title} ({number})"), number + 1
        self._ids.add(found)
        return found

    def _say(self, key: str, fields: Fields) -> None:
        self.instructions += [sz(f"{BASE}\\{key}", name, value) for name, value in fields]

    def _each(
        self, title: str, items: Iterable[T], place: Place, fields: Callable[[T], Fields]
    ) -> list[Fields]:  # fmt: skip
        found: list[Fields] = []
        for one in items:
            try:
                found.append(fields(one))
            except BadWord as error:
                self._left.out(place, f'"{title}": {one}', error.why, error.cure)
        return found

    def _key(self, file: str) -> str:
        text = self._keys.get(file)
        if text is None:
            raise BadWord("its key is not at hand", cure="Export a document that has its key files beside it.")
        key = key_of_file(text)
        if not key:
            raise BadWord("its octets are no text, and Windows takes a text only")
        return key
