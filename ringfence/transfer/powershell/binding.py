# SPDX-License-Identifier: Apache-2.0
"""Which argument is for which parameter, as PowerShell finds out: by name, by the beginning of a name that only one
has, by alias, by place; and whether the value is one that the parameter takes.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from ringfence.transfer.powershell.parameters import Cmdlet, Form, Parameter, Use
from ringfence.transfer.powershell.values import Hash, Thing, Unknown, Value, items_of, text_of, unknown_in


class Refused(Exception):
    """Arguments that Windows would not take either; its text is a clause about it."""


class NotKnown(Exception):
    """An argument whose value cannot be known here; its text is a clause about it."""


@dataclass(frozen=True, slots=True)
class Given:
    """An argument with its value."""

    name: str
    """Empty for one that only has its place."""
    value: Value
    valued: bool = True
    """False: just a name, and the value may follow."""


@dataclass(slots=True)
class Bound:
    """The parameters of a command and their values."""

    values: dict[str, Value] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)
    """Those whose values cannot be known, and why."""


def bind(cmdlet: Cmdlet, arguments: Iterable[Given]) -> Bound:
    """The value of each parameter; raises Refused."""
    found = Bound()
    waiting: Parameter | None = None
    loose: list[Value] = []
    for one in arguments:
        if one.name:
            _close(waiting)
            waiting = None
            parameter = _parameter(cmdlet, one.name)
            if one.valued:
                _put(found, parameter, one.value)
            elif parameter.form is Form.SWITCH:
                _put(found, parameter, True)
            else:
                waiting = parameter
        elif waiting is not None:
            _put(found, waiting, one.value)
            waiting = None
        else:
            loose.append(one.value)
    _close(waiting)
    _place(cmdlet, found, loose)
    return found


def _close(waiting: Parameter | None) -> None:
    if waiting is not None:
        raise Refused(f"-{waiting.name} has no value")


def _parameter(cmdlet: Cmdlet, name: str) -> Parameter:
    name = name.lower()
    for one in cmdlet.parameters:
        if name in (one.name.lower(), *map(str.lower, one.aliases)):
            return one
    close = [
        one
        for one in cmdlet.parameters
        if any(word.lower().startswith(name) for word in (one.name, *one.aliases))
    ]  # fmt: skip
    if not close:
        raise Refused(f"{cmdlet.name} has no parameter -{name}")
    if len(close) > 1:
        names = ", ".join(f"-{one.name}" for one in close)
        raise Refused(f"-{name} may stand for each of {names}")
    return close[0]


def _put(found: Bound, parameter: Parameter, value: Value) -> None:
    if parameter.name in found.values or parameter.name in found.unknown:
        raise Refused(f"-{parameter.name} is said twice")
    try:
        found.values[parameter.name] = convert(parameter, value)
    except NotKnown as error:
        found.unknown[parameter.name] = str(error)


def _place(cmdlet: Cmdlet, found: Bound, loose: list[Value]) -> None:
    places = [name for name in cmdlet.places if name not in found.values and name not in found.unknown]
    if len(loose) > len(places):
        raise Refused("a value stands there without a parameter that takes it")
    for name, value in zip(places, loose, strict=False):
        _put(found, _parameter(cmdlet, name), value)


def convert(parameter: Parameter, value: Value) -> Value:
    """The value as the parameter has it; raises Refused and NotKnown."""
    if parameter.use in (Use.ASIDE, Use.NOTED):
        return value if unknown_in(value) is None else text_of(value) or "?"
    unknown = unknown_in(value)
    if unknown is not None:
        raise NotKnown(f"-{parameter.name} is not known, for {unknown.why}")
    match parameter.form:
        case Form.OBJECTS:
            return items_of(value)
        case Form.SWITCH | Form.BOOLEAN:
            return _boolean(parameter, value)
        case Form.NUMBER:
            return _number(parameter, value)
        case Form.LIST:
            return tuple(_text(parameter, one) for one in items_of(value))
        case Form.CHOICE | Form.CHOICES:
            return _choices(parameter, value)
        case Form.TEXT:
            return _one_text(parameter, value)


def _text(parameter: Parameter, value: Value) -> str:
    if isinstance(value, Thing):
        cure = f"its Name is meant: write {value.kind.value} as $variable.Name"
        raise Refused(f"-{parameter.name} takes a text, and an object stands there; {cure}")
    if isinstance(value, Hash | Unknown | tuple):
        raise Refused(f"-{parameter.name} takes {parameter.form.value}")
    return text_of(value)


def _one_text(parameter: Parameter, value: Value) -> str:
    if isinstance(value, tuple) and len(value) != 1:
        raise Refused(f"-{parameter.name} takes one text, and {len(value)} stand there")
    return _text(parameter, value[0] if isinstance(value, tuple) else value)


def _boolean(parameter: Parameter, value: Value) -> bool:
    word = text_of(value).lower()
    if word not in ("true", "false", "0", "1"):
        raise Refused(f"-{parameter.name} takes $true or $false")
    return word in ("true", "1")


def _number(parameter: Parameter, value: Value) -> int:
    word = text_of(value)
    if not (word.isascii() and word.isdigit() and len(word) < 16):
        raise Refused(f"-{parameter.name} takes a number")
    return int(word)


def _choices(parameter: Parameter, value: Value) -> Value:
    said = [word.strip() for one in items_of(value) for word in _text(parameter, one).split(",")]
    chosen = tuple(_choice(parameter, word) for word in said)
    if parameter.form is Form.CHOICES:
        return chosen
    if len(chosen) != 1:
        raise Refused(f"-{parameter.name} takes one of {', '.join(parameter.words)}")
    return chosen[0]


def _choice(parameter: Parameter, said: str) -> str:
    found = next((word for word in parameter.words if word.lower() == said.lower()), None)
    if found is None:
        raise Refused(f"-{parameter.name} takes {', '.join(parameter.words)}, and not {said!r}"[:200])
    return found
