# SPDX-License-Identifier: Apache-2.0
"""What runs follows the document, and nothing but correct documents."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ringfence.audit import NetworkChanged, PolicyApplied, PolicyRefused, PolicyWarning, ServiceFault
from ringfence.backends.base import BackendError
from ringfence.backends.names import NameBook
from ringfence.databases.pad import Pad
from ringfence.databases.spd import Action, Spd
from ringfence.errors import IpsecError
from ringfence.policy.compile import HostFacts
from ringfence.policy.errors import PolicyError
from ringfence.policy.networks import Interface
from ringfence.service.events import EventLog
from ringfence.service.reload import PolicyKeeper
from ringfence.stores.memory import MemoryStore
from ringfence.stores.several import Stores

TELNET = '[[filter]]\nname = "no telnet"\nblock = "tcp to 23"\n'
MORE = TELNET + '[[filter]]\nname = "no finger"\nblock = "tcp to 79"\n'
RULE = '[[rule]]\nname = "lab"\nwith = "10.9.0.0/16"\nsecure = "require"\nauth = { psk-file = "lab.psk" }\n'
KEY = {"lab.psk": b"0123456789abcdef"}


class Story:
    def __init__(self, text: str = TELNET) -> None:
        self.store = MemoryStore(text, KEY, name="p.toml")
        self.facts = HostFacts((bytes([10, 0, 0, 1]),))
        self.day = datetime(2026, 1, 1, tzinfo=UTC)
        self.events = EventLog(self.today, lambda: 0.0)
        self.applied: list[tuple[Spd, Pad]] = []
        self.fail: IpsecError | None = None
        self.names = {"a.corp": (bytes([10, 0, 0, 8]),)}
        self.keeper = PolicyKeeper(
            Stores.only(self.store), lambda: self.facts, events=self.events, today=self.today,
            names=NameBook(lambda name: self.names[name]),
        )  # fmt: skip

    def today(self) -> datetime:
        self.day += timedelta(seconds=1)
        return self.day

    async def apply(self, spd: Spd, pad: Pad) -> None:
        if self.fail is not None:
            raise self.fail
        self.applied.append((spd, pad))

    def run(self, story: Callable[[PolicyKeeper], Awaitable[None]]) -> None:
        async def main() -> None:
            await self.keeper.start(self.apply)
            await story(self.keeper)

        asyncio.run(main())

    @property
    def told(self) -> list[type]:
        return [type(one.event) for one in self.events.since(0)]

    @property
    def moves(self) -> list[str]:
        return [str(one.event) for one in self.events.since(0) if isinstance(one.event, NetworkChanged)]

    @property
    def blocked(self) -> set[str]:
        return {entry.origin.rule for entry in self.applied[-1][0] if entry.action is Action.DISCARD}


def test_a_bad_document_at_the_start_is_an_error_before_anything_happens() -> None:
    with pytest.raises(PolicyError):
        Story("hello = 1")


def test_a_signal_before_the_start_does_nothing() -> None:
    story = Story()
    asyncio.run(story.keeper.try_reload())
    assert story.told == []


def test_the_first_policy_is_applied_and_told() -> None:
    story = Story()

    async def nothing(_: PolicyKeeper) -> None: ...

    story.run(nothing)
    assert story.blocked == {"no telnet"}
    assert story.told == [PolicyApplied]
    assert story.keeper.running is not None
    assert story.keeper.running.loaded.document_name == "p.toml"


def test_a_change_is_planned_and_applied() -> None:
    story = Story()

    async def change(keeper: PolicyKeeper) -> None:
        story.store.put(MORE)
        done = await keeper.reload()
        assert len(done.added) == 1
        assert not done.removed

    story.run(change)
    assert story.blocked == {"no telnet", "no finger"}
    assert story.told == [PolicyApplied, PolicyApplied]


def test_what_means_the_same_is_not_applied_again() -> None:
    story = Story()

    async def change(keeper: PolicyKeeper) -> None:
        first = keeper.running
        story.store.put("# a comment\n" + TELNET)
        assert not await keeper.reload()
        assert keeper.running is not None
        assert first is not None
        assert keeper.running.applied_at == first.applied_at
        assert not await keeper.reload()

    story.run(change)
    assert len(story.applied) == 1


def test_another_key_is_a_change() -> None:
    story = Story(RULE)

    async def change(keeper: PolicyKeeper) -> None:
        story.store.put(RULE, {"lab.psk": b"another key of 16"})
        assert (await keeper.reload()).peers

    story.run(change)
    assert len(story.applied) == 2


def test_a_refused_document_leaves_the_running_one_until_it_is_mended() -> None:
    story = Story()

    async def change(keeper: PolicyKeeper) -> None:
        before = keeper.running
        story.store.put(MORE.replace("79", "seventy"))
        with pytest.raises(PolicyError):
            await keeper.reload()
        assert keeper.running is not None
        assert (keeper.running.compiled, keeper.running.applied_at) == (before.compiled, before.applied_at)
        assert keeper.refused is not None
        assert "seventy" in keeper.refused.detail
        story.store.put(MORE)
        await keeper.reload()
        assert keeper.refused is None

    story.run(change)
    assert story.told == [PolicyApplied, PolicyRefused, PolicyApplied]
    refused = story.events.since(1)[0].event
    assert isinstance(refused, PolicyRefused)
    assert "^^" in refused.detail, "the whole text"


def test_a_policy_that_the_backend_refuses_is_refused() -> None:
    story = Story()

    async def change(keeper: PolicyKeeper) -> None:
        before = keeper.running
        story.store.put(MORE)
        story.fail = BackendError("nft says no")
        await keeper.try_reload()
        assert keeper.running is before
        assert keeper.refused is not None

    story.run(change)
    assert story.told == [PolicyApplied, PolicyRefused]


def test_warnings_are_told_once() -> None:
    text = '[[filter]]\nname = "none"\nblock = "tcp to 23"\nbetween = ["10.5.0.1", "10.6.0.1"]\n'
    story = Story(text)

    async def change(keeper: PolicyKeeper) -> None:
        story.store.put(text + TELNET)
        await keeper.reload()

    story.run(change)
    assert story.told.count(PolicyWarning) == 1


async def until(what: Callable[[], bool]) -> None:
    for _ in range(500):
        if what():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError


def test_changes_are_noticed() -> None:
    story = Story()

    async def watch(keeper: PolicyKeeper) -> None:
        watching = asyncio.create_task(keeper.watch(0.01, 0.0))
        story.store.put(MORE)
        await until(lambda: len(story.applied) == 2)
        story.store.put("hello = 1")
        await until(lambda: keeper.refused is not None)
        await asyncio.sleep(0.05)
        assert story.told.count(PolicyRefused) == 1, "once, not each time that it looks"
        watching.cancel()

    story.run(watch)


def test_me_follows_this_computer_s_addresses() -> None:
    story = Story(RULE)

    async def watch(keeper: PolicyKeeper) -> None:
        watching = asyncio.create_task(keeper.watch(60.0, 0.0))
        await asyncio.sleep(0)
        story.facts = HostFacts((bytes([10, 0, 0, 7]),))
        keeper.look()
        await until(lambda: len(story.applied) == 2)
        watching.cancel()

    story.run(watch)
    (lab,) = [entry for entry in story.applied[-1][0] if entry.action is Action.PROTECT]
    assert str(lab.selector.source) == "10.0.0.7"


def test_names_and_servers_follow_what_they_stand_for() -> None:
    story = Story('[[filter]]\nname = "f"\nblock = "any"\nwith = ["a.corp", "dns-servers"]\n')

    async def watch(keeper: PolicyKeeper) -> None:
        assert keeper.host_names == ("a.corp",)
        watching = asyncio.create_task(keeper.watch(60.0, 0.0))
        await asyncio.sleep(0)
        story.facts = replace(story.facts, dns_servers=(bytes([10, 0, 0, 53]),))
        keeper.look()
        await until(lambda: len(story.applied) == 2)
        story.names["a.corp"] = (bytes([10, 0, 0, 9]),)
        assert keeper._names.refresh(["a.corp"])
        keeper.look()
        await until(lambda: len(story.applied) == 3)
        watching.cancel()

    story.run(watch)
    ends = [[str(one.selector.destination) for one in spd if one.action is Action.DISCARD] for spd, _ in story.applied]
    assert ends == [["10.0.0.8"], ["10.0.0.53", "10.0.0.8"], ["10.0.0.53", "10.0.0.9"]]


def test_addresses_that_the_policy_cannot_follow_are_told_once() -> None:
    story = Story(RULE)

    async def watch(keeper: PolicyKeeper) -> None:
        before = keeper.running
        watching = asyncio.create_task(keeper.watch(0.01, 0.0))
        story.fail = BackendError("nft says no")
        story.facts = HostFacts((bytes([10, 0, 0, 7]),))
        await until(lambda: keeper.refused is not None)
        await asyncio.sleep(0.05)
        watching.cancel()
        assert before is not None
        assert keeper.running is not None
        assert keeper.running.compiled is before.compiled

    story.run(watch)
    assert story.told.count(PolicyRefused) == 1


def test_addresses_that_cannot_be_read_change_nothing() -> None:
    story = Story(RULE)

    def unreadable() -> HostFacts:
        raise BackendError("no netlink")

    async def watch(keeper: PolicyKeeper) -> None:
        keeper._facts = unreadable
        watching = asyncio.create_task(keeper.watch(0.01, 0.0))
        await asyncio.sleep(0.05)
        watching.cancel()

    story.run(watch)
    assert story.told.count(PolicyRefused) == 0
    assert len(story.applied) == 1


def test_a_fault_while_watching_is_told_and_survived() -> None:
    story = Story()

    async def watch(keeper: PolicyKeeper) -> None:
        real, broken = story.store.changed, iter([True])

        def changed() -> bool:
            if next(broken, False):
                raise KeyError("oh")
            return real()

        story.store.changed = changed  # type: ignore[method-assign]
        watching = asyncio.create_task(keeper.watch(0.01, 0.0))
        story.store.put(MORE)
        await until(lambda: len(story.applied) == 2)
        watching.cancel()

    story.run(watch)
    assert ServiceFault in story.told


class TwoStores(Story):
    """With a persistent store over the local one."""

    def __init__(
        self, text: str = TELNET, persistent: str = TELNET.replace("telnet", "finger").replace("23", "79")
    ) -> None:
        super().__init__()
        self.store.put(text)
        self.above = MemoryStore(persistent, name="persistent.toml")
        stores = Stores({"local": self.store, "persistent": self.above})
        self.keeper = PolicyKeeper(stores, lambda: self.facts, events=self.events, today=self.today)


def test_the_persistent_policy_guards_while_the_local_one_is_wrong() -> None:
    story = TwoStores("nonsense")

    async def act(keeper: PolicyKeeper) -> None:
        assert story.blocked == {"no finger"}
        assert keeper.refused is not None
        assert "p.toml:1: this is not TOML" in keeper.refused.detail
        story.store.put(TELNET)
        await keeper.reload()
        assert story.blocked == {"no finger", "no telnet"}
        assert keeper.refused is None

    story.run(act)
    assert story.told == [PolicyApplied, PolicyRefused, PolicyApplied]
    (refused,) = [one.event for one in story.events.since(0) if isinstance(one.event, PolicyRefused)]
    assert refused.document == "p.toml"


def test_a_store_is_followed_while_another_one_is_wrong() -> None:
    story = TwoStores()

    async def act(keeper: PolicyKeeper) -> None:
        story.store.put("nonsense")
        story.above.put("")
        with pytest.raises(PolicyError):
            await keeper.reload()
        assert story.blocked == {"no telnet"}

    story.run(act)


def test_what_cannot_hold_on_this_computer_is_the_affair_of_its_store() -> None:
    story = TwoStores()
    ends = 'remote = { networks = "10.5.0.0/16", gateway = "192.0.2.9" }'
    tunnel = f'[[rule]]\nname = "t"\n{ends}\nauth = {{ psk-file = "k" }}\n'

    async def act(keeper: PolicyKeeper) -> None:
        story.facts = HostFacts((bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])))
        story.store.put(tunnel, {"k": b"x" * 16})
        story.above.put("")
        with pytest.raises(PolicyError, match="this computer has several addresses"):
            await keeper.reload()
        assert story.blocked == {"no telnet"}
        assert keeper.refused is not None

    story.run(act)


def test_another_network_is_told() -> None:
    text = '[profile.private]\nnetworks = "10.0.0.0/24"\n[[filter]]\nname = "f"\nblock = "any"\nprofiles = "public"\n'
    story = Story(text)

    async def watch(keeper: PolicyKeeper) -> None:
        watching = asyncio.create_task(keeper.watch(60.0, 0.0))
        await asyncio.sleep(0)
        for number, address in enumerate((bytes([10, 0, 0, 1]), bytes([10, 9, 0, 1]))):
            story.facts = HostFacts((address,), interfaces=(Interface("eth0", addresses=(address,)),))
            keeper.look()
            await until(lambda: len(story.moves) > number)  # noqa: B023
        watching.cancel()

    story.run(watch)
    assert story.blocked == {"f"}
    assert story.moves == [
        "eth0 is in a private network (network 10.0.0.0/24)",
        "eth0 is in a public network (default), until now private",
    ]
