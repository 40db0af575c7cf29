"""The machine's clock, also where it is set while somebody waits."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from coinlake.clock import SystemClock


class ShiftedClock(SystemClock):
    """A machine's clock that can be set."""

    shift = timedelta()

    def now(self) -> datetime:
        return super().now() + self.shift


async def test_a_moment_that_is_past_is_not_waited_for() -> None:
    async with asyncio.timeout(5):
        await SystemClock().sleep_until(datetime(2020, 1, 1, tzinfo=UTC))


async def test_a_moment_to_come_is_reached() -> None:
    clock = SystemClock()
    moment = clock.now() + timedelta(seconds=0.05)
    await clock.sleep_until(moment)
    assert clock.now() >= moment


async def test_a_clock_set_back_does_not_add_the_jump_to_the_wait() -> None:
    clock = ShiftedClock()
    waiting = asyncio.create_task(clock.sleep_until(clock.now() + timedelta(seconds=0.2)))
    await asyncio.sleep(0)  # it has begun to wait
    clock.shift = -timedelta(days=1)
    async with asyncio.timeout(5):
        await waiting
