# SPDX-License-Identifier: Apache-2.0
"""The keys of rules: connection security, main mode, firewall; and of certificate criteria.

[MS-GPFAS] §2.2.6.2, §2.2.7.1, §2.2.2.19 and §2.2.4.17, each key with the first version of the schema that has it, as
far as that is said. ``INHERENT`` is the version that Ringfence has: what says ``SkipVer`` of it or of a later one is
not for it.
"""

from ringfence.policy.model import KeyModule
from ringfence.policy.scope import LinkKind, Profile
from ringfence.policy.terms import Criteria, NameKind
from ringfence.transfer.grouppolicy.grammar import Grammar, Token, grammar
from ringfence.transfer.grouppolicy.values import (
    BOOL,
    ICMP,
    INTERFACE,
    PLACES,
    PLACES_2_20,
    PLATFORM,
    PORT,
    PORT_RANGE,
    TEXT,
    VERSION,
    Version,
    address,
    addresses,
    chosen,
    literal,
    numeric,
    ports,
)

INHERENT = Version(2, 30)
V2_8, V2_9, V2_10, V2_20, V2_22, V2_24 = (Version(2, minor) for minor in (8, 9, 10, 20, 22, 24))
V2_27, V2_28 = Version(2, 27), Version(2, 28)

# -- what all kinds of rule say

NAME = Token("Name", TEXT)
DESCRIPTION = Token("Desc", TEXT)
GROUP = Token("EmbedCtxt", TEXT)
ACTIVE = Token("Active", BOOL)
PROFILE = Token("Profile", chosen({"Domain": Profile.DOMAIN, "Private": Profile.PRIVATE, "Public": Profile.PUBLIC}),
                many=True)  # fmt: skip
PLATFORMS = Token("Platform", PLATFORM, many=True)
OR_LATER = Token("Platform2", literal("GTEQ"), since=V2_20)
SKIP = Token("SkipVer", VERSION)
COMMON = (NAME, DESCRIPTION, GROUP, ACTIVE, PROFILE, PLATFORMS, OR_LATER, SKIP)

PROTOCOL = Token("Protocol", numeric(3, 255))
INTERFACES = Token("IF", INTERFACE, many=True)
LINKS = Token("IFType", chosen({"Lan": LinkKind.LAN, "Wireless": LinkKind.WIRELESS,
                                "RemoteAccess": LinkKind.REMOTE_ACCESS}), many=True)  # fmt: skip

# -- between which endpoints

V4, V6 = addresses(4, (*PLACES, *PLACES_2_20)), addresses(6, (*PLACES, *PLACES_2_20))
FIRST4, FIRST6 = Token("EP1_4", V4, many=True), Token("EP1_6", V6, many=True)
SECOND4, SECOND6 = Token("EP2_4", V4, many=True), Token("EP2_6", V6, many=True)
ENDS = (FIRST4, FIRST6, SECOND4, SECOND6)
AUTH1, AUTH2 = Token("Auth1Set", TEXT), Token("Auth2Set", TEXT)

# -- connection security rules

ACTION = Token("Action", literal("SecureServer", "Boundary", "Secure", "DoNotSecure"))
FIRST_PORT, SECOND_PORT = Token("EP1Port", PORT, many=True), Token("EP2Port", PORT, many=True)
FIRST_PORTS = Token("EP1Port2_10", PORT_RANGE, many=True, since=V2_10)
SECOND_PORTS = Token("EP2Port2_10", PORT_RANGE, many=True, since=V2_10)
CRYPTO2 = Token("Crypto2Set", TEXT)
CLEAR_OUT, BYPASS = Token("SecureInClearOut", BOOL, since=V2_10), Token("ByPassTunnel", BOOL, since=V2_10)
AUTHORIZE = Token("Authz", BOOL, since=V2_10)
RTUNNEL4, RTUNNEL6 = Token("RTunnel4", address(4)), Token("RTunnel6", address(6))
LTUNNEL4, LTUNNEL6 = Token("LTunnel4", address(4)), Token("LTunnel6", address(6))
RTUNNEL4_2, RTUNNEL6_2 = Token("RTunnel4_2", address(4), since=V2_10), Token("RTunnel6_2", address(6), since=V2_10)
LTUNNEL4_2, LTUNNEL6_2 = Token("LTunnel4_2", address(4), since=V2_10), Token("LTunnel6_2", address(6), since=V2_10)
TUNNEL_NAME = Token("RTunnelFqdn", TEXT, since=V2_20)
TUNNELS4, TUNNELS6 = Token("RTunEndpts4", V4, many=True, since=V2_20), Token("RTunEndpts6", V6, many=True, since=V2_20)
MODULE_WORDS = {"IkeV1": KeyModule.IKEV1, "AuthIP": KeyModule.AUTHIP, "IkeV2": KeyModule.IKEV2}
KEY_MODULES = Token("KeyMod", literal("KeyModDefault", *MODULE_WORDS), many=True, since=V2_20)
DICTATE, NOTIFY = Token("KeyManagerDictate", BOOL, since=V2_20), Token("KeyManagerNotify", BOOL, since=V2_20)
FORWARD = Token("FwdLifetime", numeric(10, 4_294_967_295), since=V2_20)
COMPUTERS = Token("TransportMachineAuthzSDDL", TEXT, since=V2_20)
USERS = Token("TransportUserAuthzSDDL", TEXT, since=V2_20)
REALM = Token("SecurityRealmEnabled", BOOL, since=V2_24)
TUNNEL_ENDS = (RTUNNEL4, RTUNNEL6, LTUNNEL4, LTUNNEL6, RTUNNEL4_2, RTUNNEL6_2, LTUNNEL4_2, LTUNNEL6_2, TUNNEL_NAME,
          TUNNELS4, TUNNELS6)  # fmt: skip

TUNNEL: Grammar = grammar(TUNNEL_ENDS)
"""What only a rule of a tunnel says."""

CONSEC: Grammar = grammar([
    *COMMON, *ENDS, *TUNNEL_ENDS, ACTION, PROTOCOL, INTERFACES, LINKS, FIRST_PORT, SECOND_PORT, FIRST_PORTS,
    SECOND_PORTS, AUTH1, AUTH2, CRYPTO2, CLEAR_OUT, BYPASS, AUTHORIZE, KEY_MODULES, DICTATE, NOTIFY, FORWARD, COMPUTERS,
    USERS, REALM,
])  # fmt: skip

# -- main mode rules

CRYPTO1 = Token("Crypto1Set", TEXT, since=V2_8)
MAIN_MODE: Grammar = grammar([*COMMON, *ENDS, AUTH1, CRYPTO1])

# -- rules of the firewall

LPORT_WORDS, LPORT_WORDS_2_10 = ("RPC", "RPC-EPMap", "Teredo"), ("IPTLSIn", "IPHTTPSIn")
LPORT_WORDS_2_20 = ("DHCP", "Ply2Disc", "mDNS", "TcpCDPSvc")
RPORT_WORDS_2_10 = ("IPTLSOut", "IPHTTPSOut", "CortanaOut")
FW_ACTION = Token("Action", literal("Allow", "Block", "ByPass"))
DIRECTION = Token("Dir", literal("In", "Out"))
LPORT, RPORT = Token("LPort", ports(PORT, LPORT_WORDS), many=True), Token("RPort", ports(PORT), many=True)
LPORTS = Token("LPort2_10", ports(PORT_RANGE, LPORT_WORDS_2_10), many=True, since=V2_10)
RPORTS = Token("RPort2_10", ports(PORT_RANGE, RPORT_WORDS_2_10), many=True, since=V2_10)
LPORT_WORD = Token("LPort2_20", literal(*LPORT_WORDS_2_20), many=True, since=V2_20)
SECURITY = Token("Security", literal("Authenticate", "AuthenticateEncrypt"))
SECURITY_2_9 = Token("Security2_9", literal("An-NoEncap"), since=V2_9)
SECURITY_2 = Token("Security2", literal("AnE-Nego"), since=V2_10)
LOCAL4, LOCAL6 = Token("LA4", V4, many=True), Token("LA6", V6, many=True)
REMOTE4, REMOTE6 = Token("RA4", V4, many=True), Token("RA6", V6, many=True)
REMOTE4_2 = Token("RA42", literal(*PLACES_2_20), many=True, since=V2_20)
REMOTE6_2 = Token("RA62", literal(*PLACES_2_20), many=True, since=V2_20)
ICMP4, ICMP6 = Token("ICMP4", ICMP, many=True), Token("ICMP6", ICMP, many=True)
REMOTE_COMPUTERS, REMOTE_USERS = Token("RMAuth", TEXT), Token("RUAuth", TEXT)
BYPASS_OUT = Token("AuthByPassOut", BOOL, since=V2_10)
PROGRAM, SERVICE, PACKAGE = Token("App", TEXT), Token("Svc", TEXT), Token("AppPkgId", TEXT, since=V2_20)
OWNER, LOCAL_USERS = Token("LUOwn", TEXT, since=V2_20), Token("LUAuth", TEXT, since=V2_20)
LOCAL_USERS_2_24 = Token("LUAuth2_24", TEXT, since=V2_24)
NETWORK, REALM_ID = Token("NNm", TEXT, since=V2_24), Token("SecurityRealmId", TEXT, since=V2_24)
EDGE, DEFER = Token("Edge", BOOL), Token("Defer", literal("App", "User"), since=V2_10)
LOOSE, LOCAL_ONLY, CROSS = Token("LSM", BOOL), Token("LOM", BOOL), Token("PCross", BOOL, since=V2_20)
TRUST = Token("TTK", literal("Proximity", "ProxSharing"), many=True, since=V2_20)
TRUST_2_22 = Token("TTK2_22", literal("WFDPrint", "WFDDisplay", "WFDDevices"), many=True, since=V2_22)
TRUST_2_27 = Token("TTK2_27", literal("WFDKmDriver", "UPnP"), many=True, since=V2_27)
TRUST_2_28 = Token("TTK2_28", literal("WFDCDPSvc"), many=True, since=V2_28)
FIREWALL: Grammar = grammar([
    *COMMON, FW_ACTION, DIRECTION, PROTOCOL, INTERFACES, LINKS, LPORT, RPORT, LPORTS, RPORTS, LPORT_WORD, SECURITY,
    SECURITY_2_9, SECURITY_2, LOCAL4, LOCAL6, REMOTE4, REMOTE6, REMOTE4_2, REMOTE6_2, ICMP4, ICMP6, REMOTE_COMPUTERS,
    REMOTE_USERS, BYPASS_OUT, PROGRAM, SERVICE, PACKAGE, OWNER, LOCAL_USERS, LOCAL_USERS_2_24, NETWORK, REALM_ID, EDGE,
    DEFER, LOOSE, LOCAL_ONLY, CROSS, TRUST, TRUST_2_22, TRUST_2_27, TRUST_2_28,
])  # fmt: skip

# -- criteria of certificates

CRITERIA_TYPE = Token("CriteriaType", chosen({"Both": Criteria.BOTH, "Select": Criteria.SELECT,
                                              "Validate": Criteria.VALIDATE}), since=V2_20)  # fmt: skip
NAME_TYPE = Token("NameType", chosen({
    "DNS": NameKind.DNS, "UPN": NameKind.UPN, "RFC822": NameKind.EMAIL, "CN": NameKind.CN, "OU": NameKind.OU,
    "O": NameKind.O, "DC": NameKind.DC,
}), since=V2_20)  # fmt: skip
USAGE, THUMBPRINT = Token("Eku", TEXT, many=True, since=V2_20), Token("Hash", TEXT, since=V2_20)
RENEWAL = Token("FollowRenewal", BOOL, since=V2_20)
CRITERIA: Grammar = grammar([CRITERIA_TYPE, NAME_TYPE, NAME, USAGE, THUMBPRINT, RENEWAL])
