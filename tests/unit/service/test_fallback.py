# SPDX-License-Identifier: Apache-2.0
"""Where security is only requested, a packet waits for it a little, and no longer."""

import asyncio
from collections.abc import Callable

import pytest

from ringfence.crypto.suites import Encryption
from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action, Origin, Processing, SpdEntry
from ringfence.net.flow import TCP, FlowKey
from ringfence.service.fallback import Fallbacks
from ringfence.testing.associations import esp_suite
from ringfence.testing.contracts import make_child

FLOW = FlowKey(bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]), TCP, 1000, 80)
OTHER = FLOW._replace(destination=bytes([10, 0, 0, 3]))
CHILD = make_child(esp_suite(Encryption.AES_GCM_16), local="10.0.0.1", remote="10.0.0.2")


def entry(name: str = "request", *, clear: bool = True, action: Action = Action.PROTECT) -> SpdEntry:
    processing = Processing(methods=(), clear_out=clear) if action is Action.PROTECT else None
    return SpdEntry(name, Selector.between("10.0.0.1", "10.0.0.0/24"), action, Origin(name), processing=processing)


def fallen(story: Callable[[Fallbacks], None], *, then: Callable[[Fallbacks], None] = lambda _: None) -> list[FlowKey]:
    flows: list[FlowKey] = []

    async def main() -> None:
        waits = Fallbacks(0.01, lambda _, flow: flows.append(flow))
        story(waits)
        await asyncio.sleep(0.04)
        then(waits)
        waits.stop()
        await asyncio.sleep(0.03)

    asyncio.run(main())
    return flows


def test_each_wait_ends_once() -> None:
    def story(waits: Fallbacks) -> None:
        waits.acquire(entry(), FLOW)
        waits.acquire(entry(), FLOW)
        waits.acquire(entry(), OTHER)

    assert fallen(story) == [FLOW, OTHER]


@pytest.mark.parametrize("one", [None, entry(clear=False), entry(action=Action.DISCARD)])
def test_what_requires_security_never_falls_back(one: SpdEntry | None) -> None:
    assert fallen(lambda waits: waits.acquire(one, FLOW)) == []


def test_an_sa_ends_the_waits_of_what_it_serves() -> None:
    def story(waits: Fallbacks) -> None:
        waits.acquire(entry(), FLOW)
        waits.acquire(entry(), OTHER)
        waits.installed(CHILD)

    assert fallen(story) == [OTHER]


def test_an_sa_that_is_there_already_serves() -> None:
    def story(waits: Fallbacks) -> None:
        waits.installed(CHILD)
        waits.acquire(entry(), FLOW)

    assert fallen(story) == []

    def gone(waits: Fallbacks) -> None:
        story(waits)
        waits.removed(CHILD.id)
        waits.removed(77)

    assert fallen(gone) == [FLOW]


def test_the_packet_path_hears_of_a_failure_once() -> None:
    heard: list[bool] = []

    def later(waits: Fallbacks) -> None:
        heard.extend([waits.failed("request", FLOW), waits.failed("request", FLOW), waits.failed("request", OTHER)])

    assert fallen(lambda waits: waits.acquire(entry(), FLOW), then=later) == [FLOW]
    assert heard == [False, True, True]


def test_a_failure_ends_the_wait() -> None:
    def story(waits: Fallbacks) -> None:
        waits.acquire(entry(), FLOW)
        assert waits.failed("request", FLOW)

    assert fallen(story) == []


def test_after_an_sa_a_new_failure_is_heard_again() -> None:
    heard: list[bool] = []

    def later(waits: Fallbacks) -> None:
        waits.installed(CHILD)
        heard.append(waits.failed("request", FLOW))

    assert fallen(lambda waits: waits.acquire(entry(), FLOW), then=later) == [FLOW]
    assert heard == [True]
