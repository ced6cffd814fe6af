# SPDX-License-Identifier: Apache-2.0
"""Between whom a rule holds: ``with``, ``between``, or ``local`` and ``remote``, of which the document says one."""

import re
from dataclasses import dataclass

from ringfence.databases.pool import Asks
from ringfence.net.address import AddressRange, parse_address
from ringfence.policy.decode import Table, shown
from ringfence.policy.errors import BadWord
from ringfence.policy.gateways import Gateways
from ringfence.policy.model import ANY, ME, Address, HostName, Keyword
from ringfence.policy.networks import parse_suffix

SHORT = {"dns": "dns-servers", "wins": "wins-servers", "dhcp": "dhcp-servers", "defaultgateway": "default-gateway",
         "gateway": "default-gateway", "localsubnet": "local-subnet"}  # fmt: skip
"""As other tools of Windows call them."""
NAME = re.compile(
    r"(?=.{1,253}$)(?=.*[a-z])(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+(?:[a-z0-9-]*[a-z][a-z0-9-]*)?", re.ASCII
)
"""A DNS name; one without any dot has one at its end, so that no slip of a keyword is taken for a name."""

LOOPBACK = (AddressRange.parse("127.0.0.0/8"), AddressRange.parse("::1"))

GATEWAY_CURE = 'Such as remote = { networks = ["10.2.0.0/16"], gateway = "198.51.100.7" }'
NOWHERE = bytes(4)
"""Stands for a gateway that could not be read; there is a finding about it."""

CURE = (
    'Such as "10.0.0.5", "10.0.0.0/8", "10.0.0.1-10.0.0.9", "2001:db8::/32", "me", "any", "dns-servers" or '
    '"files.corp.example".'
)

NO_NAME = 'A DNS name has a dot; one of a single part has it at its end, such as "fileserver.".'


@dataclass(frozen=True, slots=True)
class Ends:
    """The two ends of a rule."""

    local: tuple[Address, ...] = ME
    remote: tuple[Address, ...] = ANY
    either_end: bool = False
    gateways: Gateways | None = None
    both_said: bool = False


def parse_addresses(text: str) -> Address:
    """A keyword, an address, a network, a range or a DNS name; raises BadWord."""
    text = text.strip()
    if "%" in text:
        raise BadWord("but a rule cannot name an interface yet", cure=CURE)
    for keyword in Keyword:
        if SHORT.get(text.lower(), text.lower()) == keyword.value:
            return keyword
    if NAME.fullmatch(text.lower()):
        return HostName(text.lower().rstrip("."))
    try:
        return AddressRange.parse(text)
    except ValueError as error:
        if "/" not in text and "-" not in text:
            why = _no_address(text, "which is neither an address nor a word that stands for some")
            raise BadWord(why, cure=NO_NAME) from error
        raise BadWord("which is neither a network nor a range of addresses", cure=CURE) from error


def parse_host(text: str) -> bytes:
    """One address; raises BadWord."""
    if "%" in text:
        raise BadWord("but a rule cannot name an interface yet")
    try:
        return parse_address(text.strip())
    except ValueError as error:
        raise BadWord(_no_address(text)) from error


def _no_address(text: str, named: str = "which is a name and not an IP address") -> str:
    is_name = any(c.isalpha() for c in text) and ":" not in text and " " not in text.strip()
    return named if is_name else "which is not an IP address"


def decode_ends(table: Table) -> Ends:
    """The ends that the table says; findings if it says them twice or not at all."""
    ways = [way for way in ("with", "between", "local", "remote") if table.has(way)]
    if ways not in (["with"], ["between"], ["local", "remote"], ["remote"], ["local"], []):
        said = " and ".join(f'"{way}"' for way in ways)
        table.complain(
            ways[-1],
            f"is one way too many to say where it holds, with {said}",
            cure='Say "with" (from here to those), "between" two ends, or "local" and "remote".',
        )
    ends = Ends()
    if table.has("with"):
        ends = Ends(remote=table.words("with", parse_addresses, split=",") or ANY)
    elif table.has("between"):
        ends = _between(table)
    elif ways:
        ends = _two_ends(table)
    for way in ("with", "between", "local", "remote"):
        table.seen.add(way)
    _check_families(table, ends)
    return ends


def _between(table: Table) -> Ends:
    value = table.raw("between")
    if not isinstance(value, list) or len(value) != 2:
        table.complain("between", f"is {shown(value)}, but has to be a list of two ends",
                       cure='Such as between = ["me", "10.9.0.0/16"]; an end may be a list itself.')  # fmt: skip
        return Ends()
    ends: list[tuple[Address, ...]] = []
    for number, item in enumerate(value):
        inner = Table(table.source, table.steps, {"between": item}, table.findings, table.subject)
        found = inner.words("between", parse_addresses, split=",")
        ends.append(found or (ANY if number else ME))
    first, second = ends
    if Keyword.ME in second and Keyword.ME not in first:
        first, second = second, first
    return Ends(first, second, Keyword.ME not in (*first, *second), None, both_said=True)


def _two_ends(table: Table) -> Ends:
    asks, pool = _assigned(table)
    local, local_gateway = _end(table, "local")
    remote, remote_gateway = _end(table, "remote")
    gateways: Gateways | None = None
    if _names_gateway(table, "local") or _names_gateway(table, "remote"):
        if not _names_gateway(table, "remote"):
            table.complain(
                "remote",
                "has no gateway, but this end of the tunnel has one",
                cure=GATEWAY_CURE,
            )
        gateways = Gateways(
            remote_gateway if isinstance(remote_gateway, bytes) else None if remote_gateway else NOWHERE,
            local_gateway if isinstance(local_gateway, bytes) else None,
            pool,
            asks,
            *_elsewhere(table),
        )
    elif any(_elsewhere(table)):
        key = "remote" if table.data.get("remote") and _elsewhere(table)[0] else "local"
        table.complain(key, "is about other gateways, which has no use without a gateway", cure=GATEWAY_CURE)
    elif asks is not None or pool:
        key, what = ("local", "is to be assigned") if asks is not None else ("remote", "has a pool")
        table.complain(key, f"{what}, which has no use without a gateway", cure=GATEWAY_CURE)
    return Ends(local or ME, remote or ANY, False, gateways, both_said=table.has("local") and table.has("remote"))


def _assigned(table: Table) -> tuple[Asks | None, str]:
    """What the local end says of an address that the other end gives, and the pool that the remote one has it from."""
    asks, pool = None, ""
    if isinstance(table.data.get("local"), dict) and (inner := table.table("local")) is not None:
        address = inner.words("address", _parse_assigned, split=",")
        dns, domains = inner.value("dns", bool), inner.words("domains", parse_suffix, split=",") or ()
        if address is not None:
            asks = Asks((4, 6), tuple(one for one in address if one), dns is not False, domains)
        for key, cure in (("dns", ASKS_CURE), ("domains", ASKS_CURE)):
            if address is None and not inner.has("address") and inner.has(key):
                inner.complain(key, "has no use where the other end gives no address", cure=cure)
        if inner.has("address") and inner.has("networks"):
            inner.complain("networks", "stands beside address, which is all that goes through this tunnel then")
        if domains and dns is False:
            inner.complain("domains", "has no use beside dns = false", cure="Leave one of them out.")
    if isinstance(table.data.get("remote"), dict) and (inner := table.table("remote")) is not None:
        pool = inner.text("pool") or ""
        if inner.has("pool") and inner.has("networks"):
            inner.complain("networks", "stands beside pool, which has the addresses of the other end")
        if asks is not None and inner.has("pool"):
            inner.complain("pool", "cannot be: the other end of this tunnel gives this computer its address")
    return asks, pool


OTHERS_CURE = 'Such as remote = { gateway = "198.51.100.7", others = ["198.51.100.8"] }.'


def _elsewhere(table: Table) -> tuple[tuple[AddressRange, ...], bytes | None]:
    """Other gateways that the remote one may send us to, and the one that we send those to who come in."""
    others: tuple[AddressRange, ...] = ()
    to: bytes | None = None
    if isinstance(table.data.get("remote"), dict) and (inner := table.table("remote")) is not None:
        others = inner.words("others", _parse_other, split=",") or ()
        if inner.has("others") and isinstance(inner.data.get("gateway"), str) and inner.data["gateway"] == "any":
            inner.complain("others", "are other gateways, where this end names none", cure=OTHERS_CURE)
    if isinstance(table.data.get("local"), dict) and (inner := table.table("local")) is not None:
        to = inner.word("send-to", parse_host)
    return others, to


def _parse_other(text: str) -> AddressRange:
    """Addresses of gateways; raises BadWord."""
    found = parse_addresses(text)
    if not isinstance(found, AddressRange):
        raise BadWord("but other gateways are named by their addresses", cure=OTHERS_CURE)
    return found


ASKS_CURE = 'Say that it does: local = { address = "assigned" }.'


def _parse_assigned(text: str) -> bytes:
    """An address that we would like, empty for any; raises BadWord."""
    if text.strip().lower() == "assigned":
        return b""
    try:
        return parse_host(text)
    except BadWord as error:
        raise BadWord(error.why, cure='Such as "assigned", or the address that it was last time.') from error


def _names_gateway(table: Table, key: str) -> bool:
    value = table.data.get(key)
    return isinstance(value, dict) and "gateway" in value


ENDS = {"local": {"address", "dns", "domains", "send-to"}, "remote": {"pool", "others"}}
"""What else an end may say."""


def _end(table: Table, key: str) -> tuple[tuple[Address, ...] | None, bytes | Keyword | None]:
    if not isinstance(table.data.get(key), dict):
        return table.words(key, parse_addresses, split=","), None
    inner = table.table(key)
    if inner is None:
        return None, None
    inner.seen |= ENDS[key]
    networks = inner.words("networks", parse_addresses, split=",")
    gateway = inner.word("gateway", parse_gateway)
    if key == "remote" and gateway is Keyword.ME:
        inner.complain("gateway", "cannot be this computer at the other end")
        gateway = None
    if key == "local" and gateway is Keyword.ANY:
        gateway = Keyword.ME
    if isinstance(gateway, bytes) and any(gateway in loop for loop in LOOPBACK):
        inner.complain("gateway", "is this computer's loopback, where no tunnel can end")
    inner.finish()
    return networks, gateway


def parse_gateway(text: str) -> bytes | Keyword:
    """The end of a tunnel: an address, or "me"; raises BadWord."""
    if text.strip().lower() in ("me", "any"):
        return Keyword(text.strip().lower())
    return parse_host(text)


def _check_families(table: Table, ends: Ends) -> None:
    local, remote = families(ends.local), families(ends.remote)
    if not local & remote:
        table.complain("", "has addresses of IPv4 at one end and of IPv6 at the other, and so holds for nothing")
    gateways = ends.gateways
    if gateways and gateways.local and gateways.remote and len(gateways.local) != len(gateways.remote):
        table.complain("local", "and remote have gateways of different families")


def families(addresses: tuple[Address, ...]) -> set[int]:
    """4, 6 or both: the families that the addresses may be of."""
    return {version for one in addresses for version in ((one.version,) if isinstance(one, AddressRange) else (4, 6))}
