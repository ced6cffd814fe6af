# SPDX-License-Identifier: Apache-2.0
"""What this host wants negotiated: one wish per protection between two hosts, however many packets ask for it."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from ringfence.databases.sa import Mode, Share
from ringfence.databases.selector import Selector
from ringfence.databases.spd import Processing, SpdEntry
from ringfence.ike.errors import Reason, Refused
from ringfence.ike.info import IKE_PORT
from ringfence.net.address import Endpoint, Path, PortRange
from ringfence.net.flow import FlowKey

PATIENT_REPEATS = 2
"""After so many repetitions something is wrong with our quick mode."""

Order = tuple[int, int]
"""When a negotiation began, among all that compete."""

Key = tuple[bytes, bytes, Selector]
"""Local and remote address of the IKE path, and the traffic: what two contracts compete for."""


@dataclass(slots=True, eq=False)
class Anew:
    """Both sides prove again who they are: an IKE SA, and the one that has all its contracts made anew under it."""

    old: int
    heir: int
    wishes: list["Wish"] = field(default_factory=list)
    """One for each of the contracts."""


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
    postponed: int = 0
    """How often the peer has said that it cannot negotiate it now."""
    more: tuple[Share, ...] = ()
    """What may go by the same contract (IKEv2)."""
    alone: bool = False
    """The peer takes one pair of selectors at a time."""
    was_unread: bool = False
    """The peer has made nothing of a quick mode of ours for it."""
    anew: Anew | None = None
    """It is to be made under the new IKE SA of that, and no other."""

    @property
    def key(self) -> Key:
        """What it competes for."""
        return key_of(self.path, self.selector)

    @property
    def is_between_hosts(self) -> bool:
        """Whether it is for transport mode."""
        return self.entry.processing is not None and self.entry.processing.mode is Mode.TRANSPORT

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


def path_for(processing: Processing, flow: FlowKey) -> Path:
    """Between which addresses to negotiate; raises Refused for a tunnel without a far end."""
    if processing.mode is Mode.TRANSPORT:
        local, remote = flow.source, flow.destination
    elif processing.tunnel_remote is None:
        raise Refused(Reason.NO_POLICY, "the tunnel has no remote end to negotiate with")
    else:
        local, remote = processing.tunnel_local or flow.source, processing.tunnel_remote
    return Path(Endpoint(local, IKE_PORT), Endpoint(remote, IKE_PORT))


def sayable(entry: SpdEntry, processing: Processing, flow: FlowKey) -> Selector:
    """What to negotiate for a packet: the entry's traffic, as far as one IKEv1 selector can say it."""
    selector = entry.selector
    if processing.mode is Mode.TRANSPORT:
        selector = selector.narrowed_to_hosts(flow)
    return replace(
        selector,
        source_ports=_one_port(selector.source_ports, flow.source_port),
        destination_ports=_one_port(selector.destination_ports, flow.destination_port),
    )


def _one_port(ports: PortRange, port: int | None) -> PortRange:
    if ports.is_any or ports.first == ports.last:
        return ports
    if port is None:
        raise Refused(Reason.WRONG_SELECTORS, "a range of ports is negotiated port by port, and this packet shows none")
    return PortRange.one(port)
