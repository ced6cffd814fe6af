# SPDX-License-Identifier: Apache-2.0
"""A policy as values, in the words of Windows' screens; ``compile`` turns them into the words of RFC 4301.

Two kinds of statement make up a policy. A ``Rule`` (connection security rule) says between whom traffic has to be
protected, how strictly, and how both sides prove who they are. A ``Filter`` permits or blocks traffic as it is. Neither
has an order: the most specific one decides. Of an IPsec policy of Windows (``windows``) ``lower`` makes both.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from ringfence.crypto.suites import DhGroup
from ringfence.databases.identity import Identity
from ringfence.databases.proposal import Limits, SecurityMethod
from ringfence.databases.sa import TunnelOptions
from ringfence.databases.tcp import Tcp
from ringfence.net.address import AddressRange
from ringfence.place import NOWHERE, Place
from ringfence.policy.boot import NO_BOOT, BootSettings
from ringfence.policy.gateways import Gateways
from ringfence.policy.networks import NO_PROFILES, Profiles
from ringfence.policy.scope import EVERYWHERE, Scope
from ringfence.policy.scope import Connection as Connection
from ringfence.policy.terms import MAIN_MODE_LIFETIME_S as MAIN_MODE_LIFETIME_S
from ringfence.policy.terms import (
    NOBODY,
    Access,
    AuthSet,
    GlobalSettings,
    MainModeCrypto,
    QuickModeCrypto,
    SecondAuth,
    Security,
)
from ringfence.policy.terms import QUICK_MODE_LIMITS as QUICK_MODE_LIMITS
from ringfence.policy.terms import Auth as Auth
from ringfence.policy.terms import Certificate as Certificate
from ringfence.policy.terms import Kerberos as Kerberos
from ringfence.policy.terms import MainMode as MainMode
from ringfence.policy.terms import PpkFile as PpkFile
from ringfence.policy.terms import PskFile as PskFile
from ringfence.policy.traffic import ANY_TRAFFIC, Traffic

if TYPE_CHECKING:
    from ringfence.policy.certificates import AuthorityFile, CertificateFile
    from ringfence.policy.eap import RadiusTable
    from ringfence.policy.packetfilter import PacketFilter
    from ringfence.policy.pools import AddressPool
    from ringfence.policy.windows import FilterAction, FilterList, IpsecPolicy


class Keyword(Enum):
    """Addresses that stand for others."""

    ME = "me"
    """All addresses of this computer."""
    ANY = "any"
    DNS_SERVERS = "dns-servers"
    """The name servers that this computer asks; like all servers here as they are now."""
    DHCP_SERVERS = "dhcp-servers"
    WINS_SERVERS = "wins-servers"
    DEFAULT_GATEWAY = "default-gateway"
    """Where this computer sends what is for no network of its own."""
    LOCAL_SUBNET = "local-subnet"
    """The networks that this computer's interfaces are in."""


@dataclass(frozen=True, slots=True)
class HostName:
    """A DNS name; it stands for the addresses that it has now."""

    name: str
    """In lower case, without the dot at its end."""

    def __str__(self) -> str:
        return self.name if "." in self.name else f"{self.name}."


Address = Keyword | AddressRange | HostName

ME: tuple[Address, ...] = (Keyword.ME,)
ANY: tuple[Address, ...] = (Keyword.ANY,)


class Need(Enum):
    """How strictly traffic in one direction has to be protected."""

    NONE = "none"
    """Not at all."""
    REQUEST = "request"
    """If the other side can; otherwise in clear."""
    REQUIRE = "require"
    """Or it does not pass."""


class Kind(Enum):
    """The kinds of rule that Windows' wizard offers."""

    ISOLATION = "isolation"
    SERVER_TO_SERVER = "server-to-server"
    TUNNEL = "tunnel"
    CUSTOM = "custom"
    EXEMPTION = "exemption"


@dataclass(frozen=True, slots=True)
class Secure:
    """The requirement of a rule, by direction."""

    inward: Need = Need.REQUIRE
    outward: Need = Need.REQUIRE

    @property
    def exempt(self) -> bool:
        """Whether nothing is protected at all."""
        return self.inward is Need.NONE and self.outward is Need.NONE

    def __str__(self) -> str:
        if self.inward is self.outward:
            return self.inward.value
        return f"in {self.inward.value}, out {self.outward.value}"


class Reading(Enum):
    """From which side the words of a statement are read."""

    OUT = "out"
    """This computer is the sender."""
    IN = "in"
    """This computer is the receiver."""
    BOTH = "both"
    """Either."""


@dataclass(frozen=True, slots=True)
class Part:
    """What a statement says that comes from an IPsec policy, and no document in the other form can."""

    filter_list: str = ""
    """Empty unless it is part of one."""
    filter: str = ""
    """Its words."""
    one_way: Reading | None = None
    """The direction of a filter without mirror; None for both."""
    respond_only: bool = False
    """The default response rule: asked last, and never begins."""

    def __str__(self) -> str:
        return f'filter "{self.filter}" of filter list "{self.filter_list}"'


WHOLE = Part()
"""Of a statement that is not part of an IPsec policy."""


class KeyModule(Enum):
    """Protocols that negotiate SAs."""

    IKEV1 = "ikev1"
    IKEV2 = "ikev2"
    AUTHIP = "authip"


@dataclass(frozen=True, slots=True)
class Rule:
    """A connection security rule."""

    name: str
    kind: Kind
    local: tuple[Address, ...] = ME
    """This end."""
    remote: tuple[Address, ...] = ANY
    """The other end."""
    either_end: bool = False
    """Whether this computer may be at either end, so that both can use one document."""
    traffic: tuple[Traffic, ...] = (ANY_TRAFFIC,)
    secure: Secure = Secure()
    auth: tuple[Auth, ...] = ()
    """First authentication, in order of preference; empty: that of ``auth_set``, or of ``[global]``."""
    second_auth: tuple[SecondAuth, ...] = ()
    """Second authentication; empty: likewise."""
    own_auth: tuple[Auth, ...] = ()
    """How this computer proves itself, in order of preference; empty: as the peer does."""
    auth_set: str = ""
    protect: tuple[SecurityMethod, ...] = ()
    """In order of preference; empty: those of other settings, or ours. One without limits has those of ``lifetime``."""
    lifetime: Limits | None = None
    """None: not said here."""
    pfs: DhGroup | bool | None = None
    """Windows: session key perfect forward secrecy. True: the first group of main mode; None: not said here."""
    quick_mode_crypto: str = ""
    main_mode: MainMode | None = None
    """None: not said here. A main mode rule for the same peers decides before it."""
    allow: Access = NOBODY
    """Who may use it; empty for everybody who proves who he is."""
    deny: Access = NOBODY
    """Who may not, even if allowed."""
    exempt_protected: bool = False
    """A tunnel that leaves alone what ESP protects already."""
    authorize: bool = False
    """A tunnel only for those whom ``[global]`` authorizes."""
    keying: tuple[KeyModule, ...] = ()
    """The protocols that may negotiate it, in order; empty for what ``keying`` finds to fit it."""
    ppk: PpkFile | None = None
    tcp: Tcp | None = None
    resumption: bool = False
    """Whether main modes may be resumed by tickets (IKEv2)."""
    local_identity: Identity | None = None
    remote_identity: Identity | None = None
    gateways: Gateways | None = None
    """Present exactly in a tunnel."""
    tunnel: TunnelOptions = field(default_factory=TunnelOptions)
    replay_window: int = 64
    tfc_octets: int = 0
    nat_traversal: bool = True
    mobike: bool = True
    """Whether a tunnel may go over to other addresses."""
    initiate: bool = True
    legacy: bool = False
    enabled: bool = True
    description: str = ""
    part: Part = WHOLE
    scope: Scope = EVERYWHERE
    """In which networks, on which interfaces."""
    place: Place = field(default=NOWHERE, compare=False)
    places: Mapping[str, Place] = field(default_factory=dict, compare=False)
    """Setting -> where it is said; what is missing has its default."""


@dataclass(frozen=True, slots=True)
class MainModeRule:
    """How main mode goes with these peers, whatever rule their traffic falls under; the first that fits decides."""

    name: str
    local: tuple[Address, ...] = ME
    remote: tuple[Address, ...] = ANY
    either_end: bool = False
    auth: tuple[Auth, ...] = ()
    """Empty: that of ``auth_set``, or of each connection security rule."""
    auth_set: str = ""
    main_mode: MainMode | None = None
    """None: that of ``main_mode_crypto``, or of ``[global]``."""
    main_mode_crypto: str = ""
    legacy: bool = False
    scope: Scope = EVERYWHERE
    """In which networks."""
    enabled: bool = True
    description: str = ""
    place: Place = field(default=NOWHERE, compare=False)
    places: Mapping[str, Place] = field(default_factory=dict, compare=False)


class Verb(Enum):
    """What a filter does."""

    PERMIT = "permit"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Filter:
    """Traffic that is permitted or blocked as it is, or permitted if rules protect it."""

    name: str
    verb: Verb
    traffic: tuple[Traffic, ...] = (ANY_TRAFFIC,)
    local: tuple[Address, ...] = ME
    remote: tuple[Address, ...] = ANY
    either_end: bool = False
    direction: Reading = Reading.OUT
    mirrored: bool = True
    """Whether the answers are meant too."""
    secure: Security | None = None
    """Permitted only if it is protected, and how; None: as it is."""
    override_block: bool = False
    """Whether such traffic passes filters that block (Windows: authenticated bypass)."""
    allow: Access = NOBODY
    """Who may send and receive it; empty for everybody who proves who he is."""
    deny: Access = NOBODY
    enabled: bool = True
    description: str = ""
    part: Part = WHOLE
    scope: Scope = EVERYWHERE
    place: Place = field(default=NOWHERE, compare=False)
    places: Mapping[str, Place] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Policy:
    """A whole policy."""

    rules: tuple[Rule, ...] = ()
    filters: tuple[Filter, ...] = ()
    name: str = field(default="", compare=False)
    """The document's."""
    ipsec: "IpsecPolicy | None" = None
    """The one that is assigned to this computer, if there is one."""
    unassigned: "tuple[IpsecPolicy, ...]" = ()
    """IPsec policies that are there to be assigned, and decide nothing until then."""
    filter_lists: "tuple[FilterList, ...]" = ()
    filter_actions: "tuple[FilterAction, ...]" = ()
    packet_filters: "tuple[PacketFilter, ...]" = ()
    profiles: Profiles = NO_PROFILES
    """Which networks count as which profile."""
    settings: GlobalSettings = field(default_factory=GlobalSettings)
    main_modes: tuple[MainModeRule, ...] = ()
    """In the order in which they are asked."""
    certificates: "tuple[CertificateFile, ...]" = ()
    """Of this computer."""
    authorities: "tuple[AuthorityFile, ...]" = ()
    """Those that certificates are from."""
    pools: "tuple[AddressPool, ...]" = ()
    radius: "tuple[RadiusTable, ...]" = ()
    """Servers that know users."""
    auth_sets: tuple[AuthSet, ...] = ()
    main_mode_cryptos: tuple[MainModeCrypto, ...] = ()
    quick_mode_cryptos: tuple[QuickModeCrypto, ...] = ()
    boot: BootSettings = NO_BOOT
    """What holds before the service is up."""
    beneath: "Policy | None" = None
    """An IPsec policy, with its lists and actions, that holds besides the assigned one (Windows: persistent policy)."""

    def __iter__(self) -> Iterator[Rule | Filter]:
        """What is written as rules and filters; ``lower.statements`` has those of the IPsec policy, too."""
        yield from self.rules
        yield from self.filters

    def __len__(self) -> int:
        return len(self.titles)

    @property
    def titles(self) -> dict[str, bool]:
        """The name of each rule and filter, and whether it is switched on."""
        titles = {item.name: item.enabled for item in self} | {one.name: one.enabled for one in self.packet_filters}
        if self.ipsec is not None:
            titles |= {rule.title: rule.enabled for rule in self.ipsec.rules}
        return titles if self.beneath is None else self.beneath.titles | titles

    @property
    def ipsec_policies(self) -> "tuple[IpsecPolicy, ...]":
        """The assigned one, and those that are not."""
        return self.unassigned if self.ipsec is None else (self.ipsec, *self.unassigned)

    @property
    def key_files(self) -> tuple[str, ...]:
        """The key files that it names, each once."""
        files = (one.file for _, auth, _, _ in self.authenticating() for one in auth if isinstance(one, PskFile))
        return tuple(dict.fromkeys(files))

    def naming(self, file: str) -> Iterator[tuple[str, Place]]:
        """What names a key file, and where."""
        for subject, auth, places, place in self.authenticating():
            if PskFile(file) in auth:
                keys = ("auth.psk-file", "auth", "first.psk-file", "first", "own-auth.psk-file", "own-auth")
                yield subject, next((places[key] for key in keys if key in places), place)

    def authenticating(self) -> Iterator[tuple[str, tuple[Auth, ...], Mapping[str, Place], Place]]:
        """All that says how both sides prove who they are: what it is, what it says, and where."""
        for rule in self.rules:
            yield f'rule "{rule.name}"', (*rule.auth, *rule.own_auth), rule.places, rule.place
            if rule.ppk is not None:
                yield f'rule "{rule.name}"', (PskFile(rule.ppk.file),), {}, rule.places.get("ppk", rule.place)
        yield from ((f'main mode rule "{one.name}"', one.auth, one.places, one.place) for one in self.main_modes)
        yield from ((f'auth set "{one.name}"', one.first, one.places, one.place) for one in self.auth_sets)
        yield "global", self.settings.auth, self.settings.places, self.settings.place
        for ipsec in self.ipsec_policies:
            subject = f'policy "{ipsec.title}"' if self.unassigned else "policy"
            yield subject, ipsec.auth, ipsec.places, ipsec.place
            for one in ipsec.rules:
                yield f'{subject}, rule "{one.title}"', one.auth, one.places, one.place
        yield from () if self.beneath is None else self.beneath.authenticating()

    @property
    def host_names(self) -> tuple[str, ...]:
        """The DNS names that it names, each once."""
        ends = [address for item in (*self, *self.main_modes) for address in (*item.local, *item.remote)]
        filters = [one for found in self.filter_lists for one in found.filters]
        ends += [address for one in filters for address in (one.source, one.destination)]
        names = [address.name for address in ends if isinstance(address, HostName)]
        return tuple(dict.fromkeys([*names, *(() if self.beneath is None else self.beneath.host_names)]))

    def summary(self) -> str:
        """Its first name, and how many more; of an IPsec policy its own name."""
        names = [name for name, enabled in self.titles.items() if enabled]
        if self.ipsec is not None and names:
            names = [self.ipsec.title, *(item.name for item in self if item.enabled)]
        more = f" + {len(names) - 1} more" if len(names) > 1 else ""
        return f"{names[0]}{more}" if names else "no rules: everything is permitted"
