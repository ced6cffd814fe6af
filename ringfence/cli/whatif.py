# SPDX-License-Identifier: Apache-2.0
"""``ringfence whatif``: what a policy would do to traffic that was seen, before it does it."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringfence.cli import output, words
from ringfence.cli.document import (
    AddressesOption,
    DocumentArgument,
    KeylessOption,
    ProfileOption,
    facts_for,
    read,
    read_file,
)
from ringfence.cli.output import Cell, Column, JsonOption, Shown, SocketOption

if TYPE_CHECKING:
    from ringfence.control.questions import FateCount, ServiceFate, WhatIfAnswer
    from ringfence.databases.spd import Origin
    from ringfence.net.conversation import Conversation
    from ringfence.policy.compile import Compiled
    from ringfence.policy.whatif import Fate, Outcome, WhatIf

BECOMES = {
    "block": Cell("blocked", "bad"),
    "require": Cell("protected, or lost", "warn"),
    "request": Cell("protected if it can be", "good"),
    "permit": Cell("permitted"),
}
FlowsOption = Annotated[
    Path,
    typer.Option(
        "--flows",
        metavar="FILE",
        help="A capture (pcap), a conntrack listing or a table (CSV); - for standard input.",
        show_default=False,
    ),
]
AgainstOption = Annotated[
    Path | None,
    typer.Option("--against", metavar="OLD", help="Compare with this document.", show_default=False),
]
RunningOption = Annotated[bool, typer.Option("--running", help="Compare with the policy that the service follows.")]


def whatif(
    document: DocumentArgument,
    flows: FlowsOption,
    against: AgainstOption = None,
    running: RunningOption = False,
    me: AddressesOption = None,
    profile: ProfileOption = None,
    no_keys: KeylessOption = False,
    socket: SocketOption = None,
    json: JsonOption = False,
) -> None:
    """Say what POLICY would do to the traffic in FILE, and which servers would be lost. Changes nothing.

    Exit code 1: something that passes today would be blocked.
    """
    from ringfence.policy.whatif import whatif as ask

    new = read(document, me, keyless=no_keys, profile=profile)
    seen = _flows(flows)
    old, old_name = _old(against, running, socket, me, no_keys, profile)
    asked = ask(new.compiled, seen, new.facts.own, old=old)
    answer = _answer(asked, new.loaded.document_name, old_name)
    if json:
        output.say_json(answer)
    else:
        _show(answer, str(flows), asked.within)
    if answer.lost:
        raise typer.Exit(1)


def _flows(path: Path) -> "tuple[Conversation, ...]":
    from io import BytesIO

    from ringfence.capture.flowfile import read_flows

    return read_flows(BytesIO(read_file(path)), name=str(path))


def _old(
    against: Path | None,
    running: bool,
    socket: Path | None,
    me: Sequence[str] | None,
    no_keys: bool,
    profile: str | None,
) -> "tuple[Compiled | None, str]":
    """The policy to compare with, and its name."""
    if against is not None:
        found = read(against, me, keyless=no_keys, profile=profile)
        return found.compiled, found.loaded.document_name
    if not running:
        return None, ""
    from ringfence.control.client import Client
    from ringfence.policy.compile import compile_policy
    from ringfence.policy.document import parse
    from ringfence.stores.file import NO_KEY

    with Client(socket) as client:
        view = client.policy()
    policy = parse(view.settings, name=view.document)
    # The service tells no keys, and no question here depends on them.
    keys = dict.fromkeys(policy.key_files, NO_KEY)
    return compile_policy(policy, facts_for(policy, me, profile), keys), "the running policy"


def _answer(asked: "WhatIf", policy: str, against: str) -> "WhatIfAnswer":
    from ringfence.control.questions import WhatIfAnswer
    from ringfence.net.address import format_address

    return WhatIfAnswer(
        policy=policy,
        against=against,
        flows=len(asked.changes),
        by_rule=_by_rule([change.now for change in asked.changes]),
        services=_services(asked),
        lost=[str(service) for service in asked.lost],
        unknown=[format_address(peer) for peer in asked.unknown],
    )


def _by_rule(outcomes: "list[Outcome]") -> "list[FateCount]":
    from ringfence.control.questions import FateCount
    from ringfence.policy.whatif import STRICTER

    flows = Counter((one.fate, one.origin) for one in outcomes)
    peers: defaultdict[tuple[Fate, Origin | None], set[bytes]] = defaultdict(set)
    for one in outcomes:
        peers[one.fate, one.origin].add(one.peer)
    rows = sorted(flows, key=lambda row: (-STRICTER[row[0]], -flows[row]))
    return [
        FateCount(
            fate=fate.value, flows=flows[fate, origin], peers=len(peers[fate, origin]),
            rule=origin.rule if origin else "", place=str(origin.place) if origin else "",
        )
        for fate, origin in rows
    ]  # fmt: skip


def _services(asked: "WhatIf") -> "list[ServiceFate]":
    from ringfence.control.questions import ServiceFate
    from ringfence.net.address import format_address
    from ringfence.policy.whatif import STRICTER

    groups: dict[tuple[object, ...], list[int]] = {}
    for number, change in enumerate(asked.changes):
        key = change.now.service, change.now.fate, change.now.origin, change.was and change.was.fate
        groups.setdefault(key, []).append(number)
    rows = []
    for numbers in groups.values():
        first, peers = asked.changes[numbers[0]], dict.fromkeys(asked.changes[number].now.peer for number in numbers)
        origin = first.now.origin
        row = ServiceFate(
            service=str(first.now.service), fate=first.now.fate.value, was=first.was.fate.value if first.was else "",
            flows=len(numbers), peers=[format_address(peer) for peer in peers],
            rule=origin.rule if origin else "", place=str(origin.place) if origin else "",
        )  # fmt: skip
        rows.append((-STRICTER[first.now.fate], -len(numbers), row))
    return [row for _, _, row in sorted(rows, key=lambda one: one[:2])]


def _show(answer: "WhatIfAnswer", flows: str, within: int) -> None:
    seen = words.count(answer.flows, "flow")
    compared = f", compared with {answer.against}" if answer.against else ""
    itself = f" ({within} more of this computer with itself)" if within else ""
    output.say(Cell(f"{seen} of {flows}", "head"), itself, f", by {answer.policy}{compared}")
    if answer.flows:
        output.say()
        columns = [Column("BECOMES"), Column("FLOWS", right=True), Column("PEERS", right=True), Column("RULE")]
        rows: list[list[Shown]] = [
            [BECOMES[row.fate], f"{row.flows:,}", f"{row.peers:,}", f"{row.rule or 'none'}  {row.place}".rstrip()]
            for row in answer.by_rule
        ]
        output.table(columns, rows)
        output.say()
        _show_services(answer)
    output.pairs(_conclusions(answer))


def _show_services(answer: "WhatIfAnswer") -> None:
    """All that do not simply stay permitted."""
    shown = [row for row in answer.services if row.fate != "permit" or row.was not in ("", "permit")]
    columns = [
        Column("SERVER"),
        Column("BECOMES"),
        Column("WAS"),
        Column("FLOWS", right=True),
        Column("RULE", optional=1),
    ]
    rows: list[list[Shown]] = [
        [row.service, BECOMES[row.fate], BECOMES[row.was].text if row.was else "", f"{row.flows:,}", row.rule or "none"]
        for row in shown
    ]
    if not answer.against:
        del columns[2]
        rows = [row[:2] + row[3:] for row in rows]
    if rows:
        output.table(columns, rows)
    if rest := len(answer.services) - len(shown):
        output.say(f"{words.count(rest, 'server')} permitted as before" if rows else "Every server stays permitted.")
    output.say()


def _conclusions(answer: "WhatIfAnswer") -> list[tuple[str, Shown]]:
    rows: list[tuple[str, Shown]] = [
        (
            "lost",
            Cell(", ".join(answer.lost), "bad") if answer.lost else "none: nothing that passes today would be blocked",
        )
    ]
    if answer.unknown:
        names = words.listing(answer.unknown)
        rows.append(
            (
                "unknown",
                Cell(f"nothing here shows that IPsec works with {names}; without it, that is lost, too", "warn"),
            )
        )
    return rows
