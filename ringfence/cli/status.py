# SPDX-License-Identifier: Apache-2.0
"""``ringfence status``: the whole on one page."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ringfence.cli import output, words
from ringfence.cli.output import Cell, JsonOption, Shown, SocketOption

if TYPE_CHECKING:
    from ringfence.control.messages import Peer, PolicyState, Status, StoreView

PEERS_SHOWN = 10
DROPS = {
    "bad-integrity": "failed integrity",
    "clear-but-security-required": "in clear but security required",
    "too-old": "too old to check",
    "no-sa": "without security",
    "unknown-spi": "for an unknown SPI",
    "dummy": "dummies",
    "keepalive": "keepalives",
    "hold-full": "beyond the queue",
    "hold-expired": "waited too long",
}
"""Reasons in the words of a sentence, where the reason's own name does not read well."""


def status(socket: SocketOption = None, json: JsonOption = False) -> None:
    """Show the policy, the data path, the peers, the traffic and what was dropped."""
    from ringfence.control.client import Client

    with Client(socket) as client:
        answer = client.status()
    if json:
        output.say_json(answer)
        return
    now = datetime.now(UTC)
    output.pairs(_rows(answer, now))
    if answer.peers:
        output.say()
        _peers(answer.peers, now)


def _rows(answer: "Status", now: datetime) -> Iterator[tuple[str, Shown]]:
    yield "policy", _policy(answer.policy, now)
    if (until := answer.policy.confirm_by) is not None:
        left = words.span((until - now).total_seconds())
        yield "probation", Cell(f"without  ringfence confirm  the policy before comes back in {left}", "warn")
    if answer.policy.refused is not None:
        refused = answer.policy.refused
        yield "refused", Cell(f"the document changed {words.ago(refused.at, now)} and is not correct:", "bad")
        yield "", refused.detail
    if sum(bool(store.rules or store.refused) for store in answer.policy.stores) > 1:
        yield "stores", _stores(answer.policy.stores)
    if answer.networks:
        yield "networks", " · ".join(f"{one.interface} {one.profile} ({one.why})" for one in answer.networks)
    path = answer.data_path
    yield "data path", f"{path.backend} through {path.device}" + (f": {path.detail}" if path.detail else "")
    yield "peers", _counts(answer.peers)
    yield "traffic", _traffic(answer)
    more = "   (ringfence monitor drops)" if any(answer.dropped.values()) else ""
    yield "dropped", dropped(answer.dropped) + more
    if answer.key_log is not None:
        yield "KEYS", Cell(f"are being written to {answer.key_log}: whoever reads it can read the traffic", "bad")
    yield "running", f"since {words.clock(answer.started_at, now)}, process {answer.pid}, ringfence {answer.version}"


def _policy(state: "PolicyState", now: datetime) -> str:
    first, *more = state.rules or ["no rules"]
    name = f"{first} + {len(more)} more" if more else first
    applied = f"applied {words.clock(state.applied_at, now)}, {words.ago(state.applied_at, now)}"
    return f"{name} ({state.document}, {applied})"


def _stores(stores: list["StoreView"]) -> Cell:
    """``persistent 2 · local 12 (older copy)``: which have how many statements."""
    text = " · ".join(
        f"{one.name} {one.rules}" + (f" ({one.note})" if one.note else " (refused)" if one.refused else "")
        for one in stores
        if one.rules or one.refused
    )
    return Cell(text, "bad" if any(one.refused for one in stores) else "")


def _counts(peers: list["Peer"]) -> Cell:
    counts = Counter(peer.state.value for peer in peers)
    text = f"{counts['protected']} protected · {counts['clear']} in clear (fallback) · {counts['failing']} failing"
    if counts["negotiating"]:
        text += f" · {counts['negotiating']} negotiating"
    return Cell(text, "bad" if counts["failing"] else "warn" if counts["clear"] else "")


def _traffic(answer: "Status") -> str:
    traffic = answer.traffic
    return (
        f"sent {words.octets(traffic.sent_protected.octets)} protected, {words.octets(traffic.sent_clear.octets)} clear"
        f" · received {words.octets(traffic.received_protected.octets)} protected"
    )


def dropped(counts: dict[str, int]) -> str:
    """``12 replayed · 3 failed integrity``, most frequent first."""
    known = sorted(((number, reason) for reason, number in counts.items() if number), reverse=True)
    if not known:
        return "nothing"
    return " · ".join(f"{number:,} {DROPS.get(reason, reason.replace('-', ' '))}" for number, reason in known)


def _peers(peers: list["Peer"], now: datetime) -> None:
    style = {"protected": "good", "clear": "warn", "failing": "bad", "negotiating": "dim"}
    word = {"clear": "in clear"}
    columns = [
        output.Column("PEER"), output.Column("STATE"), output.Column("SINCE", right=True),
        output.Column("IKE", optional=3), output.Column("IDENTITY", optional=2), output.Column("RULE", optional=1),
    ]  # fmt: skip
    known = sorted(peers, key=lambda peer: (peer.state.value == "protected", peer.address))
    rows: list[list[Shown]] = [
        [
            peer.address, Cell(word.get(peer.state.value, peer.state.value), style[peer.state.value]),
            words.short_ago(peer.since, now), peer.keying.removeprefix("ike"), peer.identity, peer.rule,
        ]
        for peer in known[:PEERS_SHOWN]
    ]  # fmt: skip
    output.table(columns, rows)
    if len(known) > PEERS_SHOWN:
        output.say(Cell(f"and {len(known) - PEERS_SHOWN} more: ringfence status --json", "dim"))
    troubled = [peer for peer in known[:PEERS_SHOWN] if peer.detail]
    if troubled:
        output.say()
        output.pairs((peer.address, peer.detail) for peer in troubled)
