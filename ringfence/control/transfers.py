# SPDX-License-Identifier: Apache-2.0
"""What is said of a policy that comes from another program, or goes to one."""

from ringfence.control.messages import Message


class TransferItem(Message):
    """Something that is not carried over, or otherwise than it was written."""

    place: str
    """File and line; empty where there is none."""
    words: str
    why: str
    cure: str = ""


class ImportAnswer(Message):
    """A policy that was brought along."""

    source: str
    format: str
    carried: list[str]
    """What the document has, kind by kind: ``3 rules``."""
    otherwise: list[TransferItem]
    """Carried over, but otherwise than written."""
    left_out: list[TransferItem]
    key_files: list[str]
    """Those that the document names, and whose keys the source has."""
    written: list[str]
    """Files; empty without ``--to``."""
    findings: list[str]
    """What keeps the document from being applied as it is."""
    document: str
    """Its text."""


class ExportAnswer(Message):
    """A policy in the words of another program."""

    policy: str
    format: str
    left_out: list[TransferItem]
    written: list[str]
    """The file; empty without ``--to``."""
    text: str
    """Empty where it was written to a file; it may hold keys."""
