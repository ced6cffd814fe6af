# SPDX-License-Identifier: Apache-2.0
"""``ringfence policy resultant``: which stores the policy is put together from, and what of them does not hold."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringfence.cli import output
from ringfence.cli.output import Cell, Column, JsonOption, Shown, SocketOption
from ringfence.cli.run import named_stores

if TYPE_CHECKING:
    from ringfence.control.messages import SetAsideView, StoreView
    from ringfence.control.questions import ResultantAnswer


def resultant(
    store: Annotated[
        list[str] | None,
        typer.Option(
            "--store",
            metavar="NAME=PATH",
            help="Ask of these (local=PATH, persistent=PATH, directory=PATH, group-policy=PATH), not of the service.",
            show_default=False,
        ),
    ] = None,
    socket: SocketOption = None,
    json: JsonOption = False,
) -> None:
    """Show the stores that the policy is put together from, and what of them does not hold, with the reason."""
    answer = _of_documents(named_stores(None, store)) if store else _of_service(socket)
    if json:
        output.say_json(answer)
    else:
        _stores(answer.stores)
        output.say()
        _set_aside(answer.set_aside)
    if any(one.refused for one in answer.stores):
        raise typer.Exit(1)


def _of_service(socket: Path | None) -> "ResultantAnswer":
    from ringfence.control.client import Client
    from ringfence.control.questions import ResultantAnswer

    with Client(socket) as client:
        view = client.policy()
    return ResultantAnswer(stores=view.stores, set_aside=view.set_aside, settings=view.settings)


def _of_documents(paths: dict[str, Path]) -> "ResultantAnswer":
    from ringfence.backends.hostfacts import host_facts
    from ringfence.control.questions import ResultantAnswer
    from ringfence.control.storing import set_aside_views, store_views
    from ringfence.net.address import format_address
    from ringfence.policy.write import effective
    from ringfence.stores.opening import open_store
    from ringfence.stores.several import Stores

    several = len(paths) > 1

    def addresses() -> list[str]:
        return list(map(format_address, host_facts().addresses))

    stores = Stores({
        name: open_store(name, path, several=several, keyless=True, addresses=addresses)
        for name, path in paths.items()
    })  # fmt: skip
    loaded = stores.load()
    return ResultantAnswer(
        stores=store_views(loaded.stores),
        set_aside=set_aside_views(loaded.set_aside),
        settings=effective(loaded.policy, loaded.set_aside),
    )


def _stores(stores: "list[StoreView]") -> None:
    columns = [Column("STORE"), Column("STATEMENTS", right=True), Column("DOCUMENT"), Column("STATE", optional=1)]
    rows: list[list[Shown]] = [
        [one.name, "" if one.refused and not one.document else str(one.rules), one.document or "none", _state(one)]
        for one in stores
    ]
    output.table(columns, rows)
    for one in stores:
        if one.refused:
            output.say()
            output.say(Cell(f"The {one.name} store is not as its documents are now:", "bad"))
            output.say(one.refused)


def _state(store: "StoreView") -> Cell:
    if store.refused:
        return Cell("as it was before" if store.document else "refused", "bad")
    return Cell(store.note or ("in force" if store.rules else "empty"), "warn" if store.note else "")


def _set_aside(found: "list[SetAsideView]") -> None:
    if not found:
        output.say("Nothing is set aside. All settings, and where they come from:  ringfence policy show --effective")
        return
    output.say(Cell("Set aside:", "head"))
    for one in found:
        output.say(f"  {one.what}   {one.place} ({one.store} store)")
        output.say(f"      {one.why}" + (f" ({one.winner})" if one.winner else ""))
