# SPDX-License-Identifier: Apache-2.0
"""Keys without certificates in a document: whose the policy knows, and by which this computer proves itself.

``auth = { public-key = "bob.pub", key-file = "alice.key" }`` is for one peer. Several have names, and each key proves
its own: ``public-key = { "bob.lab" = "bob.pub", "carol.lab" = "sha256:…" }``. What ``key-file`` names is private. As
``own-auth`` the latter stands alone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ringfence.crypto.errors import CryptoError
from ringfence.crypto.rawkeys import read_public
from ringfence.databases.identity import Identity
from ringfence.databases.rawkeys import KnownKey, OwnKey, PublicKeyAuth
from ringfence.policy.decode import Table, shown

DIGITS = 64
PUBLIC_CURE = (
    'Such as public-key = "bob.pub", or for several peers { "bob.lab" = "bob.pub", "carol.lab" = "carol.pub" }.'
)
OWN_CURE = 'Say key-file = "FILE" with the private key of this computer.'

FINGERPRINT, INLINE = "sha256:", "0s"


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """Authentication by keys without certificates (RFC 7670); files stay names."""

    keys: tuple[tuple[str, str], ...] = ()
    """Of peers: whose it is, or nothing; and its file, its fingerprint (``sha256:…``), or the key itself (``0s…``)."""
    own: str = ""
    """The file of this computer's private key."""
    password_file: str = ""

    @property
    def public_files(self) -> tuple[str, ...]:
        """Those of peers."""
        return tuple(one for _, one in self.keys if not (one.startswith(FINGERPRINT) or is_inline(one)))

    @property
    def files(self) -> tuple[str, ...]:
        """All that it names."""
        return *self.public_files, *(one for one in (self.own, self.password_file) if one)

    def __str__(self) -> str:
        return f"public key {' or '.join(source(one) for _, one in self.keys) or self.own}"


def decode_public(table: Table, *, own: bool) -> PublicKeys | None:
    """The table of a way by keys; ``own``: as ``own-auth``, which names no peers."""
    value = table.raw("public-key")
    keys = tuple(_keys(table, value)) if value is not None else ()
    file, password = table.file("key-file"), table.file("password-file")
    if own and value is not None:
        table.complain("public-key", "is that of peers, which own-auth does not name", cure="Leave it out here.")
    if not own and value is None:
        table.complain("", "says not whose public key is known", cure=PUBLIC_CURE)
    if table.has("password-file") and not table.has("key-file"):
        table.complain("password-file", "says not which key it opens", cure=OWN_CURE)
    table.finish()
    return PublicKeys(keys, file or "", password or "") if keys or (own and file) else None


def _keys(table: Table, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        found = _file(table, table.text("public-key") or "")
        yield from [("", found)] if found else []
        return
    if not isinstance(value, dict) or not value:
        table.complain("public-key", f"is {shown(value)}, but has to be a file or a table of them", cure=PUBLIC_CURE)
        return
    for name, text in value.items():
        if not isinstance(text, str) or not text.strip():
            table.complain("public-key", f"has for {shown(name)} no file and no fingerprint", cure=PUBLIC_CURE)
        elif not name.strip() or not name.isprintable():
            table.complain("public-key", f"names {shown(name)}, which is no name", cure=PUBLIC_CURE)
        elif found := _file(table, text):
            yield name.strip(), found


def is_inline(text: str) -> bool:
    """Whether it is a key itself, and no file: base64 has no dot in it."""
    return text.startswith(INLINE) and "." not in text


def source(text: str) -> str:
    """What names a key, for people."""
    return f"{text[:20]}…" if is_inline(text) and len(text) > 20 else text


def _file(table: Table, text: str) -> str:
    if is_inline(text):
        word = "".join(text.split())
        try:
            read_public(word.encode())
        except CryptoError as error:
            table.complain("public-key", f"is {shown(text)}, but {error.message}", cure=PUBLIC_CURE)
            return ""
        return word
    if not text.lower().startswith(FINGERPRINT):
        return table.source.beside(text) if text else ""
    digits = "".join(text[len(FINGERPRINT) :].lower().replace(":", " ").split())
    if len(digits) != DIGITS or set(digits) - set("0123456789abcdef"):
        cure = "It is the SHA-256 of the key: 64 hexadecimal digits, as ringfence key show says them."
        table.complain("public-key", f"is {shown(text)}, which is no fingerprint", cure=cure)
        return ""
    return f"{FINGERPRINT}{digits}"


def public_way(one: PublicKeys, public: Mapping[str, bytes], own: Mapping[str, OwnKey]) -> PublicKeyAuth | None:
    """What a rule wants, with what there is for it; None for nothing."""
    keys = tuple(_known(one, public))
    mine = own.get(one.own)
    return PublicKeyAuth(keys, mine) if keys or (not one.keys and mine is not None) else None


def _known(one: PublicKeys, public: Mapping[str, bytes]) -> Iterator[KnownKey]:
    for name, text in one.keys:
        identity = Identity.parse(name) if name else None
        if text.startswith(FINGERPRINT):
            yield KnownKey(text, mark=bytes.fromhex(text.removeprefix(FINGERPRINT)), identity=identity)
        elif is_inline(text):
            yield KnownKey(source(text), read_public(text.encode()), identity=identity)
        elif text in public:
            yield KnownKey(text, public[text], identity=identity)
