# SPDX-License-Identifier: Apache-2.0
"""Which payloads a message may have: one rule per message, checked before any exchange sees it.

A rule names every payload that may stand in its message and how often, those that must, and those that stand in front.
What no rule names is refused, except payload types for private use that we do not know: whoever sends those must
reckon with a peer that passes over them.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from ringfence.ike.errors import Reason, Refused
from ringfence.ike.payload import MAX_PAYLOADS, Chain, Payload, UnknownPayload

MANY = MAX_PAYLOADS
"""As often as a message can have it."""
PRIVATE_USE = 128
"""From this number on, payload types are whose they may be (RFC 2408 §3.1)."""
ALIGNMENT_PADDING = 3
"""Octets that may stand behind the payloads of a message in clear, for some senders align it."""

Kind = type[Payload]


class Role(Enum):
    """The sides of an exchange."""

    INITIATOR = "initiator"
    RESPONDER = "responder"


@dataclass(frozen=True, slots=True)
class MessageRule:
    """What one message of one exchange has."""

    name: str
    """For people: ``main mode message 1``."""
    sender: Role | None
    """None where either side may begin."""
    encrypted: bool | None
    """None where the sender may do as it likes."""
    need: Mapping[Kind, int] = field(default_factory=dict)
    """Exactly so many of each."""
    may: Mapping[Kind, int] = field(default_factory=dict)
    """Up to so many of each."""
    front: tuple[Kind, ...] = ()
    """Those of them that are there come before all others, in this order."""
    all_or_none: tuple[Kind, ...] = ()
    """As many as ``may`` says, or none."""
    some: tuple[Kind, ...] = ()
    """At least one of these."""

    def check(self, chain: Chain, *, encrypted: bool) -> None:
        """Raise Refused unless ``chain`` is such a message."""
        if self.encrypted is not None and encrypted != self.encrypted:
            raise Refused(Reason.UNPROTECTED, f"{self.name} must{'' if self.encrypted else ' not'} be encrypted")
        if not encrypted and len(chain.padding) > ALIGNMENT_PADDING:
            raise Refused(Reason.MALFORMED, f"{self.name}: {len(chain.padding)} octets behind the payloads")
        counts: Counter[Kind] = Counter()
        for payload in chain:
            if isinstance(payload, UnknownPayload):
                self._pass_over(payload)
            else:
                counts[type(payload)] += 1
        self._check_counts(counts)
        self._check_front(chain)

    def _pass_over(self, payload: UnknownPayload) -> None:
        if payload.number < PRIVATE_USE:
            raise Refused(Reason.PAYLOAD_TYPE, f"{self.name}: nobody knows payload type {payload.number}")

    def _check_counts(self, counts: Counter[Kind]) -> None:
        for kind, count in counts.items():
            if count > (most := self.need.get(kind) or self.may.get(kind, 0)):
                raise Refused(Reason.PAYLOAD_UNEXPECTED, f"{self.name} has {count} {kind.__name__}, {most} allowed")
        for kind, count in self.need.items():
            if counts[kind] < count:
                raise Refused(Reason.PAYLOAD_MISSING, f"{self.name} has {counts[kind]} {kind.__name__} of {count}")
        for kind in self.all_or_none:
            if counts[kind] not in (0, self.may[kind]):
                raise Refused(
                    Reason.PAYLOAD_MISSING, f"{self.name} has {counts[kind]} {kind.__name__}, not all or none"
                )
        if self.some and not any(counts[kind] for kind in self.some):
            raise Refused(Reason.PAYLOAD_MISSING, f"{self.name} says nothing")

    def _check_front(self, chain: Chain) -> None:
        kinds = [type(payload) for payload in chain]
        wanted = [kind for kind in self.front if kind in kinds]
        if kinds[: len(wanted)] != wanted:
            names = ", ".join(kind.__name__ for kind in wanted)
            raise Refused(Reason.PAYLOAD_UNEXPECTED, f"{self.name} does not begin with {names}")
