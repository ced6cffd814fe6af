# SPDX-License-Identifier: Apache-2.0
"""``ringfence domain``: whether this computer could follow the policy of its domain."""

from pathlib import Path
from typing import Annotated

import typer

from ringfence.cli import output
from ringfence.cli.output import Cell, JsonOption

app = typer.Typer(no_args_is_help=True, help="What this computer has to do with its domain.")


@app.command("join-check", short_help="Say whether the domain's policy can be had.")
def join_check(
    document: Annotated[
        Path, typer.Argument(metavar="PATH", help="The document that says which directory server.")
    ] = Path("/etc/ringfence/directory.toml"),
    json: JsonOption = False,
) -> None:
    """Say step by step whether this computer could follow the policy of its domain, and what to do if not."""
    import os
    from datetime import UTC, datetime

    from ringfence.backends.hostfacts import host_facts
    from ringfence.control.questions import JoinAnswer, JoinStep
    from ringfence.net.address import format_address
    from ringfence.stores.directory.connection import connected
    from ringfence.stores.directory.joincheck import check
    from ringfence.stores.directory.membership import read_document

    membership = read_document(document, os.uname().nodename)
    addresses = list(map(format_address, host_facts().addresses))
    steps = list(check(membership, connected, addresses, datetime.now(UTC)))
    if json:
        told = [JoinStep(name=one.name, fine=one.fine, what=one.what, cure=one.cure) for one in steps]
        output.say_json(JoinAnswer(steps=told))
    else:
        for one in steps:
            output.say(Cell(f"{one.name:<11}", "" if one.fine else "bad"), "" if one.fine else "no: ", one.what)
            if one.cure:
                output.say(f"{'':<11}{one.cure}")
    if not all(one.fine for one in steps):
        raise typer.Exit(1)
