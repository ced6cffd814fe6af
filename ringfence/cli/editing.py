# SPDX-License-Identifier: Apache-2.0
"""How commands edit a policy document: find it, hold it, change it, say what changed."""

import difflib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from ringfence.cli import output
from ringfence.cli.output import Cell
from ringfence.cli.recording import What, change_said, record
from ringfence.cli.whole import DEFAULT_DOCUMENT, compiled, document_of, draft_of, planned, policy_of, root_of, running

if TYPE_CHECKING:
    from ringfence.control.edits import EditAnswer
    from ringfence.control.questions import StatementChange
    from ringfence.editing.draft import Draft
    from ringfence.net.flow import FlowKey
    from ringfence.policy.difference import Different
    from ringfence.policy.model import Policy
    from ringfence.stores.writing import Held

DocumentOption = Annotated[
    Path | None,
    typer.Option(
        "--document",
        "-d",
        metavar="FILE",
        envvar="RINGFENCE_DOCUMENT",
        help=f"The policy document; else the one that the service follows, or {DEFAULT_DOCUMENT}.",
        show_default=False,
    ),
]
RootOption = Annotated[
    Path | None,
    typer.Option(
        "--root", metavar="FILE", help="The document that includes it, and with which it is judged.", show_default=False
    ),
]
FOLLOWED = "The service follows this document, and takes it up now:  ringfence status"

ForceOption = Annotated[bool, typer.Option("--force", help="Even if it ends your own session.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")]

Action = Callable[["Draft"], "Draft"]

STYLES = {"+": "good", "-": "bad", "~": "warn", "@": "dim"}


class Way(NamedTuple):
    """How an edit is made."""

    document: Path | None = None
    root: Path | None = None
    dry_run: bool = False
    force: bool = False
    json: bool = False


def read(said: Path | None, root: Path | None = None) -> "tuple[Path, Draft]":
    """A document as it is, in its whole; raises PolicyError and StoreError."""
    from ringfence.stores.writing import read_text

    state = running() if said is None or root is None else None
    path = document_of(said, state)
    text = read_text(path)
    return path, draft_of(path, text, root_of(path, root, state))


def edit(what: What, action: Action, way: Way) -> None:
    """Change the document by ``action``, and say what changed; something new may begin a document."""
    from ringfence.stores.writing import hold

    state = running()
    path = document_of(way.document, state)
    root = root_of(path, way.root, state)
    followed = state is not None and str(path.resolve()) in state.files
    with hold(path) as held:
        answer, changes = _edit(path, root, held, action, way, what, followed=followed)
    if answer.written:
        record(held.path, what, change_said(changes, answer.diff), followed=followed)
    if way.json:
        output.say_json(answer)
    else:
        _tell(answer, changes, dry_run=way.dry_run)


def _edit(
    path: Path, root: Path, held: "Held", action: Action, way: Way, what: What, *, followed: bool
) -> "tuple[EditAnswer, tuple[Different, ...]]":
    from ringfence.control.edits import EditAnswer
    from ringfence.editing.lines import restored
    from ringfence.stores.errors import StoreError
    from ringfence.stores.writing import NAME_IT, NO_DOCUMENT

    if held.octets is None and what.edit != "added" and what.name:
        raise StoreError(NO_DOCUMENT, place=str(path), cure=NAME_IT)
    before = draft_of(path, held.text, root, fresh=held.octets is None)
    after = action(before)
    was, now = policy_of(before), policy_of(after)
    changes = _changes(was, now)
    answer = EditAnswer(
        document=str(path), written=False, changes=list(map(_change, changes)), diff=_diff(path, before, after),
        applied="", lines=_plan(was, now) if way.dry_run and after != before else [], note=_note(what, now),
    )  # fmt: skip
    if not way.dry_run and after != before:
        if followed and not way.force:
            _refuse_lockout(now)
        held.prepare(restored(held.text, after.text))
        held.replace()
        answer = answer.model_copy(update={"written": True, "applied": FOLLOWED if followed else ""})
    return answer, changes


def _plan(before: "Policy | None", after: "Policy | None") -> list[str]:
    plan = planned(before, after)
    return [] if plan is None else list(plan.lines())


def _note(what: What, now: "Policy | None") -> str:
    """Which IPsec policy is assigned, for who edits them."""
    from ringfence.editing.nouns import POLICY, RULE

    if now is None or not now.unassigned or what.kind not in (POLICY.title, RULE.title):
        return ""
    if now.ipsec is None:
        name = what.name if what.kind == POLICY.title and what.edit == "added" else now.unassigned[0].title
        return f'No IPsec policy is assigned. To have one followed:  ringfence policy assign "{name}"'
    if what.edit == "added" and what.kind == POLICY.title and what.name != now.ipsec.title:
        return f'"{now.ipsec.title}" stays the assigned one. To change that:  ringfence policy assign "{what.name}"'
    return ""


def _refuse_lockout(after: "Policy | None") -> None:
    """Raise Refused where the service, following this, would end the caller's own connection."""
    from ringfence.cli.session import own_sessions
    from ringfence.control.errors import Refused
    from ringfence.policy.explain import parse_flow
    from ringfence.policy.lockout import ended

    sessions = [parse_flow(text)[0] for text in own_sessions()]
    policy = compiled(after) if sessions else None
    if policy is None:  # where it cannot be applied, the service says why
        return
    lost = next(ended(policy, sessions, _secured), None)
    if lost is not None:
        raise Refused(f"This would end your own session: {lost}. Nothing was written.",
                      cure="Exempt it first, or say --force if you mean it.")  # fmt: skip


def _secured(session: "FlowKey") -> bool:
    """Whether there is an SA with the other end now."""
    from ringfence.control.client import Client
    from ringfence.net.address import format_address

    peer = format_address(session.destination)
    with Client() as client:
        return any(one.peer == peer for one in client.sas().quick_modes)


def _changes(was: "Policy | None", now: "Policy | None") -> "tuple[Different, ...]":
    """What changed, in words; nothing where the document is not correct."""
    from ringfence.policy.difference import difference

    return () if was is None or now is None else difference(was, now)


def _change(one: "Different") -> "StatementChange":
    from ringfence.control.questions import SettingChange, StatementChange

    settings = [SettingChange(name=each.name, was=each.was, now=each.now) for each in one.settings]
    return StatementChange(kind=one.kind, what=one.subject, place=one.place, settings=settings)


def _diff(path: Path, before: "Draft", after: "Draft") -> str:
    was, now = before.text.splitlines(), after.text.splitlines()
    return "\n".join(difflib.unified_diff(was, now, str(path), str(path), n=2, lineterm=""))


def _tell(answer: "EditAnswer", changes: "Iterable[Different]", *, dry_run: bool) -> None:
    if not answer.diff:
        output.say("Nothing changes: the document says that already.")
        return
    if dry_run or not changes:
        for line in answer.diff.splitlines()[2:]:
            output.say(Cell(line, STYLES.get(line[:1], "")))
    else:
        for one in changes:
            first, *more = one.lines()
            output.say(Cell(first, STYLES[first[0]]))
            for line in more:
                output.say(line.replace("\n", " "))
    if dry_run:
        _tell_plan(answer.lines)
    if answer.written:
        output.say(f"written    {answer.document}")
        for line in filter(None, (answer.applied, answer.note)):
            output.say(line)


def _tell_plan(lines: list[str]) -> None:
    output.say()
    if not lines:
        output.say(Cell("What would change on this computer cannot be told: the document has mistakes.", "warn"))
        return
    output.say(Cell("What would change on this computer:", "head"))
    for line in lines:
        output.say(f"  {line}")
