# SPDX-License-Identifier: Apache-2.0
"""A document and all that it includes, read from files.

``include = ["base.toml", "sites/*.toml"]`` names files and patterns as seen from the document's own folder. What is
included comes before the document that includes it, as if its text stood there; a file that is named several ways is
read once. Everything that is wrong with any of the files is told at once.
"""

import glob
import os
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from ringfence.place import Place
from ringfence.policy.decode import Table, shown
from ringfence.policy.errors import Finding, PolicyError, Severity
from ringfence.policy.source import Source
from ringfence.stores.errors import StoreError
from ringfence.stores.files import Stamp, is_special, read_octets, stamp

DOCUMENT_OCTETS = 4 << 20
ALL_OCTETS = 16 << 20
DOCUMENTS_AT_MOST = 1000
DEPTH_AT_MOST = 16
EVERY_DOCUMENT = 'include = "*.toml"'
"""What a folder says."""
SPLIT = 'Split it: a document may include others, include = ["sites/*.toml"].'
EXAMPLE = 'Such as include = ["base.toml", "sites/*.toml"].'


@dataclass(slots=True)
class Documents:
    """A document and those that it includes."""

    root: Path
    name: str
    """What the document is called; those that it includes are named as seen from it."""
    store: str
    sources: list[Source] = field(default_factory=list)
    """Each after those that it includes."""
    paths: list[Path] = field(default_factory=list)
    """The file of each, behind all links."""
    findings: list[Finding] = field(default_factory=list)
    """Warnings."""
    files: dict[Path, Stamp] = field(default_factory=dict)
    """All that was read or looked for, as it was just before."""
    patterns: dict[tuple[Path, str], tuple[str, ...]] = field(default_factory=dict)
    """What each pattern matched in its folder."""
    _wrong: list[Finding] = field(default_factory=list)
    _known: set[Path] = field(default_factory=set)
    """Files that were read, by what links lead to."""
    _octets: int = 0

    def load(self) -> None:
        """Read all; raises StoreError when there is no document, and PolicyError with all that is wrong with them."""
        self.note(self.root)
        if self.root.is_dir():
            self._add(EVERY_DOCUMENT, self.root / "*.toml", f"{self.name}/*.toml", [])
        else:
            self._add(self._text(), self.root, self.name, [])
        if self._wrong:
            raise PolicyError(self._wrong)

    def _text(self) -> str:
        octets = read_octets(
            self.root, DOCUMENT_OCTETS, "the policy", missing=f"There is no {self.root.absolute()}.", large=SPLIT
        )
        return decoded(octets, Place(self.name, 0, self.store))

    def note(self, path: Path) -> None:
        """Remember a file as it is now, before it is read."""
        self.files[path] = stamp(path)

    def changed(self) -> bool:
        """Whether a file is another one by now, or a pattern matches other files."""
        # Copies: it may be loading in another thread.
        patterns, files = list(self.patterns.items()), list(self.files.items())
        return any(_matches(folder, pattern) != found for (folder, pattern), found in patterns) or any(
            stamp(path) != before for path, before in files
        )

    def _add(self, text: str, path: Path, name: str, steps: "list[_Step]") -> None:
        """Take a document in, after what it includes; ``steps`` lead to it."""
        self._known.add(_real(path))
        self._octets += len(text)
        folder = posixpath.dirname(name) if steps or os.path.isabs(self.name) else ""
        try:
            source = Source.read(text, name=name, folder=folder, store=self.store)
        except PolicyError as error:
            self._wrong += error.findings
            return
        table = Table(source, (), source.data, self._wrong)
        for wanted in _wanted(table):
            self._follow(wanted, table, path, [*steps, _Step(_real(path), name, wanted.place)])
        self.sources.append(source)
        self.paths.append(_real(path))

    def _follow(self, wanted: "_Wanted", table: Table, path: Path, steps: "list[_Step]") -> None:
        for file in self._files(wanted, table, path):
            name = posixpath.normpath(posixpath.join(posixpath.dirname(steps[-1].name), file))
            found = path.parent / file
            real = _real(found)
            if any(step.file == real for step in steps):
                if not (wanted.is_pattern and real == steps[-1].file):
                    wanted.complain(table, f"{_round([*steps, _Step(real, name, Place())], real)}", CIRCLE_CURE)
            elif real not in self._known:
                self._read(wanted, table, found, name, steps)

    def _files(self, wanted: "_Wanted", table: Table, path: Path) -> tuple[str, ...]:
        if not wanted.is_pattern:
            return (wanted.text,)
        if "**" in wanted.text:
            wanted.complain(table, "but folders are searched one at a time", 'Such as "sites/*.toml" or "*/*.toml".')
            return ()
        found = self.patterns[path.parent, wanted.text] = _matches(path.parent, wanted.text)
        if not found:
            wanted.complain(table, "which matches no file", "", severity=Severity.WARNING)
            self.findings.append(self._wrong.pop())
        return found

    def _read(self, wanted: "_Wanted", table: Table, path: Path, name: str, steps: "list[_Step]") -> None:
        self.note(path)
        if (limit := self._limit(steps)) is not None:
            wanted.complain(table, limit, "Have fewer, or include them from one document.")
            return
        try:
            text = decoded(_read(path), Place(name, 0, self.store))
        except PolicyError as error:
            self._wrong += error.findings
        except StoreError as error:
            which = f"({name}) " if wanted.is_pattern else ""
            wanted.complain(table, f"{which}but {error.message}", error.cure)
        else:
            self._add(text, path, name, steps)

    def _limit(self, steps: "list[_Step]") -> str | None:
        if len(steps) >= DEPTH_AT_MOST:
            return f"but documents include each other {DEPTH_AT_MOST} deep already, and that is the most"
        if len(self._known) >= DOCUMENTS_AT_MOST:
            return f"but {DOCUMENTS_AT_MOST} documents were read already, and that is the most"
        if self._octets >= ALL_OCTETS:
            return f"but {ALL_OCTETS >> 20} MB were read already, and that is the most"
        return None


def _read(path: Path) -> bytes:
    if is_special(path):
        raise StoreError("it is no file")
    missing = f"Write {path}, or leave it out of include."
    return read_octets(path, DOCUMENT_OCTETS, "it", missing=missing, large=SPLIT)


SAVE = "Save it as UTF-8, such as by  iconv -f {} -t utf-8"
CIRCLE_CURE = "Leave one of these out."


@dataclass(frozen=True, slots=True)
class _Step:
    """A document on the way to another."""

    file: Path
    name: str
    place: Place
    """Where it names the next."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A file or pattern that a document includes."""

    text: str
    number: int | None
    """In the list; None where there is no list."""
    place: Place

    @property
    def is_pattern(self) -> bool:
        return glob.has_magic(self.text)

    def complain(self, table: Table, what: str, cure: str, severity: Severity = Severity.ERROR) -> None:
        at = () if self.number is None else (self.number,)
        table.complain("include", f"is {shown(self.text)}, {what}", cure=cure, at=at, severity=severity)


def _wanted(table: Table) -> Iterator[_Wanted]:
    value = table.raw("include")
    if value is None:
        return
    listed = value if isinstance(value, list) else [value]
    for number, item in enumerate(listed):
        at = (number,) if isinstance(value, list) else ()
        if not isinstance(item, str):
            table.complain("include", f"is {shown(item)}, but has to be a text or a list of texts", cure=EXAMPLE, at=at)
        elif not item.strip() or not item.isprintable():
            table.complain("include", "names no file", cure=EXAMPLE, at=at)
        else:
            place = table.source.place_at(table.source.span(("include", *at)))
            yield _Wanted(item.strip(), number if at else None, place)


def _round(steps: "list[_Step]", file: Path) -> str:
    """How a circle of documents goes."""
    first = next(number for number, step in enumerate(steps) if step.file == file)
    circle = steps[first:]
    ways = [f"{step.place} includes {after.name}" for step, after in pairwise(circle)]
    return f"which goes round in a circle: {', '.join(ways)}"


def decoded(octets: bytes, place: Place) -> str:
    """The text of a document; raises PolicyError."""
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        wide = octets.startswith((b"\xff\xfe", b"\xfe\xff"))
        if wide:
            raise PolicyError(
                [Finding("this is written in UTF-16, not in UTF-8.", place, cure=SAVE.format("utf-16"))]
            ) from error
        source = Source.unread(octets.decode("utf-8", "replace"), name=place.document, store=place.store)
        start = len(octets[: error.start].decode("utf-8", "replace"))
        message = f"this is not text in UTF-8: octet 0x{octets[error.start]:02x}."
        excerpt = source.excerpt((start, start + 1))
        found = Finding(message, source.place_at((start, start)), excerpt=excerpt, cure=SAVE.format("latin1"))
        raise PolicyError([found]) from error


def _matches(folder: Path, pattern: str) -> tuple[str, ...]:
    found = glob.iglob(pattern, root_dir=folder)
    return tuple(sorted(one for one in found if (folder / one).is_file()))


def _real(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # links that lead in a circle
        return path.absolute()
