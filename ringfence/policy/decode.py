# SPDX-License-Identifier: Apache-2.0
"""Strict decoding of a document's tables: every setting is known, of its type, and understood, or there is a finding.

A decoder never stops at the first mistake. A setting that cannot be read gives a finding and None, and decoding goes on
with the default, so that one run shows all mistakes; the values are thrown away when there was any.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import Enum
from typing import TypeVar

from ringfence.place import Place
from ringfence.policy.errors import BadWord, Finding, Severity
from ringfence.policy.source import Source, Step, Steps

T = TypeVar("T")
E = TypeVar("E", bound=Enum)

TYPES = {bool: "true or false", int: "a number", float: "a number", str: "a text", list: "a list", dict: "a table"}
SECRETS = ("psk", "preshared-key", "key", "secret", "password")
"""What people call a key where a document may not have one; it is not shown again."""
KEY_IN_FILE = 'A key stands in a file of its own, readable for root alone: auth = { psk-file = "lab.psk" }.'
LATER = "This is not supported yet."


def shown(value: object) -> str:
    """A value as the document may have it, short, and harmless on a terminal."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, str | int | float) else str(value)
    text = "".join(c if c.isprintable() else "?" for c in text)
    return text if len(text) <= 80 else f"{text[:77]}..."


@dataclass(slots=True)
class Table:
    """One table of the document while it is being read."""

    source: Source
    steps: Steps
    data: dict[str, object]
    findings: list[Finding]
    subject: str = ""
    """Such as ``rule "branch office"``."""
    prefix: str = ""
    """Of its settings' names: ``remote.``."""
    seen: set[str] = field(default_factory=set)
    later: dict[str, str] = field(default_factory=dict)
    """Settings that are known but not served yet, with what to do."""

    def complain(
        self, key: str, what: str, *, cure: str = "", at_key: bool = False, at: Steps = (),
        severity: Severity = Severity.ERROR,
    ) -> None:  # fmt: skip
        """Add the finding that setting ``key`` (empty: the table itself) is wrong; ``what`` completes the sentence."""
        steps = (*self.steps, key, *at) if key else self.steps
        span = self.source.span(steps, key=at_key or not key)
        setting = f"{self.prefix}{key}" if key else self.prefix.rstrip(".")
        index = "".join(f"[{step + 1}]" for step in at if isinstance(step, int))
        subject = f"{self.subject}: " if self.subject else ""
        self.findings.append(
            Finding(
                f"{subject}{setting}{index} {what}.".replace(":  ", ": "),
                self.source.place_at(span),
                self.subject,
                setting,
                self.source.excerpt(span) if span else "",
                cure,
                severity,
            )
        )

    def has(self, key: str) -> bool:
        """Whether the table says ``key``."""
        return key in self.data

    def raw(self, key: str) -> object:
        """The undecoded value, or None; it counts as read."""
        self.seen.add(key)
        return self.data.get(key)

    def value(self, key: str, kind: type[T]) -> T | None:
        """A value of exactly this type."""
        value = self.raw(key)
        if value is None:
            return None
        if type(value) is not kind:
            self.complain(key, f"is {shown(value)}, but has to be {TYPES[kind]}")
            return None
        return value

    def text(self, key: str) -> str | None:
        """A text that is not empty."""
        value = self.value(key, str)
        if value is not None and not value.strip():
            self.complain(key, "is empty")
            return None
        return value

    def file(self, key: str) -> str | None:
        """The name of a file, as seen from the policy's own folder; the document says it as seen from its folder."""
        text = self.text(key)
        return None if text is None else self.source.beside(text)

    def number(self, key: str, first: int, last: int) -> int | None:
        """A whole number between ``first`` and ``last``."""
        value = self.value(key, int)
        if value is not None and not first <= value <= last:
            self.complain(key, f"is {shown(value)}, but has to lie between {first} and {last}")
            return None
        return value

    def word(self, key: str, parse: Callable[[str], T]) -> T | None:
        """A text that ``parse`` understands."""
        text = self.text(key)
        return None if text is None else self.understand(key, text, parse)

    def words(self, key: str, parse: Callable[[str], T], *, split: str = "") -> tuple[T, ...] | None:
        """A text or a list of texts that ``parse`` understands; never empty."""
        value = self.raw(key)
        if value is None:
            return None
        listed = value if isinstance(value, list) else [value]
        if not listed:
            self.complain(key, "is an empty list")
        found: list[T] = []
        for number, item in enumerate(listed):
            at = (number,) if isinstance(value, list) else ()
            if not isinstance(item, str):
                self.complain(key, f"is {shown(item)}, but has to be a text or a list of texts", at=at)
                continue
            pieces = item.split(split) if split else [item]
            found += [one for piece in pieces if (one := self.understand(key, piece, parse, at=at)) is not None]
        return tuple(found) or None

    def choice(self, key: str, choices: type[E], also: Mapping[str, str] | None = None) -> E | None:
        """A member of an enumeration by its value; ``also`` as in ``choose``."""
        return self.word(key, lambda text: choose(text, choices, also))

    def understand(self, key: str, text: str, parse: Callable[[str], T], *, at: Steps = ()) -> T | None:
        """What ``parse`` makes of ``text``, or None and a finding."""
        try:
            return parse(text)
        except BadWord as error:
            self.complain(key, f"is {shown(text.strip())}, {error.why}", cure=error.cure, at=at)
            return None

    def table(self, key: str) -> "Table | None":
        """The table under ``key``; whoever takes it has to ``finish`` it."""
        value = self.raw(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.complain(key, f"is {shown(value)}, but has to be a table")
            return None
        return self.inner(key, value)

    def inner(self, key: str, value: dict[str, object], at: Steps = ()) -> "Table":
        """A decoder for a table that was found under ``key``."""
        steps: tuple[Step, ...] = (*self.steps, key, *at)
        return Table(self.source, steps, value, self.findings, self.subject, f"{self.prefix}{key}.")

    def finish(self) -> None:
        """Complain of every setting that nobody asked for."""
        for key in self.data:
            if key in self.seen:
                continue
            if key in self.later:
                self.complain(key, "is known but not supported yet", cure=self.later[key], at_key=True)
                continue
            name = "".join(c if c.isprintable() else "?" for c in key)[:60]
            if key in SECRETS:
                self._unknown(key, name, KEY_IN_FILE, excerpt=False)
                continue
            if key == "include" and self.steps:
                self._unknown(key, name, "It stands at the beginning of the document, before all tables.")
                continue
            close = get_close_matches(key, [*self.seen, *self.later], 1)
            cure = f'Did you mean "{close[0]}"?' if close else f"The settings here are {', '.join(sorted(self.seen))}."
            self._unknown(key, name, cure)

    def _unknown(self, key: str, name: str, cure: str, *, excerpt: bool = True) -> None:
        span = self.source.span((*self.steps, key), key=True)
        subject = f"{self.subject}: " if self.subject else ""
        self.findings.append(
            Finding(
                f'{subject}there is no setting "{self.prefix}{name}".',
                self.source.place_at(span), self.subject, f"{self.prefix}{name}",
                self.source.excerpt(span) if span and excerpt else "", cure,
            )
        )  # fmt: skip

    @property
    def place(self) -> Place:
        """Where it begins."""
        return self.source.place_of(self.steps)

    def places(self, keys: Iterable[str]) -> dict[str, Place]:
        """Where those settings stand that the table says."""
        return {f"{self.prefix}{key}": self.source.place_of((*self.steps, key)) for key in keys if key in self.data}


def choose(text: str, choices: type[E], also: Mapping[str, str] | None = None) -> E:
    """The member whose value is ``text``; raises BadWord, which hints at ours for words that ``also`` others use."""
    for member in choices:
        if member.value == text.strip().lower():
            return member
    values = [str(member.value) for member in choices]
    meant = (also or {}).get(text.strip().lower())
    close = [meant] if meant is not None else get_close_matches(text.lower(), values, 1)
    hint = f'Did you mean "{close[0]}"?' if close else ""
    quoted = [f'"{value}"' for value in values]
    raise BadWord(f"but has to be {', '.join(quoted[:-1])} or {quoted[-1]}", cure=hint)
