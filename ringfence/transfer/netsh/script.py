# SPDX-License-Identifier: Apache-2.0
"""A script as the commands of netsh that it gives, one after the other.

Three kinds are read: batch files, whose lines begin with ``netsh``; the form of ``netsh -f`` and ``netsh dump``, whose
lines are in a context (``pushd ipsec static``, ``..``); and sessions copied with their prompts. Of a batch file's own
words ``set``, ``%NAME%`` and ``for`` over a list are carried out. What depends on more (``if``, ``call``) is left out
as a whole, for nobody knows here how it would go.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ringfence.transfer.base import LeftOut, shown
from ringfence.transfer.netsh.words import KEY, Word, cut, without_keys

PROMPT = re.compile(r"(?:[A-Za-z]:\\[^>\"]*|PS [A-Za-z]:\\[^>\"]*)>\s*")
NETSH_PROMPT = re.compile(r"netsh((?: (?:ipsec|advfirewall)(?: \w+)?)?)>\s*", re.IGNORECASE)
PROGRAM = re.compile(r'(?:"[^"]*\\|[^\s"]*\\)?netsh(?:\.exe)?"?(?=\s|$)', re.IGNORECASE)
PROGRAM_WITHIN = re.compile(rf"(?:^|[\s(&|@]){PROGRAM.pattern}", re.IGNORECASE)
COMMENT = re.compile(r"(?:rem(?:\s|$)|::|#|;)", re.IGNORECASE)
SET = re.compile(r'set\s+(?:"([^"=]+)=([^"]*)"|([^\s"=/][^"=]*)=(.*))\s*$', re.IGNORECASE)
LATE = re.compile(r"setlocal\b.*\benabledelayedexpansion\b", re.IGNORECASE)
FOR = re.compile(r"for\s+%%?(\w)\s+in\s*\(([^)]*)\)\s*do\s*(.*)", re.IGNORECASE)
VARIABLE = re.compile(r"(?P<two>%%(?P<loop>\w)?)|%(?P<name>[^%\s]+)%|%~?(?P<argument>\d|\*)|!(?P<late>\w+)!")
REDIRECT = re.compile(r'(?P<quoted>"[^"]*"?)|(?:(?<=\s)|(?<=\d)|(?<=\)))\d?>>?\s*(?:&\d|"[^"]*"|[^\s&|]+)')
SILENT = {
    "cd", "chcp", "choice", "cls", "color", "echo", "endlocal", "exit", "goto", "mode", "pause", "ping", "popd",
    "prompt", "pushd", "setlocal", "timeout", "title", "ver",
}  # fmt: skip
"""Commands of a batch file that change nothing about the policy."""
CONDITIONS = ("if", "else", "for", "call")


@dataclass(frozen=True, slots=True)
class Line:
    """A command of netsh."""

    place: str
    words: tuple[Word, ...]
    """Behind ``netsh``."""
    text: str
    """As people may see it: without keys."""
    context: tuple[str, ...] | None = None
    """That of its prompt; None for the context that the script is in."""

    def left_out(self, why: str, cure: str = "") -> LeftOut:
        """That it is not carried over."""
        return LeftOut(self.place, self.text, why, cure)


@dataclass(frozen=True, slots=True)
class Raw:
    """A line of the file with its continuations."""

    number: int
    text: str


def is_batch(text: str) -> bool:
    """Whether the lines of a script name the program, and all else is for the command shell."""
    lines = (_bare(line.text) for line in _lines(text))
    return any(
        PROGRAM_WITHIN.search(line) for line in lines if not COMMENT.match(line) and not NETSH_PROMPT.match(line)
    )


def read(text: str, name: str) -> "Iterator[Line | LeftOut]":
    """The commands of a script, and what it has that is none."""
    lines = list(_lines(text))
    if is_batch(text):
        yield from Batch(name).read(lines)
        return
    for line in lines:
        bare = line.text.strip()
        if bare and not COMMENT.match(bare):
            prompt = NETSH_PROMPT.match(bare)
            context = tuple(prompt[1].lower().split()) if prompt else None
            rest = bare[prompt.end() :] if prompt else bare
            if rest:
                yield Line(f"{name}:{line.number}", cut(rest), shown(without_keys(rest)), context)


def _lines(text: str) -> Iterator[Raw]:
    begun: Raw | None = None
    for number, line in enumerate(text.split("\n"), 1):
        first = number if begun is None else begun.number
        whole = line if begun is None else begun.text + line
        cut_off = whole.rstrip()
        if cut_off.endswith("^") and not cut_off.endswith("^^"):
            begun = Raw(first, cut_off[:-1])
            continue
        begun = None
        yield Raw(first, whole)
    if begun is not None:
        yield begun


def _bare(text: str) -> str:
    """A line of a batch file without ``@``, prompt and blanks around."""
    text = text.strip().lstrip("@").strip()
    prompt = PROMPT.match(text)
    return text[prompt.end() :].strip() if prompt else text


class Batch:
    """A batch file that is being read."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._variables: dict[str, str] = {}
        self._late = False
        """Whether exclamation marks name variables, too."""

    def read(self, lines: list[Raw], loop: "Mapping[str, str] | None" = None) -> "Iterator[Line | LeftOut]":
        """Its commands; ``loop``: what its loops' variables stand for."""
        at = 0
        while at < len(lines):
            line = lines[at]
            bare = _bare(line.text)
            at += 1
            if not bare or COMMENT.match(bare) or bare in ("(", ")"):
                continue
            first = bare.split(maxsplit=1)[0].lower().partition("(")[0]
            if first not in CONDITIONS:
                yield from self._statement(line.number, bare, loop or {})
                continue
            last = _end_of_block(lines, at - 1)
            block, at = lines[at - 1 : last], last
            yield from self._block(bare, block, loop or {})

    def _block(self, bare: str, block: list[Raw], loop: Mapping[str, str]) -> "Iterator[Line | LeftOut]":
        match = FOR.match(bare)
        items = None if match is None else self._items(match[2], loop)
        if match is None or items is None:
            inside = sum(len(PROGRAM.findall(line.text)) for line in block)
            if inside:
                word = bare.split(maxsplit=1)[0].lower()
                what = "netsh command" if inside == 1 else f"{inside} netsh commands"
                why = f'whether and how "{word}" carries out its {what} is not known here'
                cure = "Write the commands themselves, one a line."
                yield LeftOut(f"{self._name}:{block[0].number}", shown(without_keys(bare)), why, cure)
            return
        body = [Raw(block[0].number, match[3].removeprefix("(")), *block[1:]]
        if match[3].startswith("("):
            body[-1] = Raw(body[-1].number, body[-1].text.rstrip().removesuffix(")"))
        if not bare.partition("%")[2].startswith("%"):  # as it is typed at a prompt
            body = [Raw(line.number, line.text.replace(f"%{match[1]}", f"%%{match[1]}")) for line in body]
        for item in items:
            yield from self.read(body, {**loop, match[1]: item})

    def _items(self, text: str, loop: Mapping[str, str]) -> list[str] | None:
        """What a loop goes over; None when that is not known here."""
        expanded = self._expanded(text, loop)
        if expanded is None or any(c in expanded for c in "*?"):
            return None
        return [word.text for word in cut(expanded.replace(",", " ").replace(";", " ")) if not word.tag]

    def _statement(self, number: int, text: str, loop: Mapping[str, str]) -> "Iterator[Line | LeftOut]":
        place = f"{self._name}:{number}"
        for part in _parts(text):
            bare = _bare(part).strip("()").strip()
            self._late |= LATE.match(bare) is not None
            if match := SET.match(bare):
                key, value = (match[1], match[2]) if match[1] is not None else (match[3], match[4])
                self._set(key.strip().lower(), self._expanded(value, loop))
            elif match := PROGRAM.match(bare):
                yield self._line(place, bare, bare[match.end() :], loop)
            elif bare and bare.split()[0].lower().rstrip(".:") not in SILENT and not bare.startswith(":"):
                words = "..." if KEY.search(text) else shown(bare)
                yield LeftOut(place, words, "it is no command of netsh, and nothing of it is brought along")

    def _set(self, name: str, value: str | None) -> None:
        """Give a variable a value; None: it is made of one that is not known, and so is not known itself."""
        self._variables.pop(name, None)
        if value is not None:
            self._variables[name] = value

    def _line(self, place: str, whole: str, rest: str, loop: Mapping[str, str]) -> "Line | LeftOut":
        text = shown(without_keys(whole))
        expanded = self._expanded(rest, loop)
        if expanded is None:
            names = ", ".join(match[0] for match in VARIABLE.finditer(rest) if self._value(match, loop) is None)
            return LeftOut(place, text, f"nobody knows here what {names} stands for", "Write the value itself.")
        return Line(place, cut(expanded), text)

    def _expanded(self, text: str, loop: Mapping[str, str]) -> str | None:
        """``text`` with the values of its variables; None when one is not known."""
        values = [self._value(match, loop) for match in VARIABLE.finditer(text)]
        if None in values:
            return None
        found = iter(value for value in values if value is not None)
        return VARIABLE.sub(lambda _: next(found), text)

    def _value(self, match: "re.Match[str]", loop: Mapping[str, str]) -> str | None:
        if match["two"]:
            return loop.get(match["loop"] or "", match[0][1:])
        if match["late"] and not self._late:
            return match[0]
        return self._variables.get((match["name"] or match["late"] or "").lower())


def _end_of_block(lines: list[Raw], first: int) -> int:
    """Behind the last line of the block that begins in line ``first``."""
    depth = 0
    for number in range(first, len(lines)):
        bare = re.sub(r'"[^"]*"', "", lines[number].text)
        depth += bare.count("(") - bare.count(")")
        if depth <= 0:
            return number + 1
    return len(lines)


def _parts(text: str) -> Iterator[str]:
    """The commands of one line, without what is said of their output."""
    text = REDIRECT.sub(lambda match: match["quoted"] or " ", text)
    part, quoted, escaped = "", False, False
    for c in text:
        if escaped or (quoted and c != '"') or c not in '"&|^':
            part, escaped = part + c, False
        elif c == '"':
            part, quoted = part + c, not quoted
        elif c == "^":
            escaped = True
        else:
            yield part
            part = ""
    yield part
