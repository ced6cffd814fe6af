# SPDX-License-Identifier: Apache-2.0
"""Where the service listens."""

from pathlib import Path

import pytest

from ringfence.control.place import default_socket


def test_the_socket_is_named_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RINGFENCE_SOCKET", raising=False)
    assert default_socket() == Path("/run/ringfence/control.sock")
    monkeypatch.setenv("RINGFENCE_SOCKET", "/tmp/other.sock")
    assert default_socket() == Path("/tmp/other.sock")
