# SPDX-License-Identifier: Apache-2.0
"""Suites of sets as ways to authenticate and as security methods ([MS-GPFAS] §2.2.4, §2.2.5; [MS-FASP] §2.2.63 to 74).

Group 24 is not served here. GCM and GMAC are one thing to ESP: encryption ``AES-GCM256`` stands with the hash of that
name or alone, and such a hash without encryption is integrity only.
"""

from collections.abc import Callable, Mapping

from ringfence.crypto.suites import DhGroup
from ringfence.databases.proposal import IkeProposal, Limits, SecurityMethod
from ringfence.policy.errors import BadWord
from ringfence.policy.methods import parse_group, parse_ike_proposal, parse_method
from ringfence.policy.terms import (
    Anonymous,
    Auth,
    AuthorityKind,
    Certificate,
    Criteria,
    Holder,
    Kerberos,
    Ntlm,
    PskFile,
    SecondAuth,
    Signing,
    UserKerberos,
    UserNtlm,
)
from ringfence.transfer.grouppolicy import sets, tokens
from ringfence.transfer.grouppolicy.grammar import Said, parse

GROUPS = {"DH1": "modp768", "DH2": "modp1024", "DH2048": "modp2048", "ECDH-256": "ecp256", "ECDH-384": "ecp384"}
PFS_GROUPS = {"ReKeyDH1": "modp768", "ReKeyDH2": "modp1024", "ReKeyDH2048": "modp2048", "ReKeyECDH256": "ecp256",
              "ReKeyECDH384": "ecp384"}  # fmt: skip
GROUP_CURE = "DH2048, ECDH-256 and ECDH-384 serve everywhere."
CIPHERS = {"DES": "des", "3DES": "3des", "AES-128": "aes128", "AES-192": "aes192", "AES-256": "aes256"}
GCM = {f"AES-GCM{bits}": f"aes{bits}-gcm" for bits in (128, 192, 256)}
HASHES = {"MD5": "md5", "SHA1": "sha1", "SHA256": "sha256", "SHA384": "sha384"}
GMAC = {f"AES-GCM{bits}": f"aes{bits}-gmac" for bits in (128, 192, 256)}
DEFAULT_MINUTES, DEFAULT_KILOBYTES = 60, 100_000
LEAST_MINUTES, MOST_MINUTES, LEAST_KILOBYTES = 5, 2879, 20_480
NO_DATA_LIMIT_KB = 2_147_483_647
"""The most that Windows takes: in effect no limit."""

FIRST: Mapping[str, Auth] = {"Anonymous": Anonymous(), "MachineKerb": Kerberos(), "MachineNtlm": Ntlm()}
SECOND: Mapping[str, SecondAuth] = {"Anonymous": Anonymous(), "UserKerb": UserKerberos(), "UserNtlm": UserNtlm()}

KeyFile = Callable[[str], PskFile]
Say = Callable[[str], None]
"""Notes that something is carried over otherwise."""


def is_for_others(suite: Said) -> bool:
    """Whether a version like ours has to pass over this suite."""
    skip = suite.one(sets.SKIP_VERSION)
    return skip is not None and skip >= tokens.INHERENT


# -- authentication


def first_auth(suite: Said, key_file: KeyFile, say: Say) -> Auth:
    """A suite of a phase 1 set; raises BadWord."""
    method = suite.one(sets.FIRST_METHOD)
    if method is None:
        raise BadWord("it names no method")
    if method == "MachineSHKey":
        return _preshared(suite, key_file)
    if method == "MachineCert":
        return _certificate(suite, Holder.COMPUTER, say)
    _proxy(suite, say)
    return FIRST[method]


def second_auth(suite: Said, say: Say) -> SecondAuth:
    """A suite of a phase 2 set; raises BadWord."""
    method = suite.one(sets.SECOND_METHOD)
    if method is None:
        raise BadWord("it names no method")
    if method == "UserCert":
        return _certificate(suite, Holder.USER, say)
    if method == "MachineCert":
        if not suite.true(sets.HEALTH):
            raise BadWord("a computer authenticates in the second phase by a health certificate only")
        return _certificate(suite, Holder.COMPUTER, say)
    _proxy(suite, say)
    return SECOND[method]


def _proxy(suite: Said, say: Say) -> None:
    if suite.true(sets.PROXY) or suite.one(sets.PROXY_SERVER) is not None:
        say("its proxy is not asked: Kerberos asks the domain controllers themselves")


def _preshared(suite: Said, key_file: KeyFile) -> PskFile:
    key = suite.one(sets.KEY)
    if not key:
        raise BadWord("it has no key")
    if suite.one(sets.CA) is not None:
        raise BadWord("it names a key and an authority")
    return key_file(key)


def _certificate(suite: Said, holder: Holder, say: Say) -> Certificate:
    authority = suite.one(sets.CA)
    if not authority:
        raise BadWord("it names no authority")
    if suite.one(sets.KEY) is not None:
        raise BadWord("it names a key and an authority")
    found = Certificate(
        authority,
        signing=suite.one(sets.SIGNING) or Signing.RSA,
        kind=AuthorityKind.INTERMEDIATE if suite.true(sets.INTERMEDIATE) else AuthorityKind.ROOT,
        holder=holder,
        health=suite.true(sets.HEALTH),
        mapping=suite.true(sets.MAPPING),
        exclude_ca_name=suite.true(sets.EXCLUDE),
    )
    text = suite.one(sets.CERT_CRITERIA)
    return _with_criteria(found, text, say) if text else found


def _with_criteria(plain: Certificate, text: str, say: Say) -> Certificate:
    said = parse(text, tokens.CRITERIA)
    kind, name = said.one(tokens.NAME_TYPE), said.one(tokens.NAME) or ""
    if name and kind is None:
        raise BadWord("its criteria have a name, and not what kind of name it is")
    thumbprint = "".join((said.one(tokens.THUMBPRINT) or "").lower().split())
    if thumbprint and (len(thumbprint) not in (40, 64) or set(thumbprint) - set("0123456789abcdef")):
        raise BadWord("its criteria have a hash that is none of a certificate")
    renewal = said.true(tokens.RENEWAL)
    if renewal and not thumbprint:
        say("its criteria follow a renewal, and there is no hash of what is renewed")
    usages = tuple(one for one in said.all(tokens.USAGE) if one)
    return Certificate(
        plain.authority, plain.signing, plain.kind, plain.holder, plain.health, plain.mapping, plain.exclude_ca_name,
        eku=usages,
        name_kind=kind if name else None,
        name=name,
        hash=thumbprint,
        follow_renewal=renewal and bool(thumbprint),
        criteria=(said.one(tokens.CRITERIA_TYPE) or Criteria.BOTH) if usages or name or thumbprint else Criteria.BOTH,
    )  # fmt: skip


# -- main mode and quick mode


def main_mode_method(suite: Said, limits: Limits) -> IkeProposal:
    """A suite of a phase 1 set; raises BadWord."""
    cipher = suite.one(sets.CIPHER)
    hash_ = suite.one(sets.HASH_2_1) or suite.one(sets.HASH)
    group = suite.one(sets.GROUP_2_16) or suite.one(sets.GROUP)
    if cipher is None or hash_ is None or group is None:
        raise BadWord("it does not name an encryption, a hash and a key exchange")
    _served(group, GROUPS)
    return parse_ike_proposal(f"{CIPHERS[cipher]}-{HASHES[hash_]}-{GROUPS[group]}", limits)


def _served(word: str, groups: dict[str, str]) -> DhGroup:
    if word not in groups:
        raise BadWord(f"its group {word} is not served", cure=GROUP_CURE)
    return parse_group(groups[word])


def pfs_of(head: Said) -> DhGroup | bool:
    """Session key perfect forward secrecy of a phase 2 set; True for the group of main mode. Raises BadWord."""
    word = head.one(sets.PFS_2_16) or head.one(sets.PFS) or "Disable"
    return word == "EnableDHFromPhase1" if word in ("Disable", "EnableDHFromPhase1") else _served(word, PFS_GROUPS)


def quick_mode_method(suite: Said) -> SecurityMethod:
    """A suite of a phase 2 set; raises BadWord."""
    protocol = suite.one(sets.PROTOCOL_2_9) or suite.one(sets.PROTOCOL)
    ah = suite.one(sets.AH_HASH_2_1) or suite.one(sets.AH_HASH)
    esp = suite.one(sets.ESP_HASH_2_1) or suite.one(sets.ESP_HASH)
    cipher = suite.one(sets.CIPHER_2_1) or suite.one(sets.CIPHER)
    if protocol is None:
        raise BadWord("it names no protocol")
    limits = _limits(suite)
    if protocol == "AUTH_NO_ENCAP":
        if cipher is not None or (ah is None) == (esp is None):
            raise BadWord("without encapsulation it has one hash and no encryption")
        return parse_method(f"none {_integrity(esp or ah)}", limits)
    if (ah is not None and "AH" not in protocol) or ((esp or cipher) is not None and "ESP" not in protocol):
        raise BadWord(f"it has an algorithm that {protocol} has no use for")
    if protocol == "AH&ESP" and esp is not None and esp != ah:
        raise BadWord("its AH and ESP have different hashes")
    parts = [f"esp {_esp(cipher, esp)}"] if "ESP" in protocol else []
    parts += [f"ah {_integrity(ah)}"] if "AH" in protocol else []
    return parse_method(" + ".join(parts), limits)


def _integrity(word: str | None) -> str:
    if word is None:
        raise BadWord("it names no hash")
    return HASHES.get(word) or GMAC[word]


def _esp(cipher: str | None, hash_: str | None) -> str:
    if cipher in GCM:
        if hash_ not in (None, cipher):
            raise BadWord(f"its encryption {cipher} goes with the hash of that name, and not with {hash_}")
        return GCM[cipher]
    if hash_ is None:
        raise BadWord("it has no integrity, and so protects nothing")
    if cipher is not None and hash_ in GMAC:
        raise BadWord(f"its hash {hash_} goes with the encryption of that name, and not with {cipher}")
    return f"{'null' if cipher is None else CIPHERS[cipher]}-{_integrity(hash_)}"


def _limits(suite: Said) -> Limits:
    minutes = suite.one(sets.MINUTES) or DEFAULT_MINUTES
    kilobytes = suite.one(sets.KILOBYTES) or DEFAULT_KILOBYTES
    if not LEAST_MINUTES <= minutes <= MOST_MINUTES + 1:
        raise BadWord(f"it lives for {minutes} minutes, and Windows takes {LEAST_MINUTES} to {MOST_MINUTES}")
    if kilobytes < LEAST_KILOBYTES:
        raise BadWord(f"it lives for {kilobytes} KB, and Windows takes {LEAST_KILOBYTES} or more")
    return Limits(minutes * 60, None if kilobytes == NO_DATA_LIMIT_KB else kilobytes << 10)
