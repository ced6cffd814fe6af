# SPDX-License-Identifier: Apache-2.0
"""``netsh advfirewall firewall add rule``: what of the firewall's rules a filter can say.

What no rule names is permitted here, so a rule that allows needs no filter: one would let its traffic pass in clear,
past every rule that protects it. One that allows what is secure only becomes a filter that says so, for answers, too. A
rule that blocks becomes a filter of its direction, for packets, since a filter keeps no state.
"""

from dataclasses import replace

from ringfence.net.flow import ICMP, ICMPV6
from ringfence.policy.model import ANY, ME, Address, Filter, Reading, Verb
from ringfence.policy.rules import WINDOWS_SECURITY
from ringfence.policy.traffic import Traffic, parse_traffic
from ringfence.transfer.consec import (
    OVERRIDE_CURE,
    SECURED,
    access,
    parse_addresses,
    parse_ports,
    parse_protocol,
    traffic_of,
)
from ringfence.transfer.netsh.arguments import Refused
from ringfence.transfer.netsh.consec import Said, is_on, read_scope
from ringfence.transfer.netsh.session import Session

PROGRAM_WHY = "it is for one program, and a filter cannot tell programs apart"
ALLOW = "what no rule names is permitted here, so it needs no filter; rules that protect its traffic hold"
ANSWERS = "it is about whatever begins a connection, and a filter cannot tell that from the answers"
BY_SOURCE = "it is about connections by the port that they come from, which a filter cannot tell from answers"
STATELESS = "here it blocks packets of this direction, answers among them, for a filter keeps no state"


def read_filter(session: Session, said: Said) -> Filter | None:
    """A filter; None where none is needed. Raises Refused or BadWord."""
    if said.get("program", "any").lower() not in ("any", "all") or said.get("service", "any").lower() != "any":
        raise Refused(PROGRAM_WHY)
    security = said.get("security", "notrequired").lower()
    action = said.get("action", "").lower()
    direction = said.get("dir", "").lower()
    if action not in ("allow", "block", "bypass") or direction not in ("in", "out"):
        raise Refused("netsh needs dir=in or out, and action=allow, block or bypass")
    if action == "allow" and security == "notrequired":
        session.note(ALLOW)
        return None
    inward = direction == "in"
    made = Filter(
        said.get("name", ""), Verb.BLOCK if action == "block" else Verb.PERMIT, _traffic(said, inward=inward),
        _ends(said, "localip"), parse_addresses(said.get("remoteip", "any").split(",")), direction=Reading(direction),
        scope=read_scope(said), enabled=is_on(said, "enable", default=True), description=said.get("description", ""),
    )  # fmt: skip
    if action == "bypass":
        return replace(_secured(made, said, security), override_block=True, mirrored=False)
    if action == "block" and security != "notrequired":
        raise Refused("a rule that blocks asks for no security, and netsh refuses it")
    if made.remote == ANY and made.traffic == (Traffic(made.traffic[0].protocol),):
        raise Refused(ANSWERS)
    _check_ports(made)
    session.note(STATELESS if action == "block" else SECURED)
    return replace(made, mirrored=False) if action == "block" else _secured(made, said, security)


def _secured(made: Filter, said: Said, security: str) -> Filter:
    if security not in WINDOWS_SECURITY:
        raise Refused(f'security is "{security}", but has to be one of {", ".join(WINDOWS_SECURITY)}')
    allow, deny = access(said.get("rmtcomputergrp", ""), said.get("rmtusrgrp", ""))
    if said.get("action", "").lower() == "bypass" and made.direction is Reading.IN and not allow.computers:
        raise Refused("action=bypass inward names computers by rmtcomputergrp, and netsh refuses it without",
                      OVERRIDE_CURE)  # fmt: skip
    return replace(made, secure=WINDOWS_SECURITY[security], allow=allow, deny=deny)


def _check_ports(made: Filter) -> None:
    """Refuses a block that would be of answers."""
    for one in made.traffic:
        if one.protocol not in (None, ICMP, ICMPV6) and one.receiver_ports.is_any and not one.sender_ports.is_any:
            raise Refused(BY_SOURCE)


def _ends(said: Said, tag: str) -> tuple[Address, ...]:
    found = parse_addresses(said.get(tag, "any").split(","))
    return ME if found == ANY else found


def _traffic(said: Said, *, inward: bool) -> tuple[Traffic, ...]:
    text = said.get("protocol", "any").lower()
    protocol, _, rest = text.partition(":")
    number = parse_protocol(protocol)
    if number in (ICMP, ICMPV6) and rest:
        kind, _, code = rest.partition(",")
        word = "icmp" if number == ICMP else "icmpv6"
        tail = "" if kind == "any" else f" {kind}" if code in ("", "any") else f" {kind}/{code}"
        return (parse_traffic(f"{word}{tail}"),)
    local, remote = (parse_ports(said.get(f"{end}port", "any").split(",")) for end in ("local", "remote"))
    first, second = (remote, local) if inward else (local, remote)
    return traffic_of(number, first, second, both_any=False)
