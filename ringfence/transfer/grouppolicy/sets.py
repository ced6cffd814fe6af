# SPDX-License-Identifier: Apache-2.0
r"""Authentication sets and crypto sets as they stand in the registry ([MS-GPFAS] §2.2.4, §2.2.5).

    …\Phase1AuthenticationSets\{id}          Version, Name, Description, EmbeddedContext
    …\Phase1AuthenticationSets\{id}\0000     Method, CAName, …: the suite that is preferred to 0001

What the values of a key say is a ``Said``, as with rules, its values being texts. The set that rules without one of
their own have stands under another id, and a value of the parent key, named for its own id, tells which.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from ringfence.policy.errors import BadWord
from ringfence.policy.terms import Signing
from ringfence.transfer.grouppolicy.grammar import FIRST, Grammar, Said, Token, checked, grammar
from ringfence.transfer.grouppolicy.registry import Entry, Registry
from ringfence.transfer.grouppolicy.tokens import V2_8, V2_9, V2_10, V2_20
from ringfence.transfer.grouppolicy.values import BOOL, PLAIN, VERSION, Version, chosen, literal, numeric

BASE = "Software\\Policies\\Microsoft\\WindowsFirewall"
V2_1, V2_16 = Version(2, 1), Version(2, 16)

# -- the key of a set

SET_VERSION, SET_NAME = Token("Version", VERSION), Token("Name", PLAIN)
SET_DESCRIPTION, SET_GROUP = Token("Description", PLAIN), Token("EmbeddedContext", PLAIN)
FORCE_DH = Token("DoNotSkipDH", BOOL)
MAIN_MINUTES = Token("TimeOutMinutes", numeric(8, 71_582_788))
SESSIONS = Token("TimeOutSessions", numeric(10, 2_147_483_647))
PFS_WORDS = ("Disable", "EnableDHFromPhase1", "ReKeyDH1", "ReKeyDH2", "ReKeyDH2048", "ReKeyECDH256", "ReKeyECDH384")
PFS = Token("PFS", literal(*PFS_WORDS))
PFS_2_16 = Token("2_16PFS", literal(*PFS_WORDS, "ReKeyDH24"), since=V2_16)
HEAD = (SET_VERSION, SET_NAME, SET_DESCRIPTION, SET_GROUP)

# -- the key of a suite

SKIP_VERSION = Token("SkipVersion", VERSION)
FIRST_METHOD = Token("Method", literal("Anonymous", "MachineKerb", "MachineCert", "MachineSHKey", "MachineNtlm"))
SECOND_METHOD = Token("Method", literal("Anonymous", "MachineCert", "UserKerb", "UserCert", "UserNtlm"))
CA, KEY = Token("CAName", PLAIN), Token("SHKey", PLAIN)
MAPPING, HEALTH = Token("CertAccountMapping", BOOL), Token("HealthCert", BOOL)
EXCLUDE = Token("ExcludeCAName", BOOL)
SIGNING = Token("OtherCertSigning", chosen({"ECDSA256": Signing.ECDSA_P256, "ECDSA384": Signing.ECDSA_P384}),
                since=V2_1)  # fmt: skip
INTERMEDIATE = Token("IntermediateCA", BOOL, since=V2_10)
CERT_CRITERIA = Token("CertCriteria", PLAIN, since=V2_20)
PROXY, PROXY_SERVER = Token("AllowProxy", BOOL, since=V2_20), Token("ProxyServer", PLAIN, since=V2_20)
AUTH = (SKIP_VERSION, CA, KEY, MAPPING, HEALTH, EXCLUDE, SIGNING, INTERMEDIATE, CERT_CRITERIA, PROXY, PROXY_SERVER)

GROUPS = ("DH1", "DH2", "DH2048", "ECDH-256", "ECDH-384")
GROUP, GROUP_2_16 = Token("KeyExchange", literal(*GROUPS)), Token("2_16KeyExchange", literal(*GROUPS, "DH24"),
                                                                  since=V2_16)  # fmt: skip
CIPHER = Token("Encryption", literal("DES", "3DES", "AES-128", "AES-192", "AES-256"))
HASH, HASH_2_1 = Token("Hash", literal("MD5", "SHA1")), Token("2_1Hash", literal("SHA256", "SHA384"), since=V2_1)
PROTOCOL = Token("Protocol", literal("AH", "ESP", "AH&ESP"))
PROTOCOL_2_9 = Token("2_9Protocol", literal("AUTH_NO_ENCAP"), since=V2_10)
GCM = ("AES-GCM128", "AES-GCM192", "AES-GCM256")
CIPHER_2_1 = Token("2_1Encryption", literal(*GCM), since=V2_1)
AH_HASH, ESP_HASH = Token("AhHash", literal("MD5", "SHA1")), Token("EspHash", literal("MD5", "SHA1"))
AH_HASH_2_1 = Token("2_1AhHash", literal("SHA256", *GCM), since=V2_1)
ESP_HASH_2_1 = Token("2_1EspHash", literal("SHA256", *GCM), since=V2_1)
MINUTES, KILOBYTES = Token("TimeOutMinutes", numeric(4, 2880)), Token("TimeOutKbytes", numeric(10, 2_147_483_647))

SKIPS: Mapping[str, Version] = {
    SIGNING.name: FIRST, INTERMEDIATE.name: V2_8, HASH_2_1.name: FIRST, CIPHER_2_1.name: FIRST, AH_HASH_2_1.name: FIRST,
    ESP_HASH_2_1.name: FIRST, PROTOCOL_2_9.name: V2_9,
}  # fmt: skip
"""The version that a suite tells to skip it, because it has such a value."""


class SetKind(Enum):
    """The kinds of set, called as people call them."""

    AUTH1 = "phase 1 authentication set"
    AUTH2 = "phase 2 authentication set"
    CRYPTO1 = "main mode crypto set"
    CRYPTO2 = "quick mode crypto set"


@dataclass(frozen=True, slots=True)
class Shape:
    """Where sets of a kind are, and what they may say."""

    keys: tuple[str, ...]
    """The first is the one that is written; the specification has two names for some."""
    default: str
    """The id of the set that rules without one of their own have."""
    head: Grammar
    suite: Grammar


RESERVED = "{E5A5D32A-4BCE-4E4D-B07F-4AB1BA7E5FE%d}"
SHAPES: Mapping[SetKind, Shape] = {
    SetKind.AUTH1: Shape(("Phase1AuthenticationSets", "Phase1AuthenticationSet"), RESERVED % 3, grammar(HEAD),
                         grammar((FIRST_METHOD, *AUTH))),
    SetKind.AUTH2: Shape(("Phase2AuthenticationSets", "Phase2AuthenticationSet"), RESERVED % 4, grammar(HEAD),
                         grammar((SECOND_METHOD, *AUTH))),
    SetKind.CRYPTO1: Shape(("Phase1CryptoSet", "Phase1CryptoSets"), RESERVED % 1,
                           grammar((*HEAD, FORCE_DH, MAIN_MINUTES, SESSIONS)),
                           grammar((SKIP_VERSION, GROUP, GROUP_2_16, CIPHER, HASH, HASH_2_1))),
    SetKind.CRYPTO2: Shape(("Phase2CryptoSets", "Phase2CryptoSet"), RESERVED % 2, grammar((*HEAD, PFS, PFS_2_16)),
                           grammar((SKIP_VERSION, PROTOCOL, PROTOCOL_2_9, CIPHER, CIPHER_2_1, AH_HASH, AH_HASH_2_1,
                                    ESP_HASH, ESP_HASH_2_1, MINUTES, KILOBYTES))),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SetSaid:
    """One set."""

    kind: SetKind
    id: str
    """As rules name it: that of the default set is its own again."""
    key: str
    """Below ``BASE``."""
    origin: str
    head: Said
    suites: tuple[tuple[str, Said], ...] = ()
    """Key and values, in order of preference."""
    broken: tuple[tuple[str, str], ...] = ()
    """Suites that are none, by key, and why."""

    @property
    def title(self) -> str:
        """Its name; or its id, where it has none."""
        return self.head.one(SET_NAME) or self.id

    @property
    def is_default(self) -> bool:
        """Whether rules without one of their own have it."""
        return is_default(self.kind, self.id)


def is_default(kind: SetKind, set_id: str) -> bool:
    """Whether this is the id of the set that rules without one of their own have."""
    return set_id.lower() == SHAPES[kind].default.lower()


def read_sets(registry: Registry) -> Iterator[SetSaid | tuple[str, str, str]]:
    """All sets; what is none comes as its key, the object it is from, and why."""
    for kind, shape in SHAPES.items():
        for parent in shape.keys:
            renamed = registry.value(f"{BASE}\\{parent}", shape.default)
            stand_in = ((renamed.text if renamed is not None else None) or "").lower()
            for name in registry.subkeys(f"{BASE}\\{parent}"):
                yield _read(registry, kind, f"{parent}\\{name}", shape.default if name.lower() == stand_in else name)


def _read(registry: Registry, kind: SetKind, key: str, set_id: str) -> SetSaid | tuple[str, str, str]:
    shape, values = SHAPES[kind], registry.values(f"{BASE}\\{key}")
    origin = next((one.origin for one in values.values()), "")
    try:
        head = checked(FIRST, _fields(values), shape.head)
        version = head.one(SET_VERSION) or FIRST
    except BadWord as error:
        return key, origin, error.why
    suites: list[tuple[str, Said]] = []
    broken: list[tuple[str, str]] = []
    for name in sorted(registry.subkeys(f"{BASE}\\{key}")):
        path = f"{key}\\{name}"
        try:
            _check_index(name)
            suites.append((path, checked(version, _fields(registry.values(f"{BASE}\\{path}")), shape.suite)))
        except BadWord as error:
            broken.append((path, error.why))
    return SetSaid(kind, set_id, key, origin, Said(version, head.fields), tuple(suites), tuple(broken))


def _check_index(name: str) -> None:
    if len(name) != 4 or not name.isascii() or not name.isdigit():
        raise BadWord("its key is called otherwise than by four digits")


def _fields(values: Mapping[str, Entry]) -> Iterator[tuple[str, str]]:
    for name, entry in values.items():
        text = entry.text
        if text is None:
            raise BadWord(f"its {name} is no text")
        yield name, text
