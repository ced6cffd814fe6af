# SPDX-License-Identifier: Apache-2.0
"""What statements say of a packet, and which of them decides, for the reference."""

from dataclasses import dataclass, replace
from typing import NamedTuple

from ringfence.databases.proposal import Protocol, SecurityMethod
from ringfence.databases.spd import Action
from ringfence.net.flow import ESP, UDP, FlowKey
from ringfence.policy.terms import Security
from ringfence.policy.traffic import Traffic


class Verdict(NamedTuple):
    """What happens to a packet."""

    action: Action
    clear: bool = False
    """Protected if that can be, otherwise in clear."""
    tunnel: bool = False
    by: str = ""
    """The statement that protects or blocks it; empty where it is blocked for want of what a filter asks for."""
    asked: frozenset[str] = frozenset()
    """The filters of which it has to satisfy one."""
    methods: tuple[str, ...] = ()
    """What may be agreed on then."""


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
    rule: bool = False
    """Whether it says how traffic is protected, or that it is not; filters do not."""
    methods: tuple[SecurityMethod, ...] = ()
    security: Security | None = None
    """A filter that permits what is secure, and so blocks the rest."""
    override: bool = False
    """And blocks nothing, but passes blocks."""

    @property
    def surely(self) -> bool:
        """Whether it has all of its traffic, both ways, in ESP between the computers themselves."""
        both = self.requires == 2 and self.mirrored and not self.verdict.tunnel
        return self.verdict.action is Action.PROTECT and both and self.esp

    @property
    def esp(self) -> bool:
        return all(any(one.protocol is Protocol.ESP for one in method.transforms) for method in self.methods)

    def rank(self) -> tuple[object, ...]:
        """The largest decides, but for names."""
        strict = 2 * (Action.BYPASS, Action.PROTECT, Action.DISCARD).index(self.verdict.action)
        return not self.last, self.specific, strict - (self.security is not None), self.requires


def decisive(claims: list[Claim]) -> Claim | None:
    """The one that decides."""
    best = max((one.rank() for one in claims), default=None)
    return min((one for one in claims if one.rank() == best), key=lambda one: one.verdict.by, default=None)


def asks(claims: list[Claim]) -> list[Claim]:
    """Of filters that permit what is secure those that count: the most specific, and all that override blocks."""
    found = [one for one in claims if one.security is not None]
    most = max((one.specific for one in found if not one.override), default=None)
    return [one for one in found if one.override or one.specific == most]


def secured(protecting: Claim | None, asking: list[Claim]) -> Claim:
    """What becomes of a packet that has to satisfy one of ``asking``, and that this rule protects."""
    blocked = Claim(Verdict(Action.DISCARD), ())
    if protecting is None or protecting.verdict.action is not Action.PROTECT:
        return blocked
    encrypted = [one.security in (Security.ENCRYPTED, Security.NEGOTIATED) for one in asking]
    methods = protecting.methods
    if any(encrypted):
        methods = (*filter(hides, methods), *(one for one in methods if not hides(one) and not all(encrypted)))
    if not methods:
        return blocked
    words = tuple(map(str, methods))
    verdict = protecting.verdict._replace(clear=False, asked=frozenset(one.verdict.by for one in asking), methods=words)
    mirrored = all(one.mirrored for one in (protecting, *asking))
    return replace(protecting, verdict=verdict, requires=2, mirrored=mirrored, methods=methods)


def hides(method: SecurityMethod) -> bool:
    """Whether nobody on the way can read what it protects."""
    return any(word in str(method) for word in ("gcm", "aes256-sha", "aes128-sha"))


def protected_already(traffic: Traffic, flow: FlowKey) -> bool:
    """Whether a packet is what two others protect between them, or how they agree on that."""
    if flow.protocol == ESP:
        return True
    ports = flow.source_port, flow.destination_port
    return traffic.protocol is None and flow.protocol == UDP and ports in ((500, 500), (4500, 4500))
