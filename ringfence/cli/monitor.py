# SPDX-License-Identifier: Apache-2.0
"""``ringfence monitor``: what happens, as it happens."""

import sys
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from ringfence.cli import output, status
from ringfence.cli.output import Cell, JsonOption, SocketOption

if TYPE_CHECKING:
    from ringfence.control.messages import EventRecord


class What(Enum):
    """Which events are wanted."""

    ALL = "all"
    DROPS = "drops"
    IKE = "ike"
    POLICY = "policy"


NAMES: dict[What, frozenset[str]] = {
    What.DROPS: frozenset({"packet-dropped"}),
    What.IKE: frozenset(
        {
            "ike-message", "ike-message-ignored", "main-mode-established", "main-mode-failed", "main-mode-ended",
            "quick-mode-established", "quick-mode-failed", "quick-mode-ended", "fallback-to-clear", "keying-changed",
            "keying-kept", "sa-moved",
        }
    ),
    What.POLICY: frozenset(
        {
            "policy-applied", "policy-refused", "policy-warning", "policy-on-probation", "policy-confirmed",
            "policy-rolled-back", "policy-edited", "service-started", "service-stopped", "key-log-open",
        }
    ),
}  # fmt: skip
STYLES = {
    "ike-message": "dim", "ike-message-ignored": "dim", "main-mode-established": "good", "main-mode-failed": "bad",
    "sa-moved": "good", "quick-mode-established": "good", "quick-mode-failed": "bad", "packet-dropped": "warn",
    "fallback-to-clear": "warn", "keying-changed": "warn", "keying-kept": "warn",
    "policy-refused": "bad", "policy-warning": "warn", "key-log-open": "bad",
    "policy-on-probation": "warn", "policy-rolled-back": "bad", "service-fault": "bad",
}  # fmt: skip


def monitor(
    what: Annotated[What, typer.Argument(help="Which events: all, drops, ike or policy.")] = What.ALL,
    last: Annotated[int, typer.Option("--last", "-n", min=0, help="How many of the past events to show first.")] = 10,
    follow: Annotated[bool, typer.Option("--follow/--no-follow", help="Stay, and show each event as it comes.")] = True,
    socket: SocketOption = None,
    json: JsonOption = False,
) -> None:
    """Show events live: negotiations, SAs, dropped packets, policy changes. Ends with Ctrl-C."""
    from ringfence.control.client import Client

    with Client(socket) as client:
        if what is What.DROPS and not json:
            output.pairs([("dropped", status.dropped(client.status().dropped))])
        past = list(client.events())
        wanted = [one for one in past if _wanted(one, what)]
        for event in wanted[max(0, len(wanted) - last) :]:
            _show(event, json)
        if not follow:
            return
        number = past[-1].number if past else 0
        for event in client.events(since=number, follow=True):
            if event.number > number + 1 and not json:
                output.say(Cell(f"          {event.number - number - 1} events were missed", "dim"))
            number = event.number
            if _wanted(event, what):
                _show(event, json)
    if not json:
        output.say(Cell("The service ended.", "dim"), err=True)


def _wanted(event: "EventRecord", what: What) -> bool:
    return what is What.ALL or event.event in NAMES[what]


def _show(event: "EventRecord", json: bool) -> None:
    if json:
        output.say_json(event, compact=True)
        return
    local = event.at.astimezone()
    day = "" if local.date() == datetime.now(UTC).astimezone().date() else f"{local:%Y-%m-%d} "
    head = f"{day}{local:%H:%M:%S}  "
    first, *more = output.wrap(event.text, len(head))
    output.say(Cell(head, "dim"), Cell(first, STYLES.get(event.event, "")))
    for line in more:
        output.say(" " * len(head), Cell(line, STYLES.get(event.event, "")))
    sys.stdout.flush()
