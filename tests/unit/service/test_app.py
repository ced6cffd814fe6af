# SPDX-License-Identifier: Apache-2.0
"""What stops a start stops it before anything on the computer has changed; the whole runs in tests/integration."""

from pathlib import Path

import pytest

from ringfence.errors import IpsecError
from ringfence.policy.errors import PolicyError
from ringfence.service import app, privileges
from ringfence.service.errors import AlreadyRunning, CannotRun
from ringfence.service.lock import NamespaceLock
from ringfence.service.settings import Settings
from ringfence.stores.errors import StoreError


@pytest.fixture
def policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("nothing may be changed")

    for name in ("UserspaceBackend", "IkeSockets", "ControlServer"):
        monkeypatch.setattr(app, name, forbidden)
    monkeypatch.setattr(privileges, "keep_only", lambda _: None)
    monkeypatch.setattr(privileges, "check", lambda: None)
    monkeypatch.setattr(app, "RUNTIME_DIRECTORY", tmp_path / "run")
    path = tmp_path / "policy.toml"
    path.write_text('[[filter]]\nname = "no telnet"\nblock = "tcp to 23"\n')
    return path


def start(policy: Path, settings: Settings | None = None) -> None:
    app.run({"local": policy}, settings or Settings())


def test_a_bad_or_missing_document(policy: Path) -> None:
    policy.write_text("hello = 1")
    with pytest.raises(PolicyError):
        start(policy)
    policy.unlink()
    with pytest.raises(StoreError):
        start(policy)


def test_missing_privileges(policy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise CannotRun("no")

    monkeypatch.setattr(privileges, "check", refuse)
    with pytest.raises(CannotRun):
        start(policy)


def test_another_service(policy: Path, tmp_path: Path) -> None:
    with NamespaceLock.take(tmp_path / "run"), pytest.raises(AlreadyRunning):
        start(policy)


def test_a_key_log_that_cannot_be_written(policy: Path, tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match="Keys cannot be logged") as caught:
        start(policy, Settings(key_log=policy / "keys"))
    assert "--key-log" in caught.value.cure
    assert isinstance(caught.value, IpsecError)
    assert list((tmp_path / "run").iterdir()) == [], "the lock is free again"


def test_a_key_log_is_announced_before_anything_else(
    policy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(AssertionError, match="nothing may be changed"):
        start(policy, Settings(key_log=tmp_path / "keys"))
    assert "KEYS ARE BEING WRITTEN" in capsys.readouterr().err
