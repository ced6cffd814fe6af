# SPDX-License-Identifier: Apache-2.0
"""Rules of a policy as commands of PowerShell.

Windows' rules lie between two endpoints, whichever this computer is at, so ``me`` becomes any address. A rule that
Windows cannot have as it is written is left out as a whole; it would be for more traffic, or for more people.
"""

from collections.abc import Iterator

from ringfence.net.address import ANY_PORT, AddressRange, PortRange, format_address
from ringfence.net.flow import ICMP, ICMPV6, TCP, UDP
from ringfence.policy.errors import BadWord
from ringfence.policy.model import (
    ANY,
    Address,
    Filter,
    Keyword,
    MainModeRule,
    Rule,
)
from ringfence.policy.scope import LinkKind, Scope
from ringfence.policy.terms import Access
from ringfence.policy.traffic import Traffic
from ringfence.transfer.consec import KEYWORDS, check_assigned, descriptor, is_sid
from ringfence.transfer.powershell.rules import LINKS, MODULES, NEEDS, PROFILES, check_secure
from ringfence.transfer.powershell.writing import Words, quote, quotes

PROTOCOLS = {TCP: "TCP", UDP: "UDP", ICMP: "ICMPv4", ICMPV6: "ICMPv6"}
SERVERS = {
    keyword: word
    for word, keyword in {
        "DNS": KEYWORDS["dns"],
        "DHCP": KEYWORDS["dhcp"],
        "WINS": KEYWORDS["wins"],
        "DefaultGateway": KEYWORDS["defaultgateway"],
        "LocalSubnet": KEYWORDS["localsubnet"],
    }.items()
}
SID_CURE = "Name accounts by their SIDs."
Ports = tuple[PortRange, ...]


def rule_words(rule: Rule) -> Iterator[Words]:
    """What is said of a rule, without its terms; several rules where its traffic needs them. Raises BadWord."""
    sayable(rule)
    needs = {need: word for word, need in NEEDS.items()}
    security: Words = [("InboundSecurity", needs[rule.secure.inward]), ("OutboundSecurity", needs[rule.secure.outward])]
    for number, (protocol, first, second) in enumerate(groups(rule), 1):
        name = rule.name if number == 1 else f"{rule.name} ({number})"
        yield [
            *about(name, rule.description, rule.enabled),
            *scope_words(rule.scope),
            *([("Mode", "Tunnel")] if rule.gateways is not None else []),
            *security,
            *ends_words(rule),
            *_ports(protocol, first, second),
            *_tunnel(rule),
            *access_words(rule.allow, rule.deny, ("Machine", "User")),
        ]


def key_module(rule: Rule) -> Words:
    """The protocol that has to negotiate it, if it says one."""
    word = next((word for word, modules in MODULES.items() if modules == rule.keying), "Default")
    return [] if word == "Default" else [("KeyModule", word)]


def about(name: str, description: str, enabled: bool) -> Words:
    """What every object has."""
    words: Words = [("DisplayName", quote(name)), ("Group", "$group")]
    words += [("Description", quote(description))] if description else []
    return words if enabled else [*words, ("Enabled", "False")]


def sayable(rule: Rule) -> None:
    """Raises BadWord for a rule that Windows cannot have."""
    if rule.name.lower() == "all":
        raise BadWord("Windows takes All for every rule")
    check_assigned(rule)
    check_secure(rule.secure, tunnel=rule.gateways is not None)
    if rule.part.one_way is not None and rule.gateways is None:
        raise BadWord("it is for one direction only, and Windows' rules are for both")
    if rule.part.respond_only:
        raise BadWord("Windows' rules know no default response")


def groups(rule: Rule) -> list[tuple[int | None, Ports, Ports]]:
    """Protocol and ports at both ends, in as few rules as will do."""
    both_any = rule.remote == ANY and (rule.local == ANY or Keyword.ME in rule.local)
    rows: dict[tuple[int | None, PortRange], dict[PortRange, None]] = {}
    for traffic in rule.traffic:
        for first, second in _pairs(traffic, both_any):
            rows.setdefault((traffic.protocol, first), {})[second] = None
            if not rule.secure.exempt and any(not one.is_any and one.first != one.last for one in (first, second)):
                raise BadWord("Windows takes ranges of ports in exemptions only")
    if rule.gateways is not None and list(rows) != [(None, ANY_PORT)]:
        raise BadWord("Windows' tunnels are for all protocols")
    groups: dict[tuple[int | None, Ports], list[PortRange]] = {}
    for (protocol, first), seconds in rows.items():
        groups.setdefault((protocol, tuple(seconds)), []).append(first)
    return [(protocol, tuple(firsts), seconds) for (protocol, seconds), firsts in groups.items()]


def _pairs(traffic: Traffic, both_any: bool) -> list[tuple[PortRange, PortRange]]:
    if traffic.protocol in (ICMP, ICMPV6):
        if not traffic.receiver_ports.is_any:
            raise BadWord("Windows' rules tell no types of ICMP apart")
        return [(ANY_PORT, ANY_PORT)]
    if not (traffic.sender_ports.is_any and traffic.receiver_ports.is_any) and traffic.protocol not in (TCP, UDP):
        raise BadWord("Windows knows ports of TCP and UDP only")
    if traffic.either and not both_any:
        return list(traffic.outward())
    return [(traffic.sender_ports, traffic.receiver_ports)]


def _ports(protocol: int | None, first: Ports, second: Ports) -> Words:
    if protocol is None:
        return []
    words: Words = [("Protocol", PROTOCOLS.get(protocol, str(protocol)))]
    for name, ports in (("LocalPort", first), ("RemotePort", second)):
        if ports != (ANY_PORT,):
            words.append((name, quotes(str(one) for one in ports)))
    return words


def ends_words(item: Rule | MainModeRule | Filter) -> Words:
    """Both endpoints, where they are not any."""
    words: Words = []
    for name, end in (("LocalAddress", item.local), ("RemoteAddress", item.remote)):
        if Keyword.ME in end and (len(end) > 1 or name == "RemoteAddress"):
            raise BadWord("Windows has no word for this computer's own addresses")
        texts = [_address(one) for one in end]
        if texts not in (["Any"], []):
            words.append((name, quotes(texts)))
    return words


def _address(address: Address) -> str:
    if isinstance(address, AddressRange):
        return str(address)
    if isinstance(address, Keyword):
        return SERVERS.get(address, "Any")
    raise BadWord(f"Windows takes addresses, and {address} is a name", cure="Write the addresses themselves.")


def _tunnel(rule: Rule) -> Words:
    if rule.gateways is None:
        return []
    local, remote = (
        "Any" if one is None else format_address(one) for one in (rule.gateways.local, rule.gateways.remote)
    )
    words: Words = [("LocalTunnelEndpoint", quotes([local])), ("RemoteTunnelEndpoint", quotes([remote]))]
    words += [("EncryptedTunnelBypass", "$true")] if rule.exempt_protected else []
    return [*words, ("RequireAuthorization", "$true")] if rule.authorize else words


def access_words(allow: Access, deny: Access, names: tuple[str, str]) -> Words:
    """Who may and who may not. Raises BadWord where an account is not given by its SID."""
    words: Words = []
    for name, allowed, denied in zip(names, (allow.computers, allow.users), (deny.computers, deny.users), strict=True):
        for one in (*allowed, *denied):
            if not is_sid(one):
                raise BadWord(f"Windows takes accounts by their SIDs, and not as {one}", cure=SID_CURE)
        if allowed or denied:
            words.append((name, quote(descriptor(allowed, denied))))
    return words


def scope_words(scope: Scope) -> Words:
    """In which networks, on which interfaces. Raises BadWord for devices by name."""
    words: Words = []
    if scope.profiles:
        words.append(("Profile", ", ".join(name for name, one in PROFILES.items() if one in scope.profiles)))
    if any(not isinstance(one, LinkKind) for one in scope.interfaces):
        raise BadWord("Windows calls interfaces by other names", cure='Say kinds of them, such as "lan".')
    if scope.interfaces:
        words.append(("InterfaceType", ", ".join(name for name, one in LINKS.items() if one in scope.interfaces)))
    return words


def main_mode_words(rule: MainModeRule) -> Words:
    """What is said of a main mode rule, without its terms. Raises BadWord."""
    if rule.scope.interfaces:
        raise BadWord("a main mode rule of Windows is for all kinds of interfaces", cure="Leave interfaces out.")
    return [*about(rule.name, rule.description, rule.enabled), *scope_words(rule.scope), *ends_words(rule)]
