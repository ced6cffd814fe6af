# SPDX-License-Identifier: Apache-2.0
"""What goes wrong with a directory; each wraps the foreign error that caused it."""

from collections.abc import Iterable

from ringfence.stores.errors import StoreError


class DirectoryFailed(StoreError):
    """A directory server does not give or take what was asked of it."""


class StillReferenced(StoreError):
    """What others refer to cannot be deleted."""

    def __init__(self, dn: str, users: Iterable[str]) -> None:
        super().__init__(
            f"{dn} is in use by {', '.join(users)}", cure="Take the assignment off first, and let computers notice it."
        )
