# SPDX-License-Identifier: Apache-2.0
"""The event log on standard error, for a person who watches and for the journal.

A terminal gets the local time and the sentence. A pipe, a file and the journal get one line per event:
``name: sentence key=value …``, which a person can read and a machine can take apart. systemd's journal adds the time
itself and reads the priority from ``<N>`` at the line's start (sd-daemon(3)).
"""

import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TextIO

from ringfence.audit import (
    Event,
    FellBackToClear,
    KeyLogOpened,
    MainModeFailed,
    PolicyRefused,
    PolicyWarning,
    QuickModeFailed,
)
from ringfence.service.events import DETAILS, Recorded

WARNINGS = (FellBackToClear, KeyLogOpened, MainModeFailed, PolicyRefused, PolicyWarning, QuickModeFailed)


def make_sink(*, verbose: bool, journal: bool, stream: TextIO | None = None) -> Callable[[Recorded], None]:
    """A sink for ``EventLog.add_sink``."""
    out = stream or sys.stderr
    render = _for_people if out.isatty() else _for_journal if journal else _for_files

    def sink(recorded: Recorded) -> None:
        if verbose or not isinstance(recorded.event, DETAILS):
            with suppress(OSError):  # a reader that left must not end the service
                print(render(recorded), file=out, flush=True)

    return sink


def line(event: Event) -> str:
    """``name: sentence key=value …`` on one line."""
    plain = event.fields()
    name = plain.pop("event")
    if not plain["windows_id"]:
        del plain["windows_id"]
    if str(plain.get("detail", "")) in str(event):
        plain.pop("detail", None)  # the sentence has it
    pairs = " ".join(f"{key}={_value(value)}" for key, value in plain.items() if value not in ("", None))
    sentence = " | ".join(str(event).splitlines())
    return f"{name}: {sentence} {pairs}"


def _value(value: str | int | bool) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if text and not any(sign in text for sign in ' "=\n'):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _for_people(recorded: Recorded) -> str:
    return f"{recorded.at.astimezone():%H:%M:%S}  {recorded.event}"


def _for_files(recorded: Recorded) -> str:
    return f"{recorded.at:%Y-%m-%dT%H:%M:%S.%f}Z {line(recorded.event)}"


def _for_journal(recorded: Recorded) -> str:
    priority = 4 if isinstance(recorded.event, WARNINGS) else 6
    return f"<{priority}>{line(recorded.event)}"
