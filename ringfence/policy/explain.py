# SPDX-License-Identifier: Apache-2.0
"""Why a packet is permitted, blocked or protected: the entry that decides, and why those before it do not."""

from dataclasses import dataclass

from ringfence.databases.spd import Action, Direction, Origin, SpdEntry
from ringfence.net.address import AddressRange, PortRange, parse_address
from ringfence.net.flow import ICMP, ICMPV6, FlowKey
from ringfence.policy import words
from ringfence.policy.compile import BUILT_IN, Compiled
from ringfence.policy.errors import BadWord
from ringfence.policy.traffic import parse_traffic

CURE = 'Write it as "out tcp 10.77.0.1 -> 10.77.0.2:80" or "in icmp 10.77.0.2 -> 10.77.0.1".'


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer to: what happens to this packet?"""

    flow: FlowKey
    direction: Direction
    entry: SpdEntry | None
    """None when no entry is about it, so that it is permitted."""
    before: tuple[tuple[Origin, str], ...] = ()
    """Rules that were asked before, and why they do not decide."""

    @property
    def action(self) -> Action:
        """What happens."""
        return Action.BYPASS if self.entry is None else self.entry.action

    def lines(self) -> tuple[str, ...]:
        """The answer for people."""
        verdict = {Action.BYPASS: "permitted", Action.DISCARD: "blocked", Action.PROTECT: "protected"}[self.action]
        return (f"{verdict:<11}{self._what()}".rstrip(), f"{'because':<11}{self._because()}", *self._before())

    def _what(self) -> str:
        if self.entry is None or self.entry.processing is None:
            return ""
        processing = self.entry.processing
        if self.direction is Direction.IN:
            clear = "a clear packet is accepted too" if processing.clear_in else "a clear packet is dropped"
        else:
            clear = "in clear if the other side cannot" if processing.clear_out else "without an SA it does not leave"
        return f"by {words.methods(processing)}; {clear}"

    def _because(self) -> str:
        if self.entry is None:
            return "no rule is about it, and what no rule names is permitted"
        return f"{self.entry.origin}   {words.traffic(self.entry)}"

    def _before(self) -> tuple[str, ...]:
        if not self.before:
            return ()
        reasons = [f'"{origin.rule}" ({why})' for origin, why in self.before]
        more = f" and {len(reasons) - 5} more" if len(reasons) > 5 else ""
        return (f"{'before':<11}{' · '.join(reasons[:5])}{more}",)


def explain(compiled: Compiled, flow: FlowKey, direction: Direction) -> Explanation:
    """What the policy does with a packet of ``flow``, from its sender to its receiver, in this direction."""
    outward = flow.reversed() if direction is Direction.IN else flow
    asked: dict[Origin, str] = {}
    for entry in compiled.spd:
        why = _mismatch(entry, outward, direction)
        if why is None:
            asked.pop(entry.origin, None)
            return Explanation(flow, direction, entry, tuple(asked.items()))
        if not entry.origin.rule.startswith(BUILT_IN) and why != "other family":
            asked[entry.origin] = why
    return Explanation(flow, direction, None, tuple(asked.items()))


def _mismatch(entry: SpdEntry, outward: FlowKey, direction: Direction) -> str | None:
    """The first reason why ``entry`` is not about this flow, or None."""
    selector = entry.selector
    if len(selector.source.first) != len(outward.source):
        return "other family"
    if outward.source not in selector.source or outward.destination not in selector.destination:
        return "other address"
    if selector.protocol not in (None, outward.protocol):
        return "other protocol"
    if outward not in selector:
        return "other port"
    return None if direction in entry.directions else "other direction"


def parse_flow(text: str) -> tuple[FlowKey, Direction]:
    """A packet in words, ``out tcp 10.77.0.1 -> 10.77.0.2:80``; raises BadWord."""
    head, arrow, target = text.partition("->")
    parts = head.split()
    if not arrow or len(parts) < 3 or parts[0].lower() not in ("in", "out"):
        raise BadWord("which is not understood", cure=CURE)
    kind = parse_traffic(" ".join(parts[1:-1]))
    if kind.protocol is None or not (kind.sender_ports.is_any or kind.protocol in (ICMP, ICMPV6)):
        raise BadWord("which does not name one protocol", cure=CURE)
    source, source_port = _endpoint(parts[-1])
    destination, destination_port = _endpoint(target.strip())
    if len(source) != len(destination):
        raise BadWord("which has addresses of two families", cure=CURE)
    if kind.protocol in (ICMP, ICMPV6):
        source_port = destination_port = None if kind.receiver_ports.is_any else kind.receiver_ports.first
    direction = Direction.OUT if parts[0].lower() == "out" else Direction.IN
    return FlowKey(source, destination, kind.protocol, source_port, destination_port), direction


def _endpoint(text: str) -> tuple[bytes, int | None]:
    """``10.0.0.1``, ``10.0.0.1:80``, ``fd00::1`` or ``[fd00::1]:80``."""
    address, colon, port = text.rpartition(":")
    if not colon or (":" in address and not address.startswith("[")):
        address, port = text, ""
    try:
        octets = parse_address(address.strip("[]"))
        if not AddressRange.host(octets).is_host or (port and int(port) not in PortRange()):
            raise BadWord("which is not understood", cure=CURE)
        return octets, int(port) if port else None
    except ValueError as error:
        if isinstance(error, BadWord):
            raise
        raise BadWord(f'but "{text}" is no address, or address and port', cure=CURE) from error
