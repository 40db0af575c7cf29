"""The replay's time: fast, in order, shared, and never past what somebody waits for."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from coinlake.clock import Clock
from coinlake.schedule import Schedule
from coinlake.testing.clock import ReplayClock, ReplaySchedule, recorded_slots
from coinlake.testing.recordings import Recording

START = datetime(2024, 10, 15, tzinfo=UTC)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


def recording(moment: datetime | None, status: int = 200) -> Recording:
    return Recording(Path("x.json"), lambda: b"[]", status=status, recorded_at=moment)


def test_the_replay_clock_is_a_clock() -> None:
    clock: Clock = ReplayClock(START)
    assert clock.now() - START < MINUTE


async def test_waiting_takes_the_waited_time_divided_by_the_speed() -> None:
    clock = ReplayClock(START, speed=864_000)
    began_s = time.monotonic()
    await clock.sleep_until(START + 2 * DAY)
    assert 0.15 < time.monotonic() - began_s < 5


async def test_a_sleeper_wakes_exactly_at_its_moment() -> None:
    clock = ReplayClock(START, speed=1e9)
    await clock.sleep_until(START + 30 * DAY)
    assert timedelta(0) <= clock.now() - (START + 30 * DAY) < MINUTE


async def test_time_runs_at_its_ordinary_pace_while_nobody_waits() -> None:
    clock = ReplayClock(START, speed=1e9)
    await asyncio.sleep(0.01)
    assert timedelta(0) < clock.now() - START < MINUTE


async def test_a_moment_that_has_passed_is_not_waited_for_and_turns_nothing_back() -> None:
    clock = ReplayClock(START, speed=1e9)
    await clock.sleep_until(START - DAY)
    assert START <= clock.now() < START + MINUTE


def test_sleepers_in_threads_and_loops_wake_in_the_order_of_their_moments() -> None:
    clock = ReplayClock(START, speed=1)
    woken: list[int] = []

    async def sleep(days: int) -> None:
        await clock.sleep_until(START + days * DAY)
        woken.append(days)

    threads = [threading.Thread(target=lambda d=days: asyncio.run(sleep(d))) for days in (3, 1, 4, 2)]
    for thread in threads:
        thread.start()
    deadline_s = time.monotonic() + 10
    while len(clock._awaited) < len(threads):
        assert time.monotonic() < deadline_s
    clock.run_at(864_000)
    for thread in threads:
        thread.join(30)
    assert woken == [1, 2, 3, 4]


async def test_a_sleeper_that_gave_up_does_not_hold_time() -> None:
    clock = ReplayClock(START, speed=1e9)
    gave_up = asyncio.create_task(clock.sleep_until(START + 1000 * 365 * DAY))
    await asyncio.sleep(0)
    gave_up.cancel()
    await asyncio.gather(gave_up, return_exceptions=True)
    before = clock.now()
    await asyncio.sleep(0.01)
    assert clock.now() - before < MINUTE


async def test_a_sleeper_follows_when_the_pace_changes() -> None:
    clock = ReplayClock(START, speed=1)
    sleeper = asyncio.create_task(clock.sleep_until(START + 30 * DAY))
    await asyncio.sleep(0)
    clock.run_at(1e9)
    await asyncio.wait_for(sleeper, 10)


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 500).map(lambda minutes: START + minutes * MINUTE)),
    st.integers(1, 60).map(lambda minutes: minutes * MINUTE),
)
def test_every_recording_lies_in_one_slot_that_ends_its_wait_not_before_it(
    moments: list[datetime], cadence: timedelta
) -> None:
    slots = recorded_slots(map(recording, moments), cadence)
    assert slots == sorted(set(slots))
    assert len({slot for slot, _ in slots}) == len(slots)
    for moment in moments:
        [until] = [until for slot, until in slots if slot <= moment < slot + cadence]
        assert moment <= until < moment + cadence


def test_errors_and_recordings_without_a_time_make_no_slot() -> None:
    assert recorded_slots([recording(None), recording(START, status=429)], DAY) == []


def test_the_replay_schedule_is_a_schedule() -> None:
    schedule: Schedule = ReplaySchedule(ReplayClock(START), [], DAY)
    assert schedule.slots()


async def test_sixty_days_arrive_in_order_however_slow_the_work_on_each() -> None:
    recordings = [recording(START + n * DAY + MINUTE) for n in range(60)]
    clock = ReplayClock(START, speed=1e8)
    seen = []
    async for slot in ReplaySchedule(clock, recordings, 3 * MINUTE, once=True).slots():
        seen.append((slot, clock.now() - slot < 2 * MINUTE))
        await asyncio.sleep(0.002)
    assert seen == [(START + n * DAY, True) for n in range(60)]


async def test_after_the_last_recording_slots_come_at_the_cadence_in_real_time() -> None:
    clock = ReplayClock(START, speed=1e9)
    cadence = timedelta(seconds=0.05)
    slots = ReplaySchedule(clock, [recording(START + DAY)], cadence).slots()
    assert await anext(slots) == START + DAY
    began_s = time.monotonic()
    live = [await anext(slots) for _ in range(3)]
    assert time.monotonic() - began_s >= 0.1
    assert live == sorted(set(live))
    assert all((slot - START) % cadence == timedelta(0) for slot in live)
    assert live[0] - (START + DAY) < MINUTE
