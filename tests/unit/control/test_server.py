# SPDX-License-Identifier: Apache-2.0
"""The API: described by OpenAPI, one form of errors, a socket that only root's group may use."""

import asyncio
import json
import socket
import stat
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from ringfence.control.errors import BadRequest, ControlError, NotThere, Refused
from ringfence.control.messages import EventRecord, Failure, Message, PolicyView, Sas, Status
from ringfence.control.server import ControlServer, make_app
from ringfence.errors import IpsecError
from ringfence.place import Place
from ringfence.policy.errors import Finding, PolicyError
from ringfence.testing.service import AnsweringService, make_policy, make_sas, make_status


class Asker:
    """Asks an app without a socket."""

    def __init__(self, service: AnsweringService) -> None:
        self.service = service
        self.app = make_app(service)

    def __call__(self, method: str, path: str, *, body: object = None) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
                return await client.request(method, path, json=body)

        return asyncio.run(ask())


@pytest.fixture
def ask() -> Asker:
    return Asker(AnsweringService())


@pytest.mark.parametrize(
    ("path", "kind", "expected"),
    [("/v1/status", Status, make_status()), ("/v1/sas", Sas, make_sas()), ("/v1/policy", PolicyView, make_policy())],
)
def test_what_the_service_says_arrives_unchanged(ask: Asker, path: str, kind: type[Message], expected: Message) -> None:
    answer = ask("GET", path)
    assert answer.status_code == 200
    assert kind.model_validate_json(answer.text) == expected


def test_events_are_one_per_line(ask: Asker) -> None:
    answer = ask("GET", "/v1/events?since=1")
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    assert [EventRecord.model_validate_json(line).number for line in answer.text.splitlines()] == [2, 3]


def test_a_follower_gets_what_was_and_what_comes(ask: Asker) -> None:
    ask.service.coming = [ask.service.past[0].model_copy(update={"number": 4})]
    answer = ask("GET", "/v1/events?follow=true")
    assert [json.loads(line)["number"] for line in answer.text.splitlines()] == [1, 2, 3, 4]


def test_an_sa_is_deleted_by_its_name(ask: Asker) -> None:
    assert ask("DELETE", "/v1/sas/0x5f3a11c0").json()["ids"] == ["0x5f3a11c0"]
    assert ask.service.deleted == ["0x5f3a11c0"]


def failure(answer: httpx.Response) -> Failure:
    return Failure.model_validate_json(answer.text)


def test_what_is_not_there_is_404_with_a_cure(ask: Asker) -> None:
    answer = ask("DELETE", "/v1/sas/q77")
    assert answer.status_code == 404
    assert "q77" in failure(answer).error.what
    assert failure(answer).error.cure


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NotThere("no"), 404), (BadRequest("no"), 400), (Refused("no"), 409), (ControlError("no"), 500),
        (IpsecError("no"), 422),
    ],
)  # fmt: skip
def test_each_kind_of_error_has_its_number(ask: Asker, error: IpsecError, code: int) -> None:
    ask.service.refuse = error
    assert ask("POST", "/v1/reload").status_code == code


def test_a_refused_document_is_told_whole(ask: Asker) -> None:
    findings = [
        Finding("this is wrong.", Place("p.toml", 3), excerpt="3 | x\n  | ^"),
        Finding("that too.", Place("p.toml", 4)),
    ]
    ask.service.refuse = PolicyError(findings)
    answer = ask("POST", "/v1/reload")
    assert answer.status_code == 422
    assert failure(answer).error.what == str(ask.service.refuse)


@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("GET", "/v1/nothing"), ("POST", "/v1/status")])
def test_other_paths_fail_in_the_same_form(ask: Asker, method: str, path: str) -> None:
    answer = ask(method, path)
    assert answer.status_code in (404, 405)
    assert failure(answer).error.what


def test_a_question_that_cannot_be_understood_names_the_parameter(ask: Asker) -> None:
    answer = ask("GET", "/v1/events?since=yesterday")
    assert answer.status_code == 400
    assert "since" in failure(answer).error.what


def test_a_fault_tells_no_details(ask: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    def fault() -> Status:
        raise RuntimeError("0123456789abcdef")

    monkeypatch.setattr(ask.service, "status", fault)
    answer = ask("GET", "/v1/status")
    assert answer.status_code == 500
    assert "0123456789abcdef" not in answer.text
    assert failure(answer).error.what


def schemas(tree: object) -> Iterator[str]:
    if isinstance(tree, dict):
        if isinstance(tree.get("$ref"), str):
            yield tree["$ref"]
        for value in tree.values():
            yield from schemas(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from schemas(value)


def test_openapi_describes_every_path_and_field(ask: Asker) -> None:
    document = ask("GET", "/openapi.json").json()
    assert document["openapi"].startswith("3.")
    assert document["info"]["title"] == "Ringfence"
    known = document["components"]["schemas"]
    for reference in schemas(document):
        assert reference.removeprefix("#/components/schemas/") in known, reference
    operations = [(path, how) for path, ways in document["paths"].items() for how in ways]
    assert sorted(operations) == sorted(
        [
            ("/v1/status", "get"), ("/v1/sas", "get"), ("/v1/sas/{name}", "delete"), ("/v1/policy", "get"),
            ("/v1/reload", "post"), ("/v1/explain", "get"), ("/v1/why", "get"), ("/v1/events", "get"),
            ("/v1/plan", "get"), ("/v1/edits", "post"), ("/v1/gateway", "put"),
            ("/v1/apply", "post"), ("/v1/confirm", "post"), ("/v1/dynamic", "get"), ("/v1/dynamic", "put"),
        ]
    )  # fmt: skip
    for path, how in operations:
        operation = document["paths"][path][how]
        assert operation["summary"]
        assert operation["tags"]
        assert "200" in operation["responses"]
        failure = operation["responses"]["4XX"]["content"]["application/json"]["schema"]
        assert failure == {"$ref": "#/components/schemas/Failure"}
    for name, schema in known.items():
        assert schema.get("description") or "enum" in schema, name


def ask_over(path: Path, question: str) -> httpx.Response:
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), base_url="http://x", trust_env=False) as client:
        return client.get(question)


def test_the_socket_is_for_root_and_its_group_and_goes_with_the_server(tmp_path: Path) -> None:
    path = tmp_path / "run" / "control.sock"

    async def story() -> None:
        server = ControlServer(AnsweringService(), path)
        await server.start()
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        answer = await asyncio.to_thread(ask_over, path, "/v1/status")
        assert answer.status_code == 200
        second = ControlServer(AnsweringService(), path)
        with pytest.raises(Refused, match="Another"):
            await second.start()
        await second.stop()
        assert path.exists(), "the one that did not start must not take the socket away"
        await server.stop()
        assert not path.exists()

    asyncio.run(story())


def test_a_fault_goes_the_way_of_all_faults_and_is_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "control.sock"
    told: list[object] = []

    def fault() -> Status:
        raise RuntimeError("not foreseen")

    async def lines(_: int) -> AsyncIterator[EventRecord]:
        yield service.past[0]
        fault()

    service = AnsweringService()
    monkeypatch.setattr(service, "status", fault)
    monkeypatch.setattr(service, "follow", lines)

    async def story() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["exception"]))
        server = ControlServer(service, path)
        await server.start()
        assert (await asyncio.to_thread(ask_over, path, "/v1/status")).status_code == 500
        with pytest.raises(httpx.RemoteProtocolError):
            await asyncio.to_thread(ask_over, path, "/v1/events?follow=true")
        await server.stop()

    asyncio.run(story())
    assert [str(error) for error in told] == ["not foreseen"] * 2
    assert not [record for record in caplog.records if record.exc_info]


def test_who_still_waits_when_the_service_ends_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "control.sock"
    asked = asyncio.Event()

    async def never(_: Path) -> None:
        asked.set()
        await asyncio.Event().wait()

    service = AnsweringService()
    monkeypatch.setattr(service, "plan", never)

    async def story() -> None:
        server = ControlServer(service, path)
        await server.start()
        asking = asyncio.create_task(asyncio.to_thread(ask_over, path, "/v1/plan?document=/p.toml"))
        await asked.wait()
        await server.stop()
        answer = await asking
        assert answer.status_code == 503
        assert failure(answer).error.what == "The service ends."

    asyncio.run(story())
    assert not [record for record in caplog.records if record.exc_info]


def test_a_socket_that_nobody_serves_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(path))

    async def story() -> None:
        server = ControlServer(AnsweringService(), path)
        await server.start()
        assert (await asyncio.to_thread(ask_over, path, "/v1/sas")).status_code == 200
        await server.stop()

    asyncio.run(story())


def test_a_socket_that_cannot_be_made_is_an_error_with_a_cure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    async def story() -> None:
        with pytest.raises(ControlError, match="cannot be made") as caught:
            await ControlServer(AnsweringService(), tmp_path / "file" / "control.sock").start()
        assert "--socket" in caught.value.cure

    asyncio.run(story())


def test_only_whole_paths_name_a_document(ask: Asker) -> None:
    assert ask("GET", "/v1/plan?document=p.toml").status_code == 400
    assert ask("GET", "/v1/plan?document=/p.toml").json()["lines"] == ["+ of /p.toml"]


def test_an_edit_is_recorded_for_whom_the_kernel_knows(ask: Asker) -> None:
    edit = {"document": "/p.toml", "kind": "filter", "name": "f", "edit": "added", "change": "x"}
    assert ask("POST", "/v1/edits", body=edit).json() == {"number": 1}
    assert ask.service.edits[0][0].behalf is None
    assert ask("POST", "/v1/edits", body={**edit, "document": "p.toml"}).status_code == 400
    assert ask("POST", "/v1/edits", body={**edit, "edit": "stolen"}).status_code == 400
    assert ask("POST", "/v1/edits", body={**edit, "uid": 0}).status_code == 400, "nobody says himself who he is"
    assert len(ask.service.edits) == 1
