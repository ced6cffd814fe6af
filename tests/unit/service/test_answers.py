# SPDX-License-Identifier: Apache-2.0
"""Answers are made of what runs, and of nothing else."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ringfence.audit import MainModeEnded, MainModeFailed
from ringfence.backends.base import BackendStatistics, ChildTraffic, SoftTraffic
from ringfence.control.edits import Edited
from ringfence.control.errors import BadRequest, NotThere, Refused
from ringfence.control.messages import PeerState
from ringfence.control.server import Service
from ringfence.crypto.suites import Encryption
from ringfence.databases.identity import Identity
from ringfence.databases.sa import ChildSa
from ringfence.ike.info import IkeSaInfo
from ringfence.ike.lifetime import IkeState
from ringfence.net.address import Endpoint
from ringfence.net.address import Path as NetworkPath
from ringfence.net.flow import FlowKey
from ringfence.policy.compile import HostFacts
from ringfence.policy.errors import PolicyError
from ringfence.service.answers import Answers, Facts
from ringfence.service.events import EventLog
from ringfence.service.peers import PeerTable
from ringfence.service.reload import PolicyKeeper
from ringfence.service.staging import Stage
from ringfence.service.troubles import TroubleTable
from ringfence.stores.memory import MemoryStore
from ringfence.stores.several import Stores
from ringfence.testing.associations import esp_suite
from ringfence.testing.contracts import make_child

START = datetime(2026, 11, 25, 12, tzinfo=UTC)
DOCUMENT = """
[[rule]]
name = "lab"
with = "192.0.2.0/24"
secure = "require"
auth = { psk-file = "lab.psk" }

[[filter]]
name = "no telnet"
block = "tcp to 23"
"""
CHILD = replace(make_child(esp_suite(Encryption.AES_GCM_16), local="192.0.2.1", remote="192.0.2.2"), ike_id=1)
IKE = IkeSaInfo(
    id=1, version=2, path=NetworkPath(Endpoint(bytes([192, 0, 2, 1]), 500), Endpoint(bytes([192, 0, 2, 2]), 500)),
    state=IkeState.ESTABLISHED, initiator=True, initiator_cookie=bytes(8), responder_cookie=b"\xff" * 8,
    local_identity=None, remote_identity=Identity.parse("bob.lab"), proof="a key", proposal=None, entry="e",
    rule="lab", made_at=10.0,
    expires_at=None, children=(CHILD.id,),
)  # fmt: skip

IN_CLEAR = FlowKey(bytes([192, 0, 2, 1]), bytes([192, 0, 2, 9]), 6, 1, 2)


class Running:
    name = "userspace"

    def __init__(self) -> None:
        self.ended: list[str] = []
        self.children: tuple[ChildSa, ...] = (CHILD,)
        self.events = EventLog(lambda: START, lambda: 0.0)
        self.store = MemoryStore(DOCUMENT, {"lab.psk": b"0123456789abcdef"}, name="p.toml")
        facts = HostFacts((bytes([192, 0, 2, 1]),))
        self.keeper = PolicyKeeper(Stores.only(self.store), lambda: facts, events=self.events, today=lambda: START)
        told = Facts(
            started_at=START, pid=7, device="rf0", key_log=Path("/k"), today=lambda: START,
            date_of=lambda moment: START + timedelta(seconds=moment),
        )  # fmt: skip
        peers, troubles = PeerTable(), TroubleTable()
        self.events.add_sink(peers)
        self.events.add_sink(troubles)
        stage = Stage(
            self.keeper, lambda stores, path: stores.replaced("local", MemoryStore(path.read_text())),
            secured=lambda _: False, events=self.events,
            today=lambda: START,
        )  # fmt: skip
        self.answers = Answers(
            told, ike=self, backend=self, host=self, keeper=self.keeper, stage=stage, events=self.events, peers=peers,
            troubles=troubles,
        )  # fmt: skip

    async def apply(self, *_: object) -> None: ...

    def ike_sas(self) -> tuple[IkeSaInfo, ...]:
        return (IKE,)

    def child_sas(self) -> tuple[ChildSa, ...]:
        return self.children

    def statistics(self) -> BackendStatistics:
        return BackendStatistics(
            children={CHILD.id: ChildTraffic(1, 2, 100, 200, last_used=30.0, path_mtu=1400, since=20.0)},
            soft=(SoftTraffic("gone/1", IN_CLEAR, 5.0, 305.0, 2, 99),),
            protected_packets_out=5, protected_octets_out=500, clear_octets_out=9, dropped={"replayed": 3},
        )  # fmt: skip

    def delete_child(self, child_id: int, why: str) -> None:
        self.ended.append(f"q{child_id} {why}")

    def drain(self, to: bytes | None) -> None:
        self.drained.append(to)

    def delete_ike(self, ike_id: int, why: str) -> None:
        self.ended.append(f"m{ike_id} {why}")


@pytest.fixture
def running() -> Running:
    made = Running()
    asyncio.run(made.keeper.start(made.apply))
    return made


def test_it_serves_the_port(running: Running) -> None:
    service: Service = running.answers
    assert service.status().policy.document == "p.toml"


def test_before_the_first_policy_it_says_so() -> None:
    with pytest.raises(NotThere, match="starting"):
        Running().answers.policy()


def test_status(running: Running) -> None:
    now = running.keeper.running
    assert now is not None
    running.keeper.running = replace(now, loaded=replace(now.loaded, files=(Path("p.toml"),), roots=(Path("p.toml"),)))
    status = running.answers.status()
    assert status.policy.files == status.policy.roots == [str(Path.cwd() / "p.toml")]
    assert (status.pid, status.key_log, status.started_at) == (7, "/k", START)
    assert status.policy.rules == ["lab", "no telnet"]
    assert status.policy.refused is None
    assert (status.data_path.backend, status.data_path.device) == ("userspace", "rf0")
    assert (status.traffic.sent_protected.packets, status.traffic.sent_protected.octets) == (5, 500)
    assert status.traffic.sent_clear.octets == 9
    assert status.dropped == {"replayed": 3}
    (peer,) = status.peers
    assert (peer.address, peer.state, peer.rule) == ("192.0.2.9", PeerState.CLEAR, "gone/1")


def test_soft_sas(running: Running) -> None:
    (soft,) = running.answers.sas().soft
    assert (soft.remote, soft.rule, soft.sent.octets) == ("192.0.2.9", "gone/1", 99)
    assert soft.tries_again_at - soft.since == timedelta(minutes=5)
    assert soft.why == ""
    running.events.add(MainModeFailed(peer="192.0.2.9", reason="peer-silent", detail="no answer", initiator=True))
    (soft,) = running.answers.sas().soft
    assert soft.why == "no answer"


def test_sas(running: Running) -> None:
    sas = running.answers.sas()
    (main,), (quick,) = sas.main_modes, sas.quick_modes
    assert (main.id, main.state, main.remote, main.remote_identity) == ("m1", "established", "192.0.2.2:500", "bob.lab")
    assert (main.local_identity, main.proposal, main.expires_at, main.proof) == ("", "", None, "a key")
    assert main.made_at == START + timedelta(seconds=10)
    assert main.quick_modes == [quick.id] == [f"q{CHILD.id}"]
    assert quick.protection.startswith("esp aes")
    assert (quick.peer, quick.mode) == ("192.0.2.2", "transport")
    assert quick.spi_out == [f"0x{CHILD.outbound[0].spi:08x}"]
    assert (quick.received.octets, quick.sent.octets, quick.path_mtu) == (100, 200, 1400)
    assert quick.made_at == START + timedelta(seconds=20)
    assert quick.last_used == START + timedelta(seconds=30)


def test_an_sa_without_any_traffic_is_shown_too(running: Running) -> None:
    running.children = (make_child(esp_suite(Encryption.AES_GCM_16), number=99),)
    (quick,) = running.answers.sas().quick_modes
    assert (quick.made_at, quick.last_used, quick.sent.packets) == (None, None, 0)


def delete(running: Running, name: str) -> list[str]:
    return asyncio.run(running.answers.delete_sa(name)).ids


def test_deletion_by_id_and_spi(running: Running) -> None:
    quick = running.answers.sas().quick_modes[0]
    assert delete(running, "m1") == ["m1", quick.id]
    assert delete(running, quick.id) == [quick.id]
    assert delete(running, quick.spi_in[0].upper().replace("X", "x")) == [quick.id]
    assert [one.split()[0] for one in running.ended] == ["m1", quick.id, quick.id]
    for name in ("m7", "q77", "0x1", "1", ""):
        with pytest.raises(NotThere):
            delete(running, name)


def test_policy_entries(running: Running) -> None:
    view = running.answers.policy()
    assert view.document == "p.toml"
    assert {"lab", "no telnet"} < {entry.rule for entry in view.entries}
    assert "0123456789abcdef" not in view.model_dump_json()


def test_explanations_name_the_sa_in_use(running: Running) -> None:
    told = running.answers.explain("out icmp 192.0.2.1 -> 192.0.2.2")
    assert (told.verdict, told.sure) == ("protect", True)
    assert told.lines[1].startswith(f"now        q{CHILD.id}, SPI ")
    assert ", by IKEv2 with 192.0.2.2" in told.lines[1]
    assert running.answers.explain("in icmp 192.0.2.2 -> 192.0.2.1").sure
    running.children = ()
    told = running.answers.explain("out icmp 192.0.2.1 -> 192.0.2.2")
    assert not told.sure
    assert "no SA" in told.lines[1]
    running.events.add(
        MainModeFailed(peer="192.0.2.2", reason="peer-silent", detail="it does not answer", initiator=True)
    )
    told = running.answers.explain("in icmp 192.0.2.2 -> 192.0.2.1")
    assert told.lines[-2:] == [
        f"last try   {START.astimezone():%H:%M:%S}, it does not answer", "do         ringfence why 192.0.2.2",
    ]  # fmt: skip
    answer = running.answers.why("192.0.2.2")
    assert [one.reason for one in answer.troubles] == ["peer-silent"]
    assert not answer.protected
    blocked = running.answers.explain("out tcp 192.0.2.1 -> 198.51.100.1:23")
    assert (blocked.verdict, blocked.sure) == ("block", True)
    assert running.answers.explain("out udp 192.0.2.1 -> 198.51.100.1:53").verdict == "permit"
    with pytest.raises(BadRequest) as caught:
        running.answers.explain("hello")
    assert running.answers.explain_at_boot("out tcp 192.0.2.1 -> 192.0.2.2:80").verdict == "block"
    assert caught.value.cure


def test_reload(running: Running) -> None:
    assert not asyncio.run(running.answers.reload()).changed
    running.store.put(DOCUMENT.replace("23", "79"))
    done = asyncio.run(running.answers.reload())
    assert done.changed
    assert done.summary.startswith("Applied: ")
    assert done.lines
    running.store.put("hello = 1")
    with pytest.raises(PolicyError):
        asyncio.run(running.answers.reload())
    refused = running.answers.status().policy.refused
    assert refused is not None
    assert "hello" in refused.detail


def test_events(running: Running) -> None:
    running.events.add(MainModeEnded(ike_id=1, peer="x", why="y"))
    number = running.events.last_number
    (one,) = running.answers.events(number - 1)
    assert (one.number, one.event, one.windows_id) == (number, "main-mode-ended", 4655)
    assert one.fields == {"ike_id": 1, "peer": "x", "why": "y", "keying": "ikev1"}

    async def follow() -> list[int]:
        running.events.close()
        return [event.number async for event in running.answers.follow(0)]

    assert asyncio.run(follow()) == list(range(1, number + 1))


def test_an_edit_becomes_an_event(running: Running) -> None:
    now = running.keeper.running
    assert now is not None
    running.keeper.running = replace(now, loaded=replace(now.loaded, files=(Path("/p.toml"),)))

    def told(uid: int, behalf: int | None = None, document: str = "/p.toml") -> dict[str, str | int | bool | None]:
        edit = Edited(document=document, kind="filter", name="f", edit="added", change="a\nb", behalf=behalf)
        number = running.answers.edited(edit, uid).number
        (record,) = running.answers.events(number - 1)
        return record.fields

    assert told(0) == {
        "document": "/p.toml", "who": "root (uid 0)", "kind": "filter",
        "name": "f", "edit": "added", "change": "a b",
    }  # fmt: skip
    assert told(0, 3_999_999_999)["who"] == "somebody (uid 3999999999) through sudo"
    assert told(3_999_999_999, 0)["who"] == "somebody (uid 3999999999)", "only root is believed about somebody else"
    with pytest.raises(Refused, match=r"does not follow this document"):
        told(0, document="/other.toml")
