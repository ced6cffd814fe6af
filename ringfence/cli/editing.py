# SPDX-License-Identifier: Apache-2.0
"""How commands edit a policy document: find it, hold it, change it, say what changed."""

import difflib
import os
import pwd
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from ringfence.cli import output
from ringfence.cli.output import Cell

if TYPE_CHECKING:
    from ringfence.control.edits import EditAnswer
    from ringfence.control.questions import StatementChange
    from ringfence.editing.draft import Draft
    from ringfence.net.flow import FlowKey
    from ringfence.policy.difference import Different
    from ringfence.policy.model import Policy
    from ringfence.policy.source import Source
    from ringfence.stores.writing import Held

DEFAULT_DOCUMENT = Path("/etc/ringfence/policy.toml")

DocumentOption = Annotated[
    Path | None,
    typer.Option(
        "--document",
        "-d",
        metavar="FILE",
        envvar="RINGFENCE_DOCUMENT",
        help=f"The policy document: {DEFAULT_DOCUMENT} unless said otherwise.",
        show_default=False,
    ),
]
SYSTEM_LOG = Path("/dev/log")
NO_LOG = "This edit is recorded nowhere: no system log listens on this computer."
FOLLOWED = "The service follows this document, and takes it up now:  ringfence status"

ForceOption = Annotated[bool, typer.Option("--force", help="Even if it ends your own session.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")]

Action = Callable[["Draft"], "Draft"]

STYLES = {"+": "good", "-": "bad", "~": "warn", "@": "dim"}


def document_of(said: Path | None) -> Path:
    """The document that a command is about."""
    return said or DEFAULT_DOCUMENT


def read(path: Path) -> "Draft":
    """A document as it is; raises PolicyError and StoreError."""
    from ringfence.editing.draft import Draft
    from ringfence.editing.lines import plain
    from ringfence.stores.writing import read_text

    return Draft.read(plain(read_text(path)), name=path.name)


class What(NamedTuple):
    """What an edit is about, for those who read the log."""

    kind: str
    name: str
    edit: str
    """One of ``audit.EDITS``."""


def edit(
    said: Path | None, what: What, action: Action, *, dry_run: bool = False, force: bool = False, json: bool = False
) -> None:
    """Change the document by ``action``, and say what changed; something new may begin a document."""
    from ringfence.stores.writing import hold

    path = document_of(said)
    with hold(path) as held:
        answer, changes = _edit(path, held, action, fresh=what.edit == "added", dry_run=dry_run, force=force)
    if answer.written:
        record(path, what, answer.diff)
    if json:
        output.say_json(answer)
    else:
        _tell(answer, changes, dry_run=dry_run)


def _edit(
    path: Path, held: "Held", action: Action, *, fresh: bool, dry_run: bool, force: bool
) -> "tuple[EditAnswer, tuple[Different, ...]]":
    from ringfence.control.edits import EditAnswer
    from ringfence.editing.draft import Draft
    from ringfence.editing.lines import plain, restored
    from ringfence.stores.errors import StoreError
    from ringfence.stores.writing import NAME_IT, NO_DOCUMENT

    if held.octets is None and not fresh:
        raise StoreError(NO_DOCUMENT, place=str(path), cure=NAME_IT)
    before = Draft.read(plain(held.text), name=path.name, beside=_included(path) if held.octets else ())
    after = action(before)
    changes = _changes(before, after)
    answer = EditAnswer(
        document=str(path), written=False, changes=list(map(_change, changes)), diff=_diff(path, before, after),
        applied="", lines=[],
    )  # fmt: skip
    if not dry_run and after != before:
        beside = held.prepare(restored(held.text, after.text))
        followed = _is_followed(held.path)
        if followed and not force:
            _refuse_lockout(beside)
        held.replace()
        answer = answer.model_copy(update={"written": True, "applied": FOLLOWED if followed else ""})
    return answer, changes


def _included(path: Path) -> "list[Source]":
    """The documents that one includes; raises PolicyError when they are not correct."""
    from ringfence.stores.include import Documents

    documents = Documents(path, path.name, "")
    documents.load()
    return documents.sources[:-1]


def _is_followed(path: Path) -> bool:
    """Whether a service runs that follows this document, and so takes up an edit at once."""
    from ringfence.control.client import Client
    from ringfence.control.errors import ControlError

    try:
        with Client() as client:
            return str(path) in client.status().policy.files
    except ControlError:
        return False


def _refuse_lockout(document: Path) -> None:
    """Raise Refused where the service, following ``document``, would end the caller's own connection."""
    from ringfence.cli.document import read as compiled
    from ringfence.cli.session import own_sessions
    from ringfence.control.errors import Refused
    from ringfence.errors import IpsecError
    from ringfence.policy.explain import parse_flow
    from ringfence.policy.lockout import ended

    sessions = [parse_flow(text)[0] for text in own_sessions()]
    if not sessions:
        return
    try:
        policy = compiled(document).compiled
    except IpsecError:  # the service will not follow it either, and says why
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


def record(path: Path, what: What, diff: str) -> None:
    """Tell the system's log who changed what; keys do not stand in documents."""
    import syslog

    from ringfence.audit import PolicyEdited

    lines = [line for line in diff.splitlines()[2:] if line[:1] in ("+", "-")]
    event = PolicyEdited(
        document=str(path), who=_caller(), kind=what.kind, name=what.name, edit=what.edit, change=" | ".join(lines)
    )
    if not SYSTEM_LOG.exists():
        output.say(Cell(NO_LOG, "warn"), err=True)
        return
    syslog.openlog("ringfence", 0, syslog.LOG_AUTHPRIV)
    syslog.syslog(syslog.LOG_NOTICE, f"{event.NAME}: {event} windows_id={event.windows_id} change={event.change[:800]}")
    syslog.closelog()


def _caller() -> str:
    """Who is at the terminal, be it through sudo."""
    uid = int(os.environ.get("SUDO_UID", os.getuid())) if os.getuid() == 0 else os.getuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = "somebody"
    through = " through sudo" if uid != os.getuid() else ""
    return f"{name} (uid {uid}){through}"


def _policy(draft: "Draft") -> "Policy | None":
    from ringfence.policy.document import parse_documents
    from ringfence.policy.errors import PolicyError

    try:
        return parse_documents(draft.sources)
    except PolicyError:
        return None


def _changes(before: "Draft", after: "Draft") -> "tuple[Different, ...]":
    """What changed, in words; nothing where the document is not correct."""
    from ringfence.policy.difference import difference

    was, now = _policy(before), _policy(after)
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
    if answer.written:
        output.say(f"written    {answer.document}")
        if answer.applied:
            output.say(answer.applied)
