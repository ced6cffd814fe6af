# SPDX-License-Identifier: Apache-2.0
"""A policy document as commands ask it, without a service: what it means on this computer, or on another."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from ringfence.errors import IpsecError

if TYPE_CHECKING:
    from ringfence.policy.compile import Compiled
    from ringfence.policy.host import HostFacts
    from ringfence.policy.model import Policy
    from ringfence.policy.scope import Profile
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
ProfileOption = Annotated[
    str | None,
    typer.Option(
        "--profile",
        metavar="PROFILE",
        help="Ask for another situation: as if all networks were domain, private or public.",
        show_default=False,
    ),
]
KeylessOption = Annotated[bool, typer.Option("--no-keys", help="Do without the key files, where they are not at hand.")]


def facts_for(policy: "Policy", addresses: Sequence[str] | None = None, profile: str | None = None) -> "HostFacts":
    """What ``policy`` needs to know of the computer with these addresses; of this one when there are none.

    ``profile``: as if all its networks were of this one.
    """
    from dataclasses import replace

    return replace(_facts(policy, addresses), profile=None if profile is None else _profile(profile))


def _profile(word: str) -> "Profile":
    from ringfence.control.errors import BadRequest
    from ringfence.policy.errors import BadWord
    from ringfence.policy.scope import parse_profile

    try:
        return parse_profile(word)
    except BadWord as error:
        raise BadRequest(f'--profile is "{word}", {error.why}.', cure=error.cure) from error


def _facts(policy: "Policy", addresses: Sequence[str] | None) -> "HostFacts":
    from ringfence.backends.hostfacts import facts_of
    from ringfence.backends.names import NameBook
    from ringfence.control.errors import BadRequest
    from ringfence.net.address import AddressRange, parse_address
    from ringfence.policy.host import HostFacts

    if not addresses:
        return facts_of(policy)
    try:
        return HostFacts(
            tuple(parse_address(one.partition("/")[0]) for one in addresses),
            names=NameBook().find(policy.host_names),
            local_subnets=tuple(AddressRange.parse(one) for one in addresses if "/" in one),
        )
    except ValueError as error:
        raise BadRequest(f"--me: {error}.", cure="Such as --me 10.0.0.5/24 --me fd00::5") from error


class Read(NamedTuple):
    """A document, and what it means on one computer."""

    loaded: "LoadedPolicy"
    facts: "HostFacts"
    compiled: "Compiled"


def read(
    document: Path, addresses: Sequence[str] | None = None, *, keyless: bool = False, profile: str | None = None
) -> Read:
    """The document with its keys; raises PolicyError or StoreError."""
    from ringfence.policy.compile import compile_policy
    from ringfence.stores.file import FileStore

    loaded = FileStore(document, keyless=keyless).load()
    facts = facts_for(loaded.policy, addresses, profile)
    return Read(loaded, facts, compile_policy(loaded.policy, facts, loaded.keys, loaded.wallet))


def read_file(path: Path) -> bytes:
    """The content of a file, ``-`` for standard input; raises IpsecError."""
    import sys

    try:
        return sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise IpsecError(f"it cannot be read: {error.strerror}", place=str(path)) from error
