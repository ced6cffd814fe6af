# SPDX-License-Identifier: Apache-2.0
"""A policy as text again: canonical, with what differs from the defaults; or effective, with everything and its origin.

Both are documents themselves, and ``document.parse`` makes the same policy of them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from ringfence.crypto.suites import GROUPS
from ringfence.databases.identity import Identity, IdentityKind
from ringfence.net.address import format_address
from ringfence.policy.model import ME, Address, Filter, Keyword, Kind, MainMode, Policy, Rule
from ringfence.policy.traffic import ANY_TRAFFIC
from ringfence.policy.units import format_amount, format_duration


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of an effective policy."""

    name: str
    """Such as ``lifetime.time``."""
    text: str
    """Its value in TOML."""
    default: bool
    """Whether it is what would hold if nobody said it."""
    line: int
    """Where the document says it; 0 for nowhere."""


DEFAULT = Rule("", Kind.ISOLATION)
DEFAULT_MAIN_MODE = MainMode()


def canonical(policy: Policy) -> str:
    """The shortest document that means this policy."""
    return "\n".join(
        "\n".join([f"[[{_kind_of(item)}]]", *_pairs(one for one in settings(item) if not one.default), ""])
        for item in policy
    )


def effective(policy: Policy) -> str:
    """A document with every setting, and where each value comes from."""
    parts = []
    for item in policy:
        found = settings(item)
        width = max(len(one.name) for one in found)
        lines = [(f"{one.name:<{width}} = {one.text}", f"# {_origin(one)}") for one in found]
        column = min(64, max(len(text) for text, _ in lines))
        head = f"[[{_kind_of(item)}]]"
        place = f"# {policy.name}:{item.line}" if item.line else ""
        parts.append("\n".join(f"{text:<{column}}  {origin}".rstrip() for text, origin in [(head, place), *lines]))
    return "\n\n".join(parts) + "\n" if parts else ""


def settings(item: Rule | Filter) -> tuple[Setting, ...]:
    """Every setting of a rule or filter, in the order in which people read them."""
    if isinstance(item, Rule):
        pairs = [*_head(item), *_ends(item), *_rule(item)]
    else:
        pairs = [*_head(item), *_ends(item), *_filter(item)]
    return tuple(Setting(name, text, default, _line(item, name)) for name, text, default in pairs)


Pair = tuple[str, str, bool]


def _kind_of(item: Rule | Filter) -> str:
    return "rule" if isinstance(item, Rule) else "filter"


def _line(item: Rule | Filter, name: str) -> int:
    aliases = {"with": ("with", "between", "remote"), "between": ("between",)}
    names = aliases.get(name, (name, name.partition(".")[0]))
    return next((item.lines[one] for one in names if one in item.lines), 0)


def _origin(setting: Setting) -> str:
    if setting.line:
        return f"line {setting.line}"
    return "follows from the rule" if setting.name == "kind" else "default"


def _pairs(found: Iterable[Setting]) -> Iterator[str]:
    for head, group in groupby(found, lambda one: one.name.partition(".")[0]):
        members = list(group)
        if members[0].name == head:
            yield f"{head} = {members[0].text}"
        else:
            inner = ", ".join(f"{one.name.partition('.')[2]} = {one.text}" for one in members)
            yield f"{head} = {{ {inner} }}"


def _head(item: Rule | Filter) -> Iterator[Pair]:
    yield "name", _text(item.name), False
    yield "description", _text(item.description), item.description == ""
    yield "enabled", _flag(item.enabled), item.enabled


def _ends(item: Rule | Filter) -> Iterator[Pair]:
    if isinstance(item, Rule) and item.gateways is not None:
        gateways = item.gateways
        yield "local.networks", _addresses(item.local), item.local == ME
        if gateways.local is not None:
            yield "local.gateway", _text(format_address(gateways.local)), False
        yield "remote.networks", _addresses(item.remote), False
        yield "remote.gateway", _text(format_address(gateways.remote)), False
    elif item.either_end:
        yield "between", f"[{_addresses(item.local)}, {_addresses(item.remote)}]", False
    elif item.local == ME:
        yield "with", _addresses(item.remote), item.remote == DEFAULT.remote
    else:
        yield "local", _addresses(item.local), False
        yield "remote", _addresses(item.remote), False


def _filter(item: Filter) -> Iterator[Pair]:
    yield item.verb.value, _list(map(str, item.traffic)), False
    yield "direction", _text(item.direction.value), item.direction.value == "out"
    yield "mirrored", _flag(item.mirrored), item.mirrored


def _rule(item: Rule) -> Iterator[Pair]:
    yield "kind", _text(item.kind.value), item.kind is _inferred(item)
    yield "traffic", _list(map(str, item.traffic)), item.traffic == DEFAULT.traffic
    yield from _secure(item)
    if item.auth:
        keys = [f"{{ psk-file = {_text(auth.file)} }}" for auth in item.auth]
        yield "auth", keys[0] if len(keys) == 1 else f"[{', '.join(keys)}]", False
    words = list(map(str, item.protect))
    yield "protect", _list(words), words == list(map(str, DEFAULT.protect))
    yield from _lifetime(item)
    yield "pfs", "false" if item.pfs is None else _text(GROUPS[item.pfs].word), item.pfs is None
    yield from _main_mode(item.main_mode)
    if item.local_identity is not None:
        yield "identity.local", _text(_identity(item.local_identity)), False
    if item.remote_identity is not None:
        yield "identity.remote", _text(_identity(item.remote_identity)), False
    yield "replay-window", str(item.replay_window), item.replay_window == DEFAULT.replay_window
    if item.gateways is not None:
        yield from _tunnel(item)
    yield "nat-traversal", _flag(item.nat_traversal), item.nat_traversal
    yield "initiate", _flag(item.initiate), item.initiate
    yield "legacy", _flag(item.legacy), not item.legacy


def _secure(item: Rule) -> Iterator[Pair]:
    secure = item.secure
    if secure.inward is secure.outward:
        yield "secure", _text(secure.inward.value), secure == DEFAULT.secure
    else:
        yield "secure.in", _text(secure.inward.value), False
        yield "secure.out", _text(secure.outward.value), False


def _lifetime(item: Rule) -> Iterator[Pair]:
    limits, default = item.lifetime, DEFAULT.lifetime
    yield "lifetime.time", _text(format_duration(limits.seconds or 0)), limits.seconds == default.seconds
    yield "lifetime.data", _text(format_amount(limits.octets)) if limits.octets else "0", limits.octets is None
    if limits.packets is not None:
        yield "lifetime.packets", str(limits.packets), False


def _main_mode(mode: MainMode) -> Iterator[Pair]:
    words = list(map(str, mode.methods))
    yield "main-mode.methods", _list(words), words == list(map(str, DEFAULT_MAIN_MODE.methods))
    same = mode.lifetime_s == DEFAULT_MAIN_MODE.lifetime_s
    yield "main-mode.lifetime", _text(format_duration(mode.lifetime_s)), same
    yield "main-mode.sessions", str(mode.sessions), mode.sessions == 0
    yield "main-mode.pfs", _flag(mode.pfs), not mode.pfs


def _tunnel(item: Rule) -> Iterator[Pair]:
    tunnel, default = item.tunnel, DEFAULT.tunnel
    yield "tfc", str(item.tfc_octets), item.tfc_octets == 0
    yield "tunnel.ttl", str(tunnel.ttl), tunnel.ttl == default.ttl
    yield "tunnel.df", _text(tunnel.df.value), tunnel.df is default.df
    yield "tunnel.dscp", _text("copy") if tunnel.copy_dscp else str(tunnel.dscp), tunnel.copy_dscp
    yield "tunnel.ecn", _flag(tunnel.ecn), tunnel.ecn


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


def _addresses(addresses: Iterable[Address]) -> str:
    return _list(one.value if isinstance(one, Keyword) else str(one) for one in addresses)


def _list(words: Iterable[str]) -> str:
    texts = list(map(_text, words))
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"


def _flag(value: bool) -> str:
    return "true" if value else "false"


ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def _text(value: str) -> str:
    """A basic string of TOML."""
    inner = "".join(ESCAPES.get(c) or (c if c.isprintable() else "\\U" + format(ord(c), "08x")) for c in value)
    return f'"{inner}"'
