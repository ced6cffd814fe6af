# SPDX-License-Identifier: Apache-2.0
"""What a ``[[rule]]`` and a ``[[filter]]`` of the document say."""

from dataclasses import replace
from typing import TypeVar

from ringfence.crypto.suites import DhGroup
from ringfence.databases.identity import Identity, IdentityKind
from ringfence.databases.proposal import Limits, SecurityMethod
from ringfence.databases.sa import DfPolicy, TunnelOptions
from ringfence.policy.addresses import Ends, decode_ends
from ringfence.policy.decode import Table
from ringfence.policy.errors import BadWord
from ringfence.policy.methods import parse_group, parse_ike_proposal, parse_method, weak
from ringfence.policy.model import (
    MAIN_MODE_LIFETIME_S,
    QUICK_MODE_LIMITS,
    Filter,
    Kind,
    MainMode,
    Need,
    PskFile,
    Reading,
    Rule,
    Secure,
    Verb,
)
from ringfence.policy.traffic import ANY_TRAFFIC, Traffic, parse_traffic
from ringfence.policy.units import parse_amount, parse_duration

DEFAULT = Rule("", Kind.ISOLATION)
T = TypeVar("T")

LATER = {
    "allow": "Leave it out: whoever has the key is let in.",
    "profiles": "Leave it out: the rule holds in every network.",
    "interfaces": "Leave it out: the rule holds on every interface.",
    "connection": "Leave it out: the rule holds on every interface.",
}
AUTH_LATER = ("kerberos", "certificate", "ntlm", "anonymous")
AUTH_CURE = 'Authenticate by a preshared key: auth = { psk-file = "FILE" }.'

LONGEST_S = 172_799
"""As Windows has it; the time after which keys are surely worn out."""


def decode_rule(table: Table) -> Rule:
    """A connection security rule; what is wrong goes to the table's findings."""
    table.later = dict(LATER)
    name = _name(table)
    ends = decode_ends(table)
    secure = _secure(table)
    lifetime = _lifetime(table)
    traffic = table.words("traffic", parse_traffic, split=",") or (ANY_TRAFFIC,)
    rule = Rule(
        name=name,
        kind=Kind.CUSTOM,
        local=ends.local,
        remote=ends.remote,
        either_end=ends.either_end,
        traffic=traffic,
        secure=secure,
        auth=_auth(table),
        protect=table.words("protect", lambda word: parse_method(word, lifetime)) or _default_methods(lifetime),
        lifetime=lifetime,
        main_mode=_main_mode(table),
        gateways=ends.gateways,
        tunnel=_tunnel(table),
        replay_window=_or(table.number("replay-window", 0, 4096), DEFAULT.replay_window),
        tfc_octets=_or(table.number("tfc", 0, 65535), 0),
        nat_traversal=_or(table.value("nat-traversal", bool), True),
        initiate=_or(table.value("initiate", bool), True),
        legacy=_or(table.value("legacy", bool), False),
        enabled=_or(table.value("enabled", bool), True),
        description=_or(table.value("description", str), ""),
        line=table.source.line_of(table.steps),
    )
    rule = replace(rule, pfs=_pfs(table, rule.main_mode), kind=_kind(table, rule, ends))
    rule = _identities(table, rule)
    _check_rule(table, rule)
    table.finish()
    return replace(rule, lines=_lines(table))


def _default_methods(lifetime: Limits) -> tuple[SecurityMethod, ...]:
    if lifetime == QUICK_MODE_LIMITS:
        return DEFAULT.protect
    return tuple(replace(method, limits=lifetime) for method in DEFAULT.protect)


def decode_filter(table: Table) -> Filter:
    """A filter that permits or blocks; what is wrong goes to the table's findings."""
    table.later = dict(LATER)
    name = _name(table)
    ends = decode_ends(table)
    verbs = [verb for verb in Verb if table.has(verb.value)]
    traffic: tuple[Traffic, ...] = (ANY_TRAFFIC,)
    for verb in Verb:
        traffic = table.words(verb.value, parse_traffic, split=",") or traffic
    if len(verbs) != 1:
        table.complain("", 'says neither "permit" nor "block"' if not verbs else 'says both "permit" and "block"',
                       cure='Such as: block = "tcp to 23"')  # fmt: skip
    if ends.gateways is not None:
        table.complain("", "names a gateway, but only a rule can be a tunnel", cure="Make it a [[rule]].")
    found = Filter(
        name=name,
        verb=verbs[0] if verbs else Verb.BLOCK,
        traffic=traffic,
        local=ends.local,
        remote=ends.remote,
        either_end=ends.either_end,
        direction=table.choice("direction", Reading) or Reading.OUT,
        mirrored=_or(table.value("mirrored", bool), True),
        enabled=_or(table.value("enabled", bool), True),
        description=_or(table.value("description", str), ""),
        line=table.source.line_of(table.steps),
    )
    table.finish()
    return replace(found, lines=_lines(table))


def _or(value: T | None, default: T) -> T:
    return default if value is None else value


def _lines(table: Table) -> dict[str, int]:
    """The line of each setting that the document says; of inner tables each setting apart."""
    lines = table.lines(table.data)
    for key, value in table.data.items():
        if isinstance(value, dict):
            lines |= table.inner(key, value).lines(value)
    return lines


def _name(table: Table) -> str:
    if not table.has("name"):
        table.seen.add("name")
        table.complain("", "has no name", cure='Every answer leads back to a name: name = "lab is isolated"')
        return ""
    name = table.text("name") or ""
    if len(name) > 100 or not name.isprintable():
        table.complain("name", "has to be at most 100 printable characters")
    return name


def _secure(table: Table) -> Secure:
    if isinstance(table.data.get("secure"), dict):
        inner = table.table("secure")
        if inner is None:
            return Secure()
        ways = {way: inner.choice(way, Need) for way in ("in", "out")}
        for way in ("in", "out"):
            if not inner.has(way):
                table.complain("secure", f'does not say "{way}"', cure='Such as { in = "require", out = "request" }.')
        inner.finish()
        return Secure(ways["in"] or Need.REQUIRE, ways["out"] or Need.REQUIRE)
    need = table.choice("secure", Need) or Need.REQUIRE
    return Secure(need, need)


def _auth(table: Table) -> tuple[PskFile, ...]:
    value = table.raw("auth")
    if value is None:
        return ()
    if value == []:
        table.complain("auth", "is an empty list", cure=AUTH_CURE)
    found: list[PskFile] = []
    for number, item in enumerate(value if isinstance(value, list) else [value]):
        at = (number,) if isinstance(value, list) else ()
        name = item if isinstance(item, str) else next(iter(item), "") if isinstance(item, dict) else ""
        if name in AUTH_LATER:
            table.complain("auth", f'names "{name}", which is not supported yet', cure=AUTH_CURE, at=at)
        elif not isinstance(item, dict):
            table.complain("auth", "is not understood", cure=AUTH_CURE, at=at)
        else:
            inner = table.inner("auth", item, at)
            file = inner.text("psk-file")
            if not inner.has("psk-file"):
                table.complain("auth", "does not say psk-file", cure=AUTH_CURE, at=at)
            inner.finish()
            found += [PskFile(file)] if file else []
    return tuple(found)


def _limit(table: Table, key: str, parse: object, default: int | None, first: int, last: int) -> int | None:
    if table.data.get(key) == 0 and type(table.data.get(key)) is int:
        table.seen.add(key)
        return None
    value = table.word(key, parse_duration if parse is parse_duration else parse_amount)
    if value is None:
        return default
    if not first <= value <= last:
        of_time = parse is parse_duration
        words = f"from {first} s to {last} s" if of_time else "from 64 KB to 1024 TB, or 0 for no limit of this kind"
        table.complain(key, f"is out of range: {words}")
        return default
    return value


def _lifetime(table: Table) -> Limits:
    if not table.has("lifetime"):
        table.seen.add("lifetime")
        return QUICK_MODE_LIMITS
    if isinstance(table.data["lifetime"], str):
        seconds = table.word("lifetime", parse_duration)
        if seconds is not None and not 5 <= seconds <= LONGEST_S:
            table.complain("lifetime", f"is out of range: from 5 s to {LONGEST_S} s")
        return Limits(seconds)
    inner = table.table("lifetime")
    if inner is None:
        return QUICK_MODE_LIMITS
    limits = Limits(
        _limit(inner, "time", parse_duration, QUICK_MODE_LIMITS.seconds, 5, LONGEST_S),
        _limit(inner, "data", parse_amount, None, 1 << 16, 1 << 50),
        inner.number("packets", 1000, 1 << 60),
    )
    inner.finish()
    if limits.seconds is None:
        table.complain("lifetime", "has to end by time at least", cure='Such as { time = "60 min", data = "100 MB" }.')
    return limits


def _main_mode(table: Table) -> MainMode:
    inner = table.table("main-mode")
    if inner is None:
        return MainMode()
    seconds = _limit(inner, "lifetime", parse_duration, MAIN_MODE_LIFETIME_S, 10, LONGEST_S)
    if seconds is None:
        inner.complain("lifetime", "has to end", cure='Such as "480 min".')
    limits = Limits(seconds=seconds or MAIN_MODE_LIFETIME_S)
    found = MainMode(
        inner.words("methods", lambda word: parse_ike_proposal(word, limits))
        or tuple(replace(method, limits=limits) for method in MainMode().methods),
        seconds or MAIN_MODE_LIFETIME_S,
        _or(inner.number("sessions", 0, 1 << 31), 0),
        _or(inner.value("pfs", bool), False),
    )
    inner.finish()
    return found


def _pfs(table: Table, main_mode: MainMode) -> DhGroup | None:
    value = table.raw("pfs")
    if isinstance(value, bool):
        return main_mode.methods[0].group if value else None
    return table.word("pfs", parse_group)


def _tunnel(table: Table) -> TunnelOptions:
    inner = table.table("tunnel")
    if inner is None:
        return TunnelOptions()
    default = TunnelOptions()
    copy = not inner.has("dscp") or inner.data["dscp"] == "copy"
    if copy:
        inner.seen.add("dscp")
    options = TunnelOptions(
        ttl=_or(inner.number("ttl", 1, 255), default.ttl),
        df=inner.choice("df", DfPolicy) or default.df,
        copy_dscp=copy,
        dscp=0 if copy else _or(inner.number("dscp", 0, 63), 0),
        ecn=_or(inner.value("ecn", bool), default.ecn),
    )
    inner.finish()
    return options


def parse_identity(text: str) -> Identity:
    """An identity as a policy writes it; raises BadWord."""
    text = text.strip()
    if "=" in text and not text.startswith(("dn:", "keyid:")):
        raise BadWord(
            "but distinguished names in words are not supported yet",
            cure='Write "dn:" and its DER octets in hex, or use a name such as "alice.corp.example".',
        )
    identity = Identity.parse(text)
    named = identity.kind in (IdentityKind.FQDN, IdentityKind.USER_FQDN)
    if named and not (text.isascii() and text.isprintable() and " " not in text and len(text) < 256):
        raise BadWord("which is no identity", cure='Such as "alice.corp.example", "alice@corp.example", "192.0.2.1".')
    if not identity.data:
        raise BadWord("which is empty")
    return identity


def _identities(table: Table, rule: Rule) -> Rule:
    inner = table.table("identity")
    if inner is None:
        return rule
    local, remote = inner.word("local", parse_identity), inner.word("remote", parse_identity)
    inner.finish()
    return replace(rule, local_identity=local, remote_identity=remote)


def _kind(table: Table, rule: Rule, ends: Ends) -> Kind:
    if rule.gateways is not None:
        follows = Kind.TUNNEL
    elif rule.secure.exempt:
        follows = Kind.EXEMPTION
    elif rule.traffic != (ANY_TRAFFIC,):
        follows = Kind.CUSTOM
    else:
        follows = Kind.SERVER_TO_SERVER if ends.both_said else Kind.ISOLATION
    said = table.choice("kind", Kind)
    if said is None or said is follows:
        return follows
    plain = (Kind.ISOLATION, Kind.SERVER_TO_SERVER, Kind.CUSTOM)
    if said in plain and follows in plain and not (said is not Kind.CUSTOM and follows is Kind.CUSTOM):
        return said
    why = WHY_NOT.get(said) or WHY.get(follows, "is of another kind")
    table.complain("kind", f'is "{said.value}", but the rule {why}', cure=CURE_KIND.get(said, ""))
    return follows


WHY_NOT = {Kind.TUNNEL: "names no gateway", Kind.EXEMPTION: "protects its traffic"}
WHY = {
    Kind.TUNNEL: "names a gateway, which makes it a tunnel",
    Kind.EXEMPTION: 'says secure = "none", which makes it an exemption',
    Kind.CUSTOM: "names its traffic, which makes it a custom one",
}
CURE_KIND = {
    Kind.TUNNEL: 'A tunnel says where it ends: remote = { networks = ["10.2.0.0/16"], gateway = "198.51.100.7" }',
    Kind.EXEMPTION: 'An exemption says secure = "none".',
}


def _check_rule(table: Table, rule: Rule) -> None:
    if rule.secure.exempt:
        if table.has("auth"):
            table.complain("auth", 'has no use in an exemption (secure = "none")', cure="Leave it out.")
    elif not table.has("auth"):
        table.complain("", "does not say how both sides prove who they are", cure=AUTH_CURE)
    if rule.gateways is not None and rule.traffic != (ANY_TRAFFIC,) and rule.secure.exempt:
        table.complain("secure", "is none, so the tunnel would carry nothing")
    if rule.gateways is None and rule.tfc_octets:
        table.complain("tfc", "pads packets in tunnels only, and this rule is none (RFC 4303 §2.7)")
    if rule.gateways is None and table.has("tunnel"):
        table.complain("tunnel", "has no use without a gateway", cure=CURE_KIND[Kind.TUNNEL])
    if 0 < rule.replay_window < 32:
        table.complain("replay-window", f"is {rule.replay_window}, but has to be 0 or between 32 and 4096")
    _check_legacy(table, rule)


def _check_legacy(table: Table, rule: Rule) -> None:
    if rule.legacy:
        return
    cure = "Choose a stronger one, or say legacy = true in this rule if the other side has nothing better."
    for setting, parts in (("protect", rule.protect), ("pfs", [rule.pfs])):
        if table.has(setting) and (names := weak(parts)):
            table.complain(setting, f"names {', '.join(names)}, too weak to protect anything", cure=cure)
    if table.has("main-mode") and (names := weak(rule.main_mode.methods)):
        inner = table.table("main-mode")
        if inner is not None:
            inner.complain("methods", f"names {', '.join(names)}, too weak to protect anything", cure=cure)
