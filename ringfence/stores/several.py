# SPDX-License-Identifier: Apache-2.0
"""Several stores as one: each loads for itself, ``resultant`` brings together what they have.

No store keeps another from being followed. One that cannot be loaded, or whose policy cannot hold on this computer, is
reported by name; what it had last stays in force, and the others are as they are now. What comes out is always a whole
policy, never half of one.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Self

from ringfence.errors import IpsecError
from ringfence.policy.certificates import together
from ringfence.policy.errors import PolicyError
from ringfence.policy.resultant import LOCAL, Given, rank, resultant
from ringfence.stores.base import LoadedPolicy, Store, StoreState


@dataclass(slots=True)
class Member:
    """One of several stores."""

    store: Store
    required: bool = False
    """Whether its failure is the failure of all: it was named by somebody who waits for the answer."""
    keeps: bool = False
    """Whether the next load leaves it as it is: who asks about another store must not see changes first."""
    now: LoadedPolicy | None = None
    """As it was loaded last."""
    good: LoadedPolicy | None = None
    """As it was carried out last."""
    failure: IpsecError | None = None


class Stores:
    """The stores of one computer, by name."""

    def __init__(self, stores: Mapping[str, Store | Member]) -> None:
        members = {name: one if isinstance(one, Member) else Member(one) for name, one in stores.items()}
        self._members = {name: members[name] for name in sorted(members, key=rank)}

    @classmethod
    def only(cls, store: Store) -> Self:
        """One store that stands for the computer's own."""
        return cls({LOCAL: store})

    def replaced(self, name: str, store: Store) -> Self:
        """The same, with ``store`` in the place of the one called so, or besides; it has to be good itself."""
        members = {one: replace(member, keeps=member.now is not None) for one, member in self._members.items()}
        return type(self)({**members, name: Member(store, required=True)})

    def store(self, name: str) -> Store | None:
        """The one called so."""
        return self._members[name].store if name in self._members else None

    @property
    def failure(self) -> IpsecError | None:
        """The first failure of the last load, if there is one."""
        return next((member.failure for member in self._members.values() if member.failure is not None), None)

    def changed(self) -> bool:
        """Whether any of them changed."""
        return any(member.store.changed() for member in self._members.values())

    def load(self) -> LoadedPolicy:
        """What holds now; raises the error of a store when none has anything to say."""
        for member in self._members.values():
            if member.keeps:
                member.keeps = False
                continue
            try:
                member.now, member.failure = member.store.load(), None
            except IpsecError as error:
                if member.required:
                    raise
                member.now, member.failure = member.good, error
        return self._together()

    def without(self, error: PolicyError) -> LoadedPolicy:
        """What holds if the stores that ``error`` blames stay as they were; raises it when that changes nothing."""
        blamed = {finding.place.store or LOCAL for finding in error.findings}
        for name, member in self._members.items():
            if name not in blamed:
                continue
            if member.required or member.now is member.good:
                raise error
            member.now, member.failure = member.good, error
        return self._together()

    def carried_out(self, store: Store) -> LoadedPolicy | None:
        """What was carried out last of the member that is ``store`` itself."""
        return next((member.good for member in self._members.values() if member.store is store), None)

    def as_before(self, since: Self) -> LoadedPolicy:
        """What was carried out last; of stores that were followed ``since`` as well, what was carried out then.

        What the others have now counts as seen.
        """
        for member in self._members.values():
            later = since.carried_out(member.store)
            if later is None:
                with suppress(IpsecError):
                    member.store.load()
            member.now, member.failure = later or member.good, None
        return self._together()

    def accept(self) -> None:
        """What was given last is carried out."""
        for member in self._members.values():
            member.good = member.now
            member.required = False

    def _together(self) -> LoadedPolicy:
        loaded = {name: member.now for name, member in self._members.items() if member.now is not None}
        if self.failure is not None and not any(len(one.policy) for one in loaded.values()):
            raise self.failure
        found = resultant(Given(name, one.policy) for name, one in loaded.items())
        main = loaded.get(LOCAL) or next(iter(loaded.values()))
        return LoadedPolicy(
            found.policy,
            {file: key for one in loaded.values() for file, key in one.keys.items()},
            main.document_name,
            tuple(finding for one in loaded.values() for finding in one.findings),
            files=tuple(file for one in loaded.values() for file in one.files),
            roots=tuple(root for one in loaded.values() for root in one.roots),
            wallet=together(one.wallet for one in loaded.values()),
            signers={name: key for one in loaded.values() for name, key in one.signers.items()},
            set_aside=(*found.set_aside, *(aside for one in loaded.values() for aside in one.set_aside)),
            stores=tuple(map(_state, self._members, self._members.values())),
        )


def _state(name: str, member: Member) -> StoreState:
    refused = "" if member.failure is None else str(member.failure)
    if member.now is None:
        return StoreState(name, "", refused=refused)
    return StoreState(name, member.now.document_name, len(member.now.policy), member.now.note, refused)
