# SPDX-License-Identifier: Apache-2.0
"""Time that passes only when a test says so."""


class ManualClock:
    """Monotonic seconds."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        """What time it is."""
        return self.now

    def advance(self, seconds: float) -> float:
        """Let time pass; the time that it is then."""
        if seconds < 0:
            raise ValueError("time does not go back")
        self.now += seconds
        return self.now

    def advance_to(self, when: float) -> float:
        """Let time pass until ``when``, if that is still to come."""
        self.now = max(self.now, when)
        return self.now
