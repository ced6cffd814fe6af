# SPDX-License-Identifier: Apache-2.0
"""``ringfence policy``: what the running service follows, and what a document would mean."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringfence.cli import diff, output, resultant, transfer, words
from ringfence.cli.document import AddressesOption, ProfileOption, facts_for
from ringfence.cli.editing import DocumentOption, RootOption
from ringfence.cli.items import completer, show_item
from ringfence.cli.nouns import add_verbs
from ringfence.cli.output import Cell, Column, JsonOption, Shown, SocketOption
from ringfence.editing.nouns import POLICY

if TYPE_CHECKING:
    from ringfence.control.messages import Entry
    from ringfence.control.questions import Checked

app = typer.Typer(
    help="Show the running policy; check, compare, bring along documents; edit their IPsec policies.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.command("diff")(diff.diff)
app.command("resultant")(resultant.resultant)
app.command("import")(transfer.import_)
app.command("export")(transfer.export)
add_verbs(app, POLICY)

ACTIONS = {"permit": "", "block": "bad", "protect": "good"}
ARROWS = {"both": "<->", "out": "->", "in": "<-"}


NameArgument = Annotated[
    str, typer.Argument(metavar="[NAME]", show_default=False, autocompletion=completer(POLICY), help="An IPsec policy.")
]
EffectiveOption = Annotated[
    bool, typer.Option("--effective", help="Show every setting, and where its value comes from; a document itself.")
]
EntriesOption = Annotated[
    bool, typer.Option("--entries", help="Show each entry as it is carried out on this computer, with all it says.")
]


@app.command()
def show(
    name: NameArgument = "",
    effective: EffectiveOption = False,
    entries: EntriesOption = False,
    document: DocumentOption = None,
    root: RootOption = None,
    socket: SocketOption = None,
    json: JsonOption = False,
) -> None:
    """Show the policy that the service follows; the first entry that matches a packet decides.

    With NAME: the IPsec policy of that name, as the document has it.
    """
    if name:
        show_item(POLICY, name, "", document, root, effective=effective, json=json)
        return
    from ringfence.control.client import Client

    with Client(socket) as client:
        view = client.policy()
    if json:
        output.say_json(view)
        return
    if effective:
        output.document(view.settings)
        return
    now = datetime.now(UTC)
    applied = f"applied {words.clock(view.applied_at, now)}, {words.ago(view.applied_at, now)}"
    output.say(Cell(view.document, "head"), f", {applied}")
    output.say()
    _entries(view.entries, view.default, entries, view.elsewhere)
    _boot(view.boot)


@app.command()
def check(
    document: Annotated[Path, typer.Argument(metavar="POLICY", help="The policy document (TOML).", show_default=False)],
    effective: EffectiveOption = False,
    entries: EntriesOption = False,
    me: AddressesOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Say whether POLICY is correct, and what it would mean on this computer. Changes nothing; needs no service.

    Exit code 1: run and apply would refuse it.
    """
    checked = _checked(document, profile, me)
    if json:
        output.say_json(checked)
    elif checked.correct and effective:
        output.document(checked.settings)
    elif checked.correct:
        _meaning(checked, entries)
    else:
        for finding in checked.findings:
            output.say(finding)
        output.say(Cell("The policy cannot be applied.", "bad"))
    if not checked.correct or checked.refused:
        raise typer.Exit(1)


def _checked(document: Path, profile: str | None, me: list[str] | None) -> "Checked":
    from ringfence.control.entries import entries
    from ringfence.control.questions import Checked
    from ringfence.policy import words as policy_words
    from ringfence.policy.boot import NO_BOOT
    from ringfence.policy.bootwords import summary
    from ringfence.policy.compile import compile_policy
    from ringfence.policy.errors import PolicyError
    from ringfence.policy.validate import validate
    from ringfence.policy.write import effective
    from ringfence.stores.file import FileStore

    try:
        loaded = FileStore(document).load()
        compiled = compile_policy(loaded.policy, facts_for(loaded.policy, me, profile), loaded.keys, loaded.wallet)
    except PolicyError as error:
        return Checked(document=str(document), correct=False, findings=[str(finding) for finding in error.findings])
    return Checked(
        document=str(document),
        correct=True,
        rules=len(loaded.policy),
        settings=effective(loaded.policy),
        entries=entries(compiled.spd, compiled.pad),
        boot=summary(loaded.policy.boot) if loaded.policy.boot != NO_BOOT else "",
        findings=[str(finding) for finding in (*loaded.findings, *validate(loaded.policy, compiled))],
        refused=list(dict.fromkeys(one.rule for one in compiled.refusals)),
        elsewhere=[policy_words.elsewhere(one) for one in compiled.elsewhere.nowhere()],
    )


def _meaning(checked: "Checked", cards: bool) -> None:
    size = f"{words.count(checked.rules, 'rule')}, {words.count(len(checked.entries), 'entry', 'entries')}"
    output.say(Cell(checked.document, "head"), Cell(" is correct", "good"), f": {size} on this computer")
    for finding in checked.findings:
        for line in output.wrap(finding, 0):
            output.say(Cell(line, "warn"))
    if checked.refused:
        why = f": run and apply refuse it, for what is said of {words.listing(checked.refused)}."
        output.say(Cell("This version cannot carry it out", "bad"), why)
    output.say()
    _entries(checked.entries, "permit", cards, checked.elsewhere)
    _boot(checked.boot)


def _boot(said: str) -> None:
    if said:
        output.say()
        output.pairs([("before the service", said)])


def _entries(entries: "list[Entry]", default: str, cards: bool, elsewhere: list[str]) -> None:
    not_here: list[tuple[str, Shown]] = [
        ("" if number else "not here now", one) for number, one in enumerate(elsewhere)
    ]
    if cards:
        _cards(entries)
        output.pairs([*not_here, ("everything else", default)])
    else:
        _table(entries)
        output.say()
        output.pairs([*not_here, *_rest(entries, default)])


def _table(entries: "list[Entry]") -> None:
    columns = [Column("ACTION"), Column("TRAFFIC"), Column("RULE", optional=1), Column("PROTECTION", optional=2)]
    rows: list[list[Shown]] = [
        [Cell(entry.action, ACTIONS.get(entry.action, "")), traffic(entry), entry.rule, _protection(entry)]
        for entry in entries
        if not entry.built_in
    ]
    if rows:
        output.table(columns, rows)


def _rest(entries: "list[Entry]", default: str) -> list[tuple[str, Shown]]:
    built_in = list(dict.fromkeys(entry.rule for entry in entries if entry.built_in))
    rows: list[tuple[str, Shown]] = []
    if built_in:
        names = words.listing([rule.partition(": ")[2] or rule for rule in built_in])
        rows.append(("always in clear", f"{names} (--entries shows how)"))
    return [*rows, ("everything else", default)]


def traffic(entry: "Entry") -> str:
    """``10.0.0.1 <-> 10.0.0.0/24:80 tcp``."""
    protocol = "" if entry.protocol == "any" else f" {entry.protocol}"
    return f"{entry.local} {ARROWS.get(entry.direction, entry.direction)} {entry.remote}{protocol}"


def _protection(entry: "Entry") -> str:
    if not entry.methods:
        return ""
    more = f" + {len(entry.methods) - 1} more" if len(entry.methods) > 1 else ""
    return f"{entry.methods[0]}{more}, {entry.mode}"


def _cards(entries: "list[Entry]") -> None:
    for number, entry in enumerate(entries, 1):
        output.say(Cell(f"{number}. {entry.action}", ACTIONS.get(entry.action) or "head"), f"  {traffic(entry)}")
        output.pairs(_card(entry), indent=3)
        output.say()


def _card(entry: "Entry") -> Iterator[tuple[str, Shown]]:
    yield "because", entry.origin
    if entry.action != "protect":
        return
    yield "mode", f"{entry.mode}, {entry.tunnel}" if entry.tunnel else entry.mode
    yield "methods", ", ".join(entry.methods)
    yield "main mode", ", ".join(entry.main_mode)
    yield "auth", ", ".join(entry.auth)
    yield "second key exchange", entry.pfs or "none: quick mode keys come from main mode's"
    yield (
        "inward",
        "request: clear packets may come in, too" if entry.clear_in else "require: clear packets are dropped",
    )
    yield (
        "outward",
        "request: in clear when the peer has no security"
        if entry.clear_out
        else "require: nothing leaves without security",
    )
