# SPDX-License-Identifier: Apache-2.0
"""The command as a whole: exit codes, errors without tracebacks, a fast start."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ringfence import __version__
from ringfence.cli import main as cli
from ringfence.control.errors import BadRequest, NotRunning, NotThere, Refused
from ringfence.errors import IpsecError
from ringfence.policy.errors import Finding, PolicyError


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ringfence", *arguments],
        capture_output=True, text=True, check=False, timeout=60,
        env={"PATH": "/usr/sbin:/usr/bin", "PYTHONPATH": ":".join(sys.path), **environment},
    )  # fmt: skip


def test_help_names_every_command_once() -> None:
    run = command("--help")
    assert run.returncode == 0
    for name in ("run", "status", "sa", "policy", "monitor", "reload", "explain", "whatif", "lint", "demo"):
        assert f"\n  {name} " in run.stdout
    assert "..." not in run.stdout.split("Commands:")[1], "no text of the list is cut"
    assert all(len(line) <= 80 for line in run.stdout.splitlines())


def test_version() -> None:
    run = command("--version")
    assert (run.returncode, run.stdout) == (0, f"ringfence {__version__}\n")


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["sa", "delete"], ["status", "--nonsense"], ["monitor", "nonsense"], ["monitor", "--last", "x"], []],
)
def test_wrong_usage_is_2_and_shows_the_way(arguments: list[str]) -> None:
    run = command(*arguments)
    assert run.returncode == 2
    assert run.stdout == ""
    assert "ringfence" in run.stderr
    assert "Traceback" not in run.stderr


def test_wrong_usage_in_json() -> None:
    run = command("sa", "delete", "--json")
    assert run.returncode == 2
    assert "ID" in json.loads(run.stderr)["error"]["what"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["status"], ["sa", "list"], ["sa", "delete", "q1"], ["policy", "show"], ["monitor"], ["reload"],
        ["explain", "out tcp 10.0.0.1 -> 10.0.0.2:80"],
    ],
)  # fmt: skip
def test_without_a_service_every_question_says_how_to_start_one(arguments: list[str], tmp_path: Path) -> None:
    run = command(*arguments, RINGFENCE_SOCKET=str(tmp_path / "none.sock"))
    assert run.returncode == 3
    assert run.stdout == ""
    assert "not running" in run.stderr
    assert "ringfence run" in run.stderr
    told = command(*arguments, "--json", "--socket", str(tmp_path / "none.sock"))
    assert told.returncode == 3
    assert "not running" in json.loads(told.stderr)["error"]["what"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NotThere("x"), 1), (Refused("x"), 1), (PolicyError([Finding("x")]), 1), (BadRequest("x"), 2),
        (NotRunning("x"), 3), (IpsecError("x"), 3),
    ],
)  # fmt: skip
def test_codes(error: IpsecError, code: int) -> None:
    assert cli.exit_code(error) == code


def raising(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> int:
    def app(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(cli, "app", app)
    return cli.main(["status"])


def test_a_fault_is_written_to_a_file_not_to_the_person(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    assert raising(monkeypatch, ZeroDivisionError("oh")) == 3
    (file,) = tmp_path.iterdir()
    assert "ZeroDivisionError: oh" in file.read_text()
    told = capsys.readouterr().err
    assert str(file) in told
    assert "Traceback" not in told


def test_control_c_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    assert raising(monkeypatch, KeyboardInterrupt()) == 130


def test_a_reader_that_left_is_no_error() -> None:
    run = subprocess.run(
        f"{sys.executable} -m ringfence --help | true",
        shell=True, executable="/bin/bash", capture_output=True, text=True, check=True,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path)},
    )  # fmt: skip
    assert run.stderr == ""


@pytest.mark.parametrize("arguments", [["--help"], ["policy", "check", "POLICY"]])
def test_what_needs_no_service_loads_none(arguments: list[str], tmp_path: Path) -> None:
    policy = tmp_path / "p.toml"
    policy.write_text('[[filter]]\nname = "no telnet"\nblock = "tcp to 23"\n')
    words = [str(policy) if word == "POLICY" else word for word in arguments]
    story = (
        "import sys; from ringfence.cli.main import main; code = main(sys.argv[1:]);"
        "heavy = {'fastapi', 'uvicorn', 'pyroute2', 'httpx', 'asyncio'} & set(sys.modules);"
        "print(sorted(heavy), file=sys.stderr); sys.exit(code)"
    )
    run = subprocess.run([sys.executable, "-c", story, *words], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stderr == "[]\n"
