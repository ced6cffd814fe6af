# SPDX-License-Identifier: Apache-2.0
"""What ``[global]``, ``[auth-set]``, ``[main-mode-crypto]``, ``[quick-mode-crypto]`` and ``[[main-mode]]`` say."""

from dataclasses import replace

from ringfence.databases.pad import USUAL, DeadPeer, ThroughNat
from ringfence.databases.proposal import SecurityMethod
from ringfence.policy.addresses import decode_ends
from ringfence.policy.auth import AUTH_CURE, decode_auth, decode_second
from ringfence.policy.decode import Table, choose
from ringfence.policy.model import MainModeRule
from ringfence.policy.rules import check_either, decode_access, decode_names
from ringfence.policy.scope import decode_scope
from ringfence.policy.settings import (
    EXCHANGE,
    complain_of_weak,
    decode_exchange,
    decode_lifetime,
    decode_main_mode,
    decode_name,
    decode_pfs,
    decode_places,
    decode_protect,
    either,
)
from ringfence.policy.terms import (
    IDLE_S,
    NOBODY,
    Access,
    AuthSet,
    CrlCheck,
    Exempt,
    GlobalSettings,
    MainModeCrypto,
    Masqueraded,
    PskEncoding,
    QuickModeCrypto,
)
from ringfence.policy.units import parse_duration

DEFAULT = GlobalSettings()
NEVER = "never"


def decode_auth_set(table: Table, name: str) -> AuthSet:
    """A set of ways to authenticate."""
    if not table.has("first"):
        table.complain("", "names no first authentication", cure='Such as first = [{ psk-file = "FILE" }].')
    found = AuthSet(
        name,
        decode_auth(table, "first"),
        decode_second(table, "second"),
        either(table.value("description", str), ""),
        table.place,
        decode_places(table),
    )
    table.finish()
    return found


def decode_main_mode_crypto(table: Table, name: str) -> MainModeCrypto:
    """A set of main mode settings."""
    found = MainModeCrypto(
        name,
        decode_exchange(table),
        either(table.value("legacy", bool), False),
        either(table.value("description", str), ""),
        table.place,
        decode_places(table),
    )
    if not found.legacy:
        complain_of_weak(table, "methods", found.mode.methods)
    table.finish()
    return found


def decode_quick_mode_crypto(table: Table, name: str) -> QuickModeCrypto:
    """A set of quick mode settings."""
    found = QuickModeCrypto(
        name,
        decode_protect(table),
        decode_lifetime(table),
        decode_pfs(table) or False,
        either(table.value("legacy", bool), False),
        either(table.value("description", str), ""),
        table.place,
        decode_places(table),
    )
    _check_quick_mode(table, found)
    table.finish()
    return found


def _check_quick_mode(table: Table, found: QuickModeCrypto | GlobalSettings) -> None:
    check_null(table, found.protect, pfs=bool(found.pfs))
    if not found.legacy:
        complain_of_weak(table, "protect", found.protect)
        complain_of_weak(table, "pfs", [None if isinstance(found.pfs, bool) else found.pfs])


def check_null(table: Table, protect: tuple[SecurityMethod, ...], *, pfs: bool) -> None:
    """Null encapsulation has no second key exchange, and something beside it for those who do not know it."""
    if all(method.encapsulate for method in protect):
        return
    if pfs:
        table.complain("pfs", "cannot be with null encapsulation, as on Windows", cure="Leave it out.")
    if not any(method.encapsulate for method in protect):
        cure = 'Put a method beside it for who does not know it, such as "esp null-sha256".'
        table.complain("protect", "names null encapsulation only", cure=cure)


def decode_main_mode_rule(table: Table) -> MainModeRule:
    """A main mode rule."""
    name = decode_name(table)
    ends = decode_ends(table)
    said = [key for key in EXCHANGE if table.has(key)]
    mode = decode_exchange(table)
    rule = MainModeRule(
        name=name,
        local=ends.local,
        remote=ends.remote,
        either_end=ends.either_end,
        auth=decode_auth(table),
        auth_set=either(table.text("auth-set"), ""),
        main_mode=mode if said else None,
        main_mode_crypto=either(table.text("main-mode-crypto"), ""),
        legacy=either(table.value("legacy", bool), False),
        scope=decode_scope(table),
        enabled=either(table.value("enabled", bool), True),
        description=either(table.value("description", str), ""),
        place=table.place,
    )
    if ends.gateways is not None:
        table.complain("", "names a gateway, but main mode is between the two gateways themselves",
                       cure="Write the gateways' addresses as local and remote.")  # fmt: skip
    check_either(table)
    if rule.main_mode_crypto and said:
        table.complain(said[0], "stands beside main-mode-crypto, which takes its place", cure="Say one of them.")
    if not (rule.auth or rule.auth_set or rule.main_mode_crypto or said):
        table.complain("", "says nothing of main mode", cure=f"Such as {AUTH_CURE[AUTH_CURE.index('auth') :]}")
    if not rule.legacy:
        complain_of_weak(table, "methods", mode.methods)
    table.finish()
    return replace(rule, places=decode_places(table))


PSK_WORDS = {"none": "utf-16", "utf16": "utf-16", "utf8": "utf-8"}
CRL_WORDS = {"attemptcrlcheck": "revoked", "requirecrlcheck": "strict"}
NAT_WORDS = {"serverbehindnat": "server", "serverandclientbehindnat": "both", "none": "never"}
EXEMPT_WORDS = {"neighbordiscovery": "neighbor-discovery", "routerdiscovery": "router-discovery"}
"""What Windows calls our words for settings."""


def decode_global(table: Table) -> GlobalSettings:
    """What holds for all rules."""
    tunnel, transport = (_authorization(table, f"{mode}-authorization") for mode in ("tunnel", "transport"))
    found = GlobalSettings(
        exempt=_exempt(table),
        idle_s=_idle(table),
        psk_encoding=table.choice("psk-encoding", PskEncoding, PSK_WORDS) or DEFAULT.psk_encoding,
        crl_check=table.choice("crl-check", CrlCheck, CRL_WORDS) or DEFAULT.crl_check,
        through_nat=table.choice("nat", ThroughNat, NAT_WORDS) or DEFAULT.through_nat,
        masqueraded=table.choice("masqueraded", Masqueraded) or DEFAULT.masqueraded,
        dead_peer=_dead_peer(table),
        fragmentation=either(table.value("fragmentation", bool), True),
        auth=decode_auth(table),
        second_auth=decode_second(table),
        auth_set=either(table.text("auth-set"), ""),
        protect=decode_protect(table),
        lifetime=decode_lifetime(table),
        pfs=decode_pfs(table) or False,
        quick_mode_crypto=either(table.text("quick-mode-crypto"), ""),
        main_mode=decode_main_mode(table),
        main_mode_crypto=either(table.text("main-mode-crypto"), ""),
        require_encryption=either(table.value("require-encryption", bool), False),
        local_rules=either(table.value("local-rules", bool), True),
        tunnel_allow=tunnel[0],
        tunnel_deny=tunnel[1],
        transport_allow=transport[0],
        transport_deny=transport[1],
        legacy=either(table.value("legacy", bool), False),
        place=table.place,
        places=decode_places(table),
    )
    check_either(table)
    if found.main_mode_crypto and found.main_mode is not None:
        table.complain("main-mode", "stands beside main-mode-crypto, which takes its place", cure="Say one of them.")
    if not found.legacy and found.main_mode is not None and (inner := table.table("main-mode")) is not None:
        complain_of_weak(inner, "methods", found.main_mode.methods)
    _check_quick_mode(table, found)
    table.finish()
    return found


def _exempt(table: Table) -> tuple[Exempt, ...]:
    if table.data.get("exempt") == []:
        table.seen.add("exempt")
        return ()
    if table.data.get("exempt") in ("none", ["none"]):
        cure = "Write [] if rules shall leave nothing alone."
        table.complain("exempt", 'is "none", which is no kind of traffic', cure=cure)
        return ()
    said = table.words("exempt", lambda word: choose(word, Exempt, EXEMPT_WORDS), split=",")
    return DEFAULT.exempt if said is None else tuple(one for one in Exempt if one in said)


def _idle(table: Table) -> int:
    seconds = table.word("idle-time", parse_duration)
    if seconds is not None and not IDLE_S <= seconds <= 60 * 60:
        table.complain("idle-time", "is out of range: from 5 min to 60 min")
    return either(seconds, IDLE_S)


def _dead_peer(table: Table) -> DeadPeer | None:
    """``{ after = "30 s", tries = 5 }``, or ``"never"``."""
    if isinstance(table.data.get("dead-peer"), str):
        table.seen.add("dead-peer")
        if table.data["dead-peer"] != NEVER:
            what = f'is "{table.data["dead-peer"]}", but has to be a table or "{NEVER}"'
            table.complain("dead-peer", what, cure='Such as { after = "30 s", tries = 5 }.')
        return None
    inner = table.table("dead-peer")
    if inner is None:
        return USUAL
    after = inner.word("after", parse_duration)
    if after is not None and after not in range(1, 3601):
        inner.complain("after", "is out of range: from 1 s to 60 min")
    tries = inner.number("tries", 1, 20)
    inner.finish()
    return DeadPeer(either(after, USUAL.after_s), either(tries, USUAL.tries))


def _authorization(table: Table, key: str) -> tuple[Access, Access]:
    """``{ computers = […], users = […], deny = { computers = […] } }``: who is let in, and who is not."""
    inner = table.table(key)
    if inner is None:
        return NOBODY, NOBODY
    allow, deny = decode_names(inner), decode_access(inner, "deny")
    if not inner.data:
        table.complain(key, "names nobody", cure='Such as { computers = ["*.corp.example"] }.')
    inner.finish()
    return allow, deny
