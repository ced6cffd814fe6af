# SPDX-License-Identifier: Apache-2.0
"""An IPsec policy as Windows' snap-in has it: rules that bring filter lists and filter actions together.

A filter list says which traffic, a filter action what happens to it; both have names, so that several rules share them.
Rules have no order. Which traffic is most specific decides, among all filters of all rules.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from ringfence.crypto.suites import DhGroup
from ringfence.databases.proposal import Limits, SecurityMethod
from ringfence.place import NOWHERE, Place
from ringfence.policy.gateways import Gateways
from ringfence.policy.model import QUICK_MODE_LIMITS, Address, Auth, MainMode
from ringfence.policy.scope import Connection
from ringfence.policy.traffic import ANY_TRAFFIC, Traffic

POLL_INTERVAL_S = 180 * 60

UNNAMED = "the IPsec policy"
"""What a policy is called that says no name."""

DYNAMIC = "<Dynamic>"
"""The filter list of the default response rule: whatever a peer asks for."""


@dataclass(frozen=True, slots=True)
class IpFilter:
    """Traffic from one address to another."""

    source: Address
    destination: Address
    traffic: Traffic = ANY_TRAFFIC
    """Read from source to destination."""
    mirrored: bool = True
    """Whether packets with addresses and ports exchanged are meant, too."""
    description: str = ""


@dataclass(frozen=True, slots=True)
class FilterList:
    """Which traffic."""

    name: str
    filters: tuple[IpFilter, ...] = ()
    description: str = ""
    place: Place = field(default=NOWHERE, compare=False)
    places: Mapping[str, Place] = field(default_factory=dict, compare=False)


class Response(Enum):
    """What a filter action does."""

    PERMIT = "permit"
    BLOCK = "block"
    NEGOTIATE = "negotiate"


@dataclass(frozen=True, slots=True)
class FilterAction:
    """What happens to the traffic."""

    name: str
    response: Response = Response.NEGOTIATE
    methods: tuple[SecurityMethod, ...] = ()
    """In order of preference, each with its own lifetime; empty unless it negotiates."""
    lifetime: Limits = QUICK_MODE_LIMITS
    """Of the methods that say none of their own."""
    accept_unsecured: bool = False
    """Accept unsecured communication, but always respond using IPsec (inbound pass-through)."""
    fallback_to_clear: bool = False
    """Allow unsecured communication with computers that have no IPsec."""
    pfs: DhGroup | bool = False
    """Session key perfect forward secrecy; True: the first group of the policy's main mode."""
    legacy: bool = False
    description: str = ""
    place: Place = field(default=NOWHERE, compare=False)
    places: Mapping[str, Place] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """One filter list, one filter action, and how both sides prove who they are."""

    filter_list: str
    filter_action: str
    name: str = ""
    """May be empty."""
    auth: tuple[Auth, ...] = ()
    """In order of preference; empty: those of the policy."""
    tunnel: Gateways | bytes | None = None
    """Both ends of a tunnel, or as on Windows the one where this direction of it ends; None for no tunnel."""
    connection: Connection = Connection.ALL
    enabled: bool = True
    description: str = ""
    place: Place = field(default=NOWHERE, compare=False)
    places: Mapping[str, Place] = field(default_factory=dict, compare=False)

    @property
    def title(self) -> str:
        """What people read: its name, or what it brings together."""
        return self.name or f"{self.filter_list}: {self.filter_action}"


class DefaultExempt(Enum):
    """Traffic that passes whatever the filters say, by the number that Windows has for it (NoDefaultExempt)."""

    ALL = 0
    """Multicast, broadcast, RSVP, Kerberos, IKE."""
    MULTICAST = 1
    """Multicast, broadcast, IKE."""
    KERBEROS = 2
    """RSVP, Kerberos, IKE."""
    IKE = 3
    """IKE only."""

    @property
    def multicast(self) -> bool:
        """Whether multicast and broadcast pass."""
        return self in (DefaultExempt.ALL, DefaultExempt.MULTICAST)

    @property
    def kerberos(self) -> bool:
        """Whether Kerberos and RSVP pass."""
        return self in (DefaultExempt.ALL, DefaultExempt.KERBEROS)


@dataclass(frozen=True, slots=True)
class IpsecPolicy:
    """An IPsec policy with its general settings."""

    name: str = ""
    based_on: str = ""
    """A default policy (``defaults``) whose rules it has; empty for none."""
    description: str = ""
    poll_interval_s: int = POLL_INTERVAL_S
    """How often a directory is asked for changes; a file is followed at once."""
    main_mode: MainMode = field(default_factory=MainMode)
    auth: tuple[Auth, ...] = ()
    """Of rules that say none."""
    own_rules: tuple[PolicyRule, ...] = ()
    inherited: tuple[PolicyRule, ...] = field(default=(), compare=False)
    """Rules of the policy that this one is based on, but for those whose filter list has a rule here."""
    exempt: DefaultExempt = DefaultExempt.IKE
    legacy: bool = False
    place: Place = field(default=NOWHERE, compare=False)
    places: Mapping[str, Place] = field(default_factory=dict, compare=False)

    @property
    def rules(self) -> tuple[PolicyRule, ...]:
        """Its own, and those that it inherits."""
        return self.own_rules + self.inherited

    @property
    def title(self) -> str:
        """What people read."""
        return self.name or self.based_on or UNNAMED
