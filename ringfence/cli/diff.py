# SPDX-License-Identifier: Apache-2.0
"""``ringfence policy diff``: how two documents differ, in words."""

from pathlib import Path
from typing import Annotated

import typer

from ringfence.cli import output
from ringfence.cli.document import AddressesOption, KeylessOption, read
from ringfence.cli.output import Cell, JsonOption

STYLES = {"+": "good", "-": "bad", "~": "warn"}


def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="A policy document.", show_default=False)],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="Another.", show_default=False)],
    me: AddressesOption = None,
    no_keys: KeylessOption = False,
    json: JsonOption = False,
) -> None:
    """Say how NEW differs from OLD: rule by rule, setting by setting, and what would change on this computer.

    Exit code 1: they differ.
    """
    from ringfence.control.questions import DiffAnswer, SettingChange, StatementChange
    from ringfence.policy.difference import difference
    from ringfence.policy.plan import plan

    before, after = read(old, me, keyless=no_keys), read(new, me, keyless=no_keys)
    found = difference(before.loaded.policy, after.loaded.policy)
    planned = plan(before.compiled, after.compiled)
    answer = DiffAnswer(
        old=str(old),
        new=str(new),
        same=not (found or planned),
        statements=[
            StatementChange(
                kind=one.kind, what=one.subject, place=one.place,
                settings=[SettingChange(name=each.name, was=each.was, now=each.now) for each in one.settings],
            )
            for one in found
        ],
        summary=planned.summary(),
        lines=list(planned.lines()),
    )  # fmt: skip
    if json:
        output.say_json(answer)
    else:
        for one in found:
            first, *more = one.lines()
            output.say(Cell(first, STYLES[first[0]]))
            for line in more:
                output.say(line)
        _show(answer.summary, answer.lines, stated=bool(found), here="there" if me else "on this computer")
    if not answer.same:
        raise typer.Exit(1)


def _show(summary: str, lines: list[str], *, stated: bool, here: str) -> None:
    if not stated:
        output.say("Both documents say the same.")
    output.say()
    output.say(Cell(f"What changes {here}: ", "head"), summary)
    if lines != ["Nothing changes."]:
        for line in lines:
            output.say(f"  {line}")
