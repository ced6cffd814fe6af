# SPDX-License-Identifier: Apache-2.0
"""The way out of one contract: its SAs, prepared, applied to runs of IP packets from the innermost to the outermost.

Every step takes whole IP packets and gives whole IP packets, so steps stack as a contract has them: AH over ESP on one
packet, AH over the header that an ESP tunnel made, a tunnel around a tunnel. Only ESP in UDP ends without an IP header,
for the host's UDP socket makes that one.
"""

from collections.abc import Callable, Iterator, Sequence
from copy import copy
from typing import Protocol as Interface

from ringfence.databases.proposal import Protocol
from ringfence.databases.sa import Mode, Sa
from ringfence.datapath.ah import AhSeal
from ringfence.datapath.esp import EspSeal
from ringfence.datapath.immutable import find_front
from ringfence.datapath.mode import OuterHeader, refit_v4, refit_v6
from ringfence.datapath.sequence import SequenceCounter
from ringfence.datapath.verdict import Drop
from ringfence.net.ip import (
    EXTENSIONS,
    IPIP,
    IPV4_OCTETS,
    IPV6_IN_IP,
    IPV6_OCTETS,
    MOST_OCTETS,
    build,
    build_v4,
    fitted,
    fix_header_checksum,
)

Sealed = list[bytes | Drop]

ESP_NUMBER = Protocol.ESP.value


NO_NEXT_HEADER = 59
"""Of a dummy packet (RFC 4303 §2.6)."""


class Step(Interface):
    """One SA at work."""

    def seal_many(self, packets: Sequence[bytes]) -> Sealed:
        """Each packet protected, or why not, in order."""
        ...


class EspTunnel:
    """ESP around a packet, and an outer header around that."""

    def __init__(self, sa: Sa, seal: EspSeal, identification: Callable[[], int]) -> None:
        self._seal = seal
        self._outer = None if sa.encapsulation else OuterHeader(sa, identification)

    def seal_many(self, packets: Sequence[bytes]) -> Sealed:
        """Each packet in a tunnel."""
        sealed = self._seal.seal_many([(IPIP if packet[0] < 0x60 else IPV6_IN_IP, packet) for packet in packets])
        return sealed if self._outer is None else self._outer.put_many(packets, sealed)

    def dummies(self, count: int, octets: int) -> Sealed:
        """Packets that carry nothing."""
        sealed = self._seal.seal_many([(NO_NEXT_HEADER, bytes(octets))] * count)
        template = build_v4(bytes(4), bytes(4), NO_NEXT_HEADER, octets, dont_fragment=True)
        return sealed if self._outer is None else self._outer.put_many([template] * count, sealed)


class EspTransport:
    """ESP between a packet's headers and its payload."""

    def __init__(self, sa: Sa, seal: EspSeal) -> None:
        self._seal = seal
        self._sa = sa
        self._bare = sa.encapsulation is not None

    def seal_many(self, packets: Sequence[bytes]) -> Sealed:
        """Each packet with ESP in its place; a fragment has no place for it."""
        plain = [
            (packet[9], packet[IPV4_OCTETS:])
            for packet in packets
            if packet[0] == 0x45 and not (packet[6] & 0x3F or packet[7])
        ]
        if len(plain) == len(packets) and not self._bare:
            return [*map(_refit, packets, self._seal.seal_many(plain))]
        cuts = [_cut(packet) for packet in packets]
        items = [cut for cut in cuts if type(cut) is tuple]
        sealed = self._seal.seal_many(items)
        if len(items) < len(cuts):
            sealed = [*_in_place(cuts, iter(sealed))]
        if self._bare:
            return sealed
        return [
            _rejoin(packet, payload) if type(payload) is bytes else payload
            for packet, payload in zip(packets, sealed, strict=True)
        ]  # fmt: skip

    def dummies(self, count: int, octets: int) -> Sealed:
        """Packets that carry nothing."""
        sealed = self._seal.seal_many([(NO_NEXT_HEADER, bytes(octets))] * count)
        template, bare = build(self._sa.source, self._sa.destination, NO_NEXT_HEADER, b""), self._bare
        return [one if bare or isinstance(one, Drop) else _rejoin(template, one) for one in sealed]


def _in_place(cuts: Sequence[tuple[int, bytes] | Drop], sealed: Iterator[bytes | Drop]) -> Iterator[bytes | Drop]:
    for cut in cuts:
        yield next(sealed) if type(cut) is tuple else cut  # type: ignore[misc]


def _cut(packet: bytes) -> tuple[int, bytes] | Drop:
    """What ESP protects in transport mode, and its protocol number."""
    if packet[0] == 0x45:
        return Drop.FRAGMENT if packet[6] & 0x3F or packet[7] else (packet[9], packet[IPV4_OCTETS:])
    if packet[0] >= 0x60 and packet[6] not in EXTENSIONS:
        return packet[6], packet[IPV6_OCTETS:]
    front = find_front(packet, with_ah=False)
    return front if isinstance(front, Drop) else (packet[front.next_at], packet[front.end : front.whole])


def _refit(packet: bytes, payload: bytes | Drop) -> bytes | Drop:
    """A plain IPv4 packet with ``payload`` of ESP in place of its own."""
    if not isinstance(payload, bytes):
        return payload
    return Drop.TOO_BIG if len(payload) > MOST_OCTETS - IPV4_OCTETS else refit_v4(packet, ESP_NUMBER, payload)


def _rejoin(packet: bytes, payload: bytes) -> bytes | Drop:
    """The packet with ``payload`` of ESP in place of what ``_cut`` took."""
    if packet[0] == 0x45:
        return _refit(packet, payload)
    if packet[0] >= 0x60 and packet[6] not in EXTENSIONS:
        return Drop.TOO_BIG if len(payload) > MOST_OCTETS else refit_v6(packet, ESP_NUMBER, payload)
    front = find_front(packet, with_ah=False)
    if isinstance(front, Drop):
        return front
    octets = front.end + len(payload)
    if octets - (IPV6_OCTETS if packet[0] >= 0x60 else 0) > MOST_OCTETS:
        return Drop.TOO_BIG
    return fitted(packet[: front.end], front.next_at, ESP_NUMBER, octets) + payload


def _numbered(packet: bytes, identification: Callable[[], int]) -> bytes:
    """``packet`` with an identification: AH protects it, so neither we nor the kernel may fill it in afterwards."""
    if packet[0] >= 0x60 or packet[4] or packet[5]:
        return packet
    return fix_header_checksum(packet[:4] + (identification() & 0xFFFF).to_bytes(2) + packet[6:])


class AhTransport:
    """AH in a packet."""

    def __init__(self, seal: AhSeal, identification: Callable[[], int]) -> None:
        self._seal = seal
        self._identification = identification

    def seal_many(self, packets: Sequence[bytes]) -> Sealed:
        """Each packet with AH in its place."""
        return self._seal.seal_many([_numbered(packet, self._identification) for packet in packets])


class AhTunnel:
    """An outer header around a packet, and AH in it."""

    def __init__(self, sa: Sa, seal: AhSeal, identification: Callable[[], int]) -> None:
        self._seal = seal
        self._identification = identification
        self._outer = OuterHeader(sa, identification)
        self._next_at = 9 if len(sa.source) == 4 else 6

    def seal_many(self, packets: Sequence[bytes]) -> Sealed:
        """Each packet in a tunnel."""
        return [self._one(packet) for packet in packets]

    def _one(self, packet: bytes) -> bytes | Drop:
        wrapped = self._outer.put(packet, packet)
        if isinstance(wrapped, Drop):
            return wrapped
        number = IPIP if packet[0] < 0x60 else IPV6_IN_IP
        wrapped = wrapped[: self._next_at] + bytes((number,)) + wrapped[self._next_at + 1 :]
        return self._seal.seal(_numbered(wrapped, self._identification))


class Outlet:
    """All SAs of a contract's outbound side."""

    def __init__(self, sas: Sequence[Sa], random: Callable[[int], bytes], identification: Callable[[], int]) -> None:
        """Prepare ``sas``, innermost first; raises what ``EspSeal`` and ``AhSeal`` raise, and ValueError."""
        self._identification = identification
        self._seals = [AhSeal(sa, random) if sa.protocol is Protocol.AH else EspSeal(sa, random) for sa in sas]
        self.counters: list[SequenceCounter] = [seal.sequence for seal in self._seals]
        self._steps = self._around(sas)

    def moved(self, sas: Sequence[Sa]) -> "Outlet":
        """The same SAs between other addresses, or in UDP or not; sequence numbers go on, so that none comes twice."""
        other = copy(self)
        other._steps = other._around(sas)  # noqa: SLF001 - of the same kind
        return other

    def _around(self, sas: Sequence[Sa]) -> list[Step]:
        if any(sa.encapsulation and (sa.protocol is Protocol.AH or sa is not sas[-1]) for sa in sas):
            raise ValueError("only the outermost SA can be in UDP, and it must be ESP")
        return [_step(sa, seal, self._identification) for sa, seal in zip(sas, self._seals, strict=True)]

    def seal_many(self, packets: Sequence[bytes]) -> Sealed:
        """Each packet protected by all SAs, or why not, in order."""
        return self._onward(self._steps[0].seal_many(packets))

    def dummies(self, count: int, octets: int) -> Sealed:
        """Packets that carry nothing and that the peer drops; none where the innermost SA is AH."""
        first = self._steps[0]
        return self._onward(first.dummies(count, octets)) if isinstance(first, EspTunnel | EspTransport) else []

    def _onward(self, results: Sealed) -> Sealed:
        for step in self._steps[1:]:
            good = [result for result in results if type(result) is bytes]
            done = iter(step.seal_many(good))
            results = [next(done) if type(result) is bytes else result for result in results]
        return results


def _step(sa: Sa, seal: AhSeal | EspSeal, identification: Callable[[], int]) -> Step:
    tunnel = sa.mode is Mode.TUNNEL
    if isinstance(seal, AhSeal):
        return AhTunnel(sa, seal, identification) if tunnel else AhTransport(seal, identification)
    return EspTunnel(sa, seal, identification) if tunnel else EspTransport(sa, seal)
