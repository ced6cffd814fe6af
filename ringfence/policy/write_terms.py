# SPDX-License-Identifier: Apache-2.0
"""``[global]``, sets of terms and main mode rules as tables of the document."""

from collections.abc import Iterator, Mapping
from typing import Protocol

from ringfence.place import NOWHERE, Place
from ringfence.policy.certificates import authority_pairs, certificate_pairs
from ringfence.policy.eap import radius_pairs
from ringfence.policy.model import ANY, ME, MainModeRule, Policy
from ringfence.policy.pools import pool_pairs
from ringfence.policy.settle import Settler
from ringfence.policy.terms import Access, AuthSet, DeadPeer, GlobalSettings, MainModeCrypto, QuickModeCrypto
from ringfence.policy.texts import (
    Pair,
    Section,
    Setting,
    main_mode_pairs,
    said_lifetime,
    said_main_mode,
    toml_addresses,
    toml_auth,
    toml_flag,
    toml_list,
    toml_pfs,
    toml_protect,
    toml_second,
    toml_text,
)
from ringfence.policy.units import format_duration
from ringfence.policy.write_networks import scope_pairs

DEFAULT = GlobalSettings()


class Written(Protocol):
    """What knows where its document says it."""

    @property
    def place(self) -> Place:
        """Its first line."""

    @property
    def places(self) -> Mapping[str, Place]:
        """Setting -> where it is said."""


def sections(policy: Policy, settler: Settler) -> Iterator[Section]:
    """What the document says of terms."""
    yield _section("[global]", policy.settings, _global(policy.settings))
    for authority in policy.authorities:
        yield _section(f"[authority.{toml_text(authority.name)}]", authority, authority_pairs(authority))
    for certificate in policy.certificates:
        yield _section(f"[certificate.{toml_text(certificate.name)}]", certificate, certificate_pairs(certificate))
    for pool in policy.pools:
        yield _section(f"[pool.{toml_text(pool.name)}]", pool, pool_pairs(pool))
    for server in policy.radius:
        yield _section(f"[radius.{toml_text(server.name)}]", server, radius_pairs(server))
    for auth_set in policy.auth_sets:
        yield _section(f"[auth-set.{toml_text(auth_set.name)}]", auth_set, _auth_set(auth_set))
    for main in policy.main_mode_cryptos:
        yield _section(f"[main-mode-crypto.{toml_text(main.name)}]", main, _main_mode_crypto(main))
    for quick in policy.quick_mode_cryptos:
        yield _section(f"[quick-mode-crypto.{toml_text(quick.name)}]", quick, _quick_mode_crypto(quick))
    for rule in policy.main_modes:
        yield _section("[[main-mode]]", rule, _main_mode_rule(rule, settler))


def _section(head: str, item: Written, pairs: Iterator[Pair]) -> Section:
    def place(name: str) -> Place:
        return item.places.get(name, item.places.get(name.partition(".")[0], NOWHERE))

    return Section(head, tuple(Setting(name, text, default, place(name)) for name, text, default in pairs), item.place)


def _global(one: GlobalSettings) -> Iterator[Pair]:
    exempt = ", ".join(toml_text(each.value) for each in one.exempt)
    yield "exempt", f"[{exempt}]", one.exempt == DEFAULT.exempt
    yield "idle-time", toml_text(format_duration(one.idle_s)), one.idle_s == DEFAULT.idle_s
    yield "psk-encoding", toml_text(one.psk_encoding.value), one.psk_encoding is DEFAULT.psk_encoding
    yield "crl-check", toml_text(one.crl_check.value), one.crl_check is DEFAULT.crl_check
    yield "nat", toml_text(one.through_nat.value), one.through_nat is DEFAULT.through_nat
    yield "masqueraded", toml_text(one.masqueraded.value), one.masqueraded is DEFAULT.masqueraded
    yield "dead-peer", _dead_peer(one.dead_peer), one.dead_peer == DEFAULT.dead_peer
    yield "fragmentation", toml_flag(one.fragmentation), one.fragmentation
    yield "require-encryption", toml_flag(one.require_encryption), not one.require_encryption
    yield "local-rules", toml_flag(one.local_rules), one.local_rules
    yield from _said(one)
    modes = {"tunnel": (one.tunnel_allow, one.tunnel_deny), "transport": (one.transport_allow, one.transport_deny)}
    for mode, (allow, deny) in modes.items():
        for name, text in toml_names(allow):
            yield f"{mode}-authorization.{name}", text, False
        for name, text in toml_names(deny):
            yield f"{mode}-authorization.deny.{name}", text, False
    yield "legacy", toml_flag(one.legacy), not one.legacy


def _dead_peer(one: DeadPeer | None) -> str:
    if one is None:
        return toml_text("never")
    return f"{{ after = {toml_text(format_duration(one.after_s))}, tries = {one.tries} }}"


def _said(one: GlobalSettings) -> Iterator[Pair]:
    """The terms of rules that say none; what is not said here is shown with each rule."""
    if one.auth:
        yield "auth", toml_auth(one.auth), False
    if one.auth_set:
        yield "auth-set", toml_text(one.auth_set), False
    if one.second_auth:
        yield "second-auth", toml_second(one.second_auth), False
    if one.protect:
        yield "protect", toml_protect(one.protect), False
    if one.lifetime is not None:
        yield from said_lifetime(one.lifetime, said=True)
    if one.pfs:
        yield "pfs", toml_pfs(one.pfs), False
    if one.quick_mode_crypto:
        yield "quick-mode-crypto", toml_text(one.quick_mode_crypto), False
    if one.main_mode is not None:
        yield from said_main_mode(one.main_mode, said=True)
    if one.main_mode_crypto:
        yield "main-mode-crypto", toml_text(one.main_mode_crypto), False


def toml_names(access: Access) -> Iterator[tuple[str, str]]:
    """Computers and users, those of which some are named."""
    if access.computers:
        yield "computers", toml_list(access.computers)
    if access.users:
        yield "users", toml_list(access.users)


def _auth_set(one: AuthSet) -> Iterator[Pair]:
    yield "description", toml_text(one.description), one.description == ""
    yield "first", toml_auth(one.first), False
    if one.second:
        yield "second", toml_second(one.second), False


def _main_mode_crypto(one: MainModeCrypto) -> Iterator[Pair]:
    yield "description", toml_text(one.description), one.description == ""
    yield from main_mode_pairs(one.mode, "")
    yield "legacy", toml_flag(one.legacy), not one.legacy


def _quick_mode_crypto(one: QuickModeCrypto) -> Iterator[Pair]:
    terms = Settler(Policy(quick_mode_cryptos=(one,))).quick_mode(one.name)
    yield "description", toml_text(one.description), one.description == ""
    yield "protect", toml_protect(one.protect or terms.protect), not one.protect
    yield from said_lifetime(terms.lifetime, said=one.lifetime is not None)
    yield "pfs", toml_pfs(one.pfs), one.pfs is False
    yield "legacy", toml_flag(one.legacy), not one.legacy


def _main_mode_rule(one: MainModeRule, settler: Settler) -> Iterator[Pair]:
    yield "name", toml_text(one.name), False
    yield "description", toml_text(one.description), one.description == ""
    yield "enabled", toml_flag(one.enabled), one.enabled
    if one.either_end:
        yield "between", f"[{toml_addresses(one.local)}, {toml_addresses(one.remote)}]", False
    elif one.local == ME:
        yield "with", toml_addresses(one.remote), one.remote == ANY
    else:
        yield "local", toml_addresses(one.local), False
        yield "remote", toml_addresses(one.remote), False
    yield from scope_pairs(one.scope)
    if one.auth_set:
        yield "auth-set", toml_text(one.auth_set), False
    elif one.auth:
        yield "auth", toml_auth(one.auth), False
    if one.main_mode_crypto:
        yield "main-mode-crypto", toml_text(one.main_mode_crypto), False
    else:
        said = one.main_mode is not None
        yield from said_main_mode(settler.main_mode(one)[1], said=said, prefix="")
    yield "legacy", toml_flag(one.legacy), not one.legacy
