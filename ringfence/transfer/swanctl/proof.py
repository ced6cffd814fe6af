# SPDX-License-Identifier: Apache-2.0
"""How a connection proves by a preshared key or by public keys, whichever of the two programs it was written for."""

from collections.abc import Iterable

from ringfence.crypto.errors import CryptoError
from ringfence.crypto.rawkeys import read_public
from ringfence.databases.identity import Identity
from ringfence.net.address import AddressRange
from ringfence.policy.errors import BadWord
from ringfence.policy.model import Address, PskFile
from ringfence.policy.rawkeys import PublicKeys, is_inline
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


def raw_keys(report: Report, draft: Draft, line: int, key: str) -> PublicKeys:
    """The other side's key, in a file or in a word, and a file for ours, which no text has; raises BadWord."""
    if is_inline(key):
        try:
            read_public(key.encode())
        except CryptoError as error:
            raise BadWord(f"its public key cannot be read: {error.message}") from error
    own = f"{draft.name}.key"
    cure = f"Put the private key of this computer into {own} beside the document."
    report.leave(line, f"{draft.words}, private key", "it is in a place of its own, and not in the file", cure)
    return PublicKeys((("", key),), own)
