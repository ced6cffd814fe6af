# SPDX-License-Identifier: Apache-2.0
"""Names for what a directory tells apart by GUIDs: people and documents tell it apart by names."""

from collections.abc import Iterable

from ringfence.policy.terms import PskFile
from ringfence.secret import Secret


class Names:
    """Names of one kind of thing, each once: the object's own, else with its GUID."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = dict.fromkeys(taken, "")

    def of(self, wanted: str, guid: str) -> str:
        """The name of what has this GUID."""
        name = wanted
        while self._taken.setdefault(name, guid) != guid:
            name = f"{name} {guid}"
        return name


class Keys:
    """Preshared keys under file names of their own."""

    def __init__(self) -> None:
        self.secrets: dict[str, Secret] = {}
        self._names: dict[str, str] = {}

    def file(self, key_text: str, rule: str) -> PskFile:
        """The way to authenticate by a key; ``rule`` is where it is first met."""
        if key_text not in self._names:
            number, stem = len(self._names) + 1, "".join(c if c.isalnum() else "-" for c in rule.lower()).strip("-")
            name = f"directory/{number}-{stem[:40]}.psk"
            self._names[key_text] = name
            self.secrets[name] = Secret(key_text.encode())
        return PskFile(self._names[key_text])
