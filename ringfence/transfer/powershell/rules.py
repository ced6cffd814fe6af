# SPDX-License-Identifier: Apache-2.0
"""The rules that a script ended up with, as connection security rules and main mode rules.

A rule that says neither ``-InboundSecurity`` nor ``-OutboundSecurity`` has none of both, by the reference of the
cmdlet, and so is an exemption. A setting that would change whom a rule is for, and that cannot be said here, leaves the
whole rule out: a rule for more than was meant is worse than none.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from ringfence.net.address import parse_address as parse_host
from ringfence.policy.addresses import families
from ringfence.policy.errors import BadWord
from ringfence.policy.gateways import Gateways
from ringfence.policy.model import ANY, ME, Address, KeyModule, MainModeRule, Need, Rule, Secure
from ringfence.policy.model import Kind as RuleKind
from ringfence.policy.scope import LinkKind, Profile, Scope
from ringfence.policy.traffic import Traffic
from ringfence.transfer.consec import (
    Ends,
    access,
    ends_of,
    kind_of,
    parse_addresses,
    parse_ports,
    parse_protocol,
    traffic_of,
    weighed,
)
from ringfence.transfer.powershell.report import Report
from ringfence.transfer.powershell.terms import Gone, Names, Terms, check
from ringfence.transfer.powershell.values import Kind, Thing, items_of, text_of

T = TypeVar("T")
NEEDS = {"None": Need.NONE, "Request": Need.REQUEST, "Require": Need.REQUIRE}
MODULES = {"Default": (), "IKEv1": (KeyModule.IKEV1,), "IKEv2": (KeyModule.IKEV2,), "AuthIP": (KeyModule.AUTHIP,)}
VALID = {
    (Need.NONE, Need.NONE), (Need.REQUEST, Need.NONE), (Need.REQUEST, Need.REQUEST), (Need.REQUIRE, Need.REQUEST),
    (Need.REQUIRE, Need.REQUIRE),
}  # fmt: skip
"""In and out, as the reference of the cmdlet lists them; a tunnel may also be required in, and clear out."""
LINKS = {"Wired": LinkKind.LAN, "Wireless": LinkKind.WIRELESS, "RemoteAccess": LinkKind.REMOTE_ACCESS}
PROFILES = {"Domain": Profile.DOMAIN, "Private": Profile.PRIVATE, "Public": Profile.PUBLIC}
ALIAS_CURE = 'Say the device here, such as interfaces = ["dev eth0"].'
SAID_ONLY = {
    "AllowWatchKey": "nobody else is told of keys here",
    "AllowSetKey": "nobody else sets keys here",
    "ForwardPathLifetime": "this computer notices itself that a path is gone",
    "TunnelType": "there is one kind of tunnel here",
    "Platform": "it holds on this computer, which is no version of Windows",
}


@dataclass(slots=True)
class Rules:
    """Makes rules of the objects of one session."""

    terms: Terms
    report: Report
    names: Names
    """Those of rules and filters."""
    kerberos: bool = False
    """Whether some rule leaves authentication to Windows' default."""
    crypto: bool = False
    """Whether some rule leaves its quick mode to Windows' default."""

    def rules(self, things: list[Thing]) -> tuple[Rule, ...]:
        """Connection security rules."""
        found: list[Rule] = []
        for one in things:
            try:
                check(one)
                rule = self._rule(one)
            except (BadWord, Gone) as error:
                self._leave(one, error)
                continue
            found.append(replace(rule, name=self._name(one, self.names), kind=kind_of(rule)))
        return weighed(tuple(found))

    def main_modes(self, things: list[Thing]) -> tuple[MainModeRule, ...]:
        """Main mode rules, in the order of their making."""
        names, found = Names(), list[MainModeRule]()
        for one in things:
            try:
                check(one)
                rule = self._main_mode(one)
            except (BadWord, Gone) as error:
                self._leave(one, error)
                continue
            found.append(replace(rule, name=self._name(one, names)))
        return tuple(found)

    def _name(self, thing: Thing, names: Names) -> str:
        name = names.take(thing.title)
        if name != thing.title:
            self.report.note(thing.line, f'"{thing.title}"', f'there is one of that DisplayName; it is called "{name}"')
        return name

    def _leave(self, thing: Thing, error: BadWord | Gone) -> None:
        why, cure = (error.why, error.cure) if isinstance(error, BadWord) else (str(error), "")
        self.report.leave(thing.line, f'{thing.kind.value} "{thing.title}"', why, cure)

    def _rule(self, thing: Thing) -> Rule:
        said = thing.values
        self._mention(thing)
        secure = Secure(*(NEEDS[text_of(said.get(f"{way}Security", "None"))] for way in ("Inbound", "Outbound")))
        if "InboundSecurity" not in said and "OutboundSecurity" not in said:
            why = "neither -InboundSecurity nor -OutboundSecurity is said, so it is an exemption"
            self.report.note(thing.line, f'NetIPsecRule "{thing.title}"', why)
        allow, deny = _asked("User and -Machine", lambda: access(_list(thing, "Machine"), _list(thing, "User")))
        rule = Rule(
            name=thing.title,
            kind=RuleKind.ISOLATION,
            secure=secure,
            allow=allow,
            deny=deny,
            keying=MODULES[text_of(said.get("KeyModule", "Default"))],
            scope=scope_of(thing),
            enabled=text_of(said.get("Enabled", "True")) == "True",
            description=text_of(said.get("Description")),
        )
        check_secure(secure, tunnel=said.get("Mode") == "Tunnel")
        rule = self._tunnel(thing, rule) if said.get("Mode") == "Tunnel" else self._transport(thing, rule)
        if not families(rule.local) & families(rule.remote):
            raise BadWord("one of its ends is of IPv4 and the other of IPv6")
        return rule if secure.exempt else self._agreed(thing, rule)

    def _mention(self, thing: Thing) -> None:
        for name, why in SAID_ONLY.items():
            if thing.values.get(name) not in (None, False, "", ()):
                self.report.note(thing.line, f'-{name} of "{thing.title}"', why)

    def _transport(self, thing: Thing, rule: Rule) -> Rule:
        for name in ("LocalTunnelEndpoint", "RemoteTunnelEndpoint", "RemoteTunnelHostname"):
            if thing.values.get(name):
                raise BadWord(f"-{name} is said, and -Mode is not Tunnel")
        first, second = end_of(thing, "LocalAddress"), end_of(thing, "RemoteAddress")
        ends = ends_of(first, second)
        traffic = traffic_in(thing, both_any=ends == Ends(ME, ANY))
        return replace(rule, local=ends.local, remote=ends.remote, either_end=ends.either_end, traffic=traffic)

    def _tunnel(self, thing: Thing, rule: Rule) -> Rule:
        if rule.secure.exempt:
            raise BadWord("a tunnel that protects nothing carries nothing")
        if thing.values.get("RemoteTunnelHostname"):
            raise BadWord("a tunnel's other end has an address here, and no name", cure="Say -RemoteTunnelEndpoint.")
        first, second = end_of(thing, "LocalAddress"), end_of(thing, "RemoteAddress")
        local, remote = _gateway(thing, "LocalTunnelEndpoint"), _gateway(thing, "RemoteTunnelEndpoint")
        return replace(
            rule,
            local=first,
            remote=second,
            traffic=traffic_in(thing, both_any=False),
            gateways=Gateways(remote, local),
            exempt_protected=bool(thing.values.get("EncryptedTunnelBypass")),
            authorize=bool(thing.values.get("RequireAuthorization")),
        )

    def _agreed(self, thing: Thing, rule: Rule) -> Rule:
        """With the terms that both sides agree to."""
        first = self._set(thing, Kind.PHASE1, "Phase1AuthSet")
        second = self._set(thing, Kind.PHASE2, "Phase2AuthSet")
        if first is not None:
            rule = replace(rule, auth_set=self.terms.auth(first, second or self.terms.default(Kind.PHASE2)))
        else:
            rule = replace(rule, second_auth=self.terms.second(second))
        crypto = self._set(thing, Kind.QUICK_MODE_CRYPTO, "QuickModeCryptoSet")
        rule = rule if crypto is None else replace(rule, quick_mode_crypto=self.terms.quick_mode(crypto))
        self.kerberos |= first is None and self.terms.default(Kind.PHASE1) is None
        self.crypto |= crypto is None and self.terms.default(Kind.QUICK_MODE_CRYPTO) is None
        return rule

    def _set(self, thing: Thing, kind: Kind, name: str) -> Thing | None:
        said = text_of(thing.values.get(name))
        if name in thing.values and not said:
            raise BadWord(f"-{name} is empty", cure="Name a set by its Name, or leave it out.")
        return self.terms.find(kind, said, thing)

    def _main_mode(self, thing: Thing) -> MainModeRule:
        self._mention(thing)
        ends = ends_of(end_of(thing, "LocalAddress"), end_of(thing, "RemoteAddress"))
        first = self._set(thing, Kind.PHASE1, "Phase1AuthSet")
        crypto = self._set(thing, Kind.MAIN_MODE_CRYPTO, "MainModeCryptoSet")
        if first is None and crypto is None:
            raise BadWord("it names no set of its own, and so changes nothing")
        return MainModeRule(
            name=thing.title,
            local=ends.local,
            remote=ends.remote,
            either_end=ends.either_end,
            auth_set=self.terms.main_mode_auth(first) if first is not None else "",
            main_mode_crypto=self.terms.main_mode(crypto) if crypto is not None else "",
            scope=scope_of(thing),
            enabled=text_of(thing.values.get("Enabled", "True")) == "True",
            description=text_of(thing.values.get("Description")),
        )


def check_secure(secure: Secure, *, tunnel: bool) -> None:
    """Raises BadWord for a requirement that no rule of Windows can have."""
    clear_out = tunnel and secure == Secure(Need.REQUIRE, Need.NONE)
    if (secure.inward, secure.outward) not in VALID and not clear_out:
        raise BadWord(f"Windows has no rule that is {secure}")


def _list(thing: Thing, name: str) -> str:
    """A list of accounts; None as a word stands for none."""
    text = text_of(thing.values.get(name))
    return "" if text.lower() in ("none", "any") else text


def _asked(name: str, read: Callable[[], T]) -> T:
    """What ``read`` gives; a BadWord of it names the parameter."""
    try:
        return read()
    except BadWord as error:
        raise BadWord(f"-{name} says something {error.why}", cure=error.cure) from error


def texts_of(thing: Thing, name: str) -> list[str]:
    """The texts of a parameter."""
    return [text_of(one) for one in items_of(thing.values.get(name))]


def end_of(thing: Thing, name: str) -> tuple[Address, ...]:
    """The addresses of a parameter; raises BadWord."""
    texts = texts_of(thing, name)
    return _asked(f"{name} {', '.join(texts)}", lambda: parse_addresses(texts))


def traffic_in(thing: Thing, *, both_any: bool) -> tuple[Traffic, ...]:
    """Protocol and ports of a rule; raises BadWord."""
    protocol = parse_protocol(text_of(thing.values.get("Protocol")))
    first, second = (parse_ports(texts_of(thing, name)) for name in ("LocalPort", "RemotePort"))
    return traffic_of(protocol, first, second, both_any=both_any)


def _gateway(thing: Thing, name: str) -> bytes | None:
    texts = texts_of(thing, name)
    if len(texts) > 1:
        raise BadWord(f"-{name} names {len(texts)} addresses, and a tunnel has one here",
                      cure="Make a rule for each of them.")  # fmt: skip
    if not texts or texts[0].lower() == "any":
        return None
    try:
        return parse_host(texts[0])
    except ValueError as error:
        raise BadWord(f"-{name} {texts[0]} is no address") from error


def scope_of(thing: Thing) -> Scope:
    """In which networks and on which interfaces it holds; raises BadWord."""
    profiles = [text_of(one) for one in items_of(thing.values.get("Profile"))]
    links = [text_of(one) for one in items_of(thing.values.get("InterfaceType"))]
    aliases = [one for one in texts_of(thing, "InterfaceAlias") if one.lower() not in ("any", "*")]
    if aliases:
        raise BadWord(f"-InterfaceAlias {aliases[0]} is a name that Windows gave", cure=ALIAS_CURE)
    if "NotApplicable" in profiles:
        raise BadWord("-Profile NotApplicable holds in no network")
    chosen = [] if "Any" in profiles else [PROFILES[one] for one in profiles]
    found = tuple(one for one in Profile if one in chosen)
    kinds = () if "Any" in links else tuple(one for one in LinkKind if one in [LINKS[word] for word in links])
    return Scope(() if len(found) == len(Profile) else found, () if len(kinds) == len(LinkKind) else kinds)
