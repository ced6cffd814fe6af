# SPDX-License-Identifier: Apache-2.0
"""``ringfence policy import`` and ``export``: policies of other programs, brought along and given away.

What cannot be carried over is named, place by place, and makes the exit code 1; the rest is done all the same. No file
is overwritten without ``--force``. Keys go into files of their own that only their owner may read.
"""

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringfence.cli import output, words
from ringfence.cli.document import KeylessOption, read_file
from ringfence.cli.output import Cell, JsonOption, SocketOption

if TYPE_CHECKING:
    from ringfence.control.transfers import ExportAnswer, ImportAnswer, TransferItem
    from ringfence.policy.model import Policy
    from ringfence.transfer.base import Exporter, Format, Imported, LeftOut

SourceArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help='The file to bring along; "-" for standard input.', show_default=False)
]
PolicyArgument = Annotated[
    Path | None,
    typer.Argument(
        metavar="[POLICY]", help="The policy document (TOML); the running one if none is said.", show_default=False
    ),
]
ReadFormatOption = Annotated[
    str, typer.Option("--format", metavar="FORMAT", help="What the file is; otherwise guessed.", show_default=False)
]
MeOption = Annotated[
    str,
    typer.Option("--me", metavar="ADDRESS", help="This computer's address (or left, right), if FILE has two sides.",
                 show_default=False),
]  # fmt: skip
WriteFormatOption = Annotated[
    str, typer.Option("--format", metavar="FORMAT", help="What to write.", show_default=False)
]
ToOption = Annotated[
    Path | None,
    typer.Option("--to", metavar="FILE", help="Write there, not to standard output.", show_default=False),
]
IntoOption = Annotated[
    Path | None,
    typer.Option("--into", metavar="FILE", help="Put it into what FILE has, and keep that (registry.pol).",
                 show_default=False),
]  # fmt: skip
ForceOption = Annotated[bool, typer.Option("--force", help="Overwrite files that are there.")]


def import_(
    source: SourceArgument,
    form: ReadFormatOption = "",
    me: MeOption = "",
    to: ToOption = None,
    force: ForceOption = False,
    json: JsonOption = False,
) -> None:
    """Make a policy document of a policy that another program has. Changes nothing that runs; needs no service.

    With --to the document is written, and beside it a file for each key. Exit code 1: something is left out.
    """
    from ringfence.transfer.base import decode_text

    octets = read_file(source)
    text = decode_text(octets)
    chosen = _reader(form, text, source)
    imported = _read_at(chosen, text, source, me) if me else _read(chosen, octets, text, source)
    document = document_of(source, chosen, imported)
    files = {} if to is None else {**_beside(to, imported.secrets), to: document}
    answer = _answer(source, chosen, imported, document)
    written = write_files(files, private=set(files) - {to}, force=force)
    answer = answer.model_copy(update={"written": written})
    if json:
        output.say_json(answer)
    else:
        if to is None:
            output.say(document)
        _tell(answer, err=to is None)
    if answer.left_out or answer.findings:
        raise typer.Exit(1)


def export(
    policy: PolicyArgument = None,
    form: WriteFormatOption = "",
    to: ToOption = None,
    into: IntoOption = None,
    force: ForceOption = False,
    no_keys: KeylessOption = False,
    socket: SocketOption = None,
    json: JsonOption = False,
) -> None:
    """Write POLICY, or the one that the service follows, in the words of another program.

    Keys stand in what is written, unless --no-keys is said. Exit code 1: something is left out.
    """
    from ringfence.control.errors import BadRequest
    from ringfence.control.transfers import ExportAnswer

    chosen, write = _writer(form)
    found, secrets = _running(socket) if policy is None else _document(policy, keyless=no_keys)
    exported = write(found, secrets)
    if exported.octets is not None and to is None:
        raise BadRequest(f"{chosen.name} is no text that can be shown.", cure="Say where to write it: --to FILE")
    content = exported.text.encode() if exported.octets is None else exported.octets
    content = content if into is None else _merged(chosen, into, content)
    written = [] if to is None else write_files({to: content}, private={to}, force=force)
    answer = ExportAnswer(
        policy=found.name,
        format=chosen.name,
        left_out=_items(exported.left_out),
        written=written,
        text="" if written else exported.text,
    )
    if json:
        output.say_json(answer)
    else:
        if to is None:
            output.say(exported.text.removesuffix("\n"))
        _tell_export(answer, err=to is None)
    if answer.left_out:
        raise typer.Exit(1)


def _reader(form: str, text: str, source: Path) -> "Format":
    from ringfence.control.errors import BadRequest
    from ringfence.transfer.formats import FORMATS, guess, named

    names = [one.name for one in FORMATS if one.readable]
    found = named(form) if form else guess(text, source.name)
    if found is None or not found.readable:
        what = f'--format "{form}" is none that can be read.' if form else f"{source} is in no format that is known."
        raise BadRequest(what, cure=f"Say which it is: --format {' or '.join(names)}")
    return found


def _read(form: "Format", octets: bytes, text: str, source: Path) -> "Imported":
    from ringfence.control.errors import BadRequest

    if form.read_octets is not None:
        return form.read_octets(octets, source.name)
    if form.read is not None:
        return form.read(text, source.name)
    raise BadRequest(f"{form.name} cannot be read.")


def _read_at(form: "Format", text: str, source: Path, me: str) -> "Imported":
    from ringfence.control.errors import BadRequest
    from ringfence.policy.errors import BadWord

    if form.read_at is None:
        raise BadRequest(f"{form.name} speaks of one computer only.", cure="Leave --me out.")
    try:
        return form.read_at(text, source.name, me)
    except BadWord as error:
        raise BadRequest(f"--me is {error.why}.", cure=error.cure) from error


def _writer(form: str) -> "tuple[Format, Exporter]":
    from ringfence.control.errors import BadRequest
    from ringfence.transfer.formats import FORMATS, named

    found = named(form)
    if found is None or found.write is None:
        names = [one.name for one in FORMATS if one.write is not None]
        what = f'--format "{form}" is none that can be written.' if form else "It needs to know what to write."
        raise BadRequest(what, cure=f"Say --format {' or '.join(names)}")
    return found, found.write


def _merged(form: "Format", into: Path, content: bytes) -> bytes:
    from ringfence.control.errors import BadRequest
    from ringfence.errors import IpsecError

    if form.merge is None:
        raise BadRequest(f"{form.name} is not put into other files.", cure="Leave --into out.")
    before = read_file(into)
    try:
        return form.merge(before, content)
    except IpsecError as error:
        raise IpsecError(error.message, place=str(into), cure=error.cure) from error


def _document(path: Path, *, keyless: bool) -> "tuple[Policy, Mapping[str, str]]":
    from ringfence.stores.file import FileStore
    from ringfence.transfer.base import key_text

    loaded = FileStore(path, keyless=keyless).load()
    return loaded.policy, {} if keyless else {name: key_text(key.reveal()) for name, key in loaded.keys.items()}


def _running(socket: Path | None) -> "tuple[Policy, Mapping[str, str]]":
    """The running policy; the service tells nobody its keys."""
    from ringfence.control.client import Client
    from ringfence.policy.document import parse

    with Client(socket) as client:
        view = client.policy()
    return parse(view.settings, name=view.document), {}


def _beside(document: Path, secrets: "Mapping[str, str]") -> dict[Path, str]:
    return {document.parent / name: text for name, text in secrets.items()}


def document_of(source: Path, form: "Format", imported: "Imported") -> str:
    """The document; its first lines say where it comes from, and what is left out."""
    from ringfence.policy.write import canonical

    lines = [f"Brought along from {source.name} ({form.title})."]
    lines += [line for one in imported.left_out for line in (f"Left out: {one}").splitlines()]
    return "".join(f"# {line}\n" for line in lines) + "\n" + canonical(imported.policy)


def _answer(source: Path, form: "Format", imported: "Imported", document: str) -> "ImportAnswer":
    from ringfence.control.transfers import ImportAnswer
    from ringfence.policy.document import parse
    from ringfence.policy.errors import PolicyError

    findings: list[str] = []
    try:
        parse(document, name="the document")
    except PolicyError as error:
        findings = [str(one) for one in error.findings]
    return ImportAnswer(
        source=str(source), format=form.name, carried=_carried(imported.policy), otherwise=_items(imported.notes),
        left_out=_items(imported.left_out), key_files=list(imported.secrets), written=[], findings=findings,
        document=document,
    )  # fmt: skip


def _carried(policy: "Policy") -> list[str]:
    """``2 rules``, ``1 filter list``: what the document has."""
    from ringfence.policy.write import sections_of

    heads = [one.head.strip("[]").partition('."')[0] for one in sections_of(policy)]
    kinds = Counter(head.replace("-", " ").replace(".", " ") for head in heads)
    return [words.count(number, *KINDS.get(kind, (kind,))) for kind, number in kinds.items()]


KINDS = {
    "policy": ("IPsec policy", "IPsec policies"),
    "policy rule": ("rule of its own", "rules of its own"),
    "global": ("table of global settings", "tables of global settings"),
    "main mode": ("main mode rule",),
    "auth set": ("authentication set",),
    "main mode crypto": ("set of main mode settings", "sets of main mode settings"),
    "quick mode crypto": ("set of quick mode settings", "sets of quick mode settings"),
}
"""What people call the tables of a document, where that is not their name."""


def _items(found: "Iterable[LeftOut]") -> "list[TransferItem]":
    from ringfence.control.transfers import TransferItem

    return [TransferItem(place=one.place, words=one.words, why=one.why, cure=one.cure) for one in found]


def _tell(answer: "ImportAnswer", *, err: bool) -> None:
    what = ", ".join(answer.carried) or "nothing"
    output.say(Cell(answer.source, "head"), f" ({answer.format}): carried over {what}", err=err)
    _tell_items("otherwise", answer.otherwise, "warn", err)
    _tell_items("left out", answer.left_out, "bad", err)
    for one in answer.findings:
        output.say(Cell("by hand    ", "bad"), one, err=err)
    for name in answer.written:
        output.say("written    ", name, err=err)
    if answer.written:
        output.say("next       ", f"ringfence policy check {answer.written[-1]}", err=err)
    elif answer.key_files:
        output.say("not written  ", f"{words.listing(answer.key_files)}: say --to FILE", err=err)


def _tell_export(answer: "ExportAnswer", *, err: bool) -> None:
    _tell_items("left out", answer.left_out, "bad", err)
    for name in answer.written:
        output.say("written    ", f"{name}, which only its owner may read, for it may hold keys", err=err)


def _tell_items(label: str, found: "Iterable[TransferItem]", style: str, err: bool) -> None:
    for one in found:
        place = f"{one.place}  " if one.place else ""
        output.say(Cell(f"{label:<11}", style), f"{place}{one.words}: {one.why}", err=err)
        if one.cure:
            output.say(" " * 11, Cell(one.cure, "dim"), err=err)


def write_files(
    files: Mapping[Path, str | bytes], *, private: "set[Path] | set[Path | None]", force: bool
) -> list[str]:
    """Write all of them or none; those in ``private`` for their owner's eyes. Raises IpsecError."""
    from ringfence.errors import IpsecError

    contents = {path: one.encode() if isinstance(one, str) else one for path, one in files.items()}
    for path, octets in contents.items():
        if not force and path.exists() and path.read_bytes() != octets:
            cure = "Say another name by --to, or --force to overwrite."
            raise IpsecError("it is there already, with another content; nothing was written.", place=str(path),
                             cure=cure)  # fmt: skip
    for path, octets in contents.items():
        try:
            _replace(path, octets, 0o600 if path in private else 0o666)
        except OSError as error:
            raise IpsecError(f"it cannot be written: {error.strerror}", place=str(path)) from error
    return list(map(str, files))


def _replace(path: Path, octets: bytes, mode: int) -> None:
    """A whole file or none: made beside, then put in place."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(octets)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
