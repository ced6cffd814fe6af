# SPDX-License-Identifier: Apache-2.0
import sys
from typing import Self

import pytest

from ringfence.demo import inject


class Wire:
    """Stands for a packet socket."""

    sent: list[object] = []

    def __init__(self, *_: object) -> None:
        self.sent.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def bind(self, where: tuple[str, int]) -> None:
        self.sent.append(where)

    def send(self, frame: bytes) -> None:
        self.sent.append(frame)


def test_frames_are_sent_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inject.socket, "socket", Wire)
    monkeypatch.setattr(sys, "argv", ["inject", "eth1", "0001", "ff"])
    inject.main()
    assert Wire.sent == [("eth1", 0), b"\x00\x01", b"\xff"]
