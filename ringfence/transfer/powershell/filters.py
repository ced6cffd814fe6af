# SPDX-License-Identifier: Apache-2.0
"""Rules of Windows' firewall that a script makes, as far as filters can say them.

What such a rule allows is permitted here anyway, and stays under the connection security rules, as on Windows; a filter
that permits would take it out of their protection. What it allows only if it is secure is a filter that says so, for
its answers, too. What it blocks is a filter for one direction. Windows' firewall remembers connections and lets their
answers through; a filter does not, so a rule that would block those of whole computers says so in a note, and one that
would block those of everybody is left out.
"""

from collections.abc import Iterator
from dataclasses import replace

from ringfence.net.address import PortRange
from ringfence.net.flow import ICMP, ICMPV6
from ringfence.policy.errors import BadWord
from ringfence.policy.model import ANY, ME, Filter, Reading, Verb
from ringfence.policy.terms import Security
from ringfence.policy.traffic import Traffic
from ringfence.transfer.consec import (
    OVERRIDE_CURE,
    SECURED,
    access,
    check_answers,
    parse_ports,
    parse_protocol,
    traffic_of,
)
from ringfence.transfer.powershell.report import Report
from ringfence.transfer.powershell.rules import end_of, scope_of, texts_of
from ringfence.transfer.powershell.terms import Gone, Names, check
from ringfence.transfer.powershell.values import Thing, text_of

ONLY_THERE = (
    "Program", "Service", "Package", "Owner", "LocalUser", "DynamicTarget", "PolicyAppId",
    "RemoteDynamicKeywordAddresses",
)  # fmt: skip
WHO = ("RemoteUser", "RemoteMachine")
SECURITIES = {
    ("Required", "NotRequired"): Security.AUTHENTICATED,
    ("Required", "Required"): Security.ENCRYPTED,
    ("Required", "Dynamic"): Security.NEGOTIATED,
    ("NoEncap", "NotRequired"): Security.NO_ENCAPSULATION,
}
"""By -Authentication and -Encryption."""
ALLOWED = "what is allowed is permitted here anyway, and a filter for it would take it out of protection"


def filters(things: list[Thing], names: Names, report: Report) -> tuple[Filter, ...]:
    """Filters of those rules that block, or allow only what is secure."""
    found: list[Filter] = []
    for one in things:
        title = f'{one.kind.value} "{one.title}"'
        blocks = text_of(one.values.get("Action", "Allow")) == "Block"
        if not blocks and not _is_secure(one):
            report.note(one.line, title, ALLOWED)
            continue
        try:
            check(one)
            item = _blocked(one) if blocks else _secured(one)
        except (BadWord, Gone) as error:
            report.leave(one.line, title, *((error.why, error.cure) if isinstance(error, BadWord) else (str(error),)))
            continue
        name = names.take(one.title)
        if name != one.title:
            report.note(one.line, f'"{one.title}"', f'there is something of that name; it is called "{name}"')
        if not blocks:
            if not item.override_block:
                report.note(one.line, title, SECURED)
        elif item.traffic == (Traffic(item.traffic[0].protocol),):
            report.note(one.line, title, "it blocks answers to connections from the other side, too")
        found.append(replace(item, name=name))
    return tuple(found)


def _is_secure(thing: Thing) -> bool:
    """Whether it says anything of security."""
    said = [text_of(thing.values.get(name, "NotRequired")) for name in ("Authentication", "Encryption")]
    return said != ["NotRequired", "NotRequired"] or bool(thing.values.get("OverrideBlockRules"))


def _blocked(thing: Thing) -> Filter:
    for name in WHO:
        if text_of(thing.values.get(name)).lower() not in ("", "any"):
            raise BadWord(f"-{name} is said, and packets do not tell it")
    item = _about(thing, Verb.BLOCK)
    check_answers(item)
    return replace(item, mirrored=False)


def _secured(thing: Thing) -> Filter:
    words = tuple(text_of(thing.values.get(name, "NotRequired")) for name in ("Authentication", "Encryption"))
    secure = SECURITIES.get((words[0], words[1]))
    if secure is None:
        raise BadWord(f"Windows has no rule with -Authentication {words[0]} and -Encryption {words[1]}")
    item = _about(thing, Verb.PERMIT)
    allow, deny = access(*(_accounts(thing, name) for name in ("RemoteMachine", "RemoteUser")))
    override = bool(thing.values.get("OverrideBlockRules"))
    if override and item.direction is Reading.IN and not allow.computers:
        raise BadWord("it overrides block rules inward, and says for no computers", cure=OVERRIDE_CURE)
    if not override:
        check_answers(item)
    return replace(
        item, secure=secure, override_block=override, allow=allow, deny=deny, mirrored=not override,
    )  # fmt: skip


def _accounts(thing: Thing, name: str) -> str:
    text = text_of(thing.values.get(name))
    return "" if text.lower() in ("none", "any") else text


def _about(thing: Thing, verb: Verb) -> Filter:
    said = thing.values
    for name in ONLY_THERE:
        if text_of(said.get(name)).lower() not in ("", "any"):
            raise BadWord(f"-{name} is said, and packets do not tell it")
    inward = text_of(said.get("Direction", "Inbound")) == "Inbound"
    local, remote = end_of(thing, "LocalAddress"), end_of(thing, "RemoteAddress")
    return Filter(
        name=thing.title,
        verb=verb,
        traffic=tuple(_traffic(thing, inward)),
        local=ME if local == ANY else local,
        remote=remote,
        direction=Reading.IN if inward else Reading.OUT,
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
    sender, receiver = (there, here) if inward else (here, there)
    yield from traffic_of(protocol, sender, receiver, both_any=False)


def _icmp(text: str) -> PortRange:
    """A type, or a type and a code: ``8``, ``3:4``."""
    kind, _, code = text.partition(":")
    if not kind.isdigit() or int(kind) > 255 or (code and not (code.isdigit() and int(code) < 256)):
        raise BadWord(f"-IcmpType {text} is none")
    number = int(kind) * 256
    return PortRange.one(number + int(code)) if code else PortRange(number, number + 255)
