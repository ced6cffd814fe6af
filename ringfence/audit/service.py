# SPDX-License-Identifier: Apache-2.0
"""Events of the service itself."""

from dataclasses import dataclass
from typing import ClassVar

from ringfence.audit.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyLogOpened(Event):
    """Keys are being written to a file for a packet analyser."""

    NAME: ClassVar[str] = "key-log-open"
    file: str

    def __str__(self) -> str:
        return f"KEYS ARE BEING WRITTEN to {self.file}: whoever reads it can read the protected traffic"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStarted(Event):
    """The service guards this computer from now on."""

    NAME: ClassVar[str] = "service-started"
    WINDOWS_ID: ClassVar[int] = 5478
    version: str
    backend: str
    policy: str

    def __str__(self) -> str:
        return f'ringfence {self.version} guards this computer by "{self.policy}" (data path: {self.backend})'


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStopped(Event):
    """The service ended by request; nothing of it is left in the kernel."""

    NAME: ClassVar[str] = "service-stopped"
    WINDOWS_ID: ClassVar[int] = 5479
    why: str

    def __str__(self) -> str:
        return f"ringfence stopped ({self.why}); this computer's traffic is no longer protected"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceFault(Event):
    """Something went wrong that nobody foresaw; the service goes on."""

    NAME: ClassVar[str] = "service-fault"
    WINDOWS_ID: ClassVar[int] = 5484
    during: str
    detail: str

    def __str__(self) -> str:
        return f"a fault of ringfence itself during {self.during}: {self.detail}"
