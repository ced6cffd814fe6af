# SPDX-License-Identifier: Apache-2.0
"""What statements say of a packet, and which of them decides, for the reference."""

from dataclasses import dataclass
from typing import NamedTuple

from ringfence.databases.spd import Action
from ringfence.net.flow import ESP, UDP, FlowKey
from ringfence.policy.traffic import Traffic


class Verdict(NamedTuple):
    """What happens to a packet."""

    action: Action
    clear: bool = False
    """Protected if that can be, otherwise in clear."""
    tunnel: bool = False
    by: str = ""
    """The statement that protects or blocks it."""


PERMITTED = Verdict(Action.BYPASS)


@dataclass(frozen=True)
class Claim:
    """A statement that is about a packet."""

    verdict: Verdict
    specific: tuple[int, ...]
    """Whether it is a tunnel, address bits, protocol, bits of the port here, bits of the port there."""
    requires: int = 0
    """In how many directions it requires protection."""
    last: bool = False
    """The default response rule."""
    names_exempt: bool = False
    """Whether its words name nothing but traffic that is always in clear."""
    yields: bool = False
    """A tunnel that leaves to another rule what that protects."""
    mirrored: bool = True

    def rank(self) -> tuple[object, ...]:
        """The largest decides, but for names."""
        strict = (Action.BYPASS, Action.PROTECT, Action.DISCARD).index(self.verdict.action)
        return not self.last, self.specific, strict, self.requires


def decisive(claims: list[Claim]) -> Claim | None:
    """The one that decides."""
    best = max((one.rank() for one in claims), default=None)
    return min((one for one in claims if one.rank() == best), key=lambda one: one.verdict.by, default=None)


def protected_already(traffic: Traffic, flow: FlowKey) -> bool:
    """Whether a packet is what two others protect between them, or how they agree on that."""
    if flow.protocol == ESP:
        return True
    ports = flow.source_port, flow.destination_port
    return traffic.protocol is None and flow.protocol == UDP and ports in ((500, 500), (4500, 4500))
