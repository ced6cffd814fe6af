# SPDX-License-Identifier: Apache-2.0
"""What the API says of a peer with which there is no agreement, or was none."""

from datetime import datetime

from ringfence.control.messages import Message


class ComparedPart(Message):
    """One part of what both sides say."""

    what: str
    """Such as ``encryption``."""
    theirs: list[str]
    ours: list[str]
    agree: bool
    """Whether something in it would do for both; the whole may still fail at another part."""


class Trouble(Message):
    """Negotiations that failed alike."""

    exchange: str
    """``main mode``, ``quick mode``, or ``message`` where a message was not even answered."""
    reason: str
    """One word per cause."""
    detail: str
    """The cause in a sentence."""
    we_began: bool
    keying: str = ""
    """The protocol that was spoken; empty for a message that was not even answered."""
    rule: str = ""
    place: str = ""
    """Its document and line."""
    times: int
    first_at: datetime
    last_at: datetime
    subject: str = ""
    """What is compared, such as ``main mode proposals``; empty where nothing can be."""
    parts: list[ComparedPart] = []
    advice: list[str] = []
    """What would help, the smallest change first."""


class WhyAnswer(Message):
    """Why there is no security with a peer, or was none."""

    peer: str
    protected: bool
    """Whether there is now."""
    troubles: list[Trouble]
    """The latest first."""
    lines: list[str]
    """All of it, as people read it."""
