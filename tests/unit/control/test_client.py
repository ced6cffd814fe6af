# SPDX-License-Identifier: Apache-2.0
"""The client: typed answers, and every failure with what to do."""

import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from ringfence.control.client import Client
from ringfence.control.edits import Edited
from ringfence.control.errors import BadAnswer, BadRequest, NotAllowed, NotRunning, NotThere, Refused
from ringfence.control.messages import Application
from ringfence.control.storing import DynamicChange, DynamicDocument
from ringfence.place import Place
from ringfence.policy.errors import Finding, PolicyError
from ringfence.testing.service import START, AnsweringService, make_policy, make_sas, make_status, served


@dataclass
class Running:
    service: AnsweringService
    path: Path


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    path = tmp_path / "control.sock"
    with served(path) as service:
        yield Running(service, path)


def test_answers_arrive_typed(running: Running) -> None:
    with Client(running.path) as client:
        assert client.status() == make_status()
        assert client.sas() == make_sas()
        assert client.policy() == make_policy()
        assert client.explain("out tcp 10.0.0.1 -> 10.0.0.2:23").verdict == "block"
        assert "before the service" in client.explain_at_boot("out tcp 10.0.0.1 -> 10.0.0.2:80").lines[0]
        assert client.delete_sa("q3").ids == ["q3"]
        assert not client.reload().changed
        assert client.plan(Path("/p.toml")).lines == ["+ of /p.toml"]
        assert client.change_dynamic(DynamicChange(text="x", revision=0)).changed
        assert client.dynamic() == DynamicDocument(text="x", revision=1)
        with pytest.raises(Refused, match="faster"):
            client.change_dynamic(DynamicChange(text="y", revision=0))
        edit = Edited(document="/p.toml", kind="filter", name="f", edit="added", change="x")
        assert client.edited(edit).number == 1
        assert running.service.edits == [(edit, os.getuid())], "the kernel says who it was"
        order = Application(document="/p.toml", confirm_within_s=60, sessions=["out tcp 10.0.0.1:22 -> 10.0.0.2:9"])
        assert client.apply(order).confirm_by == START + timedelta(seconds=60)
        assert running.service.orders == [order]
        assert client.confirm().text


def test_events_past_and_coming(running: Running) -> None:
    running.service.coming = [running.service.past[0].model_copy(update={"number": 9})]
    with Client(running.path) as client:
        assert [event.number for event in client.events(since=2)] == [3]
        assert [event.number for event in client.events(since=2, follow=True)] == [3, 9]


def test_no_means_no(running: Running) -> None:
    running.service.refuse = PolicyError([Finding("wrong.", Place("p.toml", 3))])
    with Client(running.path) as client:
        with pytest.raises(NotThere, match="q77") as caught:
            client.delete_sa("q77")
        assert "sa list" in caught.value.cure
        with pytest.raises(BadRequest):
            client.explain("nonsense")
        with pytest.raises(Refused, match=r"p\.toml:3: wrong"):
            client.reload()


def test_names_with_odd_signs_stay_one_piece(running: Running) -> None:
    with Client(running.path) as client, pytest.raises(NotThere, match="a/b"):
        client.delete_sa("a/b")


def test_nobody_there(tmp_path: Path) -> None:
    with Client(tmp_path / "none.sock") as client:
        with pytest.raises(NotRunning) as caught:
            client.status()
        assert "ringfence run" in caught.value.cure
        with pytest.raises(NotRunning):
            list(client.events(follow=True))


def answering(answer: httpx.Response | Exception) -> Client:
    def handle(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return Client(Path("/x.sock"), transport=httpx.MockTransport(handle))


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.ConnectError("gone"), NotRunning),
        (httpx.ReadTimeout("slow"), BadAnswer),
        (httpx.Response(200, text="hello"), BadAnswer),
        (httpx.Response(200, json={"version": "9"}), BadAnswer),
        (httpx.Response(502, text="<html>"), BadAnswer),
    ],
)
def test_each_failure_is_told_apart(answer: httpx.Response | Exception, kind: type[Exception]) -> None:
    with answering(answer) as client, pytest.raises(kind) as caught:
        client.status()
    assert type(caught.value) is kind


def test_a_socket_that_is_not_ours_to_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: socket.socket, address: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    with Client(tmp_path / "control.sock") as client, pytest.raises(NotAllowed) as caught:
        client.status()
    assert "sudo" in caught.value.cure


def test_a_service_that_ends_ends_the_stream() -> None:
    with answering(httpx.RemoteProtocolError("closed")) as client:
        assert list(client.events(follow=True)) == []


def test_an_error_in_a_stream_is_an_error() -> None:
    no = httpx.Response(404, json={"error": {"what": "no", "place": "", "cure": ""}})
    with answering(no) as client, pytest.raises(NotThere):
        list(client.events())
