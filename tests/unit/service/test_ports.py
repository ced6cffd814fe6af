# SPDX-License-Identifier: Apache-2.0
"""What ``app`` wires fits what the host expects."""

import os
from pathlib import Path

import pytest

from ringfence.backends.userspace import UserspaceBackend
from ringfence.capture.keylog import KeyLog
from ringfence.ike.engine import IkeEngine
from ringfence.service.ports import Ike, KeyRecord, PacketPath


def test_the_classes_fit(tmp_path: Path) -> None:
    ike: Ike = IkeEngine(random=os.urandom)
    backend: PacketPath = UserspaceBackend(random=os.urandom, clock=lambda: 0.0, events=lambda _: None)
    keys: KeyRecord = KeyLog(tmp_path / "keys")
    for port, one in ((Ike, ike), (PacketPath, backend), (KeyRecord, keys)):
        for name in vars(port):
            if not name.startswith("_"):
                assert callable(getattr(one, name)), f"{type(one).__name__}.{name}"


@pytest.mark.parametrize("port", [Ike, PacketPath, KeyRecord])
def test_a_port_is_no_class_of_its_own(port: type) -> None:
    with pytest.raises(TypeError):
        port()
