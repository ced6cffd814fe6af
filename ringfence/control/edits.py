# SPDX-License-Identifier: Apache-2.0
"""What is said of an edit, and of the objects of a document."""

from typing import Any

from ringfence.control.messages import Message
from ringfence.control.questions import StatementChange


class EditAnswer(Message):
    """An edit of a document."""

    document: str
    written: bool
    """False with ``--dry-run``, and where nothing was to change."""
    changes: list[StatementChange]
    diff: str
    """The text's change, as ``diff -u`` shows it."""
    applied: str
    """What became of it in the running service; what would, with ``--dry-run``."""
    lines: list[str]
    """The same entry by entry."""


class ItemView(Message):
    """One object of a document."""

    kind: str
    name: str
    place: str
    says: dict[str, Any]
    """Its settings as the document has them."""
    text: str
    """The part of the document."""
    effective: dict[str, str] | None = None
    """Every setting in TOML, with ``--effective``."""


class ItemsAnswer(Message):
    """All objects of a kind."""

    document: str
    items: list[ItemView]
