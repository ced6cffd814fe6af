# SPDX-License-Identifier: Apache-2.0
"""Words of netsh, as a script for ``netsh -f`` has them: one command a line, values in quotes where they need them."""

from collections.abc import Iterable, Mapping

from ringfence.crypto.suites import Authenticator, Cipher, Encryption, Integrity
from ringfence.databases.proposal import IkeProposal, Limits, Protocol, SecurityMethod, Transform
from ringfence.place import Place
from ringfence.policy.errors import BadWord
from ringfence.policy.methods import parse_group
from ringfence.transfer.base import LeftOut, key_of_file, shown
from ringfence.transfer.netsh.methods import CLASSIC_GROUPS, GROUPS, LONGEST_S, NO_DATA_LIMIT_KB

PLACEHOLDER = "THE-KEY-OF-{}"
HASHES = ("md5", "sha1", "sha256", "sha384")
CLASSIC_CIPHERS = {"des": "DES", "3des": "3DES", "null": "None"}
CLASSIC_HASHES = {"md5": "MD5", "sha1": "SHA1"}


class Script:
    """The commands, and what they do not say."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self.lines: list[str] = []
        self.left_out: list[LeftOut] = []
        self._secrets = secrets

    def say(self, command: str, words: Iterable[tuple[str, str]]) -> None:
        """A command with its arguments; those without a value are not written."""
        self.lines.append(" ".join([command, *(f"{name}={value}" for name, value in words if value)]))

    def leave_out(self, place: Place, words: str, why: str, cure: str = "") -> None:
        """Something is left out."""
        one = LeftOut(str(place), shown(words), why, cure)
        if one not in self.left_out:
            self.left_out.append(one)

    def text(self, value: str, place: Place, what: str) -> str:
        """A text of people, in quotes; what cannot be in them becomes something like it."""
        plain = " ".join(value.split()).replace('"', "'").rstrip("\\ ")
        if plain != value:
            self.leave_out(place, what, "netsh takes no double quotes, line breaks and the like; they are changed")
        return quote(plain)

    def key(self, file: str, place: Place) -> str:
        """The preshared key of a file, in quotes; a placeholder where it cannot be had or written."""
        text = self._secrets.get(file)
        key = key_of_file(text) if text is not None else None
        if key is None or not key.isprintable() or '"' in key or key.endswith("\\") or key != key.strip() or not key:
            why = "its key is not at hand" if text is None else "its key cannot be written in netsh"
            self.leave_out(place, f'key file "{file}"', f"{why}; the script has a placeholder")
            key = PLACEHOLDER.format(file)
        return quote(key)


def quote(text: str) -> str:
    """A text that means itself."""
    return f'"{text}"'


def yes_no(value: bool) -> str:
    """``yes`` or ``no``."""
    return "yes" if value else "no"


def ipsec_offer(method: SecurityMethod) -> str:
    """A method as ``netsh ipsec`` has it; raises BadWord."""
    parts = [_classic(one) for one in reversed(method.transforms)]
    if not method.encapsulate:
        raise BadWord("netsh ipsec knows no null encapsulation")
    seconds, kilobytes = _limits(method.limits)
    return f"{'+'.join(parts)}:{kilobytes}k/{seconds}s"


def _classic(one: Transform) -> str:
    hash_ = CLASSIC_HASHES.get(str(one.authenticator))
    if one.esn or hash_ is None:
        raise BadWord("netsh ipsec knows DES and 3DES, MD5 and SHA-1 only")
    if one.protocol is Protocol.AH:
        return f"AH[{hash_}]"
    cipher = CLASSIC_CIPHERS.get(str(one.cipher))
    if cipher is None:
        raise BadWord("netsh ipsec knows DES and 3DES, MD5 and SHA-1 only")
    return f"ESP[{cipher},{hash_}]"


def _limits(limits: Limits) -> tuple[int, int]:
    seconds = min(limits.seconds or 3600, LONGEST_S)
    return seconds, NO_DATA_LIMIT_KB if limits.octets is None else min(limits.octets >> 10, NO_DATA_LIMIT_KB)


def ipsec_main_mode(method: IkeProposal) -> str:
    """A main mode method as ``netsh ipsec`` has it; raises BadWord."""
    cipher, hash_, group = str(method).rsplit("-", 2)
    number = next((number for number, word in CLASSIC_GROUPS.items() if word == group), None)
    if cipher not in ("des", "3des") or hash_ not in CLASSIC_HASHES or number is None:
        raise BadWord("netsh ipsec knows DES and 3DES, MD5 and SHA-1, and the groups 1, 2 and 14 only")
    return f"{cipher.upper()}-{hash_.upper()}-{number}"


def firewall_offer(method: SecurityMethod) -> str:
    """A method as ``netsh advfirewall`` has it; raises BadWord."""
    if any(one.esn for one in method.transforms):
        raise BadWord("netsh knows no extended sequence numbers")
    if not method.encapsulate:
        parts = [f"authnoencap:{_integrity(method.transforms[0].authenticator)}"]
    else:
        parts = [_part(one) for one in reversed(method.transforms)]
    seconds, kilobytes = _limits(method.limits)
    minutes = min(max(seconds // 60, 5), LONGEST_S // 60)
    return f"{'+'.join(parts)}+{minutes}min+{max(kilobytes, 20_480)}kb"


def changes_limits(limits: Limits) -> bool:
    """Whether ``netsh advfirewall`` rounds these limits."""
    seconds, kilobytes = _limits(limits)
    inexact = limits.octets is not None and limits.octets != kilobytes << 10
    return seconds % 60 != 0 or not seconds >= 300 or kilobytes < 20_480 or limits.packets is not None or inexact


def _part(one: Transform) -> str:
    if one.protocol is Protocol.AH:
        return f"ah:{_integrity(one.authenticator)}"
    cipher = one.cipher
    if cipher is None:
        raise BadWord("netsh knows no such method")
    if cipher.algorithm is Encryption.AES_GCM_16:
        return f"esp:aesgcm{cipher.key_bits}-aesgcm{cipher.key_bits}"
    if cipher.algorithm is Encryption.NULL_AES_GMAC:
        return f"esp:aesgmac{cipher.key_bits}-none"
    return f"esp:{_integrity(one.authenticator)}-{_cipher(cipher)}"


def _cipher(cipher: Cipher) -> str:
    word = {"null": "none"}.get(str(cipher), str(cipher))
    if word not in ("none", "des", "3des", "aes128", "aes192", "aes256"):
        raise BadWord(f"netsh knows no {cipher}")
    return word


def _integrity(one: Authenticator | None) -> str:
    if one is not None and one.algorithm is Integrity.AES_GMAC:
        return f"aesgmac{one.key_octets * 8}"
    if one is None or str(one) not in HASHES[:3]:
        raise BadWord(f"netsh knows no {one} in quick mode")
    return str(one)


def firewall_main_mode(method: IkeProposal) -> str:
    """A main mode method as ``netsh advfirewall`` has it; raises BadWord."""
    cipher, hash_, group = str(method).rsplit("-", 2)
    word = next((word for word, ours in GROUPS.items() if parse_group(ours) is method.group), None)
    if (
        word is None
        or method.further
        or hash_ not in HASHES
        or cipher not in ("des", "3des", "aes128", "aes192", "aes256")
    ):
        raise BadWord(f"netsh knows no {group if word is None else method} in main mode")
    return f"{word}:{cipher}-{hash_}"
