# SPDX-License-Identifier: Apache-2.0
"""The port ``Store``: where a policy comes from. A store loads and notices changes; it decides nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from ringfence.policy.errors import Finding
from ringfence.policy.model import Policy
from ringfence.secret import Secret


@dataclass(frozen=True, slots=True)
class LoadedPolicy:
    """A policy with everything that it needs to be compiled."""

    policy: Policy
    keys: Mapping[str, Secret]
    """The content of each key file, by the name that the policy gives it."""
    document_name: str
    findings: tuple[Finding, ...] = ()
    """Warnings about the key files and what is included."""


class Store(Protocol):
    """A source of one policy."""

    def load(self) -> LoadedPolicy:
        """The policy as it is now; raises PolicyError or StoreError."""

    def changed(self) -> bool:
        """Whether ``load`` would give something else than last time, as far as can be told cheaply."""
