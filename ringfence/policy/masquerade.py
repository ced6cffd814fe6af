# SPDX-License-Identifier: Apache-2.0
"""What this computer forwards for others and masquerades: packets that bear its address, though it did not send them.

Rules judge a forwarded packet by the addresses that it comes with, and a rule for ``me`` says nothing of it. On the
wire it then looks like one of this computer's. Where a rule requires protection of those, it is dropped, unless
``[global]`` says ``masqueraded = "clear"``: whoever wrote "require" meant what is seen on the wire, and only he knows
whether others' traffic may be an exception. It cannot be protected instead: answers would be for this computer, and
nobody could tell whose they are.
"""

from collections.abc import Iterable, Iterator

from ringfence.databases.spd import Action, Direction, Spd, SpdEntry
from ringfence.net.address import format_address
from ringfence.net.flow import FlowKey
from ringfence.place import NOWHERE, Place
from ringfence.policy.errors import Finding, Severity
from ringfence.policy.host import HostFacts
from ringfence.policy.terms import GlobalSettings, Masqueraded

CURE = 'Say what is meant: [global] masqueraded = "block", or "clear" to let it leave as it is.'
TOLD = 3


def findings(spd: Spd, host: HostFacts, settings: GlobalSettings) -> Iterator[Finding]:
    """A warning where a rule requires protection of what this computer masquerades, and nobody said what is meant."""
    if not host.masquerades or "masqueraded" in settings.places:
        return
    required = next((one for one in spd if _requires_of(one, host.own)), None)
    if required is not None:
        yield _finding(required, "is dropped", required.origin.place, CURE)


def lint_findings(spd: Spd, host: HostFacts, settings: GlobalSettings) -> Iterator[Finding]:
    """A warning where what it masquerades is let go in clear although a rule requires protection."""
    required = next((one for one in spd if _requires_of(one, host.own)), None)
    if host.masquerades and required is not None and settings.masqueraded is Masqueraded.CLEAR:
        yield _finding(required, "leaves in clear", settings.places.get("masqueraded", NOWHERE), "")


def _finding(entry: SpdEntry, fate: str, place: Place, cure: str) -> Finding:
    subject = f'rule "{entry.origin.rule}"'
    what = f"{subject} requires protection, and what this computer masquerades for others to the same peers {fate}."
    return Finding(what, place, subject, "masqueraded", cure=cure, severity=Severity.WARNING)


def told(spd: Spd, own: Iterable[bytes], flow: FlowKey, settings: Masqueraded) -> tuple[str, ...]:
    """What happens to a packet of somebody else that leaves by one of these addresses; nothing where that is free."""
    return tuple(
        f"as {format_address(one)}: {_fate(settings)}, for {entry.origin} requires protection"
        for one in own
        if len(one) == len(flow.source)
        and (entry := spd.outbound(flow._replace(source=one))) is not None
        and _requires(entry)
    )[:TOLD]


def _fate(setting: Masqueraded) -> str:
    return "dropped" if setting is Masqueraded.BLOCK else 'leaves in clear by masqueraded = "clear"'


def _requires_of(entry: SpdEntry, own: Iterable[bytes]) -> bool:
    return _requires(entry) and any(one in entry.selector.source for one in own)


def _requires(entry: SpdEntry) -> bool:
    processing = entry.processing
    outward = entry.action is Action.PROTECT and Direction.OUT in entry.directions
    return outward and processing is not None and not processing.clear_out
