# SPDX-License-Identifier: Apache-2.0
"""The event log: numbered, bounded, merged, followed."""

import asyncio
from datetime import UTC, datetime

import pytest

from ringfence.audit import MainModeEnded, MessageIgnored, PacketDropped
from ringfence.service.events import LISTENER_EVENTS, MERGE_KINDS, EventLog, Recorded

START = datetime(2026, 11, 25, tzinfo=UTC)


class Time:
    def __init__(self) -> None:
        self.seconds = 100.0

    def now(self) -> float:
        return self.seconds

    def today(self) -> datetime:
        return START


def make(keep: int = 10) -> tuple[EventLog, Time]:
    time = Time()
    return EventLog(time.today, time.now, keep=keep), time


def ended(number: int) -> MainModeEnded:
    return MainModeEnded(ike_id=number, peer="10.0.0.2", why="test")


def drop(flow: str = "tcp", reason: str = "replayed", count: int = 1) -> PacketDropped:
    return PacketDropped(reason=reason, flow=flow, spi="", count=count)


def test_numbers_count_up_and_the_oldest_makes_room() -> None:
    log, _ = make(keep=3)
    for number in range(1, 6):
        log.add(ended(number))
    assert [one.number for one in log.since(0)] == [3, 4, 5]
    assert [one.number for one in log.since(4)] == [5]
    assert log.last_number == 5


def test_sinks_hear_each() -> None:
    log, _ = make()
    heard: list[Recorded] = []
    log.add_sink(heard.append)
    log.add(ended(1))
    assert [one.event for one in heard] == [ended(1)]
    assert heard[0].at == START


def test_drops_of_one_kind_within_a_second_become_one_event() -> None:
    log, time = make()
    for _ in range(5):
        log.add(drop())
    log.add(drop(flow="udp"))
    assert [str(one.event) for one in log.since(0)] == ["dropped tcp: replayed", "dropped udp: replayed"]
    assert log.next_flush() == 101.0
    time.seconds = 101.0
    log.flush()
    assert [str(one.event) for one in log.since(2)] == ["dropped tcp: replayed (4 times)"]
    assert log.next_flush() is None
    log.add(drop())
    assert log.last_number == 4, "a new second begins with a new event"


def test_no_drop_is_lost_in_the_count() -> None:
    log, time = make(keep=5000)
    for number in range(MERGE_KINDS + 50):
        log.add(drop(flow=f"flow {number}", count=2))
    time.seconds += 2
    log.flush()
    counted = sum(one.event.count for one in log.since(0) if isinstance(one.event, PacketDropped))
    assert counted == 2 * (MERGE_KINDS + 50)
    assert log.last_number <= MERGE_KINDS + 1


def test_ignored_messages_are_merged_too_even_from_invented_peers() -> None:
    log, time = make(keep=5000)
    for number in range(3 * MERGE_KINDS):
        log.add(MessageIgnored(peer=f"10.0.{number >> 8}.{number & 255}", reason="malformed", detail="nonsense"))
    time.seconds += 2
    log.flush()
    events = [one.event for one in log.since(0)]
    assert len(events) == MERGE_KINDS + 1
    assert str(events[-1]) == f"message from many peers ignored: malformed ({2 * MERGE_KINDS} times)"


def test_a_flood_of_packets_does_not_wash_away_what_matters() -> None:
    log, _ = make(keep=5)
    log.add(ended(1))
    for number in range(50):
        log.add(drop(flow=f"flow {number}"))
    log.add(ended(2))
    assert [one.number for one in log.since(0)] == [1, 47, 48, 49, 50, 51, 52]


def follow(log: EventLog, since: int, steps: list[object]) -> list[int]:
    async def story() -> list[int]:
        seen: list[int] = []

        async def listen() -> None:
            seen.extend([one.number async for one in log.follow(since)])

        task = asyncio.create_task(listen())
        await asyncio.sleep(0)
        for step in steps:
            if isinstance(step, int):
                log.add(ended(step))
            await asyncio.sleep(0)
        log.close()
        await asyncio.wait_for(task, 5)
        return seen

    return asyncio.run(story())


def test_a_follower_gets_past_and_coming_events_until_the_end() -> None:
    log, _ = make()
    log.add(ended(1))
    log.add(ended(2))
    assert follow(log, 1, [3, None, 4]) == [2, 3, 4]


def test_closing_tells_what_is_still_merged() -> None:
    log, _ = make()
    log.add(drop())
    log.add(drop())
    assert follow(log, 0, []) == [1, 2]


def test_a_slow_follower_loses_the_oldest_and_sees_a_gap() -> None:
    log, _ = make(keep=1)

    async def story() -> list[int]:
        stream = log.follow(0)
        log.add(ended(0))
        first = await anext(stream)
        for number in range(LISTENER_EVENTS + 7):
            log.add(ended(number))
        log.close()
        return [first.number, *[one.number async for one in stream]]

    seen = asyncio.run(story())
    assert len(seen) == LISTENER_EVENTS + 1
    assert seen[:2] == [1, 9]


def test_a_follower_that_leaves_is_forgotten() -> None:
    log, _ = make()

    async def story() -> None:
        stream = log.follow(0)
        log.add(ended(1))
        await anext(stream)
        await stream.aclose()  # type: ignore[attr-defined]

    asyncio.run(story())
    assert log._listeners == set()


@pytest.mark.parametrize("seconds", [0.0, 0.9])
def test_nothing_is_flushed_early(seconds: float) -> None:
    log, time = make()
    log.add(drop())
    log.add(drop())
    time.seconds += seconds
    log.flush()
    assert log.last_number == 1
