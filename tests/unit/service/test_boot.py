# SPDX-License-Identifier: Apache-2.0
"""What ``ringfence boot`` brings into force, and what is kept for it."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ringfence.audit import PolicyApplied, PolicyWarning
from ringfence.backends import boot as table
from ringfence.backends import nft
from ringfence.backends.base import BackendError
from ringfence.databases.boot import BootMode
from ringfence.databases.pad import Pad
from ringfence.databases.spd import Spd
from ringfence.policy.compile import HostFacts
from ringfence.policy.document import parse
from ringfence.service import boot as service_boot
from ringfence.service.boot import FILE, NotKept, Source, boot, keep, kept, leaving, ruleset, state_folder
from ringfence.service.errors import CannotRun
from ringfence.service.events import EventLog
from ringfence.service.lock import NamespaceLock
from ringfence.service.reload import PolicyKeeper
from ringfence.stores.memory import MemoryStore
from ringfence.stores.several import Stores

RULE = '[[rule]]\nname = "lab"\nauth = { psk-file = "k" }\nwith = "10.9.0.0/16"\n'


class Nft:
    def __init__(self) -> None:
        self.ran: list[str] = []
        self.refuses = "nothing"

    async def run(self, text: str) -> None:
        if self.refuses in text:
            raise BackendError("nftables refused")
        self.ran.append(text)


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Nft:
    found = Nft()
    monkeypatch.setattr(nft, "run", found.run)
    return found


class Computer:
    def __init__(self, folder: Path) -> None:
        self.document, self.state, self.runtime = folder / "p.toml", folder / "state", folder / "run"

    def boot(self) -> service_boot.Booted:
        return boot({"local": self.document}, self.state, self.runtime)


@pytest.fixture
def computer(tmp_path: Path) -> Computer:
    return Computer(tmp_path)


def test_the_document_holds_without_its_keys(host: Nft, computer: Computer) -> None:
    computer.document.write_text(RULE)
    found = computer.boot()
    assert (found.source, found.problem) == (Source.DOCUMENT, None)
    assert found.boot is not None
    assert found.boot.mode is BootMode.STATEFUL
    assert host.ran == [found.ruleset] == [ruleset(parse(RULE, name="p.toml"))]


def test_where_nothing_is_shut_there_is_no_table(host: Nft, computer: Computer) -> None:
    computer.document.write_text('[boot]\nmode = "permit"\n')
    assert computer.boot().source is Source.DOCUMENT
    assert host.ran == [table.removal()]


def test_a_wrong_document_leaves_what_held_last(host: Nft, computer: Computer) -> None:
    keep(computer.state, "rules that held\n")
    computer.document.write_text("wrong = 1")
    found = computer.boot()
    assert found.source is Source.KEPT
    assert 'no setting "wrong"' in str(found.problem)
    assert host.ran == ["rules that held\n"]


def test_without_any_policy_that_can_be_read_all_is_shut(host: Nft, computer: Computer) -> None:
    computer.document.write_text("wrong = 1")
    found = computer.boot()
    assert (found.source, host.ran) == (Source.SHUT, [table.shut()])
    keep(computer.state, "rules")
    (computer.state / FILE).chmod(0o644)
    assert "not trusted" in str(computer.boot().problem)
    computer.document.unlink()
    assert computer.boot().source is Source.SHUT, "what is kept tells that there was a policy"


def test_a_computer_that_never_had_a_policy_is_left_open(host: Nft, computer: Computer) -> None:
    found = computer.boot()
    assert (found.source, found.problem, host.ran) == (Source.NOTHING, None, [table.removal()])


def test_a_store_that_is_wrong_is_not_done_without(host: Nft, computer: Computer) -> None:
    computer.document.write_text("wrong = 1")
    other = computer.document.with_name("persistent.toml")
    other.write_text(RULE)
    found = boot({"local": computer.document, "persistent": other}, computer.state, computer.runtime)
    assert found.source is Source.SHUT


def test_what_nftables_refuses_does_not_open(host: Nft, computer: Computer) -> None:
    computer.document.write_text(RULE)
    host.refuses = "ct state"
    found = computer.boot()
    assert (found.source, host.ran) == (Source.SHUT, [table.shut()])
    assert isinstance(found.problem, BackendError)
    host.refuses = "table"
    with pytest.raises(BackendError):
        computer.boot()


def test_a_fault_of_ours_does_not_open(host: Nft, computer: Computer, monkeypatch: pytest.MonkeyPatch) -> None:
    def fault(_: object) -> None:
        raise ValueError("unforeseen")

    monkeypatch.setattr(service_boot, "boot_spd", fault)
    computer.document.write_text(RULE)
    found = computer.boot()
    assert (found.source, host.ran) == (Source.SHUT, [table.shut()])
    assert "unforeseen" in str(found.problem)


def test_a_service_that_is_up_is_left_alone(host: Nft, computer: Computer) -> None:
    computer.document.write_text(RULE)
    with NamespaceLock.take(computer.runtime):
        assert computer.boot().source is Source.SERVICE
    assert host.ran == []
    computer.runtime.rmdir()
    computer.runtime.touch()  # no lock can be there
    assert computer.boot().source is Source.DOCUMENT


def test_keeping(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "state"
    assert keep(folder, "one\n") is True
    assert keep(folder, "one\n") is False
    assert keep(folder, "two\n") is True
    assert kept(folder) == "two\n"
    assert (folder / FILE).stat().st_mode & 0o777 == 0o600
    assert os.listdir(folder) == [FILE]


def test_what_cannot_be_kept_is_told(tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    with pytest.raises(CannotRun, match="cannot be kept"):
        keep(tmp_path / "state", "one\n")


def test_only_what_we_wrote_is_read_back(tmp_path: Path) -> None:
    with pytest.raises(NotKept) as never:
        kept(tmp_path)
    assert never.value.place == ""
    with pytest.raises(NotKept):
        kept(None)
    keep(tmp_path, "one\n")
    path = tmp_path / FILE
    path.write_text(path.read_text().replace("one", "two"))
    with pytest.raises(NotKept, match="digest"):
        kept(tmp_path)
    path.write_bytes(b"\xff")
    with pytest.raises(NotKept, match="cannot be read"):
        kept(tmp_path)
    path.rename(tmp_path / "other")
    path.symlink_to("other")
    with pytest.raises(NotKept, match="cannot be read"):
        kept(tmp_path)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(NotKept, match="no file of ringfence's"):
        kept(tmp_path)
    path.unlink()
    keep(tmp_path, "one\n")
    path.chmod(0o620)
    with pytest.raises(NotKept, match="by others"):
        kept(tmp_path)


def test_somebody_elses_file_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(tmp_path, "one\n")
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    with pytest.raises(NotKept, match="belongs to user"):
        kept(tmp_path)


def test_what_a_clean_stop_leaves() -> None:
    found = {
        word: leaving(parse(f'[boot]\nafter-stop = "{word}"\n{RULE}', name="p")) for word in ("open", "boot", "guard")
    }
    assert found["open"] == ""
    assert "refused drop" in found["boot"]
    assert "required drop" in found["guard"]
    assert "refused drop" not in found["guard"]


def test_the_state_folder_belongs_to_the_computers_own_network(monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.stat
    same = real("/proc/self/ns/net")
    monkeypatch.setattr(os, "stat", lambda path: same if "/ns/net" in str(path) else real(path))
    assert state_folder() == service_boot.STATE_DIRECTORY

    def hidden(path: str) -> os.stat_result:
        raise PermissionError(path)

    monkeypatch.setattr(os, "stat", hidden)
    assert state_folder() is None


def follow(
    store: MemoryStore, keep: Callable[[str], object], story: Callable[[PolicyKeeper], Awaitable[None]]
) -> EventLog:
    """What a service tells that keeps by ``keep`` what holds before the next start."""
    events = EventLog(lambda: datetime(2026, 1, 1, tzinfo=UTC), lambda: 0.0)
    keeper = PolicyKeeper(Stores.only(store), HostFacts, events=events, today=lambda: datetime(2026, 1, 1, tzinfo=UTC),
                          keep=keep)  # fmt: skip

    async def apply(_: Spd, __: Pad) -> None:
        pass

    async def main() -> None:
        await keeper.start(apply)
        await story(keeper)

    asyncio.run(main())
    return events


def test_it_is_kept_with_each_policy_that_is_carried_out() -> None:
    store, kept_texts = MemoryStore(RULE, {"k": b"0123456789abcdef"}, name="p"), list[str]()

    async def story(keeper: PolicyKeeper) -> None:
        assert len(kept_texts) == 1
        store.put('[boot]\nmode = "block"\n' + RULE)
        assert await keeper.reload()

    events = follow(store, kept_texts.append, story)
    assert ["ct state" in one for one in kept_texts] == [True, False]
    assert [type(one.event) for one in events.since(0)].count(PolicyApplied) == 2


def test_what_cannot_be_kept_is_a_warning() -> None:
    def fail(_: str) -> None:
        raise CannotRun("no room")

    async def story(keeper: PolicyKeeper) -> None:
        assert keeper.running is not None

    events = follow(MemoryStore(RULE, {"k": b"0123456789abcdef"}, name="p"), fail, story)
    assert any(isinstance(one.event, PolicyWarning) and "no room" in str(one.event) for one in events.since(0))
