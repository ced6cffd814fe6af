# SPDX-License-Identifier: Apache-2.0
"""The answer of ``ringfence why``: what failed with a peer, both sides part by part, and what would help.

Only what this host has seen can be told. What a peer refused it knows alone; then the answer says what we offered, and
whose log to read.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ringfence.audit import keying_word
from ringfence.control.errors import BadRequest, NotThere
from ringfence.control.messages import Peer, PeerState
from ringfence.control.troubles import ComparedPart, Trouble, WhyAnswer
from ringfence.databases.comparison import ANY, NONE, Comparison, Row
from ringfence.databases.pad import Pad, PadEntry, PresharedKey
from ringfence.databases.spd import Spd
from ringfence.net.address import format_address, parse_address
from ringfence.service.advice import Known, advice
from ringfence.service.troubles import Failure, TroubleTable

SHOWN = 4
"""Words of one part that a person is shown; of more there is the number."""
LABEL = 18
SIDE = 34


@dataclass(frozen=True, slots=True)
class Policy:
    """What runs."""

    spd: Spd
    pad: Pad

    def known(self, peer: str, rule: str) -> Known:
        """What it has for the peer at that address."""
        entries = list(self.pad.for_address(parse_address(peer), None))
        named = [one for one in entries if one.origin.rule == rule] or entries
        proposals = dict.fromkeys(str(proposal) for one in named for proposal in one.proposals)
        known = [each for one in named for each in one.auth if isinstance(each, PresharedKey)]
        keys = dict.fromkeys(each.source for each in known if each.source)
        names = {one.name for one in named}
        methods = dict.fromkeys(
            str(method)
            for one in self.spd
            if one.processing is not None and one.peer in names and rule in ("", one.origin.rule)
            for method in one.processing.methods
        )
        return Known(peer, self._rule(named, rule), ", ".join(keys), shown(list(proposals)), shown(list(methods)))

    def place(self, rule: str) -> str:
        """Document and line of a rule; empty where it has none."""
        return next((str(one.origin.place) for one in self.spd if one.origin.rule == rule), "")

    def _rule(self, entries: Sequence[PadEntry], rule: str) -> str:
        names = [rule] if rule else list(dict.fromkeys(one.origin.rule for one in entries))
        if len(names) != 1:
            return "the rule" if not names else "one of the rules " + ", ".join(f'"{one}"' for one in names)
        place = self.place(names[0])
        return f'rule "{names[0]}"' + (f" ({place})" if place else "")


def trouble_with(asked: str, policy: Policy, peers: Iterable[Peer], table: TroubleTable) -> WhyAnswer:
    """What failed with the peer at an address; raises BadRequest, and NotThere for one never heard of."""
    try:
        peer = format_address(parse_address(asked))
    except ValueError:
        cure = "Such as  ringfence why 10.0.0.9"
        raise BadRequest(f'The peer is "{asked}", which is not an IP address.', cure=cure) from None
    row = next((one for one in peers if one.address == peer), None)
    troubles = [_trouble(one, policy, peer) for one in table.of(peer)]
    if row is None and not troubles:
        cure = f'ringfence explain "out tcp HERE -> {peer}:PORT"  says what happens to a packet.'
        raise NotThere(f"Nothing has failed with {peer}, and there is no security with it.", cure=cure)
    lines = [f"{'now':<{LABEL}}{_standing(row)}"]
    if row is not None and row.state is PeerState.PROTECTED and row.detail:
        lines.append(f"{'but':<{LABEL}}{row.detail}")
    for one in troubles:
        lines += ["", *_lines(one, peer)]
    protected = row is not None and row.state is PeerState.PROTECTED
    return WhyAnswer(peer=peer, protected=protected, troubles=troubles, lines=lines)


STANDING = {
    PeerState.PROTECTED: "protected",
    PeerState.CLEAR: "in clear (fallback)",
    PeerState.NEGOTIATING: "negotiating",
    PeerState.FAILING: "failing",
}


def _standing(row: Peer | None) -> str:
    if row is None:
        return "no security, and nothing under way"
    rule = f', rule "{row.rule}"' if row.rule else ""
    by = f" by {keying_word(row.keying)}" if row.keying and row.state is PeerState.PROTECTED else ""
    return f"{STANDING[row.state]}{by} since {row.since.astimezone():%H:%M:%S}{rule}"


def shown(words: Sequence[str]) -> str:
    """The first of them, and how many more there are."""
    more = f" and {len(words) - SHOWN} more" if len(words) > SHOWN else ""
    return ", ".join(words[:SHOWN]) + more


def _trouble(failure: Failure, policy: Policy, peer: str) -> Trouble:
    comparison = failure.comparison
    return Trouble(
        exchange=failure.exchange, reason=failure.reason.value, detail=failure.detail, we_began=failure.we_began,
        keying=failure.keying, rule=failure.rule, place=policy.place(failure.rule) if failure.rule else "",
        times=failure.times, first_at=failure.first_at, last_at=failure.last_at,
        subject=comparison.subject if comparison else "",
        parts=[_part(row, comparison) for row in comparison.rows] if comparison else [],
        advice=list(advice(failure, policy.known(peer, failure.rule))),
    )  # fmt: skip


def _part(row: Row, comparison: Comparison) -> ComparedPart:
    alike = row.agree and (row.what not in comparison.apart or any(not one.agree for one in comparison.rows))
    return ComparedPart(what=row.what, theirs=list(row.theirs), ours=list(row.ours), agree=alike)


def _lines(trouble: Trouble, peer: str) -> Iterator[str]:
    who = "this computer began" if trouble.we_began else f"{peer} began"
    keying = f"{keying_word(trouble.keying)}, " if trouble.keying else ""
    yield f"{'failed':<{LABEL}}{keying}{trouble.exchange}: {trouble.reason.replace('-', ' ')}; {who}, {_times(trouble)}"
    if trouble.rule:
        place = f" ({trouble.place})" if trouble.place else ""
        yield f'{"because":<{LABEL}}rule "{trouble.rule}"{place}'
    if trouble.parts:
        yield f"{'':<{LABEL}}{'it offers':<{SIDE}}  this computer allows"
        for part in filter(_tells, trouble.parts):
            mark = "✔" if part.agree else "✘"
            theirs, ours = shown(part.theirs), shown(part.ours)
            yield f"{part.what:<{LABEL}}{theirs:<{SIDE}}{mark} {ours}".rstrip()
    else:
        yield f"{'detail':<{LABEL}}{trouble.detail}"
    for number, line in enumerate(trouble.advice):
        yield f"{'' if number else 'do':<{LABEL}}{line}"


def _tells(part: ComparedPart) -> bool:
    """Whether a person wants to see it: not where neither side has such a thing."""
    return not part.agree or {*part.theirs, *part.ours} - {NONE, ANY} != set()


def _times(trouble: Trouble) -> str:
    last = f"{trouble.last_at.astimezone():%H:%M:%S}"
    if trouble.times == 1:
        return f"at {last}"
    return f"{trouble.times} times since {trouble.first_at.astimezone():%H:%M:%S}, last at {last}"
