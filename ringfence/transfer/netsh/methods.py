# SPDX-License-Identifier: Apache-2.0
"""Security methods as netsh writes them, in both of its contexts, and the way back.

``netsh ipsec``: ``ESP[3DES,SHA1]:100000k/3600s`` and ``3DES-SHA1-2`` (the last part 1, 2, 3: groups 1, 2, 14).
``netsh advfirewall``: ``ah:sha1+esp:sha1-aes128+60min+100000kb`` and ``dhgroup2:aes128-sha1``. Pages about netsh also
write ``ESP:3DES-SHA1`` and ``3DES-SHA1 DHGroup2``, which are read, too.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from ringfence.databases.proposal import IkeProposal, Limits, SecurityMethod
from ringfence.policy.errors import BadWord
from ringfence.policy.methods import parse_ike_proposal, parse_method

T = TypeVar("T")

DATA = 100_000 << 10
WINDOWS_LIMITS = Limits(3600, DATA)
"""What Windows takes where a method names no lifetime."""
NO_DATA_LIMIT_KB = 2_147_483_647
"""The most that netsh takes: in effect no limit."""
SMALLEST_DATA = 1 << 16
LONGEST_S = 172_799

PART = re.compile(r"(esp|ah)\[([^\]]*)\]", re.IGNORECASE)
OFFER = re.compile(r"((?:esp|ah)\[[^\]]*\](?:\+(?:esp|ah)\[[^\]]*\])?)(?::(\d+)k/(\d+)s)?", re.IGNORECASE)
LOOSE = re.compile(r"(?:esp:)?(\w+)-(\w+)", re.IGNORECASE)
MAIN = re.compile(r"(\w+)-(\w+)(?:-(\d+)|\s+dhgroup(\d+))?", re.IGNORECASE)
LIFETIMES = {"min": 60, "kb": 1 << 10}

INTEGRITY = {"md5": "md5", "sha1": "sha1", "sha256": "sha256", "sha384": "sha384"}
INTEGRITY |= {f"aesgmac{bits}": f"aes{bits}-gmac" for bits in (128, 192, 256)}
CIPHERS = {"des": "des", "3des": "3des", "none": "null", **{f"aes{bits}": f"aes{bits}" for bits in (128, 192, 256)}}
GCM = {f"aesgcm{bits}": f"aes{bits}-gcm" for bits in (128, 192, 256)}
CLASSIC_GROUPS = {"1": "modp768", "2": "modp1024", "3": "modp2048"}
GROUPS = {"dhgroup1": "modp768", "dhgroup2": "modp1024", "dhgroup14": "modp2048", "ecdhp256": "ecp256",
          "ecdhp384": "ecp384"}  # fmt: skip
NO_GROUP = 'Group 24 is not served; "dhgroup14" or "ecdhp256" serve everywhere.'


@dataclass(frozen=True, slots=True)
class Methods(Generic[T]):
    """A list of methods: those that are understood, and what keeps each of the others out."""

    found: tuple[T, ...]
    refused: tuple[str, ...] = ()


def _each(texts: Iterable[str], parse: Callable[[str], T]) -> Methods[T]:
    found, refused = [], []
    for text in texts:
        try:
            found.append(parse(text))
        except BadWord as error:
            refused.append(f'"{text}", {error.why}')
    return Methods(tuple(dict.fromkeys(found)), tuple(refused))


def ipsec_offers(text: str) -> Methods[SecurityMethod]:
    """``qmsecmethods`` of ``netsh ipsec``."""
    return _each(re.split(r"[\s;]+(?![^\[]*\])", text.strip()), _offer)


def _offer(text: str) -> SecurityMethod:
    match = OFFER.fullmatch(text)
    if match is None:
        loose = LOOSE.fullmatch(text)
        if loose is None:
            raise BadWord("which is no security method of netsh")
        return parse_method(f"esp {_esp(loose[1], loose[2])}", WINDOWS_LIMITS)
    parts: dict[str, str] = {}
    for name, inner in PART.findall(match[1]):
        words = [word.strip().lower() for word in inner.split(",")]
        parts[name.lower()] = _classic(name.lower(), words)
    seconds, kilobytes = int(match[3] or 0), int(match[2] or 0)
    return parse_method(_joined(parts), _limits(seconds, kilobytes))


def _classic(protocol: str, words: list[str]) -> str:
    if protocol == "ah" and len(words) == 1:
        return _ah(words[0])
    if protocol == "esp" and len(words) == 2:
        return _esp(*words)
    raise BadWord("which is no security method of netsh")


def _joined(parts: dict[str, str]) -> str:
    return " + ".join(f"{name} {parts[name]}" for name in ("esp", "ah") if name in parts)


def _limits(seconds: int, kilobytes: int) -> Limits:
    """Windows' limits, 0 being its default; what is out of our range becomes the nearest that is in it."""
    seconds = min(max(seconds or 3600, 5), LONGEST_S)
    if kilobytes >= NO_DATA_LIMIT_KB:
        return Limits(seconds)
    return Limits(seconds, max((kilobytes << 10) or DATA, SMALLEST_DATA))


def _ah(integrity: str) -> str:
    found = INTEGRITY.get(integrity.lower())
    if found is None:
        raise BadWord(f'but AH has no "{integrity}"')
    return found


def _esp(cipher: str, integrity: str) -> str:
    cipher, integrity = cipher.lower(), integrity.lower()
    if cipher in GCM or integrity in GCM:
        if cipher != integrity:
            raise BadWord("but GCM stands for both encryption and integrity")
        return GCM[cipher]
    if integrity == "none":
        raise BadWord("but encryption without integrity protects nothing and is not served")
    if cipher not in CIPHERS or integrity not in INTEGRITY:
        raise BadWord(f'but "{integrity if cipher in CIPHERS else cipher}" is no algorithm that netsh knows')
    return f"{CIPHERS[cipher]}-{INTEGRITY[integrity]}"


def ipsec_main_modes(text: str, limits: Limits) -> Methods[IkeProposal]:
    """``mmsecmethods`` of ``netsh ipsec``."""
    pieces = [match[0] for match in re.finditer(r"[^\s;]+(?:\s+dhgroup\d+)?", text, re.IGNORECASE)]
    return _each(pieces, lambda piece: _main_mode(piece, limits))


def _main_mode(text: str, limits: Limits) -> IkeProposal:
    match = MAIN.fullmatch(text)
    if match is None:
        raise BadWord("which is no main mode method of netsh")
    group = CLASSIC_GROUPS.get(match[3] or "2") if not match[4] else GROUPS.get(f"dhgroup{match[4]}")
    return _proposal(match[1], match[2], group, limits)


def _proposal(cipher: str, hash_: str, group: str | None, limits: Limits) -> IkeProposal:
    if group is None:
        raise BadWord("whose Diffie-Hellman group is not served", cure=NO_GROUP)
    return parse_ike_proposal(f"{cipher.lower()}-{hash_.lower()}-{group}", limits)


def firewall_offers(text: str) -> Methods[SecurityMethod]:
    """``qmsecmethods`` of ``netsh advfirewall``."""
    return _each((piece.strip() for piece in text.split(",") if piece.strip()), _firewall_offer)


def _firewall_offer(text: str) -> SecurityMethod:
    parts: dict[str, str] = {}
    limits = {"min": 0, "kb": 0}
    for piece in text.lower().split("+"):
        name, colon, value = piece.strip().partition(":")
        unit = next((unit for unit in limits if piece.strip().endswith(unit) and not colon), None)
        if unit is not None:
            number = piece.strip().removesuffix(unit)
            if not (number.isascii() and number.isdecimal() and len(number) < 12):
                raise BadWord("whose lifetime is no number")
            limits[unit] = int(number)
        else:
            parts[name] = _firewall_part(name, value)
    lifetime = _limits(limits["min"] * 60, limits["kb"])
    if set(parts) == {"authnoencap"}:
        return parse_method(f"none {parts['authnoencap']}", lifetime)
    if not parts or "authnoencap" in parts:
        raise BadWord("which is no security method of netsh")
    return parse_method(_joined(parts), lifetime)


def _firewall_part(name: str, value: str) -> str:
    if name in ("ah", "authnoencap"):
        return _ah(value)
    if name != "esp":
        raise BadWord("which is no security method of netsh")
    integrity, _, cipher = value.partition("-")
    return _esp(cipher or "none", integrity)


def firewall_main_modes(text: str, limits: Limits) -> Methods[IkeProposal]:
    """``mmsecmethods`` of ``netsh advfirewall``."""
    return _each(
        (piece.strip() for piece in text.split(",") if piece.strip()), lambda piece: _firewall_main(piece, limits)
    )


def _firewall_main(text: str, limits: Limits) -> IkeProposal:
    pieces = re.split(r"[:\-]", text.lower())
    if len(pieces) != 3:
        raise BadWord("which is no main mode method of netsh")
    group, cipher, hash_ = pieces
    return _proposal(cipher, hash_, GROUPS.get(group), limits)
