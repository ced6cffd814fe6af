# SPDX-License-Identifier: Apache-2.0
"""Stores in the API's words: how each does, and what the one in memory holds."""

from collections.abc import Iterable
from typing import Protocol

from pydantic import Field

from ringfence.control.messages import Message, SetAsideView, StoreView
from ringfence.policy.resultant import SetAside


class DynamicDocument(Message):
    """The rules that hold until the service stops."""

    text: str
    """A policy document."""
    revision: int
    """Counts the changes."""


class DynamicChange(Message):
    """Other rules that hold until the service stops."""

    text: str = Field(max_length=1 << 20)
    """The whole document; empty for none."""
    revision: int
    """Of the document that was changed: another one means that somebody else was faster."""
    force: bool = False
    """Apply it even if it ends one of ``sessions``."""
    sessions: list[str] = Field(default=[], max_length=1000)
    """As in ``Application``."""


class State(Protocol):
    """How a store does, as stores tell it."""

    @property
    def name(self) -> str:
        """Of the store."""

    @property
    def document(self) -> str:
        """What it was read from."""

    @property
    def rules(self) -> int:
        """How many statements it has."""

    @property
    def note(self) -> str:
        """What is out of the ordinary."""

    @property
    def refused(self) -> str:
        """Why what it has now is not in force."""


def store_views(stores: Iterable[State]) -> list[StoreView]:
    """Each of them."""
    return [
        StoreView(name=one.name, document=one.document, rules=one.rules, note=one.note, refused=one.refused)
        for one in stores
    ]


def set_aside_views(found: Iterable[SetAside]) -> list[SetAsideView]:
    """Each of them."""
    return [
        SetAsideView(what=one.what, place=str(one.place), store=one.store, why=one.why, winner=str(one.winner))
        for one in found
    ]
