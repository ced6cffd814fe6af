# SPDX-License-Identifier: Apache-2.0
"""Rules that hold until the service stops: a document in memory, given by the API.

Its key files are named as seen from a folder that the service chooses, that of the computer's own policy; the policy
knows them by their whole names, so that they are none of another document.
"""

from pathlib import Path

from ringfence.policy.certificates import credential_files
from ringfence.policy.document import parse_documents
from ringfence.policy.resultant import DYNAMIC
from ringfence.policy.source import Source
from ringfence.stores.base import LoadedPolicy
from ringfence.stores.certificates import read_wallet
from ringfence.stores.files import Stamp, stamp
from ringfence.stores.keys import read_keys


class DynamicStore:
    """One document, as it was given."""

    def __init__(self, text: str = "", *, folder: Path, revision: int = 0) -> None:
        self.text = text
        self.revision = revision
        """Counts the documents that were given; whoever edits one tells with it which."""
        self._folder = folder
        self._stamps: dict[Path, Stamp] | None = None

    def changed_to(self, text: str) -> "DynamicStore":
        """Another document in its place."""
        return DynamicStore(text, folder=self._folder, revision=self.revision + 1)

    def load(self) -> LoadedPolicy:
        """The policy; raises PolicyError."""
        self._stamps = {}
        sources = [Source.read(self.text, name=DYNAMIC, folder=str(self._folder.absolute()), store=DYNAMIC)]
        policy = parse_documents(sources)
        files = {name: Path(name) for name in policy.key_files}
        more = {name: Path(name) for name in credential_files(policy)}
        self._stamps = {path: stamp(path) for path in (*files.values(), *more.values())}
        keys, findings = read_keys(policy, sources, files)
        read = read_wallet(policy, sources, Path)
        findings = [*findings, *read.findings]
        return LoadedPolicy(
            policy, keys, DYNAMIC, tuple(findings), files=tuple(self._stamps), wallet=read.wallet, signers=read.signers
        )  # fmt: skip

    def changed(self) -> bool:
        """Whether it was not loaded yet, or a key file is another one."""
        return self._stamps is None or any(stamp(path) != before for path, before in self._stamps.items())
