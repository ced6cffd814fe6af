# SPDX-License-Identifier: Apache-2.0
"""``ringfence plan``, ``apply`` and ``confirm``: another policy for the running service, with a way back."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ringfence.cli import output, words
from ringfence.cli.output import Cell, JsonOption, SocketOption

DocumentArgument = Annotated[
    Path, typer.Argument(metavar="POLICY", help="The policy document (TOML).", show_default=False)
]
ConfirmOption = Annotated[
    str | None,
    typer.Option(
        "--confirm-within",
        metavar="TIME",
        help="On probation: without  ringfence confirm  in that time (60s, 5min) the policy before comes back.",
        show_default=False,
    ),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Apply it even if it ends your own session.")]


def plan(document: DocumentArgument, socket: SocketOption = None, json: JsonOption = False) -> None:
    """Say what applying POLICY would change, entry by entry. Changes nothing."""
    from ringfence.control.client import Client

    with Client(socket) as client:
        planned = client.plan(document.resolve())
    if json:
        output.say_json(planned)
    else:
        _lines(planned.lines)


def apply(
    document: DocumentArgument,
    confirm_within: ConfirmOption = None,
    force: ForceOption = False,
    socket: SocketOption = None,
    json: JsonOption = False,
) -> None:
    """Have the service follow POLICY from now on, in place of the document that it follows.

    Refused when that would end your own session. A policy on probation goes by itself unless it is confirmed.
    """
    from ringfence.cli.session import own_sessions
    from ringfence.control.client import Client
    from ringfence.control.messages import Application

    order = Application(
        document=str(document.resolve()), confirm_within_s=_seconds(confirm_within), force=force,
        sessions=own_sessions(),
    )  # fmt: skip
    with Client(socket) as client:
        if not json:
            _lines(client.plan(document.resolve()).lines)
        answer = client.apply(order)
    if json:
        output.say_json(answer)
        return
    output.say(answer.summary)
    if answer.confirm_by is not None:
        left = words.span((answer.confirm_by - datetime.now(UTC)).total_seconds())
        output.say(Cell(f"The policy before comes back in {left}, unless you say:  ringfence confirm", "warn"))


def confirm(socket: SocketOption = None, json: JsonOption = False) -> None:
    """Let the policy stay that was applied on probation."""
    from ringfence.control.client import Client

    with Client(socket) as client:
        answer = client.confirm()
    if json:
        output.say_json(answer)
    else:
        output.say(answer.text)


def _lines(lines: list[str]) -> None:
    for line in lines:
        output.say(line)


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    from ringfence.policy.errors import BadWord
    from ringfence.policy.units import parse_duration

    try:
        seconds = parse_duration(text)
    except BadWord as error:
        raise typer.BadParameter(f'"{text}", {error.why}. {error.cure}', param_hint="--confirm-within") from error
    if not 0 < seconds <= 86400:
        raise typer.BadParameter("from 1 s to 1 d", param_hint="--confirm-within")
    return float(seconds)
