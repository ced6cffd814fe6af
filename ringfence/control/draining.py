# SPDX-License-Identifier: Apache-2.0
"""A gateway that sends its clients to another one, for as long as somebody works on it."""

from ringfence.control.messages import Message


class Draining(Message):
    """Where clients are sent."""

    to: str = ""
    """The address of the other gateway; empty for nowhere: this one serves."""


class Drained(Message):
    """What became of that order."""

    to: str
    clients: int
    """Those that were here and have been sent there."""
    staying: int
    """IKE SAs that peers began who cannot be sent on."""
    text: str
