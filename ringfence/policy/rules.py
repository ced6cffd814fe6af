# SPDX-License-Identifier: Apache-2.0
"""What a ``[[rule]]`` and a ``[[filter]]`` of the document say."""

from dataclasses import replace
from typing import TypeVar

from ringfence.crypto.certificate import parse_dn
from ringfence.databases.identity import Identity, IdentityKind
from ringfence.databases.sa import DfPolicy, TunnelOptions
from ringfence.policy.accounts import DN
from ringfence.policy.addresses import Ends, decode_ends
from ringfence.policy.auth import decode_auth, decode_ppk, decode_second
from ringfence.policy.decode import Table, choose
from ringfence.policy.errors import BadWord
from ringfence.policy.model import (
    Filter,
    KeyModule,
    Kind,
    Need,
    Reading,
    Rule,
    Secure,
    Verb,
)
from ringfence.policy.scope import decode_scope
from ringfence.policy.settings import (
    complain_of_weak,
    decode_lifetime,
    decode_main_mode,
    decode_name,
    decode_pfs,
    decode_places,
    decode_protect,
    either,
)
from ringfence.policy.tcp import check_tcp, decode_tcp
from ringfence.policy.terms import Access, Anonymous, Auth, Certificate, PskFile, PublicKeys, Security
from ringfence.policy.traffic import ANY_TRAFFIC, Traffic, parse_traffic

DEFAULT = Rule("", Kind.ISOLATION)
T = TypeVar("T")

LATER = {
    "connection": 'A rule of this form says interfaces = "lan".',
}


def decode_rule(table: Table) -> Rule:
    """A connection security rule; what is wrong goes to the table's findings."""
    table.later = dict(LATER)
    name = decode_name(table)
    ends = decode_ends(table)
    secure = _secure(table)
    traffic = table.words("traffic", parse_traffic, split=",") or (ANY_TRAFFIC,)
    rule = Rule(
        name=name,
        kind=Kind.CUSTOM,
        local=ends.local,
        remote=ends.remote,
        either_end=ends.either_end,
        traffic=traffic,
        secure=secure,
        auth=decode_auth(table),
        second_auth=decode_second(table),
        own_auth=_own_auth(table),
        auth_set=either(table.text("auth-set"), ""),
        protect=decode_protect(table),
        lifetime=decode_lifetime(table),
        pfs=decode_pfs(table),
        quick_mode_crypto=either(table.text("quick-mode-crypto"), ""),
        main_mode=decode_main_mode(table),
        allow=decode_access(table, "allow"),
        deny=decode_access(table, "deny"),
        exempt_protected=either(table.value("exempt-protected", bool), False),
        authorize=either(table.value("authorize", bool), False),
        keying=_keying(table),
        ppk=decode_ppk(table),
        tcp=decode_tcp(table),
        resumption=either(table.value("resumption", bool), False),
        gateways=ends.gateways,
        tunnel=_tunnel(table),
        replay_window=either(table.number("replay-window", 0, 4096), DEFAULT.replay_window),
        tfc_octets=either(table.number("tfc", 0, 65535), 0),
        nat_traversal=either(table.value("nat-traversal", bool), True),
        mobike=either(table.value("mobike", bool), True),
        initiate=either(table.value("initiate", bool), True),
        legacy=either(table.value("legacy", bool), False),
        scope=decode_scope(table),
        enabled=either(table.value("enabled", bool), True),
        description=either(table.value("description", str), ""),
        place=table.place,
    )
    rule = replace(rule, kind=_kind(table, rule, ends))
    rule = _identities(table, rule)
    _check_rule(table, rule)
    table.finish()
    return replace(rule, places=decode_places(table))


def decode_access(table: Table, key: str) -> Access:
    """``{ computers = ["*.corp.example"], users = ["alice@corp.example"] }``."""
    inner = table.table(key)
    if inner is None:
        return Access()
    access = decode_names(inner)
    if not inner.data:
        table.complain(key, "names nobody", cure='Such as { computers = ["*.corp.example"] }.')
    inner.finish()
    return access


DN_CURE = 'Such as "CN=db1, OU=Servers, O=Corp".'


def decode_names(table: Table) -> Access:
    """The settings ``computers`` and ``users``; whoever gives the table has to finish it."""
    return Access(table.words("computers", _account) or (), table.words("users", _account) or ())


def _account(text: str) -> str:
    if not text.strip() or not text.isprintable() or len(text) > 1000:
        raise BadWord("which is no name", cure='Such as "db1.corp.example", "10.0.0.0/8", "CORP\\Servers".')
    if DN.match(text):
        try:
            parse_dn(text)
        except ValueError as error:
            raise BadWord(f"which is no distinguished name: {error}", cure=DN_CURE) from error
    return text.strip()


def _keying(table: Table) -> tuple[KeyModule, ...]:
    return tuple(dict.fromkeys(table.words("keying", lambda word: choose(word, KeyModule)) or ()))


def _own_auth(table: Table) -> tuple[Auth, ...]:
    found = decode_auth(table, "own-auth")
    if any(not isinstance(one, PskFile | PublicKeys | Certificate | Anonymous) for one in found):
        table.complain(
            "own-auth", "names no key and no certificate", cure='Such as own-auth = { psk-file = "lab.psk" }.'
        )
    return found


def decode_filter(table: Table) -> Filter:
    """A filter that permits or blocks; what is wrong goes to the table's findings."""
    table.later = dict(LATER)
    name = decode_name(table)
    ends = decode_ends(table)
    verbs = [verb for verb in Verb if table.has(verb.value)]
    traffic: tuple[Traffic, ...] = (ANY_TRAFFIC,)
    for verb in Verb:
        traffic = table.words(verb.value, parse_traffic, split=",") or traffic
    if len(verbs) != 1:
        what = 'says both "permit" and "block"' if verbs else 'says neither "permit" nor "block"'
        table.complain("", what, cure="Leave one of them out." if verbs else 'Such as: block = "tcp to 23"')
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
        mirrored=either(table.value("mirrored", bool), True),
        secure=_security(table),
        override_block=either(table.value("override-block", bool), False),
        allow=decode_access(table, "allow"),
        deny=decode_access(table, "deny"),
        scope=decode_scope(table),
        enabled=either(table.value("enabled", bool), True),
        description=either(table.value("description", str), ""),
        place=table.place,
    )
    _check_filter(table, found)
    table.finish()
    return replace(found, places=decode_places(table))


WINDOWS_SECURITY = {
    "authenticate": Security.AUTHENTICATED,
    "authenc": Security.ENCRYPTED,
    "authdynenc": Security.NEGOTIATED,
    "authnoencap": Security.NO_ENCAPSULATION,
}


def _security(table: Table) -> Security | None:
    said = table.data.get("secure")
    if isinstance(said, str) and (ours := WINDOWS_SECURITY.get(said.strip().lower())):
        table.seen.add("secure")
        cure = f'Here it is secure = "{ours.value}".'
        table.complain("secure", f'is "{said.strip()}", which is a word of netsh', cure=cure)
        return ours
    return table.choice("secure", Security)


WITH_SECURE = ("override-block", "allow", "deny")
CURE_SECURE = 'Such as secure = "authenticated".'


def _check_filter(table: Table, found: Filter) -> None:
    if found.secure is None and not table.has("secure"):
        for key in WITH_SECURE:
            if table.has(key):
                table.complain(
                    key, "has no use in a filter that does not say how secure its traffic is", cure=CURE_SECURE
                )
    elif found.verb is Verb.BLOCK and table.has("block"):
        table.complain("secure", "stands beside block, but is about what is permitted",
                       cure='Write permit for block; what is not secure is blocked then.')  # fmt: skip
    inward = found.direction is not Reading.OUT
    if found.override_block and inward and not found.allow.computers and not table.has("allow"):
        table.complain("override-block", "lets in whoever proves who he is, past every filter that blocks",
                       cure='Say for whom: allow = { computers = ["*.admin.corp.example"] }.')  # fmt: skip


WINDOWS_SECURE = {
    "requestinrequestout": '"request"',
    "requireinrequestout": '{ in = "require", out = "request" }',
    "requireinrequireout": '"require"',
    "requireinclearout": '{ in = "require", out = "none" }',
    "noauthentication": '"none"',
}


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
    said = table.data.get("secure")
    if isinstance(said, str) and (ours := WINDOWS_SECURE.get(said.strip().lower())):
        table.seen.add("secure")
        table.complain("secure", f'is "{said.strip()}", which is a word of netsh', cure=f"Here it is secure = {ours}.")
        return Secure()
    need = table.choice("secure", Need) or Need.REQUIRE
    return Secure(need, need)


def _tunnel(table: Table) -> TunnelOptions:
    inner = table.table("tunnel")
    if inner is None:
        return TunnelOptions()
    default = TunnelOptions()
    copy = not inner.has("dscp") or inner.data["dscp"] == "copy"
    if copy:
        inner.seen.add("dscp")
    options = TunnelOptions(
        ttl=either(inner.number("ttl", 1, 255), default.ttl),
        df=inner.choice("df", DfPolicy) or default.df,
        copy_dscp=copy,
        dscp=0 if copy else either(inner.number("dscp", 0, 63), 0),
        ecn=either(inner.value("ecn", bool), default.ecn),
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


IN_NO_EXEMPTION = (
    "auth", "own-auth", "ppk", "resumption", "tcp", "second-auth", "auth-set", "allow", "deny", "authorize",
)  # fmt: skip
INSTEAD_OF = {"auth-set": ("auth",), "quick-mode-crypto": ("protect", "lifetime", "pfs")}
TUNNELS_ONLY = ("exempt-protected", "authorize", "tunnel")


def _check_rule(table: Table, rule: Rule) -> None:
    for key in IN_NO_EXEMPTION if rule.secure.exempt else ():
        if table.has(key):
            table.complain(key, 'has no use in an exemption (secure = "none")', cure="Leave it out.")
    check_either(table)
    _check_ikev2(table, rule)
    if rule.gateways is not None and rule.traffic != (ANY_TRAFFIC,) and rule.secure.exempt:
        table.complain("secure", "is none, so the tunnel would carry nothing")
    if rule.gateways is None and rule.tfc_octets:
        table.complain("tfc", "pads packets in tunnels only, and this rule is none (RFC 4303 §2.7)")
    for key in TUNNELS_ONLY if rule.gateways is None else ():
        if table.has(key):
            table.complain(key, "has no use without a gateway", cure=CURE_KIND[Kind.TUNNEL])
    if 0 < rule.replay_window < 32:
        table.complain("replay-window", f"is {rule.replay_window}, but has to be 0 or between 32 and 4096")
    _check_legacy(table, rule)


def _check_ikev2(table: Table, rule: Rule) -> None:
    """What IKEv1 does not know."""
    if table.has("own-auth") and {*rule.keying} - {KeyModule.IKEV2}:
        what = "is for IKEv2 alone; in IKEv1 both sides prove themselves alike"
        table.complain("own-auth", what, cure='Say keying = ["ikev2"] in this rule, or leave it out.')
    ends = rule.gateways
    if ends is not None and (ends.others or ends.send_to) and {*rule.keying} - {KeyModule.IKEV2}:
        what = "sends clients from one gateway to another, which IKEv1 does not know"
        table.complain("keying", what, cure='Say keying = ["ikev2"] in this rule.')
    if rule.resumption and rule.keying and KeyModule.IKEV2 not in rule.keying:
        table.complain("resumption", "is for IKEv2 alone", cure='Say keying = ["ikev2"] in this rule, or leave it out.')
    if rule.ppk is not None and {*rule.keying} - {KeyModule.IKEV2}:
        table.complain("ppk", "is for IKEv2 alone", cure='Say keying = ["ikev2"] in this rule, or leave it out.')
    check_tcp(table, rule)


def check_either(table: Table) -> None:
    """A set of terms takes the place of the settings that it has."""
    for key, others in INSTEAD_OF.items():
        for other in others:
            if table.has(key) and table.has(other):
                table.complain(other, f"stands beside {key}, which takes its place", cure="Say one of them.")


def _check_legacy(table: Table, rule: Rule) -> None:
    if rule.legacy:
        return
    cure = "Choose a stronger one, or say legacy = true in this rule if the other side has nothing better."
    complain_of_weak(table, "protect", rule.protect, cure)
    complain_of_weak(table, "pfs", [None if isinstance(rule.pfs, bool) else rule.pfs], cure)
    if rule.main_mode is not None and (inner := table.table("main-mode")) is not None:
        complain_of_weak(inner, "methods", rule.main_mode.methods, cure)
