# SPDX-License-Identifier: Apache-2.0
"""``ringfence run``: what is said on the command line reaches the service."""

from pathlib import Path
from typing import Any

import pytest

from ringfence.service.errors import CannotRun
from ringfence.service.settings import Settings

Command = Any


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[dict[str, Path], Settings]]:
    calls: list[tuple[dict[str, Path], Settings]] = []
    monkeypatch.setattr("ringfence.service.app.run", lambda policy, settings: calls.append((policy, settings)))
    return calls


def test_every_option_arrives(started: list[tuple[dict[str, Path], Settings]], command: Command) -> None:
    words = ["run", "p.toml", "--socket", "/tmp/s", "--device", "rf7", "--key-log", "/tmp/keys", "--verbose"]
    assert command(*words).code == 0
    assert started == [
        (
            {"local": Path("p.toml")},
            Settings(socket=Path("/tmp/s"), device="rf7", key_log=Path("/tmp/keys"), verbose=True),
        )
    ]


def test_nothing_said_is_the_safe_default(
    started: list[tuple[dict[str, Path], Settings]], command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RINGFENCE_SOCKET", raising=False)
    assert command("run", "p.toml").code == 0
    assert started == [({"local": Path("p.toml")}, Settings())]
    assert started[0][1].key_log is None


def test_why_it_cannot_is_said(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def cannot(policy: Path, settings: Settings) -> None:
        raise CannotRun("It is missing.", cure="Get it.")

    monkeypatch.setattr("ringfence.service.app.run", cannot)
    answer = command("run", "p.toml")
    assert (answer.code, answer.out, answer.err) == (3, "", "It is missing.\nGet it.\n")


def test_a_policy_must_be_named(command: Command) -> None:
    assert command("run").code == 2


def test_several_stores_are_named(started: list[tuple[dict[str, Path], Settings]], command: Command) -> None:
    assert command("run", "p.toml", "--store", "persistent=/etc/x.toml").code == 0
    assert command("run", "--store", "local=p.toml").code == 0
    assert [stores for stores, _ in started] == [
        {"local": Path("p.toml"), "persistent": Path("/etc/x.toml")}, {"local": Path("p.toml")},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "No policy is named."),
        (["p.toml", "--store", "local=q.toml"], "The local store is named twice."),
        (
            ["p.toml", "--store", "elsewhere=q.toml"],
            '"elsewhere=q.toml" is not local=PATH or persistent',
        ),
        (["p.toml", "--store", "persistent="], '"persistent=" is not'),
    ],
)
def test_what_names_no_store(command: Command, words: list[str], message: str) -> None:
    answer = command("run", *words)
    assert answer.code == 2
    assert message in answer.err
