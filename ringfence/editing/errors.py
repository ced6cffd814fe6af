# SPDX-License-Identifier: Apache-2.0
"""Why an edit is not made."""

from ringfence.errors import IpsecError


class EditRefused(IpsecError):
    """An edit that the document does not allow; the document is as it was."""


class NoSuch(EditRefused):
    """There is nothing of that name."""


class TakenName(EditRefused):
    """There is something of that name already."""


class StillUsed(EditRefused):
    """Others refer to what would go."""


class BadSettings(EditRefused):
    """Words that are no settings."""
