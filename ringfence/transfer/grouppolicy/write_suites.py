# SPDX-License-Identifier: Apache-2.0
"""Ways to authenticate and security methods as suites of sets: the reverse of ``suites``.

A value that older versions of Windows do not know comes with the version that has to skip its suite.
"""

from collections.abc import Callable, Iterable

from ringfence.crypto.suites import DhGroup
from ringfence.databases.proposal import IkeProposal, SecurityMethod
from ringfence.policy.errors import BadWord
from ringfence.policy.terms import (
    Auth,
    AuthorityKind,
    Certificate,
    Criteria,
    Eap,
    Holder,
    PskFile,
    PublicKeys,
    SecondAuth,
    Signing,
)
from ringfence.transfer.grouppolicy import sets, tokens
from ringfence.transfer.grouppolicy.grammar import write
from ringfence.transfer.grouppolicy.suites import FIRST, SECOND
from ringfence.transfer.powershell.algorithms import group_name, main_mode_words, quick_mode_words

Fields = list[tuple[str, str]]
KeyText = Callable[[str], str]
"""The preshared key in a file; raises BadWord."""
CIPHERS = {"DES": "DES", "DES3": "3DES", "AES128": "AES-128", "AES192": "AES-192", "AES256": "AES-256"}
GROUPS = {"DH1": "DH1", "DH2": "DH2", "DH14": "DH2048", "DH19": "ECDH-256", "DH20": "ECDH-384"}
PFS = {"DH1": "ReKeyDH1", "DH2": "ReKeyDH2", "DH14": "ReKeyDH2048", "DH19": "ReKeyECDH256", "DH20": "ReKeyECDH384"}
OLD_HASHES = ("MD5", "SHA1")


def skipping(fields: Iterable[tuple[str, str]]) -> Fields:
    """With the version that has to skip such a suite."""
    found = list(fields)
    skips = [sets.SKIPS[name] for name, _ in found if name in sets.SKIPS]
    return [*found, sets.SKIP_VERSION.say(max(skips))] if skips else found


def first_fields(way: Auth, key: KeyText) -> Fields:
    """A suite of a phase 1 set; raises BadWord."""
    if isinstance(way, PskFile):
        return [sets.FIRST_METHOD.say("MachineSHKey"), sets.KEY.say(key(way.file))]
    if isinstance(way, Certificate):
        return _certificate(way, sets.FIRST_METHOD.say("MachineCert"))
    if isinstance(way, Eap):
        raise BadWord("Windows lets nobody in by EAP in its connection security rules")
    if isinstance(way, PublicKeys):
        raise BadWord("Windows knows no public keys without certificates")
    return [sets.FIRST_METHOD.say(next(word for word, one in FIRST.items() if one == way))]


def second_fields(way: SecondAuth) -> Fields:
    """A suite of a phase 2 set; raises BadWord."""
    if isinstance(way, Certificate):
        method = "UserCert" if way.holder is Holder.USER else "MachineCert"
        return _certificate(way, sets.SECOND_METHOD.say(method))
    if isinstance(way, Eap):
        raise BadWord("Windows lets nobody in by EAP in its connection security rules")
    return [sets.SECOND_METHOD.say(next(word for word, one in SECOND.items() if one == way))]


def _certificate(way: Certificate, method: tuple[str, str]) -> Fields:
    if way.signing not in (Signing.RSA, Signing.ECDSA_P256, Signing.ECDSA_P384):
        raise BadWord(f"Windows has no certificates with keys of kind {way.signing.value} here")
    fields = [method, sets.CA.say(way.authority)]
    fields += [sets.SIGNING.say(way.signing)] if way.signing is not Signing.RSA else []
    flags = (
        (sets.HEALTH, way.health),
        (sets.MAPPING, way.mapping),
        (sets.EXCLUDE, way.exclude_ca_name),
        (sets.INTERMEDIATE, way.kind is AuthorityKind.INTERMEDIATE),
    )
    fields += [token.say(True) for token, said in flags if said]
    criteria = _criteria(way)
    return skipping([*fields, sets.CERT_CRITERIA.say(criteria)] if criteria else fields)


def _criteria(way: Certificate) -> str:
    said: Fields = []
    if way.name_kind is not None:
        said += [tokens.NAME_TYPE.say(way.name_kind), tokens.NAME.say(way.name)]
    said += [tokens.USAGE.say(one) for one in way.eku]
    said += [tokens.THUMBPRINT.say(way.hash)] if way.hash else []
    said += [tokens.RENEWAL.say(True)] if way.follow_renewal else []
    if not said:
        return ""
    if way.criteria is not Criteria.BOTH or said:
        said.insert(0, tokens.CRITERIA_TYPE.say(way.criteria))
    return str(write(tokens.V2_20, tokens.CRITERIA, said))


def main_mode_fields(method: IkeProposal) -> Fields:
    """A suite of a phase 1 crypto set; raises BadWord."""
    words = main_mode_words(method)
    hash_ = words["Hash"]
    fields = [sets.GROUP.say(GROUPS[words["KeyExchange"]]), sets.CIPHER.say(CIPHERS[words["Encryption"]])]
    return skipping([*fields, (sets.HASH if hash_ in OLD_HASHES else sets.HASH_2_1).say(hash_)])


def pfs_field(pfs: DhGroup | bool) -> tuple[str, str]:
    """What a phase 2 crypto set says of session keys; raises BadWord."""
    if isinstance(pfs, bool):
        return sets.PFS.say("EnableDHFromPhase1" if pfs else "Disable")
    return sets.PFS.say(PFS[group_name(pfs)])


def quick_mode_fields(method: SecurityMethod) -> Fields:
    """A suite of a phase 2 crypto set, with its lifetime; raises BadWord."""
    words = quick_mode_words(method)
    protocol = {"AH": "AH", "ESP": "ESP", "AH,ESP": "AH&ESP"}.get(words["Encapsulation"])
    ah, esp, cipher = (words.get(name, "None") for name in ("AHHash", "ESPHash", "Encryption"))
    if protocol == "AH&ESP" and ah != esp:
        raise BadWord("whose AH and ESP have different hashes, which Windows' Group Policy does not take")
    fields = [sets.PROTOCOL_2_9.say("AUTH_NO_ENCAP") if protocol is None else sets.PROTOCOL.say(protocol)]
    if cipher != "None":
        gcm = cipher.startswith("AESGCM")
        fields.append(sets.CIPHER_2_1.say(_gcm(cipher)) if gcm else sets.CIPHER.say(CIPHERS[cipher]))
    for word, old, new in ((ah, sets.AH_HASH, sets.AH_HASH_2_1), (esp, sets.ESP_HASH, sets.ESP_HASH_2_1)):
        if word != "None":
            fields.append(old.say(word) if word in OLD_HASHES else new.say(_gcm(word)))
    minutes, kilobytes = int(words["MaxMinutes"]), int(words["MaxKiloBytes"])
    return skipping([*fields, sets.MINUTES.say(minutes), sets.KILOBYTES.say(kilobytes)])


def _gcm(word: str) -> str:
    """``AESGMAC128`` and ``AESGCM128`` as ``AES-GCM128``."""
    return word.replace("AESGMAC", "AES-GCM").replace("AESGCM", "AES-GCM")
