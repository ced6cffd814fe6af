# SPDX-License-Identifier: Apache-2.0
"""Another policy by hand: refused, tried, confirmed, taken back."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ringfence.audit import PolicyConfirmed, PolicyOnProbation, PolicyRolledBack, ServiceFault
from ringfence.backends.base import BackendError
from ringfence.control.errors import BadRequest, NotThere, Refused
from ringfence.databases.pad import Pad
from ringfence.databases.spd import Spd
from ringfence.policy.compile import HostFacts
from ringfence.policy.errors import PolicyError
from ringfence.service.events import EventLog
from ringfence.service.reload import PolicyKeeper
from ringfence.service.staging import Stage
from ringfence.stores.dynamic import DynamicStore
from ringfence.stores.memory import MemoryStore
from ringfence.stores.several import Stores

START = datetime(2026, 1, 1, tzinfo=UTC)
SSH = "out tcp 10.0.0.1:22 -> 10.1.1.7:51234"


def block(port: int) -> str:
    return f'[[filter]]\nname = "no {port}"\ndirection = "in"\nblock = "tcp to {port}"\n'


class Story:
    """Documents by name; what is applied is written down by the names of its rules."""

    def __init__(self) -> None:
        self.documents = {"old": MemoryStore(block(23), name="old"), "new": MemoryStore(block(79), name="new")}
        self.documents |= {"ssh": MemoryStore(block(22), name="ssh"), "bad": MemoryStore("nonsense", name="bad")}
        self.applied: list[str] = []
        self.fail = False
        self.secured = False
        self.events = EventLog(lambda: START, lambda: 0.0)
        facts = HostFacts((bytes([10, 0, 0, 1]),))
        self.keeper = PolicyKeeper(
            Stores.only(self.documents["old"]), lambda: facts, events=self.events, today=lambda: START
        )
        self.stage = Stage(
            self.keeper, lambda stores, path: stores.replaced("local", self.documents[path.name]),
            secured=lambda _: self.secured, events=self.events,
            today=lambda: START,
        )  # fmt: skip

    async def apply(self, spd: Spd, pad: Pad) -> None:
        if self.fail:
            raise BackendError("nft says no")
        self.applied += {entry.origin.rule for entry in spd if "always" not in entry.origin.rule}

    def play(self, act: Callable[[Stage], Awaitable[object]]) -> list[str]:
        async def main() -> None:
            await self.keeper.start(self.apply)
            await act(self.stage)
            self.stage.stop()

        asyncio.run(main())
        return self.applied

    def told(self, *kinds: type) -> list[str]:
        return [str(one.event) for one in self.events.since(0) if isinstance(one.event, kinds)]


@pytest.fixture
def story() -> Story:
    return Story()


def test_a_plan_changes_nothing(story: Story) -> None:
    async def act(stage: Stage) -> None:
        change = await stage.plan(Path("/new"))
        assert (len(change.added), len(change.removed)) == (1, 1)
        assert not await stage.plan(Path("/old"))
        with pytest.raises(PolicyError):
            await stage.plan(Path("/bad"))

    assert story.play(act) == ["no 23"]


def test_another_document_is_followed_from_now_on(story: Story) -> None:
    async def act(stage: Stage) -> None:
        assert await stage.apply(Path("/new"), sessions=(SSH,))
        assert stage.confirm_by is None
        story.documents["old"].put(block(1))
        story.documents["new"].put(block(80))
        await story.keeper.reload()

    assert story.play(act) == ["no 23", "no 79", "no 80"]


def test_one_that_is_not_correct_is_not_applied(story: Story) -> None:
    async def act(stage: Stage) -> None:
        with pytest.raises(PolicyError):
            await stage.apply(Path("/bad"), confirm_within_s=0.01)
        story.fail = True
        with pytest.raises(BackendError):
            await stage.apply(Path("/new"), confirm_within_s=0.01)
        assert stage.confirm_by is None
        assert story.keeper.running is not None
        assert story.keeper.running.loaded.document_name == "old"

    assert story.play(act) == ["no 23"]


def test_nobody_locks_himself_out(story: Story) -> None:
    async def act(stage: Stage) -> None:
        with pytest.raises(Refused) as refused:
            await stage.apply(Path("/ssh"), sessions=(SSH,))
        assert str(refused.value) == (
            'This would end your own session: ssh from 10.1.1.7 matches "no 22" (block).\n'
            "Add an exemption, or try it for a minute:  ringfence apply ssh --confirm-within 60s"
        )
        with pytest.raises(BadRequest):
            await stage.apply(Path("/ssh"), sessions=("nonsense",))
        await stage.apply(Path("/ssh"), sessions=(SSH.replace(":22 ", ":80 "),))
        await stage.apply(Path("/old"), sessions=(SSH,))
        await stage.apply(Path("/ssh"), sessions=(SSH,), force=True)

    assert story.play(act) == ["no 23", "no 22", "no 23", "no 22"]


def test_what_is_not_confirmed_goes(story: Story) -> None:
    async def act(stage: Stage) -> None:
        await stage.apply(Path("/ssh"), sessions=(SSH,), confirm_within_s=0.02)
        assert stage.confirm_by is not None
        story.documents["old"].put(block(1))  # meanwhile; it waits for the next reload
        await asyncio.sleep(0.1)
        assert stage.confirm_by is None
        assert story.keeper.running is not None
        assert story.keeper.running.loaded.document_name == "old"
        assert not story.keeper.store.changed()
        with pytest.raises(NotThere):
            stage.confirm()

    assert story.play(act) == ["no 23", "no 22", "no 23"]
    assert story.told(PolicyOnProbation, PolicyRolledBack) == [
        "policy ssh is on probation: without  ringfence confirm  it goes in 0 seconds",
        "policy ssh was not confirmed: back to old",
    ]


def test_what_is_confirmed_stays(story: Story) -> None:
    async def act(stage: Stage) -> None:
        await stage.apply(Path("/new"), confirm_within_s=0.03)
        assert stage.confirm() == "Confirmed: new stays."
        await asyncio.sleep(0.06)

    assert story.play(act) == ["no 23", "no 79"]
    assert len(story.told(PolicyConfirmed)) == 1


def test_what_comes_back_is_what_was_meant_to_stay(story: Story) -> None:
    async def act(stage: Stage) -> None:
        await stage.apply(Path("/new"), confirm_within_s=5)
        await stage.apply(Path("/ssh"), confirm_within_s=0.02)
        await asyncio.sleep(0.1)

    assert story.play(act) == ["no 23", "no 79", "no 22", "no 23"]


def test_one_that_is_meant_to_stay_ends_the_probation(story: Story) -> None:
    async def act(stage: Stage) -> None:
        await stage.apply(Path("/new"), confirm_within_s=0.02)
        await stage.apply(Path("/ssh"))
        await asyncio.sleep(0.06)

    assert story.play(act) == ["no 23", "no 79", "no 22"]


def test_what_changes_nothing_needs_no_confirmation(story: Story) -> None:
    async def act(stage: Stage) -> None:
        assert not await stage.apply(Path("/old"), confirm_within_s=5)
        assert stage.confirm_by is None

    story.play(act)


def test_a_way_back_that_is_barred_is_told(story: Story) -> None:
    async def act(stage: Stage) -> None:
        await stage.apply(Path("/new"), confirm_within_s=0.01)
        story.fail = True
        await asyncio.sleep(0.06)

    assert story.play(act) == ["no 23", "no 79"]
    assert "new stays in force" in story.told(ServiceFault)[0]


def test_nothing_comes_back_after_the_end(story: Story) -> None:
    async def act(stage: Stage) -> None:
        await stage.apply(Path("/new"), confirm_within_s=0.01)
        stage.stop()
        await asyncio.sleep(0.04)

    assert story.play(act) == ["no 23", "no 79"]


def test_rules_until_the_service_stops(tmp_path: Path) -> None:
    story = Story()
    story.keeper = PolicyKeeper(
        Stores({"local": story.documents["old"], "dynamic": DynamicStore(folder=tmp_path)}),
        lambda: HostFacts((bytes([10, 0, 0, 1]),)), events=story.events, today=lambda: START,
    )  # fmt: skip
    story.stage = Stage(
        story.keeper, lambda stores, path: stores.replaced("local", story.documents[path.name]),
        secured=lambda _: False, events=story.events, today=lambda: START,
    )  # fmt: skip

    async def act(stage: Stage) -> None:
        assert stage.dynamic.revision == 0
        assert await stage.change_dynamic(block(79), 0)
        assert (stage.dynamic.text, stage.dynamic.revision) == (block(79), 1)
        with pytest.raises(Refused, match="meanwhile"):
            await stage.change_dynamic("", 0)
        with pytest.raises(PolicyError):
            await stage.change_dynamic("nonsense", 1)
        with pytest.raises(Refused, match="your own session"):
            await stage.change_dynamic(block(22), 1, sessions=("out tcp 10.0.0.1:22 -> 10.1.1.7:50000",))
        assert stage.dynamic.text == block(79)
        await stage.apply(Path("/new"))
        assert stage.dynamic.text == block(79)
        await stage.change_dynamic("", 1)

    assert set(story.play(act)) == {"no 23", "no 79"}


def test_without_such_a_store_there_are_no_such_rules() -> None:
    assert Story().stage.dynamic.text == ""
