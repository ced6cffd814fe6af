# SPDX-License-Identifier: Apache-2.0
"""Key files.

A key file holds the key and nothing else: text as it stands (one line end at the end does not count), or octets as
``hex:`` or ``base64:`` with their digits.
"""

import binascii
import posixpath
import stat
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ringfence.place import Place
from ringfence.policy.errors import Finding, PolicyError, Severity
from ringfence.policy.model import Policy
from ringfence.policy.source import Source
from ringfence.secret import Secret
from ringfence.stores.errors import StoreError
from ringfence.stores.files import is_special, read_octets

KEY_OCTETS = 4096
SHORT_OCTETS = 16
"""A key shorter than this can be guessed by whoever recorded a main mode."""

MAKE_KEY = "Make a key, for both sides the same:  (umask 077; head -c 32 /dev/urandom | base64 > {})"
KEY_ONLY = "A key file holds the key and nothing else."
FORMS = "It may be the key as it is, or octets as hex:00ff10 or base64:AP8Q."


def read_keys(
    policy: Policy, sources: Iterable[Source], files: Mapping[str, Path]
) -> tuple[dict[str, Secret], list[Finding]]:
    """The content of each key file of ``policy``, and warnings; raises PolicyError with every one that is none.

    ``files`` says where each is, by the name that the policy gives it.
    """
    texts = {source.name: source for source in sources}
    keys: dict[str, Secret] = {}
    wrong: list[Finding] = []
    doubtful: list[Finding] = []
    for name, path in files.items():
        where, place = next(policy.naming(name))
        try:
            keys[name] = read_key(path, f'the key file "{name}"')
        except StoreError as error:
            source = texts.get(place.document)
            excerpt = source.excerpt_of(place, posixpath.basename(name)) if source else ""
            wrong.append(Finding(f"{where}: {error.message}.", place, where, "auth.psk-file", excerpt, error.cure))
        else:
            doubtful += _look_at(path, keys[name], where, place, name)
    if wrong:
        raise PolicyError(wrong)
    return keys, doubtful


def _look_at(path: Path, key: Secret, where: str, place: Place, name: str) -> Iterator[Finding]:
    def warning(what: str, cure: str) -> Finding:
        message = f'{where}: the key file "{name}" {what}.'
        return Finding(message, place, where, "auth.psk-file", cure=cure, severity=Severity.WARNING)

    mode = path.stat().st_mode
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        who = "everybody" if mode & stat.S_IRWXO else "its group"
        yield warning(f"is open to {who}", f"chmod 600 {path}")
    if len(key) < SHORT_OCTETS:
        cure = f"head -c 32 /dev/urandom | base64 > {path}   (on both sides)"
        yield warning(f"is short: {len(key)} octets can be guessed", cure)


def read_key(path: Path, what: str = "the key file", make: str = MAKE_KEY) -> Secret:
    """The key in a key file; raises StoreError, which calls it ``what`` and says by ``make`` how to make it."""
    if is_special(path):
        raise StoreError(f"{what} is no file", place=str(path))
    octets = read_octets(path, KEY_OCTETS, what, missing=make.format(path), large=KEY_ONLY)
    for ending in (b"\r\n", b"\n"):
        if octets.endswith(ending):
            octets = octets[: -len(ending)]
            break
    exact = octets.startswith((b"hex:", b"base64:"))
    try:
        if octets.startswith(b"hex:"):
            octets = bytes.fromhex(octets[4:].decode())
        elif octets.startswith(b"base64:"):
            octets = b64decode(octets[7:].strip(), validate=True)
    except (ValueError, binascii.Error) as error:
        form = octets.split(b":", 1)[0].decode()
        raise StoreError(
            f"{what} begins with {form}: but what follows is not {form}", place=str(path), cure=FORMS
        ) from error
    if not octets:
        raise StoreError(f"{what} is empty", place=str(path), cure=make.format(path))
    return Secret(octets, exact=exact)
