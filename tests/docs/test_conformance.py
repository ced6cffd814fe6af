# SPDX-License-Identifier: Apache-2.0
"""docs/conformance.md names modules and tests that exist, and every row says where, or that it is not."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/conformance.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split("|")]
    for line in TEXT.splitlines()
    if line.startswith("| ") and not line.startswith("| ---")
]
HEADS = {"section", "RFC", "Windows does"}
WITHOUT_TEST = re.compile(r"\*\*(not|otherwise)\*\*")


@cache
def functions_in(file: str) -> frozenset[str]:
    """The tests that a file has, those in classes too."""
    path = ROOT / "tests" / file
    tree = ast.parse(path.read_text() if path.exists() else "")
    return frozenset(
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    )


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`([\w/]+\.py::\w+)`", TEXT))))
def test_a_test_exists(name: str) -> None:
    file, _, function = name.partition("::")
    if function not in functions_in(file):
        moved = [str(path.relative_to(ROOT / "tests")) for path in (ROOT / "tests").rglob("test_*.py")]
        now = [path for path in moved if function in functions_in(path)]
        pytest.fail(f"{name} is {f'in {now} now' if now else 'gone'}: say so in docs/conformance.md", pytrace=False)


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`([\w/]+\.py)`", TEXT))))
def test_a_module_exists(name: str) -> None:
    assert (ROOT / "ringfence" / name).is_file()


@pytest.mark.parametrize("row", [row for row in ROWS if row[0] not in HEADS], ids=lambda row: f"{row[0]} {row[1][:30]}")
def test_a_row_says_where_and_has_its_test(row: list[str]) -> None:
    *_, where, test = row
    assert len(row) == (3 if len(row) == 3 else 4)
    assert where
    if not test:
        assert WITHOUT_TEST.search(where), "neither a test nor a reason for none"
    else:
        assert re.fullmatch(r"`[\w/]+\.py::\w+`", test)


def test_each_rfc_of_the_page_is_one_that_the_code_speaks_of() -> None:
    code = "\n".join(path.read_text() for path in (ROOT / "ringfence").rglob("*.py"))
    for number in set(re.findall(r"RFC (\d+)", TEXT)) - {"2401"}:
        assert f"RFC {number}" in code, number


def test_it_is_no_small_page() -> None:
    assert len(ROWS) > 120
