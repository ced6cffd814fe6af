# SPDX-License-Identifier: Apache-2.0
"""What every format of another program has in common: how it is read and written, and what is told of the rest.

A format is pure: text in, a ``Policy`` out, and back. It reads no file and writes none. Whatever it cannot carry over
is ``LeftOut``, with its place, its words and the reason; nothing disappears silently. Preshared keys leave the text:
they become key files beside the document (``KeyFiles``), and no answer shows them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count

from ringfence.errors import IpsecError
from ringfence.place import Place
from ringfence.policy.errors import Finding
from ringfence.policy.model import Policy, PskFile

EXCERPT_COLUMNS = 100
SHORTEST_HIDDEN = 6
"""Characters; hiding a shorter key would hide half the words, and it is none anyway."""
KEY_FORMS = ("hex:", "base64:")
"""What a key file begins with when it is not the key as it stands."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that is not carried over, or otherwise than it was written."""

    place: str
    """Such as ``script.cmd:12``."""
    words: str
    """What stands there, without any key."""
    why: str
    """A clause that completes the sentence: ``Windows' directory has no place here``."""
    cure: str = ""

    def __str__(self) -> str:
        head = f"{self.place}: " if self.place else ""
        return "\n".join(part for part in (f"{head}{self.words}: {self.why}", self.cure) if part)


@dataclass(frozen=True, slots=True)
class Imported:
    """A policy that was brought along."""

    policy: Policy
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Key file -> the text to write into it; the document names the file."""
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[LeftOut, ...] = ()
    """What is carried over, but otherwise than written."""


@dataclass(frozen=True, slots=True)
class Exported:
    """A policy in the words of another program."""

    text: str = field(repr=False)
    """May hold preshared keys."""
    left_out: tuple[LeftOut, ...] = ()
    octets: bytes | None = field(default=None, repr=False)
    """What is written, for a format that is no text."""


class ImportFailed(IpsecError):
    """A text that is not of the format, with everything that is wrong with it at once."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        """At least one."""
        first = self.findings[0]
        super().__init__(first.message, place=str(first.place), cure=first.cure)

    def __str__(self) -> str:
        return "\n".join(map(str, self.findings))


Importer = Callable[[str, str], Imported]
"""From a text and the name of its file; raises ImportFailed."""

OctetsImporter = Callable[[bytes, str], Imported]
"""Likewise, for a format that is no text."""

SitedImporter = Callable[[str, str, str], Imported]
"""Likewise, with the address of this computer, or another word for the side it is; raises BadWord for that."""

Exporter = Callable[[Policy, Mapping[str, str]], Exported]
"""From a policy and the texts of its key files; a file that is missing there gets a placeholder, and is named."""


@dataclass(frozen=True, slots=True)
class Format:
    """One format of another program."""

    name: str
    """As ``--format`` has it."""
    title: str
    """What people call it."""
    guess: Callable[[str, str], int]
    """How many lines of a text, whose file has that name, look like it."""
    read: Importer | None = None
    write: Exporter | None = None
    read_at: SitedImporter | None = None
    """For a format that speaks of two sides: as ``read``, for the computer that has a certain address."""
    read_octets: OctetsImporter | None = None
    """For a format that is no text: as ``read``."""
    merge: Callable[[bytes, bytes], bytes] | None = None
    """For a format whose files have other things in them: a file with what was written put into it."""

    @property
    def readable(self) -> bool:
        """Whether it can be read at all."""
        return self.read is not None or self.read_octets is not None


def unassigned(policy: Policy, why: str) -> Iterator[LeftOut]:
    """The IPsec policies that are not assigned, as left out."""
    for one in policy.unassigned:
        cure = f"To export it, assign it:  ringfence policy assign '{shown(one.title)}'"
        yield LeftOut(str(one.place), f'policy "{one.title}"', why, cure)


def decode_text(octets: bytes) -> str:
    """The text of a file as editors on Windows or Linux write it, with Linux' line ends."""
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig")):
        if octets.startswith(mark):
            text = octets.decode(encoding, "replace")
            break
    else:
        try:
            text = octets.decode()
        except UnicodeDecodeError:
            text = octets.decode("cp1252", "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def shown(words: str, most: int = 160) -> str:
    """Words of a file: short, on one line, and harmless on a terminal."""
    text = "".join(c if c.isprintable() else " " for c in " ".join(words.split()))
    return text if len(text) <= most else f"{text[: most - 3]}..."


def finding(name: str, line: int, text: str, span: tuple[int, int], message: str, *, cure: str = "") -> Finding:
    """What is wrong in ``text``, line ``line`` of the file ``name``, with carets below the columns of ``span``."""
    first, last = span
    cut = max(0, first - EXCERPT_COLUMNS // 2) if len(text) > EXCERPT_COLUMNS else 0
    part = "".join(c if c.isprintable() else " " for c in text[cut : cut + EXCERPT_COLUMNS])
    carets = "^" * max(1, min(last - cut, len(part)) - (first - cut))
    gutter = f"{line:>4}"
    excerpt = f"{gutter} | {part}\n{' ' * len(gutter)} | {' ' * (first - cut)}{carets}"
    return Finding(message, Place(name, line), excerpt=excerpt, cure=cure)


def key_file_text(key: str) -> str:
    """What a key file holds so that its key is ``key``: the key itself, or its octets in hex."""
    plain = key and not key.startswith(KEY_FORMS) and not key.endswith(("\n", "\r"))
    return f"{key}\n" if plain else f"hex:{key.encode().hex()}\n"


def key_text(octets: bytes) -> str:
    """The text of a key file for these octets."""
    try:
        return key_file_text(octets.decode())
    except UnicodeDecodeError:
        return f"hex:{octets.hex()}\n"


def key_of_file(text: str) -> str | None:
    """The key of a key file's text; None when its octets are no text."""
    text = text.removesuffix("\n").removesuffix("\r")
    if not text.startswith("hex:"):
        return text
    try:
        return bytes.fromhex(text[4:]).decode()
    except ValueError:
        return None


class KeyFiles:
    """The key files of a policy that is being made: one for each key, named for whom it is first met at."""

    def __init__(self) -> None:
        self._names: dict[str | bytes, str] = {}

    def file_for(self, key: str | bytes, subject: str) -> PskFile:
        """The way to authenticate by ``key``; octets are for what is no text."""
        if key not in self._names:
            taken = set(self._names.values())
            stem = slug(subject) or "key"
            names = (f"{stem}.psk" if number == 1 else f"{stem}-{number}.psk" for number in count(1))
            self._names[key] = next(name for name in names if name not in taken)
        return PskFile(self._names[key])

    def hide(self, text: str) -> str:
        """``text`` without any of the keys, should one have come to stand in it."""
        for key in self._names:
            if isinstance(key, str) and len(key) >= SHORTEST_HIDDEN:
                text = text.replace(key, "...")
        return text

    def secrets(self, used: Iterable[str]) -> dict[str, str]:
        """The texts of those files that the policy ended up with."""
        wanted = set(used)
        return {
            name: key_file_text(key) if isinstance(key, str) else key_text(key)
            for key, name in self._names.items()
            if name in wanted
        }


def slug(text: str) -> str:
    """``Branch office (old)`` as a file may be called: ``branch-office-old``."""
    letters = "".join(c if c.isascii() and c.isalnum() else " " for c in text.lower())
    return "-".join(letters.split())[:40].strip("-")
