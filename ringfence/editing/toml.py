# SPDX-License-Identifier: Apache-2.0
"""Values, keys and tables as TOML."""

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from ringfence.policy.texts import toml_flag, toml_text

Value: TypeAlias = "bool | int | float | str | Sequence[Value] | Mapping[str, Value]"
"""What a setting may have."""

BARE = re.compile(r"[A-Za-z0-9_-]+")
WIDTH = 110
"""Longer lists have a line for each element."""


def toml_key(name: str) -> str:
    """A key, in quotes where it needs them."""
    return name if BARE.fullmatch(name) else toml_text(name)


def toml_dotted(names: Sequence[str]) -> str:
    """A key with dots."""
    return ".".join(map(toml_key, names))


def toml_value(value: object) -> str:
    """A value on one line."""
    match value:
        case bool():
            return toml_flag(value)
        case str():
            return toml_text(value)
        case Mapping():
            return f"{{ {', '.join(f'{toml_key(key)} = {toml_value(one)}' for key, one in value.items())} }}"
        case Sequence():
            return f"[{', '.join(map(toml_value, value))}]"
        case _:
            return str(value)  # numbers; dates, times as TOML has them


def toml_pair(names: Sequence[str], value: object, *, column: int = 0) -> str:
    """``key = value``, with the equals sign in ``column`` if there is room."""
    head = f"{toml_dotted(names):<{max(column - 1, 0)}} = "
    text = toml_value(value)
    if isinstance(value, Sequence) and not isinstance(value, str) and len(head) + len(text) > WIDTH:
        text = "[\n" + "".join(f"  {toml_value(one)},\n" for one in value) + "]"
    return head + text


def toml_table(head: str, settings: Mapping[str, object]) -> str:
    """A section with aligned settings."""
    column = max((len(toml_key(name)) for name in settings), default=0) + 1
    pairs = (toml_pair([key], one, column=column) for key, one in settings.items())
    return "".join(f"{line}\n" for line in [head, *pairs])
