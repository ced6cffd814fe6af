# SPDX-License-Identifier: Apache-2.0
"""Two hosts that talk: a flow together with its answers."""

from typing import NamedTuple

from ringfence.net.flow import ICMP, ICMPV6, TCP, FlowKey

ECHO = {ICMP: (8 << 8, 0), ICMPV6: (128 << 8, 129 << 8)}
"""ICMP's question and its answer, as flows have them for a port."""


class Conversation(NamedTuple):
    """One of them asks, the other may answer."""

    asks: FlowKey
    """The packets of who began."""
    answered: bool = True
    """Whether the other one has said anything."""

    @property
    def passes(self) -> bool:
        """Whether it gets through as it was seen: a TCP connection without answers does not."""
        return self.answered or self.asks.protocol != TCP

    @property
    def answers(self) -> FlowKey | None:
        """The packets of who answers; None when there need be none: ICMP errors, and whatever goes without answers."""
        back = self.asks.reversed()
        if self.asks.protocol in ECHO:
            question, answer = ECHO[self.asks.protocol]
            if self.asks.source_port not in (None, question):
                return None
            if self.asks.source_port is not None:
                back = back._replace(source_port=answer, destination_port=answer)
        return back if self.answered or self.asks.protocol == TCP else None
