# SPDX-License-Identifier: Apache-2.0
"""Rules of Windows' firewall that a script makes, as far as filters can say them.

What such a rule allows is permitted here anyway, and stays under the connection security rules, as on Windows; a filter
that permits would take it out of their protection. What it blocks is a filter for one direction. Windows' firewall
remembers connections and lets their answers through; a filter does not, so a rule that would block those of whole
computers says so in a note, and one that would block those of everybody is left out.
"""

from collections.abc import Iterator
from dataclasses import replace

from ringfence.net.address import ANY_PORT, PortRange
from ringfence.net.flow import ICMP, ICMPV6
from ringfence.policy.errors import BadWord
from ringfence.policy.model import ANY, ME, Filter, Reading, Verb
from ringfence.policy.traffic import Traffic
from ringfence.transfer.consec import parse_ports, parse_protocol, traffic_of
from ringfence.transfer.powershell.report import Report
from ringfence.transfer.powershell.rules import end_of, scope_of, texts_of
from ringfence.transfer.powershell.terms import Gone, Names, check
from ringfence.transfer.powershell.values import Thing, text_of

ONLY_THERE = (
    "Program", "Service", "Package", "Owner", "LocalUser", "RemoteUser", "RemoteMachine", "DynamicTarget",
    "PolicyAppId", "RemoteDynamicKeywordAddresses",
)  # fmt: skip
SECURE_CURE = 'A [[rule]] with secure = { in = "require", out = "request" } for that traffic does it.'
ALLOWED = "what is allowed is permitted here anyway, and a filter for it would take it out of protection"


def filters(things: list[Thing], names: Names, report: Report) -> tuple[Filter, ...]:
    """Filters of those rules that block."""
    found: list[Filter] = []
    for one in things:
        title = f'{one.kind.value} "{one.title}"'
        if text_of(one.values.get("Action", "Allow")) != "Block":
            _allowed(one, title, report)
            continue
        try:
            check(one)
            item = _blocked(one)
        except (BadWord, Gone) as error:
            report.leave(one.line, title, *((error.why, error.cure) if isinstance(error, BadWord) else (str(error),)))
            continue
        name = names.take(one.title)
        if name != one.title:
            report.note(one.line, f'"{one.title}"', f'there is something of that name; it is called "{name}"')
        if item.traffic == (Traffic(item.traffic[0].protocol),):
            report.note(one.line, title, "it blocks answers to connections from the other side, too")
        found.append(replace(item, name=name))
    return tuple(found)


def _allowed(thing: Thing, title: str, report: Report) -> None:
    secure = text_of(thing.values.get("Authentication", "NotRequired")) != "NotRequired"
    if secure or thing.values.get("OverrideBlockRules"):
        report.leave(thing.line, title, "it allows what is secure only, which a filter cannot say", SECURE_CURE)
    else:
        report.note(thing.line, title, ALLOWED)


def _blocked(thing: Thing) -> Filter:
    said = thing.values
    for name in ONLY_THERE:
        if text_of(said.get(name)).lower() not in ("", "any"):
            raise BadWord(f"-{name} is said, and packets do not tell it")
    inward = text_of(said.get("Direction", "Inbound")) == "Inbound"
    local, remote = end_of(thing, "LocalAddress"), end_of(thing, "RemoteAddress")
    traffic = tuple(_traffic(thing, inward))
    if traffic == (Traffic(traffic[0].protocol),) and remote == ANY:
        raise BadWord("it blocks whatever begins a connection, and a filter cannot tell that from the answers")
    return Filter(
        name=thing.title,
        verb=Verb.BLOCK,
        traffic=traffic,
        local=ME if local == ANY else local,
        remote=remote,
        direction=Reading.IN if inward else Reading.OUT,
        mirrored=False,
        enabled=text_of(said.get("Enabled", "True")) == "True",
        description=text_of(said.get("Description")),
        scope=scope_of(thing),
    )


def _traffic(thing: Thing, inward: bool) -> Iterator[Traffic]:
    protocol = parse_protocol(text_of(thing.values.get("Protocol")))
    types = [one for one in texts_of(thing, "IcmpType") if one.lower() != "any"]
    if protocol in (ICMP, ICMPV6) and types:
        for one in types:
            ports = _icmp(one)
            yield Traffic(protocol, ports, ports)
        return
    here, there = (parse_ports(texts_of(thing, name)) for name in ("LocalPort", "RemotePort"))
    served = here if inward else there
    if protocol is not None and served == (ANY_PORT,) and (here, there) != (served, served):
        raise BadWord("it blocks connections by the port that they come from, which a filter cannot tell from answers")
    sender, receiver = (there, here) if inward else (here, there)
    yield from traffic_of(protocol, sender, receiver, both_any=False)


def _icmp(text: str) -> PortRange:
    """A type, or a type and a code: ``8``, ``3:4``."""
    kind, _, code = text.partition(":")
    if not kind.isdigit() or int(kind) > 255 or (code and not (code.isdigit() and int(code) < 256)):
        raise BadWord(f"-IcmpType {text} is none")
    number = int(kind) * 256
    return PortRange.one(number + int(code)) if code else PortRange(number, number + 255)
