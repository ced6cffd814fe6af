# SPDX-License-Identifier: Apache-2.0
"""What an expression of a script comes to, where that follows from the script alone; otherwise it is ``Unknown``.

Texts compare without regard to case, and a list on the left of a comparison gives those of its items that hold, as in
PowerShell. A variable that nothing sets is unknown rather than ``$null``: what sets it may not have been understood.
"""

import re
from fnmatch import translate

from ringfence.transfer.powershell.parameters import CONTENT, DEFAULTS
from ringfence.transfer.powershell.tree import (
    Binary,
    Block,
    Call,
    Cast,
    Expression,
    Foreign,
    Index,
    Items,
    Literal,
    Member,
    Statement,
    Sub,
    Table,
    Text,
    Unary,
    Variable,
)
from ringfence.transfer.powershell.values import (
    PROPOSALS,
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

SCOPES = ("global:", "script:", "local:", "private:", "using:", "variable:")
NAMES = ("name", "id", "instanceid", "ipsecrulename", "policyrulename")
TITLES = ("displayname", "elementname")
LISTS = ("string[]", "object[]", "array", "int[]")
MANY = 10_000
"""Items that a list may have."""


class Evaluator:
    """Evaluates expressions among the variables of one script."""

    def __init__(self) -> None:
        self.variables: dict[str, Value] = {}

    def outputs(self, statements: tuple[Statement, ...]) -> tuple[Value, ...]:
        """What statements give."""
        raise NotImplementedError

    def value(self, expression: Expression) -> Value:
        """What the expression comes to."""
        match expression:
            case Literal():
                return expression.value
            case Variable():
                return self._variable(expression.name)
            case Text():
                return self._text(expression)
            case Items():
                return tuple(self.value(one) for one in expression.items)
            case Table():
                return self._table(expression)
            case Sub():
                found = self.outputs(expression.statements)
                return found if expression.array else single(found)
            case _:
                return self._compound(expression)

    def _compound(self, expression: Expression) -> Value:
        match expression:
            case Member():
                return member(self.value(expression.of), expression.name)
            case Index():
                return index(self.value(expression.of), self.value(expression.index))
            case Call():
                return self._call(expression)
            case Unary():
                operand = self.value(expression.operand)
                return operand if isinstance(operand, Unknown) else not truth(operand)
            case Binary():
                return self._binary(expression)
            case Cast():
                return cast(expression.type, self.value(expression.of))
            case Foreign():
                return Unknown(f"only Windows knows {expression.words}")
            case Block():
                return Unknown("a block of statements is no value")
            case _:
                return Unknown("it is not followed")

    def _variable(self, name: str) -> Value:
        for scope in SCOPES:
            name = name.removeprefix(scope)
        if name.startswith("env:"):
            return Unknown(f"${name} is of the computer where the script runs")
        return self.variables.get(name, Unknown(f"nothing that is understood sets ${name}"))

    def _text(self, expression: Text) -> Value:
        parts: list[str] = []
        for part in expression.parts:
            value = part if isinstance(part, str) else self.value(part)
            unknown = unknown_in(value)
            if unknown is not None:
                return unknown
            if isinstance(value, Thing | Hash):
                return Unknown("an object stands in a text, and what it is as text is not known")
            parts.append(" ".join(map(text_of, value)) if isinstance(value, tuple) else text_of(value))
        return "".join(parts)

    def _table(self, expression: Table) -> Value:
        found = Hash()
        for key, sub in expression.pairs:
            found.items[text_of(self.value(key)).lower()] = self.value(sub)
        return found

    def _call(self, expression: Call) -> Value:
        of, arguments = self.value(expression.of), [self.value(one) for one in expression.arguments]
        if isinstance(of, Hash) and expression.name == "add" and len(arguments) == 2:
            of.items[text_of(arguments[0]).lower()] = arguments[1]
            return None
        if isinstance(of, Hash) and expression.name == "containskey" and len(arguments) == 1:
            return text_of(arguments[0]).lower() in of.items
        if isinstance(of, str) and expression.name == "translate":
            return of
        return of if isinstance(of, Unknown) else Unknown(f"what .{expression.name}() gives is not followed")

    def _binary(self, expression: Binary) -> Value:
        left = self.value(expression.left)
        if expression.operator in ("-and", "-or") and not isinstance(left, Unknown):
            if truth(left) == (expression.operator == "-or"):
                return truth(left)
            right = self.value(expression.right)
            return right if isinstance(right, Unknown) else truth(right)
        return combine(expression.operator, left, self.value(expression.right))


def combine(operator: str, left: Value, right: Value) -> Value:
    """``left operator right``."""
    unknown = unknown_in(left) or unknown_in(right)
    if unknown is not None:
        return unknown
    match operator:
        case "+":
            return add(left, right)
        case "..":
            return _range(left, right)
        case "-f":
            return _format(text_of(left), items_of(right))
        case "-in" | "-notin":
            return any(same(left, one) for one in items_of(right)) == (operator == "-in")
        case "-contains" | "-notcontains":
            return any(same(right, one) for one in items_of(left)) == (operator == "-contains")
        case _:
            return _compare(operator, left, right)


def add(left: Value, right: Value) -> Value:
    """``left + right``."""
    unknown = unknown_in(left) or unknown_in(right)
    if unknown is not None:
        return unknown
    if isinstance(left, Hash) and isinstance(right, Hash):
        return Hash(left.items | right.items)
    if isinstance(left, tuple | Thing):
        return (*items_of(left), *items_of(right))
    if left is None:
        return right
    if isinstance(left, int) and isinstance(right, int):
        return left + right
    return text_of(left) + text_of(right)


def _range(left: Value, right: Value) -> Value:
    first, last = text_of(left), text_of(right)
    if not (first.isdigit() and last.isdigit()) or abs(int(first) - int(last)) > MANY:
        return Unknown("a range goes between two numbers")
    step = 1 if int(first) <= int(last) else -1
    return tuple(range(int(first), int(last) + step, step))


def _format(text: str, values: tuple[Value, ...]) -> Value:
    if re.search(r"\{(?!\d{1,3}\})", text):
        return Unknown("how -f formats there is not followed")
    try:
        return re.sub(r"\{(\d+)\}", lambda match: text_of(values[int(match[1])]), text)
    except IndexError:
        return Unknown("-f has too few values")


def _compare(operator: str, left: Value, right: Value) -> Value:
    if isinstance(left, tuple):
        return tuple(one for one in left if _compare(operator, one, right) is True)
    match operator:
        case "-eq" | "-ne":
            return same(left, right) == (operator == "-eq")
        case "-like" | "-notlike":
            return like(text_of(left), text_of(right)) == (operator == "-like")
        case "-gt" | "-ge" | "-lt" | "-le" if isinstance(left, int) and text_of(right).isdigit():
            number = int(text_of(right))
            return {"-gt": left > number, "-ge": left >= number, "-lt": left < number, "-le": left <= number}[operator]
        case _:
            return Unknown(f"how {operator} compares is not followed")


def same(left: Value, right: Value) -> bool:
    """Whether two values are equal to PowerShell."""
    if isinstance(left, Thing) and isinstance(right, Thing):
        return left is right or (left.number == right.number != 0)
    if left is None or right is None or isinstance(left, Thing | Hash) or isinstance(right, Thing | Hash):
        return left is right
    return text_of(left).lower() == text_of(right).lower()


def like(text: str, pattern: str) -> bool:
    """Whether a text fits a pattern with ``*`` and ``?``."""
    return re.fullmatch(translate(pattern.lower()), text.lower()) is not None


def member(of: Value, name: str) -> Value:
    """``$of.name``."""
    match of:
        case Unknown() | None:
            return of
        case Hash():
            return len(of.items) if name == "count" else of.items.get(name)
        case Thing():
            return _property(of, name)
        case tuple():
            if name in ("count", "length"):
                return len(of)
            return single(tuple(found for one in of if (found := member(one, name)) is not None))
        case _:
            known: dict[str, Value] = {"length": len(text_of(of)), "count": 1, "value": of}
            return known.get(name)


def _property(of: Thing, name: str) -> Value:
    if name in NAMES and of.kind in PROPOSALS:
        return Unknown(f"a proposal has no .{name}; a set of it has")
    if name in NAMES:
        return of.name
    if name in TITLES:
        return of.title
    if name == "count":
        return 1
    known = next((key for key in of.values if key.lower() == name), None)
    if known is not None:
        return of.values[known]
    default = next((word for key, word in DEFAULTS.items() if key.lower() == name), None)
    if default is not None and any(one.name.lower() == name for one in CONTENT[of.kind]):
        return default
    return Unknown(f".{name} of it is not said in the script")


def index(of: Value, at: Value) -> Value:
    """``$of[at]``."""
    unknown = unknown_in(of) if isinstance(of, Unknown) else unknown_in(at)
    if unknown is not None:
        return unknown
    if isinstance(of, Hash):
        return of.items.get(text_of(at).lower())
    if isinstance(at, tuple):
        return tuple(found for one in at if (found := index(of, one)) is not None)
    items = items_of(of)
    if not isinstance(at, int):
        return Unknown("it is not followed which item is meant")
    return items[at] if -len(items) <= at < len(items) else None


def cast(kind: str, value: Value) -> Value:
    """``[kind]value``."""
    kind = kind.removeprefix("system.")
    if isinstance(value, Unknown):
        return value
    if kind in LISTS:
        return items_of(value)
    if kind == "void":
        return None
    if kind in ("bool", "switch"):
        return truth(value)
    if kind in ("string", "int", "hashtable", "int32", "uint32", "object", "ciminstance[]"):
        return value
    return Unknown(f"what [{kind}] makes of it is not followed")
