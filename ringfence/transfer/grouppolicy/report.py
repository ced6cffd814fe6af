# SPDX-License-Identifier: Apache-2.0
"""What is said about Group Policy objects while they are read: what is left out, what is carried over otherwise."""

from ringfence.transfer.base import KeyFiles, LeftOut, shown


class Report:
    """Collects what is said; never a key."""

    def __init__(self, file: str, keys: KeyFiles) -> None:
        self.file = file
        """What a place is called whose Group Policy object has no name."""
        self._keys = keys
        self._left: list[LeftOut] = []
        self._notes: list[LeftOut] = []

    def leave(self, place: str, words: str, why: str, cure: str = "") -> None:
        """Something is not carried over."""
        self._left.append(LeftOut(place, shown(words), shown(why, 400), cure))

    def note(self, place: str, words: str, why: str, cure: str = "") -> None:
        """Something is carried over otherwise, or there is nothing in it to carry."""
        self._notes.append(LeftOut(place, shown(words), shown(why, 400), cure))

    def place(self, origin: str, key: str = "") -> str:
        """An object and a key below that of the firewall's policies."""
        return shown(f"{origin or self.file}:{key}" if key else origin or self.file, 200)

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """All that is left out, each once."""
        return self._told(self._left)

    @property
    def notes(self) -> tuple[LeftOut, ...]:
        """All notes, each once."""
        return self._told(self._notes)

    def _told(self, items: list[LeftOut]) -> tuple[LeftOut, ...]:
        hide = self._keys.hide
        return tuple(LeftOut(hide(one.place), hide(one.words), hide(one.why), one.cure) for one in dict.fromkeys(items))
