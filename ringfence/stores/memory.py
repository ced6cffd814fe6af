# SPDX-License-Identifier: Apache-2.0
"""A store without files, for tests and programs that write their policy themselves."""

from collections.abc import Mapping

from ringfence.policy.document import parse
from ringfence.secret import Secret
from ringfence.stores.base import LoadedPolicy


class MemoryStore:
    """Holds a document and its keys; ``put`` is an administrator who edits."""

    def __init__(self, text: str = "", keys: Mapping[str, bytes] | None = None, *, name: str = "memory") -> None:
        self._name = name
        self._text, self._keys = text, dict(keys or {})
        self._loaded: tuple[str, dict[str, bytes]] | None = None

    def put(self, text: str, keys: Mapping[str, bytes] | None = None) -> None:
        """Replace the document, and the keys if any are given."""
        self._text = text
        if keys is not None:
            self._keys = dict(keys)

    def load(self) -> LoadedPolicy:
        """The policy as it is now; raises PolicyError."""
        self._loaded = (self._text, dict(self._keys))
        keys = {name: Secret(octets) for name, octets in self._keys.items()}
        return LoadedPolicy(parse(self._text, name=self._name), keys, self._name)

    def changed(self) -> bool:
        """Whether something was put since the last load."""
        return self._loaded != (self._text, self._keys)
