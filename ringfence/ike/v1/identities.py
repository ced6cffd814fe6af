# SPDX-License-Identifier: Apache-2.0
"""ID payloads: who somebody is in main mode, and whose traffic a quick mode is about (RFC 2407 §4.6.2)."""

from ringfence.databases.identity import Identity
from ringfence.databases.selector import Selector
from ringfence.ike.errors import Aborted, Reason, Refused
from ringfence.ike.identities import claimed
from ringfence.ike.v1.payloads import IdPayload, IdType
from ringfence.net.address import ANY_PORT, IPV4_OCTETS, IPV6_OCTETS, AddressRange, PortRange, format_address
from ringfence.net.flow import UDP

MAIN_PLACES = {(0, 0), (UDP, 500), (UDP, 4500), (UDP, 0)}
"""Protocol and port in main mode; the last is what some peers send."""


def main_id(identity: Identity) -> IdPayload:
    """The ID payload of main mode."""
    return IdPayload(IdType(identity.kind.value), 0, 0, identity.data)


def identity_of(payload: IdPayload) -> Identity:
    """Who a peer claims to be; raises Aborted for a form that nobody can be."""
    identity = claimed(payload.id_type, payload.data)
    if (payload.protocol, payload.port) not in MAIN_PLACES:
        raise Aborted(Reason.WRONG_IDENTITY, "the peer's identity is about a protocol other than IKE")
    return identity


# Quick mode --------------------------------------------------------------------------------------------------------


def _side(addresses: AddressRange, protocol: int | None, ports: PortRange) -> IdPayload:
    four = addresses.version == 4
    if addresses.is_host:
        kind, data = (IdType.IPV4_ADDR if four else IdType.IPV6_ADDR), addresses.first
    elif (mask := _mask(addresses)) is not None:
        kind, data = (IdType.IPV4_ADDR_SUBNET if four else IdType.IPV6_ADDR_SUBNET), addresses.first + mask
    else:
        kind = IdType.IPV4_ADDR_RANGE if four else IdType.IPV6_ADDR_RANGE
        data = addresses.first + addresses.last
    return IdPayload(kind, protocol or 0, 0 if ports.is_any else ports.first, data)


def _mask(addresses: AddressRange) -> bytes | None:
    """The netmask of a range that is one network."""
    octets = len(addresses.first)
    first, last = int.from_bytes(addresses.first), int.from_bytes(addresses.last)
    hosts = first ^ last
    if hosts & (hosts + 1) or first & hosts:
        return None
    return ((1 << 8 * octets) - 1 ^ hosts).to_bytes(octets)


def quick_ids(selector: Selector) -> tuple[IdPayload, IdPayload]:
    """Source and destination of a selector whose ports are one or any; raises Refused for a range of ports."""
    for ports in (selector.source_ports, selector.destination_ports):
        if not ports.is_any and (ports.first != ports.last or ports.first == 0):
            raise Refused(Reason.WRONG_SELECTORS, f"IKEv1 cannot say the ports {ports}")
    return (
        _side(selector.source, selector.protocol, selector.source_ports),
        _side(selector.destination, selector.protocol, selector.destination_ports),
    )


def selector_of(source: IdPayload, destination: IdPayload) -> Selector:
    """What two ID payloads of quick mode say; raises Refused."""
    if source.protocol and destination.protocol and source.protocol != destination.protocol:
        raise Refused(Reason.WRONG_SELECTORS, "the peer's two selectors name different protocols")
    addresses = _addresses(source), _addresses(destination)
    if addresses[0].version != addresses[1].version:
        raise Refused(Reason.WRONG_SELECTORS, "the peer's two selectors are of different address families")
    return Selector(
        *addresses, source.protocol or destination.protocol or None, _ports(source.port), _ports(destination.port)
    )


def _ports(port: int) -> PortRange:
    return PortRange.one(port) if port else ANY_PORT


_SIZES = {
    IdType.IPV4_ADDR: IPV4_OCTETS, IdType.IPV6_ADDR: IPV6_OCTETS,
    IdType.IPV4_ADDR_SUBNET: 2 * IPV4_OCTETS, IdType.IPV6_ADDR_SUBNET: 2 * IPV6_OCTETS,
    IdType.IPV4_ADDR_RANGE: 2 * IPV4_OCTETS, IdType.IPV6_ADDR_RANGE: 2 * IPV6_OCTETS,
}  # fmt: skip
_SUBNETS = (IdType.IPV4_ADDR_SUBNET, IdType.IPV6_ADDR_SUBNET)


def _addresses(payload: IdPayload) -> AddressRange:
    size = next((octets for kind, octets in _SIZES.items() if kind == payload.id_type), None)
    if size is None:
        raise Refused(Reason.WRONG_SELECTORS, f"the peer's selector has type {payload.id_type}, unknown here")
    if len(payload.data) != size:
        raise Refused(Reason.WRONG_SELECTORS, "the peer's selector has the wrong length")
    if size in (IPV4_OCTETS, IPV6_OCTETS) and payload.id_type in (IdType.IPV4_ADDR, IdType.IPV6_ADDR):
        return AddressRange.host(payload.data)
    half = size // 2
    first, second = payload.data[:half], payload.data[half:]
    if payload.id_type not in _SUBNETS:
        return _range(first, second)
    mask = int.from_bytes(second)
    hosts = (1 << 8 * half) - 1 ^ mask
    if hosts & (hosts + 1):
        raise Refused(Reason.WRONG_SELECTORS, f"{format_address(second)} is no netmask")
    network = int.from_bytes(first) & mask
    return AddressRange(network.to_bytes(half), (network | hosts).to_bytes(half))


def _range(first: bytes, last: bytes) -> AddressRange:
    try:
        return AddressRange(first, last)
    except ValueError:
        raise Refused(Reason.WRONG_SELECTORS, "the peer's selector ends before it begins") from None
