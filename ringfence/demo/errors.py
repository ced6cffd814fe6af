# SPDX-License-Identifier: Apache-2.0
"""What can go wrong in the demonstration."""

from ringfence.errors import IpsecError


class NotTrue(IpsecError):
    """The story claims something that did not happen."""
