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
        """Returns once `now()` is at or after `moment`; at once if it already is.

        Returns early where the clock is set back meanwhile: whoever must be sure looks again.
        """


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep_until(self, moment: datetime) -> None:
        now = self.now()
        while now < moment:
            # Short naps, because the clock may be set forth (or the machine sleep) while we wait …
            await asyncio.sleep(min((moment - now).total_seconds(), 60))
            before, now = now, self.now()
            if now < before:  # … or set back, which must not add the whole jump to the wait.
                return
