# SPDX-License-Identifier: Apache-2.0
"""``ringfence explain``: what happens to a packet, and because of what."""

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringfence.cli import output
from ringfence.cli.document import AddressesOption, ProfileOption, facts_for
from ringfence.cli.output import JsonOption, SocketOption

if TYPE_CHECKING:
    from ringfence.control.messages import Explanation


class When(Enum):
    """When the packet is on its way."""

    NOW = "now"
    BOOT = "boot"


def explain(
    packet: Annotated[
        str,
        typer.Argument(metavar="PACKET", help='Such as "out tcp 10.0.0.1 -> 10.0.0.2:80".', show_default=False),
    ],
    policy: Annotated[
        Path | None,
        typer.Option("--policy", help="Ask this document, not the running service.", show_default=False),
    ] = None,
    at: Annotated[When, typer.Option("--at", help="Ask of now, or of the time before the service is up.")] = When.NOW,
    me: AddressesOption = None,
    profile: ProfileOption = None,
    socket: SocketOption = None,
    json: JsonOption = False,
) -> None:
    """Say what happens to a packet, and which rule makes it so. Exit code 1: it does not pass."""
    for said, option, there in ((profile, "--profile", "network"), (me, "--me", "computer's addresses")):
        if said and policy is None:
            raise typer.BadParameter("asks of a document: name it with --policy.", param_hint=option)
        if said and at is When.BOOT:
            raise typer.BadParameter(f"asks of a {there}, and at boot there is none.", param_hint=option)
    if policy is None:
        answer = _by_service(packet, socket, at)
    else:
        answer = _at_boot(packet, policy) if at is When.BOOT else _by_document(packet, policy, me, profile)
    if json:
        output.say_json(answer)
    else:
        for line in answer.lines:
            output.say(line)
    if answer.verdict == "block":
        raise typer.Exit(1)


def _by_service(packet: str, socket: Path | None, at: When) -> "Explanation":
    from ringfence.control.client import Client

    with Client(socket) as client:
        return client.explain(packet) if at is When.NOW else client.explain_at_boot(packet)


def _at_boot(packet: str, document: Path) -> "Explanation":
    from ringfence.control.explaining import explained_at_boot
    from ringfence.stores.file import FileStore

    return explained_at_boot(FileStore(document, keyless=True).load().policy, packet)


def _by_document(packet: str, document: Path, me: list[str] | None, profile: str | None) -> "Explanation":
    from ringfence.control.explaining import explained
    from ringfence.policy.compile import compile_policy
    from ringfence.stores.file import FileStore

    loaded = FileStore(document).load()
    answer, _ = explained(
        compile_policy(loaded.policy, facts_for(loaded.policy, me, profile), loaded.keys, loaded.wallet), packet
    )
    return answer
