# SPDX-License-Identifier: Apache-2.0
"""Follows a script statement by statement, as far as what it does follows from itself.

Nothing is guessed: a condition that cannot be decided leaves out all that stands under it, and what comes of a command
that is none of NetSecurity's is not known, so that whatever needs it is left out, too.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from ringfence.transfer.powershell.binding import Given, NotKnown, Refused, bind
from ringfence.transfer.powershell.evaluate import Evaluator, add, combine, member
from ringfence.transfer.powershell.parameters import CONTENT, Form, cmdlet
from ringfence.transfer.powershell.report import Report
from ringfence.transfer.powershell.session import Session
from ringfence.transfer.powershell.tree import (
    Argument,
    Assign,
    Block,
    Cast,
    Command,
    ForEach,
    Function,
    If,
    Index,
    Literal,
    Member,
    Parameters,
    Pipeline,
    Statement,
    Try,
    Unread,
    Variable,
)
from ringfence.transfer.powershell.values import (
    Hash,
    Thing,
    Unknown,
    Value,
    items_of,
    single,
    text_of,
    truth,
    unknown_in,
)

ASSIGNED = re.compile(
    r"\$\{?(?:\w+:)?(\w+)\}?(?:[.\[][^=\n;|]*)?\s*[-+*/%]?=(?!=)|foreach\s*\(\s*\$(\w+)", re.IGNORECASE
)
ALIASES = {"?": "where-object", "where": "where-object", "%": "foreach-object", "foreach": "foreach-object",
           "select": "select-object"}  # fmt: skip
QUIET = {
    "out-null", "out-host", "out-default", "out-string", "out-file", "out-gridview", "tee-object", "ft", "fl",
    "format-table", "format-list", "format-wide", "sort-object", "sort", "measure-object", "write-host",
    "write-output", "write-verbose", "write-warning", "write-error", "write-information", "write-debug",
    "write-progress", "echo", "clear-host", "cls", "clear", "pause", "start-sleep", "sleep", "import-module",
    "set-executionpolicy", "set-strictmode", "start-transcript", "stop-transcript", "export-csv", "exit-pssession",
    "gpupdate", "gpupdate.exe", "ping", "ping.exe", "test-netconnection", "test-connection", "add-content",
    "set-content",
}  # fmt: skip
"""Commands that do nothing to a policy and give nothing that is needed."""
PASSING = ("write-output", "sort-object", "sort", "tee-object")
ASKING = (
    "get",
    "test",
    "find",
    "resolve",
    "read",
    "import",
    "convertfrom",
    "convertto",
    "new-object",
    "select",
    "measure",
    "join",
)
"""Verbs of commands that change nothing."""
STEPS = 200_000
"""Statements and values that a script may come to."""
NOTHING = Given("", None)


class Stopped(Exception):
    """The script or a function ends; ``why`` says so if it is not meant to."""

    def __init__(self, why: str = "", values: tuple[Value, ...] = ()) -> None:
        super().__init__(why)
        self.why = why
        self.values = values
        """What a function returns."""


class Machine(Evaluator):
    """One script that is being followed."""

    def __init__(self, report: Report) -> None:
        super().__init__()
        self.report = report
        self.session = Session(report)
        self._functions: dict[str, Function] = {}
        self._called: set[str] = set()
        self._steps = 0
        self._deep = 0
        self._outer: dict[str, Value] = {}
        """Variables that are set for the whole script, if by a function."""
        self.variables |= {"true": True, "false": False, "null": None}

    def run(self, statements: tuple[Statement, ...]) -> None:
        """Follow a whole script."""
        try:
            self.outputs(statements)
        except Stopped as stop:
            if stop.why:
                self.report.leave(0, "the rest of the script", stop.why)
        for function in self._functions.values():
            if function.name not in self._called:
                self.report.note(
                    function.line, f"function {function.name}", "the script defines it and does not call it"
                )

    def outputs(self, statements: tuple[Statement, ...]) -> tuple[Value, ...]:
        """What the statements give, one after the other."""
        found: list[Value] = []
        for statement in statements:
            given = self._outputs(statement)
            self._steps += 1 + len(given)
            if self._steps > STEPS:
                raise Stopped("it goes on for too long to be followed")
            found += given
        return tuple(found)

    def _outputs(self, statement: Statement) -> tuple[Value, ...]:
        match statement:
            case Pipeline():
                return self._pipeline(statement)
            case Assign():
                self._assign(statement)
            case If():
                return self._if(statement)
            case ForEach():
                return self._foreach(statement)
            case Try():
                self.report.note(statement.line, "try", "it is read as if nothing went wrong")
                found = self.outputs(statement.body.statements)
                return found + (self.outputs(statement.last.statements) if statement.last else ())
            case Function():
                self._functions[statement.name] = statement
            case Parameters():
                self._parameters(statement)
            case Unread():
                return self._lost(statement, statement.why)
        return ()

    def _lost(self, statement: Statement, why: str) -> tuple[Value, ...]:
        """A statement is left out; the variables that it sets are not known any more."""
        self.report.leave(statement.line, statement.words, why)
        for match in ASSIGNED.finditer(statement.words):
            name = (match[1] or match[2]).lower()
            self.variables[name] = Unknown(f"${name} is set in line {statement.line}, which is not understood")
        return (Unknown(f"line {statement.line} is not understood"),)

    def _parameters(self, statement: Parameters) -> None:
        for name, default in statement.defaults:
            if name not in self.variables:
                unknown = Unknown(f"${name} is given when the script starts; set it in the script's first line")
                self.variables[name] = unknown if default is None else self.value(default)

    def _if(self, statement: If) -> tuple[Value, ...]:
        for condition, block in statement.cases:
            value = single(self.outputs(condition.statements))
            unknown = unknown_in(value)
            if unknown is not None:
                return self._lost(statement, f"whether it holds is not known, for {unknown.why}")
            if truth(value):
                return self.outputs(block.statements)
        return self.outputs(statement.otherwise.statements) if statement.otherwise else ()

    def _foreach(self, statement: ForEach) -> tuple[Value, ...]:
        items = self.outputs(statement.of.statements)
        unknown = unknown_in(items)
        if unknown is not None:
            return self._lost(statement, f"what it goes through is not known, for {unknown.why}")
        found: list[Value] = []
        for one in items:
            self.variables[statement.variable] = one
            found += self.outputs(statement.body.statements)
        return tuple(found)

    # -- assignments

    def _assign(self, statement: Assign) -> None:
        given = self._outputs(statement.value)
        value = single(given)
        target = statement.target.of if isinstance(statement.target, Cast) else statement.target
        match target:
            case Literal():
                pass
            case Variable():
                scope, _, name = target.name.rpartition(":")
                self.variables[name] = self._added(statement, self.variables.get(name), value)
                if scope in ("script", "global"):
                    self._outer[name] = self.variables[name]
            case Member() | Index():
                self._assign_part(statement, target, value)
            case _:
                self._lost(statement, "setting that is not followed")

    def _added(self, statement: Assign, before: Value, value: Value) -> Value:
        return add(before, value) if statement.operator == "+=" else value

    def _assign_part(self, statement: Assign, target: Member | Index, value: Value) -> None:
        of = self.value(target.of)
        key = target.name if isinstance(target, Member) else text_of(self.value(target.index)).lower()
        if isinstance(of, Hash):
            of.items[key] = self._added(statement, of.items.get(key), value)
        elif isinstance(of, Thing) and isinstance(target, Member) and statement.operator == "=":
            known = [one.name for one in CONTENT[of.kind]] + ["Description", "Group", "DisplayName"]
            name = next((one for one in known if one.lower() == key), None)
            if name is None:
                self._lost(statement, f"it has no setting {key} that is known")
            else:
                of.values[name] = _as_set(of, name, value)
        else:
            self._lost(statement, "setting that is not followed")

    # -- pipelines and commands

    def _pipeline(self, statement: Pipeline) -> tuple[Value, ...]:
        given: tuple[Value, ...] | None = None
        for part in statement.parts:
            if isinstance(part, Command):
                given = self._command(part, given, statement)
            elif given is None:
                given = items_of(self.value(part))
            else:
                return self._lost(statement, "a value cannot take what a pipeline hands on")
        return given or ()

    def _command(self, command: Command, given: tuple[Value, ...] | None, statement: Pipeline) -> tuple[Value, ...]:
        name = ALIASES.get(command.name.lower(), command.name.lower())
        if name in self._functions:
            return self._function(name, command, statement)
        match name:
            case "where-object":
                return self._where(command, given or ())
            case "foreach-object":
                return self._each(command, given or (), statement)
            case "select-object":
                return self._chosen(command, given or ())
            case "exit" | "return" | "throw":
                values = tuple(self._argument(one) for one in command.arguments if one.value is not None)
                raise Stopped(f"line {command.line} throws an error" if name == "throw" else "", values)
        known = cmdlet(name)
        if known is None:
            account = self._account(command) if name == "new-object" else ""
            return (account,) if account else self._foreign(name, command, given)
        said: list[Given] = []
        try:
            said += self._given(command)
            bound = bind(known, said)
            if bound.unknown:
                self.session.doubt(known, bound, given, command.line)
                raise NotKnown(next(iter(bound.unknown.values())))
            return self.session.execute(known, bound.values, given, command.line)
        except (Refused, NotKnown) as error:
            why = f"{error}; Windows would refuse it too" if isinstance(error, Refused) else str(error)
            self.report.leave(command.line, f"{known.name}{_title(said)}", why)
            return (Unknown(f"what line {command.line} makes is left out"),)

    def _account(self, command: Command) -> str:
        """The account that a command makes an object of; its name serves where Windows wants its SID."""
        words = [text_of(part) for one in self._given(command) for part in items_of(one.value)]
        if not words or not words[0].lower().endswith(".ntaccount"):
            return ""
        return "\\".join(word for word in words[1:] if word)

    def _given(self, command: Command) -> Iterator[Given]:
        for one in command.arguments:
            if one.splat:
                yield from self._splatted(one.splat)
            else:
                yield Given(one.name, self._argument(one), valued=one.value is not None)

    def _argument(self, argument: Argument) -> Value:
        return None if argument.value is None else self.value(argument.value)

    def _splatted(self, name: str) -> Iterator[Given]:
        value = self.variables.get(name, Unknown(f"nothing that is understood sets ${name}"))
        if isinstance(value, Hash):
            yield from (Given(key, one) for key, one in value.items.items())
        elif isinstance(value, tuple):
            yield from (Given("", one) for one in value)
        else:
            raise NotKnown(
                f"what @{name} holds is not known, for {value.why if isinstance(value, Unknown) else 'it is no table'}"
            )

    def _function(self, name: str, command: Command, statement: Pipeline) -> tuple[Value, ...]:
        self._called.add(name)
        if command.arguments:
            return self._lost(statement, f"what function {name} does with arguments is not followed")
        if self._deep > 20:
            return self._lost(statement, "functions call each other too often")
        outside = dict(self.variables)
        self._deep += 1
        try:
            return self.outputs(self._functions[name].body.statements)
        except Stopped as stop:
            if stop.why:
                raise
            return stop.values
        finally:
            self._deep -= 1
            self.variables = outside | self._outer

    def _foreign(self, name: str, command: Command, given: tuple[Value, ...] | None) -> tuple[Value, ...]:
        """A command that is none of those whose effect is known."""
        verb, _, noun = name.partition("-")
        if name in QUIET:
            return given or () if name in PASSING else ()
        if name in ("new-object", *ASKING) or verb in ASKING or (noun.startswith("net") and verb == "show"):
            self.report.note(command.line, command.name, "it only asks for something")
        elif noun == "netgpo":
            self.report.note(command.line, command.name, "the document is no group policy object")
        elif noun in ("netipsecmainmodesa", "netipsecquickmodesa"):
            self.report.note(command.line, command.name, "it is about SAs that stand, and not about the policy")
        elif name in ("netsh", "netsh.exe"):
            self.report.leave(
                command.line, "netsh", "it is of another format", "Bring it along as a file of its own: --format netsh"
            )
        else:
            self.report.leave(command.line, command.name, "it is no NetSecurity cmdlet that is followed here")
        return (Unknown(f"what {command.name} gives is only known where the script runs"),)

    # -- what goes through a pipeline

    def _where(self, command: Command, given: tuple[Value, ...]) -> tuple[Value, ...]:
        found: list[Value] = []
        for one in given:
            self.variables["_"] = one
            holds = one if isinstance(one, Unknown) else self._holds(command, one)
            unknown = unknown_in(holds)
            if unknown is not None:
                return (*found, unknown)
            if truth(holds):
                found.append(one)
        return tuple(found)

    def _holds(self, command: Command, one: Value) -> Value:
        blocks = [each.value for each in command.arguments if isinstance(each.value, Block)]
        if len(blocks) == 1:
            return single(self.outputs(blocks[0].statements))
        words = list(self._given(command))
        if len(words) != 3 or words[0].name or not words[1].name or words[2].name:
            return Unknown("which of the objects are meant is not followed")
        return combine(f"-{words[1].name.lower()}", member(one, text_of(words[0].value).lower()), words[2].value)

    def _each(self, command: Command, given: tuple[Value, ...], statement: Pipeline) -> tuple[Value, ...]:
        blocks = [each.value for each in command.arguments if isinstance(each.value, Block)]
        if len(blocks) != 1:
            return self._lost(statement, "this ForEach-Object is not followed")
        found: list[Value] = []
        for one in given:
            if isinstance(one, Unknown):
                return self._lost(statement, f"what it goes through is not known, for {one.why}")
            self.variables["_"] = one
            found += self.outputs(blocks[0].statements)
        return tuple(found)

    def _chosen(self, command: Command, given: tuple[Value, ...]) -> tuple[Value, ...]:
        words = list(self._given(command))
        for one, after in pairwise(words):
            if one.name.lower().startswith("exp"):
                return tuple(member(each, text_of(after.value).lower()) for each in given)
            if one.name.lower() == "first" and isinstance(number := after.value, str | int) and str(number).isdigit():
                return given[: int(number)]
        return given


def _as_set(of: Thing, name: str, value: Value) -> Value:
    """A value as a parameter would have it."""
    form = next((one.form for one in CONTENT[of.kind] if one.name == name), Form.TEXT)
    return items_of(value) if form in (Form.LIST, Form.CHOICES, Form.OBJECTS) else value


def _title(said: list[Given]) -> str:
    """The display name, if it is said."""
    for one, after in zip(said, [*said[1:], NOTHING], strict=False):
        value = one.value if one.valued else after.value
        if one.name.lower() == "displayname" and text_of(value):
            return f' "{text_of(value)}"'
    return ""
