# SPDX-License-Identifier: Apache-2.0
"""The service of made-up answers is one that the API takes, over a real socket."""

from pathlib import Path

from ringfence.control.client import Client
from ringfence.control.server import Service
from ringfence.testing.service import AnsweringService, make_event, served


def test_it_fits_the_port() -> None:
    service: Service = AnsweringService()
    assert [event.number for event in service.events(1)] == [2, 3]
    assert make_event(5).number == 5


def test_it_is_served_and_gone(tmp_path: Path) -> None:
    with served(tmp_path / "s.sock") as service, Client(tmp_path / "s.sock") as client:
        client.delete_sa("q3")
        assert service.deleted == ["q3"]
    assert not (tmp_path / "s.sock").exists()
