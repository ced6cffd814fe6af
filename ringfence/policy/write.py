# SPDX-License-Identifier: Apache-2.0
"""A policy as text again: canonical, with what differs from the defaults; or effective, with everything and its origin.

Both are documents themselves, and ``document.parse`` makes the same policy of them.
"""

from collections.abc import Iterator

from ringfence.crypto.suites import GROUPS
from ringfence.databases.identity import Identity, IdentityKind
from ringfence.net.address import format_address
from ringfence.place import NOWHERE, Place
from ringfence.policy.model import ME, Filter, Kind, Policy, Rule
from ringfence.policy.texts import (
    Pair,
    Section,
    Setting,
    canonical_text,
    effective_text,
    lifetime_pairs,
    main_mode_pairs,
    toml_addresses,
    toml_auth,
    toml_flag,
    toml_list,
    toml_text,
)
from ringfence.policy.traffic import ANY_TRAFFIC
from ringfence.policy.write_ipsec import implied, sections
from ringfence.policy.write_networks import profile_sections, scope_pairs

DEFAULT = Rule("", Kind.ISOLATION)


def canonical(policy: Policy) -> str:
    """The shortest document that means this policy."""
    return "\n".join(map(canonical_text, sections_of(policy)))


def effective(policy: Policy) -> str:
    """A document with every setting, and where each value comes from.

    What an IPsec policy has without writing it, the rules of the policy that it is based on and the predefined lists
    and actions that it names, is there as comment.
    """
    parts = [effective_text(section) for section in sections_of(policy)]
    parts += [f"# {why}\n{_comment(canonical_text(section))}" for why, section in implied(policy)]
    return "\n\n".join(parts) + "\n" if parts else ""


def sections_of(policy: Policy) -> list[Section]:
    """The tables of its document, each with every setting."""
    own = (Section(f"[[{_kind_of(item)}]]", settings(item), item.place) for item in policy)
    return [*profile_sections(policy.profiles), *sections(policy), *own]


def _comment(text: str) -> str:
    return "\n".join(f"# {line}" for line in text.splitlines())


def settings(item: Rule | Filter) -> tuple[Setting, ...]:
    """Every setting of a rule or filter, in the order in which people read them."""
    if isinstance(item, Rule):
        pairs = [*_head(item), *_ends(item), *_rule(item)]
    else:
        pairs = [*_head(item), *_ends(item), *_filter(item)]
    return tuple(Setting(name, text, default, _place(item, name)) for name, text, default in pairs)


def _kind_of(item: Rule | Filter) -> str:
    return "rule" if isinstance(item, Rule) else "filter"


def _place(item: Rule | Filter, name: str) -> Place:
    aliases = {"with": ("with", "between", "remote"), "between": ("between",)}
    names = aliases.get(name, (name, name.partition(".")[0]))
    return next((item.places[one] for one in names if one in item.places), NOWHERE)


def _head(item: Rule | Filter) -> Iterator[Pair]:
    yield "name", toml_text(item.name), False
    yield "description", toml_text(item.description), item.description == ""
    yield "enabled", toml_flag(item.enabled), item.enabled


def _ends(item: Rule | Filter) -> Iterator[Pair]:
    if isinstance(item, Rule) and item.gateways is not None:
        gateways = item.gateways
        yield "local.networks", toml_addresses(item.local), item.local == ME
        if gateways.local is not None:
            yield "local.gateway", toml_text(format_address(gateways.local)), False
        yield "remote.networks", toml_addresses(item.remote), False
        yield "remote.gateway", toml_text(format_address(gateways.remote)), False
    elif item.either_end:
        yield "between", f"[{toml_addresses(item.local)}, {toml_addresses(item.remote)}]", False
    elif item.local == ME:
        yield "with", toml_addresses(item.remote), item.remote == DEFAULT.remote
    else:
        yield "local", toml_addresses(item.local), False
        yield "remote", toml_addresses(item.remote), False


def _filter(item: Filter) -> Iterator[Pair]:
    yield item.verb.value, toml_list(map(str, item.traffic)), False
    yield from scope_pairs(item.scope)
    yield "direction", toml_text(item.direction.value), item.direction.value == "out"
    yield "mirrored", toml_flag(item.mirrored), item.mirrored


def _rule(item: Rule) -> Iterator[Pair]:
    yield "kind", toml_text(item.kind.value), item.kind is _inferred(item)
    yield "traffic", toml_list(map(str, item.traffic)), item.traffic == DEFAULT.traffic
    yield from scope_pairs(item.scope)
    yield from _secure(item)
    if item.auth:
        yield "auth", toml_auth(item.auth), False
    words = list(map(str, item.protect))
    yield "protect", toml_list(words), words == list(map(str, DEFAULT.protect))
    yield from lifetime_pairs(item.lifetime)
    yield "pfs", "false" if item.pfs is None else toml_text(GROUPS[item.pfs].word), item.pfs is None
    yield from main_mode_pairs(item.main_mode)
    if item.local_identity is not None:
        yield "identity.local", toml_text(_identity(item.local_identity)), False
    if item.remote_identity is not None:
        yield "identity.remote", toml_text(_identity(item.remote_identity)), False
    yield "replay-window", str(item.replay_window), item.replay_window == DEFAULT.replay_window
    if item.gateways is not None:
        yield from _tunnel(item)
    yield "nat-traversal", toml_flag(item.nat_traversal), item.nat_traversal
    yield "initiate", toml_flag(item.initiate), item.initiate
    yield "legacy", toml_flag(item.legacy), not item.legacy


def _secure(item: Rule) -> Iterator[Pair]:
    secure = item.secure
    if secure.inward is secure.outward:
        yield "secure", toml_text(secure.inward.value), secure == DEFAULT.secure
    else:
        yield "secure.in", toml_text(secure.inward.value), False
        yield "secure.out", toml_text(secure.outward.value), False


def _tunnel(item: Rule) -> Iterator[Pair]:
    tunnel, default = item.tunnel, DEFAULT.tunnel
    yield "tfc", str(item.tfc_octets), item.tfc_octets == 0
    yield "tunnel.ttl", str(tunnel.ttl), tunnel.ttl == default.ttl
    yield "tunnel.df", toml_text(tunnel.df.value), tunnel.df is default.df
    yield "tunnel.dscp", toml_text("copy") if tunnel.copy_dscp else str(tunnel.dscp), tunnel.copy_dscp
    yield "tunnel.ecn", toml_flag(tunnel.ecn), tunnel.ecn


def _inferred(rule: Rule) -> Kind:
    if rule.gateways is not None:
        return Kind.TUNNEL
    if rule.secure.exempt:
        return Kind.EXEMPTION
    if rule.traffic != (ANY_TRAFFIC,):
        return Kind.CUSTOM
    return Kind.SERVER_TO_SERVER if rule.either_end or rule.local != ME else Kind.ISOLATION


def _identity(identity: Identity) -> str:
    text = str(identity)
    return f"@{text}" if identity.kind is IdentityKind.FQDN and Identity.parse(text) != identity else text
