# SPDX-License-Identifier: Apache-2.0
"""Connection security rules and main mode rules of Group Policy objects ([MS-GPFAS] §2.2.6, §2.2.7; [MS-FASP] §2.2.55).

A rule that is not for us (its ``SkipVer`` or its versions of Windows say so) is passed over with a note: Ringfence
takes part as the newest Windows would. One that is wrong, or that says what cannot be said here of whom it is for, is
left out as a whole; a rule for more than was meant is worse than none. All others hold.

Static tunnels (``RTunnel4``) name this computer's end by ``RTunnel`` and the other by ``LTunnel``, dynamic ones
(``RTunnel4_2``) the other way about, as the words say.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from ringfence.net.address import ANY_PORT, PortRange
from ringfence.place import Place
from ringfence.policy.addresses import families
from ringfence.policy.errors import BadWord
from ringfence.policy.gateways import Gateways
from ringfence.policy.model import ME, Address, KeyModule, MainModeRule, Need, Rule, Secure
from ringfence.policy.model import Kind as RuleKind
from ringfence.policy.scope import LinkKind, Profile, Scope
from ringfence.policy.terms import Kerberos
from ringfence.transfer.consec import KEYWORDS, PLACE_CURE, Ends, access, ends_of, kind_of, traffic_of, weighed
from ringfence.transfer.grouppolicy import tokens
from ringfence.transfer.grouppolicy.grammar import Grammar, Said, Token, parse
from ringfence.transfer.grouppolicy.registry import Entry
from ringfence.transfer.grouppolicy.report import Report
from ringfence.transfer.grouppolicy.sets import SetKind, SetSaid, is_default
from ringfence.transfer.grouppolicy.terms import Gone, Names, Terms
from ringfence.transfer.grouppolicy.values import Platform, Where

T = TypeVar("T", Rule, MainModeRule)
ACTIONS = {
    "SecureServer": Secure(Need.REQUIRE, Need.REQUEST),
    "Boundary": Secure(Need.REQUEST, Need.REQUEST),
    "Secure": Secure(Need.REQUIRE, Need.REQUIRE),
    "DoNotSecure": Secure(Need.NONE, Need.NONE),
}
WINDOWS = Platform(2, 10, 0)
"""What Ringfence takes part as, where a rule names versions of Windows."""
LONGEST_ID = 511
TITLE = re.compile(r"\|Name=([^|]+)\|", re.IGNORECASE)
TUNNEL_CURE = "Make a rule for each of them."
SAID_ONLY: tuple[tuple[Token[bool], str], ...] = (
    (tokens.DICTATE, "nobody else sets keys here"),
    (tokens.NOTIFY, "nobody else is told of keys here"),
    (tokens.REALM, "there are no security realms here"),
)


class NotOurs(Exception):
    """A rule that is for other systems; its text is a clause that says why."""


@dataclass(frozen=True, slots=True)
class Named:
    """A rule as it stands in the registry."""

    entry: Entry
    key: str
    """Below that of the firewall's policies."""
    said: Said
    what: str
    """Such as ``rule "lab is isolated"``."""


def read_rule(entry: Entry, known: Grammar) -> Said:
    """What the value of a rule says; raises BadWord, or NotOurs."""
    name, text = entry.instruction.value, entry.text
    if not 0 < len(name) <= LONGEST_ID or "|" in name:
        raise BadWord(f'its id is not of 1 to {LONGEST_ID} characters without "|"')
    if text is None:
        raise BadWord("its value is no text")
    said = parse(text, known)
    skip = said.one(tokens.SKIP)
    if skip is not None and skip >= tokens.INHERENT:
        raise NotOurs(f"it is for versions of Windows after schema {skip} only")
    check_platform(said)
    title = said.one(tokens.NAME)
    if not title or title.lower() == "all":
        raise BadWord('it has no name, or that of all rules, "All"')
    return said


def title_of(entry: Entry) -> str:
    """What people call a rule, if only by looking at it: it need not be one."""
    match = TITLE.search(entry.text or "")
    return f'"{match[1]}"' if match else entry.instruction.value


def check_platform(said: Said) -> None:
    """Raises NotOurs for a rule that names versions of Windows, and none that we take part as."""
    platforms = said.all(tokens.PLATFORMS)
    if not platforms or WINDOWS in platforms:
        return
    last = platforms[-1]
    if said.one(tokens.OR_LATER) is not None and last.kind == WINDOWS.kind and last <= WINDOWS:
        return
    raise NotOurs(f"it is for Windows {', '.join(f'{one.major}.{one.minor}' for one in platforms)} only")


def unknown(said: Said, known: Grammar) -> Iterator[str]:
    """What a rule says and what is not known here, each as a clause."""
    for name, value in said.unknown(known):
        yield f"its {name} ({value[:40]}) is not known here"


@dataclass(slots=True)
class Rules:
    """Makes rules of what a registry has."""

    terms: Terms
    report: Report
    names: Names
    """Those of rules and filters."""
    kerberos: bool = False
    """Whether some rule leaves authentication to Windows' default."""
    crypto: bool = False
    """Whether some rule leaves its quick mode to Windows' default."""

    def rules(self, entries: Iterable[Entry]) -> tuple[Rule, ...]:
        """Connection security rules."""
        found = self._each(entries, "ConSecRules", tokens.CONSEC, "rule", self._rule, self.names)
        return weighed(tuple(replace(one, kind=kind_of(one)) for one in found))

    def main_modes(self, entries: Iterable[Entry]) -> tuple[MainModeRule, ...]:
        """Main mode rules, in the order in which they stand there."""
        what = "main mode rule"
        return self._each(entries, "MainModeRules", tokens.MAIN_MODE, what, self._main_mode, Names())

    def _each(
        self, entries: Iterable[Entry], key: str, known: Grammar, what: str, make: Callable[[Named], T], names: Names
    ) -> tuple[T, ...]:
        found: list[T] = []
        for entry in entries:
            place = self.report.place(entry.origin, f"{key}\\{entry.instruction.value}")
            words = f"{what} {title_of(entry)}"
            try:
                said = read_rule(entry, known)
                named = Named(entry, f"{key}\\{entry.instruction.value}", said, words)
                rule = make(named)
            except NotOurs as error:
                self.report.note(place, words, str(error))
                continue
            except (BadWord, Gone) as error:
                self.report.leave(place, words, *_why(error))
                continue
            for why in unknown(said, known):
                self._note(named, why)
            name = names.take(rule.name)
            if name != rule.name:
                self._note(named, f'there is something of that name, or it is long; it is called "{name}"')
            found.append(replace(rule, name=name, place=Place(self.report.place(entry.origin))))
        return tuple(found)

    def _note(self, named: Named, why: str) -> None:
        self.report.note(self.report.place(named.entry.origin, named.key), named.what, why)

    # -- connection security rules

    def _rule(self, named: Named) -> Rule:
        said = named.said
        secure = ACTIONS.get(said.one(tokens.ACTION) or "")
        if secure is None:
            raise BadWord("it has no Action")
        allow, deny = access(said.one(tokens.COMPUTERS) or "", said.one(tokens.USERS) or "")
        rule = Rule(
            name=said.one(tokens.NAME) or "",
            kind=RuleKind.ISOLATION,
            secure=secure,
            allow=allow,
            deny=deny,
            keying=_modules(said),
            scope=scope_of(said),
            enabled=said.true(tokens.ACTIVE),
            description=said.one(tokens.DESCRIPTION) or "",
        )
        tunnel = said.has(tokens.TUNNEL)
        rule = _tunnel(said, rule) if tunnel else _transport(said, rule)
        if not families(rule.local) & families(rule.remote):
            raise BadWord("one of its ends is of IPv4 and the other of IPv6")
        self._mention(named)
        return rule if secure.exempt else self._agreed(named, rule)

    def _mention(self, named: Named) -> None:
        for token, why in SAID_ONLY:
            if named.said.true(token):
                self._note(named, f"its {token.name}: {why}")
        if named.said.one(tokens.FORWARD):
            self._note(named, "its FwdLifetime: this computer notices itself that a path is gone")

    def _agreed(self, named: Named, rule: Rule) -> Rule:
        """With the terms that both sides agree to."""
        first_id, crypto_id = named.said.one(tokens.AUTH1), named.said.one(tokens.CRYPTO2)
        if not first_id or not crypto_id:
            raise BadWord(f"it names no {'Auth1Set' if not first_id else 'Crypto2Set'}")
        first = self.terms.find(SetKind.AUTH1, first_id)
        second_id = named.said.one(tokens.AUTH2) or ""
        second = self.terms.find(SetKind.AUTH2, second_id) if second_id else None
        rule = self._authenticated(rule, first, second, inherits=is_default(SetKind.AUTH1, first_id))
        crypto = self.terms.find(SetKind.CRYPTO2, crypto_id)
        self.crypto |= crypto is None and SetKind.CRYPTO2 not in self.terms.ours
        if crypto is None or crypto.is_default:
            if crypto is not None:
                self.terms.quick_mode(crypto)
            return rule
        return replace(rule, quick_mode_crypto=self.terms.quick_mode(crypto))

    def _authenticated(self, rule: Rule, first: SetSaid | None, second: SetSaid | None, *, inherits: bool) -> Rule:
        """``inherits``: its first authentication is that of rules that name none."""
        self.kerberos |= first is None
        if inherits and second is self.terms.default(SetKind.AUTH2):
            if first is not None:
                self.terms.auth(first, second)
            return rule
        if first is not None:
            return replace(rule, auth_set=self.terms.auth(first, second))
        return replace(rule, auth=(Kerberos(),), second_auth=self.terms.second(second))

    # -- main mode rules

    def _main_mode(self, named: Named) -> MainModeRule:
        said = named.said
        ends = ends_of(*both_ends(said))
        if not families(ends.local) & families(ends.remote):
            raise BadWord("one of its ends is of IPv4 and the other of IPv6")
        first = self._own(SetKind.AUTH1, said.one(tokens.AUTH1))
        crypto = self._own(SetKind.CRYPTO1, said.one(tokens.CRYPTO1))
        if first is None and crypto is None:
            raise BadWord("it names no set of its own, and so changes nothing")
        return MainModeRule(
            name=said.one(tokens.NAME) or "",
            local=ends.local,
            remote=ends.remote,
            either_end=ends.either_end,
            auth_set=self.terms.main_mode_auth(first) if first is not None else "",
            main_mode_crypto=self.terms.main_mode(crypto) if crypto is not None else "",
            scope=scope_of(said),
            enabled=said.true(tokens.ACTIVE),
            description=said.one(tokens.DESCRIPTION) or "",
        )

    def _own(self, kind: SetKind, set_id: str | None) -> SetSaid | None:
        return self.terms.find(kind, set_id) if set_id else None


def _why(error: BadWord | Gone) -> tuple[str, str]:
    return (error.why, error.cure) if isinstance(error, BadWord) else (str(error), "")


def _modules(said: Said) -> tuple[KeyModule, ...]:
    words = said.all(tokens.KEY_MODULES)
    return () if "KeyModDefault" in words else tuple(tokens.MODULE_WORDS[one] for one in dict.fromkeys(words))


def scope_of(said: Said) -> Scope:
    """In which networks and on which interfaces it holds; raises BadWord."""
    profiles, links = said.all(tokens.PROFILE), said.all(tokens.LINKS)
    if said.all(tokens.INTERFACES):
        raise BadWord("it names an interface by a GUID that Windows gave",
                      cure='Say the device here, such as interfaces = ["dev eth0"].')  # fmt: skip
    return Scope(
        () if set(profiles) == set(Profile) else tuple(one for one in Profile if one in profiles),
        () if set(links) == set(LinkKind) else tuple(one for one in LinkKind if one in links),
    )


def address_of(where: Where) -> Address:
    """What the rest of the program calls these addresses; raises BadWord."""
    if not isinstance(where, str):
        return where
    if where.lower() not in KEYWORDS:
        raise BadWord(f"it names {where}, which stands for networks that are not known here", cure=PLACE_CURE)
    return KEYWORDS[where.lower()]


def end_of(said: Said, *both: Token[Where]) -> tuple[Address, ...]:
    """The addresses of one endpoint, from its tokens of both families; raises BadWord."""
    found = tuple(dict.fromkeys(address_of(where) for token in both for where in said.all(token)))
    return found or (KEYWORDS["any"],)


def both_ends(said: Said) -> tuple[tuple[Address, ...], tuple[Address, ...]]:
    """The addresses of both endpoints; raises BadWord."""
    return end_of(said, tokens.FIRST4, tokens.FIRST6), end_of(said, tokens.SECOND4, tokens.SECOND6)


def _ports(said: Said) -> tuple[tuple[PortRange, ...], tuple[PortRange, ...]]:
    first = (*said.all(tokens.FIRST_PORT), *said.all(tokens.FIRST_PORTS))
    second = (*said.all(tokens.SECOND_PORT), *said.all(tokens.SECOND_PORTS))
    return first or (ANY_PORT,), second or (ANY_PORT,)


def _transport(said: Said, rule: Rule) -> Rule:
    for token in (tokens.CLEAR_OUT, tokens.BYPASS, tokens.AUTHORIZE):
        if said.true(token):
            raise BadWord(f"its {token.name} is for tunnels, and it is none")
    ends = ends_of(*both_ends(said))
    traffic = traffic_of(said.one(tokens.PROTOCOL), *_ports(said), both_any=ends == Ends(ME, (KEYWORDS["any"],)))
    return replace(rule, local=ends.local, remote=ends.remote, either_end=ends.either_end, traffic=traffic)


def _tunnel(said: Said, rule: Rule) -> Rule:
    if rule.secure.exempt:
        raise BadWord("a tunnel that protects nothing carries nothing")
    if said.one(tokens.ACTION) != "Secure":
        raise BadWord("a tunnel's Action is Secure")
    if rule.allow or rule.deny:
        raise BadWord("its list of computers or users is for rules without a tunnel")
    if said.one(tokens.PROTOCOL) is not None or _ports(said) != ((ANY_PORT,), (ANY_PORT,)):
        raise BadWord("a tunnel is for all protocols")
    if said.one(tokens.TUNNEL_NAME):
        raise BadWord("a tunnel's other end has an address here, and no name")
    first, second = both_ends(said)
    secure = Secure(Need.REQUIRE, Need.NONE) if said.true(tokens.CLEAR_OUT) else rule.secure
    return replace(
        rule,
        secure=secure,
        local=first,
        remote=second,
        gateways=_gateways(said, families(first) & families(second)),
        exempt_protected=said.true(tokens.BYPASS),
        authorize=said.true(tokens.AUTHORIZE),
    )


def _gateways(said: Said, inside: set[int]) -> Gateways:
    """Of the family that the tunnel has both or one of its ends in."""
    remote4 = (said.one(tokens.RTUNNEL4_2), said.one(tokens.LTUNNEL4), *_several(said, tokens.TUNNELS4))
    remote6 = (said.one(tokens.RTUNNEL6_2), said.one(tokens.LTUNNEL6), *_several(said, tokens.TUNNELS6))
    local4 = (said.one(tokens.LTUNNEL4_2), said.one(tokens.RTUNNEL4))
    local6 = (said.one(tokens.LTUNNEL6_2), said.one(tokens.RTUNNEL6))
    remotes, locals_ = (
        [one for one in dict.fromkeys((*four, *six)) if one is not None and any(one)]
        for four, six in ((remote4, remote6), (local4, local6))
    )
    if len(remotes) > 1 or len(locals_) > 1:
        raise BadWord(f"it names {max(len(remotes), len(locals_))} addresses of one end, and a tunnel has one here",
                      cure=TUNNEL_CURE)  # fmt: skip
    if len({len(one) for one in (*remotes, *locals_)}) > 1:
        raise BadWord("one end of its tunnel is of IPv4 and the other of IPv6")
    if not inside:
        raise BadWord("one of its ends is of IPv4 and the other of IPv6")
    return Gateways(next(iter(remotes), None), next(iter(locals_), None))


def _several(said: Said, token: Token[Where]) -> list[bytes]:
    found = said.all(token)
    hosts = [one.first for one in found if not isinstance(one, str) and one.is_host]
    if len(hosts) != len(found):
        raise BadWord(f"its {token.name} is no single address, and a tunnel ends at one here")
    return hosts
