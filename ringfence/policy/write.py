# SPDX-License-Identifier: Apache-2.0
"""A policy as text again: canonical, with what differs from the defaults; or effective, with everything and its origin.

Both are documents themselves, and ``document.parse`` makes the same policy of them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ringfence.net.address import format_address
from ringfence.place import NOWHERE, Place
from ringfence.policy.keying import default as default_keying
from ringfence.policy.model import ME, Filter, Kind, Policy, Rule
from ringfence.policy.packetfilter import packet_filter_sections
from ringfence.policy.pools import ask_pairs
from ringfence.policy.resultant import SetAside
from ringfence.policy.settle import Settler, Terms
from ringfence.policy.tcp import tcp_pairs
from ringfence.policy.terms import Access
from ringfence.policy.texts import (
    Pair,
    Section,
    Setting,
    canonical_text,
    effective_text,
    identity_text,
    said_lifetime,
    said_main_mode,
    toml_addresses,
    toml_auth,
    toml_flag,
    toml_gateway,
    toml_list,
    toml_pfs,
    toml_ppk,
    toml_protect,
    toml_second,
    toml_text,
)
from ringfence.policy.traffic import ANY_TRAFFIC
from ringfence.policy.write_boot import boot_sections
from ringfence.policy.write_elsewhere import other_pairs, send_pairs
from ringfence.policy.write_ipsec import implied, sections
from ringfence.policy.write_networks import profile_sections, scope_pairs
from ringfence.policy.write_terms import sections as term_sections
from ringfence.policy.write_terms import toml_names

DEFAULT = Rule("", Kind.ISOLATION)
NO_POLICY = Policy()


def canonical(policy: Policy) -> str:
    """The document that says what this policy says, and no default beside it."""
    return "\n".join(map(canonical_text, sections_of(policy)))


def effective(policy: Policy, set_aside: Iterable[SetAside] = ()) -> str:
    """A document with every setting, and where each value comes from. It means the same.

    What an IPsec policy has without writing it, the rules of the policy that it is based on and the predefined lists
    and actions that it names, is there as comment; and so is what holds beneath it, or was ``set_aside`` for it.
    """
    parts = [effective_text(section) for section in (every_section(policy) if policy.rules else sections_of(policy))]
    parts += [implied_text(why, section) for why, section in implied(policy)]
    if policy.beneath is not None:
        parts += [f"# beneath it\n{_comment(effective_text(section))}" for section in sections(policy.beneath)]
    parts += [f"# set aside: {one}" for one in set_aside]
    return "\n\n".join(parts) + "\n" if parts else ""


def implied_text(why: str, section: Section) -> str:
    """What nobody wrote, as a comment."""
    return f"# {why}\n{_comment(canonical_text(section))}"


def _is_empty(section: Section) -> bool:
    """Whether the document needs no such table: ``[global]`` or ``[boot]`` that says nothing."""
    return section.head in ("[global]", "[boot]") and all(one.default for one in section.settings)


def sections_of(policy: Policy) -> list[Section]:
    """The tables of its document, each with every setting."""
    return [section for section in every_section(policy) if not _is_empty(section)]


def every_section(policy: Policy) -> list[Section]:
    """The same, with those that say nothing but defaults."""
    settler = Settler(policy)
    own = (Section(f"[[{_kind_of(item)}]]", settings(item, policy, settler), item.place) for item in policy)
    return [
        *boot_sections(policy.boot, bare=not policy.titles), *profile_sections(policy.profiles),
        *term_sections(policy, settler), *sections(policy), *own,
        *packet_filter_sections(policy.packet_filters),
    ]  # fmt: skip


def _comment(text: str) -> str:
    return "\n".join(f"# {line}" for line in text.splitlines())


def settings(item: Rule | Filter, policy: Policy = NO_POLICY, settler: Settler | None = None) -> tuple[Setting, ...]:
    """Every setting of a rule or filter of ``policy``, in the order in which people read them."""
    if isinstance(item, Filter):
        pairs = [*_head(item), *_ends(item), *_filter(item)]
        return tuple(Setting(name, text, default, _place(item, name)) for name, text, default in pairs)
    settler = settler or Settler(policy)
    pairs = [*_head(item), *_ends(item), *_rule(item, settler)]
    found = (Setting(name, text, default, _place(item, name)) for name, text, default in pairs)
    said = tuple(_inherited(one, policy) if one.default and not one.place else one for one in found)
    return said if item.keying or item.secure.exempt else (*said, _implied_keying(settler.rule(item)))


def _implied_keying(rule: Rule) -> Setting:
    """What negotiates a rule that names nothing."""
    order, why = default_keying(rule)
    text = toml_list(one.value for one in order)
    return Setting("keying", text, True, NOWHERE, f"follows from {why}" if why else "", implied=True)


INHERITED = ("auth", "second-auth", "protect", "lifetime", "pfs", "main-mode")
"""What a rule that does not say it has from ``[global]``."""


def _inherited(setting: Setting, policy: Policy) -> Setting:
    """The same with its origin, if that is ``[global]``."""
    head = setting.name.partition(".")[0]
    said = policy.settings.places
    keys = [setting.name, head, *INSTEAD.get(head, ())]
    place = next((said[key] for key in keys if key in said), NOWHERE)
    return replace(setting, origin="[global]", place=place) if head in INHERITED and place else setting


INSTEAD = {
    "auth": ("auth-set",), "second-auth": ("auth-set",), "main-mode": ("main-mode-crypto",),
    **dict.fromkeys(("protect", "lifetime", "pfs"), ("quick-mode-crypto",)),
}  # fmt: skip
"""Sets that ``[global]`` may name for a setting."""


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
        if gateways.asks is None:
            yield "local.networks", toml_addresses(item.local), item.local == ME
        yield from ask_pairs(gateways)
        if gateways.local is not None:
            yield "local.gateway", toml_text(format_address(gateways.local)), False
        yield from send_pairs(gateways)
        if gateways.pool:
            yield "remote.pool", toml_text(gateways.pool), False
        else:
            yield "remote.networks", toml_addresses(item.remote), False
        yield "remote.gateway", toml_gateway(gateways.remote), False
        yield from other_pairs(gateways)
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
    if item.secure is not None:
        yield "secure", toml_text(item.secure.value), False
        yield "override-block", toml_flag(item.override_block), not item.override_block
    yield from _access("allow", item.allow)
    yield from _access("deny", item.deny)


def _rule(item: Rule, settler: Settler) -> Iterator[Pair]:
    terms = settler.terms(item)
    yield "kind", toml_text(item.kind.value), item.kind is _inferred(item)
    yield "traffic", toml_list(map(str, item.traffic)), item.traffic == DEFAULT.traffic
    yield from scope_pairs(item.scope)
    yield from _secure(item)
    yield from _proofs(item, terms)
    agreed = [*_quick_mode(item, terms), *said_main_mode(terms.main_mode, said=item.main_mode is not None)]
    # An exemption agrees on nothing; what it says all the same stays in the document.
    yield from (one for one in agreed if not item.secure.exempt or _is_said(item, one[0]))
    if item.keying:
        yield "keying", toml_list(one.value for one in item.keying), False
    if item.ppk is not None:
        yield "ppk", toml_ppk(item.ppk), False
    yield from tcp_pairs(item)
    if not item.secure.exempt:
        yield "resumption", toml_flag(item.resumption), not item.resumption
    if item.local_identity is not None:
        yield "identity.local", toml_text(identity_text(item.local_identity)), False
    if item.remote_identity is not None:
        yield "identity.remote", toml_text(identity_text(item.remote_identity)), False
    yield from _access("allow", item.allow)
    yield from _access("deny", item.deny)
    yield "replay-window", str(item.replay_window), item.replay_window == DEFAULT.replay_window
    if item.gateways is not None:
        yield from _tunnel(item)
    yield "nat-traversal", toml_flag(item.nat_traversal), item.nat_traversal
    yield "mobike", toml_flag(item.mobike), item.mobike
    yield "initiate", toml_flag(item.initiate), item.initiate
    yield "legacy", toml_flag(item.legacy), not item.legacy


def _is_said(item: Rule, setting: str) -> bool:
    match setting.partition(".")[0]:
        case "protect":
            return bool(item.protect)
        case "lifetime":
            return item.lifetime is not None
        case "pfs":
            return item.pfs is not None
        case "main-mode":
            return item.main_mode is not None
        case _:
            return True


def _proofs(item: Rule, terms: Terms) -> Iterator[Pair]:
    if item.auth_set:
        yield "auth-set", toml_text(item.auth_set), False
    elif terms.auth and not item.secure.exempt:
        yield "auth", toml_auth(terms.auth), not item.auth
    if item.own_auth:
        yield "own-auth", toml_auth(item.own_auth), False
    if item.second_auth or (terms.second_auth and not item.auth_set and not item.secure.exempt):
        yield "second-auth", toml_second(terms.second_auth), not item.second_auth


def _quick_mode(item: Rule, terms: Terms) -> Iterator[Pair]:
    if item.quick_mode_crypto:
        yield "quick-mode-crypto", toml_text(item.quick_mode_crypto), False
        return
    protect = toml_protect(item.protect) if item.protect else toml_protect(terms.protect, terms.lifetime)
    yield "protect", protect, not item.protect
    yield from said_lifetime(terms.lifetime, said=item.lifetime is not None)
    yield "pfs", toml_pfs(terms.pfs), item.pfs is None


def _access(key: str, access: Access) -> Iterator[Pair]:
    for name, text in toml_names(access):
        yield f"{key}.{name}", text, False


def _secure(item: Rule) -> Iterator[Pair]:
    secure = item.secure
    if secure.inward is secure.outward:
        yield "secure", toml_text(secure.inward.value), secure == DEFAULT.secure
    else:
        yield "secure.in", toml_text(secure.inward.value), False
        yield "secure.out", toml_text(secure.outward.value), False


def _tunnel(item: Rule) -> Iterator[Pair]:
    tunnel, default = item.tunnel, DEFAULT.tunnel
    yield "exempt-protected", toml_flag(item.exempt_protected), not item.exempt_protected
    yield "authorize", toml_flag(item.authorize), not item.authorize
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
