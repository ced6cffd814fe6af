# SPDX-License-Identifier: Apache-2.0
"""``ringfence run`` on one host of the story, and what it tells over its socket."""

import contextlib
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from io import BufferedReader
from pathlib import Path
from typing import IO, TextIO

from ringfence.control.client import Client
from ringfence.control.errors import ControlError
from ringfence.control.messages import EventRecord, Status
from ringfence.demo.errors import NotTrue
from ringfence.demo.namespaces import Host

START_S, STOP_S = 15.0, 8.0
COLUMNS = 72
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


class Agent:
    """A running service; ``stop`` ends it cleanly."""

    def __init__(self, host: Host, policy: Path, *, key_log: Path | None = None) -> None:
        self.host = host
        self.socket = policy.with_name("control.sock")
        self._log_path = policy.with_name("log")
        self._log: TextIO = self._log_path.open("w")
        words = ["-m", "ringfence", "run", str(policy), "--socket", str(self.socket)]
        if key_log is not None:
            words += ["--key-log", str(key_log)]
        self.process = host.spawn(*host.python(*words), stdout=self._log, stderr=subprocess.STDOUT)
        self._news = threading.Condition()
        self._events: list[EventRecord] = []

    def wait_until_ready(self) -> None:
        """Until it follows its policy; raises NotTrue with its own words when it does not come to that."""
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise NotTrue(f"ringfence ended on {self.host.name}: {self.log()[-600:]}")
            try:
                with Client(self.socket) as client:
                    client.status()
            except ControlError:
                time.sleep(0.05)
                continue
            threading.Thread(target=self._listen, name=f"events of {self.host.name}", daemon=True).start()
            return
        raise NotTrue(f"ringfence does not answer on {self.host.name}: {self.log()[-600:]}")

    def status(self) -> Status:
        """Its whole state on one page."""
        with Client(self.socket) as client:
            return client.status()

    def dropped(self, reason: str) -> int:
        """How many packets it has dropped for this reason."""
        return self.status().dropped.get(reason, 0)

    def wait_for_drops(self, reason: str, number: int, *, seconds: float = 4.0) -> int:
        """Until so many were dropped for this reason, or the time is over; how many it were."""
        end = time.monotonic() + seconds
        while (found := self.dropped(reason)) < number and time.monotonic() < end:
            time.sleep(0.1)
        return found

    def events(self, first: int, *, until: Callable[[EventRecord], bool], seconds: float) -> "EventStream":
        """Its events from number ``first`` of those that came, until one is the last; an iterator."""
        return EventStream(self, first, until, time.monotonic() + seconds)

    def event(self, number: int, deadline: float) -> EventRecord | None:
        """The event that came as this one, waiting for it; None when there was none in time."""
        with self._news:
            while len(self._events) <= number:
                left = deadline - time.monotonic()
                if left <= 0 or not self._news.wait(left):
                    return None
            return self._events[number]

    def count(self) -> int:
        """How many events came so far."""
        with self._news:
            return len(self._events)

    def command(self, *words: str) -> list[str]:
        """What the command line answers on this host, as on a terminal of ``COLUMNS``."""
        ours, theirs = os.openpty()
        with os.fdopen(ours, "rb") as terminal:
            try:
                process = self.host.spawn(
                    *self.host.python("-m", "ringfence", *words, "--socket", str(self.socket)),
                    stdout=theirs, stderr=theirs, env={"COLUMNS": str(COLUMNS), "TERM": "dumb", "NO_COLOR": "1"},
                )  # fmt: skip
            finally:
                os.close(theirs)
            said = _all_of(terminal)
        if process.wait():
            raise NotTrue(f"ringfence {' '.join(words)} on {self.host.name}: {said}")
        return ESCAPES.sub("", said).splitlines()

    def stop(self) -> None:
        """End it as an administrator does; raises NotTrue when it does not end well."""
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(STOP_S)
        except subprocess.TimeoutExpired as error:
            raise NotTrue(f"ringfence does not stop on {self.host.name}: {self.log()[-600:]}") from error
        if code:
            raise NotTrue(f"ringfence stopped with status {code} on {self.host.name}: {self.log()[-600:]}")

    def log(self) -> str:
        """What it wrote."""
        return self._log_path.read_text(errors="replace")

    def close(self) -> None:
        """Forget it; its process ends with the lab."""
        self._log.close()

    def _listen(self) -> None:
        try:
            with Client(self.socket) as client:
                for record in client.events(follow=True):
                    with self._news:
                        self._events.append(record)
                        self._news.notify_all()
        except ControlError:
            return  # the service has ended, and whoever waits will say so


def _all_of(terminal: IO[bytes]) -> str:
    said = b""
    with contextlib.suppress(OSError):  # which is how Linux tells that the other side closed a terminal
        while piece := terminal.read1(4096) if isinstance(terminal, BufferedReader) else b"":
            said += piece
    return said.decode(errors="replace").replace("\r\n", "\n")


class EventStream:
    """Events as they come."""

    def __init__(self, agent: Agent, first: int, until: Callable[[EventRecord], bool], deadline: float) -> None:
        self._agent, self._next, self._until, self._deadline = agent, first, until, deadline
        self._ended = False

    def __iter__(self) -> "EventStream":
        return self

    def __next__(self) -> EventRecord:
        found = None if self._ended else self._agent.event(self._next, self._deadline)
        if found is None:
            raise StopIteration
        self._next += 1
        self._ended = self._until(found)
        return found
