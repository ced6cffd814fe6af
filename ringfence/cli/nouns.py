# SPDX-License-Identifier: Apache-2.0
"""``ringfence consec``, ``filter`` and so on: a command for each kind of objects, all with the same verbs.

What settings there are is the document's affair: a command hands on whatever it is told, and the decoder's answer is
the command's.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringfence.cli import output
from ringfence.cli.editing import DocumentOption, DryRunOption, ForceOption, What, document_of, edit, read
from ringfence.cli.output import Cell, Column, JsonOption, Shown
from ringfence.editing.nouns import NOUNS, Noun

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringfence.control.edits import ItemView
    from ringfence.editing.draft import Draft, Item

SETTINGS_HELP = "--with 10.77.0.0/24 or with=10.77.0.0/24; protect+=… adds to a list, protect-=… takes out."
TAKES_SETTINGS = {"ignore_unknown_options": True}


def make_app(noun: Noun) -> typer.Typer:
    """The command of one kind."""
    app = typer.Typer(help=f"Edit the {noun.titles} of a policy document.", no_args_is_help=True, rich_markup_mode=None)
    name = typer.Argument(metavar="NAME", show_default=False, autocompletion=_completer(noun))
    settings = typer.Argument(metavar="SETTING...", help=SETTINGS_HELP, show_default=False)

    @app.command("new", context_settings=TAKES_SETTINGS, help=f"Write a new {noun.title}.")
    def new(
        name: Annotated[str, name],
        settings: Annotated[list[str] | None, settings] = None,
        document: DocumentOption = None,
        dry_run: DryRunOption = False,
        force: ForceOption = False,
        json: JsonOption = False,
    ) -> None:
        from ringfence.editing import edit as edits
        from ringfence.editing.words import read_words

        said = read_words(settings or [])
        edit(document, What(noun.title, name, "added"), lambda draft: edits.new(draft, noun, _named(name), said),
             dry_run=dry_run, force=force, json=json)  # fmt: skip

    @app.command("set", context_settings=TAKES_SETTINGS, help=f"Change settings of a {noun.title}.")
    def set_(
        name: Annotated[str, name],
        settings: Annotated[list[str] | None, settings] = None,
        unset: Annotated[
            list[str] | None, typer.Option("--unset", metavar="SETTING", help="Say it no longer.", show_default=False)
        ] = None,
        document: DocumentOption = None,
        dry_run: DryRunOption = False,
        force: ForceOption = False,
        json: JsonOption = False,
    ) -> None:
        from ringfence.editing import edit as edits
        from ringfence.editing.words import read_words

        said = read_words(settings or [])
        edit(document, What(noun.title, name, "modified"),
             lambda draft: edits.change(draft, noun, _named(name), said, unset or []),
             dry_run=dry_run, force=force, json=json)  # fmt: skip

    @app.command("list", help=f"List the {noun.titles}.")
    def list_(document: DocumentOption = None, json: JsonOption = False) -> None:
        _list(noun, document_of(document), json)

    @app.command("show", help=f"Show a {noun.title} as the document has it.")
    def show(name: Annotated[str, name], document: DocumentOption = None, json: JsonOption = False) -> None:
        _show(noun, name, document_of(document), json)

    @app.command("rename", help=f"Call a {noun.title} by another name, wherever it is named.")
    def rename(
        name: Annotated[str, name],
        to: Annotated[str, typer.Argument(metavar="NEW", show_default=False)],
        document: DocumentOption = None,
        dry_run: DryRunOption = False,
        json: JsonOption = False,
    ) -> None:
        from ringfence.editing import edit as edits

        edit(document, What(noun.title, name, "modified"), lambda draft: edits.rename(draft, noun, name, to),
             dry_run=dry_run, json=json)  # fmt: skip

    @app.command("delete", help=f"Delete a {noun.title}; not as long as others refer to it.")
    def delete(
        name: Annotated[str, name],
        document: DocumentOption = None,
        dry_run: DryRunOption = False,
        force: ForceOption = False,
        json: JsonOption = False,
    ) -> None:
        from ringfence.editing import edit as edits

        edit(document, What(noun.title, name, "deleted"), lambda draft: edits.delete(draft, noun, name),
             dry_run=dry_run, force=force, json=json)  # fmt: skip

    return app


def add_nouns(app: typer.Typer) -> None:
    """Give ``ringfence`` the command of each kind."""
    for noun in NOUNS:
        app.add_typer(make_app(noun), name=noun.word, short_help=f"Edit {noun.titles}.")


def _named(name: str) -> str:
    """A name; raises BadSettings when it is an option."""
    from ringfence.editing.errors import BadSettings

    if name.startswith("--"):
        raise BadSettings(f"{name} stands where the name belongs.", cure='The name comes first: new "NAME" --with …')
    return name


def _completer(noun: Noun) -> "Callable[[typer.Context, str], list[str]]":
    def complete(ctx: typer.Context, incomplete: str) -> list[str]:
        """The names of the document; none where it cannot be read."""
        try:
            found = read(document_of(ctx.params.get("document"))).items(noun)
        except Exception:
            return []
        return [item.name for item in found if item.name.startswith(incomplete)]

    return complete


def _list(noun: Noun, path: Path, json: bool) -> None:
    from ringfence.control.edits import ItemsAnswer

    draft = read(path)
    views = [_view(draft, item) for item in draft.items(noun)]
    if json:
        output.say_json(ItemsAnswer(document=str(path), items=views))
        return
    if not views:
        output.say(f"{path} has no {noun.titles}.")
        return
    columns = [Column("NAME"), Column("SAYS", optional=1), Column("PLACE", optional=2)]
    rows: list[list[Shown]] = [
        [Cell(view.name, "dim" if view.says.get("enabled") is False else ""), _gist(view), view.place] for view in views
    ]
    output.table(columns, rows)


def _show(noun: Noun, name: str, path: Path, json: bool) -> None:
    draft = read(path)
    view = _view(draft, draft.find(noun, name))
    if json:
        output.say_json(view)
        return
    output.say(Cell(f"# {view.place}", "dim"))
    output.say(view.text.rstrip("\n"))


def _view(draft: "Draft", item: "Item") -> "ItemView":
    from ringfence.control.edits import ItemView

    line, text = draft.extract(item)
    return ItemView(kind=item.noun.title, name=item.name, place=f"{draft.name}:{line}", says=dict(item.data), text=text)


def _gist(view: "ItemView") -> str:
    """Its settings in a line."""
    from ringfence.editing.toml import toml_value

    said = {key: value for key, value in view.says.items() if key not in ("name", "description")}
    text = ", ".join(f"{key} = {toml_value(value)}" for key, value in said.items())
    return text if len(text) <= 100 else f"{text[:97]}..."
