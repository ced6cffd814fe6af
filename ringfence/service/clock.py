# SPDX-License-Identifier: Apache-2.0
"""The one clock: seconds for engines, and the date for people.

Engines count seconds that never jump and that go on while the computer sleeps (CLOCK_BOOTTIME): a lifetime that both
ends agreed on does not stop because one of them was suspended.
"""

import time
from datetime import UTC, datetime, timedelta


class SystemClock:
    """The computer's."""

    def now(self) -> float:
        """Seconds since the computer started."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def today(self) -> datetime:
        """Date and time in UTC."""
        return datetime.now(UTC)

    def date_of(self, moment: float) -> datetime:
        """The date of ``moment``, which is on the scale of ``now()``; may lie in the future."""
        return self.today() + timedelta(seconds=moment - self.now())
