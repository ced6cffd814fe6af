# SPDX-License-Identifier: Apache-2.0
"""``ringfence gateway``: sends clients to another gateway while somebody works on this one."""

from typing import Annotated

import typer

from ringfence.cli import output
from ringfence.cli.output import JsonOption, SocketOption

app = typer.Typer(no_args_is_help=True, help="Send clients to another gateway, and serve again.")

ToArgument = Annotated[str, typer.Argument(metavar="ADDRESS", help="The other gateway.")]


@app.command()
def drain(to: ToArgument, socket: SocketOption = None, json: JsonOption = False) -> None:
    """Send the clients that are here to another gateway, and those that come in from now on.

    Clients of IKEv2 that know RFC 5685 go; others are served as before. It holds until "serve", or a restart.
    """
    _order(to, socket, json)


@app.command()
def serve(socket: SocketOption = None, json: JsonOption = False) -> None:
    """Serve clients here again."""
    _order("", socket, json)


def _order(to: str, socket: SocketOption, json: JsonOption) -> None:
    from ringfence.control.client import Client
    from ringfence.control.draining import Draining

    with Client(socket) as client:
        answer = client.drain(Draining(to=to))
    if json:
        output.say_json(answer)
    else:
        output.say(answer.text)
