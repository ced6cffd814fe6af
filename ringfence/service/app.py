# SPDX-License-Identifier: Apache-2.0
"""The wiring: this module alone names concrete classes, and says in which order they come to life and go.

The order fails closed. What can go wrong without leaving a trace comes first: the document, the privileges, the lock,
the sockets; so a second service, or a port in use, changes nothing. Then the backend takes over what a killed
predecessor left, which stays in force until the new policy replaces it in one step. Only then does anybody hear that
the service is ready. A clean stop takes leave of the peers and removes every trace; a second signal hurries it.
"""

import asyncio
import contextlib
import os
import signal
import sys
import traceback
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

from ringfence import __version__
from ringfence.audit import KeyLogOpened, ServiceFault, ServiceStarted, ServiceStopped
from ringfence.backends import nft
from ringfence.backends.base import MARK, BackendError, BackendEvent
from ringfence.backends.filewatch import FileWatch
from ringfence.backends.hostfacts import FILES, ROOT, host_facts
from ringfence.backends.names import NameBook
from ringfence.backends.resolver import resolver
from ringfence.backends.streams import TcpStreams
from ringfence.backends.udp import IkeSockets
from ringfence.backends.userspace import UserspaceBackend
from ringfence.capture.keylog import KeyLog
from ringfence.control.server import ControlServer
from ringfence.credentials.keeper import LocalKeeper
from ringfence.ike.engine import IkeEngine
from ringfence.net.address import format_address
from ringfence.policy.host import HostFacts
from ringfence.policy.resultant import DYNAMIC, LOCAL
from ringfence.secret import Secret
from ringfence.service import boot, privileges
from ringfence.service.answers import Answers, Facts
from ringfence.service.clock import SystemClock
from ringfence.service.errors import CannotRun
from ringfence.service.events import EventLog
from ringfence.service.given import Given
from ringfence.service.host import REPORTED, Host
from ringfence.service.lock import NamespaceLock
from ringfence.service.log import make_sink
from ringfence.service.names import HOSTS, follow
from ringfence.service.notify import notify
from ringfence.service.peers import PeerTable
from ringfence.service.reload import PolicyKeeper
from ringfence.service.secretfile import crash_secret
from ringfence.service.settings import RUNTIME_DIRECTORY, Settings
from ringfence.service.staging import Stage
from ringfence.service.troubles import TroubleTable
from ringfence.stores.base import Store
from ringfence.stores.dynamic import DynamicStore
from ringfence.stores.file import open_file
from ringfence.stores.opening import open_store
from ringfence.stores.several import Stores


def run(stores: Mapping[str, Path], settings: Settings) -> None:
    """Guard this computer by the documents of ``stores`` until a signal ends it; raises an IpsecError if it cannot."""
    asyncio.run(_Service(stores, settings).run())


def open_stores(
    paths: Mapping[str, Path], state: Path | None = None, facts: Callable[[], HostFacts] = HostFacts
) -> Stores:  # fmt: skip
    """The stores that somebody named, and the one for rules that go with the service."""
    files: dict[str, Store] = {
        name: open_store(
            name, path, several=len(paths) > 1, state=state,
            addresses=lambda: map(format_address, facts().addresses),
        )
        for name, path in paths.items()
    }  # fmt: skip
    folder = (paths.get(LOCAL) or next(iter(paths.values()))).parent
    return Stores({**files, DYNAMIC: DynamicStore(folder=folder)})


class _Service:
    """One run, from start to stop."""

    def __init__(self, stores: Mapping[str, Path], settings: Settings) -> None:
        self._paths = stores
        self._settings = settings
        self._clock = SystemClock()
        self._events = EventLog(self._clock.today, self._clock.now, keep=settings.events)
        self._peers = PeerTable()
        self._troubles = TroubleTable()
        self._names = NameBook()
        self._credentials = LocalKeeper(self._clock.today)
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()
        self._why = ""

    async def run(self) -> None:
        """Start, serve, stop."""
        asyncio.get_running_loop().set_exception_handler(self._fault)
        self._events.add_sink(self._peers)
        self._events.add_sink(self._troubles)
        self._events.add_sink(make_sink(verbose=self._settings.verbose, journal="JOURNAL_STREAM" in os.environ))
        keeper = PolicyKeeper(
            open_stores(self._paths, self._settings.state, self._surroundings), self._surroundings, events=self._events,
            today=self._clock.today, names=self._names,
            keep=None if (folder := self._settings.state) is None else lambda text: boot.keep(folder, text),
            hold=self._credentials.hold,
        )  # fmt: skip
        privileges.check()
        with NamespaceLock.take(RUNTIME_DIRECTORY):
            key_log = self._open_key_log()
            privileges.keep_only(privileges.wanted([*self._paths.values(), *keeper.files]))
            with crash_secret(self._settings.state, RUNTIME_DIRECTORY, os.urandom) as secret:
                await self._serve(keeper, key_log, secret)
        self._events.add(ServiceStopped(why=self._why))

    def _surroundings(self) -> HostFacts:
        return host_facts(device=self._settings.device)

    async def _serve(self, keeper: PolicyKeeper, key_log: KeyLog | None, secret: Secret) -> None:
        ike = IkeEngine(random=os.urandom, crash_secret=secret)
        backend = UserspaceBackend(
            random=os.urandom, clock=self._clock.now, events=_not_yet, device=self._settings.device
        )
        sockets = IkeSockets(
            lambda datagram, path: host.receive(datagram, path), backend.inbound_udp, MARK,
            on_closed=lambda peer: host.closed(peer),
        )  # fmt: skip
        streams = TcpStreams(
            lambda datagram, path: host.receive(datagram, path), backend.inbound_udp,
            lambda path: host.disconnected(path), MARK,
        )  # fmt: skip
        sockets.streams = streams
        moved = asyncio.Event()

        def look() -> None:
            keeper.look()
            moved.set()
            given.look()

        given = Given(backend, resolver(self._settings.device), self._events)
        host = Host(
            ike, backend, send=sockets.send, now=self._clock.now, events=self._events, moved=look,
            key_log=key_log, waits=self._settings.waits, keeper=self._credentials,
            given=given, streams=streams,
        )  # fmt: skip
        backend.events, backend.udp = host.on_event, sockets
        stage = Stage(
            keeper, self._with_document, secured=lambda flow: any(child.carries(flow) for child in ike.child_sas()),
            events=self._events, today=self._clock.today,
        )  # fmt: skip
        answers = Answers(
            self._facts(), ike=ike, backend=backend, host=host, keeper=keeper, stage=stage, events=self._events,
            peers=self._peers,
            troubles=self._troubles,
        )  # fmt: skip
        control = ControlServer(answers, self._settings.socket)
        async with contextlib.AsyncExitStack() as undo:
            undo.callback(self._events.close)
            self._follow_signals(keeper)
            await control.start()
            undo.push_async_callback(self._in_time, control.stop)
            sockets.open()
            undo.callback(sockets.close)
            undo.callback(streams.close)
            guarded = bool(nft.counts())
            """Whether a predecessor that was killed left its table: if we fail, that goes on to guard."""
            booted = await nft.has_boot_table()
            await backend.start()
            try:
                await keeper.start(host.apply)
            except BaseException:
                if not guarded:
                    with contextlib.suppress(BackendError):  # what made the start fail may well fail this, too
                        await backend.stop(boot.ruleset(keeper.policy) if booted else "")
                raise
            undo.push_async_callback(lambda: backend.stop(boot.leaving(keeper.policy)))
            undo.push_async_callback(given.close)
            self._follow_signals(keeper)
            watching = asyncio.create_task(keeper.watch(self._settings.watch_s, self._settings.debounce_s))
            naming = asyncio.create_task(follow(self._names, lambda: keeper.host_names, keeper.look, woken=moved))
            with contextlib.suppress(OSError):  # this user may have no more of them; all is looked at every second, too
                undo.callback(FileWatch(look, (*FILES, HOSTS), ROOT).close)
            self._ready(keeper, backend.name)
            await self._stop.wait()
            notify("STOPPING=1")
            watching.cancel()
            naming.cancel()
            stage.stop()
            host.stop()
            self._events.close()

    def _with_document(self, stores: Stores, document: Path) -> Stores:
        return stores.replaced(LOCAL, open_file(LOCAL, document, several=bool(self._paths.keys() - {LOCAL})))

    def _facts(self) -> Facts:
        return Facts(
            started_at=self._clock.today(),
            pid=os.getpid(),
            device=self._settings.device,
            key_log=self._settings.key_log,
            today=self._clock.today,
            date_of=self._clock.date_of,
        )

    def _open_key_log(self) -> KeyLog | None:
        if self._settings.key_log is None:
            return None
        try:
            key_log = KeyLog(self._settings.key_log)
        except OSError as error:
            raise CannotRun(
                f"Keys cannot be logged: {error.strerror or error}.", place=str(self._settings.key_log),
                cure="Name a directory of your own with --key-log, or leave it out.",
            ) from error  # fmt: skip
        self._events.add(KeyLogOpened(file=str(self._settings.key_log)))
        return key_log

    def _follow_signals(self, keeper: PolicyKeeper) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end, signal.Signals(number).name)
        reloads: set[asyncio.Task[None]] = set()

        def reload() -> None:
            task = loop.create_task(keeper.try_reload())
            reloads.add(task)
            task.add_done_callback(reloads.discard)

        loop.add_signal_handler(signal.SIGHUP, reload)

    def _end(self, why: str) -> None:
        """The first signal stops, the second hurries, a third kills and leaves the computer failed closed."""
        if self._stop.is_set():
            self._hurry.set()
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().remove_signal_handler(number)
        self._why = self._why or why
        self._stop.set()

    async def _in_time(self, step: Callable[[], Coroutine[None, None, None]]) -> None:
        """A polite step of the stop: only as long as nobody hurries."""
        task, hurry = asyncio.create_task(step()), asyncio.create_task(self._hurry.wait())
        await asyncio.wait({task, hurry}, timeout=self._settings.stop_s, return_when=asyncio.FIRST_COMPLETED)
        hurry.cancel()
        if not task.done():
            task.cancel()

    def _ready(self, keeper: PolicyKeeper, backend: str) -> None:
        policy = keeper.running.loaded.policy.summary() if keeper.running else ""
        self._events.add(ServiceStarted(version=__version__, backend=backend, policy=policy))
        notify(f"READY=1\nSTATUS=Guards this computer by {policy}")

    def _fault(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """What no part caught: told with its place, while the service goes on."""
        error = context.get("exception")
        if context.get("message") != REPORTED:
            detail = f"{type(error).__name__}: {error}" if error else str(context.get("message"))
            self._events.add(ServiceFault(during=str(context.get("during", "the background")), detail=detail))
        if error is not None:
            traceback.print_exception(error, file=sys.stderr)


def _not_yet(_: BackendEvent) -> None:
    """Stands where the host will listen, until there is one."""
