# SPDX-License-Identifier: Apache-2.0
"""Filters as commands of PowerShell: what is permitted is an exemption, all else a rule of the firewall.

Windows' firewall remembers connections, so a rule that blocks their beginning blocks their answers as well, and a
mirrored filter needs one rule only.
"""

from collections.abc import Iterator

from ringfence.net.address import ANY_PORT, PortRange
from ringfence.net.flow import ICMP, ICMPV6, TCP, UDP
from ringfence.policy.errors import BadWord
from ringfence.policy.model import Filter, Kind, Need, Reading, Rule, Secure, Verb
from ringfence.policy.terms import Security
from ringfence.policy.traffic import Traffic
from ringfence.transfer.powershell.filters import SECURITIES
from ringfence.transfer.powershell.write_rules import PROTOCOLS, about, access_words, ends_words, scope_words
from ringfence.transfer.powershell.writing import Words, quotes

BOTH = ((Reading.IN, "Inbound"), (Reading.OUT, "Outbound"))


def exemption_of(item: Filter) -> Rule:
    """A filter that permits, as the exemption that does the same. Raises BadWord."""
    _check(item)
    if item.verb is not Verb.PERMIT or not item.mirrored or item.direction is not Reading.OUT:
        raise BadWord("Windows' exemptions are for both directions")
    return Rule(
        item.name, Kind.EXEMPTION, item.local, item.remote, item.either_end, item.traffic, Secure(Need.NONE, Need.NONE),
        scope=item.scope, enabled=item.enabled, description=item.description, place=item.place, part=item.part,
    )  # fmt: skip


def _check(item: Filter) -> None:
    """Raises BadWord if a filter says more than that traffic is permitted or blocked."""
    plain = Filter(
        item.name, item.verb, item.traffic, item.local, item.remote, item.either_end, item.direction, item.mirrored,
        enabled=item.enabled, description=item.description, part=item.part, scope=item.scope,
    )  # fmt: skip
    if plain != item:
        raise BadWord("it says more than that traffic is permitted or blocked")


def firewall_words(item: Filter) -> Iterator[Words]:
    """The rules of the firewall that a filter comes to which blocks, or permits what is secure. Raises BadWord."""
    does = [("Action", "Block")] if item.secure is None else _secured(item)
    if item.secure is None:
        _check(item)
    if item.either_end:
        raise BadWord("Windows' firewall knows which end this computer is at", cure="Say local and remote.")
    number = 0
    for reading, direction in BOTH:
        if item.direction not in (reading, Reading.BOTH):
            continue
        for ports in _groups(item.traffic, inward=reading is Reading.IN):
            number += 1
            name = item.name if number == 1 else f"{item.name} ({number})"
            yield [
                *about(name, item.description, item.enabled),
                *scope_words(item.scope),
                ("Direction", direction),
                *does,
                *ends_words(item),
                *ports,
            ]


def _secured(item: Filter) -> Words:
    if not item.mirrored and not item.override_block:
        raise BadWord(
            "Windows' firewall lets answers through with what they answer", cure="Leave out mirrored = false."
        )
    if item.secure is Security.NEGOTIATED and item.direction is not Reading.IN:
        raise BadWord("Windows negotiates encryption for what comes in only", cure='Say direction = "in".')
    authentication, encryption = next(words for words, one in SECURITIES.items() if one is item.secure)
    words: Words = [("Action", "Allow"), ("Authentication", authentication), ("Encryption", encryption)]
    words += [("OverrideBlockRules", "$true")] if item.override_block else []
    if item.override_block and item.direction is not Reading.OUT and not item.allow.computers:
        raise BadWord("Windows overrides blocks inward for computers only", cure="Say allow.")
    return words + access_words(item.allow, item.deny, ("RemoteMachine", "RemoteUser"))


def _groups(traffic: tuple[Traffic, ...], *, inward: bool) -> list[Words]:
    """Protocol and ports, those that share all but the port of the receiver together."""
    served: dict[tuple[int | None, PortRange], dict[PortRange, None]] = {}
    for one in traffic:
        if one.either:
            raise BadWord("a firewall's rule names the port of one end", cure='Say "to" or "from".')
        served.setdefault((one.protocol, one.sender_ports if _has_ports(one) else ANY_PORT), {})[one.receiver_ports] = (
            None
        )
    return [_words(protocol, sender, tuple(receivers), inward) for (protocol, sender), receivers in served.items()]


def _has_ports(traffic: Traffic) -> bool:
    return traffic.protocol not in (ICMP, ICMPV6)


def _words(protocol: int | None, sender: PortRange, receivers: tuple[PortRange, ...], inward: bool) -> Words:
    if protocol is None:
        return []
    words: Words = [("Protocol", PROTOCOLS.get(protocol, str(protocol)))]
    if (sender, receivers) == (ANY_PORT, (ANY_PORT,)):
        return words
    if protocol in (ICMP, ICMPV6):
        return [*words, ("IcmpType", quotes(map(_icmp, receivers)))]
    if protocol not in (TCP, UDP):
        raise BadWord("Windows knows ports of TCP and UDP only")
    ends = [("RemotePort", (sender,)), ("LocalPort", receivers)]
    if not inward:
        ends = [("LocalPort", (sender,)), ("RemotePort", receivers)]
    return words + [(name, quotes(map(str, ports))) for name, ports in ends if ports != (ANY_PORT,)]


def _icmp(ports: PortRange) -> str:
    kind, code = divmod(ports.first, 256)
    return f"{kind}:{code}" if ports.first == ports.last else str(kind)
