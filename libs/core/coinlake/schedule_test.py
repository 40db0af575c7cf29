"""When slots come: by the calendar, through clocks that jump, and within a month's credits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from coinlake.model import Dataset, Limits, Response
from coinlake.quota import Quota, month_end
from coinlake.schedule import Polling, Schedule, affordable_spacing, first_slot, slot_at
from coinlake.state import State
from coinlake.testing.plain_source import TICKS, PlainSource
from coinlake.testing.stopped_clock import LeapingClock, StoppedClock

MARCH = datetime(2026, 3, 1, tzinfo=UTC)
NOON = MARCH + timedelta(hours=12)
CADENCE = TICKS.cadence
DEMO = Limits(credits_per_month=10_000)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with State(tmp_path) as opened:
        yield opened


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


@pytest.mark.parametrize(
    ("moment", "cadence", "slot"),
    [
        (NOON + minutes(4.99), CADENCE, NOON + minutes(3)),
        (NOON + minutes(6), CADENCE, NOON + minutes(6)),
        (NOON, timedelta(days=1), MARCH),
        (NOON.astimezone(tz=None), timedelta(days=1), MARCH),
    ],
)
def test_a_slot_begins_at_a_whole_multiple_of_its_cadence(
    moment: datetime, cadence: timedelta, slot: datetime
) -> None:
    assert slot_at(moment, cadence) == slot


def test_without_a_budget_or_within_it_the_cadence_is_kept() -> None:
    assert affordable_spacing(TICKS, [TICKS], Limits(), None, MARCH) == CADENCE
    assert affordable_spacing(TICKS, [TICKS], Limits(credits_per_month=100_000), 100_000, MARCH) == CADENCE


def test_every_3_minutes_over_the_demo_quota_is_spread_evenly_over_the_whole_month() -> None:
    slots, credits_left, now = [], 10_000, MARCH
    while now < month_end(MARCH):
        slots.append(now)
        credits_left -= 1
        now = first_slot(now, now, CADENCE, affordable_spacing(TICKS, [TICKS], DEMO, credits_left, now))
    gaps_s = [(b - a).total_seconds() for a, b in pairwise(slots)]
    assert 200 <= credits_left <= 300  # the reserve, and less than a day's worth besides
    assert max(gaps_s) - min(gaps_s) <= 10
    assert month_end(MARCH) - slots[-1] <= timedelta(seconds=max(gaps_s))
    assert now == month_end(MARCH)


def test_credits_used_by_others_widen_the_spacing_and_gone_ones_wait_for_the_next_month() -> None:
    middle = MARCH + timedelta(days=15)
    roomy = affordable_spacing(TICKS, [TICKS], DEMO, 5_200, middle)
    tight = affordable_spacing(TICKS, [TICKS], DEMO, 700, middle)
    assert CADENCE < roomy < tight
    gone = affordable_spacing(TICKS, [TICKS], DEMO, 200, middle)
    assert first_slot(middle, middle, CADENCE, gone) == datetime(2026, 4, 1, tzinfo=UTC)


def test_the_last_moments_of_a_spent_month_do_not_make_slots_come_faster() -> None:
    assert affordable_spacing(TICKS, [TICKS], DEMO, 0, month_end(MARCH) - minutes(1)) == CADENCE


def test_after_a_stretch_slots_return_to_whole_multiples_of_the_cadence() -> None:
    assert first_slot(NOON + minutes(4.4), NOON + minutes(5), CADENCE, CADENCE) == NOON + minutes(6)


def test_datasets_that_share_credits_stretch_by_one_factor() -> None:
    daily = Dataset("coins", cadence=timedelta(hours=1), calls_per_slot=40)
    polled = [TICKS, daily]
    ticks = affordable_spacing(TICKS, polled, DEMO, 10_000, MARCH)
    coins = affordable_spacing(daily, polled, DEMO, 10_000, MARCH)
    assert ticks / CADENCE == pytest.approx(coins / daily.cadence, rel=0.01)
    per_month = timedelta(days=31)
    assert 9_600 <= per_month / ticks + 40 * (per_month / coins) <= 9_800


MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@settings(deadline=None)
@given(
    now=MOMENTS,
    last=st.none() | MOMENTS,
    credits_left=st.integers(0, 10_000),
    cadence=st.sampled_from([minutes(1), CADENCE, minutes(7), timedelta(hours=1), timedelta(days=1)]),
)
def test_the_next_slot_is_never_further_than_two_spacings_or_the_month_s_end(
    now: datetime, last: datetime | None, credits_left: int, cadence: timedelta
) -> None:
    dataset = Dataset("any", cadence)
    spacing = affordable_spacing(dataset, [dataset], DEMO, credits_left, now)
    slot = first_slot(last, now, cadence, spacing)
    assert spacing >= cadence
    assert slot <= max(now + 2 * spacing, month_end(now))
    assert last is None or slot > last or last > now


async def take(schedule: Schedule, count: int) -> list[datetime]:
    slots: AsyncIterator[datetime] = schedule.slots()
    return [await anext(slots) for _ in range(count)]


def polling(state: State, clock: StoppedClock, limits: Limits | None = None) -> Polling:
    return Polling(PlainSource("", limits=limits or Limits()), TICKS, state, clock)


async def test_the_present_slot_comes_at_once_and_then_one_every_cadence(state: State) -> None:
    clock = LeapingClock(NOON + minutes(1))
    assert await take(polling(state, clock), 3) == [NOON, NOON + minutes(3), NOON + minutes(6)]
    assert clock.now() == NOON + minutes(6)
    found = state.feed("plain", "ticks")
    assert found is not None
    assert (found.next_slot_at, found.cadence_s) == (NOON + minutes(6), 180)
    assert (found.slots_missed, found.stretched_to_s) == (0, None)


async def test_a_restart_does_not_fetch_a_finished_slot_again(state: State) -> None:
    state.attempted("plain", "ticks", cadence_s=180, at=NOON)
    state.succeeded("plain", "ticks", slot=NOON, at=NOON)
    assert await take(polling(state, LeapingClock(NOON + minutes(1))), 1) == [NOON + minutes(3)]


async def test_slots_of_a_downtime_are_counted_and_said(state: State) -> None:
    state.attempted("plain", "ticks", cadence_s=180, at=NOON)
    state.succeeded("plain", "ticks", slot=NOON, at=NOON)
    with capture_logs() as events:
        assert await take(polling(state, LeapingClock(NOON + minutes(61))), 1) == [NOON + minutes(60)]
    found = state.feed("plain", "ticks")
    assert found is not None
    assert found.slots_missed == 19
    assert [(e["event"], e["slots"]) for e in events] == [("feed.slots_missed", 19)]


async def test_slots_that_a_slow_venue_took_are_counted(state: State) -> None:
    clock = LeapingClock(NOON)
    slots = polling(state, clock).slots()
    assert await anext(slots) == NOON
    clock.move(seconds=10 * 60)  # as long as the slot took
    assert await anext(slots) == NOON + minutes(9)
    found = state.feed("plain", "ticks")
    assert found is not None
    assert found.slots_missed == 2


async def sleeping(clock: StoppedClock, times: int) -> None:
    async with asyncio.timeout(10):
        while len(clock.awaited) < times:
            await asyncio.sleep(0.001)


async def test_a_clock_set_forward_while_waiting_skips_to_the_present_slot(state: State) -> None:
    clock = StoppedClock(NOON)
    slots = polling(state, clock).slots()
    await anext(slots)
    waiting = asyncio.ensure_future(anext(slots))
    await sleeping(clock, 2)
    clock.move(seconds=86400 + 60)
    assert await waiting == NOON + timedelta(days=1)
    found = state.feed("plain", "ticks")
    assert found is not None
    assert found.slots_missed == 479


async def test_a_clock_set_back_while_waiting_goes_on_from_the_new_present(state: State) -> None:
    clock = StoppedClock(NOON)
    slots = polling(state, clock).slots()
    await anext(slots)
    waiting = asyncio.ensure_future(anext(slots))
    await sleeping(clock, 2)
    clock.move(seconds=-86400 + 60)
    await sleeping(clock, 3)
    clock.move(seconds=120)
    assert await waiting == NOON - timedelta(days=1) + minutes(3)


async def test_a_last_slot_in_the_future_does_not_stop_the_feed(state: State) -> None:
    state.attempted("plain", "ticks", cadence_s=180, at=NOON)
    state.succeeded("plain", "ticks", slot=NOON + timedelta(days=365), at=NOON)
    assert await take(polling(state, LeapingClock(NOON)), 1) == [NOON + minutes(3)]


async def test_a_month_is_spread_within_its_credits_said_and_seen_in_the_state(state: State) -> None:
    limits, quota = Limits(credits_per_month=100), Quota(state)
    source = PlainSource("", limits=limits)
    hourly = Dataset("ticks", cadence=timedelta(hours=6))  # 124 slots in March
    source.datasets = {"ticks": hourly}
    clock, taken = LeapingClock(MARCH), []
    with capture_logs() as events:
        async for slot in Polling(source, hourly, state, clock).slots():
            if slot >= month_end(MARCH):
                break
            taken.append(slot)
            grant = quota.reserve("plain", limits, 1, clock.now())
            quota.answered(grant, Response(200, {}, b"", clock.now()))
            if len(taken) == 50:
                found = state.feed("plain", "ticks")
                assert found is not None
                assert found.stretched_to_s is not None
                assert 7 * 3600 < found.stretched_to_s < 8 * 3600
    assert 96 <= len(taken) <= 98
    assert slot == month_end(MARCH)
    assert events[0]["event"] == "feed.stretched"
    assert sum(e["event"] == "feed.stretched" for e in events) < 10
    assert quota.credits_left("plain", limits, MARCH) == 100 - len(taken)


async def test_a_month_with_room_again_ends_the_stretch_and_says_so(state: State) -> None:
    limits = Limits(credits_per_month=20_000)
    late = datetime(2026, 3, 31, 23, 50, tzinfo=UTC)
    with state.transaction() as connection:
        connection.execute(
            "INSERT INTO quota_uses VALUES ('plain', 'month', '2026-03-01T00:00:00.000000+00:00', 20000)"
        )
    with capture_logs() as events:
        april = month_end(late)
        assert await take(polling(state, LeapingClock(late), limits), 2) == [april, april + CADENCE]
    assert [e["event"] for e in events] == ["feed.stretched", "feed.unstretched"]
    found = state.feed("plain", "ticks")
    assert found is not None
    assert (found.stretched_to_s, found.slots_missed) == (None, 0)


async def test_a_state_that_cannot_be_written_does_not_stop_the_schedule(state: State) -> None:
    slots = polling(state, LeapingClock(NOON)).slots()
    await anext(slots)
    state._connection.execute("PRAGMA query_only = ON")
    with capture_logs() as events:
        assert await anext(slots) == NOON + minutes(3)
    assert [e["event"] for e in events] == ["state.unwritable"]
