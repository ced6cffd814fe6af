# SPDX-License-Identifier: Apache-2.0
"""Proposals of the cmdlets as security methods, and back.

Windows' groups are numbered as in IKE; group 24 is not served here. GCM and GMAC are one thing to ESP: encryption
``AESGCM256`` stands with hash ``AESGMAC256`` or alone, and a GMAC hash without encryption is integrity only.
"""

from ringfence.crypto.suites import DhGroup
from ringfence.databases.proposal import IkeProposal, Limits, Protocol, SecurityMethod
from ringfence.policy.errors import BadWord
from ringfence.policy.methods import parse_group, parse_ike_proposal, parse_method
from ringfence.transfer.powershell.values import Thing, items_of, text_of

MINUTES, KILOBYTES = 60, 100_000
NO_DATA_LIMIT_KB = 2_147_483_647
"""The most that Windows takes: in effect no limit."""
LEAST_MINUTES, MOST_MINUTES, LEAST_KILOBYTES = 5, 2879, 20_480
MAIN_MODE_MINUTES = 480

CIPHERS = {"DES": "des", "DES3": "3des", "AES128": "aes128", "AES192": "aes192", "AES256": "aes256"}
GCM = {f"AESGCM{bits}": f"aes{bits}-gcm" for bits in (128, 192, 256)}
HASHES = {"MD5": "md5", "SHA1": "sha1", "SHA256": "sha256", "SHA384": "sha384"}
GMAC = {f"AESGMAC{bits}": f"aes{bits}-gmac" for bits in (128, 192, 256)}
GROUPS = {"DH1": "modp768", "DH2": "modp1024", "DH14": "modp2048", "DH19": "ecp256", "DH20": "ecp384"}
GROUP_CURE = "DH14, DH19 and DH20 serve everywhere."


def group_of(word: str) -> DhGroup:
    """A Diffie-Hellman group; raises BadWord."""
    if word not in GROUPS:
        raise BadWord(f"its group {word} is not served", cure=GROUP_CURE)
    return parse_group(GROUPS[word])


def main_mode_method(thing: Thing, limits: Limits) -> IkeProposal:
    """What New-NetIPsecMainModeCryptoProposal made; raises BadWord."""
    cipher = text_of(thing.values.get("Encryption", "AES256"))
    hash_ = text_of(thing.values.get("Hash", "SHA384"))
    group = text_of(thing.values.get("KeyExchange"))
    if not group:
        raise BadWord("it names no -KeyExchange", cure=GROUP_CURE)
    if cipher not in CIPHERS or hash_ not in HASHES:
        raise BadWord(f"main mode has no {cipher if cipher not in CIPHERS else hash_}")
    group_of(group)
    return parse_ike_proposal(f"{CIPHERS[cipher]}-{HASHES[hash_]}-{GROUPS[group]}", limits)


def quick_mode_method(thing: Thing) -> SecurityMethod:
    """What New-NetIPsecQuickModeCryptoProposal made; raises BadWord."""
    protocols = {text_of(one) for one in items_of(thing.values.get("Encapsulation"))} - {"None"}
    said = {name: text_of(thing.values.get(name)) for name in ("Encryption", "AHHash", "ESPHash")}
    said = {name: word for name, word in said.items() if word not in ("", "None")}
    limits = _limits(thing)
    if not protocols:
        return parse_method(f"none {_null(said)}", limits)
    for name, protocol in (("AHHash", "AH"), ("ESPHash", "ESP"), ("Encryption", "ESP")):
        if name in said and protocol not in protocols:
            raise BadWord(f"it has -{name}, and its -Encapsulation no {protocol}")
    parts = [f"esp {_esp(said)}"] if "ESP" in protocols else []
    parts += [f"ah {_integrity(said.get('AHHash', ''))}"] if "AH" in protocols else []
    return parse_method(" + ".join(parts), limits)


def _limits(thing: Thing) -> Limits:
    minutes = int(text_of(thing.values.get("MaxMinutes")) or 0) or MINUTES
    kilobytes = int(text_of(thing.values.get("MaxKiloBytes")) or 0) or KILOBYTES
    if not LEAST_MINUTES <= minutes <= MOST_MINUTES:
        raise BadWord(f"-MaxMinutes is {minutes}, and Windows takes {LEAST_MINUTES} to {MOST_MINUTES}")
    if not LEAST_KILOBYTES <= kilobytes <= NO_DATA_LIMIT_KB:
        raise BadWord(f"-MaxKiloBytes is {kilobytes}, and Windows takes {LEAST_KILOBYTES} to {NO_DATA_LIMIT_KB}")
    return Limits(minutes * 60, None if kilobytes == NO_DATA_LIMIT_KB else kilobytes << 10)


def _null(said: dict[str, str]) -> str:
    hashes = [said[name] for name in ("ESPHash", "AHHash") if name in said]
    if "Encryption" in said or len(hashes) != 1:
        raise BadWord("without -Encapsulation it has one hash and no encryption", cure="Say -Encapsulation ESP.")
    return _integrity(hashes[0])


def _integrity(word: str) -> str:
    found = HASHES.get(word, GMAC.get(word))
    if found is None or word == "SHA384":
        raise BadWord(f"quick mode has no integrity {word}" if word else "it names no hash")
    return found


def _esp(said: dict[str, str]) -> str:
    cipher, hash_ = said.get("Encryption", ""), said.get("ESPHash", "")
    if cipher in GCM:
        if hash_ not in ("", cipher.replace("GCM", "GMAC")):
            raise BadWord(f"{cipher} goes with -ESPHash {cipher.replace('GCM', 'GMAC')}, and not with {hash_}")
        return GCM[cipher]
    if not hash_:
        raise BadWord("it has no integrity, and so protects nothing", cure="Name an -ESPHash.")
    if cipher and hash_ in GMAC:
        raise BadWord(f"-ESPHash {hash_} goes with {hash_.replace('GMAC', 'GCM')}, and not with {cipher}")
    return f"{CIPHERS[cipher] if cipher else 'null'}-{_integrity(hash_)}"


# -- and back

WORDS = {word: name for names in (CIPHERS, HASHES, GCM, GMAC) for name, word in names.items()}
GROUP_NAMES = {parse_group(word): name for name, word in GROUPS.items()}


def main_mode_words(method: IkeProposal) -> dict[str, str]:
    """The parameters of New-NetIPsecMainModeCryptoProposal; raises BadWord for what Windows has not."""
    if method.further:
        raise BadWord("whose further key exchanges Windows does not have")
    cipher, hash_ = str(method).split("-")[:2]
    names = {"Encryption": _known(cipher, CIPHERS), "Hash": _known(hash_, HASHES)}
    return names | {"KeyExchange": group_name(method.group)}


def group_name(group: DhGroup) -> str:
    """Windows' name of a group; raises BadWord."""
    if group not in GROUP_NAMES:
        raise BadWord("whose group Windows does not have")
    return GROUP_NAMES[group]


def quick_mode_words(method: SecurityMethod) -> dict[str, str]:
    """The parameters of New-NetIPsecQuickModeCryptoProposal; raises BadWord for what Windows has not."""
    names: dict[str, str] = {}
    if any(one.esn for one in method.transforms):
        raise BadWord("whose 64-bit sequence numbers Windows does not have")
    protocols = []
    for one in method.transforms:
        protocols.append(one.protocol.name)
        word = str(one).partition(" ")[2]
        names |= {"AHHash": _known(word, HASHES, GMAC)} if one.protocol is Protocol.AH else _esp_words(word)
    encapsulation = ",".join(sorted(protocols)) if method.encapsulate else "None"
    if "SHA384" in names.values():
        raise BadWord("whose integrity Windows does not have in quick mode")
    return {"Encapsulation": encapsulation, **names, **_limit_words(method.limits)}


def _esp_words(word: str) -> dict[str, str]:
    if word in WORDS and WORDS[word] in GCM:
        return {"Encryption": WORDS[word], "ESPHash": WORDS[word].replace("GCM", "GMAC")}
    cipher, _, hash_ = word.partition("-")
    if cipher == "null":
        return {"ESPHash": _known(hash_, HASHES, GMAC), "Encryption": "None"}
    if hash_ not in WORDS:
        raise BadWord(f"whose {word} Windows does not have")
    return {"Encryption": _known(cipher, CIPHERS), "ESPHash": _known(hash_, HASHES)}


def _known(word: str, *tables: dict[str, str]) -> str:
    name = WORDS.get(word)
    if name is None or not any(name in table for table in tables):
        raise BadWord(f"whose {word} Windows does not have")
    return name


def _limit_words(limits: Limits) -> dict[str, str]:
    if limits.packets is not None:
        raise BadWord("whose limit in packets Windows does not have")
    seconds, octets = limits.seconds, limits.octets
    minutes, kilobytes = (seconds or 0) // 60, NO_DATA_LIMIT_KB if octets is None else octets >> 10
    if not LEAST_MINUTES <= minutes <= MOST_MINUTES or (seconds or 0) % 60:
        raise BadWord("whose lifetime Windows does not take: 5 to 2879 whole minutes")
    if not LEAST_KILOBYTES <= kilobytes <= NO_DATA_LIMIT_KB or (octets or 0) % 1024:
        raise BadWord("whose limit of data Windows does not take: 20480 KB at least, in whole KB")
    return {"MaxMinutes": str(minutes), "MaxKiloBytes": str(kilobytes)}
