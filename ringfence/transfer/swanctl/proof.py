# SPDX-License-Identifier: Apache-2.0
"""How a connection proves by a preshared key, whichever of the two programs it was written for."""

from collections.abc import Iterable

from ringfence.databases.identity import Identity
from ringfence.net.address import AddressRange
from ringfence.policy.model import Address, PskFile
from ringfence.transfer.base import KeyFiles
from ringfence.transfer.powershell.report import Report
from ringfence.transfer.swanctl.building import Draft
from ringfence.transfer.swanctl.keys import Secret, choose

MISSING = "\0"
"""What stands before the name of somebody whose key is not at hand."""


def preshared(
    secrets: Iterable[Secret],
    keys: KeyFiles,
    report: Report,
    draft: Draft,
    identities: tuple[Identity | None, Identity | None],
) -> PskFile:
    """The key for this side and the other; where there is none, its file has to be written by hand."""
    local, remote = identities
    secret = choose(secrets, _known_by(local, draft.local_addrs), _known_by(remote, draft.remote_addrs))
    if secret is not None:
        return keys.file_for(secret.key, secret.name or draft.name)
    found = keys.file_for(f"{MISSING}{draft.name}", draft.name)
    cure = f"Write the key into {found.file} beside the document."
    report.leave(draft.line, f"{draft.words}, key", "no secret in the file is for both sides", cure)
    return found


def key_texts(keys: KeyFiles, used: Iterable[str]) -> dict[str, str]:
    """The key files to write; those whose key is missing are not among them."""
    return {name: text for name, text in keys.secrets(used).items() if not text.startswith(MISSING)}


def _known_by(identity: Identity | None, addresses: tuple[Address, ...]) -> set[Identity]:
    found = {Identity.of_address(one.first) for one in addresses if isinstance(one, AddressRange) and one.is_host}
    return found if identity is None else found | {identity}


def is_address(identity: Identity, addresses: tuple[Address, ...]) -> bool:
    """Whether it is what a side with these addresses is known by anyhow."""
    hosts = [one for one in addresses if isinstance(one, AddressRange)]
    return len(hosts) == 1 == len(addresses) and hosts[0].is_host and Identity.of_address(hosts[0].first) == identity
