# SPDX-License-Identifier: Apache-2.0
"""What people read when a document is wrong, whole: each file in ``tests/vectors/wrong-documents`` is one mistake.

It holds the documents, ``--- NAME`` before each, and behind ``=== said`` what ``policy check`` says of them.
With RINGFENCE_REWRITE in the environment what is said now is written there, for a person to read and to judge.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ringfence.cli.main import main
from ringfence.policy.host import HostFacts

CASES = Path(__file__).parents[1] / "vectors/wrong-documents"
NAMES = sorted(path.stem for path in CASES.glob("*.txt"))
SAID = "=== said\n"


def big(folder: Path) -> None:
    (folder / "policy.toml").write_text(f"# {'x' * (4 << 20)}\n")


def utf_16(folder: Path) -> None:
    (folder / "policy.toml").write_bytes('[[filter]]\nname = "a"\n'.encode("utf-16"))


def latin_1(folder: Path) -> None:
    (folder / "policy.toml").write_bytes('[[filter]]\nname = "Büro"\nblock = "any"\n'.encode("latin-1"))


def pipe(folder: Path) -> None:
    (folder / "policy.toml").write_text('include = "pipe.toml"\n')
    os.mkfifo(folder / "pipe.toml")


def long_key(folder: Path) -> None:
    (folder / "lab.psk").write_text("x" * 5000)
    (folder / "policy.toml").write_text('[[rule]]\nname = "lab"\nauth = { psk-file = "lab.psk" }\n')


def nested(folder: Path) -> None:
    (folder / "policy.toml").write_text("a = " + "[" * 5000 + "]" * 5000 + "\n")


def many(folder: Path) -> None:
    (folder / "policy.toml").write_text('[[filter]]\nname = "a"\nblock = "any"\n' * 20_001)


def deep(folder: Path) -> None:
    (folder / "policy.toml").write_text('include = "1.toml"\n')
    for number in range(1, 20):
        (folder / f"{number}.toml").write_text(f'include = "{number + 1}.toml"\n')


def gone(folder: Path) -> None:
    (folder / "policy.toml").unlink(missing_ok=True)


MADE: dict[str, Callable[[Path], None]] = {
    "size": big, "encoding-utf-16": utf_16, "encoding-latin-1": latin_1, "include-pipe": pipe, "key-long": long_key,
    "syntax-nested": nested, "size-entries": many, "include-deep": deep, "missing": gone,
}  # fmt: skip
"""Documents that are better made than kept."""


def prepared(name: str, folder: Path) -> Path:
    """The documents of a case, in ``folder``; the policy."""
    documents, _, _ = (CASES / f"{name}.txt").read_text().partition(SAID)
    for part in documents.split("--- ")[1:]:
        file, _, text = part.partition("\n")
        path = folder / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o600)
    MADE.get(name, lambda _: None)(folder)
    return folder / "policy.toml"


@pytest.mark.parametrize("name", NAMES)
def test_what_is_said(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "ringfence.backends.hostfacts.host_facts", lambda: HostFacts((bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])))
    )
    prepared(name, tmp_path)
    monkeypatch.chdir(tmp_path)
    code = main(["policy", "check", "policy.toml"])
    said = capsys.readouterr()
    text = f"{said.out}{said.err}".replace(str(tmp_path), "/FOLDER")
    golden = CASES / f"{name}.txt"
    documents, _, expected = golden.read_text().partition(SAID)
    if "RINGFENCE_REWRITE" in os.environ:
        golden.write_text(f"{documents}{SAID}{text}")
    assert code in (1, 3)
    assert text == expected


def test_every_kind_of_mistake_is_there() -> None:
    kinds = {name.partition("-")[0] for name in NAMES}
    assert MADE.keys() <= set(NAMES)
    assert kinds >= {
        "syntax", "type", "unknown", "dangling", "impossible", "twice", "include", "key", "encoding", "size", "missing",
    }  # fmt: skip
