# SPDX-License-Identifier: Apache-2.0
"""Checks what no other tool does about the tree: each module has its test, each file its licence, none is too long.

    python scripts/tree.py

A module ``ringfence/a/b.py`` is tested by ``tests/unit/a/test_b.py``; one without a function, which only declares
values and words, needs none.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LICENCE = "SPDX-License-Identifier: Apache-2.0"
LONGEST = 400
"""Lines of a Python file; more means that it does more than one thing."""
DATA = {".bin", ".ldif", ".hex", ".txt", ".pcap", ".pcapng", ".svg", ".png", ".md", ".lock", ".typed", ".json"}
"""Without a licence line: prose, and data that others made or read."""
WORDS = {"feature", "fix", "security", "removal", "doc"}


def tracked() -> list[Path]:
    """The files of the project, new ones among them."""
    words = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [path for name in names.split("\0") if name and (path := ROOT / name).is_file()]


def does_something(path: Path) -> bool:
    """Whether a module has a function or method."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    return any(isinstance(node, kinds) for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def twins(files: list[Path]) -> Iterator[str]:
    """Modules without their test, and tests without their module."""
    package, unit = ROOT / "ringfence", ROOT / "tests/unit"
    for path in files:
        if path.suffix != ".py":
            continue
        if path.is_relative_to(package) and path.name != "__init__.py":
            twin = unit / path.relative_to(package).with_name(f"test_{path.stem.strip('_')}.py")
            if not twin.exists() and does_something(path):
                yield f"{path.relative_to(ROOT)}: its test {twin.relative_to(ROOT)} is missing"
        elif path.is_relative_to(unit) and path.name.startswith("test_"):
            name = path.name.removeprefix("test_").removesuffix(".py")
            folder = package / path.relative_to(unit).parent
            if not any((folder / f"{one}.py").exists() for one in (name, f"_{name}", f"__{name}__")):
                yield f"{path.relative_to(ROOT)}: there is no {name}.py in {folder.relative_to(ROOT)}"


def licences(files: list[Path]) -> Iterator[str]:
    """Files whose first lines name no licence."""
    for path in files:
        if path.name in {"LICENSE", ".gitignore"} or path.suffix in DATA:
            continue
        with path.open(encoding="utf-8") as file:
            if not any(LICENCE in file.readline() for _ in range(2)):
                yield f"{path.relative_to(ROOT)}: the first line must say {LICENCE}"


def lengths(files: list[Path]) -> Iterator[str]:
    """Python files that are too long."""
    for path in files:
        if path.suffix == ".py" and (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST:
            yield f"{path.relative_to(ROOT)}: {lines} lines, more than {LONGEST}"


def changes(files: list[Path]) -> Iterator[str]:
    """Fragments of the change log with a name that nothing reads."""
    for path in files:
        if path.parent == ROOT / "changes" and path.name != "README.md":
            parts = path.name.split(".")
            if len(parts) != 3 or parts[1] not in WORDS or parts[2] != "md":
                yield f"{path.relative_to(ROOT)}: named <slug>.<{'|'.join(sorted(WORDS))}>.md"


def main() -> int:
    """Print every finding."""
    files = tracked()
    findings = [*twins(files), *licences(files), *lengths(files), *changes(files)]
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
