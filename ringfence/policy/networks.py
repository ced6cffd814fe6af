# SPDX-License-Identifier: Apache-2.0
"""Which network counts as which profile, and how this computer's interfaces look by that.

A Windows computer asks a domain controller, and its user. Here the document says how a network is known:
``[profile.domain]`` and its like name addresses, gateways, DNS suffixes, interfaces. A table's settings all have to
fit; one of the values of a setting is enough. Of several profiles that fit, the first of domain, private, public
counts; what fits none is in a network of the default profile, ``public`` unless ``[profile]`` says otherwise.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ringfence.net.address import AddressRange, format_address
from ringfence.place import NOWHERE, Place
from ringfence.policy.decode import Table, shown
from ringfence.policy.errors import BadWord
from ringfence.policy.scope import Link, LinkKind, Profile, Scope, fits, link_word, parse_link, parse_profile

LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?"
SUFFIX = re.compile(rf"(?=.{{1,253}}$){LABEL}(?:\.{LABEL})*", re.ASCII)
SETTINGS = ("networks", "gateways", "interfaces", "dns-suffixes")
CURE = 'Such as networks = ["10.0.0.0/8"], dns-suffixes = ["corp.example"].'


@dataclass(frozen=True, slots=True)
class Interface:
    """An interface of this computer that has an address."""

    name: str
    kind: LinkKind = LinkKind.LAN
    addresses: tuple[bytes, ...] = ()
    gateways: tuple[bytes, ...] = ()
    """Where its default routes lead to."""
    suffixes: tuple[str, ...] = ()
    """The DNS suffixes of its network, in lower case."""


@dataclass(frozen=True, slots=True)
class Known:
    """How a network of one profile is known."""

    profile: Profile
    networks: tuple[AddressRange, ...] = ()
    """It has one of our addresses from these."""
    gateways: tuple[AddressRange, ...] = ()
    """Its default gateway is one of these."""
    interfaces: tuple[Link, ...] = ()
    suffixes: tuple[str, ...] = ()
    place: Place = field(default=NOWHERE, compare=False)
    places: Mapping[str, Place] = field(default_factory=dict, compare=False)

    def why(self, interface: Interface) -> str:
        """Because of what ``interface`` is in such a network; empty if it is in none."""
        found = [next(each, "") for each in self._fitting(interface)]
        return ", ".join(found) if all(found) else ""

    def _fitting(self, interface: Interface) -> Iterator[Iterator[str]]:
        """For each setting that is said, those of its values that fit."""
        if self.networks:
            yield (f"network {one}" for one in self.networks if any(a in one for a in interface.addresses))
        if self.gateways:
            known = (one for one in interface.gateways if any(one in said for said in self.gateways))
            yield (f"gateway {format_address(one)}" for one in known)
        if self.interfaces:
            yield (link_word(one) for one in self.interfaces if fits((one,), interface.kind, interface.name))
        if self.suffixes:
            known_suffixes = (one for one in interface.suffixes if any(_under(one, said) for said in self.suffixes))
            yield (f"DNS suffix {one}" for one in known_suffixes)


@dataclass(frozen=True, slots=True)
class Profiles:
    """The whole of it."""

    known: tuple[Known, ...] = ()
    default: Profile = Profile.PUBLIC
    place: Place = field(default=NOWHERE, compare=False)
    places: Mapping[str, Place] = field(default_factory=dict, compare=False)

    def of(self, interface: Interface) -> tuple[Profile, str]:
        """The profile of the network that ``interface`` is in, and why."""
        for profile in Profile:
            for one in self.known:
                if one.profile is profile and (why := one.why(interface)):
                    return profile, why
        return self.default, "default"


NO_PROFILES = Profiles()
"""Every network is public."""


@dataclass(frozen=True, slots=True)
class Situation:
    """An interface, or addresses of which no interface is known, as a policy sees it."""

    name: str
    """Empty where no interface is known."""
    kind: LinkKind
    profile: Profile
    why: str
    """Why it counts as that."""
    addresses: tuple[bytes, ...]

    def within(self, scope: Scope) -> bool:
        """Whether a statement with this scope holds here."""
        return scope.holds(self.profile, self.kind, self.name)

    def __str__(self) -> str:
        return f"{self.name or 'this computer'}: {self.profile.value} ({self.why})"


class Move(NamedTuple):
    """An interface that is in another network than before."""

    name: str
    now: str
    """Its profile; empty for none, here and in ``was``."""
    why: str
    was: str


def moves(before: Iterable[Situation], after: Iterable[Situation]) -> Iterator[Move]:
    """What changed between two views of this computer."""
    was, now = ({one.name: one for one in some if one.name} for some in (before, after))
    for name in sorted({*was, *now}):
        old, new = was.get(name), now.get(name)
        if old is None or new is None or old.profile is not new.profile:
            yield Move(name, new.profile.value if new else "", new.why if new else "", old.profile.value if old else "")


def _under(suffix: str, wanted: str) -> bool:
    return suffix == wanted or suffix.endswith(f".{wanted}")


def decode_profiles(found: Table) -> Profiles:
    """The table ``[profile]``."""
    known: list[Known] = []
    for profile in Profile:
        value = found.raw(profile.value)
        for number, item in enumerate(value if isinstance(value, list) else [] if value is None else [value]):
            if not isinstance(item, dict):
                found.complain(profile.value, f"is {shown(item)}, but has to be a table", cure=CURE)
                break
            at = (number,) if isinstance(value, list) else ()
            known.append(_decode_known(found.inner(profile.value, item, at), profile))
    default = found.word("default", parse_profile) or Profile.PUBLIC
    found.finish()
    return Profiles(tuple(known), default, found.place, found.places(found.data))


def _decode_known(table: Table, profile: Profile) -> Known:
    if not any(table.has(one) for one in SETTINGS):
        table.complain("", "does not say how such a network is known", cure=CURE)
    found = Known(
        profile,
        table.words("networks", parse_network, split=",") or (),
        table.words("gateways", parse_network, split=",") or (),
        table.words("interfaces", parse_link, split=",") or (),
        table.words("dns-suffixes", parse_suffix, split=",") or (),
        place=table.place,
        places=table.places(table.data),
    )
    table.finish()
    return found


def parse_network(text: str) -> AddressRange:
    """An address, a network or a range; raises BadWord."""
    try:
        return AddressRange.parse(text.strip())
    except ValueError as error:
        raise BadWord("which is neither an address nor a network", cure='Such as "10.0.0.0/8".') from error


def parse_suffix(text: str) -> str:
    """A DNS suffix in lower case; raises BadWord."""
    suffix = text.strip().strip(".").lower()
    if not SUFFIX.fullmatch(suffix):
        raise BadWord("which is no DNS suffix", cure='Such as "corp.example".')
    return suffix
