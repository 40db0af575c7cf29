"""Time as an argument: the system's clock, or the replay's."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time and waits for it. Every moment is aware and in UTC."""

    def now(self) -> datetime:
        """The present moment on this clock."""

    async def sleep_until(self, moment: datetime) -> None:
        """Returns once `now()` is at or after `moment`; at once if it already is."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep_until(self, moment: datetime) -> None:
        # A loop: the system's clock may be set back or forth while we sleep.
        while (left_s := (moment - self.now()).total_seconds()) > 0:
            await asyncio.sleep(min(left_s, 60))
