# SPDX-License-Identifier: Apache-2.0
"""The API over a local socket: HTTP, described by OpenAPI at ``/openapi.json``.

This module turns requests into calls of a port (``Service``) and its answers into JSON, and nothing else. Who may ask
is decided by the socket's mode: root and its group. Errors have one form, ``Failure``, whatever caused them.
"""

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import AsyncIterator, Generator
from pathlib import Path
from typing import Annotated, Protocol

import uvicorn
from fastapi import APIRouter, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from ringfence import __version__
from ringfence.control.draining import Drained, Draining
from ringfence.control.edits import Edited, RecordedEdit
from ringfence.control.errors import BadRequest, ControlError, NotThere, Refused
from ringfence.control.messages import (
    Application,
    Applied,
    Confirmed,
    Deleted,
    EventRecord,
    Explanation,
    Failure,
    Planned,
    PolicyView,
    Problem,
    Reloaded,
    Sas,
    Status,
)
from ringfence.control.questions import When
from ringfence.control.storing import DynamicChange, DynamicDocument
from ringfence.control.troubles import WhyAnswer
from ringfence.errors import IpsecError

SOCKET_MODE = 0o660
NOBODY = 65534
"""The user id of who cannot be asked for."""
NDJSON = "application/x-ndjson"
PEER = struct.Struct("iii")
"""pid, uid and gid (unix(7), SO_PEERCRED)."""
STATUS = ((NotThere, 404), (BadRequest, 400), (Refused, 409), (ControlError, 500), (IpsecError, 422))
"""HTTP's number for each kind of error; the first that fits."""


class Service(Protocol):
    """What the API needs of the running service."""

    def status(self) -> Status:
        """The whole on one page."""

    def sas(self) -> Sas:
        """All SAs."""

    async def delete_sa(self, name: str) -> Deleted:
        """End an SA, given by id or SPI; raises NotThere."""

    def drain(self, order: Draining) -> Drained:
        """Send clients to another gateway, or serve them again; raises BadRequest for what is no address."""

    def policy(self) -> PolicyView:
        """The running policy."""

    def explain(self, packet: str) -> Explanation:
        """What happens to a packet such as ``out tcp 10.0.0.1 -> 10.0.0.2:80``; raises BadRequest."""

    def why(self, peer: str) -> WhyAnswer:
        """Why there is no security with the peer at an address; raises BadRequest, NotThere."""

    def explain_at_boot(self, packet: str) -> Explanation:
        """What would happen to it before the service is up; raises BadRequest."""

    async def reload(self) -> Reloaded:
        """Read the document again now; raises an IpsecError that says why it is refused."""

    async def plan(self, document: Path) -> Planned:
        """What following ``document`` would change; raises an IpsecError when it is not correct."""

    async def apply(self, order: Application) -> Applied:
        """Follow another document; raises Refused when that would lock the asker out, and IpsecError."""

    def dynamic(self) -> DynamicDocument:
        """The rules that hold until the service stops."""

    async def change_dynamic(self, change: DynamicChange) -> Reloaded:
        """Have others; raises Refused when somebody else was faster or it would lock the asker out, and IpsecError."""

    def edited(self, edit: Edited, uid: int) -> RecordedEdit:
        """Record an edit by a user; raises Refused when it is of a document that the service does not follow."""

    def confirm(self) -> Confirmed:
        """Let a policy on probation stay; raises NotThere."""

    def events(self, since: int) -> list[EventRecord]:
        """Kept events with a number above ``since``."""

    def follow(self, since: int) -> AsyncIterator[EventRecord]:
        """The same, and then each as it happens, until the service ends."""


def make_app(service: Service) -> FastAPI:
    """The API of ``service``."""
    app = FastAPI(
        title="Ringfence",
        version=__version__,
        summary="IPsec for Linux with the policy model of Windows.",
        description="The running service on this computer: its policy, its security associations, its events.",
        docs_url=None,
        redoc_url=None,
        responses={"4XX": {"model": Failure}, "5XX": {"model": Failure}},
    )
    app.include_router(_routes(service))
    app.include_router(_policy_routes(service))
    app.add_exception_handler(Exception, _unforeseen)
    app.add_exception_handler(IpsecError, _foreseen)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    return app


def _routes(service: Service) -> APIRouter:
    router = APIRouter(prefix="/v1")

    @router.get("/status", summary="The whole on one page", tags=["status"])
    async def status() -> Status:
        return service.status()

    @router.get("/sas", summary="All security associations", tags=["security associations"])
    async def sas() -> Sas:
        return service.sas()

    @router.delete("/sas/{name:path}", summary="End a security association", tags=["security associations"])
    async def delete_sa(name: str) -> Deleted:
        """By id (``m1``, ``q3``) or SPI (``0x5f3a11c0``); the peer is told. Traffic that needs it makes a new one."""
        return await service.delete_sa(name)

    @router.put("/gateway", summary="Send clients to another gateway", tags=["security associations"])
    async def drain(order: Draining) -> Drained:
        """Those that are here, and those that come in until another order, or a restart (RFC 5685)."""
        return service.drain(order)

    @router.get("/why", summary="Why there is no security with a peer, or was none", tags=["status"])
    async def why(peer: Annotated[str, Query(description="Its address", max_length=64)]) -> WhyAnswer:
        """What failed with it, both sides part by part, and what would help; 404 for one never heard of."""
        return service.why(peer)

    @router.get(
        "/events",
        summary="What happened",
        tags=["events"],
        response_class=StreamingResponse,
        responses={200: {"model": EventRecord, "description": "One `EventRecord` per line", "content": {NDJSON: {}}}},
    )
    async def events(
        since: Annotated[int, Query(description="Only events with a number above this one", ge=0)] = 0,
        follow: Annotated[bool, Query(description="Stay, and send each event as it happens")] = False,
    ) -> StreamingResponse:
        return StreamingResponse(_lines(service, since, follow), media_type=NDJSON)

    return router


def _whole_path(document: str) -> Path:
    path = Path(document)
    if not path.is_absolute():
        raise BadRequest(f"{document} is not the whole path of a file.")
    return path


def _policy_routes(service: Service) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["policy"])

    @router.get("/policy", summary="The running policy")
    async def policy() -> PolicyView:
        return service.policy()

    @router.post("/reload", summary="Read the policy document again")
    async def reload() -> Reloaded:
        """A document that is not correct is refused with 422 and changes nothing."""
        return await service.reload()

    @router.get("/plan", summary="What following a document would change")
    async def plan(
        document: Annotated[str, Query(description="The document's file, with the whole path", max_length=4096)],
    ) -> Planned:
        return await service.plan(_whole_path(document))

    @router.post("/apply", summary="Follow another document")
    async def apply(order: Application) -> Applied:
        """Refused with 409 when it would end one of the asker's sessions, with 422 when it is not correct."""
        _whole_path(order.document)
        return await service.apply(order)

    @router.get("/dynamic", summary="The rules that hold until the service stops")
    async def dynamic() -> DynamicDocument:
        return service.dynamic()

    @router.put("/dynamic", summary="Have other rules until the service stops")
    async def change_dynamic(change: DynamicChange) -> Reloaded:
        """Refused with 409 when the revision is another by now, with 422 when the document is not correct."""
        return await service.change_dynamic(change)

    @router.post("/edits", summary="Record an edit of a document")
    async def edits(edit: Edited, request: Request) -> RecordedEdit:
        """Who made it is asked of the kernel. Refused with 409 for a document that the service does not follow."""
        _whole_path(edit.document)
        return service.edited(edit, request.client.port if request.client is not None else NOBODY)

    @router.post("/confirm", summary="Let a policy on probation stay")
    async def confirm() -> Confirmed:
        return service.confirm()

    @router.get("/explain", summary="What happens to a packet, and because of what")
    async def explain(
        packet: Annotated[str, Query(description="Such as `out tcp 10.0.0.1 -> 10.0.0.2:80`", max_length=200)],
        at: Annotated[When, Query(description="`boot`: before the service is up")] = When.NOW,
    ) -> Explanation:
        return service.explain_at_boot(packet) if at is When.BOOT else service.explain(packet)

    return router


async def _lines(service: Service, since: int, follow: bool) -> AsyncIterator[str]:
    if not follow:
        for record in service.events(since):
            yield record.model_dump_json() + "\n"
        return
    async for record in service.follow(since):
        yield record.model_dump_json() + "\n"


def _answer(status: int, what: str, *, place: str = "", cure: str = "") -> JSONResponse:
    failure = Failure(error=Problem(what=what, place=place, cure=cure))
    return JSONResponse(failure.model_dump(), status_code=status)


async def _foreseen(_: Request, error: Exception) -> JSONResponse:
    code = next((code for kind, code in STATUS if isinstance(error, kind)), 500)
    if not isinstance(error, IpsecError):
        return _answer(500, str(error))
    if type(error).__str__ is not IpsecError.__str__:  # it makes its own text, of several findings
        return _answer(code, str(error))
    return _answer(code, error.message, place=error.place, cure=error.cure)


async def _unforeseen(_: Request, error: Exception) -> JSONResponse:
    return _answer(500, f"The service could not answer ({type(error).__name__}).", cure="Its log says more.")


async def _http(_: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _answer(status, "There is nothing here." if status == 404 else str(error), cure="See /openapi.json.")


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    found = error.errors() if isinstance(error, RequestValidationError) else []
    said = "; ".join(f"{'.'.join(map(str, one['loc'][1:]))}: {one['msg']}" for one in found)
    return _answer(400, said or "The request is not correct.", cure="See /openapi.json.")


class _Caught:
    """Around the app: what it did not foresee goes the way of every fault of the service, and uvicorn hears nothing.

    Whoever asks when the service ends, and would wait longer than it does, is told so.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        begun = False

        async def sent(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, sent)
        except asyncio.CancelledError:
            if not begun:
                await _answer(503, "The service ends.")(scope, receive, send)
        except Exception as error:
            fault = {"message": "a fault in an answer", "during": "an answer of the API", "exception": error}
            asyncio.get_running_loop().call_exception_handler(fault)


class _Known(H11Protocol):
    """Knows the user at the other end of the socket, as the kernel does (SO_PEERCRED)."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Ask once for each connection; a request has the answer as the port of its client."""
        super().connection_made(transport)
        _, uid, _ = PEER.unpack(
            transport.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, PEER.size)
        )
        self.client = ("user", uid)


class _Quiet(uvicorn.Server):
    """uvicorn without its hands on the process's signals, which are the service's, and without waking up to look."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ended = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    async def main_loop(self) -> None:
        await self._ended.wait()

    def end(self) -> None:
        """Have ``serve`` return soon."""
        self.should_exit = True
        self._ended.set()


class ControlServer:
    """Serves the API on a socket in the file system, from ``start`` to ``stop``."""

    def __init__(self, service: Service, path: Path) -> None:
        self._service = service
        self._path = path
        self._server: _Quiet | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Answer from now on."""
        listener = _bind(self._path)
        config = uvicorn.Config(
            _Caught(make_app(self._service)), log_config=None, access_log=False, lifespan="off", ws="none", http=_Known,
            timeout_graceful_shutdown=1, server_header=False, date_header=False,
        )  # fmt: skip
        self._server = _Quiet(config)
        self._task = asyncio.create_task(self._server.serve(sockets=[listener]), name="control")

    async def stop(self) -> None:
        """Let answers under way finish, for a second at most, and remove the socket."""
        if self._server is not None and self._task is not None:
            self._server.end()
            await self._task
            self._path.unlink(missing_ok=True)
        self._server = self._task = None


def _bind(path: Path) -> socket.socket:
    """A listening socket at ``path`` for root and its group; takes the place of one that nobody serves."""
    if _someone_answers(path):
        raise Refused(
            "Another Ringfence answers at this socket.",
            place=str(path),
            cure="Stop it first, or give this one another socket with --socket.",
        )
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        before = os.umask(0o777 & ~SOCKET_MODE)
        try:
            listener.bind(str(path))
        finally:
            os.umask(before)
        listener.listen(64)
    except OSError as error:
        listener.close()
        raise ControlError(
            f"The control socket cannot be made: {error.strerror or error}.",
            place=str(path),
            cure="Give another one with --socket or RINGFENCE_SOCKET.",
        ) from error
    listener.setblocking(False)
    return listener


def _someone_answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True
