# SPDX-License-Identifier: Apache-2.0
"""Writes docs/states from the tables that the program itself runs by: lives, messages, reasons.

    python scripts/states.py [--check]      --check: write nothing; exit code 1 when a page is out of date

Diagrams are Mermaid, which GitHub and most editors draw. What a state or reason means
is the docstring below its member.
"""

import ast
import inspect
import sys
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path

from ringfence.datapath.verdict import Drop
from ringfence.ike.errors import Reason
from ringfence.ike.lifetime import CHILD_SA_LIFE, IKE_SA_LIFE, ChildEvent, ChildState, IkeEvent, IkeState
from ringfence.ike.payload import Payload
from ringfence.ike.rules import MANY, MessageRule, Role
from ringfence.ike.v1.notifies import NOTIFY_OF
from ringfence.ike.v1.rules import INFORMATIONAL, INFORMATIONAL_IN_CLEAR, MAIN_MODE, QUICK_MODE, Proof
from ringfence.ike.v2.rules import RULES

FOLDER = Path(__file__).resolve().parent.parent / "docs/states"
HEAD = "<!-- Written by scripts/states.py; change the tables that it reads, not this page. -->\n"
Life = Mapping[Enum, Mapping[Enum, Enum]]


def meanings(kind: type[Enum]) -> dict[str, str]:
    """What stands below each member of an enum, by the member's name; without its full stop."""
    body = ast.parse(inspect.getsource(kind)).body[0]
    assert isinstance(body, ast.ClassDef)
    found = {}
    for member, below in zip(body.body, [*body.body[1:], None], strict=True):
        if isinstance(member, ast.Assign) and isinstance(member.targets[0], ast.Name):
            text = below.value.value if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) else ""
            found[member.targets[0].id] = " ".join(str(text).split()).rstrip(".")
    return found


def words(member: Enum) -> str:
    """``REKEY_BEGUN`` as ``rekey begun``."""
    return member.name.lower().replace("_", " ")


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A table in Markdown."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def life(title: str, name: str, states: type[Enum], events: type[Enum], rows: Life) -> str:
    """A diagram, and what its words mean."""
    first = next(iter(rows))
    arrows = [f"    [*] --> {first.name}"]
    for state, moves in rows.items():
        arrows += [f"    {state.name} --> {to.name}: {words(event)}" for event, to in moves.items()]
        if not moves:
            arrows.append(f"    {state.name} --> [*]")
    said = meanings(states)
    shown = [(f"`{state.name}`", f"{state.value}", said[state.name]) for state in states]
    happening = meanings(events)
    cells = [
        (words(event), happening[event.name],
         ", ".join(f"`{state.name}`" for state, moves in rows.items() if event in moves))
        for event in events
    ]  # fmt: skip
    return "\n".join(
        [
            f"## {title}\n",
            f"`{name}` in [lifetime.py](../../ringfence/ike/lifetime.py). What has no arrow is forbidden.\n",
            "```mermaid\nstateDiagram-v2\n    direction LR",
            *arrows,
            "```\n",
            table(("state", "people see", "what it means"), shown),
            table(("event", "what it means", "possible in"), cells),
        ]
    )


def lives() -> str:
    """Both lives."""
    return (
        "\n".join(
            [
                HEAD,
                "# Lives\n",
                "An IKE SA (main mode SA) and a contract (quick mode SA, child SA) each live by a table.\n",
                life("IKE SA", "IKE_SA_LIFE", IkeState, IkeEvent, IKE_SA_LIFE),
                life("Contract", "CHILD_SA_LIFE", ChildState, ChildEvent, CHILD_SA_LIFE),
            ]
        ).rstrip("\n")
        + "\n"
    )


def short(kind: type[Payload]) -> str:
    """``KePayload`` as ``KE``, the way the RFCs abbreviate."""
    name = kind.__name__.removesuffix("Payload")
    return {"Hash": "HASH", "Nonce": "NONCE", "Notify": "N", "Delete": "D", "Vendor": "VID", "CertRequest": "CR",
            "NatD": "NAT-D", "NatOa": "NAT-OA", "IdInitiator": "IDi", "IdResponder": "IDr", "TsInitiator": "TSi",
            "TsResponder": "TSr", "Config": "CP"}.get(name, name.upper())  # fmt: skip


def counted(kinds: Mapping[type[Payload], int]) -> str:
    """Payloads and how often each may come."""

    def often(most: int) -> str:
        return "" if most == 1 else " any number" if most == MANY else f" ×{most}"

    return ", ".join(short(kind) + often(most) for kind, most in kinds.items())


def row(rule: MessageRule) -> tuple[str, ...]:
    """One message."""
    also = [f"all {short(kind)} or none" for kind in rule.all_or_none]
    also += [" or ".join(map(short, rule.some)) + " at least"] if rule.some else []
    sender = "either" if rule.sender is None else rule.sender.value
    front = ", ".join(short(kind) for kind in rule.front if kind in {**rule.need, **rule.may})
    secrecy = "encrypted" if rule.encrypted else "clear"
    return rule.name, sender, secrecy, counted(rule.need), counted(rule.may), front, "; ".join(also)


def sequence(rules: tuple[MessageRule, ...]) -> Iterator[str]:
    """What each message must have, as it goes to and fro."""
    yield "```mermaid\nsequenceDiagram\n    participant I as initiator\n    participant R as responder"
    for rule in rules:
        arrow = "I->>R" if rule.sender is Role.INITIATOR else "R->>I"
        inside = ", ".join(map(short, rule.need))
        yield f"    {arrow}: {'{ ' + inside + ' }' if rule.encrypted else inside}"
    yield "```\n"


def messages() -> str:
    """Every message that is understood."""
    head = ("message", "sender", "", "must have", "may have", "in front", "also")
    return (
        "\n".join(
            [
                HEAD,
                "# Messages\n",
                "Each message is checked against its rule before any exchange sees it:",
                "[v1/rules.py](../../ringfence/ike/v1/rules.py) has the rules,",
                "[rules.py](../../ringfence/ike/rules.py) the check. Braces mean encrypted.\n",
                "## Main mode, pre-shared key\n",
                *sequence(MAIN_MODE[Proof.HASH]),
                table(head, [row(rule) for rule in MAIN_MODE[Proof.HASH]]),
                "## Quick mode\n",
                *sequence(QUICK_MODE[:3]),
                table(head, [row(rule) for rule in QUICK_MODE]),
                "## Informational\n",
                table(head, [row(INFORMATIONAL), row(INFORMATIONAL_IN_CLEAR)]),
                "## IKEv2\n",
                "A message's payloads tell its form: [v2/rules.py](../../ringfence/ike/v2/rules.py).\n",
                table(head, [row(rule) for rule in RULES]),
            ]
        ).rstrip("\n")
        + "\n"
    )


def reasons() -> str:
    """Every reason to drop a packet or to fail a negotiation."""
    drops, negotiation = meanings(Drop), meanings(Reason)
    told = [
        (f"`{reason.value}`", negotiation[reason.name], "–" if (number := NOTIFY_OF[reason]) is None else
         f"{number.name.replace('_', '-')} ({number.value})")
        for reason in Reason
    ]  # fmt: skip
    return (
        "\n".join(
            [
                HEAD,
                "# Reasons\n",
                "One name each, in code, counters, events and answers.\n",
                "## Why a packet was dropped\n",
                table(("reason", "what it means"), [(f"`{drop.value}`", drops[drop.name]) for drop in Drop]),
                "## Why a negotiation failed, or a message was ignored\n",
                "What we tell the peer is a notify; what nobody authenticated gets none, or few.\n",
                table(("reason", "what it means", "the peer is told"), told),
            ]
        ).rstrip("\n")
        + "\n"
    )


def pages() -> dict[str, str]:
    """The text of each page by its name."""
    return {"lives.md": lives(), "messages.md": messages(), "reasons.md": reasons()}


def main() -> int:
    """Write the pages, or say which are out of date."""
    old = [
        name for name, text in pages().items() if not (FOLDER / name).exists() or (FOLDER / name).read_text() != text
    ]
    if "--check" in sys.argv[1:]:
        for name in old:
            print(f"docs/states/{name} is out of date: python scripts/states.py")
        return 1 if old else 0
    FOLDER.mkdir(exist_ok=True)
    for name in old:
        (FOLDER / name).write_text(pages()[name])
    return 0


if __name__ == "__main__":
    sys.exit(main())
