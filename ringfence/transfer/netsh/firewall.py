# SPDX-License-Identifier: Apache-2.0
"""``netsh advfirewall firewall add rule``: what of the firewall's rules a filter can say.

What no rule names is permitted here, so a rule that allows needs no filter: one would let its traffic pass in clear,
past every rule that protects it. A rule that blocks becomes a filter of its direction, for packets, since a filter
keeps no state.
"""

from ringfence.net.address import ANY_PORT
from ringfence.net.flow import ICMP, ICMPV6
from ringfence.policy.model import ANY, ME, Address, Filter, Reading, Verb
from ringfence.policy.traffic import Traffic, parse_traffic
from ringfence.transfer.consec import parse_addresses, parse_ports, parse_protocol, traffic_of
from ringfence.transfer.netsh.arguments import Refused
from ringfence.transfer.netsh.consec import Said, is_on, read_scope
from ringfence.transfer.netsh.session import Session

PROGRAM_WHY = "it is for one program, and a filter cannot tell programs apart"
ALLOW = "what no rule names is permitted here, so it needs no filter; rules that protect its traffic hold"
ANSWERS = "it blocks whatever begins a connection, and a filter cannot tell that from the answers"
BY_SOURCE = "it blocks connections by the port that they come from, which a filter cannot tell from answers"
STATELESS = "here it blocks packets of this direction, answers among them, for a filter keeps no state"


def read_filter(session: Session, said: Said) -> Filter | None:
    """A filter; None where none is needed. Raises Refused or BadWord."""
    if said.get("program", "any").lower() not in ("any", "all") or said.get("service", "any").lower() != "any":
        raise Refused(PROGRAM_WHY)
    security = said.get("security", "notrequired").lower()
    action = said.get("action", "").lower()
    if security != "notrequired" or action == "bypass":
        raise Refused("a filter that asks for security is not carried over", "Write a [[rule]] that requires it.")
    direction = said.get("dir", "").lower()
    if action not in ("allow", "block") or direction not in ("in", "out"):
        raise Refused("netsh needs dir=in or out, and action=allow, block or bypass")
    if action == "allow":
        session.note(ALLOW)
        return None
    traffic = _traffic(said, inward=direction == "in")
    remote = parse_addresses(said.get("remoteip", "any").split(","))
    if remote == ANY and traffic == (Traffic(traffic[0].protocol),):
        raise Refused(ANSWERS)
    made = Filter(
        said.get("name", ""), Verb.BLOCK, traffic, _ends(said, "localip"),
        remote, direction=Reading(direction), mirrored=False,
        scope=read_scope(said), enabled=is_on(said, "enable", default=True), description=said.get("description", ""),
    )  # fmt: skip
    session.note(STATELESS)
    return made


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
    served = local if inward else remote
    if number is not None and served == (ANY_PORT,) and (local, remote) != (served, served):
        raise Refused(BY_SOURCE)
    first, second = (remote, local) if inward else (local, remote)
    return traffic_of(number, first, second, both_any=False)
