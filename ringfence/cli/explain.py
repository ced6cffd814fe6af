# SPDX-License-Identifier: Apache-2.0
"""``ringfence explain``: what happens to a packet, and because of what."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringfence.cli import output
from ringfence.cli.output import JsonOption, SocketOption

if TYPE_CHECKING:
    from ringfence.control.messages import Explanation


def explain(
    packet: Annotated[
        str,
        typer.Argument(metavar="PACKET", help='Such as "out tcp 10.0.0.1 -> 10.0.0.2:80".', show_default=False),
    ],
    policy: Annotated[
        Path | None,
        typer.Option("--policy", help="Ask this document, not the running service.", show_default=False),
    ] = None,
    socket: SocketOption = None,
    json: JsonOption = False,
) -> None:
    """Say what happens to a packet, and which rule makes it so. Exit code 1: it does not pass."""
    answer = _by_service(packet, socket) if policy is None else _by_document(packet, policy)
    if json:
        output.say_json(answer)
    else:
        for line in answer.lines:
            output.say(line)
    if answer.verdict == "block":
        raise typer.Exit(1)


def _by_service(packet: str, socket: Path | None) -> "Explanation":
    from ringfence.control.client import Client

    with Client(socket) as client:
        return client.explain(packet)


def _by_document(packet: str, document: Path) -> "Explanation":
    from ringfence.backends.hostfacts import facts_of
    from ringfence.control.explaining import explained
    from ringfence.policy.compile import compile_policy
    from ringfence.stores.file import FileStore

    loaded = FileStore(document).load()
    answer, _ = explained(compile_policy(loaded.policy, facts_of(loaded.policy), loaded.keys), packet)
    return answer
