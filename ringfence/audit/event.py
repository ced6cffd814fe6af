# SPDX-License-Identifier: Apache-2.0
"""What all events share."""

from dataclasses import dataclass, fields
from typing import ClassVar

from ringfence.secret import Secret

Plain = str | int | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What all events share."""

    NAME: ClassVar[str] = "event"
    WINDOWS_ID: ClassVar[int] = 0

    @property
    def windows_id(self) -> int:
        """The number of Windows' event for just this case; 0 where it has none."""
        return self.WINDOWS_ID

    def fields(self) -> dict[str, Plain]:
        """The event as plain values, with its name and Windows' number."""
        out: dict[str, Plain] = {"event": self.NAME, "windows_id": self.windows_id}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Secret):
                raise TypeError(f"{self.NAME}.{field.name} would show a key")
            out[field.name] = value if isinstance(value, str | int | bool | None) else str(value)
        return out
