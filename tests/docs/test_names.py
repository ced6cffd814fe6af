# SPDX-License-Identifier: Apache-2.0
"""Names of code in the glossary and the design exist: a module that was moved takes its name in the documents along."""

import importlib
import pkgutil
import re
from enum import Enum
from functools import cache
from pathlib import Path

import pytest

import ringfence

ROOT = Path(__file__).parents[2]
PACKAGES = {path.name for path in (ROOT / "ringfence").iterdir() if path.is_dir()} | {"audit", "errors", "secret"}


def cells(page: str, column: int) -> list[str]:
    """One column of all tables of a page, without heads."""
    rows = [line.strip("| ").split(" | ") for line in (ROOT / page).read_text().splitlines() if line.startswith("| ")]
    return [row[column] for row in rows if len(row) > column and "---" not in row[0]]


def named() -> list[str]:
    """Every name of code in the glossary's third column."""
    return sorted({name for cell in cells("docs/glossary.md", 2) for name in re.findall(r"`([\w.]+)`", cell)})


@cache
def everything() -> dict[str, object]:
    """Each class of the program by its name."""
    found: dict[str, object] = {}
    for module in pkgutil.walk_packages(ringfence.__path__, "ringfence."):
        if not module.name.endswith("__main__"):
            found |= {
                name: value
                for name, value in vars(importlib.import_module(module.name)).items()
                if isinstance(value, type) and value.__module__ == module.name
            }
    return found


def attribute(of: object, name: str) -> object:
    """What ``of`` has by that name; a dataclass's field without default counts."""
    if isinstance(of, type) and name in getattr(of, "__annotations__", {}):
        return None
    return getattr(of, name)


def resolve(name: str) -> None:
    """Find ``package.module.Class.field`` or ``Class.field``; raises AttributeError or KeyError."""
    parts = name.split(".")
    if parts[0] in PACKAGES:
        found: object = ringfence
        path = "ringfence"
        for part in parts:
            path += f".{part}"
            try:
                found = importlib.import_module(path)
            except ImportError:
                found = attribute(found, part)
        return
    classes = everything()
    if parts[0] in classes:
        for part in parts[1:]:
            attribute(classes[parts[0]], part)
        return
    members = {member.name for kind in classes.values() if isinstance(kind, type(Enum)) for member in kind}
    fields = {field for kind in classes.values() for field in getattr(kind, "__annotations__", {})}
    if parts[0] not in members | fields:
        raise KeyError(name)


@pytest.mark.parametrize("name", named())
def test_a_name_of_the_glossary(name: str) -> None:
    resolve(name)


@pytest.mark.parametrize("name", ["policy.nowhere", "NoSuchClass", "Processing.nothing", "databases.spd.Nothing"])
def test_a_name_that_is_none_is_found(name: str) -> None:
    with pytest.raises((AttributeError, KeyError)):
        resolve(name)


def test_there_are_names() -> None:
    assert len(named()) > 30


@pytest.mark.parametrize(
    "package", re.findall(r"^\| in `(\w+)/` \|", (ROOT / "docs/design.md").read_text(), re.MULTILINE)
)
def test_the_modules_of_a_table_of_the_design(package: str) -> None:
    """Each table says what the modules of one package do; none is left out or made up."""
    text = (ROOT / "docs/design.md").read_text()
    table = text.split(f"| in `{package}/` |")[1].split("\n\n")[0]
    said = {name for line in table.splitlines()[2:] for name in re.findall(r"`([\w/]+)`", line)}
    there = {path.stem for path in (ROOT / "ringfence" / package).rglob("*.py")}
    assert {name for line in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", line.split(" | ")[0])} <= there
    assert there - said - {"__init__", "errors"} == set()
