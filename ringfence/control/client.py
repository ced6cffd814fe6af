# SPDX-License-Identifier: Apache-2.0
"""Asks the running service, typed; every failure becomes a ``ControlError`` that says what to do."""

import socket as socket_module
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import quote

import httpx
from pydantic import ValidationError

from ringfence.control.draining import Drained, Draining
from ringfence.control.edits import Edited, RecordedEdit
from ringfence.control.errors import BadAnswer, BadRequest, ControlError, NotAllowed, NotRunning, NotThere, Refused
from ringfence.control.messages import (
    Application,
    Applied,
    Confirmed,
    Deleted,
    EventRecord,
    Explanation,
    Failure,
    Message,
    Planned,
    PolicyView,
    Problem,
    Reloaded,
    Sas,
    Status,
)
from ringfence.control.place import default_socket
from ringfence.control.questions import When
from ringfence.control.storing import DynamicChange, DynamicDocument
from ringfence.control.troubles import WhyAnswer

PATIENCE_S = 10.0

M = TypeVar("M", bound=Message)

KINDS: dict[int, type[ControlError]] = {400: BadRequest, 404: NotThere, 409: Refused, 422: Refused}


class Client:
    """A conversation with the service at ``socket``; use it as a context manager."""

    def __init__(self, socket: Path | None = None, *, transport: httpx.BaseTransport | None = None) -> None:
        self._socket = socket or default_socket()
        self._reached = transport is not None
        self._http = httpx.Client(
            transport=transport or httpx.HTTPTransport(uds=str(self._socket)),
            base_url="http://ringfence/v1",
            timeout=PATIENCE_S,
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def status(self) -> Status:
        """The whole on one page."""
        return self._ask("GET", "/status", Status)

    def sas(self) -> Sas:
        """All SAs."""
        return self._ask("GET", "/sas", Sas)

    def delete_sa(self, name: str) -> Deleted:
        """End an SA, by id or SPI; raises NotThere."""
        return self._ask("DELETE", f"/sas/{quote(name, safe='')}", Deleted)

    def drain(self, order: Draining) -> Drained:
        """Send clients to another gateway, or serve them again; raises Refused with the reason."""
        return self._ask("PUT", "/gateway", Drained, body=order)

    def policy(self) -> PolicyView:
        """The running policy."""
        return self._ask("GET", "/policy", PolicyView)

    def explain(self, packet: str) -> Explanation:
        """What happens to a packet."""
        return self._ask("GET", "/explain", Explanation, packet=packet)

    def explain_at_boot(self, packet: str) -> Explanation:
        """What would happen to it before the service is up."""
        return self._ask("GET", "/explain", Explanation, packet=packet, at=When.BOOT.value)

    def why(self, peer: str) -> WhyAnswer:
        """Why there is no security with a peer, or was none; raises NotThere for one never heard of."""
        return self._ask("GET", "/why", WhyAnswer, peer=peer)

    def reload(self) -> Reloaded:
        """Have the document read again; raises Refused with the reason."""
        return self._ask("POST", "/reload", Reloaded)

    def plan(self, document: Path) -> Planned:
        """What following ``document`` would change; raises Refused with the reason."""
        return self._ask("GET", "/plan", Planned, document=str(document))

    def apply(self, order: Application) -> Applied:
        """Follow another document; raises Refused with the reason."""
        return self._ask("POST", "/apply", Applied, body=order)

    def dynamic(self) -> DynamicDocument:
        """The rules that hold until the service stops."""
        return self._ask("GET", "/dynamic", DynamicDocument)

    def change_dynamic(self, change: DynamicChange) -> Reloaded:
        """Have others; raises Refused with the reason."""
        return self._ask("PUT", "/dynamic", Reloaded, body=change)

    def edited(self, edit: Edited) -> RecordedEdit:
        """Have an edit of a document that the service follows among its events; raises Refused for another document."""
        return self._ask("POST", "/edits", RecordedEdit, body=edit)

    def confirm(self) -> Confirmed:
        """Let a policy on probation stay; raises NotThere."""
        return self._ask("POST", "/confirm", Confirmed)

    def events(self, *, since: int = 0, follow: bool = False) -> Iterator[EventRecord]:
        """What happened after event ``since``; with ``follow``, then each as it happens, until the service ends."""
        asked = {"since": str(since), "follow": "true" if follow else "false"}
        patience = httpx.Timeout(PATIENCE_S, read=None if follow else PATIENCE_S)
        self._reach()
        try:
            with self._http.stream("GET", "/events", params=asked, timeout=patience) as answer:
                if answer.is_error:
                    answer.read()
                    raise self._error(answer)
                for line in answer.iter_lines():
                    yield self._decode(line, EventRecord)
        except httpx.RemoteProtocolError:
            return  # the service ended while we listened
        except httpx.TransportError as error:
            raise self._unreachable(error) from error

    def _ask(self, method: str, path: str, kind: type[M], *, body: Message | None = None, **params: str) -> M:
        self._reach()
        sent = None if body is None else body.model_dump(mode="json")
        try:
            answer = self._http.request(method, path, params=params, json=sent)
        except httpx.TransportError as error:
            raise self._unreachable(error) from error
        if answer.is_error:
            raise self._error(answer)
        return self._decode(answer.text, kind)

    def _decode(self, text: str, kind: type[M]) -> M:
        try:
            return kind.model_validate_json(text)
        except ValidationError as error:
            raise BadAnswer(
                "The service's answer is not what this version of ringfence expects.",
                place=str(self._socket),
                cure="Restart the service, so that both are of one version.",
            ) from error

    def _error(self, answer: httpx.Response) -> ControlError:
        try:
            problem = Failure.model_validate_json(answer.text).error
        except ValidationError:
            problem = Problem(what=f"The service answered with HTTP status {answer.status_code}.")
        return KINDS.get(answer.status_code, BadAnswer)(problem.what, place=problem.place, cure=problem.cure)

    def _reach(self) -> None:
        """Knock once, to tell exactly why nobody answers."""
        if self._reached:
            return
        with socket_module.socket(socket_module.AF_UNIX, socket_module.SOCK_STREAM) as probe:
            try:
                probe.connect(str(self._socket))
            except PermissionError as error:
                raise NotAllowed(
                    "You may not use the service's socket.", place=str(self._socket), cure="Try it with sudo."
                ) from error
            except OSError as error:
                raise self._gone() from error
        self._reached = True

    def _gone(self) -> NotRunning:
        return NotRunning(
            "Ringfence is not running: nobody answers at this socket.",
            place=str(self._socket),
            cure="Start it with  ringfence run POLICY  (or name its socket with --socket).",
        )

    def _unreachable(self, error: httpx.TransportError) -> ControlError:
        if isinstance(error, httpx.TimeoutException):
            return BadAnswer(
                "The service does not answer in time.", place=str(self._socket), cure="Its log may say why."
            )
        return self._gone()
