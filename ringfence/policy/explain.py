# SPDX-License-Identifier: Apache-2.0
"""Why a packet is permitted, blocked or protected: the entry that decides, and how the others stand to it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import takewhile

from ringfence.databases.spd import Action, Direction, Origin, SpdEntry
from ringfence.net.address import AddressRange, PortRange, parse_address
from ringfence.net.flow import ICMP, ICMPV6, FlowKey
from ringfence.policy import masquerade, words
from ringfence.policy.compile import BUILT_IN, Compiled
from ringfence.policy.errors import BadWord
from ringfence.policy.passage import PASSES, Passage, on_wire, passage
from ringfence.policy.traffic import parse_traffic

CURE = 'Write it as "out tcp 10.77.0.1 -> 10.77.0.2:80" or "in icmp 10.77.0.2 -> 10.77.0.1".'


NEAREST_FIRST = ("other direction", "other port", "other protocol", "other address")
SHOWN = 5
"""Rivals that people see of each kind."""


@dataclass(frozen=True, slots=True)
class Rival:
    """A rule that does not decide on a packet."""

    origin: Origin
    weight: int
    """How specific its entry is that came nearest to deciding; the most specific entry decides."""
    why: str = ""
    """Why it is not about the packet; empty when it is, but another decides before it."""

    def __str__(self) -> str:
        why = f"{self.why}, " if self.why else ""
        return f'"{self.origin.rule}" ({why}weight {self.weight})'


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer to: what happens to this packet?"""

    flow: FlowKey
    direction: Direction
    entry: SpdEntry | None
    """None when no entry is about it, so that it is permitted."""
    before: tuple[Rival, ...] = ()
    """Rules that were asked before, in order, and why they are not about it."""
    behind: tuple[Rival, ...] = ()
    """Rules that are about it too, in the order in which they would decide."""
    network: str = ""
    """The network of this computer's address, where that may make a difference."""
    itself: bool = False
    """Whether it is from this computer to itself."""
    passage: Passage = PASSES
    """What packet filters do with it on the wire."""
    masqueraded: tuple[str, ...] = ()
    """What becomes of it by an address of this computer, if it is somebody else's."""
    refused: tuple[str, ...] = ()
    """Why this version could not carry out the rule that decides."""
    keying: str = ""
    """Which versions of IKE negotiate it."""
    main_mode: str = ""
    """How the two agree on keys, where a main mode rule says it, and which one."""
    elsewhere: tuple[str, ...] = ()
    """What would be about it in another network, or on another interface, and where."""

    @property
    def action(self) -> Action:
        """What happens by the rules; ``passes`` tells whether packet filters let it through."""
        return Action.BYPASS if self.entry is None else self.entry.action

    @property
    def passes(self) -> bool:
        """Whether nothing surely drops it."""
        return self.action is not Action.DISCARD and not self.passage.surely

    def lines(self) -> tuple[str, ...]:
        """The answer for people."""
        verdict = {Action.BYPASS: "permitted", Action.DISCARD: "blocked", Action.PROTECT: "protected"}[self.action]
        first = f"{verdict:<11}{self._what()}".rstrip()
        network = (f"{'network':<11}{self.network}",) if self.network else ()
        because, filters = f"{'because':<11}{self._because()}", [f"{a:<11}{b}" for a, b in self.passage.lines()]
        others = (f"{'masquerade':<11}{one}" for one in self.masqueraded)
        main_mode = (f"{'main mode':<11}{self.main_mode}",) if self.main_mode else ()
        not_here = (f"{'not here':<11}{one}" for one in self.elsewhere)
        keying = (f"{'keying':<11}{self.keying}",) if self.keying else ()
        behind = (*keying, *main_mode, *self._demand(), *others, *self._refused(), *network, *not_here, *self._rivals())
        if self.passage.surely:
            otherwise = f"otherwise  {verdict} {self._what()}".rstrip()
            return (*filters, otherwise, because, *behind)
        return (first, *filters, because, *behind)

    def _what(self) -> str:
        if self.entry is None or self.entry.processing is None:
            return ""
        processing = self.entry.processing
        if processing.respond_only:
            clear = "in clear until the other side asks for protection"
        elif self.direction is Direction.IN:
            clear = "a clear packet is accepted too" if processing.clear_in else "a clear packet is dropped"
        else:
            clear = "in clear if the other side cannot" if processing.clear_out else "without an SA it does not leave"
        return f"by {words.methods(processing)}; {clear}"

    def _because(self) -> str:
        if self.itself:
            return "it goes from this computer to itself, and is never on a wire"
        if self.entry is None:
            return "no rule is about it, and what no rule names is permitted"
        return f"{self.entry.origin}   {words.traffic(self.entry)}, weight {self.entry.weight}"

    def _demand(self) -> Iterator[str]:
        """What filters ask, and what comes of it."""
        demand = None if self.entry is None else self.entry.demand
        if self.entry is None or demand is None:
            return
        asked = words.asked(demand.grants)
        if self.entry.action is Action.PROTECT:
            by = f"it goes by {demand.rule}, and passes if it is {asked}"
        elif demand.rule is None:
            by = f"it has to be {asked}, and no rule protects it"
        else:
            by = f"it has to be {asked}, which {demand.rule} does not do"
        past = f", past {demand.overrides}" if demand.overrides is not None else ""
        yield f"{'secure':<11}{by}{past}"

    def _refused(self) -> Iterator[str]:
        for why in self.refused:
            yield f"{'but':<11}this rule cannot be carried out now, and run and apply refuse it: it {why}"

    def _rivals(self) -> Iterator[str]:
        if self.before:
            # Of many the nearest are told, still in order.
            nearest = sorted(self.before, key=lambda rival: NEAREST_FIRST.index(rival.why))[:SHOWN]
            told = [str(rival) for rival in self.before if rival in nearest]
            yield f"{'before':<11}{' · '.join(told)}{_more(self.before)}"
        if self.entry is not None:
            told = [*map(str, self.behind[:SHOWN])]
            yield f"{'ahead of':<11}{' · '.join([*told, *_rest(self.behind)])}"


def _more(rivals: tuple[Rival, ...]) -> str:
    return f" and {len(rivals) - SHOWN} more" if len(rivals) > SHOWN else ""


def _rest(rivals: tuple[Rival, ...]) -> tuple[str, ...]:
    return (f"{len(rivals) - SHOWN} more",) if len(rivals) > SHOWN else ("default: permit",)


def deciding(compiled: Compiled, flow: FlowKey, direction: Direction) -> SpdEntry | None:
    """The entry that decides on a packet, by the packet path's own look-up; None when it is permitted by default."""
    if to_itself(compiled, flow):
        return None
    return compiled.spd.outbound(flow) if direction is Direction.OUT else compiled.spd.inbound(flow)


def to_itself(compiled: Compiled, flow: FlowKey) -> bool:
    """Whether this computer talks to itself, which the kernel does without any device of ours."""
    return flow.source in compiled.own and flow.destination in compiled.own


@dataclass(frozen=True, slots=True)
class Question:
    """A packet that is asked about."""

    flow: FlowKey
    direction: Direction
    established: bool = False
    """TCP that is not the first packet of a connection."""
    interface: str = ""
    """That it is on; empty when that is not said."""


def answer(compiled: Compiled, question: Question) -> Explanation:
    """What the policy, packet filters among it, does with a packet."""
    told = explain(compiled, question.flow, question.direction)
    if told.itself:
        return told
    return replace(told, passage=filtered(compiled, question, told.entry))


def filtered(compiled: Compiled, question: Question, entry: SpdEntry | None) -> Passage:
    """What packet filters do with a packet that ``entry`` lets pass.

    Where no interface is said, it is taken for the one that has our address in the packet.
    """
    if not compiled.spd.packet_lists:
        return PASSES
    packets = on_wire(entry, question.flow, question.direction, established=question.established)
    ours = [one.flow.source if question.direction is Direction.OUT else one.flow.destination for one in packets]
    known = compiled.links.get(ours[0], "") if ours else ""
    interface = question.interface or known
    return passage(compiled.spd.packet_lists, packets, question.direction, (interface,) if interface else ())


def explain(compiled: Compiled, flow: FlowKey, direction: Direction) -> Explanation:
    """What the rules do with a packet of ``flow``, from its sender to its receiver, in this direction.

    ``deciding`` decides; the rest only says which others there were.
    """
    outward, decides = flow if direction is Direction.OUT else flow.reversed(), deciding(compiled, flow, direction)
    if to_itself(compiled, flow):
        return Explanation(flow, direction, None, itself=True)
    entries = iter(compiled.spd)
    before: dict[Origin, Rival] = {}
    behind: dict[Origin, Rival] = {}
    for entry in takewhile(lambda entry: entry is not decides, entries):
        why = _mismatch(entry, outward, direction)
        if why in NEAREST_FIRST and _is_written(entry):
            rival = before.get(entry.origin)
            if rival is None or _nearer(why, rival.why):
                before[entry.origin] = Rival(entry.origin, entry.weight, why)
    for entry in entries:
        if _is_written(entry) and _mismatch(entry, outward, direction) is None:
            behind.setdefault(entry.origin, Rival(entry.origin, entry.weight))
    if decides is not None:
        before.pop(decides.origin, None)
        behind.pop(decides.origin, None)
    network = "; ".join(str(one) for one in compiled.situations if outward.source in one.addresses)
    refused = () if decides is None else tuple(compiled.refused(decides.origin.rule))
    return Explanation(
        flow, direction, decides, tuple(before.values()), tuple(behind.values()),
        network=network, masqueraded=_masqueraded(compiled, flow, direction), refused=refused,
        keying="" if decides is None else _keying(compiled, decides),
        main_mode="" if decides is None else _main_mode(compiled, decides),
        elsewhere=tuple(words.elsewhere(one) for one in compiled.elsewhere.about(outward, direction)),
    )  # fmt: skip


def _keying(compiled: Compiled, entry: SpdEntry) -> str:
    peer = compiled.pad.named(entry.peer)
    return "" if peer is None else words.keying(peer.keying)


def _main_mode(compiled: Compiled, entry: SpdEntry) -> str:
    rule, peer = compiled.main_modes.get(entry.name), compiled.pad.named(entry.peer)
    if rule is None or peer is None:
        return ""
    auth = " or ".join(map(str, peer.auth))
    return f'{words.main_mode(peer.proposals)}; {auth}: main mode rule "{rule.rule}" {rule.place.told}'.rstrip()


def _masqueraded(compiled: Compiled, flow: FlowKey, direction: Direction) -> tuple[str, ...]:
    setting = compiled.masqueraded
    if setting is None or direction is Direction.IN or compiled.own & {flow.source, flow.destination}:
        return ()
    return masquerade.told(compiled.spd, sorted(compiled.own), flow, setting)


def _is_written(entry: SpdEntry) -> bool:
    return not entry.origin.rule.startswith(BUILT_IN)


def _nearer(why: str, other: str) -> bool:
    return NEAREST_FIRST.index(why) < NEAREST_FIRST.index(other)


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


def parse_question(text: str) -> Question:
    """A packet in words, perhaps with more than its flow; raises BadWord.

    ``in tcp established 10.0.0.9:80 -> 10.0.0.1:5000 on eth0``.
    """
    words = text.split()
    interface = ""
    if len(words) > 2 and words[-2] == "on":
        interface = words[-1]
        del words[-2:]
    established = words[1:3] == ["tcp", "established"]
    if established:
        del words[2]
    return Question(*parse_flow(" ".join(words)), established, interface)


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
