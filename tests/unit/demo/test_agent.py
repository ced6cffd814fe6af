# SPDX-License-Identifier: Apache-2.0
"""What the story learns from a service, with one that only answers in its place."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import Popen

import pytest

from ringfence.demo import agent as module
from ringfence.demo.agent import Agent
from ringfence.demo.errors import NotTrue
from ringfence.testing.service import served


class ThisMachine:
    """Stands for a host; ``words`` are what runs there instead of ringfence."""

    name = "alice"

    def __init__(self, *words: str) -> None:
        self.words = words
        self.processes: list[Popen[str]] = []

    def python(self, *arguments: str) -> tuple[str, ...]:
        return arguments

    def spawn(self, *_command: str, **settings: object) -> "Popen[str]":
        process = Popen([sys.executable, *self.words], text=True, **settings)  # type: ignore[call-overload]
        self.processes.append(process)
        return process

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture
def made(tmp_path: Path) -> Iterator[list[ThisMachine]]:
    hosts: list[ThisMachine] = []
    yield hosts
    for host in hosts:
        host.end()


def agent(made: list[ThisMachine], tmp_path: Path, program: str) -> Agent:
    made.append(ThisMachine("-c", program))
    return Agent(made[-1], tmp_path / "policy.toml")  # type: ignore[arg-type]


def test_what_a_service_tells(made: list[ThisMachine], tmp_path: Path) -> None:
    with served(tmp_path / "control.sock"):
        found = agent(made, tmp_path, "import time; time.sleep(60)")
        found.wait_until_ready()
        assert found.dropped("replayed") == 12
        assert found.dropped("no such reason") == 0
        assert found.wait_for_drops("replayed", 12) == 12
        assert found.wait_for_drops("replayed", 13, seconds=0.1) == 12
        end = time.monotonic() + 5
        while found.count() < 2 and time.monotonic() < end:
            time.sleep(0.02)
        first = next(iter(found.events(0, until=lambda one: True, seconds=1)))
        assert [one.number for one in found.events(0, until=lambda one: True, seconds=1)] == [first.number]
        assert list(found.events(found.count() + 5, until=lambda one: True, seconds=0.1)) == []
        found.close()


def test_a_service_that_ends_at_once(made: list[ThisMachine], tmp_path: Path) -> None:
    found = agent(made, tmp_path, "print('no policy')")
    with pytest.raises(NotTrue, match="ringfence ended on alice: no policy"):
        found.wait_until_ready()
    found.close()


def test_a_service_that_never_answers(made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "START_S", 0.2)
    found = agent(made, tmp_path, "import time; time.sleep(60)")
    with pytest.raises(NotTrue, match="does not answer on alice"):
        found.wait_until_ready()
    found.close()


def test_a_clean_end_and_others(made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STOP_S", 0.3)
    wait = "import signal, sys, time; signal.signal(signal.SIGTERM, {}); print('ready', flush=True); time.sleep(60)"

    def stopping(what: str) -> None:
        found = agent(made, tmp_path, wait.format(what))
        while "ready" not in found.log():
            time.sleep(0.02)
        try:
            found.stop()
        finally:
            found.close()

    monkeypatch.setattr(module, "STOP_S", 5.0)
    stopping("lambda *_: sys.exit(0)")
    with pytest.raises(NotTrue, match="status 3"):
        stopping("lambda *_: sys.exit(3)")
    monkeypatch.setattr(module, "STOP_S", 0.3)
    with pytest.raises(NotTrue, match="does not stop"):
        stopping("signal.SIG_IGN")


def test_the_command_line_is_asked_as_on_a_terminal(made, tmp_path: Path) -> None:
    found = agent(made, tmp_path, "import os, sys; print('\\x1b[1m', sys.stdout.isatty(), os.environ['COLUMNS'])")
    assert found.command("status") == [" True 72"]
    found.close()


def test_a_command_that_fails(made, tmp_path: Path) -> None:
    found = agent(made, tmp_path, "import sys; print('it is so'); sys.exit(1)")
    with pytest.raises(NotTrue, match="ringfence status on alice: it is so"):
        found.command("status")
    found.close()
