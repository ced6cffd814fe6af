# SPDX-License-Identifier: Apache-2.0
"""DNS names, looked up by this computer's resolver.

A name that was known keeps its addresses while nobody answers. Lookups may take long: each has a thread of its own,
which nobody waits for longer than a start may take.
"""

import socket
import threading
from collections.abc import Callable, Iterable, Mapping

Addresses = tuple[bytes, ...]
PATIENCE_S = 3.0
"""How long a start or a reload waits for new names."""


def look_up(name: str) -> Addresses:
    """The addresses of a name by this computer's resolver, sorted; raises OSError."""
    families = {socket.AF_INET, socket.AF_INET6}
    found = {
        socket.inet_pton(family, str(address[0]).partition("%")[0])
        for family, _, _, _, address in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
        if family in families
    }
    return tuple(sorted(found))


class NameBook:
    """What is known of names."""

    def __init__(self, ask: Callable[[str], Addresses] = look_up) -> None:
        self._ask = ask
        self._known: dict[str, Addresses] = {}

    def known(self, names: Iterable[str]) -> Mapping[str, Addresses]:
        """Those of ``names`` that are known, without asking anybody."""
        return {name: self._known[name] for name in names if name in self._known}

    def find(self, names: Iterable[str], patience_s: float = PATIENCE_S) -> Mapping[str, Addresses]:
        """The same, but new names are asked for first; waits."""
        wanted = tuple(names)
        self.refresh([name for name in wanted if name not in self._known], patience_s)
        return self.known(wanted)

    def refresh(self, names: Iterable[str], patience_s: float = PATIENCE_S) -> bool:
        """Ask for all ``names``; whether any stands for something else than before. Waits."""
        before = dict(self._known)
        threads = [threading.Thread(target=self._learn, args=(name,), daemon=True) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(patience_s / len(threads))
        return self._known != before

    def _learn(self, name: str) -> None:
        try:
            found = self._ask(name)
        except (OSError, UnicodeError):
            return
        if found:
            self._known[name] = found
