# SPDX-License-Identifier: Apache-2.0
"""``ringfence explain``: what happens to a packet, and because of what."""

from typing import Annotated

import typer

from ringfence.cli import output
from ringfence.cli.output import JsonOption, SocketOption


def explain(
    packet: Annotated[
        str,
        typer.Argument(metavar="PACKET", help='Such as "out tcp 10.0.0.1 -> 10.0.0.2:80".', show_default=False),
    ],
    socket: SocketOption = None,
    json: JsonOption = False,
) -> None:
    """Say what happens to a packet now, and which rule makes it so. Exit code 1: it does not pass."""
    from ringfence.control.client import Client

    with Client(socket) as client:
        answer = client.explain(packet)
    if json:
        output.say_json(answer)
    else:
        for line in answer.lines:
            output.say(line)
    if answer.verdict == "block":
        raise typer.Exit(1)
