# SPDX-License-Identifier: Apache-2.0
"""Group Policy objects in folders, as SYSVOL and backups have them.

    {GUID}/Machine/registry.pol                      SYSVOL; GPT.INI beside may have the object's name
    {GUID}/DomainSysvol/GPO/Machine/registry.pol     a backup; bkupInfo.xml, gpreport.xml or Backup.xml has its name

Names of files are the same in either case there, so they are looked for in either. A folder with several objects in it
has them in the order of their names, the last with the highest precedence, as ``conf.d`` folders have it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ringfence.stores.errors import StoreError
from ringfence.stores.files import is_special, read_octets
from ringfence.transfer.grouppolicy.importing import Source

FILE = "registry.pol"
INSIDE = (("Machine",), ("DomainSysvol", "GPO", "Machine"), ("GPO", "Machine"))
MOST_OCTETS = 16 << 20
MOST_OBJECTS = 1000
NAME_OCTETS = 1 << 20
TITLES = (
    ("bkupInfo.xml", re.compile(r"<GPODisplayName>\s*(?:<!\[CDATA\[)?([^<\]]+)")),
    ("gpreport.xml", re.compile(r"</Identifier>\s*<Name>([^<]+)</Name>")),
    ("Backup.xml", re.compile(r"<DisplayName[^>]*>\s*(?:<!\[CDATA\[)?([^<\]]+)")),
    ("GPT.INI", re.compile(r"^displayName\s*=\s*(.+?)\s*$", re.IGNORECASE | re.MULTILINE)),
)
"""Files that may have the object's name, and where."""
DUMMY = "new group policy object"
"""What GPT.INI says of every object."""


@dataclass(frozen=True, slots=True)
class ObjectFile:
    """The file of one object."""

    name: str
    """The object's display name; or what its folder is called."""
    path: Path

    def read(self) -> Source:
        """Its content; raises StoreError."""
        if is_special(self.path):
            raise StoreError(f'the file of "{self.name}" is no file', place=str(self.path))
        return Source(self.name, read_octets(self.path, MOST_OCTETS, f'the file of "{self.name}"'))


def objects_in(path: Path) -> list[ObjectFile]:
    """The objects of a folder, the one with the lowest precedence first; or that of a file. Raises StoreError."""
    try:
        found = list(_found(path))
    except OSError as error:
        raise StoreError(f"it cannot be read: {error.strerror}", place=str(path)) from error
    if not found:
        cure = "A folder of an object, or of its backup, has Machine/registry.pol in it."
        raise StoreError("there is no registry.pol of a Group Policy object", place=str(path), cure=cure)
    if len(found) > MOST_OBJECTS:
        raise StoreError(f"there are more than {MOST_OBJECTS} objects in it", place=str(path))
    return found


def _found(path: Path) -> Iterator[ObjectFile]:
    if not path.is_dir():
        yield ObjectFile(_title_above(path) or path.name, path)
        return
    own = _file_in(path)
    if own is not None:
        yield ObjectFile(_title(path) or path.name, own)
        return
    for folder in sorted(path.iterdir()):
        if folder.is_dir() and (file := _file_in(folder)) is not None:
            yield ObjectFile(_title(folder) or folder.name, file)


def _file_in(folder: Path) -> Path | None:
    for steps in INSIDE:
        found: Path | None = folder
        for step in (*steps, FILE):
            found = None if found is None else _named(found, step)
        if found is not None:
            return found
    return None


def _named(folder: Path, name: str) -> Path | None:
    """What is called so in a folder, in whatever case."""
    exact = folder / name
    if exact.exists():
        return exact
    if not folder.is_dir():
        return None
    return next((one for one in sorted(folder.iterdir()) if one.name.lower() == name.lower()), None)


def _title_above(file: Path) -> str:
    """The name of the object whose file this is, if it stands where such a file does."""
    folders = file.absolute().parents
    return next((title for folder in folders[:4] if (title := _title(folder))), "")


def _title(folder: Path) -> str:
    for name, pattern in TITLES:
        file = _named(folder, name)
        if file is None or not file.is_file() or file.stat().st_size > NAME_OCTETS:
            continue
        match = pattern.search(_text(file.read_bytes()))
        title = "" if match is None else "".join(one if one.isprintable() else " " for one in match[1]).strip()
        if title and title.lower() != DUMMY:
            return title[:200]
    return ""


def _text(octets: bytes) -> str:
    encoding = "utf-16" if octets[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    return octets.decode(encoding, "replace").replace("\r\n", "\n")
