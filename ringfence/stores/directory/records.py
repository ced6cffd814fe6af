# SPDX-License-Identifier: Apache-2.0
"""The records inside ``ipsecData``, octet for octet ([MS-GPIPSEC] §2.2.1).

Numbers are little-endian, addresses in network order, texts UTF-16 with a NUL, and nothing is aligned. Octets without a
known meaning are fields as well: real objects have left-over memory there, and what is written back has to be what was
read. Algorithm numbers are 32 bits wide with sizes behind them, as stored policies have it, where the specification
describes 64 bits.
"""

from typing import Annotated
from uuid import UUID

from ringfence.wire import U8, U16, U32, Counted, Fixed, Times, Wire, little

Octets4 = Annotated[bytes, Fixed(4)]
Octets8 = Annotated[bytes, Fixed(8)]
Octets16 = Annotated[bytes, Fixed(16)]
Text = Annotated[bytes, Counted(U32)]
"""The length counts octets, the NUL among them; an empty text has two octets or none."""


@little
class Frame(Wire):
    """What every record begins with."""

    kind: Octets16
    length: U32


@little
class PolicyRecord(Wire):
    """Of ``ipsecPolicy`` (§2.2.1.1.1)."""

    poll_interval_s: U32
    """0 for the default."""


@little
class KeyExchange(Wire):
    """One security method of main mode, 64 octets (§2.2.1.2.1)."""

    version: Octets4
    encryption: U32
    encryption_sizes: Octets8
    hash: U32
    hash_sizes: Octets8
    zero: Octets8
    overriding: U8
    """1 to 4 stand for a whole method with 2048 bits; all else is nothing."""
    gap: Annotated[bytes, Fixed(7)]
    group: U32
    quick_modes: U32
    lifetime_kb: U32
    lifetime_s: U32
    pfs: U32
    """Only 1 means yes: real objects have anything here."""


@little
class IsakmpRecord(Wire):
    """Of ``ipsecISAKMPPolicy`` (§2.2.1.2.1)."""

    instance: Octets16
    """Not the object's GUID, whatever the specification says."""
    zero: Octets4
    master_pfs: U32
    options: U32
    new_dh: Octets4
    """Codes of methods with 2048 bits, which come before all others."""
    quick_modes: U32
    """Per main mode; 0 for no limit."""
    lifetime_s: U32
    reserved: Annotated[bytes, Fixed(20)]
    methods: Annotated[tuple[KeyExchange, ...], Times(U32)]


@little
class Slot(Wire):
    """One algorithm of an offer (§2.2.1.4.1)."""

    algorithm: U32
    integrity: U32
    protocol: U32
    """1 AH, 2 ESP."""
    sizes: Octets8


@little
class Offer(Wire):
    """One security method of quick mode, 80 octets (§2.2.1.4.1)."""

    lifetime_s: U32
    lifetime_kb: U32
    options: U32
    pfs: U32
    count: U32
    """How many slots mean something; with none the offer is the mark for fallback to clear."""
    slots: Annotated[tuple[Slot, ...], Times(3)]


@little
class NegotiationRecord(Wire):
    """Of ``ipsecNegotiationPolicy`` (§2.2.1.4.1)."""

    offers: Annotated[tuple[Offer, ...], Times(U32)]


@little
class AuthMethod(Wire):
    """One way to authenticate (§2.2.1.3.1)."""

    kind: U32
    data: Text


@little
class NfaRecord(Wire):
    """Of ``ipsecNFA`` (§2.2.1.3.1), without its optional parts."""

    auth: Annotated[tuple[AuthMethod, ...], Times(U32)]
    interface: U32
    interface_name: Text
    tunnel: Octets4
    is_tunnel: U32
    is_active: U32
    tunnel_name: Text


@little
class AlternateAuth(Wire):
    """The ways to authenticate once more, as Windows Vista added them."""

    auth: Annotated[tuple[AuthMethod, ...], Times(U32)]


@little
class TunnelV6(Wire):
    """The end of a tunnel over IPv6; it counts in the place of the record's own."""

    address: Octets16


@little
class FilterV1(Wire):
    """One filter of IPv4 (§2.2.1.5.1)."""

    source_name: Text
    destination_name: Text
    description: Text
    guid: Octets16
    mirrored: U32
    source: Octets4
    source_mask: Octets4
    destination: Octets4
    destination_mask: Octets4
    tunnel: Octets4
    protocol: U32
    source_port: U16
    destination_port: U16
    is_tunnel: U8
    special: U8
    options: U16


@little
class FiltersV1(Wire):
    """Of ``ipsecFilter`` (§2.2.1.5.1), the part that every Windows reads."""

    filters: Annotated[tuple[FilterV1, ...], Times(U32)]


@little
class AddressBlock(Wire):
    """One end of a filter of the second form."""

    kind: U32
    version: U32
    first: Octets16
    last: Octets16
    """The end of a range, or the mask or prefix length of a subnet."""


@little
class PortBlock(Wire):
    """The ports at one end of a filter of the second form."""

    kind: U32
    first: U16
    last: U16


@little
class FilterV2(Wire):
    """One filter of IPv4 or IPv6, with ranges (§2.2.1.5.1)."""

    source_name: Text
    destination_name: Text
    description: Text
    guid: Octets16
    mirrored: U32
    source: AddressBlock
    destination: AddressBlock
    source_ports: PortBlock
    destination_ports: PortBlock
    protocol: U32
    flags: U32


@little
class FiltersV2(Wire):
    """Of ``ipsecFilter`` (§2.2.1.5.1), the part that Windows Vista added."""

    count_v1: U32
    """How many filters the first part has; 0: as that part says."""
    filters: Annotated[tuple[FilterV2, ...], Times(U32)]


def guid_text(octets: bytes) -> str:
    """``{72385230-70FA-11D1-864C-14A300000000}`` of 16 octets as Windows keeps them."""
    return f"{{{UUID(bytes_le=octets)}}}".upper()


def guid_octets(text: str) -> bytes:
    """The 16 octets of a GUID, with or without braces; raises ValueError."""
    return UUID(text.strip().strip("{}")).bytes_le


def text_of(data: bytes) -> str:
    """The text up to its NUL; raises ValueError where it is no UTF-16."""
    return data.decode("utf-16-le").partition("\0")[0]


def text_octets(text: str) -> bytes:
    """A text with its NUL."""
    return f"{text}\0".encode("utf-16-le")
