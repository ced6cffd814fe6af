# SPDX-License-Identifier: Apache-2.0
"""Rules of the firewall in Group Policy objects, as far as filters can say them ([MS-GPFAS] §2.2.2.19).

What such a rule allows is permitted here anyway, and stays under the connection security rules, as on Windows; a filter
that permits would take it out of their protection. What it allows only if it is secure is a filter that says so, for
its answers, too. What it blocks is a filter for one direction. Windows' firewall remembers connections and lets their
answers through; a filter does not, so a rule that would block those of whole computers says so in a note, and one that
would block those of everybody is left out.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ringfence.net.address import ANY_PORT, PortRange
from ringfence.net.flow import ICMP, ICMPV6
from ringfence.place import Place
from ringfence.policy.errors import BadWord
from ringfence.policy.model import ANY, ME, Filter, Reading, Verb
from ringfence.policy.terms import Security
from ringfence.policy.traffic import Traffic
from ringfence.transfer.consec import OVERRIDE_CURE, SECURED, access, check_answers, traffic_of
from ringfence.transfer.grouppolicy import tokens
from ringfence.transfer.grouppolicy.grammar import Said, Token
from ringfence.transfer.grouppolicy.registry import Entry
from ringfence.transfer.grouppolicy.report import Report
from ringfence.transfer.grouppolicy.rules import NotOurs, end_of, read_rule, scope_of, title_of, unknown
from ringfence.transfer.grouppolicy.terms import Names
from ringfence.transfer.grouppolicy.values import Ports

SECURITIES = {
    (tokens.SECURITY, "Authenticate"): Security.AUTHENTICATED,
    (tokens.SECURITY, "AuthenticateEncrypt"): Security.ENCRYPTED,
    (tokens.SECURITY_2, "AnE-Nego"): Security.NEGOTIATED,
    (tokens.SECURITY_2_9, "An-NoEncap"): Security.NO_ENCAPSULATION,
}
"""By the field that says it; that of the later version of the schema says more, and decides."""
ONLY_THERE: tuple[Token[str], ...] = (
    tokens.PROGRAM, tokens.SERVICE, tokens.PACKAGE, tokens.OWNER, tokens.LOCAL_USERS, tokens.LOCAL_USERS_2_24,
    tokens.NETWORK, tokens.REALM_ID, tokens.TRUST, tokens.TRUST_2_22, tokens.TRUST_2_27, tokens.TRUST_2_28,
    tokens.LPORT_WORD, tokens.REMOTE4_2, tokens.REMOTE6_2,
)  # fmt: skip
"""What packets do not tell."""
ALLOWED = "what is allowed is permitted here anyway, and a filter for it would take it out of protection"


@dataclass(frozen=True, slots=True)
class _Found:
    place: str
    words: str
    item: Filter


class Filters:
    """Makes filters of the rules of a registry's firewall."""

    def __init__(self, report: Report, names: Names) -> None:
        self._report = report
        self._names = names
        self._allowed = Counter[str]()

    def filters(self, entries: Iterable[Entry]) -> tuple[Filter, ...]:
        """Filters of those rules that block, or allow only what is secure."""
        found = tuple(self._named(one) for one in self._each(entries))
        for origin, number in self._allowed.items():
            rules = "1 rule" if number == 1 else f"{number} rules"
            self._report.note(self._report.place(origin, "FirewallRules"), f"{rules} of the firewall", ALLOWED)
        return found

    def _each(self, entries: Iterable[Entry]) -> Iterator[_Found]:
        for entry in entries:
            place = self._report.place(entry.origin, f"FirewallRules\\{entry.instruction.value}")
            words = f"rule of the firewall {title_of(entry)}"
            try:
                said = read_rule(entry, tokens.FIREWALL)
                item = self._filter(said, entry.origin)
            except NotOurs as error:
                self._report.note(place, words, str(error))
                continue
            except BadWord as error:
                self._report.leave(place, words, error.why, error.cure)
                continue
            if item is not None:
                for why in unknown(said, tokens.FIREWALL):
                    self._report.note(place, words, why)
                yield _Found(place, words, replace(item, place=Place(self._report.place(entry.origin))))

    def _filter(self, said: Said, origin: str) -> Filter | None:
        action = said.one(tokens.FW_ACTION)
        if action is None:
            raise BadWord("it has no Action")
        if action == "Block":
            return _blocked(said)
        if action == "ByPass" or _security(said) is not None:
            return _secured(said, override=action == "ByPass" or said.true(tokens.BYPASS_OUT))
        self._allowed[origin] += 1
        return None

    def _named(self, found: _Found) -> Filter:
        item = found.item
        name = self._names.take(item.name)
        if name != item.name:
            why = f'there is something of that name, or it is long; it is called "{name}"'
            self._report.note(found.place, found.words, why)
        if item.secure is not None:
            if not item.override_block:
                self._report.note(found.place, found.words, SECURED)
        elif item.traffic == (Traffic(item.traffic[0].protocol),):
            self._report.note(found.place, found.words, "it blocks answers to connections from the other side, too")
        return replace(item, name=name)


def _security(said: Said) -> Security | None:
    later = (tokens.SECURITY_2, tokens.SECURITY_2_9, tokens.SECURITY)
    return next((SECURITIES[one, word] for one in later if (word := said.one(one)) is not None), None)


def _blocked(said: Said) -> Filter:
    for token in (tokens.REMOTE_COMPUTERS, tokens.REMOTE_USERS):
        if said.one(token):
            raise BadWord(f"its {token.name} is said, and packets do not tell it")
    item = _about(said, Verb.BLOCK)
    check_answers(item)
    return replace(item, mirrored=False)


def _secured(said: Said, *, override: bool) -> Filter:
    item = _about(said, Verb.PERMIT)
    allow, deny = access(said.one(tokens.REMOTE_COMPUTERS) or "", said.one(tokens.REMOTE_USERS) or "")
    if override and item.direction is Reading.IN and not allow.computers:
        raise BadWord("it overrides block rules inward, and says for no computers", cure=OVERRIDE_CURE)
    if not override:
        check_answers(item)
    secure = _security(said) or Security.AUTHENTICATED
    return replace(
        item, secure=secure, override_block=override, allow=allow, deny=deny, mirrored=not override,
    )  # fmt: skip


def _about(said: Said, verb: Verb) -> Filter:
    for token in ONLY_THERE:
        words: tuple[str, ...] = said.all(token)
        if any(words):
            raise BadWord(f"its {token.name} is said, and packets do not tell it")
    direction = said.one(tokens.DIRECTION)
    if direction is None:
        raise BadWord("it has no Dir")
    inward = direction == "In"
    local = end_of(said, tokens.LOCAL4, tokens.LOCAL6)
    return Filter(
        name=said.one(tokens.NAME) or "",
        verb=verb,
        traffic=tuple(_traffic(said, inward)),
        local=ME if local == ANY else local,
        remote=end_of(said, tokens.REMOTE4, tokens.REMOTE6),
        direction=Reading.IN if inward else Reading.OUT,
        enabled=said.true(tokens.ACTIVE),
        description=said.one(tokens.DESCRIPTION) or "",
        scope=scope_of(said),
    )


def _traffic(said: Said, inward: bool) -> Iterator[Traffic]:
    protocol = said.one(tokens.PROTOCOL)
    types = {ICMP: tokens.ICMP4, ICMPV6: tokens.ICMP6}
    for number, token in types.items():
        if protocol != number and said.all(token):
            raise BadWord(f"its {token.name} is for another protocol")
    messages = said.all(types[protocol]) if protocol in types else ()
    here = _ports(said, tokens.LPORT, tokens.LPORTS)
    there = _ports(said, tokens.RPORT, tokens.RPORTS)
    if messages and (here, there) == ((ANY_PORT,), (ANY_PORT,)):
        yield from (Traffic(protocol, ports, ports) for ports in dict.fromkeys(messages))
        return
    sender, receiver = (there, here) if inward else (here, there)
    yield from traffic_of(protocol, sender, receiver, both_any=False)


def _ports(said: Said, plain: Token[Ports], ranges: Token[Ports]) -> tuple[PortRange, ...]:
    found: list[PortRange] = []
    for one in (*said.all(plain), *said.all(ranges)):
        if isinstance(one, str):
            raise BadWord(f"it names {one}, which stands for ports that only Windows knows",
                          cure="Write the ports themselves.")  # fmt: skip
        found.append(one)
    return tuple(dict.fromkeys(found)) or (ANY_PORT,)
