# SPDX-License-Identifier: Apache-2.0
"""What is said of an edit, and of the objects of a document."""

from typing import Any, Literal

from pydantic import Field

from ringfence.control.messages import Message
from ringfence.control.questions import StatementChange


class Edited(Message):
    """An edit that was made by a command, for the record."""

    document: str = Field(max_length=4096)
    """The whole path."""
    kind: str = Field(max_length=100)
    """Such as ``connection security rule``."""
    name: str = Field(max_length=200)
    edit: Literal["added", "modified", "deleted"]
    change: str = Field(max_length=4000)
    """In words."""
    behalf: int | None = None
    """The user on whose behalf root made it (sudo); of anybody else it is not believed."""


class RecordedEdit(Message):
    """The record of an edit."""

    number: int
    """Of the event."""


class EditAnswer(Message):
    """An edit of a document."""

    document: str
    written: bool
    """False with ``--dry-run``, and where nothing was to change."""
    changes: list[StatementChange]
    diff: str
    """The text's change, as ``diff -u`` shows it."""
    applied: str
    """What becomes of it in the running service."""
    lines: list[str]
    """What would change on this computer entry by entry, with ``--dry-run``."""
    note: str = ""
    """What is still to do."""


class ItemView(Message):
    """One object of a document."""

    kind: str
    name: str
    place: str
    policy: str | None = None
    """The IPsec policy that a rule belongs to."""
    assigned: bool | None = None
    """Whether the computer follows it, of an IPsec policy."""
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
