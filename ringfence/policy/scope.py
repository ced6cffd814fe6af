# SPDX-License-Identifier: Apache-2.0
"""In which networks and on which interfaces a statement holds: ``profiles`` and ``interfaces``."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from ringfence.policy.decode import Table, choose
from ringfence.policy.errors import BadWord


class Profile(Enum):
    """What kind of network an interface is in; several may be active at once, one for each interface."""

    DOMAIN = "domain"
    """The network of one's own organisation."""
    PRIVATE = "private"
    """One that is trusted otherwise, as at home."""
    PUBLIC = "public"
    """Any other."""


class LinkKind(Enum):
    """The kinds of interface that Windows tells apart."""

    LAN = "lan"
    """Wired."""
    WIRELESS = "wireless"
    REMOTE_ACCESS = "remote-access"
    """Dial-up and VPN."""


@dataclass(frozen=True, slots=True)
class Device:
    """One interface by its name; with a star at its end, all whose names begin so."""

    name: str

    def __str__(self) -> str:
        return f"dev {self.name}"

    def names(self, name: str) -> bool:
        """Whether the interface called ``name`` is meant."""
        return name.startswith(self.name[:-1]) if self.name.endswith("*") else name == self.name


Link = LinkKind | Device
DEVICE_NAME = re.compile(r"[^\s/*\"\\]{1,15}\*?")
LINK_WORDS = {
    "wlan": "wireless", "wifi": "wireless", "wi-fi": "wireless", "wired": "lan", "ethernet": "lan",
    "ras": "remote-access", "remoteaccess": "remote-access", "dialup": "remote-access", "vpn": "remote-access",
}  # fmt: skip
"""What others, Windows among them, call these kinds."""
CURE = 'Such as "lan", "wireless", "remote-access", "dev eth0" or "dev wg*".'


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a statement holds: in networks of these profiles, on these interfaces; empty: all."""

    profiles: tuple[Profile, ...] = ()
    interfaces: tuple[Link, ...] = ()

    @property
    def everywhere(self) -> bool:
        """Whether it limits nothing."""
        return not self.profiles and not self.interfaces

    def holds(self, profile: Profile, kind: LinkKind, name: str) -> bool:
        """Whether an interface of this kind and name, in a network of this profile, is meant."""
        return (not self.profiles or profile in self.profiles) and (
            not self.interfaces or fits(self.interfaces, kind, name)
        )

    def __str__(self) -> str:
        parts = [f"profiles {', '.join(one.value for one in self.profiles)}"] if self.profiles else []
        parts += [f"interfaces {', '.join(map(link_word, self.interfaces))}"] if self.interfaces else []
        return "; ".join(parts)


EVERYWHERE = Scope()


class Connection(Enum):
    """The kinds of network connection that a rule of an IPsec policy may be for."""

    ALL = "all"
    LAN = "lan"
    """All but dial-up and VPN."""
    REMOTE_ACCESS = "remote-access"
    """Dial-up and VPN."""

    @property
    def scope(self) -> Scope:
        """The interfaces that are meant."""
        match self:
            case Connection.ALL:
                return EVERYWHERE
            case Connection.LAN:
                return Scope(interfaces=(LinkKind.LAN, LinkKind.WIRELESS))
            case Connection.REMOTE_ACCESS:
                return Scope(interfaces=(LinkKind.REMOTE_ACCESS,))


def fits(links: Iterable[Link], kind: LinkKind, name: str) -> bool:
    """Whether one of ``links`` means the interface."""
    return any(one.names(name) if isinstance(one, Device) else one is kind for one in links)


def link_word(link: Link) -> str:
    """As a document has it."""
    return link.value if isinstance(link, LinkKind) else str(link)


def parse_link(text: str) -> Link:
    """A kind of interface, or one by name; raises BadWord."""
    first, _, name = text.strip().partition(" ")
    if first.lower() == "dev" and name.strip():
        if not DEVICE_NAME.fullmatch(name.strip()):
            raise BadWord("which is no name of an interface", cure=CURE)
        return Device(name.strip())
    try:
        return choose(text, LinkKind, LINK_WORDS)
    except BadWord as error:
        raise BadWord(error.why, cure=error.cure or CURE) from error


def parse_profile(text: str) -> Profile:
    """A profile; raises BadWord."""
    return choose(text, Profile)


def decode_scope(table: Table) -> Scope:
    """The settings ``profiles`` and ``interfaces``."""
    profiles = set(table.words("profiles", parse_profile, split=",") or ())
    links = tuple(dict.fromkeys(table.words("interfaces", parse_link, split=",") or ()))
    return Scope(
        () if profiles == set(Profile) else tuple(one for one in Profile if one in profiles),
        () if set(links) >= set(LinkKind) else links,
    )
