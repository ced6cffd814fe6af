# SPDX-License-Identifier: Apache-2.0
"""The document that an edit is about, in the whole that it belongs to; and what that whole means on this computer."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from ringfence.errors import IpsecError

if TYPE_CHECKING:
    from ringfence.control.messages import PolicyState
    from ringfence.editing.draft import Draft
    from ringfence.policy.compile import Compiled
    from ringfence.policy.model import Policy
    from ringfence.policy.plan import Plan

DEFAULT_DOCUMENT = Path("/etc/ringfence/policy.toml")


def running() -> "PolicyState | None":
    """The policy that a service follows; None where none answers."""
    from ringfence.control.client import Client
    from ringfence.control.errors import ControlError

    try:
        with Client() as client:
            return client.status().policy
    except ControlError:
        return None


def document_of(said: Path | None, state: "PolicyState | None" = None) -> Path:
    """The document that a command is about: what was said, what the service follows, or where one usually is."""
    if said is not None:
        return said
    state = state or running()
    if state is None or not state.roots:
        return DEFAULT_DOCUMENT
    root = Path(state.roots[-1])
    if root.is_dir():
        raise IpsecError("The service follows all documents of this folder.", place=str(root),
                         cure="Name the one to edit with --document FILE.")  # fmt: skip
    return root


def root_of(path: Path, said: Path | None, state: "PolicyState | None") -> Path:
    """The document of which ``path`` is a part: the one that was said, one that the service follows, or itself."""
    if said is not None:
        return said
    here = path.resolve()
    roots = [Path(root) for root in state.roots] if state is not None and str(here) in state.files else []
    return next((root for root in roots if root != here and here in _members(root)), path)


def _members(root: Path) -> list[Path]:
    from ringfence.stores.include import Documents

    documents = Documents(root, root.name, "")
    with contextlib.suppress(IpsecError):  # what is understood beside a mistake still counts
        documents.load()
    return documents.paths


def draft_of(path: Path, text: str, root: Path, *, fresh: bool = False) -> "Draft":
    """``text`` as the document at ``path``, in the whole that begins with ``root``; raises PolicyError, StoreError."""
    from ringfence.editing.draft import Draft
    from ringfence.editing.lines import plain
    from ringfence.stores.errors import StoreError
    from ringfence.stores.include import Documents

    if fresh:
        return Draft.read(plain(text), name=path.name)
    documents = Documents(root, root.name, "")
    documents.load()
    here = path.resolve()
    if here not in documents.paths:
        raise StoreError(f"{root} does not include it.", place=str(path), cure="Name another one with --root.")
    number, sources = documents.paths.index(here), documents.sources
    found = sources[number]
    return Draft.read(
        plain(text), name=found.name, beside=sources[:number], behind=sources[number + 1 :], folder=found.folder
    )


def policy_of(draft: "Draft") -> "Policy | None":
    """What it says; None where it is not correct."""
    from ringfence.policy.document import parse_documents
    from ringfence.policy.errors import PolicyError

    try:
        return parse_documents(draft.sources)
    except PolicyError:
        return None


def compiled(policy: "Policy | None") -> "Compiled | None":
    """What it means on this computer, each key file standing for its key; None where it cannot be applied."""
    from ringfence.cli.document import facts_for
    from ringfence.policy.compile import compile_policy
    from ringfence.secret import Secret

    if policy is None:
        return None
    keys = {name: Secret(name.encode()) for name in policy.key_files}
    try:
        return compile_policy(policy, facts_for(policy), keys)
    except IpsecError:
        return None


def planned(before: "Policy | None", after: "Policy | None") -> "Plan | None":
    """What the computer would do otherwise; None where that cannot be told."""
    from ringfence.policy.plan import plan

    was, now = compiled(before), compiled(after)
    return None if was is None or now is None else plan(was, now)
