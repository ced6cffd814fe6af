# SPDX-License-Identifier: Apache-2.0
"""``ringfence run``: the service in the foreground, as systemd and people start it."""

from pathlib import Path
from typing import Annotated

import typer

from ringfence.cli.output import SocketOption


def run(
    policy: Annotated[Path, typer.Argument(metavar="POLICY", help="The policy document (TOML).", show_default=False)],
    socket: SocketOption = None,
    device: Annotated[str, typer.Option(help="Name of the TUN device to make.")] = "rf0",
    key_log: Annotated[
        Path | None,
        typer.Option(
            help="Directory for key files that let Wireshark decrypt everything. Whoever reads them can, too.",
            envvar="RINGFENCE_KEY_LOG",
            file_okay=False,
        ),
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Log each IKE message and each dropped packet, too.")
    ] = False,
) -> None:
    """Guard this computer by POLICY, until stopped by Ctrl-C or SIGTERM. Follows changes of the document."""
    from ringfence.service.app import run as run_service
    from ringfence.service.settings import Settings

    settings = Settings(device=device, key_log=key_log.absolute() if key_log else None, verbose=verbose)
    if socket is not None:
        settings = settings.with_socket(socket)
    run_service(policy, settings)
