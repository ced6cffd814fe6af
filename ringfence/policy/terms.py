# SPDX-License-Identifier: Apache-2.0
"""On what terms two computers agree: how each proves who it is, main mode, quick mode, and who is let in at all.

Authentication has two steps, as on Windows: the computer proves itself first, and then perhaps its user, or its health,
a second time. Sets of terms have names, so that several rules share them, and ``[global]`` has those of rules that say
none of their own. What a rule does not say is empty or None here; ``settle`` fills it in.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from ringfence.crypto.suites import DhGroup
from ringfence.databases.eap import EapMethod
from ringfence.databases.pad import USUAL as DEAD_PEER
from ringfence.databases.pad import Childless as Childless
from ringfence.databases.pad import DeadPeer as DeadPeer
from ringfence.databases.pad import ThroughNat as ThroughNat
from ringfence.databases.proposal import IkeProposal, Limits, SecurityMethod
from ringfence.place import NOWHERE, Place
from ringfence.policy.methods import MAIN_MODE_DEFAULT, QUICK_MODE_DEFAULT, parse_ike_proposal, parse_method
from ringfence.policy.rawkeys import PublicKeys as PublicKeys

MAIN_MODE_LIFETIME_S = 480 * 60
QUICK_MODE_LIMITS = Limits(seconds=60 * 60)
IDLE_S = 5 * 60
PROTECT = tuple(map(parse_method, QUICK_MODE_DEFAULT))
"""What Ringfence offers where nobody says otherwise."""


@dataclass(frozen=True, slots=True)
class PskFile:
    """Authentication by a preshared key that stands in a file."""

    file: str
    """As the document names it."""

    def __str__(self) -> str:
        return f"preshared key {self.file}"


@dataclass(frozen=True, slots=True)
class PpkFile:
    """A postquantum preshared key that stands in a file, for IKEv2."""

    id: str
    """By which the computers name it to each other."""
    file: str
    required: bool = True
    """Whether nobody is let in without it."""


@dataclass(frozen=True, slots=True)
class Kerberos:
    """Authentication by the computer's account in its domain; a later version will do it."""

    def __str__(self) -> str:
        return "kerberos"


@dataclass(frozen=True, slots=True)
class Ntlm:
    """Authentication by the computer's account and NTLMv2; a later version will do it."""

    def __str__(self) -> str:
        return "ntlm"


@dataclass(frozen=True, slots=True)
class Anonymous:
    """No proof at all (Windows: authentication is optional); as the first one only a later version will do it."""

    def __str__(self) -> str:
        return "anonymous"


@dataclass(frozen=True, slots=True)
class UserKerberos:
    """Second authentication by the user's account in the domain; a later version will do it."""

    def __str__(self) -> str:
        return "user-kerberos"


@dataclass(frozen=True, slots=True)
class UserNtlm:
    """Second authentication by the user's account and NTLMv2; a later version will do it."""

    def __str__(self) -> str:
        return "user-ntlm"


class Holder(Enum):
    """Whose certificate it is."""

    COMPUTER = "computer"
    USER = "user"


class Signing(Enum):
    """What a certificate's key signs with; Windows has the first three."""

    RSA = "rsa"
    ECDSA_P256 = "ecdsa-p256"
    ECDSA_P384 = "ecdsa-p384"
    ECDSA_P521 = "ecdsa-p521"
    ED25519 = "ed25519"
    """This and the next are for IKEv2 alone."""
    ED448 = "ed448"


class AuthorityKind(Enum):
    """Where a certificate's authority stands in its chain."""

    ROOT = "root"
    INTERMEDIATE = "intermediate"


class NameKind(Enum):
    """Which name of a certificate is asked about."""

    DNS = "dns"
    UPN = "upn"
    EMAIL = "email"
    CN = "cn"
    OU = "ou"
    O = "o"  # noqa: E741
    DC = "dc"


class Criteria(Enum):
    """What names, usages and thumbprint are for."""

    BOTH = "both"
    SELECT = "select"
    """Our own certificate among several."""
    VALIDATE = "validate"
    """The peer's."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """Authentication by a certificate of this authority; a later version will do it."""

    authority: str
    """Its distinguished name."""
    signing: Signing = Signing.RSA
    kind: AuthorityKind = AuthorityKind.ROOT
    holder: Holder = Holder.COMPUTER
    """A user's serves as second authentication only; a computer's there is a health certificate."""
    health: bool = False
    """Only certificates that say that the computer keeps its health policy."""
    mapping: bool = False
    """The certificate stands for an account of the domain."""
    exclude_ca_name: bool = False
    """Certificate requests do not name the authority."""
    eku: tuple[str, ...] = ()
    """Extended key usages that it must have, as dotted numbers."""
    name_kind: NameKind | None = None
    """None: any name will do."""
    name: str = ""
    hash: str = ""
    """Its thumbprint in hex; empty for any."""
    follow_renewal: bool = False
    """Whether the certificate that follows the one of ``hash`` will do."""
    criteria: Criteria = Criteria.BOTH

    def __str__(self) -> str:
        whose = "user certificate" if self.holder is Holder.USER else "health certificate" if self.health else ""
        return f"{whose or 'certificate'} {self.authority}"


@dataclass(frozen=True, slots=True)
class Eap:
    """Authentication of users by EAP, in IKEv2: a client says as whom, a gateway who knows them."""

    methods: tuple[EapMethod, ...]
    """In order of preference."""
    certificate: Certificate | None = None
    """How the gateway proves itself, and with TLS the users, too."""
    user: str = ""
    password_file: str = ""
    users_file: str = ""
    radius: tuple[str, ...] = ()
    """Names of servers, in the order in which they are asked."""
    alone: bool = False
    """Whether the gateway proves itself by EAP, too (RFC 5998)."""

    @property
    def files(self) -> tuple[str, ...]:
        """All that it names."""
        return tuple(one for one in (self.password_file, self.users_file) if one)

    def __str__(self) -> str:
        return f"EAP {' or '.join(one.value for one in self.methods)}"


Auth = PskFile | Kerberos | Ntlm | Anonymous | Certificate | PublicKeys | Eap
"""First authentication."""
SecondAuth = UserKerberos | UserNtlm | Certificate | Eap | Anonymous
"""Second authentication; ``Anonymous`` among them: it is optional."""


@dataclass(frozen=True, slots=True)
class Xauth:
    """A user proves himself behind IKEv1's main mode; files stay names."""

    user: str = ""
    """Whom this computer proves to be, where it begins."""
    password_file: str = ""
    users_file: str = ""
    """Whom it lets in, where the other side begins."""

    @property
    def files(self) -> tuple[str, ...]:
        """All that it names."""
        return tuple(one for one in (self.password_file, self.users_file) if one)


@dataclass(frozen=True, slots=True)
class MainMode:
    """How the two computers agree on keys (Windows: key exchange settings)."""

    methods: tuple[IkeProposal, ...] = tuple(
        parse_ike_proposal(word, Limits(seconds=MAIN_MODE_LIFETIME_S)) for word in MAIN_MODE_DEFAULT
    )
    lifetime_s: int = MAIN_MODE_LIFETIME_S
    sessions: int = 0
    """Quick modes per main mode; 0 for no limit."""
    pfs: bool = False
    """A new main mode for every quick mode (Windows: master key perfect forward secrecy)."""
    aggressive: bool = False
    """IKEv1's aggressive mode is spoken, which protects no identities."""
    xauth: Xauth | None = None
    force_dh: bool = False
    """A Diffie-Hellman exchange also where AuthIP could do without; IKE always has one."""
    reauthenticate_s: int | None = None
    """How old a proof of who both are may be in IKEv2; None for as old as the two computers are connected."""
    childless: Childless = Childless.NEVER
    """Whether IKEv2 makes every contract after the IKE SA, with keys of its own."""


@dataclass(frozen=True, slots=True)
class Access:
    """Computers and users by name; empty for none said."""

    computers: tuple[str, ...] = ()
    """``db1.corp.example``, ``*.corp.example``, ``10.0.0.0/8``; or accounts such as ``CORP\\Servers``."""
    users: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.computers or self.users)


NOBODY = Access()


@dataclass(frozen=True, slots=True)
class AuthSet:
    """Ways to authenticate that several rules share."""

    name: str
    first: tuple[Auth, ...] = ()
    """In order of preference."""
    second: tuple[SecondAuth, ...] = ()
    """Likewise; empty for no second authentication."""
    description: str = ""
    place: Place = field(default=NOWHERE, compare=False)
    places: Mapping[str, Place] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class MainModeCrypto:
    """Main mode settings that several main mode rules share."""

    name: str
    mode: MainMode = field(default_factory=MainMode)
    legacy: bool = False
    description: str = ""
    place: Place = field(default=NOWHERE, compare=False)
    places: Mapping[str, Place] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class QuickModeCrypto:
    """Quick mode settings that several rules share."""

    name: str
    protect: tuple[SecurityMethod, ...] = ()
    """In order of preference; empty for the default ones. Those without limits have those of ``lifetime``."""
    lifetime: Limits | None = None
    """None for the default."""
    pfs: DhGroup | bool = False
    """True: the first group of main mode."""
    legacy: bool = False
    description: str = ""
    place: Place = field(default=NOWHERE, compare=False)
    places: Mapping[str, Place] = field(default_factory=dict, compare=False)


class Security(Enum):
    """How secure traffic has to be that a filter permits (Windows: allow the connection if it is secure)."""

    AUTHENTICATED = "authenticated"
    """Protected by a rule, in whatever way."""
    ENCRYPTED = "encrypted"
    """So that nobody on the way can read it."""
    NEGOTIATED = "negotiated"
    """Encrypted; but what the other side begins may be only authenticated, until encryption is negotiated."""
    NO_ENCAPSULATION = "no-encapsulation"
    """Authenticated, if only the first packet is protected."""


class Exempt(Enum):
    """Traffic that rules do not reach."""

    NEIGHBOR_DISCOVERY = "neighbor-discovery"
    ICMP = "icmp"
    ROUTER_DISCOVERY = "router-discovery"
    DHCP = "dhcp"


class PskEncoding(Enum):
    """How the text of a preshared key becomes octets."""

    UTF8 = "utf-8"
    UTF16 = "utf-16"
    """Windows: none."""


class Masqueraded(Enum):
    """What happens to what this computer forwards by an address of its own where a rule requires protection of that."""

    BLOCK = "block"
    CLEAR = "clear"


class CrlCheck(Enum):
    """How strictly certificates are looked up in the lists of revoked ones."""

    NONE = "none"
    REVOKED = "revoked"
    """Refused only if it stands in a list."""
    STRICT = "strict"
    """Refused also if no list can be had."""


@dataclass(frozen=True, slots=True)
class GlobalSettings:
    """What holds for all rules, and the terms of those that say none of their own."""

    exempt: tuple[Exempt, ...] = (Exempt.NEIGHBOR_DISCOVERY, Exempt.DHCP)
    idle_s: int = IDLE_S
    """SAs of a quick mode end after so long without traffic."""
    psk_encoding: PskEncoding = PskEncoding.UTF8
    crl_check: CrlCheck = CrlCheck.NONE
    through_nat: ThroughNat = ThroughNat.BOTH
    masqueraded: Masqueraded = Masqueraded.BLOCK
    dead_peer: DeadPeer | None = DEAD_PEER
    """None: no peer is asked whether it is still there."""
    fragmentation: bool = True
    """Whether messages of IKEv1 may go in pieces."""
    auth: tuple[Auth, ...] = ()
    second_auth: tuple[SecondAuth, ...] = ()
    auth_set: str = ""
    protect: tuple[SecurityMethod, ...] = ()
    """Empty: Ringfence's own choice."""
    lifetime: Limits | None = None
    pfs: DhGroup | bool = False
    quick_mode_crypto: str = ""
    main_mode: MainMode | None = None
    main_mode_crypto: str = ""
    require_encryption: bool = False
    """Methods without encryption are not offered, whatever rules say."""
    local_rules: bool = True
    """Whether stores of lower precedence may have rules, too."""
    tunnel_allow: Access = NOBODY
    """Who may use tunnels that say ``authorize = true``; empty for all."""
    tunnel_deny: Access = NOBODY
    transport_allow: Access = NOBODY
    """Likewise for all rules that are no tunnels and name nobody themselves."""
    transport_deny: Access = NOBODY
    legacy: bool = False
    place: Place = field(default=NOWHERE, compare=False)
    """Nowhere: no document has such a table."""
    places: Mapping[str, Place] = field(default_factory=dict, compare=False)
