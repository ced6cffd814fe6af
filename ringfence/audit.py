# SPDX-License-Identifier: Apache-2.0
"""Every event that an administrator may want to know of, once, as a value.

Engines make these; the host renders each for log, event list, metrics and screens. ``NAME`` is the word in JSON,
``WINDOWS_ID`` the number of the event that Windows writes in the same case (0 where it has none). ``str()`` is one
sentence for a person, ``fields()`` the same for a machine. No event holds a key.

Windows' numbers are those of its security log; where a policy comes from a file, the numbers for a policy in local
storage are used.
"""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageExchanged(Event):
    """An IKE message was sent or received; the demo and ``monitor`` draw these."""

    NAME: ClassVar[str] = "ike-message"
    sent: bool
    peer: str
    exchange: str
    """``main mode``, ``quick mode``, ``informational``."""
    number: int
    """1 to 6 in main mode, 1 to 3 in quick mode."""
    payloads: str
    """Such as ``SA VID VID``."""
    octets: int
    encrypted: bool

    def __str__(self) -> str:
        arrow = "to" if self.sent else "from"
        return f"{self.exchange} message {self.number} {arrow} {self.peer}: {self.payloads}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MainModeEstablished(Event):
    """A main mode SA was made."""

    NAME: ClassVar[str] = "main-mode-established"
    WINDOWS_ID: ClassVar[int] = 4650
    ike_id: int
    peer: str
    local_identity: str
    remote_identity: str
    proposal: str
    initiator: bool
    rule: str
    lifetime_s: int | None

    def __str__(self) -> str:
        identity = "" if self.remote_identity == self.peer else f" ({self.remote_identity})"
        return f"main mode SA with {self.peer}{identity}, {self.proposal}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MainModeFailed(Event):
    """Main mode came to nothing."""

    NAME: ClassVar[str] = "main-mode-failed"
    WINDOWS_ID: ClassVar[int] = 4653
    peer: str
    reason: str
    """One word per cause, ``ike.errors.Reason``'s value."""
    detail: str
    initiator: bool
    rule: str = ""

    def __str__(self) -> str:
        return f"main mode with {self.peer} failed: {self.detail}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MainModeEnded(Event):
    """A main mode SA ended."""

    NAME: ClassVar[str] = "main-mode-ended"
    WINDOWS_ID: ClassVar[int] = 4655
    ike_id: int
    peer: str
    why: str

    def __str__(self) -> str:
        return f"main mode SA with {self.peer} ended: {self.why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickModeEstablished(Event):
    """A quick mode agreed on SAs."""

    NAME: ClassVar[str] = "quick-mode-established"
    WINDOWS_ID: ClassVar[int] = 5451
    child_id: int
    ike_id: int
    peer: str
    selector: str
    protection: str
    """Such as ``esp aes256-gcm``."""
    mode: str
    spi_in: str
    spi_out: str
    initiator: bool
    rule: str
    replaces: int | None
    lifetime_s: int | None

    def __str__(self) -> str:
        verb = "rekeyed" if self.replaces else "agreed"
        return f"quick mode with {self.peer} {verb}: {self.protection}, {self.mode}, {self.selector}"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickModeFailed(Event):
    """A quick mode came to nothing."""

    NAME: ClassVar[str] = "quick-mode-failed"
    WINDOWS_ID: ClassVar[int] = 4654
    peer: str
    reason: str
    detail: str
    initiator: bool
    rule: str = ""

    def __str__(self) -> str:
        return f"quick mode with {self.peer} failed: {self.detail}"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickModeEnded(Event):
    """SAs of a quick mode ended."""

    NAME: ClassVar[str] = "quick-mode-ended"
    WINDOWS_ID: ClassVar[int] = 5452
    child_id: int
    peer: str
    selector: str
    why: str

    def __str__(self) -> str:
        return f"SAs with {self.peer} for {self.selector} ended: {self.why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageIgnored(Event):
    """An IKE message was dropped without an answer."""

    NAME: ClassVar[str] = "ike-message-ignored"
    WINDOWS_ID: ClassVar[int] = 4976
    peer: str
    reason: str
    detail: str
    count: int = 1
    """Hosts may merge many of one kind into one event."""

    def __str__(self) -> str:
        times = f" ({self.count} times)" if self.count > 1 else ""
        return f"message from {self.peer} ignored: {self.detail}{times}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketDropped(Event):
    """The packet path dropped a packet; hosts may merge many of one kind into one event."""

    NAME: ClassVar[str] = "packet-dropped"
    BY_REASON: ClassVar[dict[str, int]] = {
        "bad-integrity": 4960,
        "replayed": 4961,
        "too-old": 4962,
        "clear-but-security-required": 4963,
        "unknown-spi": 4965,
    }
    reason: str
    """``datapath.verdict.Drop``'s value."""
    flow: str
    spi: str
    count: int = 1

    @property
    def windows_id(self) -> int:
        """Windows has a number for each of the driver's reasons."""
        return self.BY_REASON.get(self.reason, 0)

    def __str__(self) -> str:
        times = f" ({self.count} times)" if self.count > 1 else ""
        return f"dropped {self.flow}: {self.reason}{times}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FellBackToClear(Event):
    """A rule allows clear traffic when there can be no SA, and this happened."""

    NAME: ClassVar[str] = "fallback-to-clear"
    peer: str
    rule: str
    why: str = ""
    """Why there is no SA, as far as it is known."""

    def __str__(self) -> str:
        why = self.why or "no security could be agreed on"
        return f'{self.peer} in clear, as rule "{self.rule}" allows: {why}'


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyApplied(Event):
    """A policy took effect."""

    NAME: ClassVar[str] = "policy-applied"
    WINDOWS_ID: ClassVar[int] = 5460
    document: str
    rules: int
    changes: str

    def __str__(self) -> str:
        return f"policy {self.document} applied: {self.changes}"


EDIT_IDS = {"authentication set": 5040, "connection security rule": 5043, "crypto set": 5046}
EDITS = ("added", "modified", "deleted")
"""To each the next of Windows' numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyEdited(Event):
    """Somebody changed a policy document by a command."""

    NAME: ClassVar[str] = "policy-edited"
    document: str
    who: str
    """Login name and user id."""
    kind: str
    name: str
    edit: str
    change: str
    """The lines that were taken out and put in."""

    @property
    def windows_id(self) -> int:
        """Windows has numbers for sets and connection security rules."""
        first = next((number for word, number in EDIT_IDS.items() if self.kind.endswith(word)), None)
        return 0 if first is None else first + EDITS.index(self.edit)

    def __str__(self) -> str:
        return f'{self.kind} "{self.name}" {self.edit} in {self.document} by {self.who}'


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkChanged(Event):
    """An interface is in another network than before, as the policy tells networks apart."""

    NAME: ClassVar[str] = "network-changed"
    interface: str
    profile: str
    """Empty if it is in none any more."""
    why: str
    was: str
    """Its profile until now; empty if it was in none."""

    def __str__(self) -> str:
        if not self.profile:
            return f"{self.interface} is in no network any more, until now {self.was}"
        until = f", until now {self.was}" if self.was else ""
        return f"{self.interface} is in a {self.profile} network ({self.why}){until}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRefused(Event):
    """A changed policy was not applied; the running one stays."""

    NAME: ClassVar[str] = "policy-refused"
    WINDOWS_ID: ClassVar[int] = 5461
    document: str
    detail: str

    def __str__(self) -> str:
        return f"policy {self.document} refused, the running one stays: {self.detail}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyOnProbation(Event):
    """A policy was applied that must be confirmed."""

    NAME: ClassVar[str] = "policy-on-probation"
    document: str
    seconds: int

    def __str__(self) -> str:
        return f"policy {self.document} is on probation: without  ringfence confirm  it goes in {self.seconds} seconds"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyConfirmed(Event):
    """A policy on probation was confirmed."""

    NAME: ClassVar[str] = "policy-confirmed"
    document: str

    def __str__(self) -> str:
        return f"policy {self.document} was confirmed, and stays"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRolledBack(Event):
    """A policy on probation was not confirmed in time."""

    NAME: ClassVar[str] = "policy-rolled-back"
    document: str
    back_to: str

    def __str__(self) -> str:
        return f"policy {self.document} was not confirmed: back to {self.back_to}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyWarning(Event):
    """A policy was applied, but part of it probably does not do what its author meant."""

    NAME: ClassVar[str] = "policy-warning"
    document: str
    detail: str

    def __str__(self) -> str:
        return self.detail


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
