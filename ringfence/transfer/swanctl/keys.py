# SPDX-License-Identifier: Apache-2.0
"""Identities and preshared keys as strongSwan and Libreswan write them, and which key belongs to which two sides.

A key names identities, or none for everybody. For two sides the key that names most of them is taken, the other side
counting more than this one; that is how both programs choose.
"""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterable
from dataclasses import dataclass

from ringfence.databases.identity import Identity, IdentityKind
from ringfence.net.address import parse_address
from ringfence.policy.errors import BadWord

ANYBODY = {"", "%any", "%any4", "%any6", "0.0.0.0", "::", "*", "@*"}  # noqa: S104
PREFIXES = {
    "ipv4": IdentityKind.IPV4_ADDRESS, "ipv6": IdentityKind.IPV6_ADDRESS, "fqdn": IdentityKind.FQDN,
    "dns": IdentityKind.FQDN, "email": IdentityKind.USER_FQDN, "rfc822": IdentityKind.USER_FQDN,
    "userfqdn": IdentityKind.USER_FQDN, "keyid": IdentityKind.KEY_ID, "asn1dn": IdentityKind.DN,
}  # fmt: skip
HEX = re.compile(r"(?:[0-9a-fA-F]{2})+", re.ASCII)
NAMED = re.compile(r"[!-~]{1,255}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Secret:
    """One preshared key."""

    name: str
    line: int
    ids: tuple[Identity, ...]
    """Empty: whoever has no key of his own."""
    key: str | bytes


def parse_identity(text: str) -> Identity | None:
    """An identity; None for anybody. Raises BadWord for a distinguished name in words, and for patterns."""
    word = text.strip()
    if word.lower() in ANYBODY:
        return None
    prefix, colon, rest = word.partition(":")
    if colon and prefix.lower() in PREFIXES:
        return _prefixed(PREFIXES[prefix.lower()], rest)
    if word.startswith("@#"):
        return _prefixed(IdentityKind.KEY_ID, word[1:])
    if word.startswith("@@"):
        return _named(IdentityKind.USER_FQDN, word[2:])
    if word.startswith("@[") and word.endswith("]"):
        return Identity(IdentityKind.KEY_ID, word[2:-1].encode())
    if "=" in word:
        raise BadWord("but distinguished names in words are not supported yet")
    try:
        return Identity.of_address(parse_address(word))
    except ValueError:
        pass
    kind = IdentityKind.USER_FQDN if "@" in word[1:] else IdentityKind.FQDN
    return _named(kind, word.removeprefix("@"))


def _prefixed(kind: IdentityKind, text: str) -> Identity:
    if text.startswith("#") and HEX.fullmatch(text[1:]):
        return Identity(kind, bytes.fromhex(text[1:]))
    if kind is IdentityKind.DN:
        raise BadWord("but distinguished names in words are not supported yet")
    if kind is IdentityKind.KEY_ID:
        return Identity(kind, text.encode())
    if kind in (IdentityKind.FQDN, IdentityKind.USER_FQDN):
        return _named(kind, text)
    try:
        return Identity.of_address(parse_address(text))
    except ValueError as error:
        raise BadWord("which is no address") from error


def _named(kind: IdentityKind, text: str) -> Identity:
    if "*" in text:
        raise BadWord("which is a pattern, and here one identity is proved")
    if not NAMED.fullmatch(text):
        raise BadWord("which is no identity")
    return Identity(kind, text.encode())


def identity_word(identity: Identity) -> str:
    """As strongSwan writes it, with its kind."""
    match identity.kind:
        case IdentityKind.IPV4_ADDRESS | IdentityKind.IPV6_ADDRESS:
            return str(identity)
        case IdentityKind.FQDN | IdentityKind.USER_FQDN:
            prefix = "fqdn" if identity.kind is IdentityKind.FQDN else "email"
            plain = NAMED.fullmatch(str(identity)) and not str(identity).startswith("#")
            return f"{prefix}:{identity}" if plain else f"{prefix}:#{identity.data.hex()}"
        case IdentityKind.KEY_ID:
            return f"keyid:#{identity.data.hex()}"
        case IdentityKind.DN:
            return f"asn1dn:#{identity.data.hex()}"
        case IdentityKind.USER | IdentityKind.NULL:
            return f"fqdn:#{identity.data.hex()}"


def parse_key(text: str) -> str | bytes:
    """The key that a text stands for: ``0x`` hex, ``0s`` base64, or itself. Raises BadWord."""
    octets: bytes
    if text.startswith("0x"):
        if not HEX.fullmatch(text[2:].replace("_", "")):
            raise BadWord("but 0x stands before hex digits")
        octets = bytes.fromhex(text[2:].replace("_", ""))
    elif text.startswith("0s"):
        word = text[2:]
        try:
            octets = b64decode(word + "=" * (-len(word) % 4), validate=True)
        except (Base64Error, ValueError) as error:
            raise BadWord("but 0s stands before base64") from error
    else:
        if not text:
            raise BadWord("which is empty")
        return text
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets


def key_word(key: str | bytes) -> str:
    """A key as strongSwan writes it, within quotes."""
    plain = isinstance(key, str) and key.isprintable() and key.isascii() and not key.startswith(("0x", "0s"))
    if not plain:
        octets = key.encode() if isinstance(key, str) else key
        return f"0x{octets.hex()}"
    return '"' + str(key).replace("\\", "\\\\").replace('"', '\\"') + '"'


def choose(secrets: Iterable[Secret], local: set[Identity], remote: set[Identity]) -> Secret | None:
    """The key for two sides, each known by some identities; the first of equally good ones."""
    best: Secret | None = None
    most = -1
    for one in secrets:
        here, there = bool(local & set(one.ids)), bool(remote & set(one.ids))
        score = 2 * there + here
        if one.ids and not score:
            continue
        if score > most:
            best, most = one, score
    return best
