# SPDX-License-Identifier: Apache-2.0
"""What this host wants negotiated: one wish per protection between two hosts, however many packets ask for it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from ringfence.databases.selector import Selector
from ringfence.databases.spd import SpdEntry
from ringfence.net.address import Path
from ringfence.net.flow import FlowKey

PATIENT_REPEATS = 2
"""After so many repetitions something is wrong with our quick mode."""

Order = tuple[int, int]
"""When a negotiation began, among all that compete."""

Key = tuple[bytes, bytes, Selector]
"""Local and remote address of the IKE path, and the traffic: what two contracts compete for."""


@dataclass(slots=True, eq=False)
class Wish:
    """Something to be negotiated."""

    entry: SpdEntry
    selector: Selector
    """From this host outward, such as IKEv1 can say it."""
    path: Path
    replaces: int | None = None
    """The contract to renew."""
    flows: list[FlowKey] = field(default_factory=list)
    """Those that wait for it."""
    nonce: bytes = b""
    """Of our quick mode under way; decides which of two that cross goes on."""
    order: Order = (0, 0)
    """When that began; the newest contract wins."""
    may_insist: bool = True
    """Whether the peer decides by the nonces as well."""
    repeats: int = 0
    """How often we have repeated ourselves in it."""
    ike_id: int | None = None
    """The IKE SA that it waits for, or that its quick mode runs under."""
    waits_for: int | None = None
    """The contract that the peer is negotiating for the same."""
    peer_was_silent: bool = False
    """It has been tried under an IKE SA that nobody seems to have any more."""
    version: int = 0
    """Of IKE that is tried for it; 0 for the first that the policy names."""
    postponed: int = 0
    """How often the peer has said that it cannot negotiate it now."""
    was_unread: bool = False
    """The peer has made nothing of a quick mode of ours for it."""

    @property
    def key(self) -> Key:
        """What it competes for."""
        return key_of(self.path, self.selector)

    @property
    def insists(self) -> bool:
        """Whether our quick mode, once it wins, goes on alone. One that is not heard lets the peer's go on as well: the
        peer may have no IKE SA where ours runs. So does one whose peer would let both go on.
        """
        return bool(self.nonce) and self.may_insist and self.repeats < PATIENT_REPEATS

    def add(self, flow: FlowKey, most: int) -> None:
        """One more flow waits."""
        if flow not in self.flows and len(self.flows) < most:
            self.flows.append(flow)


def key_of(path: Path, selector: Selector) -> Key:
    """What contracts over ``path`` for ``selector`` compete for."""
    return path.local.address, path.remote.address, selector


class Wishes:
    """Those not yet fulfilled."""

    def __init__(self) -> None:
        self._by_key: dict[Key, Wish] = {}

    def add(self, wish: Wish) -> None:
        """A new wish; there is none for the same."""
        self._by_key[wish.key] = wish

    def get(self, key: Key) -> Wish | None:
        """The wish for this."""
        return self._by_key.get(key)

    def remove(self, wish: Wish) -> None:
        """It is fulfilled, or given up."""
        if self._by_key.get(wish.key) is wish:
            del self._by_key[wish.key]

    def __contains__(self, wish: Wish) -> bool:
        return self._by_key.get(wish.key) is wish

    def __iter__(self) -> Iterator[Wish]:
        return iter(tuple(self._by_key.values()))

    def __len__(self) -> int:
        return len(self._by_key)
