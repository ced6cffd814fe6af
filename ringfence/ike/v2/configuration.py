# SPDX-License-Identifier: Apache-2.0
"""What one host tells the other about itself and its network (RFC 7296 §2.19, §3.15; names of one network: RFC 8598).

    initiator                                                    responder
    CP(CFG_REQUEST: INTERNAL_IP4_ADDRESS, INTERNAL_IP4_DNS …) ->
                                                              <- CP(CFG_REPLY: INTERNAL_IP4_ADDRESS(10.9.0.7) …)

It goes with IKE_AUTH, before the traffic selectors are read: those of the initiator are narrowed to the address that it
is given. Attributes that nobody here knows are passed over, and so are those whose value has no sense. Of each family
one address is given, and of several that are asked for the first counts. Nobody is told a version, as the RFC lets us:
the answer is empty. What a peer would set (CFG_SET), we do not take.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum

from ringfence.databases.pool import Asks, Assignment, Pool
from ringfence.ike.errors import Reason, Refused
from ringfence.ike.payload import Chain
from ringfence.ike.v2.payloads import ConfigPayload
from ringfence.net.address import AddressRange
from ringfence.net.ranges import networks

MOST_TAKEN = 16
"""Name servers, and names, that we take from a peer; as many networks."""


class Form(IntEnum):
    """What a configuration payload is (§3.15)."""

    REQUEST = 1
    REPLY = 2
    SET = 3
    ACK = 4


class Attribute(IntEnum):
    """What it is about (§3.15.1, RFC 8598 §4)."""

    IP4_ADDRESS = 1
    IP4_NETMASK = 2
    IP4_DNS = 3
    IP4_NBNS = 4
    APPLICATION_VERSION = 7
    IP6_ADDRESS = 8
    IP6_DNS = 10
    IP4_SUBNET = 13
    SUPPORTED_ATTRIBUTES = 14
    IP6_SUBNET = 15
    DNS_DOMAIN = 25


Pairs = tuple[tuple[int, bytes], ...]

ADDRESS = {4: Attribute.IP4_ADDRESS, 16: Attribute.IP6_ADDRESS}
DNS = {4: Attribute.IP4_DNS, 16: Attribute.IP6_DNS}
SUBNET = {4: Attribute.IP4_SUBNET, 16: Attribute.IP6_SUBNET}
WHOLE = b"\x80"
"""The prefix of one address of IPv6."""
ANSWERED = tuple(Attribute)
"""What we can be asked for."""


def said(chain: Chain, form: Form) -> Pairs | None:
    """The attributes of a message's configuration payload, if it has one of that form."""
    payload = chain.maybe(ConfigPayload)
    return payload.attributes if payload is not None and payload.kind == form else None


# The initiator -----------------------------------------------------------------------------------------------------


def request(asks: Asks | None, last: tuple[bytes, ...] = ()) -> tuple[ConfigPayload, ...]:
    """What we ask for; ``last`` are the addresses that we had the last time."""
    if asks is None:
        return ()
    found: list[tuple[int, bytes]] = []
    for octets in (4, 16):
        if (4 if octets == 4 else 6) in asks.families:
            would = next((one for one in (*asks.addresses, *last) if len(one) == octets), b"")
            found.append((ADDRESS[octets], would + WHOLE if would and octets == 16 else would))
            found += [(DNS[octets], b"")] if asks.dns else []
            found.append((SUBNET[octets], b""))
    if asks.dns:
        found += [(Attribute.DNS_DOMAIN, name.encode()) for name in asks.domains or ("",)]
    return (ConfigPayload(Form.REQUEST, tuple(found)),)


def given(chain: Chain, asks: Asks) -> Assignment:
    """What a peer's answer gives us; raises Refused where there is no address in it."""
    return given_by(said(chain, Form.REPLY) or (), asks)


def given_by(attributes: Pairs, asks: Asks) -> Assignment:
    """What such attributes give us; raises Refused where there is no address among them."""
    addresses = tuple(_addresses(attributes, asks))
    if not addresses:
        raise Refused(Reason.NO_ADDRESS, "the peer gives us no address")
    dns = tuple(_values(attributes, DNS[4], 4)) + tuple(_values(attributes, DNS[16], 16))
    dns = dns[:MOST_TAKEN] if asks.dns else ()
    domains = tuple(_domains(attributes)) if dns else ()
    if asks.domains:
        domains = tuple(one for one in domains or asks.domains if _within(one, asks.domains))
        dns = dns if domains else ()
    return Assignment(addresses, dns, domains, tuple(_subnets(attributes)))


def _addresses(attributes: Pairs, asks: Asks) -> Iterator[bytes]:
    """The first of each family that we have asked for and that a host can have."""
    for octets in (4, 16):
        wanted = (4 if octets == 4 else 6) in asks.families
        length = octets if octets == 4 else octets + 1
        found = (value[:octets] for value in _values(attributes, ADDRESS[octets], length))
        address = next((one for one in found if wanted and _usable(one)), None)
        if address is not None:
            yield address


def _usable(address: bytes) -> bool:
    """Whether a host can have that address: not nobody's, this host's own, or many hosts'."""
    if len(address) == 4:
        return 0 < address[0] < 224 and address[0] != 127
    return address not in (bytes(16), bytes(15) + b"\1") and address[0] != 0xFF and address[:2] != b"\xfe\x80"


def _values(attributes: Pairs, kind: Attribute, octets: int) -> Iterator[bytes]:
    return (value for number, value in attributes if number == kind and len(value) == octets)


def _domains(attributes: Pairs) -> Iterator[str]:
    """The names that make sense, each once."""
    found = dict.fromkeys(
        name
        for number, value in attributes
        if number == Attribute.DNS_DOMAIN and (name := _name(value)) is not None and name
    )
    yield from list(found)[:MOST_TAKEN]


def _name(value: bytes) -> str | None:
    """A domain's name; None for what is none."""
    text = value.rstrip(b"\0").decode("ascii", errors="replace").strip(".").lower()
    labels = text.split(".") if text else []
    fits = all(0 < len(one) < 64 and all(c.isalnum() or c in "-_" for c in one) and one.isascii() for one in labels)
    return text if fits and len(text) < 254 else None


def _within(name: str, domains: Iterable[str]) -> bool:
    return any(name == one or name.endswith(f".{one}") for one in domains)


def _subnets(attributes: Pairs) -> Iterator[AddressRange]:
    for number, value in attributes[: 4 * MOST_TAKEN]:
        if number == Attribute.IP4_SUBNET and len(value) == 8:
            mask = int.from_bytes(value[4:])
            bits = mask.bit_count()
            if mask == (1 << 32) - (1 << 32 - bits):
                yield _network(value[:4], bits)
        elif number == Attribute.IP6_SUBNET and len(value) == 17 and value[16] <= 128:
            yield _network(value[:16], value[16])


def _network(address: bytes, bits: int) -> AddressRange:
    octets = len(address)
    rest = (1 << 8 * octets - bits) - 1
    first = int.from_bytes(address) & ~rest
    return AddressRange(first.to_bytes(octets), (first | rest).to_bytes(octets))


# The responder -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a peer asks for."""

    attributes: Pairs

    @property
    def families(self) -> tuple[int, ...]:
        """4 and 16: the octets of the addresses that it would have."""
        return tuple(octets for octets, kind in ADDRESS.items() if self.has(kind))

    def has(self, kind: Attribute) -> bool:
        """Whether it asks for that."""
        return any(number == kind for number, _ in self.attributes)

    def address(self, octets: int) -> bytes | None:
        """The address that it would rather have."""
        found = (value[:octets] for number, value in self.attributes if number == ADDRESS[octets])
        return next((one for one in found if len(one) == octets and any(one)), None)


def wishes(chain: Chain) -> Wishes | None:
    """What a peer asks for, if it asks for anything."""
    attributes = said(chain, Form.REQUEST)
    return None if attributes is None else Wishes(attributes)


def reply(
    asked: Wishes, pool: Pool | None, leased: tuple[bytes, ...], protected: Iterable[AddressRange]
) -> ConfigPayload:
    """What we tell a peer that has been given ``leased`` for the networks that are ``protected`` here."""
    found = [*_leases(asked, leased)]
    if pool is not None and leased:
        found += [*_servers(asked, pool)]
        for network in dict.fromkeys(piece for one in protected for piece in networks(one)):
            octets = len(network.first)
            if asked.has(SUBNET[octets]) and any(len(one) == octets for one in leased):
                found.append((SUBNET[octets], _as_subnet(network)))
    return ConfigPayload(Form.REPLY, (*found, *_about_us(asked)))


def _leases(asked: Wishes, leased: tuple[bytes, ...]) -> Iterator[tuple[int, bytes]]:
    for address in leased:
        if len(address) == 4:
            yield Attribute.IP4_ADDRESS, address
            if asked.has(Attribute.IP4_NETMASK):
                yield Attribute.IP4_NETMASK, b"\xff" * 4
        else:
            yield Attribute.IP6_ADDRESS, address + WHOLE


def _servers(asked: Wishes, pool: Pool) -> Iterator[tuple[int, bytes]]:
    told = [one for one in pool.dns if asked.has(DNS[len(one)])]
    yield from ((DNS[len(one)], one) for one in told)
    if asked.has(Attribute.IP4_NBNS):
        yield from ((Attribute.IP4_NBNS, one) for one in pool.wins)
    if told and asked.has(Attribute.DNS_DOMAIN):
        only = [name for number, value in asked.attributes if number == Attribute.DNS_DOMAIN and (name := _name(value))]
        names = (one for one in pool.domains if not only or _within(one, only))
        yield from ((Attribute.DNS_DOMAIN, one.encode()) for one in names)


def _as_subnet(network: AddressRange) -> bytes:
    bits = 8 * len(network.first) - (network.size.bit_length() - 1)
    if len(network.first) == 16:
        return network.first + bytes((bits,))
    return network.first + ((1 << 32) - (1 << 32 - bits)).to_bytes(4)


def _about_us(asked: Wishes) -> Iterator[tuple[int, bytes]]:
    if asked.has(Attribute.APPLICATION_VERSION):
        yield Attribute.APPLICATION_VERSION, b""
    if asked.has(Attribute.SUPPORTED_ATTRIBUTES):
        yield Attribute.SUPPORTED_ATTRIBUTES, b"".join(one.to_bytes(2) for one in ANSWERED)


def informed(chain: Chain) -> tuple[ConfigPayload, ...]:
    """The answer to what a peer asks or sets by the way, in INFORMATIONAL (§2.20, §3.15)."""
    asked = wishes(chain)
    if asked is not None:
        return (reply(asked, None, (), ()),)
    return (ConfigPayload(Form.ACK),) if said(chain, Form.SET) is not None else ()
