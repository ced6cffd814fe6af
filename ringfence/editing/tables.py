# SPDX-License-Identifier: Apache-2.0
"""Whole tables of a TOML text: added, removed, given another name. The rest stays.

A comment directly above a header is about what follows, and goes with it; only the comment with which a document begins
is about the document, and stays. A new table comes behind the last one of its kind.
"""

import re
from collections.abc import Mapping

from ringfence.editing.errors import EditRefused
from ringfence.editing.layout import Layout, Section, lay_out
from ringfence.editing.settings import add_element, drop, put, remove_element, splice
from ringfence.editing.toml import toml_dotted, toml_key, toml_table
from ringfence.policy.source import Span, Steps

COMPONENT = re.compile(r'"(?:\\.|[^"\\])*"|\'[^\']*\'|[A-Za-z0-9_-]+')


def append(text: str, parent: Steps, key: str, settings: Mapping[str, object]) -> str:
    """Add one to the array of tables ``key`` in the table ``parent``."""
    steps = (*parent, key)
    layout = lay_out(text)
    if steps in layout.values:  # rule = [{ … }]
        return add_element(text, steps, settings)
    if parent in layout.values:
        return put(text, parent, (key,), [settings])
    head = f"[[{toml_dotted([str(step) for step in steps])}]]"
    return _insert(layout, layout.below(steps) or (layout.below(parent) if parent else []), toml_table(head, settings))


def insert(text: str, key: str, name: str, settings: Mapping[str, object]) -> str:
    """Add the table ``[key."name"]``; ``[key]`` where the name is empty."""
    layout = lay_out(text)
    if name and (key,) in layout.values:  # key = { … }
        return put(text, (key,), (name,), settings)
    head = f"[{toml_dotted([key, name] if name else [key])}]"
    return _insert(layout, layout.below((key,)), toml_table(head, settings))


def remove(text: str, steps: Steps) -> str:
    """Take out the table there, with all below it and the comment above it."""
    layout = lay_out(text)
    sections = layout.below(steps)
    last = steps[-1]
    if not sections and isinstance(last, int):
        return remove_element(text, steps[:-1], last)
    if not sections or any(pair.steps[: len(steps)] == steps for one in layout.sections if one not in sections
                           for pair in one.pairs):  # fmt: skip
        return drop(text, steps[:-1], (str(last),))
    for section in reversed(sections):
        text = splice(text, _extent(layout, section), "")
    return text


def move(text: str, steps: Steps, before: Steps) -> str:
    """Put the table there, with all below it and the comment above it, before another one of its array.

    Raises EditRefused for tables that are written in one line.
    """
    layout = lay_out(text)
    sections, number, other = layout.below(steps), steps[-1], before[-1]
    if not sections or not layout.below(before) or not isinstance(number, int) or not isinstance(other, int):
        raise EditRefused("Tables that are written in one line cannot be moved by command.", cure="Move it by hand.")
    moved = "".join(_whole_lines(text[layout.above(one) : _end(layout, one)]) for one in sections)
    rest = lay_out(remove(text, steps))
    target = rest.below((*before[:-1], other - 1 if number < other else other))[0]
    at = rest.above(target)
    return splice(rest.text, (at, at), f"{moved}\n")


def _whole_lines(text: str) -> str:
    return text if text.endswith("\n") else f"{text}\n"


def rename(text: str, steps: Steps, name: str) -> str:
    """Call the table ``[key."old"]`` there by another name."""
    layout, position = lay_out(text), len(steps) - 1
    spans = [_component(text, one.head, position) for one in layout.below(steps)]
    for section in layout.sections:
        spans += [
            _component(text, pair.key, position - len(section.steps))
            for pair in section.pairs
            if pair.steps[: len(steps)] == steps and len(section.steps) <= position
        ]
    spans += [
        _component(text, pair.key, position - len(pair.steps) + len(pair.names))
        for pair in layout.pairs.values()
        if pair.inline and pair.steps[: len(steps)] == steps and len(pair.steps) - len(pair.names) <= position
    ]
    for span in sorted(spans, reverse=True):
        text = splice(text, span, toml_key(name))
    return text


def nest(text: str, key: str, name: str) -> str:
    """Have the table ``[key]`` be ``[key."name"]``, with all below it."""
    layout = lay_out(text)
    spans = [_component(text, one.head, 0) for one in layout.below((key,))]
    spans += [_component(text, pair.key, 0) for pair in layout.sections[0].pairs if pair.steps[:1] == (key,)]
    for _, end in sorted(spans, reverse=True):
        text = splice(text, (end, end), f".{toml_key(name)}")
    return text


def extract(text: str, steps: Steps) -> tuple[int, str]:
    """The line where the table there begins, and the part of the text that is about it."""
    layout = lay_out(text)
    spans = [(layout.above(one), _end(layout, one)) for one in layout.below(steps)]
    begin = [one.head[0] for one in layout.below(steps)]
    if not spans:
        spans = [layout.values[steps]] if steps in layout.values else [
            (layout.line_start(pair.key[0]), layout.line_end(pair.value[1]))
            for one in layout.sections for pair in one.pairs if pair.steps[: len(steps)] == steps
        ]  # fmt: skip
        begin = [start for start, _ in spans]
    line = text.count("\n", 0, begin[0]) + 1 if begin else 0
    return line, "\n".join(text[start:end] for start, end in spans)


def _component(text: str, span: Span, number: int) -> Span:
    """One part of a dotted key."""
    found = [match.span() for match in COMPONENT.finditer(text, *span)]
    return found[number]


def _insert(layout: Layout, behind: list[Section], table: str) -> str:
    text = layout.text
    at = _end(layout, behind[-1]) if behind else len(text)
    before = text[:at]
    gap = "" if not before.strip() else "\n" if before.endswith("\n") else "\n\n"
    if before.endswith("\n\n") and not text[at:].strip():
        gap = ""
    after = "" if not text[at:].strip() or text[at:].startswith("\n") else "\n"
    return splice(text, (at, at), f"{gap}{table}{after}")


def _end(layout: Layout, section: Section) -> int:
    """Behind its last line; comments that follow it directly are its own, unless they touch the next header."""
    text = layout.text
    at = layout.line_end(section.pairs[-1].value[1] if section.pairs else section.head[1])
    end = at
    while text.startswith("#", end):
        end = layout.line_end(end)
    following = next((one.head[0] for one in layout.sections if one.head[0] >= end and one.steps), None)
    return at if following == end else end


def _extent(layout: Layout, section: Section) -> Span:
    """A section with the comment above it, and the blank line that set it apart."""
    text, start, end = layout.text, layout.above(section), _end(layout, section)
    if text[:start].endswith("\n\n") or (start and not text[:start].strip()):
        return (start - 1, end) if not text[end:].strip("\n") or text.startswith("\n", end) else (start, end)
    return (start, end + 1) if text.startswith("\n", end) else (start, end)
