# SPDX-License-Identifier: Apache-2.0
"""The record of an edit: in the system's log always, and among the events of a service that follows the document."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from ringfence.cli import output
from ringfence.cli.output import Cell

if TYPE_CHECKING:
    from ringfence.policy.difference import Different

SYSTEM_LOG = Path("/dev/log")
NO_LOG = "This edit is recorded nowhere: no system log listens on this computer."
NOT_TOLD = "The service follows this document, but did not take this edit among its events: {}"
CHANGE_CHARACTERS = 800


class What(NamedTuple):
    """What an edit is about."""

    kind: str
    name: str
    edit: Literal["added", "modified", "deleted"]


def change_said(found: "Iterable[Different]", diff: str) -> str:
    """What changed in words; of a document that is not correct the lines."""
    words = [_words(one) for one in found] or [one for one in diff.splitlines()[2:] if one[:1] in ("+", "-")]
    text = "; ".join(words)
    return text if len(text) <= CHANGE_CHARACTERS else f"{text[: CHANGE_CHARACTERS - 3]}..."


def _words(one: "Different") -> str:
    head, *settings = one.lines()
    said = ", ".join(" ".join(line.split()) for line in settings)
    head = head.rpartition("   ")[0]
    return f"{head}: {said}" if said else head


def record(path: Path, what: What, change: str, *, followed: bool = False) -> None:
    """Say who changed what; keys do not stand in documents."""
    told = followed and _tell_service(path, what, change)
    if SYSTEM_LOG.exists():
        _log(path, what, change)
    elif not told:
        output.say(Cell(NO_LOG, "warn"), err=True)


def _tell_service(path: Path, what: What, change: str) -> bool:
    from ringfence.control.client import Client
    from ringfence.control.edits import Edited
    from ringfence.control.errors import ControlError

    edited = Edited(
        document=str(path), kind=what.kind, name=what.name[:200], edit=what.edit, change=change, behalf=_behalf()
    )
    try:
        with Client() as client:
            client.edited(edited)
    except ControlError as error:
        output.say(Cell(NOT_TOLD.format(error.message), "warn"), err=True)
        return False
    return True


def _log(path: Path, what: What, change: str) -> None:
    import syslog

    from ringfence.audit.policy import PolicyEdited
    from ringfence.control.users import harmless, user_said

    behalf = _behalf()
    who = user_said(os.getuid()) if behalf is None else user_said(behalf, through="sudo")
    event = PolicyEdited(
        document=harmless(str(path)), who=who, kind=what.kind, name=harmless(what.name), edit=what.edit,
        change=harmless(change),
    )  # fmt: skip
    syslog.openlog("ringfence", 0, syslog.LOG_AUTHPRIV)
    syslog.syslog(syslog.LOG_NOTICE, f"{event.NAME}: {event} windows_id={event.windows_id}")
    syslog.closelog()


def _behalf() -> int | None:
    """Who is at the terminal, where that is not whose process this is."""
    said = os.environ.get("SUDO_UID", "")
    return int(said) if os.getuid() == 0 and said.isdecimal() and int(said) else None
