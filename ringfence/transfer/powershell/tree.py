# SPDX-License-Identifier: Apache-2.0
"""What a script says, as a tree; what is not understood stands in it as such, with its line.

It covers what scripts that set up IPsec are made of: commands with their parameters, pipelines, variables, strings,
lists, hashtables, conditions, loops over lists, functions. It knows nothing of what any command does.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Literal:
    """A value that is written out; ``None`` is ``$null``."""

    value: str | int | bool | None


@dataclass(frozen=True, slots=True)
class Text:
    """A text with values in it, such as ``"$name (old)"``."""

    parts: tuple[str | Expression, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """``$name``."""

    name: str
    """In lower case, with its scope or drive if one is said."""


@dataclass(frozen=True, slots=True)
class Items:
    """``a, b`` or ``@(a, b)``."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """``@{ Name = 'value' }``."""

    pairs: tuple[tuple[Expression, Sub], ...]


@dataclass(frozen=True, slots=True)
class Member:
    """``$rule.Name``."""

    of: Expression
    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """``$params.Add('Name', 'value')``."""

    of: Expression
    name: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Index:
    """``$rules[0]``."""

    of: Expression
    index: Expression


@dataclass(frozen=True, slots=True)
class Unary:
    """``-not $found``."""

    operator: str
    operand: Expression


@dataclass(frozen=True, slots=True)
class Binary:
    """``$found -eq $null``."""

    operator: str
    """Such as ``-eq``, in lower case; ``+``, ``..``."""
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Cast:
    """``[string[]]$names``."""

    type: str
    of: Expression


@dataclass(frozen=True, slots=True)
class Sub:
    """``(New-NetIPsecAuthProposal -Anonymous)``, ``$( … )`` or ``@( … )``: what the statements give."""

    statements: tuple[Statement, ...]
    array: bool = False
    """``@( … )``: a list, however many there are."""


@dataclass(frozen=True, slots=True)
class Block:
    """``{ $_.Enabled -eq 'True' }``: statements that something else runs."""

    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Foreign:
    """A word that is understood to stand for a value, but not for which: ``[DateTime]::Now``."""

    words: str


Expression = (
    Literal | Text | Variable | Items | Table | Member | Call | Index | Unary | Binary | Cast | Sub | Block | Foreign
)


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a command."""

    name: str = ""
    """Of the parameter, without its hyphen; empty for one that only has its place."""
    value: Expression | None = None
    """None: a name that no value follows directly."""
    joined: bool = False
    """``-Name:value``."""
    splat: str = ""
    """The variable of ``@params``."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command and its arguments."""

    name: str
    arguments: tuple[Argument, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Commands that hand on what they have; the first may be just a value."""

    parts: tuple[Command | Expression, ...]
    line: int
    words: str
    """As it is written."""


@dataclass(frozen=True, slots=True)
class Assign:
    """``$name = …``."""

    target: Expression
    operator: str
    """``=`` or ``+=``."""
    value: Statement
    line: int
    words: str


@dataclass(frozen=True, slots=True)
class If:
    """``if``, ``elseif`` and ``else``."""

    cases: tuple[tuple[Sub, Block], ...]
    otherwise: Block | None
    line: int
    words: str


@dataclass(frozen=True, slots=True)
class ForEach:
    """``foreach ($item in $list) { … }``."""

    variable: str
    of: Sub
    body: Block
    line: int
    words: str


@dataclass(frozen=True, slots=True)
class Function:
    """A function's definition."""

    name: str
    body: Block
    line: int
    words: str


@dataclass(frozen=True, slots=True)
class Parameters:
    """``param( … )``: the variables of a script or function, and what they are if nobody says."""

    defaults: tuple[tuple[str, Expression | None], ...]
    line: int
    words: str


@dataclass(frozen=True, slots=True)
class Try:
    """``try { … } catch { … } finally { … }``; what is caught is not kept."""

    body: Block
    last: Block | None
    line: int
    words: str


@dataclass(frozen=True, slots=True)
class Unread:
    """What is not understood."""

    why: str
    """A clause about it: ``while loops are not followed``."""
    line: int
    words: str


Statement = Pipeline | Assign | If | ForEach | Function | Parameters | Try | Unread
