# SPDX-License-Identifier: Apache-2.0
"""The headers around protected packets (RFC 4301 §5.1.2): tunnel headers made and unmade, transport mode's fitted.

A tunnel's outer header takes DSCP, ECN and DF from the inner one as ``TunnelOptions`` say; TTL and addresses are its
own. An IPv6 packet that its sender could not make smaller leaves without DF. On the way in only ECN comes back (RFC
6040). The inner TTL is the business of who forwards: packets reach us from the host's own stack and go back to it, and
that counts the hop that a gateway is.
"""

from collections.abc import Callable, Sequence
from struct import Struct

from ringfence.databases.sa import DfPolicy, Sa
from ringfence.datapath.verdict import Drop
from ringfence.net.ip import IPIP, IPV4_OCTETS, IPV6_IN_IP, IPV6_OCTETS, MOST_OCTETS, traffic_class, with_traffic_class

LEAST_IPV6_MTU = 1280
"""What every IPv6 link carries (RFC 8200 §5)."""

NOT_ECT, ECT_1, ECT_0, CE = range(4)

DECAPSULATED: tuple[tuple[int | None, ...], ...] = (
    #  outer: Not-ECT, ECT(1), ECT(0), CE
    (NOT_ECT, NOT_ECT, NOT_ECT, None),  # inner: Not-ECT
    (ECT_1, ECT_1, ECT_1, CE),
    (ECT_0, ECT_1, ECT_0, CE),
    (CE, CE, CE, CE),
)
"""ECN of the packet that goes on, by its own and the outer header's; None: drop (RFC 6040 figure 4)."""

_V4_PACK = Struct("!HHHHBBH8s").pack
_V4_UNPACK = Struct("!HHHHBBH8s").unpack_from
_V6_PACK = Struct("!IHBB32s").pack

VERSION_OF = {IPIP: 4, IPV6_IN_IP: 6}
DF = 0x4000
MOST_HEADERS_KEPT = 4096
_FAMILY_SHIFT = 32
_OF_IPV6 = 1 << _FAMILY_SHIFT


def outer_tos(sa: Sa) -> bytes:
    """TOS or traffic class of the outer header, by the inner one's."""
    options = sa.tunnel
    return bytes(
        (inner & 0xFC if options.copy_dscp else options.dscp << 2) | (inner & 3 if options.ecn else NOT_ECT)
        for inner in range(256)
    )


class OuterHeader:
    """Makes the outer headers of one tunnel SA.

    Of packets that must not be fragmented (RFC 6864: their identification means nothing) headers repeat, so these
    are kept.
    """

    def __init__(self, sa: Sa, identification: Callable[[], int]) -> None:
        self._protocol = sa.protocol.value
        self._identification = identification
        self._tos = outer_tos(sa)
        df = sa.tunnel.df
        self._sets_df = (df is DfPolicy.SET, df is not DfPolicy.CLEAR, False, df is not DfPolicy.CLEAR)
        """For an IPv4 packet inside without and with DF, an IPv6 one that must and that need not be small enough."""
        self._ttl = sa.tunnel.ttl
        self._addresses = sa.source + sa.destination
        self._v4 = len(sa.source) == 4
        self.octets = IPV4_OCTETS if self._v4 else IPV6_OCTETS
        self._most = MOST_OCTETS - self.octets if self._v4 else MOST_OCTETS
        self._sum = int.from_bytes(self._addresses) + 0x4500 + (self._ttl << 8) + self._protocol
        self._kept: dict[int, bytes] = {}
        """By what they depend on: octets behind them, and TOS and DF (or likewise) of the inner packet."""

    def put_many(self, inners: Sequence[bytes], payloads: Sequence[bytes | Drop]) -> list[bytes | Drop]:
        """``put`` of each, in order; what is no payload stays as it is."""
        kept, put = self._kept.get, self.put
        return [
            (
                header + payload
                if inner[0] < 0x60 and (header := kept(len(payload) << 9 | inner[1] << 1 | inner[6] >> 6 & 1))
                else put(inner, payload)
            )
            if type(payload) is bytes
            else payload
            for inner, payload in zip(inners, payloads, strict=True)
        ]

    def put(self, inner: bytes, payload: bytes) -> bytes | Drop:
        """``payload``, which protects the packet ``inner``, behind its outer header."""
        octets = len(payload)
        if inner[0] < 0x60:
            tos, bound = inner[1], inner[6] >> 6 & 1
            key = octets << 9 | tos << 1 | bound
        else:
            tos, bound = (inner[0] & 15) << 4 | inner[1] >> 4, int(len(inner) > LEAST_IPV6_MTU)
            key = _OF_IPV6 | octets << 9 | tos << 1 | bound
        header = self._kept.get(key)
        if header is None:
            df = self._sets_df[key >> _FAMILY_SHIFT << 1 | bound]
            header = self._header(octets, self._tos[tos], df, key)
        return header + payload if header else Drop.TOO_BIG

    def _header(self, octets: int, tos: int, df: bool, key: int) -> bytes:
        """An outer header before ``octets``; empty when there can be none."""
        if octets > self._most:
            return b""
        if self._v4 and not df:
            return self._header_v4(octets, tos, 0, self._identification() & 0xFFFF)
        if len(self._kept) >= MOST_HEADERS_KEPT:
            self._kept.clear()
        if self._v4:
            header = self._header_v4(octets, tos, DF, 0)
        else:
            header = _V6_PACK(6 << 28 | tos << 20, octets, self._protocol, self._ttl, self._addresses)
        self._kept[key] = header
        return header

    def _header_v4(self, octets: int, tos: int, flags: int, identification: int) -> bytes:
        whole = octets + IPV4_OCTETS
        checksum = -(self._sum + tos + whole + flags + identification) % 0xFFFF
        return _V4_PACK(
            0x4500 | tos, whole, identification, flags, self._ttl, self._protocol, checksum, self._addresses
        )  # fmt: skip


def refit_v4(packet: bytes, protocol: int, payload: bytes) -> bytes:
    """``payload`` behind the plain IPv4 header of ``packet``, which then announces it; the checksum goes along."""
    first, whole, identification, flags, ttl, before, checksum, addresses = _V4_UNPACK(packet)
    octets = IPV4_OCTETS + len(payload)
    checksum = (checksum + whole + before - octets - protocol) % 0xFFFF
    return _V4_PACK(first, octets, identification, flags, ttl, protocol, checksum, addresses) + payload


def refit_v6(packet: bytes, protocol: int, payload: bytes) -> bytes:
    """Likewise for IPv6 without extension headers."""
    return b"".join((packet[:4], len(payload).to_bytes(2), bytes((protocol,)), packet[7:IPV6_OCTETS], payload))


def inner_packet(next_header: int, payload: bytes) -> bytes | Drop:
    """The packet that a tunnel carried, without TFC padding behind it (RFC 4303 §2.7)."""
    version = VERSION_OF.get(next_header)
    if version is None:
        return Drop.BAD_NEXT_HEADER
    if not payload or payload[0] >> 4 != version:
        return Drop.MALFORMED
    if version == 4:
        octets, least = int.from_bytes(payload[2:4]), IPV4_OCTETS
    else:
        octets, least = IPV6_OCTETS + int.from_bytes(payload[4:6]), IPV6_OCTETS
    if not least <= octets <= len(payload):
        return Drop.MALFORMED
    return payload[:octets]


def decapsulate(outer_ecn: int, inner: bytes) -> bytes | Drop:
    """``inner`` with the congestion that routers noted in the outer header (RFC 6040 §4.2)."""
    tos = traffic_class(inner)
    ecn = DECAPSULATED[tos & 3][outer_ecn]
    if ecn is None:
        return Drop.BAD_ECN
    return inner if ecn == tos & 3 else with_traffic_class(inner, tos & 0xFC | ecn)
