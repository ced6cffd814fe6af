# SPDX-License-Identifier: Apache-2.0
"""The parameters of the NetSecurity cmdlets, as their reference pages list them: names, aliases, and what they take."""

from dataclasses import dataclass
from enum import Enum
from functools import cache

from ringfence.transfer.powershell.values import PROPOSALS, Kind


class Form(Enum):
    """What a parameter takes."""

    TEXT = "a text"
    LIST = "texts"
    NUMBER = "a number"
    BOOLEAN = "$true or $false"
    SWITCH = "nothing"
    CHOICE = "one of its words"
    CHOICES = "some of its words"
    OBJECTS = "objects"


class Use(Enum):
    """What a parameter is for."""

    CONTENT = "what the object is"
    SELECT = "which objects are meant"
    ASIDE = "says nothing that is kept"
    NOTED = "says something that has no place here"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a cmdlet."""

    name: str
    form: Form = Form.TEXT
    use: Use = Use.CONTENT
    aliases: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    """What may be chosen."""


@dataclass(frozen=True, slots=True)
class Cmdlet:
    """A cmdlet."""

    verb: str
    kind: Kind
    parameters: tuple[Parameter, ...]
    places: tuple[str, ...] = ()
    """The parameters that arguments without a name are for, in order."""

    @property
    def name(self) -> str:
        """As scripts call it."""
        return f"{self.verb}-{self.kind.value}"


def _many(names: str, form: Form = Form.TEXT, use: Use = Use.CONTENT) -> tuple[Parameter, ...]:
    return tuple(Parameter(name, form, use) for name in names.split())


def _choice(name: str, words: str, *aliases: str, form: Form = Form.CHOICE) -> Parameter:
    return Parameter(name, form, Use.CONTENT, aliases, tuple(words.split()))


ENABLED = _choice("Enabled", "True False")
PROFILES = _choice("Profile", "Any Domain Private Public NotApplicable", form=Form.CHOICES)
INTERFACES = _choice("InterfaceType", "Any Wired Wireless RemoteAccess", form=Form.CHOICES)
NEED = "None Request Require"
YES = "False True NotConfigured"
GROUPS = "None DH1 DH2 DH14 DH19 DH20 DH24 SameAsMainMode"
HASHES = "None MD5 SHA1 SHA256 SHA384 AESGMAC128 AESGMAC192 AESGMAC256"
CIPHERS = "None DES DES3 AES128 AES192 AES256 AESGCM128 AESGCM192 AESGCM256"
ENDS = _many("LocalAddress RemoteAddress", Form.LIST)
PORTS = _many("LocalPort RemotePort", Form.LIST)

CONTENT: dict[Kind, tuple[Parameter, ...]] = {
    Kind.RULE: (
        ENABLED, PROFILES, INTERFACES, *ENDS, *PORTS,
        _choice("Mode", "None Transport Tunnel"),
        _choice("InboundSecurity", NEED, "SecIn"),
        _choice("OutboundSecurity", NEED, "SecOut"),
        _choice("KeyModule", "Default IKEv1 AuthIP IKEv2"),
        *_many("QuickModeCryptoSet Phase1AuthSet Phase2AuthSet RemoteTunnelHostname User Machine Protocol"),
        *_many("LocalTunnelEndpoint RemoteTunnelEndpoint InterfaceAlias", Form.LIST),
        *_many("AllowWatchKey AllowSetKey EncryptedTunnelBypass RequireAuthorization", Form.BOOLEAN),
        Parameter("ForwardPathLifetime", Form.NUMBER),
        Parameter("TunnelType"),
    ),
    Kind.MAIN_MODE_RULE: (ENABLED, PROFILES, *ENDS, *_many("MainModeCryptoSet Phase1AuthSet")),
    Kind.PHASE1: (Parameter("Proposal", Form.OBJECTS),),
    Kind.PHASE2: (Parameter("Proposal", Form.OBJECTS),),
    Kind.MAIN_MODE_CRYPTO: (
        Parameter("Proposal", Form.OBJECTS),
        *_many("MaxMinutes MaxSessions", Form.NUMBER),
        Parameter("ForceDiffieHellman", Form.BOOLEAN),
    ),
    Kind.QUICK_MODE_CRYPTO: (Parameter("Proposal", Form.OBJECTS), _choice("PerfectForwardSecrecyGroup", GROUPS)),
    Kind.FIREWALL_RULE: (
        ENABLED, PROFILES, INTERFACES, *ENDS, *PORTS,
        _choice("Direction", "Inbound Outbound"),
        _choice("Action", "NotConfigured Allow Block"),
        _choice("EdgeTraversalPolicy", "Block Allow DeferToUser DeferToApp"),
        _choice("Authentication", "NotRequired Required NoEncap"),
        _choice("Encryption", "NotRequired Required Dynamic"),
        Parameter("OverrideBlockRules", Form.BOOLEAN),
        Parameter("LooseSourceMapping", Form.BOOLEAN, aliases=("LSM",)),
        Parameter("LocalOnlyMapping", Form.BOOLEAN),
        Parameter("DynamicTarget", aliases=("DynamicTransport",)),
        *_many("IcmpType InterfaceAlias RemoteDynamicKeywordAddresses", Form.LIST),
        *_many("Owner Protocol Program Package Service LocalUser RemoteUser RemoteMachine PolicyAppId"),
    ),
    Kind.SETTING: (
        _choice("Exemptions", "None NeighborDiscovery Icmp RouterDiscovery Dhcp NotConfigured", form=Form.CHOICES),
        _choice("CertValidationLevel", "None AttemptCrlCheck RequireCrlCheck NotConfigured"),
        _choice("AllowIPsecThroughNAT", "None Server Both NotConfigured"),
        _choice("KeyEncoding", "UTF16 UTF8 NotConfigured"),
        _choice("EnablePacketQueuing", "None Inbound Forward NotConfigured", form=Form.CHOICES),
        Parameter("MaxSAIdleTimeSeconds", Form.NUMBER),
        *(_choice(name, YES) for name in ("EnableStatefulFtp", "EnableStatefulPptp", "RequireFullAuthSupport")),
        *_many("RemoteMachineTransportAuthorizationList RemoteMachineTunnelAuthorizationList"),
        *_many("RemoteUserTransportAuthorizationList RemoteUserTunnelAuthorizationList"),
    ),
    Kind.PROFILE: (
        *(
            _choice(name, YES)
            for name in (
                "Enabled", "AllowLocalIPsecRules", "AllowLocalFirewallRules", "AllowInboundRules", "AllowUserApps",
                "AllowUserPorts", "AllowUnicastResponseToMulticast", "NotifyOnListen", "EnableStealthModeForIPsec",
                "LogAllowed", "LogBlocked", "LogIgnored",
            )
        ),
        _choice("DefaultInboundAction", "NotConfigured Allow Block"),
        _choice("DefaultOutboundAction", "NotConfigured Allow Block"),
        *_many("LogFileName LogMaxSizeKilobytes"),
        Parameter("DisabledInterfaceAliases", Form.LIST),
    ),
    Kind.AUTH_PROPOSAL: (
        *_many("Machine User Anonymous Kerberos Ntlm Cert Health AccountMapping ExcludeCAName", Form.SWITCH),
        *_many("FollowRenewal SelectionCriteria ValidationCriteria", Form.SWITCH),
        Parameter("PreSharedKey", aliases=("PSK",)),
        *_many("Proxy Authority SubjectName Thumbprint"),
        _choice("AuthorityType", "Invalid Root Intermediate"),
        _choice("Signing", "Invalid RSA ECDSA256 ECDSA384"),
        _choice("SubjectNameType", "None DomainName UserPrincipalName EmailAddress CN OU O DC"),
        Parameter("ExtendedKeyUsage", Form.LIST, aliases=("EKUs",)),
    ),
    Kind.MAIN_MODE_PROPOSAL: (_choice("Encryption", CIPHERS), _choice("Hash", HASHES), _choice("KeyExchange", GROUPS)),
    Kind.QUICK_MODE_PROPOSAL: (
        _choice("Encapsulation", "None AH ESP", form=Form.CHOICES),
        _choice("Encryption", CIPHERS),
        _choice("AHHash", HASHES),
        _choice("ESPHash", HASHES),
        *_many("MaxMinutes MaxKiloBytes", Form.NUMBER),
    ),
}  # fmt: skip

DEFAULTS = {
    "Enabled": "True", "Direction": "Inbound", "Action": "Allow", "Mode": "Transport", "InboundSecurity": "None",
    "OutboundSecurity": "None", "KeyModule": "Default", "Profile": "Any", "InterfaceType": "Any", "Protocol": "Any",
    "LocalAddress": "Any", "RemoteAddress": "Any", "LocalPort": "Any", "RemotePort": "Any", "Phase1AuthSet": "Default",
    "Phase2AuthSet": "Default", "QuickModeCryptoSet": "Default", "MainModeCryptoSet": "Default",
}  # fmt: skip
"""What stands in objects where a script says nothing."""
COMMON = (
    *(
        Parameter(name, Form.TEXT, Use.ASIDE, (alias,))
        for name, alias in (
            ("ErrorAction", "EA"), ("WarningAction", "WA"), ("InformationAction", "infa"), ("ErrorVariable", "EV"),
            ("WarningVariable", "WV"), ("InformationVariable", "iv"), ("OutVariable", "OV"), ("OutBuffer", "OB"),
            ("PipelineVariable", "PV"),
        )
    ),
    Parameter("Verbose", Form.SWITCH, Use.ASIDE, ("vb",)),
    Parameter("Debug", Form.SWITCH, Use.ASIDE, ("db",)),
)  # fmt: skip
REMOTE = (
    Parameter("WhatIf", Form.SWITCH, Use.ASIDE, ("wi",)),
    Parameter("Confirm", Form.SWITCH, Use.ASIDE, ("cf",)),
    Parameter("AsJob", Form.SWITCH, Use.ASIDE),
    Parameter("ThrottleLimit", Form.TEXT, Use.ASIDE),
    Parameter("CimSession", Form.OBJECTS, Use.NOTED, ("Session",)),
    Parameter("GPOSession", Form.TEXT, Use.NOTED),
    Parameter("PolicyStore", Form.TEXT, Use.NOTED),
)
SELECTING = (
    *_many("DisplayName DisplayGroup Group", Form.LIST, Use.SELECT),
    Parameter("InputObject", Form.OBJECTS, Use.SELECT),
)
QUERYING = (
    *SELECTING,
    Parameter("All", Form.SWITCH, Use.SELECT),
    *_many("TracePolicyStore PassThru", Form.SWITCH, Use.ASIDE),
    *_many("PolicyStoreSource PolicyStoreSourceType PrimaryStatus Status Owner", Form.LIST, Use.SELECT),
)
VERBS = ("Get", "Set", "New", "Remove", "Enable", "Disable", "Rename", "Copy", "Show")


def _named(kind: Kind, form: Form, use: Use) -> Parameter:
    if kind is Kind.RULE:
        return Parameter("IPsecRuleName", form, use, ("ID", "Name"))
    return Parameter("Name", form, use, ("ID",))


@cache
def cmdlet(name: str) -> Cmdlet | None:
    """The cmdlet of that name, in lower case; None if it is none whose parameters are known here."""
    verb, _, noun = name.partition("-")
    kind = next((one for one in Kind if one.value.lower() == noun), None)
    known = next((one for one in VERBS if one.lower() == verb), None)
    if kind is None or known is None:
        return None
    return _cmdlet(known, kind)


def _cmdlet(verb: str, kind: Kind) -> Cmdlet | None:
    content = CONTENT[kind]
    if kind in PROPOSALS:
        return Cmdlet(verb, kind, (*content, *COMMON)) if verb == "New" else None
    if kind in (Kind.SETTING, Kind.PROFILE):
        return _whole(verb, kind, content)
    about = _many("Description")
    if verb == "New":
        made = (_named(kind, Form.TEXT, Use.CONTENT), *_many("DisplayName Group Platform"), *about)
        default = (Parameter("Default", Form.SWITCH),) if kind in DEFAULTED else ()
        return Cmdlet(verb, kind, (*made, *content, *default, *REMOTE, *COMMON))
    name = _named(kind, Form.LIST, Use.SELECT)
    if verb == "Set":
        new = _many("NewDisplayName Platform")
        passing = Parameter("PassThru", Form.SWITCH, Use.ASIDE)
        return Cmdlet(verb, kind, (name, *SELECTING, *new, passing, *about, *content, *REMOTE, *COMMON), (name.name,))
    asked = tuple(
        Parameter(one.name, Form.LIST, Use.SELECT, one.aliases)
        for one in (*about, *content)
        if one.form is not Form.OBJECTS and one.name != "Owner"
    )
    extra = _many("NewName NewPolicyStore NewGPOSession") if verb in ("Rename", "Copy") else ()
    return Cmdlet(verb, kind, (name, *QUERYING, *asked, *extra, *REMOTE, *COMMON), (name.name,))


DEFAULTED = (Kind.PHASE1, Kind.PHASE2, Kind.MAIN_MODE_CRYPTO, Kind.QUICK_MODE_CRYPTO)


def _whole(verb: str, kind: Kind, content: tuple[Parameter, ...]) -> Cmdlet | None:
    """Of settings, which are there once, or once for each profile."""
    if verb not in ("Get", "Set"):
        return None
    name = Parameter("Name", Form.LIST, Use.SELECT, ("Profile",))
    select = (name, Parameter("All", Form.SWITCH, Use.SELECT)) if kind is Kind.PROFILE else ()
    rest = (
        Parameter("InputObject", Form.OBJECTS, Use.SELECT),
        *_many("PassThru TracePolicyStore", Form.SWITCH, Use.ASIDE),
        *REMOTE,
        *COMMON,
    )
    return Cmdlet(verb, kind, (*select, *(content if verb == "Set" else ()), *rest), ("Name",) if select else ())
