# SPDX-License-Identifier: Apache-2.0
"""What scripts say of connection security rules and main mode rules in the words that netsh and PowerShell share.

Such a rule lies between two endpoints, and Windows matches it symmetrically ([MS-FASP] §2.2.55): this computer may be
at either, and a port belongs to its endpoint. So one that names a server protects the server's own end as well, and one
about port 3389 holds for who asks and who is asked. A tunnel has this computer at its first endpoint.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from ipaddress import ip_network
from itertools import product

from ringfence.net.address import ANY_PORT, AddressRange, PortRange
from ringfence.net.flow import ICMP, ICMPV6, TCP, UDP
from ringfence.policy.addresses import NAME
from ringfence.policy.errors import BadWord
from ringfence.policy.model import ANY, ME, Address, Filter, HostName, Keyword, Kind, Rule
from ringfence.policy.terms import Access, Auth, PskFile, SecondAuth
from ringfence.policy.traffic import ANY_TRAFFIC, Traffic

KEYWORDS = {
    "any": Keyword.ANY, "dns": Keyword.DNS_SERVERS, "dhcp": Keyword.DHCP_SERVERS, "wins": Keyword.WINS_SERVERS,
    "defaultgateway": Keyword.DEFAULT_GATEWAY, "localsubnet": Keyword.LOCAL_SUBNET,
}  # fmt: skip
PLACES = {"localsubnet4", "localsubnet6", "internet", "intranet", "intranetremoteaccess", "rmtintranet",
          "playtodevice", "ply2renders", "captiveportal"}  # fmt: skip
PLACE_CURE = "Write the addresses themselves."
PROTOCOLS = {"tcp": TCP, "udp": UDP, "icmpv4": ICMP, "icmpv6": ICMPV6, "icmp": ICMP}
PORT_WORDS = {"rpc", "rpcepmap", "rpc-epmap", "iphttps", "iphttpsin", "iphttpsout", "teredo", "playtodiscovery", "mdns",
              "cortanaout", "ply2disc"}  # fmt: skip
NUMBER = re.compile(r"\d{1,5}", re.ASCII)
SDDL = re.compile(r"\s*(?:O:\w+?)?(?:G:\w+?)?D:[A-Z]*((?:\([^()]*\)\s*)+)", re.IGNORECASE)
ENTRY = re.compile(r"\(\s*([AD])\s*;[^;]*;[^;]*;[^;]*;[^;]*;\s*([^;()]*[^;()\s])\s*\)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Ends:
    """The ends of a rule."""

    local: tuple[Address, ...]
    remote: tuple[Address, ...]
    either_end: bool = False


def parse_address(text: str) -> Address:
    """One address, network, range, name or keyword of an endpoint; raises BadWord."""
    word = text.strip().lower()
    if word in KEYWORDS:
        return KEYWORDS[word]
    if word in PLACES:
        raise BadWord("which stands for networks that are not known here", cure=PLACE_CURE)
    if NAME.fullmatch(word):
        return HostName(word.rstrip("."))
    try:
        return _range(word)
    except ValueError as error:
        raise BadWord("which is neither an address nor a network") from error


def _range(word: str) -> AddressRange:
    if "/" in word:
        network = ip_network(word, strict=False)
        return AddressRange(network.network_address.packed, network.broadcast_address.packed)
    first, dash, last = word.partition("-")
    return AddressRange.parse(f"{first.strip()}-{last.strip()}" if dash else word)


def parse_addresses(texts: Iterable[str]) -> tuple[Address, ...]:
    """An endpoint; raises BadWord."""
    found = tuple(dict.fromkeys(parse_address(text) for text in texts if text.strip()))
    return ANY if not found or Keyword.ANY in found else found


def ends_of(first: tuple[Address, ...], second: tuple[Address, ...]) -> Ends:
    """The ends of a transport rule or a main mode rule between two endpoints."""
    if first == ANY and second == ANY:
        return Ends(ME, ANY)
    for one, other in ((first, second), (second, first)):
        if one == ANY and all(isinstance(address, Keyword) for address in other):
            return Ends(ME, other)
    return Ends(first, second, either_end=True)


def parse_protocol(text: str) -> int | None:
    """A protocol by name or number; None for any. Raises BadWord."""
    word = text.strip().lower()
    if word in ("", "any"):
        return None
    if word in PROTOCOLS:
        return PROTOCOLS[word]
    if not NUMBER.fullmatch(word) or int(word) > 255:
        raise BadWord("which is no protocol")
    return int(word)


def parse_ports(texts: Iterable[str]) -> tuple[PortRange, ...]:
    """Ports of an endpoint; raises BadWord."""
    found = tuple(dict.fromkeys(_ports(text.strip().lower()) for text in texts if text.strip()))
    return (ANY_PORT,) if not found or ANY_PORT in found else found


def _ports(word: str) -> PortRange:
    if word == "any":
        return ANY_PORT
    if word in PORT_WORDS:
        raise BadWord("which stands for ports that only Windows knows", cure="Write the ports themselves.")
    first, _, last = word.partition("-")
    if not NUMBER.fullmatch(first) or not NUMBER.fullmatch(last or first):
        raise BadWord("which is neither a port nor a range of ports")
    try:
        return PortRange(int(first), int(last or first))
    except ValueError as error:
        raise BadWord(f"which is no range of ports: {error}") from error


def traffic_of(
    protocol: int | None, first: tuple[PortRange, ...], second: tuple[PortRange, ...], *, both_any: bool
) -> tuple[Traffic, ...]:
    """What a rule is about, its ports being those at its endpoints; ``both_any``: nothing else tells these apart."""
    if protocol is None:
        if first != (ANY_PORT,) or second != (ANY_PORT,):
            raise BadWord("but ports go with tcp or udp only")
        return (ANY_TRAFFIC,)
    if protocol not in (TCP, UDP) and (first != (ANY_PORT,) or second != (ANY_PORT,)):
        raise BadWord("but ports go with tcp or udp only")
    return tuple(dict.fromkeys(one for pair in product(first, second) for one in _traffic(protocol, *pair, both_any)))


def _traffic(protocol: int, first: PortRange, second: PortRange, both_any: bool) -> Iterator[Traffic]:
    if not both_any or (first.is_any and second.is_any):
        yield Traffic(protocol, first, second)
    elif first.is_any or second.is_any:
        yield Traffic(protocol, ANY_PORT, second if first.is_any else first, either=True)
    else:
        yield from (Traffic(protocol, first, second), Traffic(protocol, second, first))


def accounts(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Who is allowed and who is denied by a security descriptor, as it names them; raises BadWord."""
    match = SDDL.fullmatch(text)
    entries = ENTRY.findall(match[1]) if match is not None else []
    if match is None or len(entries) != match[1].count("("):
        raise BadWord("which is no list of accounts", cure='Such as "D:(A;;CC;;;S-1-5-21-1-2-3-1114)".')
    allowed = tuple(sid for kind, sid in entries if kind.upper() == "A")
    return allowed, tuple(sid for kind, sid in entries if kind.upper() == "D")


def descriptor(allowed: Iterable[str], denied: Iterable[str]) -> str:
    """The security descriptor of accounts that are given by their SIDs; empty for none."""
    entries = [f"(D;;CC;;;{sid})" for sid in denied] + [f"(A;;CC;;;{sid})" for sid in allowed]
    return f"D:{''.join(entries)}" if entries else ""


def is_sid(name: str) -> bool:
    """Whether an account is named by its SID, so that Windows can be told of it."""
    return re.fullmatch(r"S-1-\d+(-\d+)*|[A-Z]{2}", name) is not None


SECURED = "what of it is not secure is blocked here, also where another rule of the firewall allows it"
OVERRIDE_CURE = "Windows takes no such rule either: it names computers by their SIDs."


def access(computers: str, users: str) -> tuple[Access, Access]:
    """Who may and who may not, from the security descriptors of computers and of users; raises BadWord."""
    of_computers = accounts(computers) if computers else ((), ())
    of_users = accounts(users) if users else ((), ())
    return Access(of_computers[0], of_users[0]), Access(of_computers[1], of_users[1])


def check_answers(item: Filter) -> None:
    """Raises BadWord where a filter would block answers to others' connections."""
    if item.traffic == (Traffic(item.traffic[0].protocol),) and item.remote == ANY:
        raise BadWord("it is about whatever begins a connection, and a filter cannot tell that from the answers")
    for one in item.traffic:
        if one.protocol not in (None, ICMP, ICMPV6) and one.receiver_ports.is_any and not one.sender_ports.is_any:
            raise BadWord(
                "it is about connections by the port that they come from, which a filter cannot tell from answers"
            )


def kind_of(rule: Rule) -> Kind:
    """The kind that follows from what a rule says."""
    if rule.gateways is not None:
        return Kind.TUNNEL
    if rule.secure.exempt:
        return Kind.EXEMPTION
    if rule.traffic != (ANY_TRAFFIC,):
        return Kind.CUSTOM
    return Kind.SERVER_TO_SERVER if rule.either_end or rule.local != ME else Kind.ISOLATION


def weighed(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """Rules whose endpoints weigh as on Windows, where any address is less than any other.

    A rule from any to any reads best as one of this computer with everybody. But as such it would weigh more than one
    between any and a network, so it names both its ends where there is such a rule beside it.
    """
    if not any(rule.either_end for rule in rules):
        return rules
    return tuple(
        replace(rule, local=ANY, either_end=True) if rule.gateways is None and _anybody(rule) else rule
        for rule in rules
    )  # fmt: skip


def _anybody(rule: Rule) -> bool:
    return rule.local == ME and rule.remote == ANY


def check_assigned(rule: Rule) -> None:
    """Raises BadWord for a tunnel whose addresses one side gives the other."""
    if rule.gateways is not None and (rule.gateways.pool or rule.gateways.asks is not None):
        raise BadWord("Windows' rules give nobody an address inside a tunnel")


MORE_KEYS, SECOND = "more keys", "second authentication"


def with_one_key(
    ways: tuple[Auth, ...], more: tuple[SecondAuth, ...], leave: Callable[[str, str], None]
) -> tuple[tuple[Auth, ...], tuple[SecondAuth, ...]]:
    """One preshared key at most, and no second authentication behind one, as on Windows.

    ``leave`` is told what is left out, and why.
    """
    keys = [one for one in ways if isinstance(one, PskFile)]
    if len(keys) > 1:
        leave(MORE_KEYS, "main mode has one preshared key, and the first is it")
    if keys and more:
        leave(SECOND, "nothing can follow a preshared key")
    return tuple(one for one in ways if one not in keys[1:]), () if keys else more
