# SPDX-License-Identifier: Apache-2.0
"""``ringfence lint``: everything worth a second look in a policy document, before anybody follows it."""

from typing import TYPE_CHECKING, Annotated

import typer

from ringfence.cli import output, words
from ringfence.cli.document import AddressesOption, DocumentArgument, KeylessOption, ProfileOption, read
from ringfence.cli.output import Cell, JsonOption

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ringfence.control.questions import LintAnswer
    from ringfence.net.flow import FlowKey
    from ringfence.policy.errors import Finding

ControllersOption = Annotated[
    list[str] | None,
    typer.Option(
        "--domain-controller",
        metavar="ADDRESS",
        help="Of this computer's domain (may be repeated): what it needs of it must stay possible.",
        show_default=False,
    ),
]


def lint(
    document: DocumentArgument,
    controllers: ControllersOption = None,
    me: AddressesOption = None,
    profile: ProfileOption = None,
    no_keys: KeylessOption = False,
    json: JsonOption = False,
) -> None:
    """Say what in POLICY is wrong, does nothing, contradicts itself, is weak, or would lock you out. Changes nothing.

    Exit code 1: there are findings.
    """
    answer = _answer(document, controllers or [], me, no_keys, profile)
    if json:
        output.say_json(answer)
    else:
        _show(answer)
    if answer.findings:
        raise typer.Exit(1)


def _answer(
    document: "Path", controllers: list[str], me: list[str] | None, no_keys: bool, profile: str | None = None
) -> "LintAnswer":
    from ringfence.policy.errors import PolicyError
    from ringfence.policy.lint import lint as ask

    addresses = _addresses(controllers)
    try:
        loaded, facts, compiled = read(document, me, keyless=no_keys, profile=profile)
    except PolicyError as error:
        return _said(document, error.findings)
    # Asked for another computer, nobody's session is over it.
    sessions = [] if me else _sessions()
    found = ask(loaded.policy, compiled, facts, sessions=sessions, controllers=addresses)
    return _said(document, (*loaded.findings, *found))


def _addresses(texts: list[str]) -> list[bytes]:
    from ringfence.control.errors import BadRequest
    from ringfence.net.address import parse_address

    try:
        return list(map(parse_address, texts))
    except ValueError as error:
        raise BadRequest(f"--domain-controller: {error}.", cure="Such as --domain-controller 10.0.0.1") from error


def _sessions() -> "list[FlowKey]":
    from ringfence.cli import session
    from ringfence.policy.explain import parse_flow

    return [parse_flow(text)[0] for text in session.own_sessions()]


def _said(document: "Path", findings: "Iterable[Finding]") -> "LintAnswer":
    from ringfence.control.questions import LintAnswer, LintFinding

    return LintAnswer(
        document=str(document),
        findings=[
            LintFinding(
                place=str(one.place), severity=one.severity.value, rule=one.rule, setting=one.setting, what=one.message,
                excerpt=one.excerpt, cure=one.cure, text=str(one),
            )
            for one in sorted(dict.fromkeys(findings), key=lambda one: one.place)
        ],
    )  # fmt: skip


def _show(answer: "LintAnswer") -> None:
    for finding in answer.findings:
        first, *more = finding.text.splitlines()
        output.say(Cell(first, "bad" if finding.severity == "error" else "warn"))
        for line in more:
            output.say(line)
        output.say()
    if answer.findings:
        output.say(f"{answer.document}: {words.count(len(answer.findings), 'finding')}")
    else:
        output.say(Cell(answer.document, "head"), ": nothing worth a second look")
