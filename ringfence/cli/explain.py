# SPDX-License-Identifier: Apache-2.0
"""``ringfence explain``: what happens to a packet, and because of what."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringfence.cli import output
from ringfence.cli.document import ProfileOption, facts_for
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
    profile: ProfileOption = None,
    socket: SocketOption = None,
    json: JsonOption = False,
) -> None:
    """Say what happens to a packet, and which rule makes it so. Exit code 1: it does not pass."""
    if policy is None and profile is not None:
        raise typer.BadParameter("asks of a document: name it with --policy.", param_hint="--profile")
    answer = _by_service(packet, socket) if policy is None else _by_document(packet, policy, profile)
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


def _by_document(packet: str, document: Path, profile: str | None) -> "Explanation":
    from ringfence.control.explaining import explained
    from ringfence.policy.compile import compile_policy
    from ringfence.stores.file import FileStore

    loaded = FileStore(document).load()
    answer, _ = explained(compile_policy(loaded.policy, facts_for(loaded.policy, profile=profile), loaded.keys), packet)
    return answer
