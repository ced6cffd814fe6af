# SPDX-License-Identifier: Apache-2.0
"""The syntax of ipsec.conf and ipsec.secrets: sections of indented settings, what they take from others, and keys.

Both files may stand in one text, one after the other. A section takes what it does not say from those that ``also``
names, and then from ``conn %default``.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ringfence.policy.errors import BadWord
from ringfence.transfer.base import ImportFailed, finding
from ringfence.transfer.swanctl.syntax import Value

HEAD = re.compile(r"(config|conn|ca)\s+(\S+)\s*", re.IGNORECASE)
SETTING = re.compile(r"([A-Za-z][\w-]*)\s*=\s*(.*)")
KINDS = "PSK|RSA|ECDSA|PUBKEY|XAUTH|EAP|NTLM|PIN|P12|PKCS8|PKCS12|BLISS|PPKS|PPK"
SECRET = re.compile(rf"(.*?)\s*:\s*({KINDS})\b\s*(.*)", re.IGNORECASE | re.DOTALL)
QUOTED = re.compile(r"\"([^\"]*)\"|'([^']*)'|(\S+)")
DEFAULT = "%default"
CURE = "Such a file has sections: conn lab, and below it, indented, left=192.0.2.1"


@dataclass(slots=True)
class Section:
    """A ``conn``, with what it takes from others already in it once the file is read."""

    kind: str
    name: str
    line: int
    values: dict[str, Value] = field(default_factory=dict)
    also: list[Value] = field(default_factory=list)

    def text(self, key: str, default: str = "") -> str:
        """What ``key`` is set to; an empty value is none."""
        value = self.values.get(key)
        return value.text or default if value is not None else default

    def line_of(self, *keys: str) -> int:
        """Where the first of ``keys`` that is set is; otherwise where the section begins."""
        return next((self.values[key].line for key in keys if key in self.values), self.line)


@dataclass(frozen=True, slots=True)
class Key:
    """One line of ipsec.secrets."""

    line: int
    ids: tuple[str, ...]
    kind: str
    text: str


@dataclass(slots=True)
class Files:
    """What stands in both files."""

    sections: list[Section] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)
    includes: list[Value] = field(default_factory=list)
    missing: list[Value] = field(default_factory=list)
    """Sections that ``also`` names, and there are none."""

    def conns(self) -> Iterator[Section]:
        """The connections proper."""
        yield from (one for one in self.sections if one.kind == "conn" and one.name != DEFAULT)


def parse(text: str, name: str) -> Files:
    """Both files; raises ImportFailed."""
    files = Files()
    current: Section | None = None
    for number, line in _statements(text):
        words = line.strip()
        if line[:1].isspace() and current is not None:
            _set(current, number, words, name)
        elif match := HEAD.fullmatch(words):
            current = _section(files, match[1].lower(), match[2], number)
        elif words.split()[0] == "include":
            files.includes.append(Value(words.removeprefix("include").strip(), number))
        elif words.split()[0] == "version":
            continue
        elif (match := SECRET.fullmatch(words)) and not words.startswith("conn"):
            ids = tuple(next(part for part in found if part) for found in QUOTED.findall(match[1]))
            files.keys.append(Key(number, ids, match[2].upper(), match[3].strip()))
            current = None
        elif current is not None and SETTING.fullmatch(words):
            _set(current, number, words, name)
        else:
            what = "it is neither a section, nor a setting of one, nor a key."
            raise ImportFailed([finding(name, number, line, (0, len(line)), what, cure=CURE)])
    _inherit(files, name)
    return files


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Lines that say something, without comments; a key goes on in the lines that are indented behind it."""
    held: tuple[int, str] | None = None
    for number, raw in enumerate(text.split("\n"), 1):
        line = _uncommented(raw).rstrip()
        if not line.strip():
            continue
        if held is not None and line[:1].isspace():
            held = (held[0], f"{held[1]} {line.strip()}")
            continue
        if held is not None:
            yield held
            held = None
        if not line[:1].isspace() and (SECRET.fullmatch(line.strip()) or line.rstrip().endswith(":")):
            held = (number, line)
        else:
            yield number, line
    if held is not None:
        yield held


def _uncommented(line: str) -> str:
    quote = ""
    for at, letter in enumerate(line):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter == "#" and (at == 0 or line[at - 1].isspace()):
            return line[:at]
    return line


def _section(files: Files, kind: str, name: str, line: int) -> Section:
    for one in files.sections:
        if (one.kind, one.name) == (kind, name):
            return one
    files.sections.append(Section(kind, name, line))
    return files.sections[-1]


def _set(section: Section, number: int, words: str, name: str) -> None:
    match = SETTING.fullmatch(words)
    if match is None:
        what = f'{section.kind} {section.name}: this sets nothing: it has to be "setting=value".'
        raise ImportFailed([finding(name, number, words, (0, len(words)), what, cure=CURE)])
    key, text = match[1].lower().replace("-", "_"), match[2].strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1]
    value = Value(text, number)
    if key == "also":
        section.also.append(value)
    else:
        section.values[key] = value


def _inherit(files: Files, name: str) -> None:
    sections = {one.name: one for one in files.sections if one.kind == "conn"}
    done: set[str] = set()

    def settle(section: Section, busy: tuple[str, ...]) -> None:
        if section.name in done:
            return
        files.missing += [value for value in section.also if value.text not in sections]
        for value in section.also:
            base = sections.get(value.text, section)
            if base is section and value.text != section.name:
                continue
            if base.name in (*busy, section.name):
                what = f'conn {section.name}: "also={value.text}" leads back to itself.'
                raise ImportFailed([finding(name, value.line, f"also={value.text}", (0, 4), what, cure=CURE)])
            settle(base, (*busy, section.name))
            for key, one in base.values.items():
                section.values.setdefault(key, one)
        done.add(section.name)

    for section in [*sections.values()]:
        settle(section, ())
    default = sections.get(DEFAULT, Section("conn", DEFAULT, 0))
    for section in sections.values():
        section.values = default.values | section.values


def key_value(text: str) -> str:
    """The key of a line of ipsec.secrets, without its quotes; raises BadWord."""
    match = QUOTED.fullmatch(text)
    if match is None:
        raise BadWord("which is no key: it has to be one text in quotes")
    return next((part for part in match.groups() if part is not None), "")
