# SPDX-License-Identifier: Apache-2.0
"""One setting of a table in a TOML text: put, dropped; one element of a list: added, removed. The rest stays.

A setting is put where it is said already, in whatever way; else beside those that it belongs to; else behind the last
one of its table. A comment at the end of a setting's line is about that setting, and goes with it; one on a line of its
own stays.
"""

from ringfence.editing.errors import NoSuch
from ringfence.editing.layout import Layout, Pair, Section, lay_out
from ringfence.editing.toml import toml_dotted, toml_pair, toml_value
from ringfence.policy.source import Span, Steps

Names = tuple[str, ...]
"""The way to a setting inside its table: ``("main-mode", "lifetime")``."""


def splice(text: str, span: Span, new: str) -> str:
    """``text`` with ``new`` in place of ``span``."""
    return text[: span[0]] + new + text[span[1] :]


def put(text: str, table: Steps, names: Names, value: object) -> str:
    """Have the setting ``names`` of the table be ``value``."""
    layout, full = lay_out(text), (*table, *names)
    pair = layout.pairs.get(full)
    if pair is not None:
        return splice(text, pair.value, toml_value(value))
    if _parts(layout, full):
        return put(drop(text, table, names), table, names, value)
    for length in range(len(names) - 1, 0, -1):
        inner, rest = (*table, *names[:length]), names[length:]
        if inner in layout.pairs:
            if inner in layout.inline or text[layout.pairs[inner].value[0]] == "{":
                return _put_inline(layout, inner, rest, value)
            return splice(text, layout.pairs[inner].value, toml_value(_nested(rest, value)))
        section = layout.section(inner)
        if section is not None:
            return _put_in_section(layout, section, rest, value)
    return _put_in_table(layout, table, names, value)


def drop(text: str, table: Steps, names: Names) -> str:
    """Take the setting ``names`` out of the table; raises NoSuch."""
    layout, full = lay_out(text), (*table, *names)
    parts = _parts(layout, full)
    if not parts:
        raise NoSuch(f"{toml_dotted(names)} is not said there.")
    for part in reversed(parts):
        text = _drop_part(layout, part, table, text)
    return text


def add_element(text: str, steps: Steps, value: object) -> str:
    """Add to the list there, which becomes one if it is a single value."""
    layout = lay_out(text)
    start, end = layout.values[steps]
    if text[start] != "[":
        return splice(text, (start, end), f"[{text[start:end]}, {toml_value(value)}]")
    elements = layout.elements(steps)
    if not elements:
        return splice(text, (start, end), f"[{toml_value(value)}]")
    first, last = elements[-1]
    if not _own_line(layout, elements[-1]):
        return splice(text, (last, last), f", {toml_value(value)}")
    indent = text[layout.line_start(first) : first]
    comma = _comma(text, last)
    end_of_line = layout.line_end(last)
    text = splice(text, (end_of_line, end_of_line), f"{indent}{toml_value(value)}{',' if comma else ''}\n")
    return text if comma else splice(text, (last, last), ",")


def remove_element(text: str, steps: Steps, number: int) -> str:
    """Take element ``number`` (from 0) out of the list there."""
    layout = lay_out(text)
    elements = layout.elements(steps)
    here = elements[number]
    if _own_line(layout, here):
        return splice(text, (layout.line_start(here[0]), layout.line_end(here[1])), "")
    if number + 1 < len(elements):
        return splice(text, (here[0], elements[number + 1][0]), "")
    if number:
        return splice(text, (elements[number - 1][1], here[1]), "")
    return splice(text, layout.values[steps], "[]")


def _own_line(layout: Layout, span: Span) -> bool:
    """Whether an element has its lines for itself."""
    before = layout.text[layout.line_start(span[0]) : span[0]]
    after = layout.text[span[1] : layout.line_end(span[1])].strip().removeprefix(",").strip()
    return not before.strip() and (not after or after.startswith("#"))


def _comma(text: str, at: int) -> bool:
    return text[at:].lstrip(" \t").startswith(",")


def _nested(names: Names, value: object) -> object:
    for name in reversed(names):
        value = {name: value}
    return value


def _parts(layout: Layout, full: Steps) -> list[Pair | Section]:
    """The pairs and sections that together are the value there, in the order of the text."""
    size = len(full)
    if full in layout.pairs:
        return [layout.pairs[full]]
    found: list[Pair | Section] = []
    for section in layout.sections:
        if section.steps[:size] == full and section.steps:
            found.append(section)
        else:
            found += [pair for pair in section.pairs if pair.steps[:size] == full]
    return found or [pair for pair in layout.pairs.values() if pair.inline and pair.steps[:size] == full]


def _drop_part(layout: Layout, part: Pair | Section, table: Steps, text: str) -> str:
    if isinstance(part, Section):
        end = part.pairs[-1].value[1] if part.pairs else part.head[1]
        return splice(text, (layout.line_start(part.head[0]), layout.line_end(end)), "")
    if not part.inline:
        return splice(text, (layout.line_start(part.key[0]), layout.line_end(part.value[1])), "")
    around = part.steps[: -len(part.names)]
    siblings = layout.inline[around]
    number = siblings.index(part)
    if len(siblings) == 1 and len(around) > len(table):
        return drop(text, table, _names(around[len(table) :]))
    if number + 1 < len(siblings):
        return splice(text, (part.key[0], siblings[number + 1].key[0]), "")
    start = siblings[number - 1].value[1] if number else part.key[0]
    return splice(text, (start, part.value[1]), "")


def _names(steps: Steps) -> Names:
    return tuple(str(step) for step in steps)


def _put_inline(layout: Layout, steps: Steps, names: Names, value: object) -> str:
    pairs = layout.inline.get(steps)
    if not pairs:
        return splice(layout.text, layout.values[steps], toml_value(_nested(names, value)))
    end = pairs[-1].value[1]
    return splice(layout.text, (end, end), f", {toml_dotted(names)} = {toml_value(value)}")


def _put_in_table(layout: Layout, table: Steps, names: Names, value: object) -> str:
    """A setting of which nothing is said yet."""
    if table in layout.values:
        return _put_inline(layout, table, names, value)
    section = layout.section(table)
    if section is not None:
        return _put_in_section(layout, section, names, value)
    siblings = [
        (one, pair) for one in layout.sections for pair in one.pairs
        if pair.steps[: len(table)] == table and len(one.steps) < len(table)
    ]  # fmt: skip
    if not siblings:  # it has no header, and only tables below it have
        head, start = f"[{toml_dotted(_names(table))}]\n", layout.above(layout.below(table)[0])
        return splice(layout.text, (start, start), f"{head}{toml_pair(names[:1], _nested(names[1:], value))}\n\n")
    # it is written in dotted keys
    around, pair = siblings[-1]
    return _put_behind(layout, around, pair, (*_names(table[len(around.steps) :]), *names), value)


def _put_in_section(layout: Layout, section: Section, names: Names, value: object) -> str:
    size = len(section.steps) + 1
    dotted = [pair for pair in section.pairs if pair.steps[:size] == (*section.steps, names[0])]
    if dotted:  # main-mode.methods stands there, and main-mode.lifetime is put
        return _put_behind(layout, section, dotted[-1], names, value)
    pair = section.pairs[-1] if section.pairs else None
    return _put_behind(layout, section, pair, names[:1], _nested(names[1:], value))


def _put_behind(layout: Layout, section: Section, pair: Pair | None, names: Names, value: object) -> str:
    text = layout.text
    if pair is None and not section.steps:
        return _put_first(text, toml_pair(names, value))
    indent = text[layout.line_start(pair.key[0]) : pair.key[0]] if pair else ""
    line = indent + toml_pair(names, value, column=_column(layout, section))
    at = layout.line_end(pair.value[1] if pair else section.head[1])
    before = "" if text[:at].endswith("\n") else "\n"
    return splice(text, (at, at), f"{before}{line}\n")


def _put_first(text: str, line: str) -> str:
    """Before all tables; behind a comment that is about the whole document."""
    at, lines = 0, text.split("\n")
    for number, one in enumerate(lines):
        if not one.startswith("#"):
            if number and not one.strip():
                at = len("\n".join(lines[:number])) + 1
            break
    before, after = ("\n", "") if at else ("", "\n")
    return splice(text, (at, at), f"{before}{line}\n{after}")


def _column(layout: Layout, section: Section) -> int:
    """The column of the equals signs, if all of the section have it in common; else 0."""
    columns = {
        layout.text.index("=", pair.key[1]) - pair.key[0]
        for pair in section.pairs
        if layout.line_start(pair.key[0]) == pair.key[0]
    }
    return columns.pop() if len(columns) == 1 else 0
