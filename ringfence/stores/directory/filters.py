# SPDX-License-Identifier: Apache-2.0
"""Filters as stored policies have them, in both forms, and the way back ([MS-GPIPSEC] §2.2.1.5.1).

The first form has IPv4 only: an address and its mask, where 0.0.0.0 with no mask is any address and with a whole one
this computer; the second has ranges and IPv6. A range is also stored as the networks that it consists of, for old
readers; the flag ``RANGES`` says so, and a filter of the first form that such a range covers is left out in reading.
In writing, what the first form can say is said by it, so that every Windows reads it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from ringfence.net.address import ANY_PORT, IPV4_OCTETS, AddressRange, PortRange
from ringfence.net.flow import TCP, UDP
from ringfence.policy.addresses import families
from ringfence.policy.errors import BadWord
from ringfence.policy.model import Address, HostName, Keyword
from ringfence.policy.traffic import WITH_PORTS, Traffic
from ringfence.policy.windows import IpFilter
from ringfence.stores.directory.blobs import FilterBlob
from ringfence.stores.directory.records import (
    AddressBlock,
    FiltersV1,
    FiltersV2,
    FilterV1,
    FilterV2,
    PortBlock,
    text_octets,
    text_of,
)

SPECIAL: Mapping[int, Keyword] = {
    1: Keyword.DNS_SERVERS, 2: Keyword.WINS_SERVERS, 3: Keyword.DHCP_SERVERS, 4: Keyword.DEFAULT_GATEWAY,
}  # fmt: skip
DESTINATION = 0x80
"""Added to a special number that is about the destination."""
WORDS: Mapping[int, Keyword] = {
    0: Keyword.ANY, 8: Keyword.ME, 0x10: Keyword.DNS_SERVERS, 0x20: Keyword.WINS_SERVERS, 0x40: Keyword.DHCP_SERVERS,
    0x80: Keyword.DEFAULT_GATEWAY,
}  # fmt: skip
SPECIAL_CODES: Mapping[Address, int] = {word: code for code, word in SPECIAL.items()}
SINGLE, RANGE, SUBNET = 1, 2, 4
V4, V6, BOTH = 1, 2, 3
RANGES = 8
"""The flag of a filter whose addresses the first form has, too, as networks."""
NO_MASK, WHOLE_MASK = bytes(4), b"\xff" * 4
BITS_V4, BITS_V6 = 32, 128


def filters_of(blob: FilterBlob) -> Iterator[IpFilter]:
    """What a list means; raises BadWord where one of its filters says nothing that is known."""
    ranges = [_filter_v2(one, number) for number, one in _flagged(blob)]
    for number, old in enumerate(blob.old.filters, 1):
        found = _filter_v1(old, number)
        if not any(_covers(one, found) for one in ranges):
            yield found
    for number, new in enumerate(() if blob.new is None else blob.new.filters, 1):
        yield _filter_v2(new, number)


def _flagged(blob: FilterBlob) -> Iterator[tuple[int, FilterV2]]:
    for number, one in enumerate(() if blob.new is None else blob.new.filters, 1):
        if one.flags & RANGES:
            yield number, one


def _covers(wide: IpFilter, narrow: IpFilter) -> bool:
    same = wide.traffic == narrow.traffic and wide.mirrored == narrow.mirrored
    return same and _within(wide.source, narrow.source) and _within(wide.destination, narrow.destination)


def _within(wide: Address, narrow: Address) -> bool:
    if isinstance(wide, AddressRange) and isinstance(narrow, AddressRange):
        return wide.covers(narrow)
    return wide == narrow


def _filter_v1(one: FilterV1, number: int) -> IpFilter:
    what = f"filter {number}"
    special = SPECIAL.get(one.special & ~DESTINATION)
    if special is None and one.special:
        raise BadWord(f"{what}, whose special address {one.special:#x} is unknown")
    at_destination = bool(one.special & DESTINATION)
    source = _masked(one.source, one.source_mask, what)
    destination = _masked(one.destination, one.destination_mask, what)
    if special is not None:
        source, destination = (source, special) if at_destination else (special, destination)
    ports = _port(one.source_port), _port(one.destination_port)
    return _filter(source, destination, _traffic(one.protocol, *ports, what), one, what)


def _masked(address: bytes, mask: bytes, what: str) -> Address:
    if address == NO_MASK and mask in (NO_MASK, WHOLE_MASK):
        return Keyword.ANY if mask == NO_MASK else Keyword.ME
    return _network(address, _bits(mask, what))


def _bits(mask: bytes, what: str) -> int:
    free = int.from_bytes(mask) ^ 0xFFFFFFFF
    if free & (free + 1):
        raise BadWord(f"{what}, whose mask {'.'.join(map(str, mask))} is none of a network")
    return BITS_V4 - free.bit_length()


def _network(address: bytes, bits: int) -> AddressRange:
    free = (1 << (8 * len(address) - bits)) - 1
    first = int.from_bytes(address) & ~free
    return AddressRange(first.to_bytes(len(address)), (first | free).to_bytes(len(address)))


def _port(number: int) -> PortRange:
    return PortRange.one(number) if number else ANY_PORT


def _traffic(protocol: int, source: PortRange, destination: PortRange, what: str) -> Traffic:
    ports = not (source.is_any and destination.is_any)
    if protocol > 0xFF:
        raise BadWord(f"{what}, whose protocol {protocol} is none")
    if ports and protocol not in WITH_PORTS:
        raise BadWord(f"{what}, which has ports, but protocol {protocol} has none")
    return Traffic(protocol or None, source, destination)


def _filter(
    source: Address, destination: Address, traffic: Traffic, one: FilterV1 | FilterV2, what: str
) -> IpFilter:  # fmt: skip
    if source is Keyword.ME and destination is Keyword.ME:
        raise BadWord(f"{what}, which is about what this computer sends to itself")
    if not families((source,)) & families((destination,)):
        raise BadWord(f"{what}, which has IPv4 at one end and IPv6 at the other")
    try:
        description = text_of(one.description)
    except ValueError as error:
        raise BadWord(f"{what}, whose description is no text") from error
    return IpFilter(source, destination, traffic, bool(one.mirrored), description)


def _filter_v2(one: FilterV2, number: int) -> IpFilter:
    what = f"filter {number} of the second part"
    source, destination = _address(one.source, what), _address(one.destination, what)
    ports = _ports(one.source_ports, what), _ports(one.destination_ports, what)
    return _filter(source, destination, _traffic(one.protocol, *ports, what), one, what)


def _address(block: AddressBlock, what: str) -> Address:
    if block.kind in WORDS:
        # Words that stand for addresses of one family only are no words of the model; any address of it is a range.
        if block.kind == 0 and block.version in (V4, V6):
            return AddressRange.everything(IPV4_OCTETS if block.version == V4 else 16)
        return WORDS[block.kind]
    if block.version not in (V4, V6):
        raise BadWord(f"{what}, whose address is of version {block.version}, neither IPv4 (1) nor IPv6 (2)")
    size = IPV4_OCTETS if block.version == V4 else 16
    first, last = block.first[:size], block.last[:size]
    match block.kind:
        case 1:
            return AddressRange.host(first)
        case 2:
            if first > last:
                raise BadWord(f"{what}, whose range ends before it begins")
            return AddressRange(first, last)
        case 4:
            bits = _bits(last, what) if block.version == V4 else last[0]
            if bits > 8 * size:
                raise BadWord(f"{what}, whose prefix has {bits} bits")
            return _network(first, bits)
    raise BadWord(f"{what}, whose kind of address {block.kind:#x} is unknown")


def _ports(block: PortBlock, what: str) -> PortRange:
    match block.kind:
        case 0:
            return ANY_PORT
        case 1:
            return _port(block.first)
        case 2:
            if block.first > block.last:
                raise BadWord(f"{what}, whose range of ports ends before it begins")
            return PortRange(block.first, block.last)
    raise BadWord(f"{what}, whose kind of ports {block.kind} is unknown")


def blob_of(filters: Iterable[tuple[IpFilter, bytes]], before: FilterBlob | None = None) -> FilterBlob:
    """A list as it is stored, each filter with its GUID; those that stood there ``before`` keep their octets.

    Raises BadWord where a directory's policy cannot say it.
    """
    known = {} if before is None else dict(_known(before))
    old, new = list[FilterV1](), list[FilterV2]()
    for one, guid in filters:
        for part in one_by_one(one):
            kept = known.get(part)
            made = _stored(part, guid) if kept is None else kept
            if isinstance(made, FilterV1):
                old.append(made)
            else:
                new.append(made)
    return FilterBlob(FiltersV1(tuple(old)), FiltersV2(0, tuple(new)) if new else None, after=b"" if new else b"\0")


def _known(blob: FilterBlob) -> Iterator[tuple[IpFilter, FilterV1 | FilterV2]]:
    for number, old in enumerate(blob.old.filters, 1):
        yield _filter_v1(old, number), old
    for number, new in enumerate(() if blob.new is None else blob.new.filters, 1):
        yield _filter_v2(new, number), replace(new, flags=new.flags & ~RANGES)


def one_by_one(item: IpFilter) -> Iterator[IpFilter]:
    """A filter, or where its port may be at either end, one for each end."""
    if not item.traffic.either:
        yield item
        return
    traffic = replace(item.traffic, either=False)
    yield replace(item, traffic=traffic)
    yield replace(item, traffic=Traffic(traffic.protocol, traffic.receiver_ports, traffic.sender_ports))


def _stored(item: IpFilter, guid: bytes) -> FilterV1 | FilterV2:
    _check(item)
    texts = text_octets(""), text_octets(""), text_octets(item.description)
    protocol, sender, receiver = item.traffic.protocol or 0, item.traffic.sender_ports, item.traffic.receiver_ports
    source, destination, special = _mask(item.source), _mask(item.destination), _special(item)
    if source is None or destination is None or special is None or not (_simple(sender) and _simple(receiver)):
        ends = _block(item.source), _block(item.destination)
        return FilterV2(
            *texts, guid, int(item.mirrored), *ends, _port_block(sender), _port_block(receiver), protocol, 0
        )  # fmt: skip
    return FilterV1(
        *texts, guid, int(item.mirrored), *source, *destination, bytes(4), protocol,
        sender.first, receiver.first, 0, special, 0,
    )  # fmt: skip


def _simple(ports: PortRange) -> bool:
    return ports.is_any or ports.first == ports.last


def _special(item: IpFilter) -> int | None:
    """The special number; None where both ends would have one."""
    source, destination = SPECIAL_CODES.get(item.source), SPECIAL_CODES.get(item.destination)
    if source is not None and destination is not None:
        return None
    return source or (destination | DESTINATION if destination is not None else 0)


def _check(item: IpFilter) -> None:
    """Raise BadWord for what a filter of a directory cannot say."""
    for end in (item.source, item.destination):
        if isinstance(end, HostName):
            raise BadWord("whose DNS name Windows would look up when the filter is written, and never again")
        if end is Keyword.LOCAL_SUBNET:
            raise BadWord("whose local-subnet a directory's policy has no word for")
    traffic = item.traffic
    if traffic.protocol == 0:
        raise BadWord("whose protocol 0 stands for any protocol there")
    if traffic.protocol not in (TCP, UDP) and not (traffic.sender_ports.is_any and traffic.receiver_ports.is_any):
        raise BadWord("which has ports or types of another protocol than tcp and udp")
    if any(one.first == one.last == 0 for one in (traffic.sender_ports, traffic.receiver_ports)):
        raise BadWord("whose port 0 stands for any port there")


def _mask(end: Address) -> tuple[bytes, bytes] | None:
    """Address and mask of the first form; None where it has none for it."""
    if isinstance(end, Keyword):
        # A reader that did not know a special number would take its end for this computer, not for any.
        return NO_MASK, NO_MASK if end is Keyword.ANY else WHOLE_MASK
    if not isinstance(end, AddressRange) or end.version != 4 or end.size & (end.size - 1):
        return None
    first = int.from_bytes(end.first)
    if first & (end.size - 1) or not first:
        return None
    return end.first, (0xFFFFFFFF & ~(end.size - 1)).to_bytes(4)


def _block(end: Address) -> AddressBlock:
    if isinstance(end, Keyword):
        return AddressBlock(next(code for code, word in WORDS.items() if word is end), BOTH, bytes(16), bytes(16))
    if not isinstance(end, AddressRange):
        raise BadWord("whose DNS name Windows would look up when the filter is written, and never again")
    version = V4 if end.version == 4 else V6
    first = end.first.ljust(16, b"\0")
    if end.is_host:
        return AddressBlock(SINGLE, version, first, bytes(16))
    if end.size & (end.size - 1) or int.from_bytes(end.first) & (end.size - 1):
        return AddressBlock(RANGE, version, first, end.last.ljust(16, b"\0"))
    bits = 8 * len(end.first) - (end.size - 1).bit_length()
    mask = (0xFFFFFFFF & ~(end.size - 1)).to_bytes(4) if version == V4 else bytes([bits])
    return AddressBlock(SUBNET, version, first, mask.ljust(16, b"\0"))


def _port_block(ports: PortRange) -> PortBlock:
    if ports.is_any:
        return PortBlock(0, 0, 0)
    return PortBlock(1, ports.first, 0) if ports.first == ports.last else PortBlock(2, ports.first, ports.last)
