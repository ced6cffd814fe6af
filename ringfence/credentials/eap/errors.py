# SPDX-License-Identifier: Apache-2.0
"""How a conversation fails."""

from ringfence.errors import IpsecError


class EapError(IpsecError):
    """Root of this package's errors."""


class BadPacket(EapError):
    """What came is no EAP, or not what the method has there."""


class Denied(EapError):
    """Somebody is not who he says, or is not let in."""
