"""A clock for tests: time moves by the test's hand, or leaps to whatever is waited for."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta


class StoppedClock:
    """A `Clock` that stands still until it is moved."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._moved = asyncio.Event()
        self.awaited: list[datetime] = []
        """Every moment that was ever waited for, in order."""

    def now(self) -> datetime:
        return self._now

    async def sleep_until(self, moment: datetime) -> None:
        self.awaited.append(moment)
        before = self._now
        while before <= self._now < moment:  # a clock set back wakes its sleepers, as the system's does
            await self._moved.wait()

    def move(self, *, seconds: float) -> None:
        """Moves the clock on, or back where `seconds` is negative."""
        self._now += timedelta(seconds=seconds)
        self._moved.set()
        self._moved = asyncio.Event()


class LeapingClock(StoppedClock):
    """A `Clock` that leaps to the moment waited for, so that days of waiting take no time."""

    async def sleep_until(self, moment: datetime) -> None:
        self.awaited.append(moment)
        if moment > self._now:
            self.move(seconds=(moment - self._now).total_seconds())
        await asyncio.sleep(0)
