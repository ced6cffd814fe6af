# SPDX-License-Identifier: Apache-2.0
"""Events of key exchange: messages, main modes, quick modes."""

from dataclasses import dataclass
from typing import ClassVar

from ringfence.audit.event import Event
from ringfence.databases.comparison import Comparison

KEYING_WORDS = {"ikev1": "IKEv1", "ikev2": "IKEv2", "ikev2-tcp": "IKEv2 by TCP"}
"""Protocols as people write them."""


def keying_word(keying: str) -> str:
    """A protocol as people write it: ``IKEv2``."""
    return KEYING_WORDS.get(keying, keying)


def _main_mode(keying: str) -> str:
    """What makes an IKE SA: IKEv2 has no main mode."""
    return "main mode" if keying == "ikev1" else keying_word(keying)


def _quick_mode(keying: str) -> str:
    """What makes a contract; screens call it so in IKEv2, too, as Windows does."""
    return "quick mode" if keying == "ikev1" else f"{keying_word(keying)} quick mode"


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
class FirstMessagesFlood(Event):
    """So many negotiations begin and do not go on that first messages are answered without keeping anything."""

    NAME: ClassVar[str] = "ike-flood"
    count: int
    """First messages that were answered so since this was last told."""
    half_open: int

    def __str__(self) -> str:
        told = "a first message was" if self.count == 1 else f"{self.count} first messages were"
        return f"{self.half_open} negotiations are half open: {told} answered, and nothing kept until the next comes"


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
    keying: str = "ikev1"
    """The protocol that made it."""

    def __str__(self) -> str:
        identity = "" if self.remote_identity == self.peer else f" ({self.remote_identity})"
        return f"{_main_mode(self.keying)} SA with {self.peer}{identity}, {self.proposal}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failed(Event):
    """What is told of a negotiation that came to nothing."""

    peer: str
    reason: str
    """One word per cause, ``ike.errors.Reason``'s value."""
    detail: str
    initiator: bool
    rule: str = ""
    comparison: Comparison | None = None
    """What either side has, where both were seen."""
    keying: str = "ikev1"
    """The protocol that was spoken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MainModeFailed(_Failed):
    """Main mode came to nothing."""

    NAME: ClassVar[str] = "main-mode-failed"
    WINDOWS_ID: ClassVar[int] = 4653

    def __str__(self) -> str:
        return f"{_main_mode(self.keying)} with {self.peer} failed: {self.detail}"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyingChanged(Event):
    """A peer does not speak the version of IKE that the policy prefers, and another that it allows is tried."""

    NAME: ClassVar[str] = "keying-changed"
    peer: str
    rule: str
    was: str
    now: str
    why: str

    def __str__(self) -> str:
        words = f"{keying_word(self.now)} instead of {keying_word(self.was)}"
        return f'{words} with {self.peer}, as rule "{self.rule}" allows: {self.why}'


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyingKept(Event):
    """A peer does not answer the version of IKE that it has proved itself by; no later one is tried, though allowed."""

    NAME: ClassVar[str] = "keying-kept"
    peer: str
    rule: str
    keying: str
    instead: str
    """What is not tried."""

    def __str__(self) -> str:
        words = f'{keying_word(self.instead)} is not tried with {self.peer}, though rule "{self.rule}" allows it'
        return f"{words}: it spoke {keying_word(self.keying)} within the last hour"


@dataclass(frozen=True, slots=True, kw_only=True)
class MainModeEnded(Event):
    """A main mode SA ended."""

    NAME: ClassVar[str] = "main-mode-ended"
    WINDOWS_ID: ClassVar[int] = 4655
    ike_id: int
    peer: str
    why: str
    keying: str = "ikev1"

    def __str__(self) -> str:
        return f"{_main_mode(self.keying)} SA with {self.peer} ended: {self.why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SaMoved(Event):
    """A main mode SA and the tunnels under it go on by other addresses (MOBIKE)."""

    NAME: ClassVar[str] = "sa-moved"
    ike_id: int
    peer: str
    was: str
    """Such as ``10.0.0.1 <-> 192.0.2.1``, our end first."""
    now: str
    children: int
    """Quick mode SAs that went along."""
    keying: str = "ikev2"

    def __str__(self) -> str:
        return f"{_main_mode(self.keying)} SA with {self.peer} goes by {self.now} instead of {self.was}"


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
    keying: str = "ikev1"
    """The protocol that made it."""

    def __str__(self) -> str:
        verb = "rekeyed" if self.replaces else "agreed"
        return f"{_quick_mode(self.keying)} with {self.peer} {verb}: {self.protection}, {self.mode}, {self.selector}"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickModeFailed(_Failed):
    """A quick mode came to nothing."""

    NAME: ClassVar[str] = "quick-mode-failed"
    WINDOWS_ID: ClassVar[int] = 4654

    def __str__(self) -> str:
        return f"{_quick_mode(self.keying)} with {self.peer} failed: {self.detail}"


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
class PeerDead(Event):
    """A peer did not say that it is there; what we had with it is gone."""

    NAME: ClassVar[str] = "peer-dead"
    peer: str
    identity: str
    detail: str
    """What it did not answer."""
    children: int
    """Quick modes whose SAs ended with it."""

    def __str__(self) -> str:
        return f"{self.peer} ({self.identity}) is dead: {self.detail}; {self.children} quick mode SAs ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerSentElsewhere(Event):
    """A gateway sends its client to another one (RFC 5685)."""

    NAME: ClassVar[str] = "sent-elsewhere"
    peer: str
    to: str
    """The other gateway."""
    rule: str
    """Empty where it may be any of several."""
    sent: bool
    """Whether we are the gateway."""

    def __str__(self) -> str:
        return f"{self.peer} is sent to the gateway {self.to}" if self.sent else f"{self.peer} sends us to {self.to}"


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
