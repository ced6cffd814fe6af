# SPDX-License-Identifier: Apache-2.0
"""A service that does nothing but answer: for tests of the API and the command line, and for building screens."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ringfence.control.draining import Drained, Draining
from ringfence.control.edits import Edited, RecordedEdit
from ringfence.control.errors import BadRequest, NotThere, Refused
from ringfence.control.messages import (
    Application,
    Applied,
    Confirmed,
    DataPath,
    Deleted,
    Entry,
    EventRecord,
    Explanation,
    MainModeSa,
    Peer,
    PeerState,
    Planned,
    PolicyState,
    PolicyView,
    QuickModeSa,
    Reloaded,
    Sas,
    Status,
    Traffic,
    Volume,
)
from ringfence.control.server import ControlServer
from ringfence.control.storing import DynamicChange, DynamicDocument
from ringfence.control.troubles import ComparedPart, Trouble, WhyAnswer
from ringfence.errors import IpsecError

START = datetime(2026, 11, 25, 11, 1, 40, tzinfo=UTC)


def make_status() -> Status:
    """A computer with one peer of each kind."""
    return Status(
        version="0.1.0",
        pid=4711,
        started_at=START,
        policy=PolicyState(document="policy.toml", rules=["lab is isolated", "no telnet", "dns"], applied_at=START),
        data_path=DataPath(backend="userspace", device="rf0", detail="this kernel has no ESP"),
        peers=[
            Peer(
                address="10.77.0.2", state=PeerState.PROTECTED, identity="bob.lab", rule="lab is isolated",
                since=START, keying="ikev1",
            ),
            Peer(
                address="10.77.0.9", state=PeerState.CLEAR, rule="dns", since=START + timedelta(seconds=20),
                detail="10.77.0.9 does not answer",
            ),
            Peer(
                address="10.77.0.13", state=PeerState.FAILING, rule="lab is isolated", since=START,
                detail="10.77.0.13 accepts none of our proposals",
            ),
        ],
        traffic=Traffic(
            sent_protected=Volume(packets=912_000, octets=1_204_000_000),
            sent_clear=Volume(packets=2_000, octets=3_100_000),
            received_protected=Volume(packets=700_000, octets=904_000_000),

        ),
        dropped={"replayed": 12, "bad-integrity": 3, "clear-but-security-required": 41, "no-sa": 0},
    )  # fmt: skip


def make_sas() -> Sas:
    """One main mode with one quick mode."""
    return Sas(
        main_modes=[
            MainModeSa(
                id="m1", keying="ikev1", state="established", local="10.77.0.1:500", remote="10.77.0.2:500",
                local_identity="alice.lab",
                remote_identity="bob.lab", proposal="aes256-sha256-ecp256", initiator=True,
                initiator_cookie="1122334455667788", responder_cookie="8877665544332211", rule="lab is isolated",
                made_at=START, expires_at=START + timedelta(hours=8), quick_modes=["q3"],
            )
        ],
        quick_modes=[
            QuickModeSa(
                id="q3", main_mode="m1", keying="ikev1", rule="lab is isolated", local="10.77.0.1", remote="10.77.0.2",
                protocol="any",
                peer="10.77.0.2", peer_identity="bob.lab", protection="esp aes256-gcm", mode="transport",
                spi_in=["0x5f3a11c0"], spi_out=["0xc0ffee11"], made_at=START, expires_at=START + timedelta(hours=1),
                received=Volume(packets=11, octets=1_100), sent=Volume(packets=12, octets=1_204),
                last_used=START + timedelta(minutes=1), path_mtu=1400,
            )
        ],
    )  # fmt: skip


def make_policy() -> PolicyView:
    """Two entries."""
    return PolicyView(
        document="policy.toml",
        applied_at=START,
        settings=(
            '[[rule]]                         # policy.toml:2\nname = "lab is isolated"         # line 3\n'
            'auth = { psk-file = "lab.psk" }  # line 4\n'
        ),
        entries=[
            Entry(
                name="no telnet/1", action="block", direction="both", local="10.77.0.1", remote="0.0.0.0/0:23",
                protocol="tcp", rule="no telnet", origin='rule "no telnet" policy.toml:9',
            ),
            Entry(
                name="lab/1", action="protect", direction="both", local="10.77.0.1", remote="10.77.0.0/24",
                protocol="any", rule="lab is isolated", origin='rule "lab is isolated" policy.toml:2', mode="transport",
                methods=["esp aes256-gcm", "esp aes128-gcm"], main_mode=["aes256-sha256-ecp256"],
                auth=["preshared key lab.psk"],
            ),
        ],
    )  # fmt: skip


def make_event(number: int, text: str = "", event: str = "ike-message") -> EventRecord:
    """An event of that number."""
    return EventRecord(
        number=number, at=START, event=event, windows_id=0, text=text or f"event number {number}",
        fields={"event": event, "sent": True, "octets": 100 + number},
    )  # fmt: skip


class AnsweringService:
    """Answers as above; ``deleted`` holds what it was asked to delete, ``refuse`` what a reload raises."""

    def __init__(self, *, events: int = 3) -> None:
        self.deleted: list[str] = []
        self.drained: list[str] = []
        self.orders: list[Application] = []
        self.edits: list[tuple[Edited, int]] = []
        """With who made each."""
        self.refuse: IpsecError | None = None
        self.rules = DynamicDocument(text="", revision=0)
        self.past = [make_event(number) for number in range(1, events + 1)]
        self.coming: list[EventRecord] = []

    def status(self) -> Status:
        """The status."""
        return make_status()

    def sas(self) -> Sas:
        """The SAs."""
        return make_sas()

    async def delete_sa(self, name: str) -> Deleted:
        """Remember ``name``."""
        if name not in ("m1", "q3", "0x5f3a11c0"):
            raise NotThere(f"There is no SA {name}.", cure="ringfence sa list  shows those that are.")
        self.deleted.append(name)
        return Deleted(ids=[name], text=f"{name} was deleted.")

    def drain(self, order: Draining) -> Drained:
        """Remember where to."""
        if order.to == "gw.example":
            raise BadRequest('"gw.example" is no IP address.', cure="Name its address.")
        self.drained.append(order.to)
        return Drained(to=order.to, clients=2, staying=0, text=f"2 clients are sent to {order.to}.")

    def policy(self) -> PolicyView:
        """The policy."""
        return make_policy()

    def explain(self, packet: str) -> Explanation:
        """Telnet is blocked, all else protected."""
        if "->" not in packet:
            raise BadRequest(f"{packet!r} is not a packet.", cure="Write it as  out tcp 10.0.0.1 -> 10.0.0.2:80 .")
        verdict = "block" if packet.endswith(":23") else "protect"
        return Explanation(verdict=verdict, sure=True, lines=[f"{verdict}  because of a rule"])

    def explain_at_boot(self, packet: str) -> Explanation:
        """Nothing passes."""
        return Explanation(verdict="block", sure=True, lines=[f"blocked    {packet}, before the service is up"])

    def why(self, peer: str) -> WhyAnswer:
        """Nobody but 10.77.0.9 has failed."""
        if peer != "10.77.0.9":
            raise NotThere(f"Nothing has failed with {peer}, and there is no security with it.")
        trouble = Trouble(
            exchange="main mode", reason="no-proposal-in-common", detail="no main mode proposal in common",
            we_began=False, times=1, first_at=START, last_at=START, subject="main mode proposals",
            parts=[ComparedPart(what="hash", theirs=["sha1"], ours=["sha256"], agree=False)],
            advice=["On 10.77.0.9, allow aes256-sha256-ecp256."],
        )  # fmt: skip
        return WhyAnswer(peer=peer, protected=False, troubles=[trouble], lines=["now  failing", *trouble.advice])

    async def reload(self) -> Reloaded:
        """Nothing changed, or what ``refuse`` says."""
        if self.refuse is not None:
            raise self.refuse
        return Reloaded(changed=False, summary="Nothing changed.", lines=[])

    async def plan(self, document: Path) -> Planned:
        """One rule more, or what ``refuse`` says."""
        if self.refuse is not None:
            raise self.refuse
        return Planned(changed=True, summary="1 added, 2 as before", lines=[f"+ of {document}"])

    async def apply(self, order: Application) -> Applied:
        """Likewise; ``orders`` keeps what was asked."""
        planned = await self.plan(Path(order.document))
        self.orders.append(order)
        until = None if order.confirm_within_s is None else START + timedelta(seconds=order.confirm_within_s)
        return Applied(
            changed=True, summary=f"Applied: {planned.summary}.", lines=planned.lines, confirm_by=until
        )  # fmt: skip

    def dynamic(self) -> DynamicDocument:
        """What was put last."""
        return self.rules

    async def change_dynamic(self, change: DynamicChange) -> Reloaded:
        """Keep it, or raise what ``refuse`` says."""
        if self.refuse is not None:
            raise self.refuse
        if change.revision != self.rules.revision:
            raise Refused("Somebody else was faster.")
        self.rules = DynamicDocument(text=change.text, revision=change.revision + 1)
        return Reloaded(changed=True, summary="Applied: 1 added.", lines=[])

    def edited(self, edit: Edited, uid: int) -> RecordedEdit:
        """Remember it."""
        if self.refuse is not None:
            raise self.refuse
        self.edits.append((edit, uid))
        return RecordedEdit(number=len(self.edits))

    def confirm(self) -> Confirmed:
        """It stays, or what ``refuse`` says."""
        if self.refuse is not None:
            raise self.refuse
        return Confirmed(text="Confirmed: policy.toml stays.")

    def events(self, since: int) -> list[EventRecord]:
        """The past ones."""
        return [event for event in self.past if event.number > since]

    async def follow(self, since: int) -> AsyncIterator[EventRecord]:
        """The past ones and the coming ones, and then the end."""
        for event in self.events(since) + self.coming:
            yield event


@contextmanager
def served(path: Path) -> Iterator[AnsweringService]:
    """An ``AnsweringService`` at the socket ``path``, in a thread of its own."""
    service, loop = AnsweringService(), asyncio.new_event_loop()
    server = ControlServer(service, path)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(server.start(), loop).result(10)
        yield service
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
