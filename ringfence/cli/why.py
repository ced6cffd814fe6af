# SPDX-License-Identifier: Apache-2.0
"""``ringfence why``: why there is no security with a peer, and the smallest change that would make both sides agree."""

from typing import Annotated

import typer

from ringfence.cli import output
from ringfence.cli.output import JsonOption, SocketOption


def why(
    peer: Annotated[str, typer.Argument(metavar="PEER", help="Its address.", show_default=False)],
    socket: SocketOption = None,
    json: JsonOption = False,
) -> None:
    """Say what failed with a peer: what it offers, what this computer allows, and what would help.

    Exit code 1: there is no security with it now.
    """
    from ringfence.control.client import Client

    with Client(socket) as client:
        answer = client.why(peer)
    if json:
        output.say_json(answer)
    else:
        for line in answer.lines:
            output.say(line)
    if not answer.protected:
        raise typer.Exit(1)
