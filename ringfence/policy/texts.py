# SPDX-License-Identifier: Apache-2.0
"""The TOML of single settings, and of tables made of them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from ringfence.crypto.suites import GROUPS, DhGroup
from ringfence.databases.identity import Identity, IdentityKind
from ringfence.databases.proposal import Limits, SecurityMethod
from ringfence.net.address import format_address
from ringfence.place import NOWHERE, Place
from ringfence.policy.methods import NO_LIMITS
from ringfence.policy.model import Address, Keyword
from ringfence.policy.terms import (
    QUICK_MODE_LIMITS,
    Auth,
    AuthorityKind,
    Certificate,
    Criteria,
    Eap,
    Holder,
    MainMode,
    PpkFile,
    PskFile,
    PublicKeys,
    SecondAuth,
    Signing,
)
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
    place: Place
    """Where it is said."""
    origin: str = ""
    """Who says it, if it is neither a default nor said where it stands: ``[global]``."""
    implied: bool = False
    """Whether it follows from others, and a document that says it as well would say more: it stands as a comment."""


@dataclass(frozen=True, slots=True)
class Section:
    """A table of the document."""

    head: str
    """Such as ``[[rule]]``."""
    settings: tuple[Setting, ...]
    place: Place = NOWHERE


Pair = tuple[str, str, bool]
"""A setting's name and text, and whether that is its default."""


def one_a_line(found: Iterable[Setting]) -> Iterator[str]:
    """Lines of TOML; settings that belong together are an inline table."""
    for head, group in groupby(found, lambda one: one.name.partition(".")[0]):
        members = list(group)
        if members[0].name == head:
            yield f"{head} = {members[0].text}"
        else:
            inner = ", ".join(f"{one.name.partition('.')[2]} = {one.text}" for one in members)
            yield f"{head} = {{ {inner} }}"


def canonical_text(section: Section) -> str:
    """What differs from the defaults."""
    return "\n".join([section.head, *one_a_line(one for one in section.settings if not one.default), ""])


def effective_text(section: Section) -> str:
    """Every setting, and where its value comes from."""
    width = max((len(one.name) for one in section.settings), default=0)
    lines = [
        (f"{'# ' * one.implied}{one.name:<{width}} = {one.text}", f"# {_origin(one, section.place)}")
        for one in section.settings
    ]
    column = min(64, max((len(text) for text, _ in lines), default=0))
    place = f"# {section.place.told}" if section.place else ""
    return "\n".join(f"{text:<{column}}  {origin}".rstrip() for text, origin in [(section.head, place), *lines])


def _origin(setting: Setting, section: Place) -> str:
    if setting.origin:
        return f"{setting.origin}, {setting.place.beside(section)}" if setting.place else setting.origin
    if setting.place:
        return setting.place.beside(section)
    return "follows from the rule" if setting.name == "kind" else "default"


def toml_addresses(addresses: Iterable[Address]) -> str:
    """Addresses and the words for them."""
    return toml_list(one.value if isinstance(one, Keyword) else str(one) for one in addresses)


def toml_list(words: Iterable[str]) -> str:
    """A list of texts, or the only one."""
    texts = list(map(toml_text, words))
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"


def toml_flag(value: bool) -> str:
    """``true`` or ``false``."""
    return "true" if value else "false"


ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def toml_text(value: str) -> str:
    """A basic string of TOML."""
    inner = "".join(ESCAPES.get(c) or (c if c.isprintable() else "\\U" + format(ord(c), "08x")) for c in value)
    return f'"{inner}"'


def identity_text(identity: Identity) -> str:
    """An identity as a document has it."""
    text = str(identity)
    return f"@{text}" if identity.kind is IdentityKind.FQDN and Identity.parse(text) != identity else text


def toml_auth(auth: Iterable[Auth]) -> str:
    """Ways to authenticate, or the only one."""
    return _one_or_list(_auth(one, second=False) for one in auth)


def toml_second(auth: Iterable[SecondAuth]) -> str:
    """Likewise, as second authentication."""
    return _one_or_list(_auth(one, second=True) for one in auth)


def _one_or_list(found: Iterable[str]) -> str:
    texts = list(found)
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"


def _auth(auth: Auth | SecondAuth, *, second: bool) -> str:
    match auth:
        case PskFile(file):
            return f"{{ psk-file = {toml_text(file)} }}"
        case Certificate():
            inner = ", ".join(f"{key} = {text}" for key, text in _certificate(auth, second=second))
            return f"{{ {inner} }}"
        case PublicKeys():
            return f"{{ {', '.join(f'{key} = {text}' for key, text in _public(auth))} }}"
        case Eap():
            gateway = () if auth.certificate is None else _certificate(auth.certificate, second=False)
            return f"{{ {', '.join(f'{key} = {text}' for key, text in (*_eap(auth), *gateway))} }}"
        case _:
            return toml_text(str(auth))


def _public(one: PublicKeys) -> Iterator[tuple[str, str]]:
    if len(one.keys) == 1 and not one.keys[0][0]:
        yield "public-key", toml_text(one.keys[0][1])
    elif one.keys:
        inner = ", ".join(f"{toml_text(name)} = {toml_text(text)}" for name, text in one.keys)
        yield "public-key", f"{{ {inner} }}"
    texts = {"key-file": one.own, "password-file": one.password_file}
    yield from ((key, toml_text(text)) for key, text in texts.items() if text)


def _eap(one: Eap) -> Iterator[tuple[str, str]]:
    """What a table of ``auth`` says of it, but for the certificate."""
    words = [method.value for method in one.methods]
    yield "eap", toml_text(words[0]) if len(words) == 1 else toml_list(words)
    texts = {"user": one.user, "password-file": one.password_file, "users-file": one.users_file}
    yield from ((key, toml_text(text)) for key, text in texts.items() if text)
    if one.radius:
        yield "radius", toml_text(one.radius[0]) if len(one.radius) == 1 else toml_list(one.radius)
    if one.alone:
        yield "eap-only", "true"


def _certificate(one: Certificate, *, second: bool) -> Iterator[tuple[str, str]]:
    of_computer = "health-certificate" if second else "certificate"
    yield "user-certificate" if one.holder is Holder.USER else of_computer, toml_text(one.authority)
    if one.signing is not Signing.RSA:
        yield "signing", toml_text(one.signing.value)
    if one.kind is not AuthorityKind.ROOT:
        yield "kind", toml_text(one.kind.value)
    flags = {"health": one.health and not second, "mapping": one.mapping, "exclude-ca-name": one.exclude_ca_name}
    yield from ((key, "true") for key, said in flags.items() if said)
    if one.eku:
        yield "eku", toml_list(one.eku)
    if one.name_kind is not None:
        yield "name", toml_text(f"{one.name_kind.value}:{one.name}")
    if one.hash:
        yield "hash", toml_text(one.hash)
    if one.follow_renewal:
        yield "follow-renewal", "true"
    if one.criteria is not Criteria.BOTH:
        yield "criteria", toml_text(one.criteria.value)


def toml_gateway(gateway: bytes | None) -> str:
    """The other end of a tunnel."""
    return toml_text("any" if gateway is None else format_address(gateway))


def toml_ppk(ppk: PpkFile) -> str:
    """A postquantum preshared key."""
    required = "" if ppk.required else ", required = false"
    return f"{{ id = {toml_text(ppk.id)}, file = {toml_text(ppk.file)}{required} }}"


def toml_pfs(pfs: DhGroup | bool) -> str:
    """A second key exchange."""
    return toml_text(GROUPS[pfs].word) if isinstance(pfs, DhGroup) else toml_flag(pfs)


def toml_protect(methods: Iterable[SecurityMethod], lifetime: Limits = NO_LIMITS) -> str:
    """Security methods; those with another lifetime than ``lifetime`` say theirs."""
    return f"[{', '.join(toml_text(_method(one, lifetime)) for one in methods)}]"


def _method(method: SecurityMethod, lifetime: Limits) -> str:
    limits = method.limits
    if limits in (lifetime, NO_LIMITS):
        return str(method)
    data = f" or {format_amount(limits.octets)}" if limits.octets else ""
    return f"{method} every {format_duration(limits.seconds or 0)}{data}"


def lifetime_pairs(limits: Limits) -> Iterator[Pair]:
    """The settings of a quick mode lifetime."""
    default = QUICK_MODE_LIMITS
    yield "lifetime.time", toml_text(format_duration(limits.seconds or 0)), limits.seconds == default.seconds
    yield "lifetime.data", toml_text(format_amount(limits.octets)) if limits.octets else "0", limits.octets is None
    if limits.packets is not None:
        yield "lifetime.packets", str(limits.packets), False


def main_mode_pairs(mode: MainMode, prefix: str = "main-mode.") -> Iterator[Pair]:
    """The settings of main mode."""
    words = list(map(str, mode.methods))
    yield f"{prefix}methods", toml_list(words), words == list(map(str, MainMode().methods))
    same = mode.lifetime_s == MainMode().lifetime_s
    yield f"{prefix}lifetime", toml_text(format_duration(mode.lifetime_s)), same
    yield f"{prefix}sessions", str(mode.sessions), mode.sessions == 0
    yield f"{prefix}pfs", toml_flag(mode.pfs), not mode.pfs
    if mode.aggressive:
        yield f"{prefix}aggressive", "true", False
    if mode.xauth is not None:
        said = (("user", mode.xauth.user), ("password-file", mode.xauth.password_file))
        for name, word in (*said, ("users-file", mode.xauth.users_file)):
            if word:
                yield f"{prefix}xauth.{name}", toml_text(word), False
    if mode.force_dh:
        yield f"{prefix}force-dh", "true", False
    if mode.childless is not MainMode().childless:
        yield f"{prefix}childless", toml_text(mode.childless.value), False
    if mode.reauthenticate_s is not None:
        yield f"{prefix}reauthenticate", toml_text(format_duration(mode.reauthenticate_s)), False


def said_lifetime(limits: Limits, *, said: bool) -> Iterator[Pair]:
    """A lifetime; where it is said its time is no default, whatever it is."""
    for name, text, default in lifetime_pairs(limits):
        yield name, text, not said or (default and name != "lifetime.time")


def said_main_mode(mode: MainMode, *, said: bool, prefix: str = "main-mode.") -> Iterator[Pair]:
    """Main mode settings, likewise."""
    for name, text, default in main_mode_pairs(mode, prefix):
        yield name, text, not said or (default and name != f"{prefix}lifetime")
