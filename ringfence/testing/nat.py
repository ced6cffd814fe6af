# SPDX-License-Identifier: Apache-2.0
"""A NAT in memory: hosts behind it share one address, each of their ports is another one outside (RFC 2663 §4.1.2)."""

from collections.abc import Iterable

from ringfence.net.address import Endpoint, Path, parse_address

FIRST_PORT = 20_000


class MemoryNat:
    """Between its inside and the rest of a ``MemoryNetwork``."""

    def __init__(self, public: str, inside: Iterable[str], *, forward_to: str | None = None) -> None:
        """``forward_to`` is an inside host that ports 500 and 4500 of ``public`` lead to."""
        self._public = parse_address(public)
        self._inside = {parse_address(each) for each in inside}
        self._out: dict[Endpoint, int] = {}
        self._in: dict[int, Endpoint] = {}
        self._next = FIRST_PORT
        if forward_to is not None:
            for port in (500, 4500):
                self._map(Endpoint(parse_address(forward_to), port), port)

    def _map(self, inner: Endpoint, port: int) -> None:
        self._out[inner], self._in[port] = port, inner

    def forget(self) -> None:
        """Lose all mappings, as one that was restarted; new ones have other ports."""
        self._out.clear()
        self._in.clear()

    def outward(self, path: Path) -> Path:
        """The sender's path of a datagram, as the outside has it."""
        if path.local.address not in self._inside or path.remote.address in self._inside:
            return path
        if path.local not in self._out:
            self._map(path.local, self._next)
            self._next += 1
        return Path(Endpoint(self._public, self._out[path.local]), path.remote)

    def inward(self, path: Path) -> Path | None:
        """The sender's path of a datagram, as the inside has it; None where no mapping leads inside."""
        if path.remote.address != self._public:
            return path
        inner = self._in.get(path.remote.port)
        return None if inner is None else Path(path.local, inner)
