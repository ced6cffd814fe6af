# SPDX-License-Identifier: Apache-2.0
"""Settings: safe as they are."""

from pathlib import Path

import pytest

from ringfence.service.settings import Settings


def test_no_key_leaves_the_process_unless_somebody_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGFENCE_SOCKET", "/tmp/x.sock")
    settings = Settings()
    assert settings.key_log is None
    assert settings.socket == Path("/tmp/x.sock")
    assert settings.with_socket(Path("/tmp/y.sock")) == Settings(socket=Path("/tmp/y.sock"))
