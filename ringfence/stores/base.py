# SPDX-License-Identifier: Apache-2.0
"""The port ``Store``: where a policy comes from. A store loads and notices changes; it decides nothing.

What several stores have is brought together by ``several``. A store that is far away, such as a directory, keeps a
copy of what it had last: it gives that when it cannot be reached, and says so in ``LoadedPolicy.note``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ringfence.crypto.signature import PrivateKey
from ringfence.policy.certificates import EMPTY, Wallet
from ringfence.policy.errors import Finding
from ringfence.policy.model import Policy
from ringfence.policy.resultant import SetAside
from ringfence.secret import Secret


@dataclass(frozen=True, slots=True)
class StoreState:
    """How one store does."""

    name: str
    """As in ``resultant.PRECEDENCE``."""
    document: str
    """What it was read from."""
    rules: int = 0
    """Statements that it has, in force or set aside."""
    note: str = ""
    """What is out of the ordinary: ``copy of 10:23, the directory does not answer``."""
    refused: str = ""
    """Why what it has now is not in force; an older copy of it may be."""


@dataclass(frozen=True, slots=True)
class LoadedPolicy:
    """A policy with everything that it needs to be compiled."""

    policy: Policy
    keys: Mapping[str, Secret]
    """The content of each key file, by the name that the policy gives it."""
    document_name: str
    findings: tuple[Finding, ...] = ()
    """Warnings about the key files and what is included."""
    note: str = ""
    """As in ``StoreState``."""
    files: tuple[Path, ...] = ()
    """All that it was read from."""
    roots: tuple[Path, ...] = ()
    """The document of each store that is a file, the computer's own last; these include all others."""
    wallet: Wallet = EMPTY
    """Certificates and authorities."""
    signers: Mapping[str, PrivateKey] = field(default_factory=dict, compare=False, repr=False)
    """The private keys of this computer's certificates, by their thumbprints."""
    set_aside: tuple[SetAside, ...] = ()
    """What stores say and what does not hold because another says otherwise."""
    stores: tuple[StoreState, ...] = ()
    """Those that it was put together from, the highest first."""


class Store(Protocol):
    """A source of one policy."""

    def load(self) -> LoadedPolicy:
        """The policy as it is now; raises PolicyError or StoreError.

        It is called in a thread of its own, so it may wait for files and networks, but not without end.
        """

    def changed(self) -> bool:
        """Whether ``load`` would give something else than last time, as far as can be told at once."""
