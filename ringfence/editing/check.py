# SPDX-License-Identifier: Apache-2.0
"""What the document's decoders say of an edit.

An edit may not add a mistake. One that the document had before may stay, so that a document with two mistakes can be
mended by two edits. A finding about what a command says points at the command's option, not at a line of a text that
nobody has seen.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from ringfence.editing.draft import Draft, Item
from ringfence.editing.nouns import Form, Noun
from ringfence.editing.settings import Names
from ringfence.editing.toml import toml_table
from ringfence.editing.words import Said, Trial
from ringfence.place import Place
from ringfence.policy.decode import shown
from ringfence.policy.document import parse_documents
from ringfence.policy.errors import Finding, PolicyError


def findings(draft: Draft) -> tuple[Finding, ...]:
    """All that is wrong with a document and those that it includes."""
    try:
        parse_documents(draft.sources)
    except PolicyError as error:
        return error.findings
    return ()


def added(before: Iterable[Finding], after: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings of ``after`` that were not there ``before``."""
    known = {_gist(finding) for finding in before}
    return tuple(finding for finding in after if _gist(finding) not in known)


def _gist(finding: Finding) -> tuple[str, str, str]:
    """A finding without the lines that it names, which an edit moves."""
    return finding.rule, finding.setting, re.sub(r"\d+", "#", finding.message)


def pointed(found: Iterable[Finding], name: str, said: Sequence[Said]) -> Iterator[Finding]:
    """The findings; those about the object ``name`` at the option that says it, and at no line."""
    for finding in found:
        ours = not name or shown(name) in finding.rule
        yield replace(finding, place=Place(_option(finding, said)), excerpt="") if ours else finding


def _option(finding: Finding, said: Sequence[Said]) -> str:
    for one in said:
        setting = ".".join(one.names)
        about = f"{finding.setting}."
        if finding.setting and (about.startswith(f"{setting}.") or f"{setting}.".startswith(about)):
            return one.option
    return ""


def trial_of(noun: Noun, names: Names) -> Trial:
    """How many findings the decoder of ``noun`` has about a value of the setting ``names``, all else aside."""
    setting = ".".join(names)

    def trial(value: object) -> int:
        for name in reversed(names):
            value = {name: value}
        table = value if isinstance(value, dict) else {}
        head = TRIALS[noun.form].format(noun.key)
        text = toml_table(head, {"name": "x", **table} if head.startswith("[[") else table)
        found = findings(Draft("", text))
        return sum(f"{one.setting}.".startswith(f"{setting}.") for one in found)

    return trial


TRIALS = {
    Form.LISTED: "[[{}]]", Form.NAMED: "[{}.x]", Form.SINGLE: "[{}]", Form.POLICIES: "[{}.x]",
    Form.WITHIN: "[[policy.{}]]",
}  # fmt: skip
"""The head of an object of each form, alone in a document."""


def item_said(item: Item) -> str:
    """For people: ``connection security rule "lab is isolated"``."""
    return f"{item.noun.title} {shown(item.name)}" if item.name else item.noun.title
