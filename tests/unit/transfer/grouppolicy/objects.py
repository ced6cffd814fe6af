# SPDX-License-Identifier: Apache-2.0
"""Group Policy objects of tests/vectors/grouppolicy, as registry.pol."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from ringfence.transfer.grouppolicy.preg import Instruction, dword, encode, sz
from ringfence.transfer.grouppolicy.registry import Registry
from ringfence.transfer.grouppolicy.sets import BASE

VECTORS = Path(__file__).parents[3] / "vectors" / "grouppolicy"
Values = Mapping[str, Mapping[str, str | int]]


def instructions(values: Values) -> list[Instruction]:
    """Keys below that of the firewall, with their values."""
    return [
        dword(f"{BASE}\\{key}", name, value) if isinstance(value, int) else sz(f"{BASE}\\{key}", name, value)
        for key, named in values.items()
        for name, value in named.items()
    ]


def vector(name: str) -> list[Instruction]:
    """Those of a file."""
    return instructions(tomllib.loads((VECTORS / f"{name}.toml").read_text()))


def pol(name: str) -> bytes:
    """The registry.pol of a file."""
    return encode(vector(name))


def registry(values: Values, origin: str = "gpo") -> Registry:
    """A registry that one object was applied to."""
    found = Registry()
    found.apply(instructions(values), origin)
    return found
