# SPDX-License-Identifier: Apache-2.0
"""What failed with which peer, read off the events: the memory behind ``ringfence why``.

Failures that are alike are one entry that counts. For each peer the latest kinds are kept, and of peers those that
were heard of last. Whoever is no peer of the policy can send any number of messages: such are remembered apart, so that
they wash nothing away.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime

from ringfence.audit import MainModeFailed, MessageIgnored, QuickModeFailed
from ringfence.databases.comparison import Comparison
from ringfence.ike.errors import Reason
from ringfence.service.events import Recorded
from ringfence.service.peers import host_part

PEERS = 1024
STRANGERS = 256
KINDS = 8
"""Of one peer."""
HARMLESS = (Reason.POLICY_CHANGED, Reason.SHUT_DOWN)
"""Ends that this host wanted."""
TELLING = (Reason.NO_PEER, Reason.VERSION, Reason.EXCHANGE_TYPE)
"""Why a message is ignored that its sender may have meant well."""

Failed = MainModeFailed | QuickModeFailed
Kind = tuple[str, str, str, bool, str]


@dataclass(slots=True)
class Failure:
    """Failures that are alike."""

    exchange: str
    reason: Reason
    we_began: bool
    rule: str
    detail: str
    """Of the latest."""
    comparison: Comparison | None
    first_at: datetime
    last_at: datetime
    times: int = 1
    keying: str = ""
    """The protocol that was spoken."""


class TroubleTable:
    """A sink of the event log."""

    def __init__(self) -> None:
        self._peers: OrderedDict[str, OrderedDict[Kind, Failure]] = OrderedDict()
        self._strangers: OrderedDict[str, OrderedDict[Kind, Failure]] = OrderedDict()

    def __call__(self, recorded: Recorded) -> None:
        """Learn from an event."""
        at = recorded.at
        match recorded.event:
            case MainModeFailed() as failed:
                self._add(self._peers, PEERS, failed.peer, _failure("main mode", failed, at))
            case QuickModeFailed() as failed:
                self._add(self._peers, PEERS, failed.peer, _failure("quick mode", failed, at))
            case MessageIgnored(peer=peer, reason=reason, detail=detail, count=count):
                if reason in {one.value for one in TELLING}:
                    failure = Failure("message", Reason(reason), False, "", detail, None, at, at, count)
                    self._add(self._strangers, STRANGERS, peer, failure)
            case _:
                pass

    def of(self, address: str) -> list[Failure]:
        """What failed with the peer at ``address``, the latest first."""
        found = [*self._peers.get(address, {}).values(), *self._strangers.get(address, {}).values()]
        return sorted(found, key=lambda one: one.last_at, reverse=True)

    def addresses(self) -> list[str]:
        """Peers with which something failed, the latest first."""
        return list(reversed(self._peers))

    def _add(
        self, table: OrderedDict[str, OrderedDict[Kind, Failure]], most: int, peer: str, failure: Failure
    ) -> None:  # fmt: skip
        if failure.reason in HARMLESS:
            return
        address = host_part(peer)
        kinds = table.setdefault(address, OrderedDict())
        table.move_to_end(address)
        kind = failure.keying, failure.exchange, failure.reason.value, failure.we_began, failure.rule
        before = kinds.pop(kind, None)
        if before is not None:
            failure.first_at, failure.times = before.first_at, before.times + failure.times
        kinds[kind] = failure
        if len(kinds) > KINDS:
            kinds.popitem(last=False)
        if len(table) > most:
            table.popitem(last=False)


def _failure(exchange: str, event: Failed, at: datetime) -> Failure:
    reason = Reason(event.reason)
    comparison, keying = event.comparison, event.keying
    return Failure(exchange, reason, event.initiator, event.rule, event.detail, comparison, at, at, keying=keying)
