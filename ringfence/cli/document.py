# SPDX-License-Identifier: Apache-2.0
"""A policy document as commands ask it, without a service: what it means on this computer, or on another."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringfence.errors import IpsecError

if TYPE_CHECKING:
    from ringfence.policy.compile import Compiled
    from ringfence.policy.host import HostFacts
    from ringfence.stores.base import LoadedPolicy

DocumentArgument = Annotated[
    Path, typer.Argument(metavar="POLICY", help="The policy document (TOML).", show_default=False)
]
AddressesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--me",
        metavar="ADDRESS",
        help="Ask for a computer with this address (may be repeated), not for this one.",
        show_default=False,
    ),
]


def host_facts(addresses: Sequence[str] | None) -> "HostFacts":
    """Of the computer with these addresses; of this one when there are none."""
    from ringfence.backends.addresses import local_addresses
    from ringfence.control.errors import BadRequest
    from ringfence.net.address import parse_address
    from ringfence.policy.host import HostFacts

    if not addresses:
        return HostFacts(*local_addresses())
    try:
        return HostFacts(tuple(map(parse_address, addresses)))
    except ValueError as error:
        raise BadRequest(f"--me: {error}.", cure="Such as --me 10.0.0.5 --me fd00::5") from error


def read(document: Path, facts: "HostFacts") -> tuple["LoadedPolicy", "Compiled"]:
    """The document with its keys, and what it means; raises PolicyError or StoreError."""
    from ringfence.policy.compile import compile_policy
    from ringfence.stores.file import FileStore

    loaded = FileStore(document).load()
    return loaded, compile_policy(loaded.policy, facts, loaded.keys)


def read_file(path: Path) -> bytes:
    """The content of a file, ``-`` for standard input; raises IpsecError."""
    import sys

    try:
        return sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise IpsecError(f"it cannot be read: {error.strerror}", place=str(path)) from error
