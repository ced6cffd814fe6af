# SPDX-License-Identifier: Apache-2.0
"""The TOML of single settings, and of tables made of them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from ringfence.databases.proposal import Limits
from ringfence.place import NOWHERE, Place
from ringfence.policy.model import QUICK_MODE_LIMITS, Address, Auth, Certificate, Keyword, MainMode, PskFile
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
    lines = [(f"{one.name:<{width}} = {one.text}", f"# {_origin(one, section.place)}") for one in section.settings]
    column = min(64, max((len(text) for text, _ in lines), default=0))
    place = f"# {section.place.told}" if section.place else ""
    return "\n".join(f"{text:<{column}}  {origin}".rstrip() for text, origin in [(section.head, place), *lines])


def _origin(setting: Setting, section: Place) -> str:
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


def toml_auth(auth: Iterable[Auth]) -> str:
    """Ways to authenticate, or the only one."""
    texts = list(map(_auth, auth))
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"


def _auth(auth: Auth) -> str:
    match auth:
        case PskFile(file):
            return f"{{ psk-file = {toml_text(file)} }}"
        case Certificate(authority):
            return f"{{ certificate = {toml_text(authority)} }}"
        case _:
            return toml_text("kerberos")


def lifetime_pairs(limits: Limits) -> Iterator[Pair]:
    """The settings of a quick mode lifetime."""
    default = QUICK_MODE_LIMITS
    yield "lifetime.time", toml_text(format_duration(limits.seconds or 0)), limits.seconds == default.seconds
    yield "lifetime.data", toml_text(format_amount(limits.octets)) if limits.octets else "0", limits.octets is None
    if limits.packets is not None:
        yield "lifetime.packets", str(limits.packets), False


def main_mode_pairs(mode: MainMode) -> Iterator[Pair]:
    """The settings of main mode."""
    words = list(map(str, mode.methods))
    yield "main-mode.methods", toml_list(words), words == list(map(str, MainMode().methods))
    same = mode.lifetime_s == MainMode().lifetime_s
    yield "main-mode.lifetime", toml_text(format_duration(mode.lifetime_s)), same
    yield "main-mode.sessions", str(mode.sessions), mode.sessions == 0
    yield "main-mode.pfs", toml_flag(mode.pfs), not mode.pfs
