# SPDX-License-Identifier: Apache-2.0
"""What can go wrong between the running service and those who ask it."""

from ringfence.errors import IpsecError


class ControlError(IpsecError):
    """The root of these."""


class NotRunning(ControlError):
    """Nobody answers at the socket."""


class NotAllowed(ControlError):
    """The socket is there, but this user may not use it."""


class BadAnswer(ControlError):
    """What answered is not this version of Ringfence."""


class NotThere(ControlError):
    """What was asked for does not exist; the answer is no."""


class BadRequest(ControlError):
    """The question cannot be understood."""


class Refused(ControlError):
    """The service understood and will not; the answer is no."""
