# SPDX-License-Identifier: Apache-2.0
"""``ringfence consec``, ``filter`` and so on: a command for each kind of objects, all with the same verbs.

What settings there are is the document's affair: a command hands on whatever it is told, and the decoder's answer is
the command's.
"""

from typing import Annotated

import typer

from ringfence.cli.editing import DocumentOption, DryRunOption, ForceOption, RootOption, Way, edit
from ringfence.cli.items import completer, list_items, policy_completer, show_item
from ringfence.cli.output import JsonOption
from ringfence.cli.recording import What
from ringfence.editing.nouns import MAIN_MODE, NOUNS, POLICY, Form, Noun

SETTINGS_HELP = "--with 10.77.0.0/24 or with=10.77.0.0/24; protect+=… adds to a list, protect-=… takes out."
TAKES_SETTINGS = {"ignore_unknown_options": True}

EffectiveOption = Annotated[bool, typer.Option("--effective", help="With every setting, and where its value is from.")]
SettingsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="SETTING...", help=SETTINGS_HELP, show_default=False)
]
UnsetOption = Annotated[
    list[str] | None, typer.Option("--unset", metavar="SETTING", help="Say it no longer.", show_default=False)
]


def make_app(noun: Noun) -> typer.Typer:
    """The command of one kind."""
    app = typer.Typer(help=f"Edit {noun.titles} in a policy document.", no_args_is_help=True, rich_markup_mode=None)
    if noun.form is Form.SINGLE:
        _add_single(app, noun)
    else:
        add_verbs(app, noun)
        _add_show(app, noun)
    return app


def add_verbs(app: typer.Typer, noun: Noun) -> None:
    """Give ``app`` what can be done with objects that have names, but for showing one."""
    name = typer.Argument(metavar="NAME", show_default=False, autocompletion=completer(noun))
    of = typer.Option(
        "--policy", metavar="POLICY", help="The IPsec policy that it belongs to; needed where there are several.",
        show_default=False, hidden=noun.form is not Form.WITHIN, autocompletion=policy_completer,
    )  # fmt: skip

    @app.command("new", context_settings=TAKES_SETTINGS, help=f"Write a new {noun.title}.")
    def new(
        name: Annotated[str, name],
        settings: SettingsArgument = None,
        of: Annotated[str, of] = "",
        document: DocumentOption = None,
        root: RootOption = None,
        dry_run: DryRunOption = False,
        force: ForceOption = False,
        json: JsonOption = False,
    ) -> None:
        from ringfence.editing import edit as edits
        from ringfence.editing.words import read_words

        said = read_words(settings or [])
        edit(
            What(noun.title, name, "added"),
            lambda draft: edits.new(draft, noun, _named(name), said, _of(noun, of)),
            Way(document, root, dry_run, force, json),
        )

    @app.command("set", context_settings=TAKES_SETTINGS, help=f"Change settings of {_a(noun)}.")
    def set_(
        name: Annotated[str, name],
        settings: SettingsArgument = None,
        unset: UnsetOption = None,
        of: Annotated[str, of] = "",
        document: DocumentOption = None,
        root: RootOption = None,
        dry_run: DryRunOption = False,
        force: ForceOption = False,
        json: JsonOption = False,
    ) -> None:
        from ringfence.editing import edit as edits
        from ringfence.editing.words import read_words

        said = read_words(settings or [])
        edit(
            What(noun.title, name, "modified"),
            lambda draft: edits.change(draft, noun, _named(name), said, unset or [], _of(noun, of)),
            Way(document, root, dry_run, force, json),
        )

    @app.command("list", help=f"List the {noun.titles}.")
    def list_(document: DocumentOption = None, root: RootOption = None, json: JsonOption = False) -> None:
        list_items(noun, document, root, json)

    @app.command("rename", help=f"Call {_a(noun)} by another name{_everywhere(noun)}.")
    def rename(
        name: Annotated[str, name],
        to: Annotated[str, typer.Argument(metavar="NEW", show_default=False)],
        of: Annotated[str, of] = "",
        document: DocumentOption = None,
        root: RootOption = None,
        dry_run: DryRunOption = False,
        json: JsonOption = False,
    ) -> None:
        from ringfence.editing import edit as edits

        edit(
            What(noun.title, name, "modified"),
            lambda draft: edits.rename(draft, noun, name, _named(to), _of(noun, of)),
            Way(document, root, dry_run, json=json),
        )

    @app.command("delete", help=f"Delete {_a(noun)}{_only_if(noun)}.")
    def delete(
        name: Annotated[str, name],
        of: Annotated[str, of] = "",
        document: DocumentOption = None,
        root: RootOption = None,
        dry_run: DryRunOption = False,
        force: ForceOption = False,
        json: JsonOption = False,
    ) -> None:
        from ringfence.editing import edit as edits

        edit(
            What(noun.title, name, "deleted"),
            lambda draft: edits.delete(draft, noun, name, _of(noun, of)),
            Way(document, root, dry_run, force, json),
        )

    if noun is POLICY:
        _add_assigning(app)
    if noun is MAIN_MODE:
        _add_moving(app, noun)


def _add_moving(app: typer.Typer, noun: Noun) -> None:
    """What is for objects whose order counts."""
    one = typer.Argument(metavar="NAME", show_default=False, autocompletion=completer(noun))
    other = typer.Option("--before", metavar="OTHER", help="Which one it shall come before.", show_default=False,
                         autocompletion=completer(noun))  # fmt: skip

    @app.command("move", help=f"Put {_a(noun)} before another one: of those about both addresses the first decides.")
    def move(
        name: Annotated[str, one],
        before: Annotated[str, other],
        document: DocumentOption = None,
        root: RootOption = None,
        dry_run: DryRunOption = False,
        force: ForceOption = False,
        json: JsonOption = False,
    ) -> None:
        from ringfence.editing import edit as edits

        edit(
            What(noun.title, name, "modified"),
            lambda draft: edits.move(draft, noun, name, before),
            Way(document, root, dry_run, force, json),
        )


def _add_show(app: typer.Typer, noun: Noun) -> None:
    name = typer.Argument(metavar="NAME", show_default=False, autocompletion=completer(noun))
    of = typer.Option("--policy", metavar="POLICY", help="The IPsec policy that it belongs to.", show_default=False,
                      hidden=noun.form is not Form.WITHIN, autocompletion=policy_completer)  # fmt: skip

    @app.command("show", help=f"Show {_a(noun)} as the document has it.")
    def show(
        name: Annotated[str, name],
        effective: EffectiveOption = False,
        of: Annotated[str, of] = "",
        document: DocumentOption = None,
        root: RootOption = None,
        json: JsonOption = False,
    ) -> None:
        show_item(noun, name, _of(noun, of), document, root, effective=effective, json=json)


def _add_assigning(app: typer.Typer) -> None:
    name = typer.Argument(metavar="NAME", show_default=False, autocompletion=completer(POLICY))

    @app.command("assign", help="Have this computer follow an IPsec policy, and no other.")
    def assign(
        name: Annotated[str, name],
        document: DocumentOption = None,
        root: RootOption = None,
        dry_run: DryRunOption = False,
        force: ForceOption = False,
        json: JsonOption = False,
    ) -> None:
        from ringfence.editing import edit as edits

        edit(
            What(POLICY.title, name, "modified"),
            lambda draft: edits.assign(draft, name),
            Way(document, root, dry_run, force, json),
        )

    @app.command("unassign", help="Have this computer follow an IPsec policy no longer; it stays in the document.")
    def unassign(
        name: Annotated[str, name],
        document: DocumentOption = None,
        root: RootOption = None,
        dry_run: DryRunOption = False,
        force: ForceOption = False,
        json: JsonOption = False,
    ) -> None:
        from ringfence.editing import edit as edits

        edit(
            What(POLICY.title, name, "modified"),
            lambda draft: edits.unassign(draft, name),
            Way(document, root, dry_run, force, json),
        )


def _add_single(app: typer.Typer, noun: Noun) -> None:
    """What can be done with that of which there is one."""

    @app.command("set", context_settings=TAKES_SETTINGS, help=f"Change the {noun.titles}.")
    def set_(
        settings: SettingsArgument = None,
        unset: UnsetOption = None,
        document: DocumentOption = None,
        root: RootOption = None,
        dry_run: DryRunOption = False,
        force: ForceOption = False,
        json: JsonOption = False,
    ) -> None:
        from ringfence.editing import edit as edits
        from ringfence.editing.words import read_words

        said = read_words(settings or [])
        edit(
            What(noun.title, "", "modified"),
            lambda draft: edits.change(draft, noun, "", said, unset or []),
            Way(document, root, dry_run, force, json),
        )

    @app.command("show", help=f"Show the {noun.titles} as the document has them.")
    def show(
        effective: EffectiveOption = False,
        document: DocumentOption = None,
        root: RootOption = None,
        json: JsonOption = False,
    ) -> None:
        show_item(noun, "", "", document, root, effective=effective, json=json)

    @app.command("delete", help=f"Take out all {noun.titles}: from then on the defaults hold.")
    def delete(
        document: DocumentOption = None,
        root: RootOption = None,
        dry_run: DryRunOption = False,
        force: ForceOption = False,
        json: JsonOption = False,
    ) -> None:
        from ringfence.editing import edit as edits

        edit(
            What(noun.title, "", "deleted"),
            lambda draft: edits.delete(draft, noun, ""),
            Way(document, root, dry_run, force, json),
        )


def add_nouns(app: typer.Typer) -> None:
    """Give ``ringfence`` the command of each kind; IPsec policies are with ``policy`` already."""
    for noun in NOUNS:
        if noun is not POLICY:
            app.add_typer(make_app(noun), name=noun.word, short_help=f"Edit {noun.titles}.")


def _a(noun: Noun) -> str:
    return f"{'an' if noun.title[0] in 'aeiouI' else 'a'} {noun.title}"


def _everywhere(noun: Noun) -> str:
    return ", wherever it is named" if noun.form is Form.NAMED else ""


def _only_if(noun: Noun) -> str:
    if noun is POLICY:
        return " with its rules"
    return "; not as long as others refer to it" if noun.form is Form.NAMED else ""


def _of(noun: Noun, said: str) -> str:
    """The policy of a rule; raises BadSettings where something else is asked for one."""
    from ringfence.editing.errors import BadSettings

    if said and noun.form is not Form.WITHIN:
        raise BadSettings(f"{noun.titles} do not belong to an IPsec policy.", cure="Leave --policy out.")
    return said


def _named(name: str) -> str:
    """A name; raises BadSettings when it is an option."""
    from ringfence.editing.errors import BadSettings

    if name.startswith("--"):
        raise BadSettings(f"{name} stands where the name belongs.", cure='The name comes first: new "NAME" --with …')
    return name
