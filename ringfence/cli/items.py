# SPDX-License-Identifier: Apache-2.0
"""The objects of a document, listed and shown."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ringfence.cli import output
from ringfence.cli.editing import read
from ringfence.cli.output import Cell, Column, Shown
from ringfence.editing.nouns import POLICY, Form, Noun
from ringfence.errors import IpsecError

if TYPE_CHECKING:
    from ringfence.control.edits import ItemView
    from ringfence.editing.draft import Draft, Item


def completer(noun: Noun) -> "Callable[[typer.Context, str], list[str]]":
    """Completes names of that kind."""

    def complete(ctx: typer.Context, incomplete: str) -> list[str]:
        try:
            _, draft = read(ctx.params.get("document"), ctx.params.get("root"))
        except (IpsecError, OSError):  # where it cannot be read there is nothing to offer
            return []
        return [item.name for item in draft.items(noun) if item.name.startswith(incomplete)]

    return complete


policy_completer = completer(POLICY)


def list_items(noun: Noun, document: Path | None, root: Path | None, json: bool) -> None:
    """All objects of a kind, a line for each."""
    from ringfence.control.edits import ItemsAnswer

    path, draft = read(document, root)
    views = [_view(draft, item) for item in draft.items(noun)]
    if json:
        output.say_json(ItemsAnswer(document=str(path), items=views))
        return
    if not views:
        output.say(f"{path} has no {noun.titles}.")
        return
    columns = [Column("NAME"), *_more_columns(noun), Column("SAYS", optional=1), Column("PLACE", optional=2)]
    output.table(columns, [_row(noun, view) for view in views])


def _more_columns(noun: Noun) -> list[Column]:
    match noun.form:
        case Form.WITHIN:
            return [Column("POLICY")]
        case Form.POLICIES:
            return [Column("ASSIGNED")]
        case _:
            return []


def _row(noun: Noun, view: "ItemView") -> list[Shown]:
    row: list[Shown] = [Cell(view.name, "dim" if view.says.get("enabled") is False else "")]
    if noun.form is Form.WITHIN:
        row.append(view.policy or "")
    elif noun.form is Form.POLICIES:
        row.append(Cell("yes", "good") if view.assigned else "no")
    return [*row, _gist(view), view.place]


def show_item(
    noun: Noun, name: str, of: str, document: Path | None, root: Path | None, *, effective: bool, json: bool
) -> None:
    """One object as the document has it, or with every setting; raises NoSuch."""
    _, draft = read(document, root)
    item = _item(draft, noun, name, of, effective=effective)
    view = _view(draft, item, effective=effective)
    if json:
        output.say_json(view)
        return
    if not effective:
        output.say(Cell(f"# {view.place}", "dim"))
    output.document(view.text)


def _item(draft: "Draft", noun: Noun, name: str, of: str, *, effective: bool) -> "Item":
    from ringfence.editing.draft import Item

    if noun.form is Form.SINGLE and effective and not draft.items(noun):
        return Item(noun, "", (noun.key,), {})  # nobody says it, and so the defaults hold
    return draft.find(noun, name, of)


def _view(draft: "Draft", item: "Item", *, effective: bool = False) -> "ItemView":
    from ringfence.control.edits import ItemView
    from ringfence.editing.edit import is_assigned
    from ringfence.editing.effective import effective_sections, effective_text_of

    line, text = draft.extract(item)
    view = ItemView(
        kind=item.noun.title, name=item.name, place=f"{draft.name}:{line}", says=dict(item.data), text=text,
        policy=item.of or None, assigned=is_assigned(item) if item.noun is POLICY else None,
    )  # fmt: skip
    if not effective:
        return view
    said = {one.name: one.text for one in effective_sections(draft, item)[0].settings}
    return view.model_copy(update={"effective": said, "text": effective_text_of(draft, item)})


def _gist(view: "ItemView") -> str:
    """Its settings in a line."""
    from ringfence.editing.toml import toml_value

    aside = ("name", "description", "assigned", "rule")
    said = {key: value for key, value in view.says.items() if key not in aside}
    text = ", ".join(f"{key} = {toml_value(value)}" for key, value in said.items())
    return text if len(text) <= 100 else f"{text[:97]}..."
