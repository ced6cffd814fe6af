# SPDX-License-Identifier: Apache-2.0
"""``ringfence run``: the service in the foreground, as systemd and people start it."""

from pathlib import Path
from typing import Annotated

import typer

from ringfence.cli.output import SocketOption

STORES = ("local", "persistent", "directory", "group-policy")
CURE = "Such as: ringfence run /etc/ringfence/policy.toml --store persistent=/etc/ringfence/persistent.toml"

StoreOption = Annotated[
    list[str] | None,
    typer.Option(
        "--store",
        metavar="NAME=PATH",
        help="Another store: persistent=PATH has its way over POLICY, and holds even if that cannot be loaded. "
        "directory=PATH: what the domain assigns, of the server that the document names. "
        "group-policy=PATH is a folder of Group Policy objects, or a registry.pol. "
        "A folder stands for all documents in it. local=PATH is the same as POLICY.",
        show_default=False,
    ),
]
StateOption = Annotated[
    Path | None,
    typer.Option(
        "--state",
        metavar="FOLDER",
        help="Where it keeps what the next start falls back on: /var/lib/ringfence, and nothing in a network "
        "namespace of its own.",
        envvar=["RINGFENCE_STATE", "STATE_DIRECTORY"],
        show_default=False,
    ),
]


def run(
    policy: Annotated[
        Path | None, typer.Argument(metavar="POLICY", help="The policy document (TOML).", show_default=False)
    ] = None,
    store: StoreOption = None,
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
    state: StateOption = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Log each IKE message and each dropped packet, too.")
    ] = False,
) -> None:
    """Guard this computer by POLICY, until stopped by Ctrl-C or SIGTERM. Follows changes of its documents."""
    from ringfence.service.app import run as run_service
    from ringfence.service.boot import state_folder
    from ringfence.service.settings import Settings

    settings = Settings(
        device=device,
        key_log=key_log.absolute() if key_log else None,
        state=state.absolute() if state else state_folder(),
        verbose=verbose,
    )
    if socket is not None:
        settings = settings.with_socket(socket)
    run_service(named_stores(policy, store or []), settings)


def named_stores(policy: Path | None, words: list[str]) -> dict[str, Path]:
    """The stores that somebody names, by name; raises BadRequest."""
    from ringfence.control.errors import BadRequest

    stores = {} if policy is None else {"local": policy}
    for word in words:
        name, _, path = word.partition("=")
        if name not in STORES or not path:
            known = " or ".join(f"{one}=PATH" for one in STORES)
            raise BadRequest(f'--store: "{word}" is not {known}.', cure=CURE)
        if name in stores:
            raise BadRequest(f"The {name} store is named twice.", cure=CURE)
        stores[name] = Path(path)
    if not stores:
        raise BadRequest("No policy is named.", cure=CURE)
    return stores
