# SPDX-License-Identifier: Apache-2.0
"""Where security is only requested, a packet waits for it as long as there is hope, and no longer."""

import asyncio
from collections.abc import Callable

import pytest

from ringfence.crypto.suites import Encryption
from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action, Origin, Processing, SpdEntry
from ringfence.net.flow import TCP, FlowKey
from ringfence.service.fallback import CLOSED, SILENT, SLOW, Fallbacks, Waits
from ringfence.testing.associations import esp_suite
from ringfence.testing.contracts import make_child

FLOW = FlowKey(bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]), TCP, 1000, 80)
OTHER = FLOW._replace(destination=bytes([10, 0, 0, 3]))
PEER = FLOW.destination
CHILD = make_child(esp_suite(Encryption.AES_GCM_16), local="10.0.0.1", remote="10.0.0.2")

SHORT = Waits(0.01, 0.01, 0.0)

Story = Callable[[Fallbacks], None]


def entry(name: str = "request", *, clear: bool = True, action: Action = Action.PROTECT) -> SpdEntry:
    processing = Processing((), clear_out=clear) if action is Action.PROTECT else None
    return SpdEntry(name, Selector.between("10.0.0.1", "10.0.0.0/24"), action, Origin(name), processing=processing)


def fallen(story: Story, *, then: Story = lambda _: None, waits: Waits = SHORT, seconds: float = 0.04) -> list[FlowKey]:
    """Which flows fell back by that time, in order."""
    flows: list[FlowKey] = []

    async def main() -> None:
        one = Fallbacks(waits, lambda _, flow: flows.append(flow))
        story(one)
        await asyncio.sleep(seconds)
        then(one)
        one.stop()
        await asyncio.sleep(0.03)

    asyncio.run(main())
    return flows


def test_each_wait_ends_once() -> None:
    def story(waits: Fallbacks) -> None:
        waits.acquire(entry(), FLOW, PEER)
        waits.acquire(entry(), FLOW, PEER)
        waits.acquire(entry(), OTHER, OTHER.destination)

    assert fallen(story) == [FLOW, OTHER]


@pytest.mark.parametrize("one", [None, entry(clear=False), entry(action=Action.DISCARD)])
def test_what_requires_security_never_falls_back(one: SpdEntry | None) -> None:
    def story(waits: Fallbacks) -> None:
        waits.acquire(one, FLOW, PEER)
        waits.closed(PEER)

    assert fallen(story) == []


PATIENT = Waits(silent_s=0.02, answered_s=0.2, closed_s=0.01, trouble_s=60)


def test_one_who_answers_is_waited_for_longer() -> None:
    def story(waits: Fallbacks) -> None:
        for flow in (FLOW, OTHER):
            waits.acquire(entry(), flow, flow.destination)
        waits.heard(PEER)
        waits.heard(PEER)
        waits.closed(PEER)  # a lie, for he answers

    assert fallen(story, waits=PATIENT, seconds=0.1) == [OTHER]
    told: list[str] = []
    assert fallen(
        story,
        waits=PATIENT,
        seconds=0.25,
        then=lambda waits: told.extend(waits.why("request", f) for f in (FLOW, OTHER)),
    ) == [OTHER, FLOW]
    assert told == [SLOW, SILENT]


def test_a_closed_port_is_not_waited_for() -> None:
    told: list[str] = []

    def story(waits: Fallbacks) -> None:
        waits.acquire(entry(), FLOW, PEER)
        waits.acquire(entry(), OTHER, OTHER.destination)
        waits.closed(PEER)

    def then(waits: Fallbacks) -> None:
        told.extend([waits.why("request", FLOW), waits.why("request", FLOW)])

    assert fallen(story, then=then, waits=Waits(5, 5, 0.01), seconds=0.05) == [FLOW]
    assert told == [CLOSED, ""]


def test_a_closed_port_makes_nobody_wait_longer() -> None:
    def story(waits: Fallbacks) -> None:
        waits.acquire(entry(), FLOW, PEER)
        waits.closed(PEER)

    assert fallen(story, waits=Waits(0.01, 5, 5)) == [FLOW]


def test_an_answer_that_comes_after_the_icmp_error_counts() -> None:
    def story(waits: Fallbacks) -> None:
        waits.acquire(entry(), FLOW, PEER)
        waits.closed(PEER)
        waits.heard(PEER)

    assert fallen(story, waits=PATIENT, seconds=0.1) == []


def test_the_peer_of_a_tunnel_is_its_gateway() -> None:
    def story(waits: Fallbacks) -> None:
        waits.acquire(entry(), FLOW, bytes([10, 9, 9, 9]))
        waits.heard(PEER)
        waits.acquire(entry("two"), OTHER, bytes([10, 9, 9, 8]))
        waits.heard(bytes([10, 9, 9, 8]))

    assert fallen(story, waits=PATIENT, seconds=0.1) == [FLOW]


def test_with_one_who_answers_only_to_fail_there_is_no_hope() -> None:
    def story(waits: Fallbacks) -> None:
        waits.troubled(PEER)
        waits.acquire(entry(), FLOW, PEER)
        waits.heard(PEER)

    assert fallen(story, waits=PATIENT, seconds=0.1) == [FLOW]

    def mended(waits: Fallbacks) -> None:
        waits.troubled(PEER)
        waits.installed(CHILD)
        waits.removed(CHILD.id)
        waits.acquire(entry(), FLOW, PEER)
        waits.heard(PEER)

    assert fallen(mended, waits=PATIENT, seconds=0.1) == []
    assert fallen(story, waits=Waits(0.02, 0.2, 0.01, trouble_s=0), seconds=0.1) == []


def test_who_did_not_answer_is_soon_given_up_the_next_time() -> None:
    flows: list[FlowKey] = []

    async def main(heard: bool) -> list[FlowKey]:
        flows.clear()
        waits = Fallbacks(Waits(silent_s=0.05, answered_s=5, closed_s=0.01), lambda _, flow: flows.append(flow))
        waits.acquire(entry(), FLOW, PEER)
        await asyncio.sleep(0.07)
        if heard:
            waits.heard(PEER)
        waits.acquire(entry("two"), FLOW, PEER)
        await asyncio.sleep(0.03)
        waits.stop()
        return flows

    assert asyncio.run(main(heard=False)) == [FLOW, FLOW]
    assert asyncio.run(main(heard=True)) == [FLOW]


def test_what_is_remembered_is_bounded() -> None:
    def story(waits: Fallbacks) -> None:
        for number in range(3 * Fallbacks.MOST_KEPT):
            waits.troubled(number.to_bytes(4))
            waits.failed(str(number), FLOW, "no answer")
        assert len(waits._trouble) == len(waits._reasons) == Fallbacks.MOST_KEPT

    assert fallen(story, seconds=0) == []


def test_an_sa_ends_the_waits_of_what_it_serves() -> None:
    def story(waits: Fallbacks) -> None:
        waits.acquire(entry(), FLOW, PEER)
        waits.acquire(entry(), OTHER, OTHER.destination)
        waits.installed(CHILD)

    assert fallen(story) == [OTHER]


def test_an_sa_that_is_there_already_serves() -> None:
    def story(waits: Fallbacks) -> None:
        waits.installed(CHILD)
        waits.acquire(entry(), FLOW, PEER)

    assert fallen(story) == []

    def gone(waits: Fallbacks) -> None:
        story(waits)
        waits.removed(CHILD.id)
        waits.removed(77)

    assert fallen(gone) == [FLOW]


def test_the_packet_path_hears_of_a_failure_once() -> None:
    heard: list[bool] = []

    def later(waits: Fallbacks) -> None:
        heard.extend(waits.failed("request", flow, "no answer") for flow in (FLOW, FLOW, OTHER))
        assert waits.why("request", OTHER) == "no answer"

    assert fallen(lambda waits: waits.acquire(entry(), FLOW, PEER), then=later) == [FLOW]
    assert heard == [False, True, True]


def test_a_failure_ends_the_wait() -> None:
    def story(waits: Fallbacks) -> None:
        waits.acquire(entry(), FLOW, PEER)
        assert waits.failed("request", FLOW, "no answer")

    assert fallen(story) == []


def test_after_an_sa_a_new_failure_is_heard_again() -> None:
    heard: list[bool] = []

    def later(waits: Fallbacks) -> None:
        waits.installed(CHILD)
        heard.append(waits.failed("request", FLOW, "no answer"))

    assert fallen(lambda waits: waits.acquire(entry(), FLOW, PEER), then=later) == [FLOW]
    assert heard == [True]
