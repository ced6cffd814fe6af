# SPDX-License-Identifier: Apache-2.0
"""What a policy comes to on one computer: its databases, and what people may want to know of how it came to them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ringfence.databases.pad import Pad
from ringfence.databases.spd import Origin, Spd
from ringfence.policy.boot import NO_BOOT, BootSettings
from ringfence.policy.elsewhere import EMPTY, Elsewhere
from ringfence.policy.errors import Finding
from ringfence.policy.networks import Situation
from ringfence.policy.terms import Masqueraded


@dataclass(frozen=True, slots=True)
class Compiled:
    """A policy in RFC 4301's words."""

    spd: Spd
    pad: Pad
    findings: tuple[Finding, ...] = ()
    """Warnings that only show on this computer."""
    refusals: tuple[Finding, ...] = ()
    """Why this version cannot carry it out: questions about it are answered, but it must not be applied."""
    own: frozenset[bytes] = frozenset()
    """This computer's addresses: what it sends to itself never leaves it, and no entry is asked."""
    situations: tuple[Situation, ...] = ()
    """Its interfaces as the policy sees them; empty where that makes no difference."""
    boot: BootSettings = NO_BOOT
    """What the policy says of the time before the service is up."""
    links: Mapping[bytes, str] = field(default_factory=dict)
    """The interface of each address of this computer, as far as that is known."""
    masqueraded: Masqueraded | None = None
    """What becomes of what it masquerades for others; None where it does not."""
    main_modes: Mapping[str, Origin] = field(default_factory=dict)
    """The main mode rules that decide, by the names of entries."""
    undecisive: tuple[Finding, ...] = ()
    """Warnings about main mode rules that decide nothing here."""
    elsewhere: Elsewhere = field(default=EMPTY, compare=False)
    """What holds in other networks."""

    def refused(self, rule: str) -> Iterator[str]:
        """Why it cannot carry out the rule of this name."""
        for subject in (f'rule "{rule}"', f'filter "{rule}"'):
            yield from (one.message.removeprefix(f"{subject} ") for one in self.refusals if one.rule == subject)
